// What two servers owe each other's people, played with whatever stock server stands on the other side.
import assert from 'node:assert/strict'
import { isAskedFor, items, NS as PUBSUB, publish, verOf } from '../harness/pubsub.ts'
import { Person } from '../harness/desk.ts'
import { freePorts } from '../harness/ports.ts'
import { Papers, Town, type Paper } from '../wire/s2s-houses.ts'
import type { Peer, PeerSetup } from './s2s-peer.ts'

export interface Kind {
  readonly domain: string
  readonly address: string
  /** Our domain: one that the peer can find. */
  readonly ours: string
  /** It finds our components as well. */
  readonly findsAll?: boolean
  /** It listens for TLS from the first byte. */
  readonly hasDirect?: boolean
  /** It dials so, too, where DNS says that it may. */
  readonly dialsDirect?: boolean
  /** Starts it; `again` with the same files. */
  start(setup: PeerSetup): Promise<Peer>
}

export interface Ways {
  /** Neither trusts the other's certificate, and both are content with dialback. */
  readonly dialback?: boolean
  /** We trust no certificate of theirs. */
  readonly mistrust?: boolean
  /** They trust no certificate of ours. */
  readonly mistrusted?: boolean
  /** We begin with TLS from the first byte, and so does the peer if it can be told to. */
  readonly direct?: boolean
  /** Our queue "support", as the config has it. */
  readonly support?: string
}

const TUNE = 'http://jabber.org/protocol/tune'
const JOIN = `<x xmlns='http://jabber.org/protocol/muc'/>`

/** A town of ours and a peer that know where the other is. */
export async function together(kind: Kind, papers: Papers, play: (us: Town, them: Peer, setup: PeerSetup) => Promise<void>, ways: Ways = {}): Promise<void> {
  const [us, port, c2s, direct] = (await freePorts(4)) as [number, number, number, number] // four were asked for
  const { domain, address, ours } = kind
  const mine = papers.make(ours), theirs = papers.make(domain), nobody = papers.make('nobody.test')
  const trusting = (yes: boolean, paper: Paper, name: string): string => papers.bundle(name, [nobody, ...(yes ? [paper] : [])])
  const ourCa = trusting(!ways.dialback && !ways.mistrust, theirs, 'ours.pem')
  const theirCa = trusting(!ways.dialback && !ways.mistrusted, mine, 'theirs.pem')
  const known: PeerSetup = { folder: papers.folder, domain, address, port, direct, c2s, paper: theirs, ca: theirCa, us, ours: [ours, `rooms.${ours}`, `help.${ours}`], strict: !ways.dialback }
  const place = ways.direct ? `"tls://${address}:${direct}"` : `"${address}:${port}"`
  await using town = await Town.open(ours, mine, `{ ca: ${ourCa}, dialback: ${ways.dialback ?? false}, targets: { ${domain}: ${place}, rooms.${domain}: ${place} } }`, '', us, undefined, ways.support)
  const setup: PeerSetup = { ...known, ...(ways.direct && { usDirect: town.tlsPort }) }
  await using peer = await kind.start(setup)
  await play(town, peer, setup)
}

/** The whole of it, as tests. */
export function federates(kind: Kind): void {
  const papers = new Papers()
  after(() => papers[Symbol.dispose]())
  const { domain, ours } = kind
  const THEM = domain, US = ours

  for (const dialback of [false, true]) {
    it(`carries messages both ways, in order and into the archive, proved by ${dialback ? 'dialback' : 'certificates'}`, () => together(kind, papers, async (us, them) => {
      const anna = await us.actor('anna'), paul = await them.actor('paul')
      await anna.comesOnline()
      await paul.comesOnline()
      for (let i = 0; i < 30; i++) anna.sends`<message to='paul@${THEM}' type='chat' id='${i}'><body>${i}</body></message>`
      for (let i = 0; i < 30; i++) await paul.hears`<message from='anna@${US}/x' id='${i}'><body>${i}</body></message>`
      for (let i = 0; i < 30; i++) paul.sends`<message to='anna@${US}' type='chat' id='p${i}'><body>${i}</body></message>`
      for (let i = 0; i < 30; i++) await anna.hears`<message from='paul@${THEM}/p' id='p${i}'><body>${i}</body></message>`
      anna.says(`<iq type='set' id='mam'><query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field><field var='with'><value>paul@${THEM}</value></field></x></query></iq>`)
      for (const [from, id] of [[`anna@${US}/x`, '29'], [`paul@${THEM}/p`, 'p29']]) {
        await anna.hears`<message><result xmlns='urn:xmpp:mam:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='${from}' id='${id}'/></forwarded></result></message>`
      }
      assert.ok(us.house.pairs!().some(p => p.remote === domain && p.state === 'open'), JSON.stringify(us.house.pairs!())) // federation is on
    }, { dialback }))
  }

  it('lets people subscribe, see each other come, change and go, and stop it', () => together(kind, papers, async (us, them) => {
    const anna = await us.actor('anna')
    let paul = await them.actor('paul')
    for (const a of [anna, paul]) { a.says(`<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>`); await a.hears`<iq type='result' id='roster'/>`; await a.comesOnline() }
    anna.sends`<presence type='subscribe' to='paul@${THEM}' id='s1'/>`
    await anna.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='paul@${THEM}' ask='subscribe'/></query></iq>`
    await paul.hears`<presence type='subscribe' from='anna@${US}'/>`
    paul.sends`<presence type='subscribed' to='anna@${US}'/>`
    await anna.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='paul@${THEM}' subscription='to'/></query></iq>`
    await anna.hears`<presence from='paul@${THEM}/p'/>`
    paul.sends`<presence type='subscribe' to='anna@${US}'/>`
    await anna.hears`<presence type='subscribe' from='paul@${THEM}'/>`
    anna.sends`<presence type='subscribed' to='paul@${THEM}'/>`
    await anna.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='paul@${THEM}' subscription='both'/></query></iq>`
    await paul.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='anna@${US}' subscription='both'/></query></iq>`
    await paul.hears`<presence from='anna@${US}/x'/>`
    anna.sends`<presence><show>dnd</show><status>busy</status></presence>`
    await paul.hears`<presence from='anna@${US}/x'><show>dnd</show><status>busy</status></presence>`
    paul.sends`<presence><show>away</show></presence>`
    await anna.hears`<presence from='paul@${THEM}/p'><show>away</show></presence>`
    paul.leaves()
    await anna.hears`<presence type='unavailable' from='paul@${THEM}/p'/>`
    paul = await them.actor('paul') // his server asks ours where she is
    paul.says(`<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>`)
    await paul.hears`<presence from='anna@${US}/x'><show>dnd</show></presence>`
    await anna.hears`<presence from='paul@${THEM}/p'/>`
    const later = await us.actor('anna') // and ours asks his; the same resource takes the first one's place
    later.says('<presence/>')
    await later.hears`<presence from='paul@${THEM}/p'/>`
    later.says(`<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>`)
    await later.hears`<iq type='result' id='roster'><query xmlns='jabber:iq:roster'><item jid='paul@${THEM}' subscription='both'/></query></iq>`
    paul.sends`<presence type='unsubscribed' to='anna@${US}'/>`
    await later.hears`<presence type='unavailable' from='paul@${THEM}/p'/>`
    await later.hears`<presence type='unsubscribed' from='paul@${THEM}'/>`
    await later.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='paul@${THEM}' subscription='from'/></query></iq>`
  }))

  it('carries what people publish to friends who are interested, both ways (XEP-0163)', () => together(kind, papers, async (us, them) => {
    const anna = await us.actor('anna'), paul = await them.actor('paul')
    for (const a of [anna, paul]) { a.says(`<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>`); await a.hears`<iq type='result' id='roster'/>`; await a.comesOnline() }
    anna.sends`<presence type='subscribe' to='paul@${THEM}'/>`
    await paul.hears`<presence type='subscribe' from='anna@${US}'/>`
    paul.sends`<presence type='subscribed' to='anna@${US}'/>`
    paul.sends`<presence type='subscribe' to='anna@${US}'/>`
    await anna.hears`<presence type='subscribe' from='paul@${THEM}'/>`
    anna.sends`<presence type='subscribed' to='paul@${THEM}'/>`
    await paul.hears`<presence from='anna@${US}/x'/>`
    publish(anna, TUNE, 'before', `<tune xmlns='${TUNE}'/>`)
    await anna.hears`<iq type='result' id='pub'/>`
    const both = [[anna, 'anna'], [paul, 'paul']] as const
    for (const [a, client] of both) a.sends`<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:${client}' ver='${verOf(client, TUNE)}'/></presence>`
    for (const [a, client] of both) for (const _ of ['their own server', 'the other']) await isAskedFor(a, verOf(client, TUNE), TUNE, `urn:${client}`, client)
    await paul.hears`<message from='anna@${US}'><event xmlns='${PUBSUB}#event'><items node='${TUNE}'><item id='before'/></items></event></message>`
    for (const [a, b] of [[anna, paul], [paul, anna]] as const) {
      publish(a, TUNE, `by-${a.name}`, `<tune xmlns='${TUNE}'><title>${a.name}</title></tune>`)
      for (const x of [a, b]) await x.hears`<message from='${a.bare}' to='${x}'><event xmlns='${PUBSUB}#event'><items node='${TUNE}'><item id='by-${a.name}'><tune xmlns='${TUNE}'><title>${a.name}</title></tune></item></items></event></message>`
      items(b, TUNE, a.bare)
      await b.hears`<iq type='result' id='items' from='${a.bare}'><pubsub xmlns='${PUBSUB}'><items node='${TUNE}'><item id='by-${a.name}'/></items></pubsub></iq>`
      publish(b, TUNE, 'forged', `<tune xmlns='${TUNE}'/>`, undefined, a.bare)
      await b.hears`<iq type='error' id='pub' from='${a.bare}'/>`
    }
  }))

  it('lets people refuse each other, and forget each other', () => together(kind, papers, async (us, them) => {
    const anna = await us.actor('anna'), paul = await them.actor('paul')
    for (const a of [anna, paul]) { a.says(`<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>`); await a.hears`<iq type='result' id='roster'/>`; await a.comesOnline() }
    anna.sends`<presence type='subscribe' to='paul@${THEM}'/>`
    await paul.hears`<presence type='subscribe' from='anna@${US}'/>`
    paul.sends`<presence type='unsubscribed' to='anna@${US}'/>`
    await anna.hears`<presence type='unsubscribed' from='paul@${THEM}'/>`
    await anna.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='paul@${THEM}' subscription='none'/></query></iq>`
    for (const [x, y] of [[anna, paul], [paul, anna]] as const) {
      x.sends`<presence type='subscribe' to='${y.bare}'/>`
      await y.hears`<presence type='subscribe' from='${x.bare}'/>`
      y.sends`<presence type='subscribed' to='${x.bare}'/>`
      await x.hears`<presence type='subscribed' from='${y.bare}'/>`
    }
    await paul.hears`<presence from='anna@${US}/x'/>`
    anna.sends`<iq type='set' id='rm'><query xmlns='jabber:iq:roster'><item jid='paul@${THEM}' subscription='remove'/></query></iq>`
    await anna.hears`<iq type='result' id='rm'/>`
    await paul.hears`<presence type='unavailable' from='anna@${US}/x'/>`
    await paul.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='anna@${US}' subscription='none'/></query></iq>`
    anna.sends`<presence><show>away</show></presence>`
    anna.sends`<iq type='get' id='fence' to='${THEM}'><ping xmlns='urn:xmpp:ping'/></iq>`
    await anna.hears`<iq type='result' id='fence' from='${THEM}'/>`
    assert.ok(!(await paul.fence()).some(x => x.is('presence') && String(x).includes('away')), 'nothing is shown to who was forgotten')
    anna.sends`<iq type='set' id='block'><block xmlns='urn:xmpp:blocking'><item jid='paul@${THEM}'/></block></iq>`
    await anna.hears`<iq type='result' id='block'/>`
    await anna.fence()
    paul.sends`<message type='chat' to='anna@${US}' id='b'><body>let me in</body></message>`
    await paul.hears`<message type='error' id='b' from='anna@${US}'/>`
    await anna.receivesNothing()
  }))

  it('keeps a request for somebody who is away until he comes, and asks nobody who is not there', () => together(kind, papers, async (us, them) => {
    const anna = await us.actor('anna')
    anna.leaves()
    const paul = await them.actor('paul')
    paul.says(`<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>`)
    await paul.comesOnline()
    paul.sends`<presence type='subscribe' to='anna@${US}'><status>let me in</status></presence>`
    paul.sends`<message type='chat' to='anna@${US}' id='m'><body>for later</body></message>`
    paul.sends`<iq type='get' id='done' to='${US}'><ping xmlns='urn:xmpp:ping'/></iq>`
    await paul.hears`<iq type='result' id='done' from='${US}'/>`
    const back = await us.actor('anna')
    back.sends`<presence/>`
    await back.hears`<presence type='subscribe' from='paul@${THEM}'><status>let me in</status></presence>`
    await back.hears`<message from='paul@${THEM}/p' id='m'><body>for later</body></message>`
    paul.sends`<iq type='get' id='who' to='nobody@${US}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await paul.hears`<iq type='error' id='who' from='nobody@${US}'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    anna.leaves()
  }))

  it('lets ours enter their rooms', () => together(kind, papers, async (us, them) => {
    const anna = await us.actor('anna'), paul = await them.actor('paul')
    const room = `tea@rooms.${THEM}`
    paul.says(`<presence to='${room}/Paul'>${JOIN}</presence>`)
    await paul.hears`<presence from='${room}/Paul'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>`
    paul.says(`<iq type='set' id='unlock' to='${room}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`)
    await paul.hears`<iq type='result' id='unlock'/>`
    anna.says(`<presence to='${room}/Anna'>${JOIN}</presence>`)
    await anna.hears`<presence from='${room}/Paul'><x xmlns='http://jabber.org/protocol/muc#user'/></presence>`
    await anna.hears`<presence from='${room}/Anna'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>`
    await paul.hears`<presence from='${room}/Anna'/>`
    anna.sends`<message type='groupchat' to='${room}' id='g1'><body>hello room</body></message>`
    await paul.hears`<message type='groupchat' from='${room}/Anna'><body>hello room</body></message>`
    await anna.hears`<message type='groupchat' from='${room}/Anna' id='g1'><body>hello room</body></message>`
    paul.sends`<message type='chat' to='${room}/Anna' id='pm'><body>psst</body></message>`
    await anna.hears`<message type='chat' from='${room}/Paul'><body>psst</body></message>`
    anna.leaves() // without a word: their room hears it from our server
    await paul.hears`<presence type='unavailable' from='${room}/Anna'/>`
  }))

  if (kind.hasDirect) it('RFC-T5 reaches it by TLS from the first byte', () => together(kind, papers, async (us, them) => {
    const anna = await us.actor('anna'), paul = await them.actor('paul')
    await paul.comesOnline()
    anna.sends`<message to='paul@${THEM}' type='chat' id='1'><body>at once</body></message>`
    await paul.hears`<message from='anna@${US}/x' id='1'/>`
    if (!kind.dialsDirect) return
    await anna.comesOnline()
    paul.sends`<message to='anna@${US}' type='chat' id='2'><body>so do we</body></message>`
    await anna.hears`<message from='paul@${THEM}/p' id='2'/>`
  }, { direct: true }))

  if (kind.findsAll) it('lets theirs enter our rooms, and serves them at our desk', () => together(kind, papers, async (us, them) => {
    const anna = await us.actor('anna', 'agent'), paul = await them.actor('paul')
    anna.says(`<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>`)
    await anna.fence()
    await paul.comesOnline()
    const room = `tea@rooms.${US}`
    anna.says(`<presence to='${room}/Anna'>${JOIN}</presence>`)
    await anna.hears`<presence from='${room}/Anna'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>`
    anna.says(`<iq type='set' id='unlock' to='${room}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`)
    await anna.hears`<iq type='result' id='unlock'/>`
    paul.says(`<presence to='${room}/Paul'>${JOIN}</presence>`)
    await paul.hears`<presence from='${room}/Paul'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>`
    paul.sends`<message type='groupchat' to='${room}' id='g'><body>hello from elsewhere</body></message>`
    await anna.hears`<message type='groupchat' from='${room}/Paul'><body>hello from elsewhere</body></message>`
    await paul.hears`<message type='groupchat' from='${room}/Paul' id='g'/>`
    await us.clock.advance(0)
    paul.sends`<message type='chat' to='support@help.${US}' id='c'><body>my printer burns</body></message>`
    const [agent, customer] = [new Person(anna), new Person(paul)]
    await agent.reads(`desk@help.${US}`, /#1\b/)
    agent.types(`desk@help.${US}`, '!a')
    await agent.reads(`c1@help.${US}`, /printer/)
    agent.types(`c1@help.${US}`, 'step back')
    await customer.reads(`support@help.${US}`, /step back/)
    customer.types(`support@help.${US}`, 'I did')
    await agent.reads(`c1@help.${US}`, 'I did')
    paul.leaves()
    await anna.hears`<presence type='unavailable' from='${room}/Paul'/>`
  }))

  if (kind.findsAll) it('has one of theirs serve another of theirs at our desk, in a room, by commands too', () => together(kind, papers, async (us, them) => {
    const desk = `desk@help.${US}`, support = `support@help.${US}`
    const paul = new Person(await them.actor('paul')), rosa = new Person(await them.actor('rosa'))
    await paul.actor.comesOnline()
    await rosa.actor.comesOnline()
    paul.actor.sends`<presence type='subscribe' to='${desk}'/>`
    await paul.actor.hears`<presence type='subscribe' from='${desk}'/>`
    paul.actor.sends`<presence type='subscribed' to='${desk}'/>`
    await paul.actor.hears`<presence from='${desk}/desk'/>`
    paul.types(desk, '!view room')
    await paul.reads(desk, /shown as rooms/)
    await us.clock.advance(0)
    rosa.types(support, 'my printer burns')
    await paul.reads(desk, /#1\b/)
    paul.types(desk, '!a')
    const invited = await paul.actor.hears`<message from='${desk}/desk'><x xmlns='jabber:x:conference'/></message>`
    const room = String(invited.getChild('x', 'jabber:x:conference')?.attrs['jid'])
    assert.match(room, new RegExp(`^rosa-1@help\\.${US}$`))
    paul.actor.says(`<presence to='${room}/Paul'>${JOIN}</presence>`)
    await paul.actor.hears`<message type='groupchat' from='${room}/Rosa'><body>my printer burns</body></message>`
    const says = (text: string): void => paul.actor.sends`<message type='groupchat' to='${room}' id='${text}'><body>${text}</body></message>`
    says('step back')
    await rosa.reads(support, /step back/)
    rosa.types(support, 'I did')
    await paul.actor.hears`<message type='groupchat' from='${room}/Rosa'><body>I did</body></message>`
    says('!end')
    await rosa.reads(support, /ended/i)
  }, { support: `{ agents: [paul@${THEM}], assign: round-robin }` }))

  it('refuses a peer whose certificate it does not trust, both ways, and says why to the admin alone', () => together(kind, papers, async (us, them) => {
    const anna = await us.actor('anna'), paul = await them.actor('paul')
    await anna.comesOnline()
    await paul.comesOnline()
    anna.sends`<message to='paul@${THEM}' type='chat' id='out'><body>hello?</body></message>`
    await anna.hears`<message type='error' id='out' from='paul@${THEM}'><error type='wait'><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    paul.sends`<message to='anna@${US}' type='chat' id='in'><body>hello?</body></message>`
    await paul.hears`<message type='error' id='in' from='anna@${US}'/>`
    assert.match(us.house.pairs!().find(p => p.direction === 'out')?.error ?? '', /not trusted: its certificate is not valid: it is self-signed/)
    await anna.receivesNothing()
  }, { mistrust: true }))

  it('is refused by a peer that does not trust its certificate, and gives the messages back', () => together(kind, papers, async (us, them) => {
    const anna = await us.actor('anna')
    const paul = await them.actor('paul')
    await anna.comesOnline()
    await paul.comesOnline()
    anna.sends`<message to='paul@${THEM}' type='chat' id='out'><body>hello?</body></message>`
    await anna.hears`<message type='error' id='out' from='paul@${THEM}'><error type='wait'><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    await paul.receivesNothing()
  }, { mistrusted: true }))

  it('gives back what it cannot deliver while the peer is down, in order, and delivers again when it is back', () => together(kind, papers, async (us, them, setup) => {
    const anna = await us.actor('anna')
    await anna.comesOnline()
    let paul = await them.actor('paul')
    await paul.comesOnline()
    anna.sends`<message to='paul@${THEM}' type='chat' id='first'><body>1</body></message>`
    await paul.hears`<message id='first'/>`
    paul.leaves()
    await them[Symbol.asyncDispose]()
    for (const id of ['a', 'b', 'c']) anna.sends`<message to='paul@${THEM}' type='chat' id='${id}'><body>${id}</body></message>`
    for (const id of ['a', 'b', 'c']) await anna.receives`<message type='error' id='${id}' from='paul@${THEM}'><error type='wait'><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    await using again = await kind.start(setup)
    paul = await again.actor('paul')
    await paul.comesOnline()
    anna.sends`<message to='paul@${THEM}' type='chat' id='d'><body>d</body></message>`
    await paul.hears`<message from='anna@${US}/x' id='d'><body>d</body></message>`
    paul.sends`<message to='anna@${US}' type='chat' id='e'><body>e</body></message>`
    await anna.hears`<message from='paul@${THEM}/p' id='e'><body>e</body></message>`
  }))
}
