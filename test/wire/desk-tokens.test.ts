// Signing in over REST: a password for a token that is soon over, so many tries, one's own tokens, and what a token does not reach.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { makeToken, tokenKeeper, tokenReader } from '../../app/tokens.ts'
import { SCOPES } from '../../components/helpdesk/api/scopes.ts'
import { BOT, c, config, desk, SUPPORT, type DeskHouse } from '../harness/desk.ts'

const API = '/api/v1'
const STAFF = { anna: 'agent', ben: 'agent', boss: 'admin' } as const
const PASSWORD = 'pw' // of every account of the harness

interface Answer { status: number; body: any; headers: Headers } // JSON of any shape
const signIn = (d: DeskHouse, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => d.rest('POST', `${API}/tokens`, undefined, body, undefined, headers)
async function as(d: DeskHouse, token: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const r = await fetch(`${await d.url()}${API}${path}`, { method, headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  return { status: r.status, headers: r.headers, body: await r.json().catch(() => undefined) }
}
const tokenOf = async (d: DeskHouse, name: string, more: object = {}): Promise<string> => { const { status, body } = await signIn(d, { name, password: PASSWORD, ...more }); assert.equal(status, 201, JSON.stringify(body)); return body.token }

describe('signing in over REST', () => {
  it('a name and a password give a token for twelve hours, or as long as was asked; the account’s rights hold', desk(STAFF, async d => {
    const { status, body, headers } = await signIn(d, { name: 'anna', password: PASSWORD, label: 'Anna’s laptop' })
    assert.equal(status, 201)
    assert.deepEqual([body.jid, body.role, body.scopes, Math.round((Date.parse(body.expires) - d.house.clock.now()) / 1000)], ['anna@localhost', 'agent', null, 12 * 3600])
    assert.deepEqual([headers.get('location'), headers.get('cache-control')], [`${API}/tokens/${body.id}`, 'no-store'])
    assert.equal((await as(d, body.token, 'GET', '/me')).body.jid, 'anna@localhost')
    assert.equal((await as(d, body.token, 'GET', '/settings')).status, 403)
    const short = await tokenOf(d, 'boss@localhost', { seconds: 60 })
    assert.equal((await as(d, short, 'GET', '/settings')).status, 200)
    await d.later(61)
    assert.equal((await as(d, short, 'GET', '/settings')).status, 401)
    assert.equal((await as(d, body.token, 'GET', '/me')).status, 200)
    await d.later(12 * 3600)
    assert.equal((await as(d, body.token, 'GET', '/me')).status, 401)
  }))

  it('SEC-A06 a token reaches its scopes only, is listed without its text, and is over when it is ended', desk(STAFF, async d => {
    const narrow = await tokenOf(d, 'boss', { scopes: ['settings:read', 'tickets'] })
    assert.equal((await as(d, narrow, 'GET', '/settings')).status, 200)
    assert.equal((await as(d, narrow, 'PATCH', '/settings', {})).status, 403)
    assert.equal((await as(d, narrow, 'GET', '/tickets')).status, 200)
    assert.equal((await as(d, narrow, 'GET', '/tokens')).status, 403)
    const [one, two, annas] = [await tokenOf(d, 'boss'), await tokenOf(d, 'boss', { label: 'phone' }), await tokenOf(d, 'anna')]
    const { body: { items } } = await as(d, one, 'GET', '/tokens')
    assert.deepEqual(items.map((t: { label: string }) => t.label).sort(), [null, null, 'phone'].sort())
    assert.deepEqual(items.filter((t: { current: boolean }) => t.current).length, 1)
    for (const t of [one, two, narrow]) assert.ok(!JSON.stringify(items).includes(t))
    assert.ok(!JSON.stringify(await d.house.stores.documents.range('token', 'localhost', { limit: 100 })).includes(two), 'kept as a hash')
    const phone = items.find((t: { label: string }) => t.label === 'phone').id
    assert.equal((await as(d, annas, 'DELETE', `/tokens/${phone}`)).status, 404, 'another’s')
    assert.equal((await as(d, one, 'DELETE', `/tokens/${phone}`)).status, 204)
    assert.equal((await as(d, two, 'GET', '/me')).status, 401)
    assert.equal((await as(d, one, 'DELETE', `/tokens/${phone}`)).status, 404)
    assert.equal((await as(d, narrow, 'DELETE', '/tokens/current')).status, 204, 'whatever it reaches, it can end itself')
    assert.equal((await as(d, narrow, 'GET', '/settings')).status, 401)
    assert.equal((await as(d, one, 'GET', '/me')).status, 200)
  }))

  it('a new password, or a disabled account, ends what was begun with the old one', desk(STAFF, async d => {
    const [anna, ben] = [await tokenOf(d, 'anna'), await tokenOf(d, 'ben')]
    assert.equal((await d.rest('PATCH', `${API}/operators/anna@localhost`, 'boss', { password: 'another one' })).status, 200)
    assert.equal((await as(d, anna, 'GET', '/me')).status, 401)
    assert.equal((await signIn(d, { name: 'anna', password: PASSWORD })).status, 401)
    assert.equal((await signIn(d, { name: 'anna', password: 'another one' })).status, 201)
    assert.equal((await d.rest('PATCH', `${API}/operators/ben@localhost`, 'boss', { disabled: true })).status, 200)
    assert.equal((await as(d, ben, 'GET', '/me')).status, 401)
    assert.equal((await signIn(d, { name: 'ben', password: PASSWORD })).status, 401)
  }))

  it('whether a name exists, serves or is disabled cannot be told without its password', desk({ ...STAFF, off: 'agent' }, async d => {
    await d.comes('zoe') // an account without a role
    await d.rest('PATCH', `${API}/operators/off@localhost`, 'boss', { disabled: true })
    const wrong = await Promise.all(['anna', 'boss', 'zoe', 'off', 'nobody', 'anna@elsewhere.example', '@@', 'desk@help.localhost'].map(name => signIn(d, { name, password: 'guess' })))
    for (const w of wrong) assert.deepEqual([w.status, w.body], [401, wrong[0]?.body])
    assert.equal((await signIn(d, { name: 'zoe', password: PASSWORD })).status, 403, 'who has shown his password is told')
  }))

  it('SEC-A07 the eleventh failure of a quarter of an hour for one account, and the forty-first from one address, is refused and written down; for a name without an account it is the same', desk(STAFF, async d => {
    for (const name of ['anna', 'nobody']) {
      for (let i = 0; i < 10; i++) assert.equal((await signIn(d, { name, password: `guess ${i}` })).status, 401)
      const more = await signIn(d, { name, password: PASSWORD })
      assert.deepEqual([more.status, Number(more.headers.get('retry-after')) > 800], [429, true])
      assert.deepEqual(more.body, (await signIn(d, { name, password: 'guess' })).body)
    }
    assert.equal((await signIn(d, { name: 'ben', password: PASSWORD })).status, 201, 'others are not kept out')
    for (let i = 0; i < 20; i++) assert.equal((await signIn(d, { name: `guessed${i}`, password: 'guess' })).status, 401)
    assert.equal((await signIn(d, { name: 'boss', password: PASSWORD })).status, 429, 'nobody more from this address')
    const audit = (await d.rest('GET', `${API}/audit`, 'boss')).body
    const refused = JSON.stringify(audit).match(/signInRefused/g)
    assert.equal(refused?.length, 1, 'a flood does not fill the audit')
    assert.ok(!JSON.stringify(audit).includes('guess '))
    await d.later(15 * 60 + 1)
    assert.equal((await signIn(d, { name: 'anna', password: PASSWORD })).status, 201)
  }))

  it('SEC-A07 many guesses in the same moment are not more than ten', desk(STAFF, async d => {
    const all = await Promise.all(Array.from({ length: 30 }, (_, i) => signIn(d, { name: 'anna', password: `guess ${i}` })))
    assert.equal(all.filter(a => a.status === 401).length, 10)
    assert.equal(all.filter(a => a.status === 429).length, 20)
  }))

  it('where whoever keeps the passwords cannot be asked, nobody is told that theirs is wrong, and nothing is counted', desk(STAFF, async d => {
    const { host, stores, clock } = d.house
    let lost = true
    host.keyring = tokenKeeper(stores, 'localhost', clock, undefined, undefined, async local => lost ? 'unavailable' : { user: local })
    const asks = (): Promise<Answer> => as(d, 'none', 'POST', '/tokens', { name: 'anna', password: 'hers' })
    for (let i = 0; i < 12; i++) {
      const { status, headers } = await asks()
      assert.deepEqual([status, headers.get('retry-after')], [503, '30'])
    }
    lost = false
    assert.equal((await asks()).status, 201)
  }))

  it('SEC-A06 who was let in by a directory is asked for the password again after an hour: what is locked there is not heard of here', desk(STAFF, async d => {
    const { host, stores, clock } = d.house
    host.tokens = tokenReader(stores, 'localhost', clock)
    let known = true
    host.keyring = tokenKeeper(stores, 'localhost', clock, undefined, undefined, async local => known ? { user: local } : 'refused')
    const asks = (more: object = {}): Promise<Answer> => as(d, 'none', 'POST', '/tokens', { name: 'anna', password: 'hers', ...more })
    const lasts = (a: Answer): number => Math.round((Date.parse(a.body.expires) - clock.now()) / 1000)
    const first = await asks()
    assert.deepEqual([first.status, lasts(first), lasts(await asks({ seconds: 86_400 })), lasts(await asks({ seconds: 60 }))], [201, 3600, 3600, 60])
    known = false
    await d.later(3599)
    assert.equal((await as(d, first.body.token, 'GET', '/me')).status, 200)
    await d.later(1)
    assert.equal((await as(d, first.body.token, 'GET', '/me')).status, 401)
    assert.equal((await asks()).status, 401)
  }))

  it('the same Idempotency-Key begins one session; it needs the password again, and does not show the token again', desk(STAFF, async d => {
    const key = { 'idempotency-key': 'k1' }
    const first = await signIn(d, { name: 'anna', password: PASSWORD }, key)
    const again = await signIn(d, { name: 'anna', password: PASSWORD }, key)
    assert.deepEqual([again.status, again.body.id, again.body.token, again.headers.get('idempotent-replayed')], [201, first.body.id, null, 'true'])
    assert.equal((await signIn(d, { name: 'anna', password: 'guess' }, key)).status, 401)
    assert.equal((await signIn(d, { name: 'anna', password: PASSWORD, seconds: 100 }, key)).status, 422)
    assert.equal((await as(d, first.body.token, 'GET', '/tokens')).body.items.length, 1 )
  }))

  it('SEC-A07 who signs in reads of their own tokens, however many others have', desk(STAFF, async d => {
    const { stores, clock } = d.house
    const { documents } = stores
    for (let i = 0; i < 300; i++) await makeToken(stores, 'localhost', { jid: `user${i}@localhost`, created: clock.now() })
    const first = await tokenOf(d, 'anna', { label: 'first' })
    let rows = 0
    const range = documents.range.bind(documents)
    documents.range = async <T>(...args: Parameters<typeof range>) => { const found = await range<T>(...args); rows += found.length; return found }
    try {
      const second = await tokenOf(d, 'anna', { label: 'second' })
      const labels = async (token: string): Promise<string[]> => (await as(d, token, 'GET', '/tokens')).body.items.map((t: { label: string }) => t.label).sort()
      assert.deepEqual(await labels(second), ['first', 'second'])
      assert.equal((await as(d, first, 'DELETE', '/tokens/current')).status, 204)
      assert.deepEqual(await labels(second), ['second'])
      assert.ok(rows < 20, `${rows} documents read`)
    } finally { documents.range = range }
  }))

  it('a sign-in stands in the audit with where it came from, and without the token', desk(STAFF, async d => {
    const token = await tokenOf(d, 'anna')
    const audit = JSON.stringify((await d.rest('GET', `${API}/audit`, 'boss')).body)
    assert.match(audit, /"by":"anna@localhost","from":"127\.0\.0\.1","what":"signIn"/)
    assert.ok(!audit.includes(token))
  }))

  it('what is no wish to sign in is refused with what is wrong', desk(STAFF, async d => {
    const ok = { name: 'anna', password: PASSWORD }
    for (const [body, pointer] of [
      [{}, '/name'], [[], '/name'], [{ name: 'anna' }, '/password'], [{ ...ok, name: { $ne: null } }, '/name'], [{ ...ok, password: ['secret'] }, '/password'], [{ ...ok, password: '' }, '/password'], [{ ...ok, scopes: ['tickets:reed'] }, '/scopes'],
      [{ ...ok, scopes: 'tickets' }, '/scopes'], [{ ...ok, scopes: [] }, '/scopes'], [{ ...ok, seconds: 1e9 }, '/seconds'], [{ ...ok, seconds: '60' }, '/seconds'], [{ ...ok, label: 'a\nb' }, '/label'], [{ ...ok, role: 'admin' }, '/role'],
    ] as const) {
      const a = await signIn(d, body)
      assert.deepEqual([a.status, a.body.errors?.[0]?.pointer], [422, pointer], JSON.stringify(body))
    }
    assert.match((await signIn(d, { ...ok, scopes: ['tickets:reed'] })).body.title, /"tickets:reed" is no scope: take some of .*tickets:read/)
  }))

  it('every scope is asked for by some route, and no route asks for another', desk(STAFF, async d => {
    const { body } = await d.rest('GET', `${API}/openapi.json`)
    const used = new Set([...JSON.stringify(body).matchAll(/Scope ([a-z]+:[a-z]+)/g)].map(m => m[1]))
    for (const route of readFileSync(new URL('../../components/helpdesk/api/rest.ts', import.meta.url), 'utf8').matchAll(/door\.on\('\w+', '[^']+', '([a-z:]+)'/g)) used.add(route[1])
    assert.deepEqual([...used].sort(), [...SCOPES].sort())
  }))

  it('SEC-A02 whatever is done to a conversation one may not see is answered as if there were none: no name, no state, nothing changed', desk(STAFF, async d => {
    const anna = await d.comes('anna')
    await d.comes('ben')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await anna.reads(BOT, /#1/)
    anna.types(BOT, '!take 1')
    await anna.reads(c(1), 'hello')
    await d.quiet()
    const { body } = await d.rest('GET', `${API}/openapi.json`)
    const before = (await d.rest('GET', `${API}/conversations/1`, 'boss')).body
    const sample: Readonly<Record<string, unknown>> = { to: 'ben', who: 'ben', text: 'x', queue: 'billing', shortcut: 'x', confirm: 'yes', name: 'x', value: 'x', seq: 1 }
    let tried = 0
    for (const [path, ops] of Object.entries(body.paths as Record<string, Record<string, { requestBody?: { content: Record<string, { schema: { required?: string[]; properties?: Record<string, { enum?: string[] }> } }> } }>>)) {
      if (!path.startsWith('/conversations/{n}')) continue
      for (const [m, op] of Object.entries(ops)) {
        const schema = op.requestBody?.content['application/json']?.schema
        const payload = m === 'get' || m === 'delete' ? undefined : Object.fromEntries((schema?.required ?? []).map(k => [k, schema?.properties?.[k]?.enum?.[0] ?? sample[k] ?? '1']))
        const ask = (n: string): Promise<Answer> => d.rest(m.toUpperCase(), `${API}${path.replace('{n}', n).replace(/\{\w+\}/g, 'x')}${m === 'delete' ? '?confirm=true' : ''}`, 'ben', payload)
        const [hidden, none] = [await ask('1'), await ask('999')]
        assert.deepEqual([hidden.status, hidden.body], [none.status, none.body], `${m} ${path}`)
        assert.ok(hidden.status === 404 || hidden.status === 403, `${m} ${path}: ${hidden.status}`)
        assert.doesNotMatch(JSON.stringify(hidden.body), /anna|zoe|support/i)
        tried++
      }
    }
    assert.ok(tried > 30, `${tried}`)
    assert.deepEqual((await d.rest('GET', `${API}/conversations/1`, 'boss')).body, before)
    const denied = ((await d.rest('GET', `${API}/audit?limit=200`, 'boss')).body.items as { by: string; what: string; on: string; from: string }[]).filter(x => x.what === 'denied')
    assert.ok(denied.length > 5 && denied.length <= 20, `${denied.length}: it is written down, and does not fill the audit`)
    assert.ok(denied.every(x => x.by === 'ben@localhost' && x.from === '127.0.0.1'))
    assert.ok(denied.some(x => x.on === `GET ${API}/conversations/1/lines`))
  }, config({ support: { assign: 'pull' }, billing: { assign: 'pull' } })))
})
