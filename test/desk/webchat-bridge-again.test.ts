// The web bridge: pages that come back, second tabs and pages that poll miss nothing and hear nothing twice.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { defaultLimits } from '../../server/ports/limits.ts'
import type { FromBridge } from '../../schemas/webchat.ts'
import { newId, Page, post } from '../web/page.ts'
import { Documents, stage } from '../web/stage.ts'
import { MovedClock } from '../harness/clock.ts'

const lines = (all: readonly FromBridge[]) => all.filter(m => m.type === 'line')
const texts = (all: readonly FromBridge[]): string[] => lines(all).map(l => l.text)
const free = { ...defaultLimits.visitor, messages: { rate: Infinity, burst: Infinity } }

describe('the web bridge', () => {
  describe('nothing missing, nothing twice', () => {
    it('SEC-W23 after a cut the page gets what it missed, once and in order', async () => {
      await using s = await stage({ limits: { visitor: free } })
      const { page, token } = await Page.hello(s.url)
      const n = await page.begin()
      page.ws.terminate()
      await page.closed
      for (let i = 1; i <= 10; i++) s.desk.line(n, 'agent', 'Anna', `missed ${i}`)
      const { page: again, welcome } = await Page.hello(s.url, { token, conversation: n, after: 1 })
      using _p = again
      assert.equal(welcome.conversation?.number, n)
      s.desk.line(n, 'agent', 'Anna', 'live')
      await again.hears('line', l => l.text === 'live').then(l => again.heard.push(l))
      const all = lines(await again.all())
      assert.deepEqual(all.map(l => l.seq), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    })

    it('SEC-W23 SEC-W24 after a restart of the server the same conversation goes on, and what is said again is there once', async () => {
      const documents = new Documents()
      const first = await stage({ documents })
      const { page, token } = await Page.hello(first.url)
      const n = await page.begin()
      const id = newId()
      page.say({ type: 'say', id, conversation: n, text: 'once' })
      await page.hears('said')
      await first[Symbol.asyncDispose]()
      await using second = await stage({ documents, desk: first.desk })
      const { page: again } = await Page.hello(second.url, { token, conversation: n, after: 1 })
      using _p = again
      assert.equal((await again.hears('line')).text, 'once')
      again.say({ type: 'say', id, conversation: n, text: 'once' })
      assert.deepEqual(await again.hears('said'), { type: 'said', id, conversation: n, seq: 2 })
      assert.deepEqual(lines(await again.all()), [])
    })

    it('SEC-W24 the same id five times at once is one line', async () => {
      await using s = await stage()
      const { page, token } = await Page.hello(s.url)
      using _p = page
      const n = await page.begin()
      const { page: tab } = await Page.hello(s.url, { token, conversation: n, after: 1 })
      using _t = tab
      const id = newId()
      for (const p of [page, tab, page, tab, page]) p.say({ type: 'say', id, conversation: n, text: 'five' })
      for (const p of [page, page, page, tab, tab]) assert.equal((await p.hears('said')).seq, 2)
      assert.deepEqual(texts(await page.all()), ['five'])
      assert.deepEqual(texts(await tab.all()), ['five'])
    })

    it('SEC-W25 SEC-D28 two tabs that start at once are in one conversation', async () => {
      await using s = await stage()
      const { page: one, token } = await Page.hello(s.url)
      using _1 = one
      await one.begin()
      s.desk.change(1, { state: 'closed' })
      const { page: two } = await Page.hello(s.url, { token })
      using _2 = two
      const numbers = await Promise.all([one.begin('from one'), two.begin('from two')])
      assert.deepEqual(numbers, [2, 2])
      for (const p of [one, two]) {
        const heard = lines(await p.all()).filter(l => l.conversation === 2).length
        assert.equal(heard, 1, 'its own line was taken by begin, the other is here once')
      }
    })

    it('asks the desk for a line that was lost, and shows it once', async () => {
      await using s = await stage()
      const { page } = await Page.hello(s.url)
      using _p = page
      const n = await page.begin()
      s.desk.mute = true
      s.desk.line(n, 'agent', 'Anna', 'lost')
      s.desk.mute = false
      s.desk.line(n, 'agent', 'Anna', 'next')
      await page.hears('line', l => l.seq === 2)
      await page.hears('line', l => l.seq === 3)
      assert.deepEqual(lines(await page.all()), [])
    })

    it('a page may ask for lines again', async () => {
      await using s = await stage()
      const { page } = await Page.hello(s.url)
      using _p = page
      const n = await page.begin('first')
      page.say({ type: 'lines', conversation: n, after: 0 })
      assert.equal((await page.hears('line')).text, 'first')
    })

    it('a second tab sees the whole conversation, and both hear what comes', async () => {
      await using s = await stage()
      const { page, token } = await Page.hello(s.url)
      using _p = page
      const n = await page.begin('first')
      const { page: tab } = await Page.hello(s.url, { token })
      using _t = tab
      assert.equal((await tab.hears('line')).text, 'first')
      s.desk.line(n, 'agent', 'Anna', 'both')
      for (const p of [page, tab]) await p.hears('line', l => l.text === 'both')
      tab.say({ type: 'say', id: newId(), conversation: n, text: 'from the tab' })
      await page.hears('line', l => l.text === 'from the tab' && l.who === 'customer')
    })

    it('SEC-W26 tells the desk when the last tab is gone for good, and when it is back', async () => {
      const clock = new MovedClock()
      await using s = await stage({ clock })
      const { page, token } = await Page.hello(s.url)
      const n = await page.begin()
      const { page: tab } = await Page.hello(s.url, { token })
      page.ws.close()
      await page.closed
      await clock.advance(60_000)
      assert.ok(!s.desk.asked.includes('gone'), 'a tab is left')
      tab.ws.terminate()
      await tab.closed
      // The server hears of it after the page does: a page that says hello now stands behind it.
      using witness = (await Page.hello(s.url)).page
      await clock.advance(60_000)
      assert.ok(s.desk.asked.includes('gone'))
      const { page: again } = await Page.hello(s.url, { token, conversation: n, after: 1 })
      using _a = again
      await again.all()
      assert.equal(s.desk.asked.filter(a => a === 'back').length, 1)
      await witness.all()
    })

    it('SEC-W26 who does not come back after a restart is gone', async () => {
      const documents = new Documents()
      const first = await stage({ documents })
      const { page } = await Page.hello(first.url)
      await page.begin()
      await first[Symbol.asyncDispose]()
      const clock = new MovedClock()
      await using second = await stage({ documents, desk: first.desk, clock })
      await clock.advance(61_000)
      assert.deepEqual(second.desk.asked.filter(a => a === 'gone'), ['gone'])
    })
  })

  describe('long polling', () => {
    it('carries a whole conversation', async () => {
      await using s = await stage()
      const hello = await post(s.url, { message: { type: 'hello' } })
      const { session } = hello
      const id = newId()
      const opened = await post(s.url, { session, message: { type: 'open', id, name: 'Alice', text: 'Hello' } })
      assert.ok(opened.messages.some(m => m.type === 'said'))
      const all = [...opened.messages]
      while (!lines(all).length) all.push(...(await post(s.url, { session })).messages)
      const waiting = post(s.url, { session })
      s.desk.line(1, 'agent', 'Anna', 'Hi Alice')
      assert.deepEqual(texts((await waiting).messages), ['Hi Alice'])
    })

    it('FP-12 FP-13 RULE-C21 RULE-C31 a page that says whether it is looked at is answered at once, and told when to ask again: 1 s and 5 s', async () => {
      await using s = await stage()
      const { session } = await post(s.url, { message: { type: 'hello' } })
      await post(s.url, { session, message: { type: 'open', id: newId(), name: 'Alice', text: 'Hello' } })
      assert.equal((await post(s.url, { session, focus: 'active' })).next, 1)
      assert.equal((await post(s.url, { session, focus: 'idle' })).next, 5)
      s.desk.line(1, 'agent', 'Anna', 'Hi Alice')
      const all: FromBridge[] = []
      while (!texts(all).includes('Hi Alice')) all.push(...(await post(s.url, { session, focus: 'active' })).messages)
      assert.equal((await post(s.url, { session, focus: 'nonsense' })).status, 422)
    })

    it('FP-03 the page is told what the desk’s settings say', async () => {
      await using s = await stage()
      s.desk.pace = { active: '10', idle: '15' }
      const { session } = await post(s.url, { message: { type: 'hello' } })
      assert.deepEqual([(await post(s.url, { session, focus: 'active' })).next, (await post(s.url, { session, focus: 'idle' })).next], [10, 15])
    })

    it('a page that lost its session says hello and goes on where it was', async () => {
      await using s = await stage()
      const { session, messages } = await post(s.url, { message: { type: 'hello' } })
      const token = messages[0]!.type === 'welcome' ? messages[0]!.token! : ''
      await post(s.url, { session, message: { type: 'open', id: newId(), name: 'Alice', text: 'Hello' } })
      s.desk.line(1, 'agent', 'Anna', 'missed')
      assert.equal((await post(s.url, { session: randomBytes(32).toString('base64url') })).status, 410)
      const again = await post(s.url, { message: { type: 'hello', token, conversation: 1, after: 1 } })
      const all = [...again.messages, ...(await post(s.url, { session: again.session })).messages]
      assert.deepEqual(texts(all), ['missed'])
    })

    it('SEC-H14 takes JSON only, and not too much of it', async () => {
      await using s = await stage()
      assert.equal((await post(s.url, '{}', { origin: s.url, 'content-type': 'text/plain' })).status, 415)
      assert.equal((await post(s.url, '{', { origin: s.url })).status, 400)
      assert.equal((await post(s.url, {})).status, 422)
      assert.equal((await post(s.url, JSON.stringify({ session: 'x'.repeat(66_000) }))).status, 413)
      assert.equal((await fetch(`${s.url}/webchat/poll?site=default`)).status, 405)
    })
  })
})
