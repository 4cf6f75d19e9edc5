// Two whole programs that federate: what people on both see of each other.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parse, type Element as Xml } from 'ltx'
import { Person } from '../harness/desk.ts'
import { freePort } from '../harness/ports.ts'
import type { Actor } from '../harness/scene.ts'
import { Papers, Town } from './s2s-houses.ts'

const JOIN = `<x xmlns='http://jabber.org/protocol/muc'/>`

describe('two of these servers', () => {
  const papers = new Papers()
  const [pa, pb] = [papers.make('a.test'), papers.make('b.test')]
  const ca = papers.bundle('both.pem', [pa, pb])
  after(() => papers[Symbol.dispose]())

  interface Ways { readonly direct?: boolean; readonly dialback?: boolean; readonly support?: string }

  /** Two towns that trust each other's certificates, or that are content with dialback. */
  async function towns(play: (a: Town, b: Town) => Promise<void>, { direct, dialback, support }: Ways = {}): Promise<void> {
    const trust = dialback ? 'dialback: true' : `ca: ${ca}`
    const s2s = (domain: string, place: string): string => `{ ${trust}, targets: { ${[domain, `rooms.${domain}`, `help.${domain}`].map(d => `${d}: "${place}"`).join(', ')} } }`
    const port = await freePort()
    await using b = await Town.open('b.test', pb, s2s('a.test', `127.0.0.1:${port}`))
    await using a = await Town.open('a.test', pa, s2s('b.test', direct ? `tls://127.0.0.1:${b.tlsPort}` : `127.0.0.1:${b.port}`), '', port, undefined, support)
    await play(a, b)
  }
  const online = async (town: Town, local: string, role?: 'agent'): Promise<Actor> => {
    const actor = await town.actor(local, role)
    actor.says(`<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>`)
    await actor.hears`<iq type='result' id='roster'/>`
    await actor.comesOnline()
    return actor
  }

  for (const [how, ways] of [['certificates', {}], ['dialback', { dialback: true }], ['certificates, over TLS from the first byte (RFC-T5)', { direct: true }]] as const) {
    it(`RFC-X4 RFC-X5 RFC-X6 carry messages both ways, in order, proved by ${how}`, () => towns(async (a, b) => {
      const anna = await online(a, 'anna'), ben = await online(b, 'ben')
      for (let i = 0; i < 50; i++) {
        anna.sends`<message to='ben@b.test' type='chat' id='a${i}'><body>${i}</body></message>`
        ben.sends`<message to='anna@a.test' type='chat' id='b${i}'><body>${i}</body></message>`
      }
      for (let i = 0; i < 50; i++) await ben.receives`<message from='anna@a.test/x' to='ben@b.test' type='chat' id='a${i}'><body>${i}</body></message>`
      for (let i = 0; i < 50; i++) await anna.receives`<message from='ben@b.test/x' to='anna@a.test' type='chat' id='b${i}'><body>${i}</body></message>`
    }, ways))
  }

  it('SEC-X27 RFC-S6 RFC-S19 carry whatever XML may say, unchanged', () => towns(async (a, b) => {
    const anna = await online(a, 'anna'), ben = await online(b, 'ben')
    const samples = fc.sample(payload, { numRuns: 150, seed: 288 })
    for (const [i, inside] of samples.entries()) anna.says(`<message to='ben@b.test' id='f${i}'>${inside}<body>${i}</body></message>`)
    for (const [i, inside] of samples.entries()) {
      const came = await ben.hears`<message from='anna@a.test/x' id='f${i}'><body>${i}</body></message>`
      assert.equal(canonical(came.children.find((c): c is Xml => typeof c !== 'string' && c.name !== 'body')!), canonical(parse(`<message xmlns='jabber:client'>${inside}</message>`).children[0] as Xml), inside) // each has one
    }
  }))

  it('XEP-0288 answer on the stream that asked, where it goes both ways', () => towns(async (a, b) => {
    const anna = await online(a, 'anna'), ben = await online(b, 'ben')
    anna.sends`<message to='ben@b.test/x' id='1'><body>there?</body></message>`
    await ben.receives`<message from='anna@a.test/x' id='1'/>`
    ben.sends`<message to='anna@a.test/x' id='2'><body>here</body></message>`
    await anna.receives`<message from='ben@b.test/x' id='2'/>`
    assert.deepEqual([...a.house.pairs!(), ...b.house.pairs!()].map(p => `${p.local} ${p.direction} ${p.remote} ${p.state}`).sort(), ['a.test out b.test open', 'b.test in a.test open', 'b.test out a.test open'])
  }))

  it('RFC-P1 RFC-P5 RFC-P6 RFC-P8 let people subscribe to each other, and stop it', () => towns(async (a, b) => {
    const anna = await online(a, 'anna'), ben = await online(b, 'ben')
    anna.sends`<presence type='subscribe' to='ben@b.test/some' id='s'/>`
    await anna.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='ben@b.test' ask='subscribe'/></query></iq>`
    await ben.receives`<presence type='subscribe' from='anna@a.test'/>`
    ben.sends`<presence type='subscribed' to='anna@a.test'/>`
    await anna.receives`<presence type='subscribed' from='ben@b.test'/>`
    await anna.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='ben@b.test' subscription='to'/></query></iq>`
    await anna.receives`<presence from='ben@b.test/x'/>`
    await ben.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='anna@a.test' subscription='from'/></query></iq>`
    ben.sends`<presence><show>away</show></presence>`
    await anna.receives`<presence from='ben@b.test/x'><show>away</show></presence>`
    ben.sends`<presence type='unsubscribed' to='anna@a.test'/>`
    await anna.receives`<presence type='unavailable' from='ben@b.test/x'/>`
    await anna.receives`<presence type='unsubscribed' from='ben@b.test'/>`
    await anna.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='ben@b.test' subscription='none'/></query></iq>`
  }))

  it('RFC-E1 RFC-E2 RFC-E4 ask for presence at login, tell it, and tell the end of who falls off the net', () => towns(async (a, b) => {
    let anna = await online(a, 'anna')
    const ben = await online(b, 'ben')
    for (const [x, y] of [[anna, ben], [ben, anna]] as const) {
      x.sends`<presence type='subscribe' to='${y.bare}'/>`
      await y.hears`<presence type='subscribe' from='${x.bare}'/>`
      y.sends`<presence type='subscribed' to='${x.bare}'/>`
      await x.hears`<presence from='${y.jid}'/>`
    }
    await ben.fence()
    anna.leaves()
    await ben.hears`<presence type='unavailable' from='anna@a.test/x'/>`
    ben.sends`<presence><show>dnd</show><priority>5</priority></presence>`
    await ben.fence()
    anna = await a.actor('anna')
    anna.says('<presence/>')
    await anna.hears`<presence from='ben@b.test/x' to='anna@a.test'><show>dnd</show><priority>5</priority></presence>`
    await ben.hears`<presence from='anna@a.test/x'/>`
    anna.sends`<iq type='get' id='v' to='ben@b.test/x'><query xmlns='jabber:iq:version'/></iq>`
    await ben.hears`<iq type='get' id='v' from='anna@a.test/x'/>`
    ben.sends`<iq type='result' id='v' to='anna@a.test/x'><query xmlns='jabber:iq:version'><name>ben's</name></query></iq>`
    await anna.hears`<iq type='result' id='v' from='ben@b.test/x'><query xmlns='jabber:iq:version'/></iq>`
  }))

  it('RFC-E2 RFC-E9 tell a stranger nothing of who is there', () => towns(async (a, b) => {
    const anna = await online(a, 'anna'), ben = await online(b, 'ben')
    for (const to of ['anna@a.test', 'anna@a.test/x', 'nobody@a.test']) ben.sends`<presence type='probe' to='${to}'/>`
    const answers: string[] = []
    for (const to of ['anna@a.test/x', 'anna@a.test/y', 'nobody@a.test/x']) {
      ben.sends`<iq type='get' id='q' to='${to}'><ping xmlns='urn:xmpp:ping'/></iq>`
      answers.push(String(await ben.hears`<iq type='error' id='q' from='${to}'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`).replaceAll(to, 'WHO'))
    }
    assert.equal(new Set(answers).size, 1, answers.join('\n'))
    ben.sends`<message type='chat' to='nobody@a.test' id='m'><body>anybody?</body></message>` // SEC-R06
    ben.sends`<iq type='get' id='fence' to='a.test'><ping xmlns='urn:xmpp:ping'/></iq>`
    await ben.receives`<iq type='result' id='fence' from='a.test'/>`
    await anna.receivesNothing()
  }))

  it('RFC-P3 keep a request with all it says until the contact comes', () => towns(async (a, b) => {
    const ben = await online(b, 'ben')
    ;(await a.actor('anna')).leaves()
    ben.sends`<presence type='subscribe' to='anna@a.test'><status>it is me</status><x xmlns='urn:example'>more</x></presence>`
    await ben.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='anna@a.test' ask='subscribe'/></query></iq>`
    ben.sends`<iq type='get' id='fence' to='a.test'><ping xmlns='urn:xmpp:ping'/></iq>`
    await ben.hears`<iq type='result' id='fence' from='a.test'/>`
    for (let login = 0; login < 2; login++) {
      const anna = await a.actor('anna')
      anna.says('<presence/>')
      await anna.hears`<presence type='subscribe' from='ben@b.test'><status>it is me</status><x xmlns='urn:example'>more</x></presence>`
      anna.leaves()
    }
  }))

  it('RFC-E5 have each other\'s people in rooms, and hear it when one falls off the net', () => towns(async (a, b) => {
    const anna = await online(a, 'anna'), ben = await online(b, 'ben')
    const room = 'tea@rooms.a.test'
    anna.says(`<presence to='${room}/Anna'>${JOIN}</presence>`)
    await anna.hears`<presence from='${room}/Anna'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>`
    anna.says(`<iq type='set' id='open' to='${room}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`)
    await anna.hears`<iq type='result' id='open'/>`
    ben.says(`<presence to='${room}/Ben'>${JOIN}</presence>`)
    await ben.hears`<presence from='${room}/Ben'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>`
    ben.sends`<message type='groupchat' to='${room}' id='g'><body>hello</body></message>`
    await anna.hears`<message type='groupchat' from='${room}/Ben'><body>hello</body></message>`
    await ben.hears`<message type='groupchat' from='${room}/Ben' id='g'><body>hello</body></message>`
    ben.leaves()
    await anna.hears`<presence type='unavailable' from='${room}/Ben'/>`
  }))

  it('serve a customer of the other server at the desk, like any other', () => towns(async (a, b) => {
    const anna = new Person(await online(a, 'anna', 'agent')), ben = new Person(await online(b, 'ben'))
    await a.clock.advance(0)
    ben.types('support@help.a.test', 'my printer burns')
    await anna.reads('desk@help.a.test', /#1\b[^]*ben@b\.test|ben@b\.test[^]*#1\b|#1\b/)
    anna.types('desk@help.a.test', '!a')
    await anna.reads('c1@help.a.test', /ben@b\.test|printer/)
    anna.types('c1@help.a.test', 'step back')
    await ben.reads('support@help.a.test', /step back/)
    ben.types('support@help.a.test', 'I did')
    await anna.reads('c1@help.a.test', 'I did')
    anna.types('c1@help.a.test', '!end')
    await ben.sees(/ended/i)
  }))

  it('have an operator of the other server serve in the room view', () => towns(async (a, b) => {
    const ben = new Person(await online(b, 'ben')), carl = new Person(await online(a, 'carl'))
    const desk = 'desk@help.a.test'
    ben.actor.sends`<presence type='subscribe' to='${desk}'/>`
    await ben.actor.hears`<presence type='subscribe' from='${desk}'/>`
    ben.actor.sends`<presence type='subscribed' to='${desk}'/>`
    await ben.actor.hears`<presence from='${desk}/desk'/>`
    await a.clock.advance(0)
    carl.types('support@help.a.test', 'my printer burns')
    await ben.reads(desk, /#1\b/)
    ben.types(desk, '!a')
    const invited = await ben.actor.hears`<message><x xmlns='jabber:x:conference'/></message>`
    const room = String(invited.getChild('x', 'jabber:x:conference')?.attrs['jid'])
    assert.match(room, /@help\.a\.test$/)
    ben.actor.says(`<presence to='${room}/Ben'>${JOIN}</presence>`)
    await ben.actor.hears`<presence from='${room}/Ben'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>`
    ben.actor.sends`<message type='groupchat' to='${room}' id='line'><body>step back</body></message>`
    await carl.reads('support@help.a.test', /step back/)
    carl.types('support@help.a.test', 'I did')
    await ben.actor.hears`<message type='groupchat'><body>I did</body></message>`
  }, { support: '{ agents: [ben@b.test], assign: round-robin, view: room }' }))

  it('RFC-A6 SEC-T29 SEC-C18 let nobody of the other server be an agent or an admin here', () => towns(async (a, b) => {
    await online(a, 'anna', 'agent')
    const ben = await online(b, 'anna') // the same name, elsewhere
    ben.sends`<message type='chat' to='desk@help.a.test' id='1'><body>!help</body></message>`
    await ben.hears`<message type='error' id='1'><error><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    for (const query of [`<query xmlns='jabber:iq:roster'/>`, `<query xmlns='jabber:iq:private'><x xmlns='urn:example'/></query>`, `<query xmlns='urn:xmpp:mam:2'/>`, `<blocklist xmlns='urn:xmpp:blocking'/>`]) {
      for (const type of ['get', 'set']) {
        ben.says(`<iq type='${type}' id='q' to='anna@a.test'>${query}</iq>`)
        await ben.hears`<iq type='error' id='q' from='anna@a.test'/>`
      }
    }
  }))
})

const character = fc.oneof(fc.constantFrom('<', '&', '>', "'", '"', ']', '\t', '\n', '\u0085', '\ufffd'), fc.integer({ min: 0x20, max: 0xd7ff }).map(c => String.fromCharCode(c)), fc.integer({ min: 0x10000, max: 0x10ffff }).map(c => String.fromCodePoint(c)))
const words = fc.array(character, { maxLength: 8 }).map(a => a.join(''))
const safe = (s: string): string => s.replace(/[&<>'"\t\n\r]/g, c => `&#${c.charCodeAt(0)};`)
/** An element of its own namespace, with others inside: those of servers and clients too. */
const element = fc.letrec<{ e: string }>(tie => ({
  e: fc.tuple(fc.constantFrom('a', 'message', 'é', 'x-y.z'), fc.constantFrom('urn:x', 'jabber:client', 'jabber:server', 'jabber:component:accept', 'urn:ü&'), fc.array(fc.tuple(fc.constantFrom('to', 'id', 'xml:lang', 'k'), words), { maxLength: 3 }), fc.array(fc.oneof({ depthSize: 'small' }, words.map(safe), tie('e')), { maxLength: 3 }))
    .map(([name, ns, attrs, inside]) => `<${name} xmlns='${safe(ns)}'${[...new Map(attrs)].map(([k, v]) => ` ${k}='${safe(v)}'`).join('')}>${inside.join('')}</${name}>`),
})).e
const payload = element.map(inside => `<x xmlns='urn:example'>${inside}</x>`)

/** An element by its names and namespaces, whatever way it was written. */
const canonical = (x: Xml): string => JSON.stringify([x.getName(), x.getNS(), Object.entries(x.attrs).filter(([k]) => !k.startsWith('xmlns')).sort(), merged(x).map(c => typeof c === 'string' ? c : canonical(c))])
const merged = (x: Xml): (string | Xml)[] => x.children.reduce<(string | Xml)[]>((all, c) => {
  if (typeof c !== 'string') all.push(c as Xml) // an element is all else that there is
  else if (typeof all.at(-1) === 'string') all[all.length - 1] = String(all.at(-1)) + c
  else if (c !== '') all.push(c)
  return all
}, [])
