// One person, erased wherever the desk has anything of them, and copied from the same places; nothing of others goes, and the logs still say what was.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BuiltinTickets } from '../../components/helpdesk/tickets/builtin.ts'
import type { Article } from '../../components/helpdesk/tickets/port.ts'
import { muc } from '../../components/muc/muc.ts'
import { mount } from '../../server/component/mount.ts'
import { silent } from '../../server/ports/log.ts'
import { BOT, c, config, DESK, type DeskHouse, type Person, SUPPORT } from '../harness/desk.ts'
import { leaves } from '../harness/bridge.ts'
import { Crowd, settles, after as turns } from '../harness/crowd.ts'
import { replay } from '../harness/invariants.ts'
import { until } from '../harness/patience.ts'
import { BOTH, deskWith, serves, TEAM } from '../harness/talks.ts'
import { MailSink } from '../unit/helpdesk/mail-sink.ts'

const API = '/api/v1'
const ROOMS = 'rooms.localhost'
type Json = Awaited<ReturnType<DeskHouse['rest']>>['body'] // of any shape
/** Every collection that the desk's code names: a new one is looked into without being told of. */
const folder = join(import.meta.dirname, '../../components/helpdesk')
const COLLECTIONS = [...new Set(readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(f => f.endsWith('.ts')).flatMap(f => [...readFileSync(join(folder, f), 'utf8').matchAll(/'(desk-[a-z-]+)'/g)].map(m => m[1] ?? '')))]
const PEOPLE = ['anna', 'ben', 'carl', 'mia', 'adam', 'zoe', 'yan']

/** All that is kept anywhere, as one text for each place. */
async function kept(d: DeskHouse): Promise<Map<string, string>> {
  const { documents, search, archive, offline, rosters } = d.house.stores
  const found = new Map<string, string>()
  const owners = [DESK, ...['support', 'billing'].map(q => `${DESK}/${q}`), ...[1, 2, 3, 4, 5].flatMap(n => [`${DESK}/${n}`, `${DESK}/c${n}`, `${DESK}/im${n}`])]
  for (const collection of COLLECTIONS) for (const owner of owners) for (const x of await documents.range(collection, owner, { limit: 500 })) found.set(`${collection} ${owner} ${x.id}`, JSON.stringify(x))
  for (const who of PEOPLE) {
    const owner = `${who}@localhost`
    for (const row of (await archive.query({ owner, limit: 2000 })).rows) found.set(`archive ${who} ${row.id}`, row.stanza)
    for (const row of await offline.list(owner)) found.set(`offline ${who} ${row.id}`, row.stanza)
    if (who !== 'zoe') for (const item of (await rosters.load(owner)).items) found.set(`roster ${who} ${item.jid}`, JSON.stringify(item))
  }
  found.set('search', JSON.stringify(await search.find(`${DESK}/conversations`, { limit: 100 })))
  for (const stream of ['assignment', 'c1', 'c2', 'c3', 'c4']) found.set(`log ${stream}`, JSON.stringify(await d.house.stores.events.load(`${DESK}/${stream}`)))
  return found
}
const about = (all: Map<string, string>, word: RegExp): string[] => [...all].filter(([place, text]) => word.test(text) || word.test(place)).map(([place, text]) => `${place}: ${text.slice(0, 300)}`)
const HERS = /pump|gasket|\bZoe\b|zoe@(?!localhost\/)|Zoe’s/

/** A day at the desk with something of Zoe in every place there is. */
async function day(d: DeskHouse): Promise<{ id: string; anna: Person; zoe: Person }> {
  const ask = async (method: string, path: string, body: unknown, status = 200, who = 'adam'): Promise<Json> => { const a = await d.rest(method, API + path, who, body, undefined, { 'idempotency-key': `${method}${path.replace(/[^a-z]/g, '')}` }); assert.equal(a.status, status, JSON.stringify(a.body)); return a.body }
  await ask('PATCH', '/settings', { offline: { operators: ['anna@localhost'] } })
  await ask('PATCH', '/operators/anna@localhost', { email: 'anna@example.org' })
  // She leaves a message while nobody is there, and looks at the queue.
  const zoe = await d.comes('zoe')
  assert.equal((await leaves(zoe, { body: 'please call about the pump', attrs: { name: 'Zoe', email: 'zoe@example.net', id: 'm1' } })).attrs['type'], 'result')
  zoe.actor.sends`<presence type='subscribe' to='${SUPPORT}'/>`
  await zoe.actor.hears`<presence from='${SUPPORT}/desk'/>`
  // Carl serves her, then gives her to Anna, and is no operator any more.
  const carl = await d.comes('carl')
  zoe.types(SUPPORT, 'my pump is broken since Monday')
  await carl.reads(BOT, /New chat #1/)
  carl.types(BOT, '!a')
  await carl.reads(c(1), /my pump is broken/)
  carl.types(c(1), '!n a secret gasket')
  const anna = await d.comes('anna')
  carl.types(c(1), '!t anna')
  await anna.reads(BOT, /transfer/)
  anna.types(BOT, '!a')
  await anna.reads(c(1), /my pump is broken/)
  await d.quiet()
  await d.house.stores.accounts.update({ ...(await d.house.stores.accounts.find('localhost', 'carl'))!, role: undefined! })
  d.house.host.tellPeople()
  await until(async () => { await d.quiet(); return (await d.rest('GET', `${API}/operators/carl@localhost`, 'adam')).status === 404 }, 'Carl is no operator any more')
  // Agents talk of her: Ben is not there and finds it when he comes.
  for (const line of ['!im ben #1 what shall I tell her?', '!im ben Zoe is a difficult one', '!im ben,mia lunch at noon?']) { anna.types(BOT, line); await anna.reads(BOT, /Ben|Mia/) }
  const yan = await serves(d, anna, 2, 'yan', 'an invoice of mine')
  anna.types(BOT, '!im ben #2 as with Zoe Miller then')
  await anna.reads(BOT, /Ben/)
  yan.actor.leaves()
  const { id } = await ask('GET', '/conversations/1/customer', undefined)
  await ask('PATCH', `/customers/${id}`, { email: 'zoe@example.org', website: 'https://zoe.example.org' })
  await ask('POST', `/customers/${id}/comments`, { text: 'Zoe is in a hurry' }, 201)
  anna.types(c(1), '!ticket')
  await anna.reads(c(1), /stands in ticket 1/)
  await ask('POST', '/tickets/1/articles', { body: 'Zoe has called back' }, 201)
  await ask('POST', `/customers/${id}/export`, {}, 201)
  await ask('POST', '/bans', { visitor: 'zoe@localhost' }, 201)
  await d.later(3)
  return { id, anna, zoe }
}
/** The same desk beside a room service. */
const withRooms = (play: (d: DeskHouse) => Promise<void>): (() => Promise<void>) => deskWith({}, TEAM, async d => {
  const { house } = d
  await using _rooms = await mount(muc({ makers: [DESK] }), { domain: ROOMS, clock: house.clock, log: silent, stores: house.stores, limits: house.host.limits, privileges: house.privileges(ROOMS) }, house.router)
  await play(d)
})
/** A mail server that takes nothing now: what is sent waits. */
const withMail = (play: (d: DeskHouse) => Promise<void>) => async (): Promise<void> => {
  const sink = new MailSink()
  for (let i = 0; i < 20; i++) sink.answers.push({ code: 451, text: 'later' })
  const port = await sink.listen()
  try { await deskWith({}, { ...TEAM, carl: 'agent' }, play, config(BOTH, { mail: { host: '127.0.0.1', port, tls: 'none', from: 'desk@example.org', name: 'Desk' } }))() } finally { await sink.close() }
}

describe('a person who is erased', () => {
  it('SEC-W27 is nowhere any more: off-line messages, talks of agents, archives of who was an operator, messages that wait; nothing of others goes, and a proof stays', withMail(async d => {
    const { id, anna, zoe } = await day(d)
    const before = await kept(d)
    for (const place of ['desk-left ', 'desk-thread-lines', 'archive carl', 'archive zoe', 'offline ben', 'desk-mails ', 'desk-tickets', 'desk-customer-cards', 'desk-watchers', 'desk-bans', 'desk-idempotency']) assert.ok(about(before, HERS).some(p => p.startsWith(place)), `${place} should have something of her`)
    const done = await d.rest('POST', `${API}/customers/${id}/erase`, 'adam', { confirm: id })
    assert.equal(done.status, 200)
    await d.later(3)
    const after = await kept(d)
    const left = about(after, HERS).filter(p => !p.startsWith(`desk-thread-lines ${DESK}/im4`) && !/^(archive|offline) (anna|ben) .*as with Zoe Miller/.test(p))
    assert.deepEqual(left, [])
    const { counts } = done.body
    for (const [kind, least] of [['talks', 2], ['waiting', 2], ['archived', 8], ['messages', 1], ['mails', 1], ['articles', 1], ['traces', 4], ['conversations', 1]] as const) assert.ok(counts[kind] >= least, `${kind}: ${JSON.stringify(counts)}`)
    assert.equal(done.body.left, 0)
    const proofs = await d.rest('GET', `${API}/erasures`, 'adam')
    assert.deepEqual(proofs.body.items, [{ ...done.body, by: 'adam@localhost' }], 'the proof is kept')
    assert.equal((await d.rest('GET', `${API}/erasures`, 'mia')).status, 403)
    // What was remembered without being kept is gone, too.
    await zoe.all()
    for (const presence of ["<presence type='unavailable'/>", '<presence/>']) { anna.actor.says(presence); await anna.actor.fence(); await d.quiet() }
    assert.ok(!(await zoe.actor.fence()).some(x => String(x.attrs['from']).startsWith(SUPPORT)), 'no presence of the queue comes')
    assert.ok(!(await d.rest('GET', `${API}/lists/customers`, 'mia')).body.items?.some((x: Json) => x.jid === 'zoe@localhost'))
    // Nothing of Yan, and nothing else that agents said, has changed.
    for (const [place, text] of before) if (/an invoice of mine|lunch at noon/.test(text)) assert.equal(after.get(place), text, place)
    assert.ok([...after.values()].some(text => text.includes('lunch at noon')))
  }))

  it('SEC-D29 stays erased: the logs replayed from zero are the live state, after the erasure and after the next start', withMail(async d => {
    const { id } = await day(d)
    assert.equal((await d.rest('POST', `${API}/customers/${id}/erase`, 'adam', { confirm: id })).status, 200)
    await d.later(3)
    const compared = async (): Promise<void> => {
      const replayed = await replay(d.house.stores, DESK, 4)
      await settles(d, replayed)
      const gone = replayed.states.get(1)
      assert.ok(gone && gone.is === 'closed' && gone.purged !== undefined)
      assert.equal((await d.rest('GET', `${API}/conversations/1`, 'mia')).status, 404)
      assert.deepEqual((await d.rest('GET', `${API}/conversations?q=pump`, 'mia')).body.conversations, [])
      assert.equal((await d.rest('GET', `${API}/conversations/2`, 'mia')).body.state, 'active')
      assert.deepEqual(about(await kept(d), /pump|gasket|zoe@example/), [])
    }
    await compared()
    await d.restart()
    await d.later(3)
    await compared()
  }))

  it('SEC-W27 is erased to the end by the next start if a crash came between', withMail(async d => {
    const { id } = await day(d)
    await d.house.stores.documents.put('desk-erasures', DESK, 'torn', { begun: 1, by: 'adam@localhost', customer: id })
    await d.restart()
    await d.later(3)
    assert.equal((await d.rest('GET', `${API}/customers/${id}`, 'adam')).status, 404)
    assert.deepEqual(about(await kept(d), /pump|gasket|zoe@example/), [])
    const torn = (await d.house.stores.documents.get<{ left: number; proof: string; counts: Record<string, number> }>('desk-erasures', DESK, 'torn'))?.value
    assert.deepEqual([torn?.left, torn?.counts['conversations'], torn?.proof.length], [0, 1, 64])
  }))

  it('SEC-W27 who writes while being erased is somebody new, and nothing is left of the old', deskWith({}, TEAM, async d => {
    await d.comes('anna')
    const crowd = await Crowd.of(d)
    for (let i = 1; i <= 10; i++) {
      const n = await crowd.begins(`v${i}`, `my pump number ${i} is broken`)
      await d.quiet()
      const { id } = (await d.rest('GET', `${API}/conversations/${n}/customer`, 'mia')).body
      const says = turns(i % 4).then(() => crowd.begins(`v${i}`, 'hello again'))
      const [erased, again] = await Promise.all([d.rest('POST', `${API}/customers/${id}/erase`, 'adam', { confirm: id }), says])
      assert.deepEqual([erased.status, erased.body.left], [200, 0])
      const now = await d.rest('GET', `${API}/conversations/${again}/customer`, 'mia')
      if (again === n) assert.equal(now.status, 404) // it was said before, and went with the rest
      else { assert.notEqual(now.body.id, id); assert.equal((await d.rest('POST', `${API}/conversations/${again}/commands/close`, 'mia', {})).status, 200) }
    }
    await d.later(3)
    assert.deepEqual(about(await kept(d), /pump number/), [])
  }))

  it('SEC-W27 nothing is written on the card of who is being erased', deskWith({}, TEAM, async d => {
    await serves(d, await d.comes('anna'), 1, 'zoe', 'my pump is broken')
    const { id } = (await d.rest('GET', `${API}/conversations/1/customer`, 'mia')).body
    const { documents } = d.house.stores
    const get = documents.get.bind(documents)
    const [reached, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    documents.get = async <T>(collection: string, owner: string, key: string) => {
      const found = await get<T>(collection, owner, key)
      if (collection === 'desk-customer-cards') { reached.resolve(); await go.promise }
      return found
    }
    const commented = d.rest('POST', `${API}/customers/${id}/comments`, 'mia', { text: 'a secret of hers' })
    await reached.promise
    const erasing = d.rest('POST', `${API}/customers/${id}/erase`, 'adam', { confirm: id })
    await Promise.race([erasing, turns(2000)]) // it ends before the comment is kept, or waits for it
    go.resolve()
    assert.deepEqual([(await erasing).body.left, (await commented).status], [0, 201])
    documents.get = get
    assert.deepEqual(about(await kept(d), /secret/), [])
    for (const [path, more] of [['', { website: 'https://secret.example.org' }], ['/comments', { text: 'a secret' }]] as const) assert.equal((await d.rest(path === '' ? 'PATCH' : 'POST', `${API}/customers/${id}${path}`, 'mia', more)).status, 404)
  }))

  it('SEC-W27 SEC-D20 an article that is on its way to another ticket goes, too', deskWith({}, TEAM, async d => {
    const { documents } = d.house.stores
    for (let i = 0; i < 12; i++) {
      const tickets = new BuiltinTickets(documents, `desk${i}.localhost`)
      const said = (k: number, conversation: number): Article => ({ key: `a${k}`, at: k, by: 'anna@localhost', conversation, body: `the secret of ${conversation}` })
      const head = { subject: 'Pump', queue: 'support', customer: 'Zoe' }
      const [one, two] = [await tickets.open(head, said(1, 7)), await tickets.open(head, said(2, 8))]
      for (const k of [3, 4, 5]) await tickets.append(one, said(k, 7))
      const moved = i % 2 === 0 ? tickets.merge(one, two) : tickets.split(one, { articles: ['a3', 'a4'], subject: 'Other', key: 's', at: 9 })
      await Promise.all([moved, turns(i * 3).then(() => tickets.forget(7))])
      const left = await Promise.all([1, 2, 3].map(n => tickets.get(n)))
      assert.deepEqual(left.flatMap(t => t?.articles ?? []).map(a => a.conversation), [8])
    }
  }))

  it('SEC-W27 SEC-D20 a split that a crash cut short brings nothing back', deskWith({}, TEAM, async d => {
    const { documents } = d.house.stores
    const tickets = new BuiltinTickets(documents, 'other.localhost')
    for (const key of ['a', 'b']) assert.ok(await tickets.open({ subject: 'Pump', queue: 'support', customer: 'Zoe' }, { key, at: 0, by: 'anna@localhost', conversation: 0, body: 'it leaks' }))
    await documents.put('desk-ticket-splits', 'other.localhost', '0000000003', { from: 1, articles: ['a'], head: { number: 3, subject: 'Zoe’s pump', queue: 'support', customer: 'Zoe', opened: 0 } })
    assert.equal(await tickets.about(text => text.includes('Zoe'), true), 5) // three heads, two articles
    await tickets.resume()
    assert.ok(!JSON.stringify(await Promise.all([1, 2, 3].map(n => tickets.get(n)))).includes('Zoe'))
  }))

  it('SEC-W27 SEC-W29 is gone from the agents’ permanent rooms, for who is in them and for who comes later, and from tickets that belong to no conversation', withRooms(async d => {
    const anna = await d.comes('anna')
    await serves(d, anna, 1, 'zoe', 'my pump is broken since Monday')
    const yan = await serves(d, anna, 2, 'yan', 'an invoice of mine')
    const [ben, mia] = [await d.comes('ben'), await d.comes('mia')]
    mia.types(BOT, '!makeroom Lounge anna,ben')
    await mia.reads(BOT, /Room Lounge/)
    const room = `lounge@${ROOMS}`
    const enters = async (p: Person): Promise<string[]> => {
      p.actor.sends`<presence to='${room}/${p.actor.name}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`
      await p.actor.hears`<message type='groupchat' from='${room}'><subject/></message>`
      return p.all()
    }
    await enters(anna)
    const say = (text: string): void => { anna.actor.sends`<message type='groupchat' to='${room}' id='${text.slice(0, 8)}'><body>${text}</body></message>` }
    for (const text of ['Zoe is a difficult one', 'lunch at noon?', 'look at #1, a gasket', 'and #2 as with Zoe then']) { say(text); await anna.reads(room, text) }
    const make = async (body: object): Promise<number> => { const made = await d.rest('POST', `${API}/tickets`, 'mia', { queue: 'support', ...body }); assert.equal(made.status, 201); return made.body.number }
    const [hers, named, other] = [await make({ subject: 'A phone call', body: 'she rang', customer: 'Zoe' }), await make({ subject: 'Pumps', body: 'Zoe has one, too' }), await make({ subject: 'Phones', body: 'somebody rang' })]
    await d.rest('POST', `${API}/tickets/${named}/articles`, 'mia', { body: 'all of them rust' })
    const { id } = (await d.rest('GET', `${API}/conversations/1/customer`, 'mia')).body
    const copy = (await d.rest('GET', (await d.rest('POST', `${API}/customers/${id}/export`, 'adam', {})).body.link)).body
    assert.deepEqual([copy.beside.rooms, copy.beside.tickets], [2, 3])
    assert.ok(!/difficult|gasket|rang/.test(JSON.stringify(copy)))
    await anna.all()
    const { body: done } = await d.rest('POST', `${API}/customers/${id}/erase`, 'adam', { confirm: id })
    assert.deepEqual([done.counts.rooms, done.counts.tickets, done.left], [2, 3, 0])
    for (let i = 0; i < 2; i++) await anna.actor.hears`<message type='groupchat' from='${room}'><retract xmlns='urn:xmpp:message-retract:1'/></message>`
    assert.deepEqual((await enters(ben)).filter(t => t.startsWith('lounge')), ['lounge: lunch at noon?', 'lounge: and #2 as with Zoe then'])
    const archive = (await d.house.stores.archive.query({ owner: room, limit: 100 })).rows.map(r => r.stanza)
    assert.deepEqual([archive.filter(x => /lunch|as with/.test(x)).length, archive.filter(x => /difficult|gasket/.test(x))], [2, []])
    const ticket = async (n: number): Promise<Json> => (await d.rest('GET', `${API}/tickets/${n}`, 'mia')).body
    assert.deepEqual([(await ticket(hers)).subject, (await ticket(hers)).customer, (await ticket(hers)).articles], ['Erased', 'Erased', []])
    assert.deepEqual([(await ticket(named)).subject, (await ticket(named)).articles.map((a: Json) => a.body)], ['Pumps', ['all of them rust']])
    assert.deepEqual((await ticket(other)).articles.map((a: Json) => a.body), ['somebody rang'])
    await yan.readsNothing()
  }))

  it('SEC-W27 goes from the archive of a room though the room service cannot be asked', deskWith({}, TEAM, async d => {
    const anna = await d.comes('anna')
    await serves(d, anna, 1, 'zoe', 'my pump is broken since Monday')
    const room = `lounge@${ROOMS}`
    await d.house.stores.documents.put('desk-rooms', DESK, 'lounge', { local: 'lounge', jid: room, name: 'Lounge', by: 'mia@localhost', created: 0, grants: [], members: [] })
    await d.house.stores.archive.append({ owner: room, id: 'a1', at: 1, with: `${room}/anna`, stanza: `<message type='groupchat' from='${room}/anna'><body>Zoe is a difficult one</body></message>` })
    await d.restart()
    const { id } = (await d.rest('GET', `${API}/conversations/1/customer`, 'adam')).body
    const { body: done } = await d.rest('POST', `${API}/customers/${id}/erase`, 'adam', { confirm: id })
    assert.deepEqual([done.counts.rooms, done.left], [1, 0])
    assert.deepEqual((await d.house.stores.archive.query({ owner: room, limit: 9 })).rows, [])
  }))

  it('SEC-W27 who only left a message has a record, too, and can be erased', withMail(async d => {
    await d.rest('PATCH', `${API}/settings`, 'adam', { offline: { operators: ['anna@localhost'] } })
    await d.rest('PATCH', `${API}/operators/anna@localhost`, 'adam', { email: 'anna@example.org' })
    const zoe = await d.comes('zoe')
    await leaves(zoe, { body: 'please call about the pump', attrs: { name: 'Zoe', email: 'zoe@example.net', id: 'm1' } })
    const { id } = (await d.house.stores.documents.range<{ id: string }>('desk-customers', DESK, { limit: 9 }))[0]?.value ?? { id: '' }
    const { body } = await d.rest('POST', `${API}/customers/${id}/erase`, 'adam', { confirm: id })
    assert.deepEqual([body.counts.messages, body.left], [1, 0])
    assert.deepEqual(about(await kept(d), HERS), [])
  }))
})

describe('the copy of one person', () => {
  it('SEC-W29 is taken from the same places as the erasure, and shows nothing that agents said among themselves', withMail(async d => {
    const { id } = await day(d)
    const { body: { link } } = await d.rest('POST', `${API}/customers/${id}/export`, 'adam', {})
    const { body } = await d.rest('GET', link)
    assert.deepEqual([body.person.name, body.person.email, body.person.website], ['Zoe', 'zoe@example.org', 'https://zoe.example.org'])
    assert.deepEqual(body.messages.map((m: Json) => [m.email, m.text]), [['zoe@example.net', 'please call about the pump']])
    assert.deepEqual(body.conversations.map((x: Json) => x.number), [1])
    assert.ok(body.conversations[0].lines.some((l: Json) => l.from === 'you' && l.text === 'my pump is broken since Monday'))
    assert.equal(body.tickets[0].number, 1)
    assert.match(body.tickets[0].articles[0].text, /my pump is broken/)
    const erased = await d.rest('POST', `${API}/customers/${id}/erase`, 'adam', { confirm: id })
    for (const kind of ['talks', 'archived', 'waiting', 'mails', 'traces']) assert.ok(body.beside[kind] > 0 && erased.body.counts[kind] >= body.beside[kind] - 1, `${kind}: ${body.beside[kind]} told, ${erased.body.counts[kind]} erased`)
    assert.ok(!/gasket|difficult|hurry|invoice|lunch/.test(JSON.stringify(body)))
  }))
})
