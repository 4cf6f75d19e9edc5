// What stock clients do at the desk beside talking: archives, corrections, several at once, things that are no text.
import assert from 'node:assert/strict'
import { BOT, c, DESK, desk, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { deskWith } from '../harness/talks.ts'

const STAFF = { anna: 'agent', ben: 'agent' } as const
const ROOM = `zoe-1@${DESK}`
const MAM = 'urn:xmpp:mam:2'

/** Zoe's conversation #1, served by Anna. */
async function talk(d: DeskHouse, before: (anna: Person) => Promise<void> = async () => {}): Promise<{ anna: Person; zoe: Person }> {
  const anna = await d.comes('anna')
  await before(anna)
  const zoe = await d.comes('zoe')
  zoe.types(SUPPORT, 'hello')
  await zoe.reads(SUPPORT, /People ahead/)
  await anna.reads(BOT, /New chat #1/)
  anna.types(BOT, '!a')
  await zoe.reads(SUPPORT, '✱ Anna joined.')
  return { anna, zoe }
}

describe('a conversation’s room for clients that keep an archive', () => {
  const asRoom = async (anna: Person): Promise<void> => { anna.types(BOT, '!view room'); await anna.reads(BOT, /shown as rooms/) }
  const enters = async (p: Person): Promise<void> => {
    p.actor.says(`<presence to='${ROOM}/x'><x xmlns='http://jabber.org/protocol/muc'><history maxchars='0'/></x></presence>`)
    await p.actor.hears`<message type='groupchat' from='${ROOM}/Helpdesk'><subject/></message>`
  }
  const asks = (p: Person, id: string, inside = ''): void => p.actor.says(`<iq type='set' to='${ROOM}' id='${id}'><query xmlns='${MAM}' queryid='${id}'>${inside}</query></iq>`)

  it('gives what was said before to who enters without history, under the ids of the lines that come live', desk(STAFF, async d => {
    const { anna, zoe } = await talk(d, asRoom)
    await enters(anna)
    anna.actor.says(`<iq type='get' to='${ROOM}' id='d'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`)
    await anna.actor.hears`<iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='${MAM}'/></query></iq>`
    anna.actor.says(`<message type='groupchat' to='${ROOM}' id='one'><body>hi Zoe</body></message>`)
    const live = await anna.actor.hears`<message type='groupchat' from='${ROOM}/Anna' id='one'/>`
    await zoe.reads(SUPPORT, 'hi Zoe')
    anna.actor.says(`<message type='groupchat' to='${ROOM}' id='two'><body>!who</body></message>`)
    await anna.reads(ROOM, /^✱ #1 Zoe/)

    asks(anna, 'q')
    const told: { readonly id: string; readonly line: string }[] = []
    for (;;) {
      const x = await anna.actor.next()
      if (x.name === 'iq' && x.attrs['id'] === 'q') { assert.equal(x.getChild('fin', MAM)?.attrs['complete'], 'true'); break }
      const result = x.getChild('result', MAM)
      const message = result?.getChild('forwarded', 'urn:xmpp:forward:0')?.getChild('message')
      if (result && message) told.push({ id: result.attrs['id'] ?? '', line: `${String(message.attrs['from']).split('/')[1]}: ${message.getChildText('body')}` })
    }
    assert.deepEqual(told.map(t => t.line).filter(l => !l.startsWith('Helpdesk')), ['Zoe: hello', 'Anna: hi Zoe'])
    assert.equal(told.at(-1)?.id, live.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs['id'])
    asks(anna, 's', `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='{urn:xmpp:fulltext:0}fulltext'><value>ZOE hi</value></field></x>`)
    await anna.actor.hears`<message><result xmlns='${MAM}' queryid='s'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>hi Zoe</body></message></forwarded></result></message>`
    assert.equal((await anna.actor.fence()).filter(x => x.getChild('result', MAM)).length, 0)
    asks(anna, 'r', `<set xmlns='http://jabber.org/protocol/rsm'><after>${told.at(-1)?.id}</after></set>`)
    await anna.actor.hears`<iq type='result' id='r'><fin xmlns='${MAM}' complete='true'/></iq>`
  }))

  it('is read by nobody outside the conversation', desk(STAFF, async d => {
    await talk(d, asRoom)
    const ben = await d.comes('ben')
    asks(ben, 'q')
    await ben.actor.hears`<iq type='error' id='q'><error><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
  }))

  it('is asked into once, also by who logged in a moment ago', desk(STAFF, async d => {
    const { anna } = await talk(d, asRoom)
    await anna.actor.hears`<message><x xmlns='jabber:x:conference' jid='${ROOM}'/></message>`
    await d.later(11)
    assert.equal((await anna.actor.fence()).filter(x => x.getChild('x', 'jabber:x:conference')).length, 0)
  }))

  it('tells by number who is put out of it, so that his client knows', desk(STAFF, async d => {
    const { anna, zoe } = await talk(d, asRoom)
    await enters(anna)
    const ben = await d.comes('ben')
    anna.actor.says(`<message type='groupchat' to='${ROOM}' id='t'><body>!t ben</body></message>`)
    await ben.reads(BOT, /transfer #1/)
    ben.types(BOT, '!a')
    await anna.actor.hears`<presence type='unavailable' from='${ROOM}/Anna'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none'><reason>The conversation goes on without you.</reason></item><status code='321'/><status code='110'/></x></presence>`
    await zoe.reads(SUPPORT, /Ben joined/)
  }))

  it('shows a command to its speaker under the id that his client gave', desk(STAFF, async d => {
    const { anna } = await talk(d, asRoom)
    await enters(anna)
    anna.actor.says(`<message type='groupchat' to='${ROOM}' id='w'><body>!who</body></message>`)
    await anna.actor.hears`<message type='groupchat' from='${ROOM}/Anna' id='w'><body>!who</body></message>`
  }))
})

describe('a correction (XEP-0308)', () => {
  const corrects = (p: Person, to: string, text: string, of: string, id: string, type = 'chat'): void =>
    p.actor.sends`<message type='${type}' to='${to}' id='${id}'><body>${text}</body><replace xmlns='urn:xmpp:message-correct:0' id='${of}'/></message>`

  it('of a line is one more line to the customer, but never a command', desk(STAFF, async d => {
    const { anna, zoe } = await talk(d)
    anna.types(c(1), 'step bakc', 'one')
    await zoe.reads(SUPPORT, 'step bakc')
    corrects(anna, c(1), 'step back', 'one', 'two')
    await zoe.reads(SUPPORT, 'step back')
    corrects(anna, c(1), '!end', 'one', 'three')
    await anna.reads(c(1), /Not done: what was sent cannot become a command/)
    anna.types(c(1), 'still here')
    await zoe.reads(SUPPORT, 'still here')
  }))

  it('of a command, known or not, coaching or note, never reaches the customer', desk(STAFF, async d => {
    const { anna, zoe } = await talk(d)
    anna.types(c(1), '!n he owes us money', 'note')
    anna.types(c(1), '!nonsense secret', 'nonsense')
    anna.types(c(1), '!c be careful', 'coach')
    for (const first of ['note', 'nonsense', 'coach', 'never-sent']) {
      corrects(anna, c(1), 'he owes us money', first, `${first}-2`)
      await anna.reads(c(1), /Not sent: what was a command cannot become text/)
    }
    await d.quiet()
    await zoe.readsNothing()
  }))

  it('of a mistyped command carries out what was meant; of one that was done, nothing', desk(STAFF, async d => {
    const { anna } = await talk(d)
    anna.types(c(1), '!hwo', 'one')
    await anna.reads(c(1), /Unknown command/)
    corrects(anna, c(1), '!who', 'one', 'two')
    await anna.reads(c(1), /served by Anna/)
    corrects(anna, c(1), '!end', 'two', 'three')
    await anna.reads(c(1), /Not done/)
  }))

  it('goes by the same rules in a room', desk(STAFF, async d => {
    const { anna, zoe } = await talk(d, async anna => { anna.types(BOT, '!view room'); await anna.reads(BOT, /shown as rooms/) })
    anna.actor.says(`<presence to='${ROOM}/x'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
    await anna.reads(ROOM, 'hello')
    anna.actor.says(`<message type='groupchat' to='${ROOM}' id='one'><body>!n he owes us money</body></message>`)
    corrects(anna, ROOM, 'he owes us money', 'one', 'two', 'groupchat')
    await anna.reads(ROOM, /Not sent: what was a command cannot become text/)
    await d.quiet()
    await zoe.readsNothing()
  }))
})

describe('what is no text', () => {
  const OMEMO = `<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted><encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl'/>`
  const says = (p: Person, to: string, inside: string): void => p.actor.says(`<message type='chat' to='${to}' id='${p.actor.name}-x'>${inside}</message>`)

  it('is told to be unreadable if it is encrypted, and does not go on: from customers and agents alike', desk(STAFF, async d => {
    const { anna, zoe } = await talk(d)
    await anna.reads(c(1), 'hello')
    for (const inside of [OMEMO, `<body>I sent you an OMEMO encrypted message</body>${OMEMO}`, `<body>This message is encrypted.</body><x xmlns='jabber:x:encrypted'>abc</x>`, '<body>?OTRv23?</body>', `<openpgp xmlns='urn:xmpp:openpgp:0'>abc</openpgp>`]) {
      says(zoe, SUPPORT, inside)
      await zoe.reads(SUPPORT, /cannot read encrypted/)
      says(anna, c(1), inside)
      await anna.reads(c(1), /cannot read encrypted/)
    }
    await d.quiet()
    assert.deepEqual([await anna.all(), await zoe.all()].map(all => all.filter(l => !l.includes('✱'))), [[], []])
  }))

  it('taking back a line (XEP-0424) is refused with words, to customers and agents alike: it stays in the record', desk(STAFF, async d => {
    const { anna, zoe } = await talk(d)
    await anna.reads(c(1), 'hello')
    anna.types(c(1), 'we owe you 100', 'owe')
    await zoe.reads(SUPPORT, 'we owe you 100')
    for (const [p, to, id] of [[anna, c(1), 'owe'], [zoe, SUPPORT, 'zoe-1']] as const) {
      for (const body of ['<body>/me took it back</body>', '']) {
        says(p, to, `<retract xmlns='urn:xmpp:message-retract:1' id='${id}'/>${body}`)
        await p.reads(to, /stays in the record/)
      }
    }
    await d.quiet()
    assert.deepEqual([await anna.all(), await zoe.all()].map(all => all.filter(l => !l.includes('✱'))), [[], []])
    anna.types(BOT, '!view room')
    await anna.reads(BOT, /shown as rooms/)
    anna.actor.says(`<presence to='${ROOM}/x'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
    const line = await anna.actor.hears`<message type='groupchat' from='${ROOM}/Anna'><body>we owe you 100</body></message>`
    await anna.actor.hears`<message type='groupchat' from='${ROOM}/Helpdesk'><subject/></message>`
    const kept = line.getChild('stanza-id', 'urn:xmpp:sid:0')!.attrs['id']
    anna.actor.says(`<message type='groupchat' to='${ROOM}' id='un'><retract xmlns='urn:xmpp:message-retract:1' id='${kept}'/></message>`)
    await anna.reads(ROOM, /stays in the record/)
    anna.actor.says(`<iq type='set' to='${ROOM}' id='mod'><moderate id='${kept}' xmlns='urn:xmpp:message-moderate:1'><retract xmlns='urn:xmpp:message-retract:1'/></moderate></iq>`)
    await anna.actor.hears`<iq type='error' id='mod'/>`
    anna.actor.says(`<iq type='set' to='${ROOM}' id='again'><query xmlns='${MAM}'/></iq>`)
    await anna.actor.hears`<message from='${ROOM}'><result xmlns='${MAM}'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>we owe you 100</body></message></forwarded></result></message>`
  }))

  it('receipts, markers and reactions are no lines, to neither side', desk(STAFF, async d => {
    const { anna, zoe } = await talk(d)
    await anna.reads(c(1), 'hello')
    for (const inside of [`<received xmlns='urn:xmpp:receipts' id='c1-1'/>`, `<displayed xmlns='urn:xmpp:chat-markers:0' id='c1-1'/>`, `<reactions xmlns='urn:xmpp:reactions:0' id='c1-1'><reaction>👍</reaction></reactions>`, `<attention xmlns='urn:xmpp:attention:0'/>`, '<body> </body>', '<subject>x</subject>']) {
      says(zoe, SUPPORT, inside)
      says(anna, c(1), inside)
    }
    await d.quiet()
    assert.deepEqual([await anna.all(), await zoe.all()].map(all => all.filter(l => !l.includes('✱'))), [[], []])
  }))

  it('a file’s address, where customers may send files, an emoji, an action, and formatted text go through as their text', deskWith({ conversation: { customerFiles: true } }, STAFF, async d => {
    const { anna, zoe } = await talk(d)
    const lines = ['https://files.example/a.png', '👩‍🚀 ok', '/me waves', 'plain *and* <b>not</b> bold']
    const more = [`<x xmlns='jabber:x:oob'><url>https://files.example/a.png</url></x>`, '', '', `<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><b>other</b></body></html>`]
    for (const [i, text] of lines.entries()) {
      const body = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
      zoe.actor.says(`<message type='chat' to='${SUPPORT}' id='z${i}'><body>${body}</body>${more[i]}</message>`)
      await anna.reads(c(1), text)
      anna.actor.says(`<message type='chat' to='${c(1)}' id='a${i}'><body>${body}</body>${more[i]}</message>`)
      await zoe.reads(SUPPORT, text)
    }
  }))
})

describe('one agent with several clients', () => {
  it('sees what the customer writes on all that want copies, and what was written on another', desk(STAFF, async d => {
    const { anna, zoe } = await talk(d)
    const phone = await d.house.actor('phone', 'anna@localhost/phone')
    await phone.comesOnline()
    phone.says(`<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>`)
    await phone.hears`<iq type='result' id='c'/>`
    anna.actor.says('<presence><priority>1</priority></presence>')
    await anna.actor.fence()
    zoe.types(SUPPORT, 'two of you?')
    await anna.reads(c(1), 'two of you?')
    await phone.hears`<message from='anna@localhost'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='${c(1)}/desk'><body>two of you?</body></message></forwarded></received></message>`
    anna.types(c(1), 'one')
    await phone.hears`<message from='anna@localhost'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' to='${c(1)}'><body>one</body></message></forwarded></sent></message>`
    phone.says(`<message type='chat' to='${c(1)}' id='p'><body>from the phone</body></message>`)
    await zoe.reads(SUPPORT, 'from the phone')
  }))

  it('who logs in anew finds the talk in the archive, and no old offer or invitation', desk(STAFF, async d => {
    const { anna, zoe } = await talk(d, async anna => { anna.types(BOT, '!view room'); await anna.reads(BOT, /shown as rooms/); anna.types(BOT, '!view contact'); await anna.reads(BOT, /contacts/) })
    zoe.types(SUPPORT, 'and now?')
    await anna.reads(c(1), 'and now?')
    await d.quiet()
    const phone = await d.house.actor('phone', 'anna@localhost/phone')
    await phone.comesOnline()
    phone.says(`<iq type='set' id='m'><query xmlns='urn:xmpp:mam:2'/></iq>`)
    const bodies: string[] = []
    for (;;) {
      const x = await phone.next()
      if (x.name === 'iq' && x.attrs['id'] === 'm') break
      const m = x.getChild('result', 'urn:xmpp:mam:2')?.getChild('forwarded', 'urn:xmpp:forward:0')?.getChild('message')
      if (m) { bodies.push(m.getChildText('body') ?? ''); assert.equal(m.getChild('x', 'jabber:x:conference'), undefined) }
    }
    assert.ok(bodies.includes('hello') && bodies.includes('and now?'), bodies.join('\n'))
    assert.deepEqual(bodies.filter(b => /New chat|the room is/.test(b)), [])
  }))
})

describe('the desk’s contacts', () => {
  it('come back if a client removes, renames or moves them', desk(STAFF, async d => {
    const { anna } = await talk(d)
    anna.actor.says(`<iq type='get' id='f'><query xmlns='jabber:iq:roster'/></iq>`)
    await anna.actor.hears`<iq type='result' id='f'/>`
    for (const jid of [BOT, c(1)]) {
      for (const item of [`<item jid='${jid}' subscription='remove'/>`, `<item jid='${jid}' name='X'><group>Mine</group></item>`]) {
        anna.actor.says(`<iq type='set' id='r'><query xmlns='jabber:iq:roster'>${item}</query></iq>`)
        await anna.actor.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${jid}' subscription='both'/></query></iq>`
      }
    }
    anna.actor.says(`<iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>`)
    await anna.actor.hears`<iq type='result' id='g'><query xmlns='jabber:iq:roster'><item jid='${BOT}' name='Helpdesk'><group>Helpdesk</group></item></query></iq>`
  }))
})
