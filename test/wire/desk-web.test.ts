// Pages, the web bridge and the desk together: sites, signed identities, forms, messages left.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import { BOT, config, type DeskHouse } from '../harness/desk.ts'
import { webDesk } from '../harness/web.ts'
import { newId, Page } from '../web/page.ts'

const STAFF = { anna: 'agent', ben: 'agent', boss: 'admin' } as const
const set = async (d: DeskHouse, body: unknown): Promise<void> => { const r = await d.rest('PATCH', '/api/v1/settings', 'boss', body); assert.equal(r.status, 200, JSON.stringify(r.body)); await d.quiet() }
const SECRET = 'a secret of the shop, 32 bytes long or more'
const OTHER = 'another secret, of the blog, 32 bytes and more'
const SHOP = 'https://shop.example.org'
const SITES = { shop: { origins: [SHOP], keys: { first: { alg: 'HS256', secret: SECRET } } }, blog: { origins: ['https://blog.example.org'], keys: { first: { alg: 'HS256', secret: OTHER } } } }
const PULL = config({ support: { assign: 'pull' } })

const signed = (d: DeskHouse, claims: Record<string, unknown>, { secret = SECRET, audience = 'shop', seconds = 600 } = {}): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setAudience(audience).setExpirationTime(Math.floor(d.house.clock.now() / 1000) + seconds).sign(new TextEncoder().encode(secret))


describe('the sites of a desk', () => {
  it('SEC-W01 SEC-W22 a site’s key serves from its own origins only; an unknown or missing key and another site’s origin are refused', webDesk(STAFF, async (d, url) => {
    await set(d, { sites: SITES })
    for (const [site, origin] of [['shop', 'https://evil.example'], ['shop', 'https://blog.example.org'], ['nope', SHOP], ['', SHOP], ['default', SHOP], ['shop', '']] as const) await assert.rejects(Page.open(url, { site, origin }), /403/, `${site} ${origin}`)
    using page = await Page.open(url, { site: 'shop', origin: SHOP })
    page.say({ type: 'hello' })
    assert.equal((await page.hears('welcome')).open, false)
    await set(d, { sites: { shop: null } })
    await assert.rejects(Page.open(url, { site: 'shop', origin: SHOP }), /403/)
  }))

  it('ST-23 ST-71 a page that comes right after the first agent is told so, and one that comes right after the last left as well', webDesk(STAFF, async (d, url) => {
    const open = async (): Promise<boolean> => {
      using page = await Page.open(url)
      page.say({ type: 'hello' })
      return (await page.hears('welcome')).open
    }
    assert.equal(await open(), false)
    const anna = await d.comes('anna')
    await d.house.clock.advance(300)
    assert.equal(await open(), true)
    anna.types(BOT, '!off')
    await d.quiet()
    await d.house.clock.advance(300)
    assert.equal(await open(), false)
  }))

  it('SS-27 SS-30 the page is told how often to look again, whether somebody is there, and what its form asks', webDesk(STAFF, async (d, url) => {
    await d.comes('anna')
    await set(d, { sites: SITES, fields: { order: { label: 'Order', ask: true, required: true } }, links: { footer: { title: 'Footer', refresh: 45 } } })
    using plain = await Page.open(url, { site: 'shop', origin: SHOP })
    plain.say({ type: 'hello' })
    const { site, open } = await plain.hears('welcome')
    assert.deepEqual([open, site?.refresh, site?.fields], [true, 30, [{ id: 'order', label: 'Order', kind: 'text', required: true }]])
    using linked = await Page.open(url, { site: 'shop', origin: SHOP })
    linked.say({ type: 'hello', link: 'footer' })
    assert.equal((await linked.hears('welcome')).site?.refresh, 45)
    plain.say({ type: 'open', id: newId(), name: 'Zoe', text: 'Hi' })
    assert.match((await plain.hears('refused')).text, /Order/)
    plain.say({ type: 'open', id: newId(), name: 'Zoe', text: 'Hi', fields: { order: 'A-7' } })
    const { conversation } = await plain.hears('said')
    assert.equal((await d.rest('GET', `/api/v1/conversations/${conversation}/dossier`, 'boss')).body.fields.order.value, 'A-7')
    assert.deepEqual((await d.rest('GET', `/api/v1/conversations/${conversation}/dossier`, 'boss')).body.source, { site: 'shop' })
  }, PULL))

  it('ST-74 who waits reads his place, the estimate and the text of the settings, pushed when they change', webDesk(STAFF, async (d, url) => {
    const anna = await d.comes('anna')
    await set(d, { queues: { support: { queueText: 'Please hold: {ahead} before you.' } } })
    const pages = [(await Page.hello(url)).page, (await Page.hello(url)).page]
    try {
      for (const p of pages) await p.begin()
      assert.equal((await pages[1]!.hears('conversation', m => m.conversation.position === 1)).conversation.text, 'Please hold: 1 before you.')
      anna.types(BOT, '!take 1')
      assert.equal((await pages[1]!.hears('conversation', m => m.conversation.position === 0)).conversation.text, 'Please hold: 0 before you.')
    } finally { for (const p of pages) p[Symbol.dispose]() }
  }, PULL))
})

describe('who the site says one is', () => {
  it('SEC-W05 a token with the wrong key, of another site, over, without an end, unsigned, or shown by a second visitor is refused, always in the same words', webDesk(STAFF, async (d, url) => {
    await set(d, { sites: SITES })
    const { privateKey } = generateKeyPairSync('ed25519')
    const now = Math.floor(d.house.clock.now() / 1000)
    const none = (claims: object): string => [{ alg: 'none' }, claims].map(x => Buffer.from(JSON.stringify(x)).toString('base64url')).join('.') + '.'
    const bad = [
      await signed(d, { sub: 'alice' }, { secret: OTHER }), await signed(d, { sub: 'alice' }, { audience: 'blog' }), await signed(d, { sub: 'alice' }, { audience: 'blog', secret: OTHER }),
      await signed(d, { sub: 'alice' }, { seconds: -1 }), await new SignJWT({ sub: 'alice', aud: 'shop' }).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(SECRET)),
      none({ sub: 'alice', aud: 'shop', exp: now + 600 }), await new SignJWT({ sub: 'alice', aud: 'shop', exp: now + 600 }).setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey), 'nonsense',
    ]
    const answers = new Set<string>()
    for (const identity of bad) {
      using page = await Page.open(url, { site: 'shop', origin: SHOP })
      page.say({ type: 'hello', identity })
      const { reason, text } = await page.hears('refused')
      answers.add(`${reason} ${text}`)
    }
    const good = await signed(d, { sub: 'alice' })
    using first = await Page.open(url, { site: 'shop', origin: SHOP })
    first.say({ type: 'hello', identity: good })
    await first.hears('welcome')
    using thief = await Page.open(url, { site: 'shop', origin: SHOP })
    thief.say({ type: 'hello', identity: good })
    const { reason, text } = await thief.hears('refused')
    answers.add(`${reason} ${text}`)
    assert.deepEqual([...answers], ['not-authorized Who you are could not be verified.'])
  }))

  it('SEC-W04 whoever only says that he is Alice is another customer: nothing of hers is shown or added; signed, she is the same on every browser', webDesk(STAFF, async (d, url) => {
    await d.comes('anna')
    await set(d, { sites: SITES })
    const open = async (hello: object): Promise<{ page: Page; welcome: Awaited<ReturnType<Page['hears']>> & { conversation?: { number: number }; name?: string; token?: string } }> => {
      const page = await Page.open(url, { site: 'shop', origin: SHOP })
      page.say({ type: 'hello', ...hello })
      return { page, welcome: await page.hears('welcome') as never } // just that
    }
    const claims = { sub: 'alice', name: 'Alice Smith', email: 'alice@example.org' }
    const desktop = await open({ identity: await signed(d, { ...claims, jti: 'one' }) })
    using _1 = desktop.page
    assert.equal(desktop.welcome.name, 'Alice Smith')
    assert.equal(await desktop.page.begin('My account number is 12', 'Somebody Else'), 1)
    const phone = await open({ identity: await signed(d, { ...claims, jti: 'two' }) })
    using _2 = phone.page
    assert.equal(phone.welcome.conversation?.number, 1)
    assert.equal((await phone.page.hears('line')).text, 'My account number is 12')
    const liar = await open({})
    using _3 = liar.page
    assert.equal(liar.welcome.conversation, undefined)
    assert.equal(await liar.page.begin('I am Alice', 'Alice Smith'), 2)
    const { body } = await d.rest('GET', '/api/v1/conversations/1', 'boss')
    assert.equal(body.customer.name, 'Alice Smith')
    assert.notEqual((await d.rest('GET', '/api/v1/conversations/2', 'boss')).body.customer.jid, body.customer.jid)
  }, PULL))

  it('SS-01 RULE-C24 where only registered users may chat, a signed visitor may and an unsigned one is refused before his name is looked at', webDesk(STAFF, async (d, url) => {
    await d.comes('anna')
    await set(d, { sites: SITES, system: { requires: 'registered' } })
    using stranger = await Page.open(url, { site: 'shop', origin: SHOP })
    stranger.say({ type: 'hello' })
    await stranger.hears('welcome')
    for (const name of ['', 'x']) {
      stranger.say({ type: 'open', id: newId(), name, text: 'Hi' })
      assert.equal((await stranger.hears('refused')).reason, 'forbidden')
    }
    using known = await Page.open(url, { site: 'shop', origin: SHOP })
    known.say({ type: 'hello', identity: await signed(d, { sub: 'bob', name: 'Bob' }) })
    await known.hears('welcome')
    assert.equal(await known.begin('Hi', 'Bob'), 1)
  }, PULL))
})

