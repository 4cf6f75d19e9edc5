// Who belongs to a room, and what it tells a client that comes again or asks: XEP-0045 by its words, over the wire.
import assert from 'node:assert/strict'
import { muc } from '../../components/muc/muc.ts'
import { House, type Actor } from '../harness/scene.ts'

const ROOM = 'tea@rooms.localhost'
const MUC = 'http://jabber.org/protocol/muc'
const ADMIN = `${MUC}#admin`
const JOIN = `<x xmlns='${MUC}'/>`
const PRIVATE = { membersonly: '1', whois: 'anyone', persistentroom: '1' }

describe('rooms and those who belong to them', () => {
  let house: House
  beforeEach(async () => { house = await House.open({ components: { 'rooms.localhost': muc() } }) })
  afterEach(() => house[Symbol.asyncDispose]())
  const actor = (name: string): Promise<Actor> => house.actor(name, `${name}@localhost/home`)

  async function enters(a: Actor, nick: string): Promise<void> {
    a.says(`<presence to='${ROOM}/${nick}'>${JOIN}</presence>`)
    await a.hears`<message type='groupchat'><subject/></message>`
    await a.fence()
  }
  async function configures(a: Actor, fields: Record<string, string | undefined>): Promise<void> {
    const written = Object.entries(fields).map(([k, v]) => `<field var='muc#roomconfig_${k}'>${v === undefined ? '' : `<value>${v}</value>`}</field>`).join('')
    a.says(`<iq type='set' id='conf' to='${ROOM}'><query xmlns='${MUC}#owner'><x xmlns='jabber:x:data' type='submit'>${written}</x></query></iq>`)
    await a.hears`<iq type='result' id='conf'/>`
    await a.fence()
  }
  async function rules(a: Actor, item: string): Promise<void> {
    a.says(`<iq type='set' id='rule' to='${ROOM}'><query xmlns='${ADMIN}'>${item}</query></iq>`)
    await a.hears`<iq type='result' id='rule'/>`
    await a.fence()
  }
  /** The room with olga in it, as it shall be. */
  async function opened(fields: Record<string, string> = {}): Promise<Actor> {
    const olga = await actor('olga')
    await enters(olga, 'Olga')
    await configures(olga, fields)
    return olga
  }
  async function listed(a: Actor, affiliation: string): Promise<string[]> {
    a.says(`<iq type='get' id='list' to='${ROOM}'><query xmlns='${ADMIN}'><item affiliation='${affiliation}'/></query></iq>`)
    const answer = await a.hears`<iq id='list'/>`
    const query = answer.attrs['type'] === 'result' ? answer.getChild('query', ADMIN)! : undefined
    return query?.getChildren('item').map(i => String(i.attrs['jid'])) ?? [answer.getChild('error')!.getChildElements()[0]!.name]
  }
  async function registers(a: Actor, inside: string): Promise<void> {
    a.says(`<iq type='set' id='reg' to='${ROOM}'><query xmlns='jabber:iq:register'>${inside}</query></iq>`)
    await a.hears`<iq type='result' id='reg'/>`
  }
  const nickForm = (nick: string): string => `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${MUC}#register</value></field><field var='muc#register_roomnick'><value>${nick}</value></field></x>`

  it('XEP-0045 section 17.2: a client that joins again is told all that it was told, and the others hear of it only what is new', async () => {
    const olga = await opened()
    const anna = await actor('anna')
    await enters(anna, 'Anna')
    olga.sends`<message type='groupchat' to='${ROOM}' id='m1'><body>one</body></message>`
    await anna.hears`<message id='m1'/>`
    await olga.fence()
    anna.sends`<presence to='${ROOM}/Anna'>${''}<x xmlns='${MUC}'/></presence>`
    await anna.receives`<presence from='${ROOM}/Olga'/>`
    await anna.receives`<presence from='${ROOM}/Anna'><x xmlns='${MUC}#user'><status code='110'/></x></presence>`
    await anna.receives`<message type='groupchat' from='${ROOM}/Olga' id='m1'><body>one</body><delay xmlns='urn:xmpp:delay'/></message>`
    await anna.receives`<message type='groupchat'><subject/></message>`
    await olga.receivesNothing()
    anna.sends`<presence to='${ROOM}/Anna'>${''}<show>away</show><x xmlns='${MUC}'/></presence>`
    await anna.hears`<presence from='${ROOM}/Anna'><show>away</show></presence>`
    await olga.hears`<presence from='${ROOM}/Anna'><show>away</show></presence>`
  })

  it('XEP-0334 XEP-0313 section 6.1: what says something without a body is kept, what is marked as fleeting is not', async () => {
    const olga = await opened({ persistentroom: '1' })
    const lines: readonly (readonly [string, string])[] = [
      ['stored', `<subject>New thread</subject><thread>t1</thread><store xmlns='urn:xmpp:hints'/>`],
      ['reaction', `<reactions xmlns='urn:xmpp:reactions:0' id='m0'><reaction>👍</reaction></reactions>`],
      ['secret', `<encrypted xmlns='urn:xmpp:omemo:2'/>`],
      ['seen', `<displayed xmlns='urn:xmpp:chat-markers:0' id='m0'/><store xmlns='urn:xmpp:hints'/>`],
      ['fleeting', `<body>psst</body><no-permanent-store xmlns='urn:xmpp:hints'/>`],
      ['typing', `<composing xmlns='http://jabber.org/protocol/chatstates'/>`],
    ]
    for (const [id, inside] of lines) olga.says(`<message type='groupchat' to='${ROOM}' id='${id}'>${inside}</message>`)
    await olga.fence()
    const anna = await actor('anna')
    anna.says(`<presence to='${ROOM}/Anna'>${JOIN}</presence>`)
    await anna.hears`<presence from='${ROOM}/Anna'/>`
    const told = (await anna.fence()).filter(x => x.name === 'message' && x.getChild('delay')).map(x => x.attrs['id'])
    assert.deepEqual(told, ['stored', 'reaction', 'secret']) // marks would take the place of what was said
    anna.sends`<iq type='set' id='mam' to='${ROOM}'><query xmlns='urn:xmpp:mam:2'/></iq>`
    await anna.hears`<iq type='result' id='mam'/>`
    const found = (await anna.fence()).flatMap(x => x.getChild('result', 'urn:xmpp:mam:2')?.getChild('forwarded')?.getChild('message')?.attrs['id'] ?? [])
    assert.deepEqual(found, ['stored', 'reaction', 'secret', 'seen'])
  })

  it('SEC-U07 XEP-0045 sections 9.5, 10.5 and 10.8: members learn who else belongs to a room where addresses are no secret, strangers and visitors of other rooms do not', async () => {
    const olga = await opened(PRIVATE)
    const [mona, eve] = [await actor('mona'), await actor('eve')]
    await rules(olga, `<item affiliation='member' jid='mona@localhost'/><item affiliation='outcast' jid='bad@localhost'/>`)
    assert.deepEqual(await listed(mona, 'member'), ['mona@localhost']) // she is not even in
    assert.deepEqual(await listed(mona, 'owner'), ['olga@localhost'])
    assert.deepEqual(await listed(mona, 'admin'), [])
    assert.deepEqual(await listed(mona, 'outcast'), ['forbidden'])
    assert.deepEqual(await listed(eve, 'member'), ['forbidden'])
    await configures(olga, { whois: 'moderators' })
    for (const list of ['member', 'owner', 'admin', 'outcast']) assert.deepEqual(await listed(mona, list), ['forbidden'])
  })

  it('XEP-0045 section 9.5: who is made a member of a members-only room by somebody in it is invited', async () => {
    const olga = await opened({ membersonly: '1', roomsecret: 'pw' })
    const anna = await actor('anna')
    await anna.comesOnline()
    await rules(olga, `<item affiliation='member' jid='anna@localhost'/>`)
    await anna.receives`<message from='${ROOM}'><x xmlns='${MUC}#user'><invite from='olga@localhost'/><password>pw</password></x></message>`
    await rules(olga, `<item affiliation='admin' jid='anna@localhost'/>`)
    await rules(olga, `<item affiliation='member' jid='anna@localhost'/>`) // she belongs to it already
    await anna.receivesNothing()
    await configures(olga, { membersonly: '0' })
    await rules(olga, `<item affiliation='none' jid='anna@localhost'/>`)
    await rules(olga, `<item affiliation='member' jid='anna@localhost'/>`)
    await anna.receivesNothing()
  })

  it('XEP-0045 section 9.5: a reserved nick stays until it is another one, or taken away by an empty one; two do not have the same', async () => {
    const olga = await opened()
    const [mona, anna] = [await actor('mona'), await actor('anna')]
    const reserved = async (a: Actor): Promise<unknown> => {
      a.sends`<iq type='get' id='nick' to='${ROOM}'><query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/></iq>`
      return (await a.hears`<iq type='result' id='nick'/>`).getChild('query')!.getChild('identity')?.attrs['name']
    }
    await rules(olga, `<item affiliation='member' jid='mona@localhost' nick='Mona'/>`)
    await rules(olga, `<item affiliation='admin' jid='mona@localhost'/>`)
    assert.equal(await reserved(mona), 'Mona')
    olga.says(`<iq type='set' id='two' to='${ROOM}'><query xmlns='${ADMIN}'><item affiliation='member' jid='anna@localhost' nick='MONA'/></query></iq>`)
    await olga.hears`<iq type='error' id='two'><error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    await rules(olga, `<item affiliation='admin' jid='mona@localhost' nick=''/>`)
    assert.equal(await reserved(mona), undefined)
    await rules(olga, `<item affiliation='member' jid='anna@localhost' nick='Mona'/>`)
    assert.equal(await reserved(anna), 'Mona')
  })

  it('XEP-0045 section 7.10 with XEP-0077 section 3.2: who takes back his registration is no member any more, and out where only members are in', async () => {
    const olga = await opened()
    const [anna, mona] = [await actor('anna'), await actor('mona')]
    await registers(anna, nickForm('Anna'))
    await olga.hears`<message from='${ROOM}'><x xmlns='${MUC}#user'><item affiliation='member' jid='anna@localhost'/></x></message>`
    await registers(anna, '<remove/>')
    await olga.hears`<message from='${ROOM}'><x xmlns='${MUC}#user'><item affiliation='none' jid='anna@localhost'/></x></message>`
    await configures(olga, { membersonly: '1' })
    await rules(olga, `<item affiliation='member' jid='mona@localhost'/>`)
    await enters(mona, 'Mona')
    await registers(mona, '<remove/>')
    await mona.hears`<presence type='unavailable' from='${ROOM}/Mona'><x xmlns='${MUC}#user'><item affiliation='none' role='none'/><status code='110'/><status code='321'/></x></presence>`
    await olga.hears`<presence type='unavailable' from='${ROOM}/Mona'><x xmlns='${MUC}#user'><item affiliation='none'/><status code='321'/></x></presence>`
    await registers(olga, nickForm('Olga'))
    await registers(olga, '<remove/>') // an owner stays one
    assert.deepEqual(await listed(olga, 'owner'), ['olga@localhost'])
    for (const a of [olga, mona]) {
      a.says(`<iq type='set' id='again' to='${ROOM}'><query xmlns='jabber:iq:register'><remove/></query></iq>`)
      await a.hears`<iq type='error' id='again'/>`
    }
  })

  it('XEP-0045 section 10.1.3: a password that is emptied is gone', async () => {
    const olga = await opened({ roomsecret: 'pw' })
    const anna = await actor('anna')
    anna.says(`<presence to='${ROOM}/Anna'>${JOIN}</presence>`)
    await anna.receives`<presence type='error'><error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
    await configures(olga, { passwordprotectedroom: '1', roomsecret: undefined }) // a form that came back without what it hides
    anna.says(`<presence to='${ROOM}/Anna'>${JOIN}</presence>`)
    await anna.receives`<presence type='error'><error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
    await configures(olga, { roomsecret: undefined })
    await enters(anna, 'Anna')
  })

  it('XEP-0045 section 17.2: occupants are told by a probe how others are, who is not in is told that', async () => {
    const olga = await opened()
    const anna = await actor('anna')
    await enters(anna, 'Anna')
    await olga.fence()
    olga.sends`<presence type='probe' to='${ROOM}/Anna'/>`
    await olga.receives`<presence from='${ROOM}/Anna'><x xmlns='${MUC}#user'><item affiliation='none' role='participant' jid='anna@localhost/home'/></x></presence>`
    anna.sends`<presence type='probe' to='${ROOM}/Olga'/>`
    assert.doesNotMatch(String(await anna.receives`<presence from='${ROOM}/Olga'><x xmlns='${MUC}#user'><item affiliation='owner' role='moderator'/></x></presence>`), /olga@/)
    anna.sends`<presence type='probe' to='${ROOM}/Anna'/>`
    await anna.receives`<presence from='${ROOM}/Anna'><x xmlns='${MUC}#user'><status code='110'/></x></presence>`
    anna.sends`<presence type='probe' to='${ROOM}/Nobody'/>`
    await anna.receives`<presence type='error' from='${ROOM}/Nobody'><error><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
    const eve = await actor('eve')
    eve.sends`<presence type='probe' to='${ROOM}/Anna'/>`
    await eve.receives`<presence type='error' from='${ROOM}/Anna'><error><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
    await anna.receivesNothing()
  })

  it('XEP-0045 section 9.1: those who see whom an admin has banned who was not there see why', async () => {
    const olga = await opened()
    await rules(olga, `<item affiliation='member' jid='tom@localhost'/>`)
    olga.says(`<iq type='set' id='ban' to='${ROOM}'><query xmlns='${ADMIN}'><item affiliation='outcast' jid='tom@localhost'><reason>spam</reason></item></query></iq>`)
    await olga.hears`<message from='${ROOM}'><x xmlns='${MUC}#user'><item affiliation='outcast' jid='tom@localhost'><actor nick='Olga'/><reason>spam</reason></item></x></message>`
  })
})
