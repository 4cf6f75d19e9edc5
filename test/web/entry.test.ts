// The widget in a real Chromium, before it lets somebody in: what is proved, and who the page says its visitor is.
import assert from 'node:assert/strict'
import { SignJWT } from 'jose'
import { BOT, config, type DeskHouse } from '../harness/desk.ts'
import { webDesk } from '../harness/web.ts'
import { HookSink } from '../unit/helpdesk/hook-sink.ts'
import { Customer } from './browser.ts'
import { inChromium, set, site } from './site.ts'

const STAFF = { anna: 'agent', boss: 'admin' } as const
const PULL = config({ support: { assign: 'pull' } }, { allow: ['127.0.0.0/8'] })
const SECRET = 'a secret of the shop, 32 bytes long or more'
const token = (d: DeskHouse, sub: string, { secret = SECRET, seconds = 600 } = {}): Promise<string> =>
  new SignJWT({ sub, name: sub }).setProtectedHeader({ alg: 'HS256' }).setAudience('shop').setExpirationTime(Math.floor(d.house.clock.now() / 1000) + seconds).sign(new TextEncoder().encode(secret))

const shopHtml = (url: string, attrs = '', script = ''): string => `<!doctype html><title>Shop</title><script>${script}</script><script src="${url}/widget.js" data-site="shop"${attrs}></script>`

describe('the way into the widget', function () {
  this.timeout(300_000)
  const chromium = inChromium()

  it('SEC-W33 the browser does the work unseen, and the conversation begins', webDesk(STAFF, async (d, url) => {
    const anna = await d.comes('anna')
    await set(d, { proof: { kind: 'work', difficulty: 14 } })
    await using c = await Customer.at(chromium.context, url)
    await c.begins('Hello')
    await anna.reads(BOT, /#1.*Alice/)
    assert.deepEqual(c.faults, [])
  }, PULL))

  it('SEC-W33 the page has its turn while the browser does the work', webDesk(STAFF, async (d, url) => {
    await set(d, { proof: { kind: 'work', difficulty: 22 } })
    await using c = new Customer(await chromium.context.newPage())
    await c.page.addInitScript('{ const parse = JSON.parse; JSON.parse = t => { const m = parse(t); if (m?.bits) m.bits = 32; return m } }') // as good as without a solution: no luck ends it
    await c.page.goto(url)
    await c.page.evaluate('window.turns = 0; setInterval(() => { if (document.querySelector("deskbell-chat").shadowRoot.querySelector("[role=status]").textContent.startsWith("One moment")) window.turns++ }, 1)')
    await c.anew.click()
    await c.name.fill('Alice')
    await c.message.fill('Hello')
    await c.send.click()
    await c.page.evaluate('new Promise(done => setInterval(() => window.turns > 3 && done(), 1))')
    assert.deepEqual(c.faults, [])
  }, PULL))

  it('SEC-W33 a page that was there before the work was asked for does it all the same', webDesk(STAFF, async (d, url) => {
    const anna = await d.comes('anna')
    await using c = await Customer.at(chromium.context, url)
    await c.anew.click()
    await c.name.fill('Alice')
    await c.message.fill('Hello')
    await set(d, { proof: { kind: 'work', difficulty: 10 } }) // the page does not know of it
    await c.send.click()
    await c.keeps('Hello')
    await anna.reads(BOT, /#1.*Alice/)
    assert.deepEqual(c.faults, [])
  }, PULL))

  it('SEC-W33 a page with a captcha gives its token; without one the customer reads that it did not work, and keeps the text', async () => {
    const sink = new HookSink()
    const service = `http://127.0.0.1:${await sink.listen()}/siteverify`
    sink.always = (h, r) => { r.writeHead(200).end(JSON.stringify({ success: new URLSearchParams(h.body).get('response') === 'token-of-public' })); return true }
    try {
      await webDesk(STAFF, async (d, url) => {
        const anna = await d.comes('anna')
        let script = "document.addEventListener('deskbell-captcha', e => e.detail.give(new Promise(done => setTimeout(() => done('token-of-' + e.detail.key)))))"
        await using shop = await site(() => shopHtml(url, '', script))
        await set(d, { proof: { kind: 'captcha', url: service, secret: 'of the desk', siteKey: 'public' }, sites: { shop: { origins: [shop.origin] } } })
        await using c = await Customer.at(chromium.context, shop.url)
        await c.begins('Hello')
        await anna.reads(BOT, /#1.*Alice/)
        script = ''
        await using other = await Customer.at(await chromium.browser.newContext(), shop.url)
        await other.anew.click()
        await other.name.fill('Ben')
        await other.message.fill('Me, too')
        await other.send.click()
        await other.told('Please try again.')
        assert.equal(await other.message.inputValue(), 'Me, too')
        await anna.readsNothing()
        await other.page.context().close()
      }, PULL)()
    } finally { await sink.close() }
  })

  it('SEC-W05 a page whose token is refused is asked for another one, and the visitor is who the site says', webDesk(STAFF, async (d, url) => {
    const anna = await d.comes('anna')
    const [old, fresh] = [await token(d, 'alice', { seconds: -10 }), await token(d, 'alice')]
    await using shop = await site(() => shopHtml(url, ` data-identity="${old}"`, `window.asked = []; document.addEventListener('deskbell-identity', e => { window.asked.push(e.detail.reason); e.detail.give(Promise.resolve('${fresh}')) })`))
    await set(d, { sites: { shop: { origins: [shop.origin], requires: 'registered', keys: { first: { alg: 'HS256', secret: SECRET } } } } })
    await using c = await Customer.at(chromium.context, shop.url)
    await c.anew.click()
    await c.message.fill('It is me')
    await c.send.click()
    await c.keeps('It is me')
    await anna.reads(BOT, /#1.*alice/)
    assert.deepEqual(await c.page.evaluate('window.asked'), ['refused'])
    assert.equal((await d.rest('GET', '/api/v1/conversations/1', 'boss')).body.customer.name, 'alice')
  }, PULL))

  it('SEC-W05 where the site demands an identity, a refused one is shown with what to do, and nothing is said unsigned; with a good one it goes on', webDesk(STAFF, async (d, url) => {
    const anna = await d.comes('anna')
    const bad = await token(d, 'alice', { secret: 'the secret of somebody else, long enough' })
    await using shop = await site(() => shopHtml(url, ` data-identity="${bad}"`))
    await set(d, { sites: { shop: { origins: [shop.origin], requires: 'registered', keys: { first: { alg: 'HS256', secret: SECRET } } } } })
    await using c = await Customer.at(chromium.context, shop.url)
    await c.anew.click()
    await c.told('We could not verify who you are. Please sign in again, or load this page anew.')
    assert.equal(await c.message.count(), 0, 'there is nothing to write in')
    await c.page.getByRole('button', { name: 'Try again' }).click()
    await c.told('We could not verify who you are')
    await anna.readsNothing()
    const good = await token(d, 'alice')
    await c.page.evaluate(`document.querySelector('deskbell-chat').dataset.identity = '${good}'`)
    await c.message.fill('It is me')
    await c.send.click()
    await c.keeps('It is me')
    await anna.reads(BOT, /#1.*alice/)
    assert.deepEqual(c.faults, [])
  }, PULL))

  it('SEC-W05 a token that is over by the time the connection comes back is replaced by the page, and the conversation goes on as the same person’s', webDesk(STAFF, async (d, url) => {
    const anna = await d.comes('anna')
    const first = await token(d, 'alice', { seconds: 60 })
    await using shop = await site(() => shopHtml(url, ` data-identity="${first}"`, `document.addEventListener('deskbell-identity', e => { if (window.fresh) e.detail.give(window.fresh) })`))
    await set(d, { sites: { shop: { origins: [shop.origin], requires: 'registered', keys: { first: { alg: 'HS256', secret: SECRET } } } } })
    await using c = await Customer.at(chromium.context, shop.url)
    await c.anew.click()
    await c.message.fill('It is me')
    await c.send.click()
    await c.keeps('It is me')
    anna.types(BOT, '!take 1')
    await c.told('Anna joined')
    await d.later(120)
    await c.page.evaluate(`window.fresh = '${await token(d, 'alice', { seconds: 900 })}'`)
    await chromium.context.setOffline(true)
    await c.told('Connection lost')
    await c.says('Still me')
    await chromium.context.setOffline(false)
    await c.keeps('Still me')
    assert.equal((await c.lines())[0], 'It is me')
    assert.equal((await d.rest('GET', '/api/v1/conversations', 'boss')).body.conversations.length, 1)
    assert.deepEqual(c.faults, [])
  }, PULL))

  it('where the site demands an identity and the page gave none, it says to sign in, and “Try again” asks the page', webDesk(STAFF, async (d, url) => {
    await d.comes('anna')
    const good = await token(d, 'alice')
    await using shop = await site(() => shopHtml(url, '', `let signedIn; document.addEventListener('deskbell-identity', e => { if (signedIn) e.detail.give(signedIn) }); window.signIn = t => { signedIn = t }`))
    await set(d, { sites: { shop: { origins: [shop.origin], requires: 'registered', keys: { first: { alg: 'HS256', secret: SECRET } } } } })
    await using c = await Customer.at(chromium.context, shop.url)
    await c.anew.click()
    await c.told('Please sign in on this page, then you can chat.')
    assert.equal(await c.message.count(), 0)
    await c.page.evaluate(`window.signIn('${good}')`)
    await c.page.getByRole('button', { name: 'Try again' }).click()
    await c.message.fill('It is me')
    await c.send.click()
    await c.keeps('It is me')
  }, PULL))

  it('where a site does not demand it, a refused identity is said, and the visitor goes on as nobody in particular', webDesk(STAFF, async (d, url) => {
    await d.comes('anna')
    const bad = await token(d, 'alice', { seconds: -10 })
    await using shop = await site(() => shopHtml(url, ` data-identity="${bad}"`))
    await set(d, { sites: { shop: { origins: [shop.origin], keys: { first: { alg: 'HS256', secret: SECRET } } } } })
    await using c = await Customer.at(chromium.context, shop.url)
    await c.anew.click()
    await c.told('you chat without being signed in')
    await c.name.fill('Zoe')
    await c.message.fill('Hello')
    await c.send.click()
    await c.keeps('Hello')
    assert.equal((await d.rest('GET', '/api/v1/conversations/1', 'boss')).body.customer.name, 'Zoe')
  }, PULL))

  it('SEC-W21 messages of other windows and frames change nothing, and the widget sends none', webDesk(STAFF, async (d, url) => {
    const anna = await d.comes('anna')
    await using c = await Customer.at(chromium.context, url)
    await c.page.evaluate(`window.sent = []; const post = window.postMessage; window.postMessage = function (...a) { window.sent.push(a); return post.apply(this, a) }`)
    await c.begins('Hello')
    anna.types(BOT, '!take 1')
    await c.told('Anna joined')
    const before = await c.lines()
    const stored = await c.page.evaluate('JSON.stringify(localStorage)')
    await c.page.evaluate(`for (const m of [{ type: 'welcome', token: 'x'.repeat(43) }, { type: 'line', conversation: 1, seq: 99, who: 'agent', text: 'Forged' }, { type: 'conversation', conversation: { number: 1, state: 'closed', seq: 1, can: [] } }, { type: 'say', text: 'Forged' }, 'token', null])
      window.dispatchEvent(new MessageEvent('message', { data: m, origin: 'https://evil.example', source: window }))`)
    await c.says('And more')
    await c.keeps('And more')
    assert.deepEqual(await c.lines(), [...before, 'And more'])
    assert.deepEqual([await c.page.evaluate('JSON.stringify(localStorage)'), await c.page.evaluate('window.sent.length')], [stored, 0])
    assert.deepEqual(c.faults, [])
  }, PULL))
})
