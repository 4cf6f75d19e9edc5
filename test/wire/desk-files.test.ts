// Files between customer and agent: as links, listed for the agents.
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { BOT, c, config, DESK, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { begins, inside, refusal, sends as inDesk, site, type Attrs } from '../harness/bridge.ts'
import { filesDesk, type Files } from '../harness/files.ts'
import { BOTH, deskWith, talk, TEAM } from '../harness/talks.ts'

const CALM = { quality: { idleWarning: 0, idleCritical: 0 } }
const [PDF, PHOTO] = ['https://up.example.org/x/offer%20one.pdf', 'https://up.example.org/y/fire.jpg']
let ids = 0
const sends = (p: Person, to: string, url: string): void => p.actor.sends`<message type='chat' to='${to}' id='f${++ids}'><body>${url}</body><x xmlns='jabber:x:oob'><url>${url}</url></x></message>`
const files = async (d: DeskHouse) => { await d.quiet(); return (await d.rest('GET', '/api/v1/conversations/1/dossier', 'mia')).body.files.map((f: { name: string; by: string }) => [f.name, f.by]) }

describe('files', () => {
  it('ST-47 ST-55 go from agent to customer as a link, and back; both stand in the list', deskWith({ ...CALM, conversation: { customerFiles: true } }, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    sends(anna, c(1), PDF)
    await zoe.reads(SUPPORT, PDF)
    sends(zoe, SUPPORT, PHOTO)
    await anna.reads(c(1), PHOTO)
    anna.types(c(1), 'see https://example.org/page')
    await zoe.reads(SUPPORT, /see/)
    assert.deepEqual(await files(d), [['offer one.pdf', 'anna@localhost'], ['fire.jpg', 'customer']])
  }))
  it('ST-47 clients are told that it is a file, as a contact and as a room, and in the room’s archive; a link that nobody called a file is none', deskWith({ ...CALM, conversation: { customerFiles: true } }, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    const oob = (url: string): string => `<x xmlns='jabber:x:oob'><url>${url}</url></x>`
    const isFile = (x: Xml): boolean => x.getChild('x', 'jabber:x:oob')?.getChildText('url') === x.getChildText('body')
    sends(anna, c(1), PDF)
    assert.ok(isFile((await zoe.reads(SUPPORT, PDF)).stanza))
    sends(zoe, SUPPORT, PHOTO)
    assert.ok(isFile((await anna.reads(c(1), PHOTO)).stanza))
    zoe.types(SUPPORT, PHOTO)
    const plain = (await anna.reads(c(1), PHOTO)).stanza
    assert.equal(plain.getChild('x', 'jabber:x:oob'), undefined)
    anna.types(BOT, '!view room')
    await anna.reads(BOT, /shown as rooms/)
    await d.quiet()
    const room = `zoe-1@${DESK}`
    anna.actor.sends`<presence to='${room}/Anna'><x xmlns='http://jabber.org/protocol/muc'/></presence>`
    await anna.actor.hears`<message type='groupchat' from='${room}/Zoe'><body>${PHOTO}</body><x xmlns='jabber:x:oob'><url>${PHOTO}</url></x></message>`
    await anna.all()
    anna.actor.says(`<message type='groupchat' to='${room}' id='g'><body>${PDF}</body>${oob(PDF)}</message>`)
    const echo = await anna.actor.hears`<message type='groupchat' from='${room}/Anna' id='g'/>`
    assert.equal(echo.getChildren('x', 'jabber:x:oob').length, 1)
    assert.ok(isFile((await zoe.reads(SUPPORT, PDF)).stanza))
    sends(zoe, SUPPORT, PHOTO)
    await anna.actor.hears`<message type='groupchat' from='${room}/Zoe'><body>${PHOTO}</body><x xmlns='jabber:x:oob'><url>${PHOTO}</url></x></message>`
    const { lines } = (await d.rest('GET', '/api/v1/conversations/1/lines', 'anna')).body
    assert.deepEqual(lines.filter((l: { file?: object }) => l.file).map((l: { text: string; file: { name: string; url: string } }) => [l.file.name, l.file.url === l.text]), [['offer one.pdf', true], ['fire.jpg', true], ['offer one.pdf', true], ['fire.jpg', true]])
  }))
  it('SEC-F03 a file is called by plain signs alone, whatever its address hides', deskWith({ ...CALM, conversation: { customerFiles: true } }, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    for (const [last, name] of [['%E2%80%AEgpj.exe', 'gpj.exe'], ['..%2F..%2Fetc%2Fpasswd', 'passwd'], ['a%0D%0Ab%00.png', 'ab.png'], ['%E2%80%AE', 'file'], ['%zz.png', '%zz.png']] as const) {
      const url = `https://files.example.org/${last}`
      sends(zoe, SUPPORT, url)
      await anna.reads(c(1), url)
      assert.equal((await d.rest('GET', '/api/v1/conversations/1/lines', 'anna')).body.lines.at(-1).file.name, name)
    }
  }))
  it('SS-08 a customer’s file is refused unless the settings let customers send them', deskWith(CALM, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    sends(zoe, SUPPORT, PHOTO)
    await zoe.reads(SUPPORT, /Files are not taken here/)
    await anna.readsNothing()
    assert.deepEqual(await files(d), [])
  }))
})

describe('a file of an agent whose client cannot upload', () => {
  interface Answer { status: number; body: any } // JSON of any shape
  const post = async (f: Files, what: string, body: object): Promise<Answer> => { const r = await fetch(`${f.url}/file/${what}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }); return { status: r.status, body: await r.json() } }
  const linkIn = (text: string): string => /\/file\/#(\S+)/.exec(text)?.[1] ?? ''
  const asks = async (p: Person): Promise<string> => { p.types(c(1), '!file'); return linkIn((await p.reads(c(1), /Upload a file/)).text) }
  const CAT = { name: 'cat.png', size: 5, type: 'image/png' }
  /** All the page does. */
  const hands = async (f: Files, link: string, file = CAT): Promise<Answer> => {
    const slot = await post(f, 'slot', { link, ...file })
    assert.equal(slot.status, 200, JSON.stringify(slot.body))
    assert.equal(await f.put(slot.body.put, 'x'.repeat(file.size), file.type), 201)
    return post(f, 'done', { link, file: slot.body.file })
  }

  it('ST-47 goes by a link that !file gives, to the customer in the agent’s name, and stands in the list', filesDesk(CALM, TEAM, async (d, f) => {
    const { anna, zoe } = await talk(d)
    const link = await asks(anna)
    assert.deepEqual(await zoe.all(), [])
    const about = await post(f, 'about', { link })
    assert.deepEqual([about.status, about.body.conversation, about.body.customer, about.body.agent], [200, 1, 'Zoe', 'Anna'])
    assert.equal((await hands(f, link)).status, 200)
    const { text, stanza } = await zoe.reads(SUPPORT, /cat\.png$/)
    assert.equal(stanza.getChild('x', 'jabber:x:oob')?.getChildText('url'), text)
    assert.equal((await fetch(text)).status, 200)
    assert.deepEqual(await files(d), [['cat.png', 'anna@localhost']])
    const line = (await d.rest('GET', '/api/v1/conversations/1/lines', 'anna')).body.lines.find((l: { file?: object }) => l.file)
    assert.deepEqual([line.name, line.by, line.file], ['Anna', 'agent', { url: text, name: 'cat.png', size: 5, type: 'image/png' }])
  }))

  it('SEC-F02 SEC-W02 the link holds once, for a while, for that agent and that conversation; altered it opens nothing', filesDesk(CALM, TEAM, async (d, f) => {
    const { anna, zoe } = await talk(d)
    const link = await asks(anna)
    const [body = '', signature] = link.split('.')
    const other = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(body, 'base64url').toString()), n: 2 })).toString('base64url')
    for (const wrong of ['', 'x', `${body}.x`, `${other}.${signature}`, link.replace(/.$/, x => x === 'A' ? 'B' : 'A'), [link], 7]) for (const what of ['about', 'slot', 'done']) assert.equal((await post(f, what, { link: wrong, ...CAT })).status, 410, `${what} ${String(wrong)}`)
    const mine = await post(f, 'slot', { link, ...CAT })
    const second = await asks(anna)
    assert.equal((await post(f, 'done', { link, file: mine.body.file })).status, 409) // nothing was uploaded
    assert.equal((await post(f, 'done', { link: second, file: mine.body.file })).status, 422) // another link's file
    assert.equal((await post(f, 'done', { link, file: 'x' })).status, 422)
    assert.equal((await hands(f, link)).status, 200)
    await zoe.reads(SUPPORT, /cat\.png$/)
    for (const what of ['about', 'slot', 'done']) assert.equal((await post(f, what, { link, ...CAT, file: mine.body.file })).status, 410, what)
    await d.later(601)
    assert.equal((await post(f, 'about', { link: second })).status, 410)
    const third = await asks(anna)
    anna.types(c(1), '!t group:billing')
    await anna.reads(c(1), /waits in/)
    assert.equal((await post(f, 'slot', { link: third, ...CAT })).status, 403)
    assert.deepEqual(await zoe.all(), ['support: ✱ You are waiting for somebody to help you.', 'support: ✱ People ahead of you: 0'])
  }))

  it('SEC-F05 an address is one of a file without anybody’s word for it only where it is of our own storage', filesDesk({ ...CALM, conversation: { customerFiles: true } }, TEAM, async (d, f) => {
    const { anna, zoe } = await talk(d)
    const isFile = async (url: string): Promise<boolean> => { zoe.types(SUPPORT, url); return (await anna.reads(c(1), url)).stanza.getChild('x', 'jabber:x:oob') !== undefined }
    const place = `/upload/${'a'.repeat(24)}/cat.png`
    assert.deepEqual([await isFile(f.url + place), await isFile(`https://evil.example${place}`), await isFile(`${f.url}.evil.example${place}`), await isFile(`${f.url}/elsewhere${place}`)], [true, false, false, false])
    assert.equal((await d.rest('PATCH', '/api/v1/settings', 'adam', { conversation: { customerFiles: false } })).status, 200)
    assert.equal(await isFile(f.url + place), false)
  }))

  it('SEC-F01 SEC-F06 is not larger than an agent’s may be, and counts in the agent’s day', filesDesk(CALM, TEAM, async (d, f) => {
    const { anna } = await talk(d)
    const link = await asks(anna)
    const large = await post(f, 'slot', { link, ...CAT, size: d.house.host.limits.upload.agent + 1 })
    assert.equal(large.status, 409)
    assert.match(large.body.title, /at most 50 MiB/)
    for (const wrong of [{ size: 0 }, { size: -1 }, { size: 1.5 }, { size: '5' }, { name: '' }, { name: 7 }]) assert.equal((await post(f, 'slot', { link, ...CAT, ...wrong })).status, 422, JSON.stringify(wrong))
    const { limits } = d.house.host
    for (let left = limits.upload.agentDay; left >= limits.upload.agent; left -= limits.upload.agent) assert.equal((await post(f, 'slot', { link, ...CAT, size: limits.upload.agent })).status, 200)
    assert.match((await post(f, 'slot', { link, ...CAT, size: limits.upload.agent })).body.title, /enough for today/)
  }))

  it('has a small page of its own, which runs its own script alone', filesDesk(CALM, TEAM, async (_, f) => {
    for (const [path, type] of [['', 'text/html'], ['file.js', 'text/javascript'], ['file.css', 'text/css']] as const) {
      const r = await fetch(`${f.url}/file/${path}`)
      assert.equal(r.status, 200)
      assert.ok(r.headers.get('content-type')?.startsWith(type))
      assert.match(r.headers.get('content-security-policy') ?? '', /script-src 'self'.*frame-ancestors 'none'/)
      assert.equal(r.headers.get('referrer-policy'), 'no-referrer')
    }
  }))

  it('is not to be had by who only watches', filesDesk(CALM, TEAM, async d => {
    await talk(d)
    const mia = await d.comes('mia')
    mia.types(BOT, '!obs 1')
    await mia.reads(BOT, /watching/)
    mia.types(c(1), '!file')
    await mia.reads(c(1), /You do not speak in this conversation/)
    const { status, body } = await d.rest('POST', '/api/v1/conversations/1/commands/file', 'anna', {})
    assert.equal(status, 200)
    assert.ok(body.text.endsWith(body.link))
  }))

  it('is not to be had where nobody knows under which address browsers reach us', deskWith(CALM, TEAM, async d => {
    await d.url() // HTTP there is
    const { anna } = await talk(d)
    anna.types(c(1), '!file')
    await anna.reads(c(1), /There is no place for files here/)
  }, config(BOTH, { upload: { service: 'upload.localhost', base: () => undefined } })))
})

describe('a file of a customer on a web page', () => {
  const ON = { ...CALM, conversation: { customerFiles: true } }
  const CAT = { conversation: '1', name: 'cat.png', size: '5', type: 'image/png' }
  const wants = (p: Person, more: Attrs = {}): Promise<Xml> => inDesk(p, 'set', 'file', { ...CAT, ...more })
  const says = (p: Person, file: string, n = '1', id = `l${++ids}`): Promise<Xml> => inDesk(p, 'set', 'say', { conversation: n, id, file }, 'cat.png')
  const given = async (p: Person, more: Attrs = {}): Promise<{ put: string; file: string }> => { const { put, file } = inside(await wants(p, more), 'slot').attrs as Attrs; return { put: put ?? '', file: file ?? '' } }
  const refused = async (p: Person, more: Attrs = {}): Promise<string> => refusal(await wants(p, more)).condition
  async function chatting(d: DeskHouse): Promise<{ anna: Person; web: Person }> {
    const [anna, web] = [await d.comes('anna'), await d.comes('web')]
    await begins(web)
    anna.types(BOT, '!take 1')
    await anna.reads(c(1), 'hello')
    await d.quiet()
    await anna.all()
    return { anna, web }
  }

  it('ST-55 SS-08 is put where the desk says and handed over by a line; the agent gets the link, marked as a file', filesDesk(ON, TEAM, async (d, f) => {
    const { anna, web } = await chatting(d)
    const slot = await given(web)
    assert.equal(refusal(await says(web, slot.file)).text, 'The file did not arrive whole.')
    assert.equal(await f.put(slot.put, 'meow!', 'image/png'), 201)
    inside(await says(web, slot.file), 'said')
    const { text, stanza } = await anna.reads(c(1), /cat\.png$/)
    assert.equal(stanza.getChild('x', 'jabber:x:oob')?.getChildText('url'), text)
    const got = await fetch(text)
    assert.deepEqual([await got.text(), got.headers.get('content-disposition')?.startsWith('attachment'), got.headers.get('x-content-type-options')], ['meow!', true, 'nosniff'])
    const line = inside(await inDesk(web, 'get', 'lines', { conversation: '1', after: '0' }), 'lines').getChildren('line').find(l => l.attrs['file'])
    assert.deepEqual([line?.attrs['file'], line?.attrs['size'], line?.attrs['type'], line?.getText()], ['cat.png', '5', 'image/png', text])
    assert.deepEqual(await files(d), [['cat.png', 'customer']])
  }))

  it('SS-08 is refused unless the settings let customers send files, for the desk, a brand or a site; the form says so beforehand', filesDesk(CALM, TEAM, async d => {
    const { web } = await chatting(d)
    const set = async (body: object): Promise<void> => { assert.equal((await d.rest('PATCH', '/api/v1/settings', 'adam', body)).status, 200); await d.quiet() }
    const shown = async (key?: string): Promise<string> => (await site(web, key === undefined ? {} : { site: key })).attrs['files'] as string
    assert.deepEqual([await refused(web), await shown()], ['not-allowed', 'false'])
    await set({ sites: { shop: { customerFiles: 'on' }, blog: {} }, brands: { all: { sites: ['blog'] } } })
    assert.deepEqual([await shown(), await shown('shop'), await shown('blog')], ['false', 'true', 'false'])
    assert.equal(await refused(web), 'not-allowed')
    await given(web, { site: 'shop' })
    await set({ brands: { all: { customerFiles: 'on' } } })
    assert.deepEqual([await shown('blog'), await shown()], ['true', 'false'])
    await set({ conversation: { customerFiles: true }, sites: { shop: { customerFiles: 'off' } } })
    assert.deepEqual([await shown('shop'), await shown()], ['false', 'true'])
    assert.equal(await refused(web, { site: 'shop' }), 'not-allowed')
  }))

  it('SEC-F01 SEC-F06 is of a type and a size that are taken, and counts in the customer’s day', filesDesk(ON, TEAM, async d => {
    const { web } = await chatting(d)
    const { visitor, visitorDay } = d.house.host.limits.upload
    for (const type of ['text/html', 'image/', 'application/x-msdownload', 'application/javascript']) assert.equal(await refused(web, { type }), 'not-acceptable', type)
    assert.match(refusal(await wants(web, { size: String(visitor + 1) })).text, /at most 10 MiB/)
    for (const wrong of [{ size: '0' }, { size: '-5' }, { size: 'x' }, { name: '' }]) assert.equal(await refused(web, wrong), 'bad-request')
    for (let left = visitorDay; left >= visitor; left -= visitor) await given(web, { size: String(visitor) })
    assert.match(refusal(await wants(web)).text, /enough for today/)
  }))

  it('SEC-W02 SEC-F05 is the customer’s own and of one conversation: nobody else gets a place in it, nor can hand it over, nor can anything else be handed over', filesDesk(ON, TEAM, async (d, f) => {
    const { anna, web } = await chatting(d)
    const eve = await d.comes('eve')
    assert.equal(await refused(eve), 'item-not-found')
    await begins(eve)
    await d.quiet()
    const slot = await given(web)
    assert.equal(await f.put(slot.put, 'meow!', 'image/png'), 201)
    for (const [p, n, word] of [[eve, '1', slot.file], [eve, '2', slot.file], [web, '1', 'x'], [web, '1', slot.file.replace(/.$/, x => x === 'A' ? 'B' : 'A')], [web, '1', '']] as const) assert.equal(refusal(await says(p, word, n)).condition, 'item-not-found', `${p.actor.name} ${n} ${word}`)
    assert.ok((await anna.all()).every(t => !/cat\.png/.test(t)))
    anna.types(c(1), '!end')
    await anna.reads(c(1), /has ended/)
    assert.equal(await refused(web), 'not-acceptable')
  }))

  it('SEC-W27 goes with the customer who is erased, and with the conversation that is purged; others’ files stay', filesDesk({ ...ON, retention: { purgeAfter: 1 } }, TEAM, async (d, f) => {
    const { anna, web } = await chatting(d)
    const eve = await d.comes('eve')
    await begins(eve)
    anna.types(BOT, '!take 2')
    await anna.reads(BOT, /#2/)
    for (const [p, n] of [[web, '1'], [eve, '2']] as const) {
      const slot = await given(p, { conversation: n })
      await f.put(slot.put, 'meow!', 'image/png')
      inside(await says(p, slot.file, n), 'said')
    }
    const hers = (await anna.reads(c(2), /cat\.png$/)).text
    const his = (await anna.reads(c(1), /cat\.png$/)).text
    await d.quiet()
    inside(await inDesk(eve, 'set', 'say', { conversation: '2', id: `l${++ids}` }, his), 'said') // to name a file is not to own it
    await anna.reads(c(2), his)
    anna.types(c(2), '!close')
    await anna.reads(c(2), /closed/)
    await d.rest('DELETE', '/api/v1/conversations/2?confirm=true', 'mia')
    assert.equal((await fetch(hers)).status, 200)
    await d.later(2 * 86_400)
    assert.deepEqual([(await fetch(his)).status, (await fetch(hers)).status], [200, 404])
    const { body } = await d.rest('GET', '/api/v1/conversations/1/customer', 'mia')
    const erased = await d.rest('POST', `/api/v1/customers/${body.id}/erase`, 'adam', { confirm: body.id })
    assert.deepEqual([erased.status, erased.body.counts.files], [200, 1])
    assert.equal((await fetch(his)).status, 404)
  }))
})
