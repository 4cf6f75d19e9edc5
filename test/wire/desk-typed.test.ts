// Tickets, articles and webhooks by what is typed: listed, changed, merged, split; written; told. And that each article stands in one ticket.
import assert from 'node:assert/strict'
import { BuiltinTickets } from '../../components/helpdesk/tickets/builtin.ts'
import { after, TIMES } from '../harness/crowd.ts'
import { BOT, c, DESK, type DeskHouse, type Person } from '../harness/desk.ts'
import { deskWith, serves, TEAM } from '../harness/talks.ts'

const API = '/api/v1'
type Json = Awaited<ReturnType<DeskHouse['rest']>>['body'] // of any shape
async function does(p: Person, line: string, answer: RegExp, to = BOT): Promise<string> {
  p.types(to, line)
  return (await p.reads(to, answer)).text
}
async function make(d: DeskHouse, subject: string, ...bodies: string[]): Promise<number> {
  const { body: { number } } = await d.rest('POST', `${API}/tickets`, 'mia', { subject, body: bodies[0], queue: 'support' })
  for (const body of bodies.slice(1)) { await d.later(60); assert.equal((await d.rest('POST', `${API}/tickets/${number}/articles`, 'mia', { body })).status, 201) }
  return number
}
const articles = async (d: DeskHouse, n: number): Promise<{ id: string; body: string }[]> => (await d.rest('GET', `${API}/tickets/${n}`, 'mia')).body.articles
const bodies = async (d: DeskHouse, n: number): Promise<string[]> => (await articles(d, n)).map(a => a.body).sort()

describe('tickets by command', () => {
  it('ST-98 ST-104 are listed, shown, changed and merged; who serves another queue knows nothing of them', deskWith({ queues: { money: { agents: ['ben@localhost'] } } }, TEAM, async d => {
    const [anna, mia] = [await d.comes('anna'), await d.comes('mia')]
    await make(d, 'Broken pump', 'it leaks', 'still')
    await make(d, 'Old valve', 'it is old')
    assert.equal((await d.rest('POST', `${API}/tickets`, 'mia', { subject: 'Salaries', body: 'secret', queue: 'money' })).status, 201)
    assert.equal(await does(anna, '!tickets', /·/), '✱ 2 · open · Old valve · Support\n1 · open · Broken pump · Support')
    assert.equal(await does(anna, '!tickets PUMP', /·/), '✱ 1 · open · Broken pump · Support')
    await does(anna, '!tickets nothing', /There are no such tickets\.$/)
    assert.match(await does(anna, '!ticketinfo 1', /^✱ Ticket 1/), /^✱ Ticket 1: Broken pump · open · Support\n1\. \S+ \S+ Mia: it leaks\n2\. \S+ \S+ Mia: still$/)
    await does(anna, '!ticketinfo 3', /There is no ticket 3\./)
    await does(anna, '!ticketstatus 3 closed', /There is no ticket 3\./)
    assert.equal(await does(anna, '!ticketstatus 1 waiting for parts', /Ticket/), '✱ Ticket 1: status waiting for parts.')
    assert.equal(await does(anna, '!tsubject 1 Leaking pump', /Ticket/), '✱ Ticket 1: subject “Leaking pump”.')
    const { status, subject } = (await d.rest('GET', `${API}/tickets/1`, 'anna')).body
    assert.deepEqual([status, subject], ['waiting for parts', 'Leaking pump'])
    await does(anna, '!merge 1 2', /You may not do that/)
    await does(mia, '!merge 1 1', /cannot be merged into itself/)
    await does(mia, '!merge 1 9', /There is no ticket 9/)
    assert.equal(await does(mia, '!merge 1 2', /merged/), '✱ Ticket 1 is merged into 2.')
    assert.deepEqual([await bodies(d, 1), await bodies(d, 2)], [[], ['it is old', 'it leaks', 'still']])
    assert.deepEqual((await d.rest('GET', `${API}/audit`, 'adam')).body.items.slice(0, 3).map((x: Json) => [x.by, x.what, x.on]), [['mia@localhost', 'mergeTicket', '/tickets/1'], ['anna@localhost', 'changeTicket', '/tickets/1'], ['anna@localhost', 'changeTicket', '/tickets/1']])
  }))

  it('are made without a conversation, and added to', deskWith({}, TEAM, async d => {
    const anna = await d.comes('anna')
    await does(anna, '!maketicket nowhere Pump It leaks', /There is no queue “nowhere”/)
    assert.equal(await does(anna, '!maketicket support "The pump" It leaks.\nBadly.', /Ticket/), '✱ Ticket 1 is made, in Support.')
    assert.equal(await does(anna, '!ticketnote 1 The part has come', /ticket 1/), '✱ It stands in ticket 1.')
    await does(anna, '!ticketnote 7 x', /There is no ticket 7/)
    const t = (await d.rest('GET', `${API}/tickets/1`, 'anna')).body
    assert.deepEqual([t.subject, t.queue, t.articles.map((a: Json) => [a.by, a.body]).sort()], ['The pump', 'support', [['anna@localhost', 'It leaks.\nBadly.'], ['anna@localhost', 'The part has come']]])
  }))

  it('ST-104 have their articles in the order in which they came, those of one moment, too; what is split off or merged keeps it', deskWith({}, TEAM, async d => {
    const mia = await d.comes('mia')
    const texts = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight']
    const first = await make(d, 'Pump', 'zero')
    for (const body of texts) assert.equal((await d.rest('POST', `${API}/tickets/${first}/articles`, 'mia', { body })).status, 201)
    const inOrder = async (n: number): Promise<string[]> => (await articles(d, n)).map(a => a.body)
    assert.deepEqual(await inOrder(first), ['zero', ...texts])
    await does(mia, `!split ${first} 3,5,8 Valve`, /Ticket 2 has 3 articles/)
    assert.deepEqual(await inOrder(2), ['two', 'four', 'seven'])
    assert.deepEqual(await inOrder(first), ['zero', 'one', 'three', 'five', 'six', 'eight'])
    await does(mia, `!merge ${first} 2`, /is merged into 2/)
    assert.deepEqual(await inOrder(2), ['zero', ...texts])
  }))

  it('are listed twenty at a time; that there are more is said', deskWith({}, TEAM, async d => {
    const anna = await d.comes('anna')
    for (let i = 1; i <= 20; i++) await make(d, `Pump ${i}`, 'it leaks')
    assert.match(await does(anna, '!tickets', /Pump/), /^✱ 20 · [^]*\n1 · open · Pump 1 · Support$/)
    await make(d, 'Valve', 'it is old')
    assert.match(await does(anna, '!tickets', /Valve/), /^✱ 21 · [^]*\n2 · open · Pump 2 · Support\nThere are more: add a word\.$/)
    assert.match(await does(anna, '!tickets pump', /Pump/), /\n1 · open · Pump 1 · Support$/)
  }))

  it('SEC-A07 over REST need the scope of what they are about, as its own routes do', deskWith({}, TEAM, async d => {
    await make(d, 'Pump', 'first')
    const ask = async (who: string, word: string, body: object, ...scopes: string[]): Promise<number> => (await d.rest('POST', `${API}/commands/${word}`, who, body, scopes)).status
    assert.deepEqual([await ask('mia', 'tickets', {}, 'conversations'), await ask('mia', 'tickets', {}, 'conversations', 'tickets:read'), await ask('mia', 'ticketstatus', { ticket: 1, status: 'x' }, 'conversations', 'tickets:read')], [403, 200, 403])
    assert.deepEqual([await ask('adam', 'addhook', { url: 'https://example.org/hook' }, 'conversations'), await ask('adam', 'hooks', {}, 'conversations', 'settings:read'), await ask('mia', 'bans', {}, 'conversations')], [403, 200, 403])
    assert.equal((await d.rest('GET', `${API}/tickets/1`, 'mia')).body.status, 'open')
  }))
})

describe('a ticket that is split', () => {
  it('SEC-D20 gives the articles that were chosen to a new one, by text and over REST; one stays, and none is in two', deskWith({}, TEAM, async d => {
    const mia = await d.comes('mia')
    await serves(d, mia, 1, 'zoe', 'my pump is broken')
    mia.types(c(1), '!ticket')
    await mia.reads(c(1), /stands in ticket 1/)
    for (const body of ['an invoice', 'another invoice', 'thanks']) { await d.later(60); await d.rest('POST', `${API}/tickets/1/articles`, 'mia', { body }) }
    assert.equal(await does(mia, '!split 1 2,3 The invoices', /Ticket/), '✱ Ticket 2 has 2 articles of ticket 1 now.')
    assert.deepEqual(await bodies(d, 2), ['an invoice', 'another invoice'])
    assert.deepEqual((await bodies(d, 1)).map(b => b.slice(0, 12)), ['Conversation', 'thanks'])
    const { subject, status, queue, customer } = (await d.rest('GET', `${API}/tickets/2`, 'mia')).body
    assert.deepEqual([subject, status, queue, customer], ['The invoices', 'open', 'support', 'Zoe'])
    for (const [line, answer] of [['!split 1 7 x', /Which articles\? Ticket 1 has 1 to 2/], ['!split 1 1,2 x', /One article must stay in ticket 1/], ['!split 9 1 x', /There is no ticket 9/], ['!split 1 1', /Usage/]] as const) await does(mia, line, answer)
    const split = (n: number, ids: readonly string[], key?: string): ReturnType<DeskHouse['rest']> => d.rest('POST', `${API}/tickets/${n}/split`, 'mia', { articles: ids, subject: 'By REST' }, undefined, key === undefined ? {} : { 'idempotency-key': key })
    const [own, left] = [await articles(d, 1), await articles(d, 2)]
    assert.deepEqual([(await split(1, [left[0]!.id])).status, (await split(1, own.map(a => a.id))).status, (await split(1, [])).status, (await split(9, ['x'])).status], [409, 409, 422, 404])
    const first = await split(1, [own[0]!.id], 'once')
    assert.deepEqual([first.status, first.headers.get('location'), first.body.number], [201, '/api/v1/tickets/3', 3])
    assert.equal((await split(1, [own[0]!.id], 'once')).body.number, 3)
    assert.deepEqual([(await bodies(d, 1)), (await bodies(d, 3)).map(b => b.slice(0, 12))], [['thanks'], ['Conversation']])
    assert.equal((await d.rest('POST', `${API}/tickets/1/split`, 'anna', { articles: [own[1]!.id], subject: 'x' })).status, 403)
    // The customer's card knows where it stands, and what is merged back comes back.
    const card = (await d.rest('GET', `${API}/conversations/1/customer`, 'mia')).body
    assert.deepEqual(card.tickets.map((t: Json) => t.number).sort(), [1, 3])
    assert.equal((await d.rest('POST', `${API}/tickets/3/merge`, 'mia', { into: 1 })).status, 204)
    assert.deepEqual([(await bodies(d, 1)).length, await bodies(d, 3)], [2, []])
    assert.equal((await split(3, ['x'])).status, 404)
  }))

  it('SEC-D20 while articles are added and it is merged: each article stands in one', deskWith({}, TEAM, async d => {
    const add = (n: number, body: string, key: string): ReturnType<DeskHouse['rest']> => d.rest('POST', `${API}/tickets/${n}/articles`, 'mia', { body }, undefined, { 'idempotency-key': key })
    for (let i = 0; i < Math.min(TIMES, 30); i++) {
      const [one, two] = [await make(d, `one ${i}`, `a ${i}`), await make(d, `two ${i}`, `z ${i}`)]
      assert.equal((await add(one, `b ${i}`, `k${i}`)).status, 201)
      const b = (await articles(d, one)).find(a => a.body === `b ${i}`)
      const split = after(i % 5).then(() => d.rest('POST', `${API}/tickets/${one}/split`, 'mia', { articles: [b?.id], subject: `three ${i}` }))
      const merge = after(i % 7).then(() => d.rest('POST', `${API}/tickets/${one}/merge`, 'mia', { into: two }))
      const [parted, , added] = await Promise.all([split, merge, after(i % 3).then(() => add(one, `c ${i}`, `l${i}`))])
      assert.ok([201, 404, 409].includes(parted.status), JSON.stringify(parted.body))
      assert.equal(added.status, 201)
      const all = await Promise.all([one, two, ...(parted.status === 201 ? [parted.body.number as number] : [])].map(n => bodies(d, n)))
      assert.deepEqual(all.flat().sort(), [`a ${i}`, `b ${i}`, `c ${i}`, `z ${i}`])
      assert.deepEqual(all[0], [])
      if (parted.status === 201) assert.deepEqual(all[2], [`b ${i}`])
    }
  }))

  it('SEC-D20 a split that a crash cut short is ended at the next start, and an article that comes again follows it', deskWith({}, TEAM, async d => {
    await make(d, 'one', 'a', 'b')
    const { documents } = d.house.stores
    const b = (await articles(d, 1)).find(a => a.body === 'b')
    await documents.put('desk-ticket-splits', DESK, '0000000002', { from: 1, articles: [b?.id], head: { number: 2, subject: 'two', queue: 'support', customer: '', opened: 0 } })
    await d.restart()
    await d.later(1)
    for (let i = 0; i < 100 && (await bodies(d, 1)).length !== 1; i++) await d.quiet()
    assert.deepEqual([await bodies(d, 1), await bodies(d, 2)], [['a'], ['b']])
    // What is tried again under its key goes where it went.
    await new BuiltinTickets(documents, DESK).append(1, { key: b!.id, at: 0, by: 'mia@localhost', conversation: 0, body: 'b, and more' })
    assert.deepEqual([await bodies(d, 1), await bodies(d, 2)], [['a'], ['b, and more']])
  }))
})

describe('articles by command', () => {
  it('ST-49 are listed, read, written, changed and deleted: by managers, read by agents', deskWith({}, TEAM, async d => {
    const [anna, mia] = [await d.comes('anna'), await d.comes('mia')]
    await does(anna, '!addarticle Pumps Press it', /You may not do that/)
    await does(anna, '!articles', /There are no articles/)
    const id = /Article (\w{8}), “How to prime a pump”, is written/.exec(await does(mia, '!addarticle "How to prime a pump" Open the valve.\nThen press the button.', /written/))?.[1] ?? ''
    await does(mia, '!addarticle Valves Turn it.', /written/)
    assert.equal(await does(anna, '!article "how to prime"', /prime a pump/), `✱ ${id} How to prime a pump\nOpen the valve.\nThen press the button.`)
    await does(anna, '!article nonsense', /There is no article “nonsense”/)
    await does(mia, `!editarticle ${id} internal yes`, /is changed/)
    await does(mia, `!editarticle ${id} queues billing`, /is changed/)
    await does(mia, `!editarticle ${id} queues nowhere`, /Not saved\. queues/)
    await does(mia, `!editarticle ${id} url ftp://x`, /Not saved\. url/)
    await does(mia, `!editarticle ${id} url https://kb.example.org/7`, /is changed/)
    assert.equal(await does(anna, '!articles button', /prime/), `✱ ${id} How to prime a pump (internal, Billing) https://kb.example.org/7`)
    const { items } = (await d.rest('GET', `${API}/articles?q=button`, 'anna')).body
    assert.deepEqual([items[0].internal, items[0].queues, items[0].url, items[0].by], [true, ['billing'], 'https://kb.example.org/7', 'mia@localhost'])
    await does(mia, `!editarticle ${id} url`, /is changed/)
    await does(mia, '!delarticle Valves', /Usage/)
    await does(mia, '!delarticle Valves yes', /is deleted/)
    assert.equal(await does(anna, '!articles', /prime/), `✱ ${id} How to prime a pump (internal, Billing)`)
  }))
})

describe('webhooks by command', () => {
  it('are added, listed, turned off and on, given a new secret and deleted by administrators, and noted in the audit', deskWith({}, TEAM, async d => {
    const [mia, adam] = [await d.comes('mia'), await d.comes('adam')]
    await does(mia, '!hooks', /You may not do that/)
    await does(adam, '!hooks', /There are no webhooks/)
    await does(adam, '!addhook http://127.0.0.1/x', /Not saved\. url/)
    await does(adam, '!addhook https://example.org/h conversation.sometimes', /Not saved\. types/)
    const [, id, secret] = /Webhook (\w{12}) https:\/\/example\.org\/h · conversation\.opened, conversation\.closed\. Its secret, shown this once: (\S{43})$/.exec(await does(adam, '!addhook https://example.org/h conversation.opened conversation.closed', /Webhook/)) ?? []
    assert.ok(id !== undefined && secret !== undefined)
    const off = await does(adam, `!edithook ${id} off`, /Webhook/)
    assert.match(off, / · off\.$/)
    assert.equal((await d.rest('GET', `${API}/webhooks/${id}`, 'adam')).body.disabled, true)
    await does(adam, '!edithook https://example.org/h on', /closed\.$/)
    await does(adam, `!edithook ${id} types`, / · all\.$/)
    const rotated = await does(adam, `!edithook ${id} rotate`, /new secret/)
    assert.ok(!rotated.includes(secret))
    assert.equal(await does(adam, '!hooks', /example/), `✱ ${id} https://example.org/h · all`)
    await does(adam, '!delhook nonsense yes', /There is no webhook “nonsense”/)
    await does(adam, `!delhook ${id} yes`, /is deleted/)
    assert.equal((await d.rest('GET', `${API}/webhooks`, 'adam')).body.items.length, 0)
    const audit = JSON.stringify((await d.rest('GET', `${API}/audit`, 'adam')).body)
    for (const what of ['makeWebhook', 'changeWebhook', 'deleteWebhook']) assert.ok(audit.includes(what), what)
    assert.ok(!audit.includes(secret), 'no secret in the audit')
  }))
})

describe('the customer’s card by command', () => {
  it('ST-59 ST-103 SS-09 is filled in and commented on by who may see the conversation, and shown by !who; nothing of it reaches the customer', deskWith({}, TEAM, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben', '<presence><show>away</show></presence>')]
    const zoe = await serves(d, anna, 1, 'zoe', 'my pump is broken')
    await does(ben, '!comment 1 x', /There is no conversation #1 that you could see/)
    await does(anna, '!card email zoe@example.org', /#1 \(Zoe\): email is zoe@example\.org/, c(1))
    await does(anna, '!card email nonsense', /Not saved\. email/, c(1))
    await does(anna, '!card phones 123, 456', /phones is/, c(1))
    await does(anna, '!card manager ben', /manager is ben/, c(1))
    await does(anna, '!card manager nobody', /Not saved\. manager/, c(1))
    await does(anna, '!card priority high', /priority is high/, c(1))
    await does(anna, '!card timezone Europe/Berlin', /timezone is/, c(1))
    await does(anna, '!comment is in a hurry\nand deaf', /The comment is kept/, c(1))
    const card = (await d.rest('GET', `${API}/conversations/1/customer`, 'mia')).body
    assert.deepEqual([card.email, card.phones, card.manager, card.priority, card.timeZone, card.comments.map((x: Json) => x.text)], ['zoe@example.org', ['123', '456'], 'ben@localhost', 'high', 'Europe/Berlin', ['is in a hurry\nand deaf']])
    await does(anna, '!who', /zoe@example\.org · 123 · 456[\s\S]*Account manager: Ben[\s\S]*in a hurry/, c(1))
    await does(anna, '!card phones', /phones is empty now/, c(1))
    assert.deepEqual((await d.rest('GET', `${API}/conversations/1/customer`, 'mia')).body.phones, [])
    await zoe.readsNothing()
  }))

  it('SEC-W27 SEC-W29 an administrator has a copy made, and the person erased', deskWith({}, TEAM, async d => {
    const [anna, adam] = [await d.comes('anna'), await d.comes('adam')]
    await serves(d, anna, 1, 'zoe', 'my pump is broken')
    await does(anna, '!erase yes', /You may not do that/, c(1))
    const link = /(\/api\/v1\/exports\/\S+)/.exec(await does(adam, '!export 1', /once within a day/))?.[1] ?? ''
    assert.equal((await d.rest('GET', link)).body.person.name, 'Zoe')
    assert.equal((await d.rest('GET', link)).status, 404)
    await does(adam, '!erase 1', /Usage/)
    await does(adam, '!erase 1 yes', /The customer of #1 is erased; a second look found nothing/)
    assert.equal((await d.rest('GET', `${API}/conversations/1`, 'adam')).status, 404)
    const [proof] = (await d.rest('GET', `${API}/erasures`, 'adam')).body.items
    assert.deepEqual([proof.left, proof.by, proof.counts.conversations], [0, 'adam@localhost', 1])
  }))

  it('SEC-W27 who was a customer and is an administrator now erases what there is of that time, and goes on', deskWith({}, TEAM, async d => {
    const [anna, adam] = [await d.comes('anna'), await d.comes('adam')]
    const zoe = await serves(d, anna, 1, 'zoe', 'my pump is broken')
    assert.equal((await d.rest('PATCH', `${API}/operators/zoe@localhost`, 'adam', { role: 'admin' })).status, 200)
    await does(zoe, '!erase 1 yes', /The customer of #1 is erased/)
    await does(zoe, '!tickets', /There are no tickets/)
    assert.equal((await d.rest('GET', `${API}/conversations/1`, 'adam')).status, 404)
    await does(adam, '!card 1 email zoe@example.org', /There is no conversation #1 that you could see/)
  }))
})

describe('addresses that are banned by command', () => {
  it('SEC-W12 are an account, a whole domain or a network; managers ban and lift, and who is banned is not let in', deskWith({}, TEAM, async d => {
    const [anna, mia] = [await d.comes('anna'), await d.comes('mia')]
    const zoe = await d.comes('zoe')
    await does(anna, '!banaddress zoe@localhost 1d spam', /You may not do that/)
    for (const whom of ['zoe@localhost', 'evil.example', '192.0.2.0/24', '192.0.2.7']) await does(mia, `!banaddress ${whom} 1d spam`, /may not come in any more, for 1d/)
    for (const [line, answer] of [['!banaddress zoe@localhost/x 1d', /Whom\?/], ['!banaddress 192.0.2.0/33 1d', /Whom\?/], ['!banaddress eve@evil.example soon', /How long\?/], ['!liftban nobody@localhost', /is not banned/]] as const) await does(mia, line, answer)
    assert.deepEqual((await d.rest('GET', `${API}/bans`, 'mia')).body.items.map((b: Json) => b.visitor ?? b.address).sort(), ['192.0.2.0/24', '192.0.2.7', 'evil.example', 'zoe@localhost'])
    zoe.types(`support@${DESK}`, 'hello')
    await zoe.actor.hears`<message type='error'><error><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    await does(mia, '!liftban Zoe@localhost', /may come in again/)
    zoe.types(`support@${DESK}`, 'hello')
    await anna.reads(BOT, /New chat #1/)
  }))
})
