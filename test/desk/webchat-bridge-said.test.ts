// The web bridge: what visitors say, and how much of it.
import assert from 'node:assert/strict'
import { defaultLimits } from '../../server/ports/limits.ts'
import type { FromBridge } from '../../schemas/webchat.ts'
import { newId, Page, post } from '../web/page.ts'
import { Documents, stage } from '../web/stage.ts'
import { MovedClock } from '../harness/clock.ts'

const lines = (all: readonly FromBridge[]) => all.filter(m => m.type === 'line')
const texts = (all: readonly FromBridge[]): string[] => lines(all).map(l => l.text)
const free = { ...defaultLimits.visitor, messages: { rate: Infinity, burst: Infinity } }

describe('the web bridge', () => {
  describe('what is said', () => {
    it('SEC-W24 a line is acknowledged only when the desk has kept it', async () => {
      await using s = await stage()
      const { page } = await Page.hello(s.url)
      using _p = page
      const n = await page.begin()
      await page.all()
      const gate = Promise.withResolvers<void>()
      s.desk.gate = gate.promise
      const id = newId()
      page.say({ type: 'say', id, conversation: n, text: 'kept?' })
      assert.deepEqual((await page.all()).filter(m => m.type === 'said'), [])
      gate.resolve()
      assert.equal((await page.hears('said')).seq, 2)
    })

    it('OT-22 several lines, emoji and 4,000 characters arrive unchanged', async () => {
      await using s = await stage()
      const { page } = await Page.hello(s.url)
      using _p = page
      const n = await page.begin()
      const said = ['one\ntwo\n\n  three', '👩‍👩‍👧‍👦 🇩🇪 مرحبا שלום', '👍'.repeat(4000), '<b>&amp;</b> ]]> \\ " \'']
      for (const text of said) {
        const id = newId()
        page.say({ type: 'say', id, conversation: n, text })
        await page.hears('said', m => m.id === id)
      }
      assert.deepEqual(s.desk.talk(n).lines.slice(1).map(l => l.text), said)
      assert.deepEqual(texts(await page.all()), said)
    })

    it('SEC-W11 too long, empty, or eleven at once is refused, and nothing of it is kept', async () => {
      const clock = new MovedClock()
      await using s = await stage({ clock })
      const { page } = await Page.hello(s.url)
      using _p = page
      const n = await page.begin()
      for (const text of ['x'.repeat(4001), '', ' \n\t ', '\u0000\u0007']) {
        page.say({ type: 'say', id: newId(), conversation: n, text })
        assert.equal((await page.hears('refused')).reason, 'not-acceptable')
      }
      for (let i = 0; i < 10; i++) page.say({ type: 'say', id: newId(), conversation: n, text: `line ${i}` }) // one of the ten was the first message
      const late = await page.hears('refused')
      assert.equal(late.reason, 'resource-constraint')
      assert.ok(late.retry! > 0 && late.retry! <= 1000)
      await page.hears('line', l => l.text === 'line 8')
      assert.equal(s.desk.talk(n).lines.length, 10)
      await clock.advance(1000)
      page.say({ type: 'say', id: late.id!, conversation: n, text: 'line 9' })
      await page.hears('said', m => m.id === late.id)
    })

    it('SEC-W11 over POST the same is 422, 429 with Retry-After', async () => {
      await using s = await stage({ limits: { visitor: { ...defaultLimits.visitor, messages: { rate: 1 / 60, burst: 10 } } } })
      const { session } = await post(s.url, { message: { type: 'hello' } })
      const say = (text: string) => post(s.url, { session, message: { type: 'open', id: newId(), name: 'A', text } })
      assert.equal((await say('x'.repeat(4001))).status, 422)
      assert.equal((await say('')).status, 422)
      for (let i = 0; i < 10; i++) assert.equal((await say('x')).status, 200)
      const late = await say('x')
      assert.equal(late.status, 429)
      const retry = Number(late.headers.get('retry-after'))
      assert.ok(Number.isInteger(retry) && retry > 0 && retry <= 60, `${retry} s`)
      assert.equal(s.desk.talk().lines.length, 10)
    })

    it('OT-19 a visitor without a name is refused', async () => {
      await using s = await stage()
      const { page } = await Page.hello(s.url)
      using _p = page
      for (const name of ['', '  ', '\u202e\u200b', 'x'.repeat(81)]) {
        page.say({ type: 'open', id: newId(), name, text: 'Hello' })
        assert.equal((await page.hears('refused')).reason, 'not-acceptable')
      }
      assert.deepEqual(s.desk.talks, [])
    })

    it('SEC-W12 the eleventh conversation of an hour from one address is refused; a second one at a time is the first', async () => {
      const clock = new MovedClock()
      await using s = await stage({ clock, limits: { visitor: free } })
      const { page } = await Page.hello(s.url)
      using _p = page
      for (let i = 1; i <= 10; i++) {
        assert.equal(await page.begin(), i)
        assert.equal(await page.begin('again'), i)
        s.desk.change(i, { state: 'closed' })
        await page.hears('conversation', m => m.conversation.state === 'closed')
      }
      page.say({ type: 'open', id: newId(), name: 'Alice', text: 'Once more' })
      assert.equal((await page.hears('refused')).reason, 'resource-constraint')
      await clock.advance(3600_000)
      assert.equal(await page.begin(), 11)
    })

    it('ST-23 with nobody receiving it says so, and refuses in the words of the desk', async () => {
      await using s = await stage()
      s.desk.open = false
      const { page, welcome } = await Page.hello(s.url)
      using _p = page
      assert.equal(welcome.open, false)
      page.say({ type: 'open', id: newId(), name: 'Alice', text: 'Anybody?' })
      const r = await page.hears('refused')
      assert.deepEqual([r.reason, r.text, r.retry], ['service-unavailable', 'Nobody is available right now.', undefined])
    })

    it('who was refused because nobody was there has not used up his conversations', async () => {
      await using s = await stage({ limits: { visitor: free } })
      const { page } = await Page.hello(s.url)
      using _p = page
      s.desk.open = false
      for (let i = 0; i < 15; i++) {
        page.say({ type: 'open', id: newId(), name: 'Alice', text: 'Anybody?' })
        assert.equal((await page.hears('refused')).reason, 'service-unavailable')
      }
      s.desk.open = true
      assert.equal(await page.begin(), 1)
    })

    it('with the store gone nothing is acknowledged, the page may try again, and others go on', async () => {
      const documents = new Documents()
      await using s = await stage({ documents })
      const { page: other } = await Page.hello(s.url)
      using _o = other
      await other.begin()
      const { page } = await Page.hello(s.url)
      using _p = page
      const put = documents.put
      documents.put = () => Promise.reject(new Error('disk full'))
      const id = newId()
      page.say({ type: 'open', id, name: 'Alice', text: 'Hello' })
      const r = await page.hears('refused')
      assert.deepEqual([r.reason, r.id], ['internal-server-error', id])
      assert.ok(r.retry! > 0)
      assert.equal(s.desk.talks.length, 1)
      other.say({ type: 'say', id: newId(), conversation: 1, text: 'still here' })
      await other.hears('said')
      documents.put = put
      page.say({ type: 'open', id, name: 'Alice', text: 'Hello' })
      await page.hears('said', m => m.id === id)
    })

    it('SEC-W32 of fifty "composing" one reaches the agent in three seconds', async () => {
      const clock = new MovedClock()
      await using s = await stage({ clock })
      const { page } = await Page.hello(s.url)
      using _p = page
      const n = await page.begin()
      for (let i = 0; i < 50; i++) page.say({ type: 'typing', conversation: n, state: 'composing' })
      await page.all()
      assert.deepEqual(s.desk.typed, [`c${n} composing`])
      await clock.advance(3000)
      page.say({ type: 'typing', conversation: n, state: 'composing' })
      page.say({ type: 'typing', conversation: n, state: 'paused' })
      page.say({ type: 'typing', conversation: n, state: 'paused' })
      await page.all()
      assert.deepEqual(s.desk.typed.slice(1), [`c${n} composing`, `c${n} paused`])
    })

    it('shows the agent typing to the page', async () => {
      await using s = await stage()
      const { page } = await Page.hello(s.url)
      using _p = page
      const n = await page.begin()
      s.desk.accept(n, 'Anna')
      s.desk.typing(n, 'composing')
      assert.deepEqual(await page.hears('typing'), { type: 'typing', conversation: n, state: 'composing', name: 'Anna' })
    })

    it('SEC-H04 what is no message of ours harms only the page that sends it', async () => {
      await using s = await stage()
      using other = (await Page.hello(s.url)).page
      using page = await Page.open(s.url)
      page.say({ type: 'say', id: newId(), conversation: 1, text: 'before hello' })
      assert.equal((await page.hears('refused')).reason, 'unexpected-request')
      for (const text of ['{', '[]', 'null', '{"type":"hello","extra":1}', '{"type":"eval"}']) {
        page.ws.send(text)
        assert.equal((await page.hears('refused')).reason, 'bad-request')
      }
      page.ws.send(Buffer.from([1, 2, 3]))
      assert.equal(await page.closed, 1003)
      using big = await Page.open(s.url)
      big.ws.send(JSON.stringify({ type: 'hello', token: 'x'.repeat(70_000) }))
      assert.equal(await big.closed, 1009)
      using endless = await Page.open(s.url)
      for (let i = 0; i < 20; i++) endless.ws.send('{}')
      assert.equal(await endless.closed, 1008)
      await other.all()
    })
  })
})
