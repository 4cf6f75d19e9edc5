// Rooms when the server goes down and comes back (XEP-0045): who hears of it, and what is there afterwards.
import { Person } from '../harness/desk.ts'
import { freePorts } from '../harness/ports.ts'
import { Actor } from '../harness/scene.ts'
import { Papers, Town } from './s2s-houses.ts'

const SM = 'urn:xmpp:sm:3'
const ETHERX = 'http://etherx.jabber.org/streams'
const USER = 'http://jabber.org/protocol/muc#user'
const ROOM = 'tea@rooms.a.test'
const JOIN = `<x xmlns='http://jabber.org/protocol/muc'/>`

const joins = async (a: Actor, nick: string): Promise<void> => {
  a.says(`<presence to='${ROOM}/${nick}'>${JOIN}</presence>`)
  await a.hears`<presence from='${ROOM}/${nick}'><x xmlns='${USER}'><status code='110'/></x></presence>`
}
const configures = async (a: Actor, ...fields: readonly (readonly [string, string])[]): Promise<void> => {
  a.says(`<iq type='set' id='c' to='${ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>${fields.map(([name, value]) => `<field var='muc#roomconfig_${name}'><value>${value}</value></field>`).join('')}</x></query></iq>`)
  await a.hears`<iq type='result' id='c'/>`
}

describe('rooms when the server goes down', () => {
  let papers: Papers
  beforeEach(() => { papers = new Papers() })
  afterEach(() => papers[Symbol.dispose]())

  /** Anna has made a room and sleeps with a session, Ben is in it. */
  const restarted = async (fields: readonly (readonly [string, string])[], play: (town: Town, anna: Actor, id: string) => Promise<void>): Promise<void> => {
    const paper = papers.make('a.test')
    await using first = await Town.open('a.test', paper, '{}')
    const anna = await first.actor('anna'), ben = await first.actor('ben')
    anna.says(`<enable xmlns='${SM}' resume='true'/>`)
    const id = String((await anna.hears`<enabled xmlns='${SM}' resume='true'/>`).attrs['id'])
    await joins(anna, 'Anna')
    await configures(anna)
    await joins(ben, 'Ben')
    if (fields.length > 0) await configures(anna, ...fields)
    await using second = await first.again(paper, '{}', false)
    for (const [a, nick] of [[anna, 'Anna'], [ben, 'Ben']] as const) {
      await a.hears`<presence type='unavailable' from='${ROOM}/${nick}'><x xmlns='${USER}'><status code='332'/></x></presence>`
      await a.hears`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
    }
    for (const a of [anna, ben]) a.leaves()
    await play(second, anna, id)
  }

  it('SEC-K22 tell who is in them (status 332), and who sleeps over the restart is told when he is back', () => restarted([], async (town, _, id) => {
    const back = new Actor('back', 'anna@a.test/x')
    await back.opens(town.c2s)
    await back.logsIn()
    back.says(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    await back.hears`<resumed xmlns='${SM}' previd='${id}'/>`
    await back.hears`<presence type='unavailable' from='${ROOM}/Anna'><x xmlns='${USER}'><status code='332'/></x></presence>`
    await joins(back, 'Anna')
    back.leaves()
  }))

  it('wait for their people afterwards if they do not last: no stranger takes the name, owner and settings are what they were', () => restarted([['passwordprotectedroom', '1'], ['roomsecret', 'hush']], async town => {
    const carl = await town.actor('carl'), anna = await town.actor('anna')
    carl.says(`<presence to='${ROOM}/Carl'>${JOIN}</presence>`)
    await carl.hears`<presence type='error' from='${ROOM}/Carl'><error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
    anna.says(`<presence to='${ROOM}/Anna'><x xmlns='http://jabber.org/protocol/muc'><password>hush</password></x></presence>`)
    await anna.hears`<presence from='${ROOM}/Anna'><x xmlns='${USER}'><item affiliation='owner'/><status code='110'/></x></presence>`
    anna.sends`<presence type='unavailable' to='${ROOM}/Anna'/>`
    await anna.hears`<presence type='unavailable' from='${ROOM}/Anna'/>`
    carl.says(`<presence to='${ROOM}/Carl'>${JOIN}</presence>`)
    await carl.hears`<presence from='${ROOM}/Carl'><x xmlns='${USER}'><item affiliation='owner'/><status code='201'/></x></presence>`
  }))

  it('go on waiting where the server goes down once more before anybody is back', () => restarted([['passwordprotectedroom', '1'], ['roomsecret', 'hush']], async town => {
    await using third = await town.again(papers.make('a.test'), '{}')
    const carl = await third.actor('carl')
    carl.says(`<presence to='${ROOM}/Carl'>${JOIN}</presence>`)
    await carl.hears`<presence type='error' from='${ROOM}/Carl'><error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
  }))

  it('do not wait for ever', () => restarted([], async town => {
    const carl = await town.actor('carl')
    await town.clock.advance(11 * 60_000)
    carl.says(`<presence to='${ROOM}/Carl'>${JOIN}</presence>`)
    await carl.hears`<presence from='${ROOM}/Carl'><x xmlns='${USER}'><item affiliation='owner'/><status code='201'/></x></presence>`
  }))

  it('tell those who serve in the rooms of a desk, too', async () => {
    const paper = papers.make('a.test')
    await using first = await Town.open('a.test', paper, '{}')
    const anna = new Person(await first.actor('anna', 'agent')), zoe = new Person(await first.actor('zoe'))
    for (const { actor } of [anna, zoe]) { actor.says(`<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>`); await actor.fence() }
    const desk = 'desk@help.a.test'
    anna.types(desk, '!view room')
    await anna.reads(desk, /shown as rooms/)
    await first.clock.advance(0)
    zoe.types('support@help.a.test', 'my printer burns')
    await anna.reads(desk, /#1\b/)
    anna.types(desk, '!a')
    const invited = await anna.actor.hears`<message from='${desk}/desk'><x xmlns='jabber:x:conference'/></message>`
    const room = String(invited.getChild('x', 'jabber:x:conference')?.attrs['jid'])
    anna.actor.says(`<presence to='${room}/Anna'>${JOIN}</presence>`)
    await anna.actor.hears`<message type='groupchat' from='${room}/Zoe'><body>my printer burns</body></message>`
    await using second = await first.again(paper, '{}', false)
    void second
    await anna.actor.hears`<presence type='unavailable' from='${room}/Anna'><x xmlns='${USER}'><status code='332'/></x></presence>`
    for (const { actor } of [anna, zoe]) actor.leaves()
  })

  it('tell those of other servers, too', async () => {
    const [mine, theirs] = [papers.make('a.test'), papers.make('b.test')]
    const ca = papers.bundle('ca.pem', [mine, theirs])
    const [port, other] = await freePorts(2) as [number, number] // two were asked for
    const at = (domain: string, where: number): string => `${domain}: "127.0.0.1:${where}", rooms.${domain}: "127.0.0.1:${where}"`
    await using b = await Town.open('b.test', theirs, `{ ca: ${ca}, targets: { ${at('a.test', port)} } }`, '', other)
    await using a = await Town.open('a.test', mine, `{ ca: ${ca}, targets: { ${at('b.test', other)} } }`, '', port)
    const anna = await a.actor('anna'), ben = await b.actor('ben')
    await joins(anna, 'Anna')
    await configures(anna)
    await joins(ben, 'Ben')
    await a[Symbol.asyncDispose]()
    await ben.hears`<presence type='unavailable' from='${ROOM}/Ben'><x xmlns='${USER}'><status code='332'/></x></presence>`
  })
})
