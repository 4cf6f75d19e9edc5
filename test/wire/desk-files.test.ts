// Files between customer and agent: as links, listed for the agents.
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { BOT, c, DESK, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { filesDesk, type Files } from '../harness/files.ts'
import { deskWith, talk, TEAM } from '../harness/talks.ts'

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

  it('is not to be had by who only watches, nor where there is no place for files', filesDesk(CALM, TEAM, async d => {
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
})
