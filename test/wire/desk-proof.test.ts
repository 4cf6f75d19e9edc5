// What visitors of pages prove before they are let in, where the settings ask for it.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'
import { BOT, config, type DeskHouse, type Person } from '../harness/desk.ts'
import { Work } from '../../components/helpdesk/intake/work.ts'
import { webDesk } from '../harness/web.ts'
import { HookSink, status } from '../unit/helpdesk/hook-sink.ts'
import { MailSink } from '../unit/helpdesk/mail-sink.ts'
import { newId, Page, post } from '../web/page.ts'
import { solve } from '../../web/widget/proof.ts'

const NOW = Date.parse('2026-11-20T10:00:00Z')
const STAFF = { anna: 'agent', boss: 'admin' } as const
const PULL = config({ support: { assign: 'pull' } }, { allow: ['127.0.0.0/8'] })
const SHOP = 'https://shop.example.org'
const SECRET = 'a secret of the shop, 32 bytes long or more'
const set = async (d: DeskHouse, body: unknown): Promise<void> => { const r = await d.rest('PATCH', '/api/v1/settings', 'boss', body); assert.equal(r.status, 200, JSON.stringify(r.body)); await d.quiet(); await d.later(1) }
const at = async (url: string, site = 'default', hello: object = {}): Promise<Page & { proof?: boolean | undefined }> => {
  const page = await Page.open(url, site === 'default' ? {} : { site, origin: SHOP })
  page.say({ type: 'hello', ...hello })
  return Object.assign(page, { proof: (await page.hears('welcome')).site?.proof })
}
const begin = (page: Page, proof?: string): string => { const id = newId(); page.say({ type: 'open', id, name: 'Zoe', text: 'Hello', ...(proof === undefined ? {} : { proof }) }); return id }
const reason = async (page: Page): Promise<string> => (await page.hears('refused')).reason
async function solved(page: Page): Promise<string> {
  page.say({ type: 'challenge' })
  const { kind, challenge = '', bits = 0 } = await page.hears('challenge')
  assert.equal(kind, 'work')
  return await solve(challenge, bits, new AbortController().signal) ?? ''
}
const readsNobody = async (anna: Person): Promise<void> => anna.readsNothing()

describe('proof before a conversation', () => {
  it('is not asked for unless the settings say so', webDesk(STAFF, async (d, url) => {
    await d.comes('anna')
    using page = await at(url)
    assert.equal(page.proof, undefined)
    page.say({ type: 'challenge' })
    assert.deepEqual(await page.hears('challenge'), { type: 'challenge', kind: 'none' })
    begin(page)
    await page.hears('said')
  }, PULL))

  it('SEC-W33 work that is missing, empty, wrong, another’s or shown before is refused, and nothing is begun; what was solved begins one conversation', webDesk(STAFF, async (d, url) => {
    const anna = await d.comes('anna')
    await set(d, { proof: { kind: 'work', difficulty: 8 } })
    using page = await at(url)
    using eve = await at(url)
    assert.equal(page.proof, true)
    const good = await solved(page)
    const near = [good.slice(0, -1), ...[...'0123456789'].map(x => good + x)].filter(x => createHash('sha256').update(x).digest()[0] !== 0).slice(0, 2) // that it happens to fit, too, is one in 256
    for (const proof of [undefined, '', 'nonsense', ...near]) { begin(page, proof); assert.equal(await reason(page), 'policy-violation', proof) }
    begin(eve, good)
    assert.equal(await reason(eve), 'policy-violation', 'it was asked of somebody else')
    await readsNobody(anna)
    const id = begin(page, good)
    const { conversation } = await page.hears('said')
    await anna.reads(BOT, /#1.*Zoe/)
    page.say({ type: 'open', id, name: 'Zoe', text: 'Hello', proof: good })
    assert.equal((await page.hears('said')).conversation, conversation, 'the same thing again is the same conversation')
    page.say({ type: 'end', conversation })
    await page.hears('conversation', m => m.conversation.state !== 'waiting')
    begin(page, good)
    assert.equal(await reason(page), 'policy-violation', 'shown before')
    begin(page, await solved(page))
    assert.equal((await page.hears('said', m => m.conversation !== conversation)).conversation, 2)
  }, PULL))

  it('SEC-W33 SEC-W12 a line to what is over begins nothing that could not be begun so: without proof, banned, or beyond an hour’s number', webDesk(STAFF, async (d, url) => {
    const anna = await d.comes('anna')
    using page = await at(url)
    let n = 0
    /** Over before anybody served it; then one more line to it. */
    const again = async (): Promise<void> => {
      page.say({ type: 'end', conversation: n })
      await page.hears('conversation', m => m.conversation.number === n && m.conversation.state === 'closed')
      await d.later(5)
      page.say({ type: 'say', id: newId(), conversation: n, text: 'and again' })
    }
    begin(page)
    n = (await page.hears('said')).conversation
    while (n < 10) { await again(); n = (await page.hears('said', m => m.conversation > n)).conversation }
    await again()
    assert.equal(await reason(page), 'resource-constraint', 'ten an hour')
    await d.later(3600)
    await set(d, { proof: { kind: 'work', difficulty: 8 } })
    page.say({ type: 'say', id: newId(), conversation: n, text: 'and again' })
    assert.equal(await reason(page), 'policy-violation')
    begin(page, await solved(page))
    n = (await page.hears('said')).conversation
    anna.types(BOT, `!take ${n}`)
    await page.hears('conversation', m => m.conversation.number === n && m.conversation.state === 'active')
    anna.types(BOT, `!close ${n}`)
    await page.hears('conversation', m => m.conversation.number === n && m.conversation.state === 'closed')
    page.say({ type: 'say', id: newId(), conversation: n, text: 'one thing more' })
    n = (await page.hears('said')).conversation // who was served proves nothing again
    assert.equal(n, 12)
    assert.equal((await d.rest('POST', '/api/v1/bans', 'boss', { address: '127.0.0.1', because: 'spam' })).status, 201)
    page.say({ type: 'say', id: newId(), conversation: n, text: 'ha' })
    assert.equal(await reason(page), 'forbidden')
  }, PULL))

  it('SEC-W33 SS-28 what a line to a closed one begins bears site, link and page of the visitor, so that what his site alone asks for holds however often he goes on', webDesk(STAFF, async (d, url) => {
    await d.comes('anna')
    await set(d, { sites: { shop: { origins: [SHOP] }, blog: { origins: [SHOP] } }, links: { footer: { title: 'Footer' } } })
    using first = await at(url, 'shop', { link: 'footer', page: `${SHOP}/one` })
    begin(first)
    let n = (await first.hears('said')).conversation
    const source = async (): Promise<unknown> => { await d.quiet(); const { body } = await d.rest('GET', `/api/v1/conversations/${n}/dossier`, 'boss'); return [body.source, (await d.rest('GET', `/api/v1/conversations/${n}`, 'boss')).body.customer.page] }
    assert.deepEqual(await source(), [{ site: 'shop', link: 'footer', page: `${SHOP}/one` }, `${SHOP}/one`])
    const ends = async (page: Page): Promise<void> => {
      page.say({ type: 'end', conversation: n })
      await page.hears('conversation', m => m.conversation.number === n && m.conversation.state === 'closed')
    }
    const goesOn = async (page: Page): Promise<void> => {
      await ends(page)
      page.say({ type: 'say', id: newId(), conversation: n, text: 'and again' })
      n = (await page.hears('said', m => m.conversation > n)).conversation
    }
    await goesOn(first)
    assert.deepEqual(await source(), [{ site: 'shop', link: 'footer', page: `${SHOP}/one` }, `${SHOP}/one`])
    await ends(first)
    using plain = await at(url, 'blog', { page: `${SHOP}/two` })
    begin(plain)
    n = (await plain.hears('said')).conversation
    await goesOn(plain)
    assert.deepEqual(await source(), [{ site: 'blog', page: `${SHOP}/two` }, `${SHOP}/two`])
    await goesOn(plain)
    await set(d, { sites: { blog: { proof: 'work' } }, proof: { difficulty: 8 } })
    await ends(plain)
    plain.say({ type: 'say', id: newId(), conversation: n, text: 'and again' })
    assert.equal(await reason(plain), 'policy-violation')
  }, PULL))

  it('SEC-W33 what was solved is over after ten minutes', webDesk(STAFF, async (d, url) => {
    await d.comes('anna')
    await set(d, { proof: { kind: 'work', difficulty: 8 } })
    using page = await at(url)
    const old = await solved(page)
    await d.later(601)
    begin(page, old)
    assert.equal(await reason(page), 'policy-violation')
    begin(page, await solved(page))
    await page.hears('said')
  }, PULL))

  it('SEC-W33 a challenge holds in the process that gave it alone: after a restart there is another', async () => {
    const [before, after] = [new Work(), new Work()]
    const solution = await solve(before.issue('v1@web.localhost', 8, NOW), 8, new AbortController().signal) ?? ''
    assert.deepEqual([after.believes(solution, 'v1@web.localhost', 8, NOW + 1), before.believes(solution, 'v1@web.localhost', 8, NOW + 1)], [false, true])
  })

  it('SEC-W33 a message for later needs it, too', async () => {
    const sink = new MailSink()
    const port = await sink.listen()
    try {
      await webDesk(STAFF, async (d, url) => {
        await set(d, { proof: { kind: 'work', difficulty: 8 }, offline: { operators: ['anna@localhost'] } })
        await d.rest('PATCH', '/api/v1/operators/anna@localhost', 'boss', { email: 'anna@example.org' })
        using page = await at(url)
        const leave = (proof?: string): void => page.say({ type: 'leave', id: newId(), name: 'Zoe', email: 'zoe@example.org', text: 'Call me', ...(proof === undefined ? {} : { proof }) })
        const good = await solved(page)
        for (const proof of [undefined, '', 'nonsense']) { leave(proof); assert.equal(await reason(page), 'policy-violation') }
        leave(good)
        await page.hears('done')
        leave(good)
        assert.equal(await reason(page), 'policy-violation')
        assert.equal((await sink.arrived(1)).length, 1)
      }, config(undefined, { mail: { host: '127.0.0.1', port, tls: 'none', from: 'desk@example.org', name: 'Desk' } }))()
    } finally { await sink.close() }
  })

  it('SEC-W33 over POST a lacking proof is 422, and what is no text at all', webDesk(STAFF, async (d, url) => {
    await d.comes('anna')
    await set(d, { proof: { kind: 'work', difficulty: 8 } })
    const { session } = await post(url, { message: { type: 'hello' } })
    const open = { type: 'open', id: newId(), name: 'Zoe', text: 'Hello' } as const
    assert.equal((await post(url, { session, message: open })).status, 422)
    for (const proof of [{ $ne: null }, ['x'], 1, true, 'a\u0000b']) assert.equal((await post(url, { session, message: { ...open, proof } })).status, 422)
  }, PULL))

  it('over POST each refusal has a status that says whose fault it is: a file where none are taken, an answer that was given before', webDesk(STAFF, async (d, url) => {
    const anna = await d.comes('anna')
    await set(d, { conversation: { survey: true } })
    const { session } = await post(url, { message: { type: 'hello' } })
    assert.equal((await post(url, { session, message: { type: 'open', id: newId(), name: 'Zoe', text: 'Hello' } })).status, 200)
    assert.equal((await post(url, { session, message: { type: 'file', id: newId(), conversation: 1, name: 'cat.png', size: 5, mime: 'image/png' } })).status, 403)
    anna.types(BOT, '!take 1')
    await anna.reads(BOT, /yours/)
    anna.types(BOT, '!end 1')
    await anna.reads(BOT, /has ended/)
    const rates = async (): Promise<number> => (await post(url, { session, message: { type: 'survey', conversation: 1, rating: 5 } })).status
    assert.deepEqual([await rates(), await rates()], [200, 409])
  }, PULL))

  it('SEC-W33 a captcha’s token is verified by its service, once; missing, empty, refused or shown before it is refused', async () => {
    const sink = new HookSink()
    const service = `http://127.0.0.1:${await sink.listen()}/siteverify`
    sink.always = (h, r) => { if (sink.answers.length > 0) return false; r.writeHead(200).end(JSON.stringify({ success: new URLSearchParams(h.body).get('response')?.startsWith('good') === true })); return true }
    try {
      await webDesk(STAFF, async (d, url) => {
        const anna = await d.comes('anna')
        await set(d, { proof: { kind: 'captcha', url: service, secret: 'of the desk', siteKey: 'public' } })
        using page = await at(url)
        page.say({ type: 'challenge' })
        assert.deepEqual(await page.hears('challenge'), { type: 'challenge', kind: 'captcha', key: 'public' })
        for (const proof of [undefined, '']) { begin(page, proof); assert.equal(await reason(page), 'policy-violation') }
        assert.equal(sink.heard.length, 0, 'nothing is asked about nothing')
        begin(page, 'bad')
        assert.equal(await reason(page), 'policy-violation')
        sink.answers.push(status(500))
        begin(page, 'good-1')
        assert.equal(await reason(page), 'service-unavailable', 'who cannot be checked is not let in')
        await readsNobody(anna)
        begin(page, 'good-1')
        const { conversation } = await page.hears('said')
        const asked = sink.heard.at(-1)
        assert.deepEqual([asked?.method, asked?.headers['content-type'], asked?.body], ['POST', 'application/x-www-form-urlencoded', 'secret=of+the+desk&response=good-1'])
        page.say({ type: 'end', conversation })
        await page.hears('conversation', m => m.conversation.state !== 'waiting')
        const before = sink.heard.length
        begin(page, 'good-1')
        assert.equal(await reason(page), 'policy-violation', 'shown before')
        assert.equal(sink.heard.length, before)
        const { body } = await d.rest('GET', '/api/v1/settings', 'boss')
        assert.ok(!JSON.stringify(body.settings).includes('of the desk'))
      }, PULL)()
    } finally { await sink.close() }
  })

  it('a site says otherwise than its brand, a brand otherwise than the desk; whom the site has signed proves nothing', webDesk(STAFF, async (d, url) => {
    await d.comes('anna')
    const site = (more: object): object => ({ origins: [SHOP], ...more })
    await set(d, { proof: { difficulty: 8 }, sites: { shop: site({ keys: { first: { alg: 'HS256', secret: SECRET } } }), blog: site({ proof: 'none' }), news: site({ proof: 'work' }) }, brands: { acme: { sites: ['shop', 'blog'], proof: 'work' } } })
    for (const [name, asks] of [['default', undefined], ['shop', true], ['blog', undefined], ['news', true]] as const) { using page = await at(url, name); assert.equal(page.proof, asks, name) }
    using shop = await at(url, 'shop')
    begin(shop)
    assert.equal(await reason(shop), 'policy-violation')
    const identity = await new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg: 'HS256' }).setAudience('shop').setExpirationTime(Math.floor(d.house.clock.now() / 1000) + 600).sign(new TextEncoder().encode(SECRET))
    using alice = await at(url, 'shop', { identity })
    alice.say({ type: 'challenge' })
    assert.equal((await alice.hears('challenge')).kind, 'none')
    begin(alice)
    await alice.hears('said')
  }, PULL))

  it('settings that ask for a captcha without a service are refused', webDesk(STAFF, async d => {
    const { status, body } = await d.rest('PATCH', '/api/v1/settings', 'boss', { proof: { kind: 'captcha' } })
    assert.deepEqual([status, body.errors.map((e: { pointer: string }) => e.pointer)], [422, ['/proof/url', '/proof/secret']])
  }))

  it('a site may ask that everybody is signed: others are refused, and the page is told', webDesk(STAFF, async (d, url) => {
    await d.comes('anna')
    await set(d, { sites: { shop: { origins: [SHOP], requires: 'registered', keys: { first: { alg: 'HS256', secret: SECRET } } } } })
    using nobody = await Page.open(url, { site: 'shop', origin: SHOP })
    nobody.say({ type: 'hello' })
    assert.equal((await nobody.hears('welcome')).site?.identity, true)
    begin(nobody)
    assert.equal(await reason(nobody), 'forbidden')
    using other = await at(url)
    begin(other)
    await other.hears('said')
  }, PULL))
})
