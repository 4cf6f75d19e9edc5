// Archives of accounts (XEP-0313) and their preferences (XEP-0441), over the wire.
import assert from 'node:assert/strict'
import { scene, type Actor } from '../harness/scene.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import type { ArchiveRow } from '../../server/ports/store.ts'
import type { Element as Xml } from 'ltx'

const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }
const MAM = 'urn:xmpp:mam:2'
const RSM = 'http://jabber.org/protocol/rsm'
const DAY = 86_400_000

interface Found { readonly ids: string[]; readonly bodies: string[]; readonly results: Xml[]; readonly fin: Xml; readonly answer: Xml }
let asked = 0

/** Asks `who`'s own archive and gathers what comes until the answer. */
async function page(who: Actor, set = '', fields: Record<string, string | string[]> = {}, more = ''): Promise<Found> {
  const id = `q${++asked}`
  who.says(`<iq type='set' id='${id}'><query xmlns='${MAM}' queryid='${id}'>${submit(fields)}${set && `<set xmlns='${RSM}'>${set}</set>`}${more}</query></iq>`)
  const results: Xml[] = []
  for (;;) {
    const x = await who.next(() => 'the query should be answered')
    if (x.attrs['id'] !== id) {
      assert.equal(x.getChild('result', MAM)?.attrs['queryid'], id, `${String(x)} is no result`)
      assert.equal(x.attrs['from'], who.bare)
      results.push(x.getChild('result', MAM)!)
      continue
    }
    const inner = results.map(r => r.getChild('forwarded', 'urn:xmpp:forward:0')!.getChild('message', 'jabber:client')!)
    return { ids: results.map(r => String(r.attrs['id'])), bodies: inner.map(m => m.getChildText('body') ?? ''), results: inner, fin: x.getChild('fin', MAM) ?? x, answer: x }
  }
}

function submit(fields: Record<string, string | string[]>): string {
  const list = Object.entries(fields)
  if (!list.length) return ''
  const field = (name: string, values: string[]): string => `<field var='${name}'>${values.map(v => `<value>${v.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</value>`).join('')}</field>`
  return `<x xmlns='jabber:x:data' type='submit'>${field('FORM_TYPE', [MAM])}${list.map(([name, v]) => field(name, [v].flat())).join('')}</x>`
}

const refused = (found: Found, condition: string): void => {
  assert.equal(found.answer.attrs['type'], 'error', String(found.answer))
  assert.ok(found.answer.getChild('error')?.getChild(condition, 'urn:ietf:params:xml:ns:xmpp-stanzas'), String(found.answer))
}

/** Romeo says `count` lines to Juliet, who is online and hears them all. */
async function talk(romeo: Actor, juliet: Actor, count: number, first = 1): Promise<void> {
  for (let i = first; i < first + count; i++) romeo.sends`<message type='chat' to='${juliet.bare}' id='m${i}'><body>line ${i}</body></message>`
  for (let i = first; i < first + count; i++) await juliet.receives`<message id='m${i}'><body>line ${i}</body></message>`
  await romeo.fence()
}

describe('message archives', () => {
  it('are searched by words (XEP-0431): all must stand in the body, quoted ones together; pages, and nothing of others', scene({ ...cast, nurse: 'nurse@localhost/kitchen' }, async ({ romeo, juliet, nurse }) => {
    const FULLTEXT = '{urn:xmpp:fulltext:0}fulltext'
    await juliet.comesOnline()
    const said = ['But soft, what light through yonder window breaks?', 'It is the East, and Juliet is the sun.', 'Arise, fair sun, & kill the envious moon', 'The sun rises <here>']
    for (const [i, text] of said.entries()) romeo.sends`<message type='chat' to='${juliet.bare}' id='m${i}'><body>${text}</body><x xmlns='urn:example:sun'>moon</x></message>`
    nurse.sends`<message type='chat' to='${juliet.bare}'><body>the sun is hot</body></message>`
    await Promise.all([romeo.fence(), nurse.fence()])
    assert.deepEqual((await page(romeo, '', { [FULLTEXT]: 'SUN' })).bodies, said.slice(1))
    assert.deepEqual((await page(romeo, '', { [FULLTEXT]: 'moon sun' })).bodies, [said[2]])
    assert.deepEqual((await page(romeo, '', { [FULLTEXT]: '"the sun"' })).bodies, [said[1], said[3]])
    assert.deepEqual((await page(romeo, '', { [FULLTEXT]: 'example' })).bodies, [])
    const counted = async (text: string, set = ''): Promise<string | null | undefined> => (await page(romeo, set, { [FULLTEXT]: text })).fin.getChild('set', 'http://jabber.org/protocol/rsm')?.getChildText('count')
    assert.deepEqual([await counted('sun'), await counted('example'), await counted('sun', '<max>3</max><before/>'), await counted('sun', '<max>2</max>')], ['3', '0', '3', null], 'what stands on one page is counted')
    const first = await page(romeo, '<max>2</max>', { [FULLTEXT]: 'sun', with: juliet.bare })
    assert.deepEqual([first.bodies, first.fin.attrs['complete']], [said.slice(1, 3), undefined])
    const second = await page(romeo, `<max>2</max><after>${first.ids[1]}</after>`, { [FULLTEXT]: 'sun' })
    assert.deepEqual([second.bodies, second.fin.attrs['complete']], [[said[3]], 'true'])
    assert.deepEqual((await page(romeo, '<max>1</max><before/>', { [FULLTEXT]: 'sun' })).bodies, [said[3]])
    refused(await page(romeo, '', { [FULLTEXT]: 'x'.repeat(1001) }), 'bad-request')
    romeo.sends`<iq type='get' id='f'><query xmlns='${MAM}'/></iq>`
    await romeo.hears`<iq type='result' id='f'><query xmlns='${MAM}'><x xmlns='jabber:x:data'><field var='${FULLTEXT}'/></x></query></iq>`
  }))

  it('keep what an account says and hears, each with its time, in order', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    await talk(romeo, juliet, 3)
    juliet.sends`<message type='chat' to='${romeo}' id='r1'><body>a reply</body></message>`
    await romeo.receives`<message id='r1' from='${juliet}'/>`
    await juliet.fence()
    const bodies = ['line 1', 'line 2', 'line 3', 'a reply']
    for (const who of [romeo, juliet]) {
      const all = await page(who)
      assert.deepEqual(all.bodies, bodies)
      assert.deepEqual([...all.ids].sort(), all.ids)
      assert.equal(all.results[0]!.attrs['from'], romeo.jid)
      assert.equal(all.results[0]!.attrs['to'], juliet.bare)
      assert.equal(all.results[0]!.attrs['id'], 'm1')
      assert.equal(all.fin.attrs['complete'], 'true')
      const set = all.fin.getChild('set', RSM)!
      assert.equal(set.getChildText('first'), all.ids[0])
      assert.equal(set.getChildText('last'), all.ids[3])
      assert.equal(set.getChildText('count'), '4')
    }
  }))

  it('keep a note to oneself once', scene(cast, async ({ romeo }) => {
    await romeo.comesOnline()
    romeo.sends`<message type='chat' to='${romeo.bare}' id='n'><body>milk</body></message>`
    await romeo.receives`<message id='n'/>`
    assert.deepEqual((await page(romeo)).bodies, ['milk'])
  }))

  it('keep receipts, markers and encrypted texts, not what only shows a state', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    for (const [id, payload] of Object.entries({
      receipt: `<received xmlns='urn:xmpp:receipts' id='m1'/>`,
      marker: `<displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>`,
      secret: `<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted>`,
      stored: `<attention xmlns='urn:xmpp:attention:0'/><store xmlns='urn:xmpp:hints'/>`,
      typing: `<composing xmlns='http://jabber.org/protocol/chatstates'/>`,
    })) romeo.says(`<message type='chat' to='${juliet.bare}' id='${id}'>${payload}</message>`)
    romeo.says(`<message type='headline' to='${juliet.bare}' id='news'><body>news</body></message>`)
    romeo.says(`<message type='error' to='${juliet}' id='broken'><body>x</body><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
    await romeo.fence()
    await juliet.fence()
    for (const who of [romeo, juliet]) assert.deepEqual((await page(who)).results.map(m => m.attrs['id']), ['receipt', 'marker', 'secret', 'stored'])
  }))

  it('SEC-M14 keep nothing that its sender wants unkept, and deliver it', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    for (const hint of ['no-store', 'no-permanent-store']) {
      romeo.says(`<message type='chat' to='${juliet.bare}' id='${hint}'><body>x</body><${hint} xmlns='urn:xmpp:hints'/></message>`)
      await juliet.receives`<message id='${hint}'><body>x</body></message>`
    }
    romeo.says(`<message to='${juliet}' id='come'><body>come</body><x xmlns='jabber:x:conference' jid='room@rooms.localhost'/></message>`)
    await juliet.receives`<message id='come'/>`
    await romeo.fence()
    for (const who of [romeo, juliet]) assert.deepEqual((await page(who)).bodies, [])
  }))

  it('keep nothing for the recipient that goes back to the sender', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline(`<presence to='${romeo.bare}'/>`) // he may know that there is no such device
    await juliet.comesOnline()
    romeo.sends`<message to='${juliet.bare}/attic' id='lost'><body>lost</body></message>`
    await romeo.receives`<message type='error' id='lost'/>`
    assert.deepEqual((await page(juliet)).bodies, [])
    assert.deepEqual((await page(romeo)).bodies, ['lost'])
  }))

  it('SEC-M01 are nobody else\'s to read', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    await talk(romeo, juliet, 1)
    for (const [type, what] of [['set', 'query'], ['get', 'query'], ['get', 'metadata'], ['get', 'prefs'], ['set', 'prefs']]) {
      romeo.says(`<iq type='${type}' id='spy' to='${juliet.bare}'><${what} xmlns='${MAM}'/></iq>`)
      await romeo.receives`<iq type='error' id='spy' from='${juliet.bare}'><error><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    }
    await juliet.receivesNothing()
  }))

  it('SEC-M02 give pages of a hundred at most, and refuse a max that is no number', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    await talk(romeo, juliet, 105)
    const all = await page(romeo, '<max>100000</max>')
    assert.equal(all.bodies.length, 100)
    assert.notEqual(all.fin.attrs['complete'], 'true')
    assert.equal(all.fin.getChild('set', RSM)!.getChildText('count'), '105')
    assert.equal((await page(romeo)).bodies.length, 100)
    for (const max of ['-1', 'abc']) refused(await page(romeo, `<max>${max}</max>`), 'bad-request')
    const none = await page(romeo, '<max>0</max>')
    assert.deepEqual(none.bodies, [])
    assert.equal(none.fin.getChild('set', RSM)!.getChildText('count'), '105')
    assert.equal(none.fin.getChild('set', RSM)!.getChild('first'), undefined)
  }))

  it('are paged forwards, backwards from the end, and to nothing more', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    await talk(romeo, juliet, 5)
    const first = await page(romeo, '<max>2</max>')
    assert.deepEqual(first.bodies, ['line 1', 'line 2'])
    assert.equal(first.fin.getChild('set', RSM)!.getChild('first')!.attrs['index'], '0')
    const second = await page(romeo, `<max>2</max><after>${first.ids[1]}</after>`)
    assert.deepEqual(second.bodies, ['line 3', 'line 4'])
    const third = await page(romeo, `<max>2</max><after>${second.ids[1]}</after>`)
    assert.deepEqual([third.bodies, third.fin.attrs['complete']], [['line 5'], 'true'])
    const nothing = await page(romeo, `<after>${third.ids[0]}</after>`)
    assert.deepEqual([nothing.bodies, nothing.fin.attrs['complete']], [[], 'true'])
    const last = await page(romeo, '<max>2</max><before/>')
    assert.deepEqual(last.bodies, ['line 4', 'line 5'])
    assert.equal(last.fin.getChild('set', RSM)!.getChild('first')!.attrs['index'], undefined, 'slixmpp takes it for the end of the list')
    const older = await page(romeo, `<max>9</max><before>${last.ids[0]}</before>`)
    assert.deepEqual([older.bodies, older.fin.attrs['complete']], [['line 1', 'line 2', 'line 3'], 'true'])
    const flipped = await page(romeo, '<max>2</max>', {}, '<flip-page/>')
    assert.deepEqual(flipped.bodies, ['line 2', 'line 1'])
    assert.equal(flipped.fin.getChild('set', RSM)!.getChildText('first'), first.ids[0])
  }))

  it('are searched by the other side, by time and by id', scene({ ...cast, nurse: 'nurse@localhost/kitchen' }, async ({ romeo, juliet, nurse }, house) => {
    await juliet.comesOnline()
    await talk(romeo, juliet, 2)
    await house.clock.advance(60_000)
    const noon = new Date(house.clock.now()).toISOString()
    await house.clock.advance(60_000)
    nurse.sends`<message type='chat' to='${juliet}' id='n1'><body>madam</body></message>`
    await juliet.receives`<message id='n1'/>`
    await nurse.fence()
    const all = await page(juliet)
    assert.deepEqual(all.bodies, ['line 1', 'line 2', 'madam'])
    const bodies = async (fields: Record<string, string | string[]>): Promise<string[]> => (await page(juliet, '', fields)).bodies
    assert.deepEqual(await bodies({ with: romeo.bare }), ['line 1', 'line 2'])
    assert.deepEqual(await bodies({ with: nurse.jid }), ['madam'])
    assert.deepEqual(await bodies({ with: `${nurse.bare}/attic` }), [])
    assert.deepEqual(await bodies({ start: noon }), ['madam'])
    assert.deepEqual(await bodies({ end: noon }), ['line 1', 'line 2'])
    assert.deepEqual(await bodies({ start: noon, with: romeo.bare }), [])
    assert.deepEqual(await bodies({ 'after-id': all.ids[0]! }), ['line 2', 'madam'])
    assert.deepEqual(await bodies({ 'after-id': all.ids[0]!, 'before-id': all.ids[2]! }), ['line 2'])
    assert.deepEqual(await bodies({ ids: [all.ids[2]!, all.ids[0]!] }), ['line 1', 'madam'])
    assert.deepEqual(await bodies({ 'include-groupchat': 'true', with: nurse.bare }), ['madam'])
    refused(await page(juliet, '', { 'free-text': 'madam' }), 'feature-not-implemented')
  }))

  it('SEC-M03 SEC-M04 refuse what is no id, no address and no time', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    await talk(romeo, juliet, 1)
    for (const odd of [`' OR 1=1--`, '{"$ne":1}', '$where', '0000000000']) {
      for (const set of [`<after>${odd}</after>`, `<before>${odd}</before>`]) refused(await page(romeo, set), 'item-not-found')
      for (const field of ['after-id', 'before-id', 'ids']) refused(await page(romeo, '', { [field]: odd }), 'item-not-found')
      for (const field of ['start', 'end']) refused(await page(romeo, '', { [field]: odd }), 'bad-request')
    }
    refused(await page(romeo, '', { with: `' OR 1=1--` }), 'bad-request')
    assert.deepEqual((await page(romeo, '', { with: 'nobody@nowhere.example' })).bodies, [])
    const mine = await page(romeo)
    const hers = await page(juliet)
    refused(await page(romeo, `<after>${hers.ids[0]}</after>`), 'item-not-found')
    refused(await page(romeo, '', { ids: [mine.ids[0]!, hers.ids[0]!] }), 'item-not-found')
  }))

  it('SEC-M05 bear true ids alone: what others wrote in the account\'s name is gone', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    romeo.sends`<message type='chat' to='${juliet.bare}' id='f'><body>x</body>
      <stanza-id xmlns='urn:xmpp:sid:0' by='${juliet.bare}' id='forged'/><stanza-id xmlns='urn:xmpp:sid:0' by='JULIET@localhost' id='forged too'/>
      <stanza-id xmlns='urn:xmpp:sid:0' by='room@elsewhere.example' id='theirs'/><origin-id xmlns='urn:xmpp:sid:0' id='o1'/></message>`
    const got = await juliet.receives`<message id='f'><stanza-id xmlns='urn:xmpp:sid:0' by='room@elsewhere.example' id='theirs'/><origin-id xmlns='urn:xmpp:sid:0' id='o1'/></message>`
    const ids = got.getChildren('stanza-id', 'urn:xmpp:sid:0').filter(e => String(e.attrs['by']).toLowerCase() === juliet.bare).map(e => e.attrs['id'])
    assert.deepEqual(ids, (await page(juliet)).ids)
    romeo.sends`<message type='chat' to='${juliet.bare}' id='s'><body>x</body><no-store xmlns='urn:xmpp:hints'/><stanza-id xmlns='urn:xmpp:sid:0' by='${juliet.bare}' id='forged'/></message>`
    assert.equal((await juliet.receives`<message id='s'/>`).getChild('stanza-id', 'urn:xmpp:sid:0'), undefined)
  }))

  it('SEC-M10 show each message once, in order, to one who reads while many write', scene(cast, async ({ juliet }, house) => {
    await juliet.comesOnline()
    const writers = await Promise.all(Array.from({ length: 8 }, (_, w) => house.actor(`w${w}`, `w${w}@localhost/x`)))
    const each = 25
    const writing = writers.map(async (w, n) => {
      for (let i = 0; i < each; i++) { w.sends`<message type='chat' to='${juliet.bare}'><body>${n}:${i}</body></message>`; if (i % 5 === 4) await w.fence() }
    })
    const reader = await house.actor('reader', 'juliet@localhost/study')
    const read: string[] = []
    for (let after = '', all = false; read.length < each * writers.length; ) {
      const next = await page(reader, `<max>10</max>${after && `<after>${after}</after>`}`)
      read.push(...next.bodies)
      after = next.ids.at(-1) ?? after
      if (!all && next.fin.attrs['complete'] === 'true') { await Promise.all(writing); all = true }
    }
    assert.equal(new Set(read).size, each * writers.length)
    for (let n = 0; n < writers.length; n++) assert.deepEqual(read.filter(b => b.startsWith(`${n}:`)), Array.from({ length: each }, (_, i) => `${n}:${i}`))
  }))

  it('SEC-M11 keep a message once that its client sends again, and say its first id again', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    const ids = new Set<string>()
    for (let i = 0; i < 5; i++) {
      romeo.sends`<message type='chat' to='${juliet.bare}' id='m'><body>once</body><origin-id xmlns='urn:xmpp:sid:0' id='o'/></message>`
      ids.add(String((await juliet.receives`<message id='m'/>`).getChild('stanza-id', 'urn:xmpp:sid:0')!.attrs['id']))
    }
    romeo.sends`<message type='chat' to='${juliet.bare}' id='m'><body>another</body><origin-id xmlns='urn:xmpp:sid:0' id='o'/></message>`
    await juliet.receives`<message id='m'><body>another</body></message>`
    await romeo.fence()
    for (const who of [romeo, juliet]) assert.deepEqual((await page(who)).bodies, ['once', 'another'])
    assert.deepEqual([...ids], [(await page(juliet)).ids[0]])
  }))

  it('SEC-M12 say the same id in the archive, the carbon and the offline message', scene({ ...cast, phone: 'romeo@localhost/phone' }, async ({ romeo, phone }, house) => {
    const idBy = (x: Xml | undefined, by: string): unknown => x?.getChildren('stanza-id', 'urn:xmpp:sid:0').find(e => e.attrs['by'] === by)?.attrs['id']
    await phone.comesOnline()
    await house.account('nurse')
    phone.sends`<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>`
    await phone.receives`<iq type='result' id='c'/>`
    romeo.sends`<message type='chat' to='nurse@localhost' id='m'><body>when she wakes</body></message>`
    const carbon = await phone.hears`<message from='romeo@localhost'><sent xmlns='urn:xmpp:carbons:2'/></message>`
    const inner = carbon.getChild('sent', 'urn:xmpp:carbons:2')!.getChild('forwarded', 'urn:xmpp:forward:0')!.getChild('message', 'jabber:client')
    assert.equal(idBy(inner, 'romeo@localhost'), (await page(romeo)).ids[0])
    await romeo.fence()
    const nurse = await house.actor('nurse', 'nurse@localhost/kitchen')
    const [id] = (await page(nurse)).ids
    nurse.says('<presence/>')
    const late = await nurse.hears`<message id='m'><delay xmlns='urn:xmpp:delay'/></message>`
    assert.equal(idBy(late, 'nurse@localhost'), id)
    assert.equal(idBy(late, 'romeo@localhost'), undefined)
  }))

  it('SEC-M13 forget what is older than the retention', scene(cast, async ({ romeo, juliet }, house) => {
    await juliet.comesOnline()
    await talk(romeo, juliet, 1)
    await house.clock.advance(20 * DAY)
    await talk(romeo, juliet, 1, 2)
    await house.clock.advance(11 * DAY + 1)
    assert.deepEqual((await page(romeo)).bodies, ['line 2'])
    await house.clock.advance(20 * DAY)
    assert.deepEqual((await page(romeo)).bodies, [])
  }, { pluginOptions: { mam: { keep: 30 * DAY } } }))

  it('follow the account\'s preferences', scene({ ...cast, nurse: 'nurse@localhost/kitchen' }, async ({ romeo, juliet, nurse }) => {
    await juliet.comesOnline()
    juliet.sends`<iq type='get' id='p'><prefs xmlns='${MAM}'/></iq>`
    await juliet.receives`<iq type='result' id='p'><prefs xmlns='${MAM}' default='always'><always/><never/></prefs></iq>`
    juliet.sends`<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='${nurse.bare}'/></query></iq>`
    await juliet.hears`<iq type='result' id='r'/>`
    const say = async (id: string): Promise<void> => {
      for (const who of [romeo, nurse]) { who.sends`<message type='chat' to='${juliet.bare}' id='${id}'><body>${id} ${who.name}</body></message>`; await juliet.hears`<message id='${id}'/>`; await who.fence() }
    }
    juliet.sends`<iq type='set' id='s'><prefs xmlns='${MAM}' default='roster'/></iq>`
    await juliet.hears`<iq type='result' id='s'><prefs xmlns='${MAM}' default='roster'/></iq>`
    await say('roster')
    juliet.sends`<iq type='set' id='s2'><prefs xmlns='${MAM}' default='always'><never><jid>${nurse.bare}</jid></never></prefs></iq>`
    await juliet.hears`<iq type='result' id='s2'/>`
    await say('never')
    juliet.sends`<iq type='set' id='s3'><prefs xmlns='${MAM}' default='never'><always><jid>${romeo}</jid></always></prefs></iq>`
    await juliet.hears`<iq type='result' id='s3'><prefs default='never' xmlns='${MAM}'><always><jid>${romeo}</jid></always><never/></prefs></iq>`
    await say('always')
    assert.deepEqual((await page(juliet)).bodies, ['roster nurse', 'never romeo', 'always romeo'])
    for (const bad of [`<prefs xmlns='${MAM}' default='sometimes'/>`, `<prefs xmlns='${MAM}'/>`]) {
      juliet.says(`<iq type='set' id='bad'>${bad}</iq>`)
      await juliet.receives`<iq type='error' id='bad'><error><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    }
  }))

  it('tell what they can: features, form, where they begin and end', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    romeo.sends`<iq type='get' id='d' to='${romeo.bare}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await romeo.receives`<iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='${MAM}'/><feature var='${MAM}#extended'/><feature var='urn:xmpp:sid:0'/></query></iq>`
    romeo.sends`<iq type='get' id='f'><query xmlns='${MAM}'/></iq>`
    await romeo.receives`<iq type='result' id='f'><query xmlns='${MAM}'><x xmlns='jabber:x:data' type='form'>
      <field var='FORM_TYPE' type='hidden'><value>${MAM}</value></field><field var='with' type='jid-single'/><field var='start' type='text-single'/><field var='end' type='text-single'/>
      <field var='before-id'/><field var='after-id'/><field var='ids' type='list-multi'><validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:string'><open/></validate></field></x></query></iq>`
    romeo.sends`<iq type='get' id='e'><metadata xmlns='${MAM}'/></iq>`
    assert.deepEqual((await romeo.receives`<iq type='result' id='e'><metadata xmlns='${MAM}'/></iq>`).getChild('metadata', MAM)!.children, [])
    await talk(romeo, juliet, 3)
    const { ids } = await page(romeo)
    romeo.sends`<iq type='get' id='m'><metadata xmlns='${MAM}'/></iq>`
    await romeo.receives`<iq type='result' id='m'><metadata xmlns='${MAM}'><start id='${ids[0]}'/><end id='${ids[2]}'/></metadata></iq>`
  }))

  it('SEC-E10 serve four queries of a session at a time', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    await talk(romeo, juliet, 2)
    romeo.says(Array.from({ length: 30 }, (_, i) => `<iq type='set' id='e${i}'><query xmlns='${MAM}'/></iq>`).join(''))
    const answers: Xml[] = []
    while (answers.length < 30) { const x = await romeo.next(); if (x.name === 'iq') answers.push(x) }
    const late = answers.filter(a => a.attrs['type'] === 'error')
    assert.ok(late.length > 0 && late.length <= 26)
    for (const a of late) assert.equal(a.getChild('error')?.attrs['type'], 'wait')
    assert.deepEqual((await page(romeo)).bodies, ['line 1', 'line 2'])
  }))

  it('hold back the acknowledgement until the message is committed, and nothing else', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    const gate = Promise.withResolvers<void>()
    const append = (row: ArchiveRow): Promise<void> => gate.promise.then(() => stores.archive.append(row))
    await scene(cast, async ({ romeo, juliet }) => {
      await juliet.comesOnline()
      romeo.says(`<enable xmlns='urn:xmpp:sm:3'/>`)
      assert.equal((await romeo.next()).name, 'enabled')
      romeo.says(`<message type='chat' to='${juliet.bare}' id='m'><body>x</body></message><r xmlns='urn:xmpp:sm:3'/>`)
      await juliet.receives`<message id='m'><body>x</body></message>`
      assert.deepEqual((await romeo.fence()).filter(x => x.name === 'a'), [])
      gate.resolve()
      await romeo.hears`<a xmlns='urn:xmpp:sm:3'/>`
    }, { stores: { ...stores, archive: { ...stores.archive, append } } })()
  })

  it('end a page early whose messages are long', scene(cast, async ({ romeo, juliet }) => {
    await juliet.comesOnline()
    const long = 'x'.repeat(200_000)
    for (let i = 0; i < 4; i++) { romeo.sends`<message type='chat' to='${juliet.bare}'><body>${i}${long}</body></message>`; await juliet.next() }
    await romeo.fence()
    const first = await page(juliet)
    assert.deepEqual([first.bodies.map(b => b[0]), first.fin.attrs['complete']], [['0', '1'], undefined])
    assert.deepEqual((await page(juliet, '<before/>')).bodies.map(b => b[0]), ['2', '3'])
  }))
})
