// A conversation becomes a ticket wherever tickets are kept: once under retries, and closed only when it is there.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { BOT, c, config, DESK, SUPPORT, type DeskHouse } from '../harness/desk.ts'
import { BOTH, deskWith, serves, TEAM } from '../harness/talks.ts'
import { HookSink, type Heard } from '../unit/helpdesk/hook-sink.ts'
import { MailSink } from '../unit/helpdesk/mail-sink.ts'

const API = '/api/v1'
const json = (r: ServerResponse, code: number, body: unknown): boolean => { r.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body)); return true }

/** A ticket system that honours no Idempotency-Key, but can be asked for what holds one. */
class System {
  readonly tickets = new Map<number, { title: string; key: string; articles: string[] }>()
  /** Does the work, and then fails. */
  loses = 0
  fails = 0
  serve = (h: Heard, r: ServerResponse): boolean => {
    const key = String(h.headers['idempotency-key'] ?? '')
    if (h.headers.authorization !== 'Token token=s3cret') return json(r, 401, {})
    if (this.fails > 0) { this.fails--; return json(r, 500, {}) }
    if (h.method === 'GET' && h.path.startsWith('/api/v1/tickets/find/')) {
      const found = [...this.tickets].filter(([, t]) => t.key === h.path.slice('/api/v1/tickets/find/'.length))
      return json(r, 200, found.map(([id]) => ({ id })))
    }
    if (h.method === 'GET') return this.tickets.has(Number(h.path.split('/').at(-1))) ? json(r, 200, {}) : json(r, 404, {})
    const body = JSON.parse(h.body) as { title?: string; ticket_id?: number; article?: { body: string }; body?: string } // as the template has it
    let id = body.ticket_id ?? 0
    if (h.path === '/api/v1/tickets') {
      id = 4700 + this.tickets.size + 1
      this.tickets.set(id, { title: body.title ?? '', key, articles: [body.article?.body ?? ''] })
    } else if (!this.tickets.has(id)) return json(r, 404, {})
    else this.tickets.get(id)?.articles.push(body.body ?? '')
    if (this.loses > 0) { this.loses--; r.destroy(); return true }
    return json(r, 201, { id })
  }
}
const withSystem = (play: (d: DeskHouse, system: System) => Promise<void>) => async (): Promise<void> => {
  const [sink, system] = [new HookSink(), new System()]
  const port = await sink.listen()
  sink.always = system.serve
  const settings = { tickets: { kind: 'rest', url: `http://127.0.0.1:${port}`, authorization: 'Token token=s3cret', findPath: '/api/v1/tickets/find/{{key}}' } }
  try { await deskWith(settings, TEAM, d => play(d, system), config(BOTH, { allow: ['127.0.0.0/8'] }))() } finally { await sink.close() }
}

describe('tickets of another system', () => {
  it('OT-30 is made there with the whole public transcript; after a failure the conversation stays open', withSystem(async (d, system) => {
    const anna = await d.comes('anna')
    const zoe = await serves(d, anna, 1, 'zoe', 'my "pump" is broken {{email}}')
    anna.types(c(1), '!n hidden')
    system.fails = 1
    anna.types(c(1), '!ticket')
    await anna.reads(c(1), /could not be written; the conversation stays open/)
    zoe.types(SUPPORT, 'still there?')
    await anna.reads(c(1), 'still there?')
    anna.types(c(1), '!ticket')
    await anna.reads(c(1), /stands in ticket 4701/)
    const [[id, ticket] = []] = system.tickets
    assert.equal(id, 4701)
    assert.equal(ticket?.title, 'my "pump" is broken {{email}}', 'no value becomes a name or structure')
    assert.match(ticket?.articles.join('') ?? '', /broken[\s\S]*still there\?/)
    assert.ok(!/hidden/.test(ticket?.articles.join('') ?? ''))
    assert.equal((await d.rest('GET', `${API}/conversations/1`, 'anna')).body.ticket, 4701)
    assert.deepEqual((await d.rest('GET', `${API}/tickets`, 'anna')).body.tickets.map((t: { number: number }) => t.number), [4701])
    assert.ok(!JSON.stringify((await d.rest('GET', `${API}/settings`, 'adam')).body).includes('s3cret'))
  }))

  it('OT-30 SEC-D18 is made once though the answer was lost', withSystem(async (d, system) => {
    const anna = await d.comes('anna')
    const zoe = await serves(d, anna, 1, 'zoe', 'my pump is broken')
    system.loses = 1
    anna.types(c(1), '!ticket')
    await anna.reads(c(1), /stays open/)
    zoe.types(SUPPORT, 'one more thing')
    await anna.reads(c(1), 'one more thing')
    anna.types(c(1), '!ticket')
    await anna.reads(c(1), /stands in ticket 4701/)
    assert.equal(system.tickets.size, 1)
  }))

  it('SEC-W27 SEC-D20 what the desk noted of what was sent there goes with the customer; it is split there', withSystem(async d => {
    const mia = await d.comes('mia')
    await serves(d, mia, 1, 'zoe', 'my pump is broken')
    mia.types(c(1), '!ticket')
    await mia.reads(c(1), /stands in ticket 4701/)
    assert.equal((await d.rest('POST', `${API}/tickets`, 'mia', { subject: 'A call', body: 'Zoe rang about the pump', queue: 'support' })).status, 201)
    mia.types(BOT, '!split 4701 1 Other')
    await mia.reads(BOT, /Tickets are kept in another system: split it there/)
    const noted = async (): Promise<string> => JSON.stringify(await d.house.stores.documents.range('desk-tickets-sent', DESK, { limit: 99 }))
    assert.equal([...(await noted()).matchAll(/pump/g)].length, 2)
    const { id } = (await d.rest('GET', `${API}/conversations/1/customer`, 'mia')).body
    assert.equal((await d.rest('POST', `${API}/customers/${id}/erase`, 'adam', { confirm: id })).body.left, 0)
    assert.ok(!/pump|Zoe/.test(await noted()))
  }))

  it('OT-31 is appended to a ticket there, once; an unknown number leaves the conversation open', withSystem(async (d, system) => {
    system.tickets.set(12, { title: 'old', key: '', articles: [] })
    const anna = await d.comes('anna')
    await serves(d, anna, 1, 'zoe', 'my pump is broken')
    anna.types(c(1), '!ticket 99')
    await anna.reads(c(1), /no ticket 99; the conversation stays open/)
    assert.equal((await d.rest('GET', `${API}/conversations/1`, 'anna')).body.state, 'active')
    anna.types(c(1), '!ticket 12')
    await anna.reads(c(1), /stands in ticket 12/)
    assert.equal(system.tickets.get(12)?.articles.length, 1)
    assert.equal((await d.rest('GET', `${API}/conversations/1`, 'anna')).body.state, 'closed')
  }))
})

describe('tickets by mail', () => {
  it('OT-30 OT-31 go to the system’s address, once each, with the number in the subject', async () => {
    const sink = new MailSink()
    const port = await sink.listen()
    try {
      await deskWith({ tickets: { kind: 'mail', mailTo: 'tickets@example.org' } }, TEAM, async d => {
        const anna = await d.comes('anna')
        await serves(d, anna, 1, 'zoe', 'my pump is broken')
        anna.types(c(1), '!ticket')
        await anna.reads(c(1), /stands in ticket 1/)
        await serves(d, anna, 2, 'yan', 'the same here')
        anna.types(c(2), '!ticket 1')
        await anna.reads(c(2), /stands in ticket 1/)
        await d.restart()
        const mails = await sink.arrived(2)
        assert.equal(mails.length, 2)
        for (const m of mails) assert.deepEqual([m.to, m.headers.get('subject')], [['tickets@example.org'], '[#1] my pump is broken'])
      }, config(BOTH, { mail: { host: '127.0.0.1', port, tls: 'none', from: 'desk@example.org', name: 'Desk' } }))()
    } finally { await sink.close() }
  })
})

describe('articles over REST', () => {
  it('SEC-D18 stand there once under ten at once with one key, also after a restart; another body is refused', deskWith({}, TEAM, async d => {
    const made = await d.rest('POST', `${API}/tickets`, 'anna', { subject: 'Pump', body: 'first', queue: 'support' }, undefined, { 'idempotency-key': 'make-1' })
    assert.equal(made.status, 201)
    const add = (body: string): ReturnType<DeskHouse['rest']> => d.rest('POST', `${API}/tickets/${made.body.number}/articles`, 'anna', { body }, undefined, { 'idempotency-key': 'add-1' })
    const all = await Promise.all(Array.from({ length: 10 }, () => add('second')))
    assert.deepEqual(all.map(a => a.status), Array(10).fill(201)) // who comes meanwhile waits, and reads the same answer
    assert.equal(new Set(all.map(a => JSON.stringify(a.body))).size, 1)
    await d.restart()
    assert.equal((await add('second')).status, 201)
    assert.equal((await add('other')).status, 422)
    assert.equal((await d.rest('POST', `${API}/tickets`, 'anna', { subject: 'Pump', body: 'first', queue: 'support' }, undefined, { 'idempotency-key': 'make-1' })).body.number, made.body.number)
    const { articles } = (await d.rest('GET', `${API}/tickets/${made.body.number}`, 'anna')).body
    assert.deepEqual(articles.map((a: { body: string }) => a.body), ['first', 'second'])
    assert.equal((await d.rest('POST', `${API}/tickets/99/articles`, 'anna', { body: 'x' })).status, 404)
  }))

  it('SEC-D19 two who change a ticket at once: the second is told, and nothing is lost', deskWith({}, TEAM, async d => {
    const { body: { number } } = await d.rest('POST', `${API}/tickets`, 'anna', { subject: 'Pump', body: 'first', queue: 'support' })
    const { headers } = await d.rest('GET', `${API}/tickets/${number}`, 'anna')
    const etag = headers.get('etag') ?? ''
    assert.equal((await d.rest('PATCH', `${API}/tickets/${number}`, 'anna', { status: 'solved' }, undefined, { 'if-match': etag })).status, 200)
    assert.equal((await d.rest('PATCH', `${API}/tickets/${number}`, 'ben', { status: 'waiting' }, undefined, { 'if-match': etag })).status, 412)
    assert.equal((await d.rest('GET', `${API}/tickets/${number}`, 'ben')).body.status, 'solved')
    assert.equal((await d.rest('PATCH', `${API}/tickets/${number}`, 'ben', { number: 7 })).status, 422)
    assert.equal((await d.rest('PATCH', `${API}/tickets/99`, 'ben', { status: 'x' })).status, 404)
  }))
})
