// Files between customer and agent: as links, listed for the agents.
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { BOT, c, DESK, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
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
