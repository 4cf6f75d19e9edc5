// What every stanza has to be on its way: errors (RFC 6120 section 8.3), senders (8.1.2), addresses (RFC 7622 section 4).
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { Actor, scene, type House } from '../harness/scene.ts'
import { arrives, befriend } from '../harness/friends.ts'
import { muc } from '../../components/muc/muc.ts'

const NS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const STREAMS = 'urn:ietf:params:xml:ns:xmpp-streams'
const ETHERX = 'http://etherx.jabber.org/streams'
const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }

/** Each condition with the types that RFC 6120 section 8.3.3 gives it. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  'bad-request': ['modify'], conflict: ['cancel'], 'feature-not-implemented': ['cancel', 'modify'], forbidden: ['auth'], gone: ['cancel'], 'internal-server-error': ['cancel'], 'item-not-found': ['cancel'],
  'jid-malformed': ['modify'], 'not-acceptable': ['modify'], 'not-allowed': ['cancel'], 'not-authorized': ['auth'], 'policy-violation': ['modify', 'wait'], 'recipient-unavailable': ['wait'], redirect: ['modify'],
  'registration-required': ['auth'], 'remote-server-not-found': ['cancel'], 'remote-server-timeout': ['wait'], 'resource-constraint': ['wait'], 'service-unavailable': ['cancel'], 'subscription-required': ['auth'],
  'undefined-condition': ['auth', 'cancel', 'continue', 'modify', 'wait'], 'unexpected-request': ['wait', 'modify'],
}

/** One defined condition, texts in a language, one element of somebody's own. */
function isWellFormed(error: Xml): void {
  const [ours, others] = [error.getChildElements().filter(c => c.getNS() === NS), error.getChildElements().filter(c => c.getNS() !== NS)]
  const conditions = ours.filter(c => c.getName() !== 'text')
  assert.equal(conditions.length, 1, String(error))
  assert.ok(TYPES[conditions[0]!.getName()]?.includes(String(error.attrs['type'])), String(error))
  for (const text of ours.filter(c => c.getName() === 'text')) assert.ok(text.attrs['xml:lang'] && text.getText(), String(error))
  assert.ok(ours.length - conditions.length <= 1 && others.length <= 1, String(error))
  assert.equal(error.attrs['code'], undefined)
}

/** What is said and refused: the error comes as the same kind, with the same id. */
const REFUSED: readonly string[] = [
  "<iq type='get' id='ID' to='localhost'><nonsense xmlns='urn:nothing'/></iq>", "<iq type='set' id='ID' to='juliet@localhost/balcony'><x xmlns='urn:nothing'/></iq>",
  "<iq type='bogus' id='ID'><x xmlns='urn:nothing'/></iq>", "<iq type='get' id='ID'/>", "<iq type='set' id='ID'><query xmlns='jabber:iq:roster'><item jid='@@'/></query></iq>",
  "<iq type='set' id='ID'><query xmlns='jabber:iq:roster'><item jid='nobody@localhost' subscription='remove'/></query></iq>", "<iq type='set' id='ID'><query xmlns='jabber:iq:roster'/></iq>",
  "<iq type='get' id='ID' to='juliet@localhost'><query xmlns='urn:xmpp:mam:2'/></iq>", "<iq type='set' id='ID'><block xmlns='urn:xmpp:blocking'/></iq>", "<iq type='get' id='ID' to='@'><ping xmlns='urn:xmpp:ping'/></iq>",
  "<iq type='set' id='ID' to='localhost'><command xmlns='http://jabber.org/protocol/commands' node='http://jabber.org/protocol/admin#add-user'/></iq>",
  "<iq type='set' id='ID'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish/></pubsub></iq>", "<iq type='get' id='ID' to='unknown.example'><ping xmlns='urn:xmpp:ping'/></iq>",
  "<message id='ID' to='nobody@localhost'><body>x</body></message>", "<message id='ID' to='@' type='chat'><body>x</body></message>", "<message id='ID' to='localhost'><body>x</body></message>",
  "<message id='ID' to='juliet@localhost' type='groupchat'><body>x</body></message>", "<message id='ID' to='a@unknown.example' type='chat'><body>x</body></message>",
  "<presence id='ID' type='bogus'/>", "<presence id='ID' to='@'/>", "<presence id='ID'><priority>1000</priority></presence>", "<presence id='ID' to='hall@rooms.localhost'><x xmlns='http://jabber.org/protocol/muc'/></presence>",
  "<message id='ID' to='hall@rooms.localhost' type='groupchat'><body>x</body></message>", "<iq id='ID' type='set' to='hall@rooms.localhost'><query xmlns='http://jabber.org/protocol/muc#owner'/></iq>",
]

describe('an error', () => {
  it(`RFC-N6 RFC-N11 is of the same kind, with the same id, one condition and its usual type (${REFUSED.length} refusals)`, scene(cast, async ({ romeo, juliet }) => {
    await arrives(juliet)
    for (const [i, text] of REFUSED.entries()) {
      const id = `r'${i}<&`
      romeo.says(text.replace("id='ID'", `id='${id.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll("'", '&apos;')}'`))
      const answer = await romeo.next(() => `${text} should be refused`)
      assert.deepEqual([answer.getName(), answer.attrs['type'], answer.attrs['id']], [/^<(\w+)/.exec(text)![1], 'error', id], text)
      const error = answer.getChild('error')
      assert.ok(error, String(answer))
      isWellFormed(error)
    }
    for (const text of REFUSED.slice(-11).filter(t => t.startsWith('<message') || t.startsWith('<presence'))) { // an id that was not there is not made up
      romeo.says(text.replace(" id='ID'", ''))
      assert.equal((await romeo.next()).attrs['id'] ?? '', '', text)
    }
    romeo.says("<iq type='get'><x xmlns='urn:nothing'/></iq>")
    assert.equal((await romeo.next()).attrs['id'], '')
  }, { components: { 'rooms.localhost': muc() } }))

  it('RFC-N11 is the only thing that bears <error/>; what was refused is not said back where it is harmful', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    const said = [await romeo.fence(), await juliet.fence()].flat()
    romeo.says("<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq><iq type='get' id='2' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq><message to='juliet@localhost' type='chat' id='3'><body>x</body></message><iq id='4' type='set'><x/></iq>")
    said.push(...await romeo.fence(), ...await juliet.fence())
    assert.ok(said.length >= 4)
    for (const x of said) assert.equal(x.getChild('error') !== undefined, x.attrs['type'] === 'error', String(x))
    romeo.says(`<message to='@' id='big'><body>${'secret '.repeat(20_000)}</body></message>`)
    const answer = await romeo.receives`<message type='error' id='big'/>`
    assert.ok(!String(answer).includes('secret'))
  }))

  it('RFC-N12 tells nobody whether somebody is there who may not know: the same for bare and full, there or not', scene({ ...cast, tybalt: 'tybalt@localhost/street' }, async ({ romeo, juliet, tybalt }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    const asked = async (who: Actor, to: string): Promise<string> => {
      who.says(`<iq type='get' id='q' to='${to}'><query xmlns='urn:example:unknown'/></iq>`)
      const answer = await who.next()
      return String(answer.getChild('error')).replaceAll(to, '')
    }
    const heard = new Set<string>()
    for (const to of ['juliet@localhost', 'juliet@localhost/balcony', 'juliet@localhost/gone', 'nobody@localhost', 'nobody@localhost/x']) heard.add(await asked(tybalt, to))
    assert.equal(heard.size, 1, [...heard].join('\n'))
    assert.ok([...heard][0]!.includes('service-unavailable'))
    for (const ns of ['http://jabber.org/protocol/disco#info', 'http://jabber.org/protocol/disco#items', 'jabber:iq:last', 'vcard-temp']) {
      for (const to of ['juliet@localhost', 'nobody@localhost', 'juliet@localhost/balcony', 'nobody@localhost/balcony']) {
        tybalt.says(`<iq type='get' id='d' to='${to}'><${ns === 'vcard-temp' ? 'vCard' : 'query'} xmlns='${ns}'/></iq>`)
        const answer = await tybalt.next()
        const condition = answer.getChild('error')?.getChildElements()[0]?.getName()
        assert.ok(condition !== 'recipient-unavailable', String(answer))
        if (to.includes('/')) assert.equal(condition, 'service-unavailable', String(answer))
      }
    }
  }))
})

describe('a sender', () => {
  it('RFC-N10 is the domain for what the server says itself, the account or nobody for what it says in its name, and always there for what it passes on', scene(cast, async ({ romeo, juliet }) => {
    await arrives(romeo, juliet)
    await befriend(romeo, juliet)
    const all: Xml[] = []
    const hears = async (what: string): Promise<void> => { romeo.says(what); all.push(...await romeo.fence()) }
    await hears("<iq type='get' id='host-1' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq><iq type='get' id='host-2' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
    await hears("<iq type='get' id='own-1'><query xmlns='jabber:iq:roster'/></iq><iq type='get' id='own-2'><blocklist xmlns='urn:xmpp:blocking'/></iq><iq type='set' id='own-3'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost'/></query></iq><iq type='get' id='own-4' to='romeo@localhost'><vCard xmlns='vcard-temp'/></iq>")
    juliet.says("<message to='romeo@localhost' type='chat' id='far-1'><body>x</body></message><presence id='far-2'><show>away</show></presence><message from='juliet@localhost' to='romeo@localhost/orchard' id='far-3'><body>x</body></message>")
    await juliet.fence()
    all.push(...await romeo.fence())
    const from = (id: string): unknown => all.find(x => x.attrs['id'] === id)?.attrs['from']
    for (const id of ['host-1', 'host-2']) assert.equal(from(id), 'localhost')
    for (const id of ['own-1', 'own-2', 'own-3', 'own-4']) assert.ok(from(id) === undefined || from(id) === 'romeo@localhost', `${id} from ${String(from(id))}`)
    const pushes = all.filter(x => x.attrs['type'] === 'set' && x.getChild('query', 'jabber:iq:roster'))
    assert.ok(pushes.length > 0)
    for (const push of pushes) assert.ok(push.attrs['from'] === undefined || push.attrs['from'] === 'romeo@localhost')
    for (const id of ['far-1', 'far-2', 'far-3']) assert.equal(from(id), 'juliet@localhost/balcony')
    for (const x of all) if (x.attrs['from'] === undefined) assert.ok(x.getName() === 'iq' && String(x.attrs['id']).startsWith('own') || pushes.includes(x), String(x))
  }))
})

describe('an address in a place that the server reads', () => {
  const header = (more: string): string => `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='${ETHERX}' version='1.0' ${more}>`
  async function opened(house: House, more: string): Promise<Xml> {
    const a = new Actor('a', 'a@localhost/x')
    await a.opens(house.port)
    a.says(header(more))
    const came = await a.next()
    a.leaves()
    return came
  }

  it('RFC-J7 is mapped where it can be', scene(cast, async ({ romeo, juliet }, house) => {
    assert.equal((await opened(house, "to='LOCALHOST.'")).getName(), 'features')
    assert.equal((await opened(house, "to='localhost' from='ROMEO@LocalHost'")).getName(), 'features')
    await arrives(romeo, juliet)
    romeo.says("<message to='\uFF2A\uFF35liet@LOCALHOST/balcony' type='chat' id='m'><body>x</body></message>")
    await juliet.hears`<message id='m' to='juliet@localhost/balcony'/>`
    romeo.says("<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='NURSE@LocalHost'/></query></iq>")
    await romeo.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost'/></query></iq>`
    romeo.says("<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='TYBALT@LocalHost'/></block></iq>")
    romeo.says("<iq type='get' id='l'><blocklist xmlns='urn:xmpp:blocking'/></iq>")
    await romeo.hears`<iq type='result' id='l'><blocklist xmlns='urn:xmpp:blocking'><item jid='tybalt@localhost'/></blocklist></iq>`
  }))

  it('RFC-J7 is refused as malformed where it cannot, and nothing happens', scene(cast, async ({ romeo, juliet }, house) => {
    await arrives(romeo, juliet)
    for (const bad of ['@localhost', 'a@', 'a b@localhost', 'a@localhost/', 'a\u2163@localhost', 'a"@localhost'.replace('"', '&quot;'), `${'x'.repeat(1024)}@localhost`, 'a@local host', 'a@localhost/\u0378']) {
      for (const [what, text] of [
        ['message', `<message to='${bad}' id='x'><body>x</body></message>`], ['presence', `<presence to='${bad}' id='x'/>`], ['iq', `<iq type='get' to='${bad}' id='x'><ping xmlns='urn:xmpp:ping'/></iq>`],
        ['iq', `<iq type='set' id='x'><query xmlns='jabber:iq:roster'><item jid='${bad}'/></query></iq>`], ['iq', `<iq type='set' id='x'><block xmlns='urn:xmpp:blocking'><item jid='${bad}'/></block></iq>`],
      ] as const) {
        romeo.says(text)
        const answer = await romeo.next(() => `${text} should be refused`)
        assert.deepEqual([answer.getName(), answer.attrs['id']], [what, 'x'])
        assert.ok(answer.getChild('error')!.getChild('jid-malformed', NS), `${text}: ${String(answer)}`)
      }
    }
    await juliet.receivesNothing()
    for (const [more, condition] of [["to='@'", 'host-unknown'], ["to=''", 'host-unknown'], ["to='localhost' from='@'", 'invalid-from'], ["to='localhost' from='romeo@localhost/'", 'invalid-from']] as const) {
      const came = await opened(house, more)
      assert.ok(came.getChild(condition, STREAMS) ?? came.getChild('improper-addressing', STREAMS), `${more}: ${String(came)}`)
    }
  }))

  it('RFC-J7 is refused from a component, and is passed on untouched where only others read it', scene(cast, async ({ romeo, juliet }, house) => {
    const bot = await house.component('bot.localhost', 'secret')
    bot.says("<message from='b@bot.localhost' to='a b@localhost' id='x'><body>x</body></message>")
    await bot.receives`<message xmlns='jabber:component:accept' type='error' id='x'><error type='modify'><jid-malformed xmlns='${NS}'/></error></message>`
    bot.says("<message from='b b@bot.localhost' to='romeo@localhost' id='y'><body>x</body></message>")
    await bot.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><invalid-from xmlns='${STREAMS}'/></stream:error>`
    await arrives(juliet)
    romeo.says("<message to='juliet@localhost' type='chat' id='p'><body>x</body><jingle xmlns='urn:xmpp:jingle:1' initiator='NOT a @ JID'/></message>")
    assert.equal((await juliet.hears`<message id='p'/>`).getChild('jingle')!.attrs['initiator'], 'NOT a @ JID')
  }, { externals: { 'bot.localhost': 'secret' } }))
})

describe('what a message may be', () => {
  it('SEC-R14 a type that nobody knows is a normal message; texts in three languages come as they were sent', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    romeo.says("<message to='juliet@localhost' type='bogus' id='b'><body>x</body></message>")
    const came = await juliet.receives`<message from='${romeo}' id='b'><body>x</body></message>`
    assert.ok([undefined, 'normal'].includes(came.attrs['type']), String(came))
    const texts = ['subject', 'body'].flatMap(name => [`<${name}>Hello</${name}>`, `<${name} xml:lang='de'>Grüß dich</${name}>`, `<${name} xml:lang='ja'>今日は</${name}>`]).join('')
    romeo.says(`<message to='juliet@localhost' type='chat' id='l' xml:lang='en'>${texts}</message>`)
    const told = await juliet.receives`<message id='l' xml:lang='en'/>`
    for (const name of ['subject', 'body']) assert.deepEqual(told.getChildren(name).map(c => [c.attrs['xml:lang'], c.getText()]), [[undefined, 'Hello'], ['de', 'Grüß dich'], ['ja', '今日は']])
  }))

  it('SEC-R07 nobody speaks to everybody by writing to the server: no announce, no message of the day', scene({ ...cast, nurse: 'nurse@localhost/x' }, async ({ romeo, juliet, nurse }) => {
    await arrives(juliet, nurse)
    for (const resource of ['', '/announce/all', '/announce/online', '/announce/motd', '/announce/motd/update', '/announce/motd/delete', '/announce/all-hosts/online', '/announce/disabled', '/broadcast']) {
      for (const type of ['normal', 'chat', 'headline', 'groupchat']) {
        romeo.says(`<message to='localhost${resource}' type='${type}' id='a'><subject>now</subject><body>buy</body></message>`)
        await romeo.receives`<message type='error' id='a' from='localhost${resource}'><error/></message>`
      }
    }
    for (const node of ['announce', 'announce-all', 'set-motd', 'edit-motd', 'delete-motd', 'set-welcome']) {
      romeo.says(`<iq type='set' id='c' to='localhost'><command xmlns='http://jabber.org/protocol/commands' node='http://jabber.org/protocol/admin#${node}' action='execute'/></iq>`)
      const condition = (await romeo.receives`<iq type='error' id='c'/>`).getChild('error')!.getChildElements()[0]!.getName()
      assert.ok(['forbidden', 'item-not-found'].includes(condition), `${node}: ${condition}`)
    }
    for (const who of [juliet, nurse]) await who.receivesNothing()
    romeo.leaves()
  }))
})
