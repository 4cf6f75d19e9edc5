// The room view: the same conversation as a members-only room, beside colleagues who see it as a contact.
import assert from 'node:assert/strict'
import { BOT, c, DESK, desk, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'

const ROOM = `zoe-1@${DESK}`
const USER = 'http://jabber.org/protocol/muc#user'
const THREE = { anna: 'agent', ben: 'agent', cleo: 'agent' } as const

/** Zoe's conversation #1, served by Anna, who sees it as a room and is in it. */
async function room(d: DeskHouse): Promise<{ anna: Person; zoe: Person }> {
  const anna = await d.comes('anna')
  anna.types(BOT, '!view room')
  await anna.reads(BOT, /shown as rooms/)
  const zoe = await d.comes('zoe')
  zoe.types(SUPPORT, 'hello')
  await zoe.reads(SUPPORT, /People ahead/)
  await anna.reads(BOT, /New chat #1/)
  anna.types(BOT, '!a')
  await anna.actor.hears`<message from='${BOT}/desk'><x xmlns='jabber:x:conference' jid='${ROOM}'/></message>`
  await anna.reads(BOT, new RegExp(`room is ${ROOM}`))
  enters(anna)
  await anna.actor.hears`<presence from='${ROOM}/Anna'><x xmlns='${USER}'><item role='participant' affiliation='member'/><status code='110'/></x></presence>`
  await zoe.reads(SUPPORT, '✱ Anna joined.')
  return { anna, zoe }
}
const enters = (p: Person, nick = p.actor.name): void => p.actor.says(`<presence to='${ROOM}/${nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
const says = (p: Person, text: string, id = 'x'): void => p.actor.sends`<message type='groupchat' to='${ROOM}' id='${id}'><body>${text}</body><origin-id xmlns='urn:xmpp:sid:0' id='${id}'/></message>`

describe('a conversation as a room', () => {
  it('is entered by invitation, under the shown name, with what was said before', desk(THREE, async d => {
    const { anna } = await room(d)
    await anna.reads(ROOM, 'hello')
    const roster = await anna.actor.fence()
    assert.equal(roster.some(x => x.getChild('query')?.getChildren('item').some(i => i.attrs['jid'] === c(1)) === true), false)
  }))

  it('carries what both sides say, whole and once', desk(THREE, async d => {
    const { anna, zoe } = await room(d)
    says(anna, 'hi Zoe', 'one')
    await anna.actor.hears`<message type='groupchat' from='${ROOM}/Anna' id='one'><body>hi Zoe</body><origin-id xmlns='urn:xmpp:sid:0' id='one'/></message>`
    await zoe.reads(SUPPORT, 'hi Zoe')
    zoe.types(SUPPORT, 'I am here')
    await anna.actor.hears`<message type='groupchat' from='${ROOM}/Zoe'><body>I am here</body></message>`
    says(anna, 'hi Zoe', 'one')
    says(anna, 'last', 'two')
    await anna.actor.hears`<message from='${ROOM}/Anna' id='two'/>`
    assert.deepEqual(await zoe.all(), ['support: last'])
  }))

  it('runs commands and shows them to nobody else', desk(THREE, async d => {
    const { anna, zoe } = await room(d)
    says(anna, '!who')
    await anna.actor.hears`<message type='groupchat' from='${ROOM}/Anna'><body>!who</body></message>`
    await anna.reads(ROOM, /^✱ #1 Zoe/)
    says(anna, '!nonsense', 'y')
    await anna.reads(ROOM, /Unknown command/)
    await d.quiet()
    await zoe.readsNothing()
  }))

  it('RULE-C25 shows the customer no typing any more when a command came of it', desk(THREE, async d => {
    const { anna, zoe } = await room(d)
    for (const line of ['!who', '!nonsense']) {
      anna.actor.sends`<message type='groupchat' to='${ROOM}'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`
      await zoe.actor.hears`<message from='${SUPPORT}/desk'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`
      says(anna, line, line)
      await zoe.actor.hears`<message from='${SUPPORT}/desk'><paused xmlns='http://jabber.org/protocol/chatstates'/></message>`
    }
  }))

  it('works beside a colleague who sees it as a contact', desk(THREE, async d => {
    const { anna, zoe } = await room(d)
    const ben = await d.comes('ben')
    says(anna, '!i ben', 'i')
    await ben.reads(BOT, /Anna asks you into #1/)
    ben.types(BOT, '!join')
    await ben.reads(c(1), 'hello')
    await anna.actor.hears`<presence from='${ROOM}/Ben'/>`
    ben.types(c(1), 'Ben here')
    await anna.actor.hears`<message type='groupchat' from='${ROOM}/Ben'><body>Ben here</body></message>`
    await zoe.reads(SUPPORT, 'Ben: Ben here')
    says(anna, 'welcome', 'w')
    await ben.reads(c(1), 'Anna: welcome')
    await zoe.reads(SUPPORT, 'welcome')
  }))

  it('shows an observer as a visitor, and refuses his text to him alone', desk({ ...THREE, mia: 'manager' }, async d => {
    const { anna, zoe } = await room(d)
    const mia = await d.comes('mia')
    mia.types(BOT, '!view room')
    await mia.reads(BOT, /rooms/)
    mia.types(BOT, '!obs 1')
    await mia.actor.hears`<message><x xmlns='jabber:x:conference' jid='${ROOM}'/></message>`
    enters(mia)
    await mia.actor.hears`<presence from='${ROOM}/Mia'><x xmlns='${USER}'><item role='visitor'/><status code='110'/></x></presence>`
    await anna.actor.hears`<presence from='${ROOM}/Mia'><x xmlns='${USER}'><item role='visitor'/></x></presence>`
    says(mia, 'can you hear me?')
    await mia.reads(ROOM, /only watching/)
    says(mia, '!c be kind', 'c')
    await anna.actor.hears`<message type='groupchat' from='${ROOM}/Mia'><body>(coaching) be kind</body></message>`
    await d.quiet()
    await zoe.readsNothing()
    says(mia, '!join', 'j')
    await zoe.reads(SUPPORT, '✱ Mia joined.')
    await mia.actor.hears`<presence from='${ROOM}/Mia'><x xmlns='${USER}'><item role='participant'/></x></presence>`
  }))

  it('switches views at once, and the customer hears nothing of it', desk(THREE, async d => {
    const { anna, zoe } = await room(d)
    says(anna, '!view contact', 'v')
    await anna.actor.hears`<presence from='${ROOM}/Anna' type='unavailable'/>`
    await anna.reads(c(1), /shown here now/)
    anna.types(c(1), 'from the contact')
    await zoe.reads(SUPPORT, 'from the contact')
    anna.types(c(1), '!view room')
    await anna.actor.hears`<message><x xmlns='jabber:x:conference' jid='${ROOM}'/></message>`
    enters(anna)
    await anna.actor.hears`<presence from='${ROOM}/Anna'/>`
    says(anna, 'from the room', 'r')
    await zoe.reads(SUPPORT, 'from the room')
    await zoe.readsNothing()
  }))

  it('is nobody else’s, cannot be made by entering it, and ends with the conversation', desk(THREE, async d => {
    const { anna } = await room(d)
    const [cleo, eve] = [await d.comes('cleo'), await d.comes('eve')]
    for (const p of [cleo, eve]) {
      enters(p)
      await p.actor.hears`<presence type='error' from='${ROOM}/${p.actor.name}'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
    }
    anna.actor.says(`<presence to='alice-99@${DESK}/Anna'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
    await anna.actor.hears`<presence type='error' from='alice-99@${DESK}/Anna'><error><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
    says(anna, '!close', 'z')
    await anna.actor.hears`<presence from='${ROOM}/Anna' type='unavailable'><x xmlns='${USER}'><destroy/></x></presence>`
    enters(anna)
    await anna.actor.hears`<presence type='error' from='${ROOM}/anna'/>`
  }))

  it('opens again to who comes back after everything has fallen', desk(THREE, async d => {
    const { zoe } = await room(d)
    await d.restart()
    const anna = await d.comes('anna')
    await d.later(11)
    await anna.actor.hears`<message from='${BOT}/desk'><x xmlns='jabber:x:conference' jid='${ROOM}'/></message>`
    enters(anna)
    await anna.reads(ROOM, 'hello')
    says(anna, 'here again')
    await zoe.reads(SUPPORT, 'here again')
  }))

  it('SS-05 who leaves his room has two minutes to come back', desk(THREE, async d => {
    const { anna, zoe } = await room(d)
    anna.actor.says(`<presence to='${ROOM}/Anna' type='unavailable'/>`)
    await anna.actor.hears`<presence from='${ROOM}/Anna' type='unavailable'/>`
    await d.later(60)
    enters(anna)
    await anna.actor.hears`<presence from='${ROOM}/Anna'/>`
    await d.later(120)
    await zoe.readsNothing()
    anna.actor.says(`<presence to='${ROOM}/Anna' type='unavailable'/>`)
    await anna.actor.hears`<presence from='${ROOM}/Anna' type='unavailable'/>`
    await d.later(60)
    anna.actor.says('<presence><show>chat</show></presence>') // he is there, and his room is closed all the same
    await anna.actor.fence()
    await d.later(61)
    await zoe.reads(SUPPORT, /waiting for somebody/)
  }))
})
