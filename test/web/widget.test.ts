// The customer's widget in a real Chromium, before a desk of the tests.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { Browser, BrowserContext } from 'playwright-core'
import { needs } from '../harness/machine.ts'
import { freePort } from '../harness/ports.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import { built, CHROMIUM, Customer, launch } from './browser.ts'
import { Documents, stage, type Stage } from './stage.ts'

const limits = { visitor: { ...defaultLimits.visitor, messages: { rate: Infinity, burst: Infinity }, chatsPerHour: Infinity } }

describe('the widget', function () {
  this.timeout(300_000)
  before(needs('chromium', CHROMIUM !== undefined))

  let browser: Browser
  let s: Stage
  let context: BrowserContext
  before(async () => { await built(); browser = await launch() })
  after(async () => { await browser?.close() })
  beforeEach(async () => { s = await stage({ limits }); context = await browser.newContext() })
  afterEach(async () => { await context.close(); await s[Symbol.asyncDispose]() })

  const visit = (): Promise<Customer> => Customer.at(context, s.url)

  it('OT-16 ST-74 a customer begins, sees his place in the queue, talks, ends, and may begin again', async () => {
    const c = await visit()
    await c.begins('Where is my order?')
    await c.told('People ahead of you: 0')
    s.desk.change(1, { state: 'waiting', position: 2 })
    await c.told('People ahead of you: 2')
    s.desk.accept(1, 'Anna')
    await c.told('Anna joined')
    s.desk.line(1, 'agent', 'Anna', 'On its way.')
    await c.hears('On its way.')
    await c.says('Thank you!')
    await c.keeps('Thank you!')
    await c.end.click()
    await c.told('ended')
    assert.equal(await c.end.count(), 0)
    await c.anew.click()
    assert.equal(await c.name.inputValue(), 'Alice')
    assert.equal(s.desk.talk(1).state, 'ended')
    assert.deepEqual(c.faults, [])
  })

  it('a line to an ended conversation goes on with it; after it is closed only a new one can be begun', async () => {
    const c = await visit()
    await c.begins('Hello')
    s.desk.accept(1, 'Anna')
    await c.told('Anna joined')
    s.desk.change(1, { state: 'ended' })
    await c.told('ended')
    await c.says('One more thing')
    await c.keeps('One more thing')
    await c.told('Anna joined')
    s.desk.change(1, { state: 'closed' })
    await c.told('closed')
    assert.equal(await c.message.count(), 0)
    await c.anew.click()
    await c.message.fill('A new thing')
    await c.send.click()
    await c.keeps('A new thing')
    assert.deepEqual(await c.lines(), ['A new thing'])
    assert.equal(s.desk.talks.length, 2)
  })

  it('OT-22 all of it works by keyboard, and the focus is where one writes', async () => {
    const c = await visit()
    await c.page.getByRole('button', { name: 'New conversation' }).focus()
    await c.page.keyboard.press('Enter')
    await c.page.keyboard.type('Alice')
    await c.page.keyboard.press('Tab')
    await c.page.keyboard.type('one')
    await c.page.keyboard.press('Shift+Enter')
    await c.page.keyboard.type('two 👍')
    await c.page.keyboard.press('Enter')
    await c.keeps('one\ntwo 👍')
    await c.page.keyboard.type('three')
    await c.page.keyboard.press('Enter')
    await c.keeps('three')
    assert.deepEqual(s.desk.talk(1).lines.map(l => l.text), ['one\ntwo 👍', 'three'])
    await c.page.keyboard.press('Escape')
    await c.page.getByRole('button', { name: 'Show the chat' }).waitFor()
    await c.page.keyboard.press('Enter')
    await c.page.keyboard.type('four')
    await c.page.keyboard.press('Enter')
    await c.keeps('four')
    s.desk.change(1, { state: 'closed' })
    await c.told('closed')
    await c.page.keyboard.press('Enter') // the focus went to New conversation
    await c.name.waitFor()
    assert.deepEqual(c.faults, [])
  })

  it('a name and a first message are asked for, and the reason is said', async () => {
    const c = await visit()
    await c.anew.click()
    await c.message.fill('Hello')
    await c.send.click()
    await c.told('Please tell us your name.')
    assert.equal(await c.name.getAttribute('aria-invalid'), 'true')
    await c.name.fill('Alice')
    await c.message.fill('  ')
    await c.send.click()
    await c.told('Please write what it is about.')
    assert.equal(s.desk.talks.length, 0)
  })

  it('reads as a screen reader needs it: names, roles, and nothing twice', async () => {
    const c = await visit()
    await c.begins('Hello')
    s.desk.accept(1, 'Anna')
    s.desk.line(1, 'agent', 'Anna', 'Hi')
    await c.hears('Hi')
    await c.told('Anna joined')
    for (const [what, at] of Object.entries({ log: c.log, status: c.status, message: c.message, send: c.send, end: c.end })) assert.equal(await at.count(), 1, what)
    assert.match(await c.page.locator('deskbell-chat').ariaSnapshot(), /log "Conversation"/)
    assert.match(await c.log.locator('.line').first().textContent() ?? '', /You.*Hello/)
    assert.match(await c.log.locator('.line').last().textContent() ?? '', /Anna.*Hi/)
  })

  it('a reload and a second tab show the same conversation, nothing missing, nothing twice', async () => {
    const c = await visit()
    await c.begins('first')
    for (let i = 1; i <= 9; i++) s.desk.line(1, 'agent', 'Anna', `line ${i}`)
    await c.hears('line 9')
    const all = ['first', ...Array.from({ length: 9 }, (_, i) => `line ${i + 1}`)]
    await c.page.reload()
    await c.hears('line 9')
    assert.deepEqual(await c.lines(), all)
    const tab = await visit()
    await tab.hears('line 9')
    assert.deepEqual(await tab.lines(), all)
    await tab.says('from the tab')
    await tab.keeps('from the tab')
    await c.keeps('from the tab')
    await c.says('from the page')
    await tab.keeps('from the page')
    s.desk.line(1, 'agent', 'Anna', 'to both')
    for (const p of [c, tab]) {
      await p.hears('to both')
      assert.deepEqual(await p.lines(), [...all, 'from the tab', 'from the page', 'to both'])
    }
    assert.equal(s.desk.talks.length, 1)
  })

  it('SEC-W25 two tabs opened before anything began are one customer', async () => {
    const [one, two] = await Promise.all([visit(), visit()])
    await one.anew.click()
    await two.anew.click()
    await one.name.fill('Alice')
    await one.message.fill('one')
    await one.send.click()
    await one.keeps('one')
    await two.keeps('one') // the other tab follows by itself
    assert.equal(s.desk.talks.length, 1)
  })

  it('SEC-W23 without a network it says so, keeps what is typed, and sends it once when it is back', async () => {
    const c = await visit()
    await c.begins('before')
    s.desk.accept(1, 'Anna')
    await c.told('Anna joined')
    await context.setOffline(true)
    await c.told('Connection lost, trying again…')
    await c.says('said in the dark')
    await c.log.getByText('Waiting to be sent').waitFor()
    await c.message.fill('a draft')
    s.desk.line(1, 'agent', 'Anna', 'missed')
    await context.setOffline(false)
    await c.keeps('said in the dark')
    await c.hears('missed')
    await c.told('Anna joined')
    assert.equal(await c.message.inputValue(), 'a draft')
    assert.deepEqual(await c.lines(), ['before', 'missed', 'said in the dark'])
    assert.equal(s.desk.talk(1).lines.filter(l => l.text === 'said in the dark').length, 1)
  })

  it('SEC-W23 SEC-W24 a server that dies before it answered and comes back has the line once', async () => {
    const documents = new Documents()
    const port = await freePort() // no connection that the page tries meanwhile takes it
    const first = await stage({ limits, documents, port })
    const c = await Customer.at(context, first.url)
    await c.begins('before')
    const gate = Promise.withResolvers<void>()
    first.desk.gate = gate.promise
    await c.says('kept, but not answered')
    await c.log.getByText('Waiting to be sent').waitFor()
    await first[Symbol.asyncDispose]()
    gate.resolve() // the desk keeps it; the answer finds nobody
    first.desk.gate = undefined
    await c.told('Connection lost, trying again…')
    await using second = await stage({ limits, documents, desk: first.desk, port })
    await c.keeps('kept, but not answered')
    assert.deepEqual(await c.lines(), ['before', 'kept, but not answered'])
    assert.equal(second.desk.talks.length, 1)
    await c.page.goto('about:blank')
  })

  it('goes on by long polling where WebSockets do not pass', async () => {
    await context.addInitScript(() => {
      // A proxy that knows no WebSockets, as far as a page can tell.
      Object.defineProperty(globalThis, 'WebSocket', { value: class { onclose: (() => void) | null = null; readyState = 0; constructor() { setTimeout(() => this.onclose?.()) } close() {} send() {} } })
    })
    const c = await visit()
    await c.begins('by post')
    s.desk.accept(1, 'Anna')
    await c.told('Anna joined')
    s.desk.line(1, 'agent', 'Anna', 'Hi')
    await c.hears('Hi')
    await c.says('and back')
    await c.keeps('and back')
    await c.page.reload()
    await c.hears('Hi')
    assert.deepEqual(await c.lines(), ['by post', 'Hi', 'and back'])
  })

  it('takes 4,000 characters, counts them near the end, and no more', async () => {
    const c = await visit()
    await c.begins('Hello')
    const text = '👍 ä '.repeat(1000) // 4,000 code points, the last a space
    await c.message.fill(text + 'xy')
    await c.page.getByText('2 characters too many').waitFor()
    await c.message.fill(text + 'x')
    await c.page.getByText('1 character too many', { exact: true }).waitFor()
    await c.page.keyboard.press('Enter')
    assert.equal(await c.message.inputValue(), text + 'x')
    await c.message.fill(text.slice(0, -1) + '.')
    await c.page.getByText('0 characters left').waitFor()
    await c.page.keyboard.press('Enter')
    await c.log.locator('.line.mine:not(.unsent)').nth(1).waitFor()
    assert.equal(s.desk.talk(1).lines[1]?.text, text.slice(0, -1) + '.')
  })

  it('SEC-W08 SEC-W10 whatever is written is text: no script runs, nothing is fetched, only http links can be clicked', async () => {
    const evil = ['<img src=x onerror=alert(1)>', '<script>alert(2)</script>', '"><svg onload=alert(3)>', '</textarea></p><iframe src=javascript:alert(4)>', 'javascript:alert(5)', '{{constructor.constructor("alert(6)")()}}', '<a href="javascript:alert(7)">x</a>', '&lt;b&gt;']
    const c = await visit()
    const elsewhere: string[] = []
    c.page.on('request', r => { if (!r.url().startsWith(s.url)) elsewhere.push(r.url()) })
    await c.begins(evil[0]!, '<img src=x onerror=alert(8)>')
    for (const text of evil.slice(1)) { await c.says(text); await c.keeps(text) }
    s.desk.accept(1, '<img src=x onerror=alert(9)>')
    for (const text of evil) s.desk.line(1, 'agent', text, text)
    s.desk.line(1, 'agent', 'Anna', 'see https://example.org/a?b=c#d and xmpp:a@b')
    await c.log.getByRole('link').waitFor()
    assert.deepEqual((await c.lines()).slice(0, -1), [...evil, ...evil])
    assert.equal(await c.log.locator('img, script, svg, iframe, b').count(), 0)
    assert.deepEqual(await c.log.getByRole('link').evaluateAll(all => all.map(a => [a.getAttribute('href'), a.getAttribute('rel'), a.getAttribute('target')])), [['https://example.org/a?b=c#d', 'noopener noreferrer nofollow', '_blank']])
    assert.deepEqual([c.faults, elsewhere], [[], []])
  })

  it('ST-71 with nobody receiving it says so, and gives the text back', async () => {
    s.desk.open = false
    const c = await visit()
    await c.anew.click()
    await c.told('nobody is available right now')
    await c.name.fill('Alice')
    await c.message.fill('Anybody there?')
    await c.send.click()
    await c.told('Nobody is available right now.')
    assert.equal(await c.message.inputValue(), 'Anybody there?')
    s.desk.open = true
    await c.send.click()
    await c.keeps('Anybody there?')
  })

  it('SS-04 typing goes both ways', async () => {
    const c = await visit()
    await c.begins('Hello')
    s.desk.accept(1, 'Anna')
    await c.told('Anna joined')
    s.desk.typing(1, 'composing')
    await c.page.getByText('Anna is typing…').waitFor()
    s.desk.typing(1, 'paused')
    await c.page.getByText('Anna is typing…').waitFor({ state: 'detached' })
    await c.message.pressSequentially('I am')
    await c.says('I am writing') // what was typed before is with the desk when this line is
    await c.keeps('I am writing')
    assert.equal(s.desk.typed[0], 'c1 composing')
  })

  it('shows what came while it was minimised', async () => {
    const c = await visit()
    await c.begins('Hello')
    await c.page.getByRole('button', { name: 'Minimise' }).click()
    s.desk.line(1, 'agent', 'Anna', 'Hi')
    const show = c.page.getByRole('button', { name: 'Show the chat' })
    await show.getByText('1', { exact: true }).waitFor()
    await c.page.reload()
    await show.click()
    await c.hears('Hi')
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`fits 320 px and is readable in ${colorScheme} mode`, async () => {
      await context.close()
      context = await browser.newContext({ viewport: { width: 320, height: 568 }, colorScheme })
      const c = await visit()
      const fits = async (): Promise<void> => assert.ok(await c.page.evaluate('document.scrollingElement.scrollWidth <= 320'), 'scrolls sideways')
      await fits()
      await c.begins('W'.repeat(300) + ' https://example.org/' + 'x'.repeat(300))
      s.desk.accept(1, 'A'.repeat(80))
      s.desk.line(1, 'agent', 'A'.repeat(80), 'ok')
      await c.hears('ok')
      await fits()
      assert.ok(await c.log.evaluate(log => log.scrollWidth <= log.clientWidth), 'the conversation scrolls sideways')
      for (const at of [c.message, c.send, c.end]) {
        const box = (await at.boundingBox())!
        assert.ok(box.x >= 0 && box.x + box.width <= 320 && box.y + box.height <= 568, 'out of sight')
      }
      for (const selector of ['.line.mine .text', '.line.agent .text', '.who', '.status', '.main', '.end, header button']) {
        const ratio = await c.page.locator(`deskbell-chat ${selector}`).first().evaluate(contrast)
        assert.ok(ratio >= 4.5, `${selector}: contrast ${ratio.toFixed(1)}`)
      }
    })
  }

  it('reads from right to left on such a page', async () => {
    const c = await visit()
    await c.page.evaluate('document.documentElement.dir = "rtl"')
    await c.begins('שלום עולם')
    const [panel, send, message] = await Promise.all([c.log.boundingBox(), c.send.boundingBox(), c.message.boundingBox()])
    assert.ok(send!.x < message!.x, 'Send stands at the end of the line')
    assert.ok(panel!.x < 200, 'the panel stands at the page’s end')
  })

  it('OT-50 SS-34 works on the page of another site that is listed, and says why on one that is not', async () => {
    const shop = createServer((_, r) => r.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><title>Shop</title><h1>Shop</h1><script src="${there.url}/widget.js" data-site="default" defer></script></body>`))
    await new Promise<void>(ready => shop.listen(0, '127.0.0.1', ready))
    const origin = `http://127.0.0.1:${(shop.address() as AddressInfo).port}` // it listens on a port
    await using there = await stage({ limits, origins: [origin] })
    try {
      const c = await Customer.at(context, origin + '/cart?session=secret#x')
      await c.begins('From the shop')
      assert.equal(there.desk.talk(1).lines[0]?.text, 'From the shop')
      await context.route(s.url + '/wrong', r => r.fulfill({ contentType: 'text/html', body: '<!doctype html><script src="/widget.js" data-site="nope"></script>' }))
      const wrong = await Customer.at(context, s.url + '/wrong')
      await wrong.anew.click()
      await wrong.told('This chat is not set up for this page.')
    } finally {
      shop.closeAllConnections()
      shop.close()
    }
  })

  it('SS-34 a page whose chat server is down loads like any other', async () => {
    const c = await visit()
    await c.page.setContent(`<h1>Shop</h1><script src="http://127.0.0.1:9/widget.js" defer></script>`, { waitUntil: 'load' })
    assert.equal(await c.page.getByRole('heading', { name: 'Shop' }).count(), 1)
  })

  it('tells agents how to connect', async () => {
    const c = await visit()
    await c.page.getByText('anna@localhost', { exact: true }).waitFor()
    await c.page.locator('#c2s').filter({ hasText: '5222' }).waitFor()
    assert.equal(await c.page.locator('#direct').isVisible(), false)
    assert.deepEqual(c.faults, [])
  })

  it('is small: at most 15 kB on the wire', () => {
    const size = gzipSync(readFileSync(new URL('../../web/dist/widget.js', import.meta.url))).length
    assert.ok(size <= 15_000, `${size} bytes`)
  })
})

/** The contrast of an element's text to what is behind it (WCAG 2.2 section 1.4.3). Runs in the page, where this file's types do not reach. */
const contrast = new Function('e', `
  const rgb = text => (text.match(/[\\d.]+/g) ?? []).map(Number)
  let behind = e
  while ((rgb(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement
  const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0)
  const [a, b] = [light(rgb(getComputedStyle(e).color)), light(rgb(getComputedStyle(behind).backgroundColor))]
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
`) as (e: unknown) => number
