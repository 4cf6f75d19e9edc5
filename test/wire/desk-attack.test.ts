// What somebody tries who has a token, or none: operators instead of values, another department's ids, cookies, redirects, forged mail.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import settings from '../../schemas/desk-settings.json' with { type: 'json' }
import { makeToken } from '../../app/tokens.ts'
import { BOT, config, desk, SUPPORT, type DeskHouse } from '../harness/desk.ts'
import { tempFolder } from '../harness/folder.ts'

const API = '/api/v1'
const STAFF = { anna: 'agent', ben: 'agent', mia: 'manager', boss: 'admin' } as const
const BOTH = config({ support: { assign: 'pull' }, billing: { assign: 'pull' } })
/** What a store with a query language could take for a question, and what JavaScript takes for a text. */
const EVIL: readonly unknown[] = [{ $ne: null }, { $regex: '^a' }, { $gt: '' }, { $where: '1' }, [{ $ne: null }], ['a', 'b'], { toString: 'x' }, { length: 1 }, 1e308, -1, 0.5, true]

interface Answer { status: number; body: any; headers: Headers } // JSON of any shape
interface Operation { readonly security?: readonly object[]; readonly parameters?: readonly { readonly in: string; readonly name: string }[]; readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Shape }>> } }
interface Shape { readonly type?: string | readonly string[]; readonly enum?: readonly unknown[]; readonly required?: readonly string[]; readonly properties?: Readonly<Record<string, Shape>>; readonly items?: Shape; readonly $ref?: string; readonly additionalProperties?: unknown }

/** Asks with one and the same token. */
async function asks(d: DeskHouse, local: string): Promise<(method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>> {
  await d.rest('GET', `${API}/openapi.json`)
  const { text } = await makeToken(d.house.stores, 'localhost', { jid: `${local}@localhost`, created: d.house.clock.now() })
  const url = await d.url()
  return async (method, path, body, headers = {}) => {
    const r = await fetch(`${url}${API}${path}`, { method, redirect: 'manual', headers: { authorization: `Bearer ${text}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    const said = await r.text()
    return { status: r.status, headers: r.headers, body: said.startsWith('{') ? JSON.parse(said) : said }
  }
}
const operations = async (d: DeskHouse): Promise<[method: string, path: string, op: Operation][]> =>
  Object.entries((await d.rest('GET', `${API}/openapi.json`)).body.paths as Record<string, Record<string, Operation>>).flatMap(([path, ops]) => Object.entries(ops).map(([m, op]): [string, string, Operation] => [m.toUpperCase(), path, op]))

/** One of each thing that there can be; where a path names one, this one is meant. */
async function furnished(d: DeskHouse): Promise<Readonly<Record<string, string>>> {
  const anna = await d.comes('anna')
  const zoe = await d.comes('zoe')
  zoe.types(SUPPORT, 'hello')
  await anna.reads(BOT, /#1/)
  anna.types(BOT, '!take 1')
  await anna.reads('c1@help.localhost', 'hello')
  await d.quiet()
  const boss = await asks(d, 'boss')
  const made = async (path: string, body: unknown): Promise<any> => { const { status, body: b } = await boss('POST', path, body); assert.ok(status < 300, `${path}: ${status} ${JSON.stringify(b)}`); return b } // JSON of any shape
  await boss('PATCH', '/settings', { departments: { sales: { queues: ['support'] } }, brands: { acme: {} }, sites: { shop: { origins: ['https://shop.example.org'] } }, links: { footer: { title: 'Footer' } }, fields: { order: { label: 'Order' } }, events: { gone: { title: 'Gone', commands: ['!n gone'] } } })
  await boss('POST', '/macros', { id: 'refund', title: 'Refund', steps: ['!n refund'] })
  const customer = (await boss('GET', '/conversations/1/customer')).body.id
  return {
    '/conversations': '1', '/tickets': String((await made('/tickets', { subject: 'One', body: 'One', queue: 'support' })).number), '/queues': 'billing', '/departments': 'sales', '/brands': 'acme', '/sites': 'shop', '/links': 'footer', '/roles': 'agent', '/fields': 'order', '/events': 'gone', '/macros': 'refund',
    '/operators': 'ben@localhost', '/canned': (await made('/canned', { shortcut: 'hi1', text: 'Hi' })).id, '/articles': (await made('/articles', { title: 'A', text: 'B' })).id, '/bans': (await made('/bans', { visitor: 'eve@evil.example' })).id,
    '/customers': customer, '/webhooks': (await made('/webhooks', { url: 'https://hooks.example.org/x', types: ['*'] })).id, '/threads': '1', '/rooms': 'none', '/lists': 'queue', '/exports': 'none', '/tokens': 'none',
  }
}
const filled = (path: string, ids: Readonly<Record<string, string>>): string => path.replace(/\{(?:n|id|jid|list|key)\}/, encodeURIComponent(ids[`/${path.split('/')[1]}`] ?? 'nothing')).replace('{name}', 'order')

/** Every row of every table of the store. */
async function picture(d: DeskHouse): Promise<string> {
  const folder = tempFolder('picture')
  try {
    await (d.house.stores as unknown as { backup(file: string): Promise<void> }).backup(join(folder, 'x.sqlite')) // the harness opens SQLite
    using db = new DatabaseSync(join(folder, 'x.sqlite'), { readOnly: true })
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name").all() as { name: string }[]
    return tables.map(({ name }) => `${name}\n${db.prepare(`SELECT * FROM "${name}"`).all().map(r => JSON.stringify(r, (_, v: unknown) => v instanceof Uint8Array ? Buffer.from(v).toString('hex') : typeof v === 'bigint' ? String(v) : v)).join('\n')}`).join('\n')
  } finally { rmSync(folder, { recursive: true, force: true }) }
}

const isText = (s: Shape): boolean => s.type === 'string' || (Array.isArray(s.type) && s.type.includes('string') && !s.type.includes('object') && !s.type.includes('array')) || (s.enum?.every(v => v === null || typeof v === 'string') ?? false)
const VALUES: Readonly<Record<string, unknown>> = { who: ['ben@localhost'], grants: ['queue:support'], into: 2, active: true, user: 'carl', number: '2', to: 'ben', queue: 'billing', confirm: 'yes', choices: ['a'] }
const value = (name: string, s: Shape): unknown => VALUES[name] ?? s.enum?.[0] ?? (s.type === 'integer' ? 1 : s.type === 'boolean' ? true : s.type === 'array' ? [] : s.type === 'object' ? {} : 'text')

describe('what an attacker sends', () => {
  it('SEC-H16 an operator, a list or a number where a text belongs is refused on every field of every route, as anything malformed is, and changes nothing', desk(STAFF, async d => {
    const ids = await furnished(d)
    const boss = await asks(d, 'boss')
    let tried = 0
    const taken: string[] = []
    for (const [method, path, op] of await operations(d)) {
      const schema = op.requestBody?.content['application/json']?.schema
      if (!schema?.properties || path === '/tokens') continue
      const base = Object.fromEntries((schema.required ?? []).map(k => [k, value(k, schema.properties?.[k] ?? {})]))
      for (const [k, s] of Object.entries(schema.properties)) {
        if (!isText(s)) continue
        for (const evil of EVIL) {
          if (path.includes('/commands/') && typeof evil === 'number') continue // numbers stand for their digits there
          const { status, body } = await boss(method, filled(path, ids), { ...base, [k]: evil })
          if (![400, 403, 404, 409, 410, 422].includes(status)) taken.push(`${method} ${path} ${k}=${JSON.stringify(evil)}: ${status} ${JSON.stringify(body)}`)
          tried++
        }
      }
    }
    assert.deepEqual(taken, [])
    assert.ok(tried > 300, `${tried}`)
  }, BOTH)).timeout(300_000)

  it('SEC-H16 nor is one taken in any setting, or in a query', desk(STAFF, async d => {
    const ids = await furnished(d)
    const boss = await asks(d, 'boss')
    const before = (await boss('GET', '/settings')).body
    const one: Readonly<Record<string, string>> = { queue: 'queues', department: 'departments', brand: 'brands', site: 'sites', link: 'links', role: 'roles', field: 'fields', event: 'events' }
    const leaves = (s: Shape, at: readonly string[]): [readonly string[], Shape][] => s.properties ? Object.entries(s.properties).flatMap(([k, p]) => leaves(p, [...at, k])) : [[at, s]]
    const all = [...leaves(settings as unknown as Shape, []).filter(([at]) => !Object.values(one).includes(at[0] ?? '')), ...Object.entries(one).flatMap(([name, section]) => leaves((settings.$defs as unknown as Record<string, Shape>)[name] ?? {}, [section, ids[`/${section}`] ?? '']))] // the file is a JSON Schema
    let tried = 0
    for (const [at, s] of all) {
      if (s.$ref !== undefined || s.additionalProperties !== undefined || s.type === undefined && !s.enum) continue
      for (const evil of [{ $ne: null }, { $regex: '^a' }, ...(s.type === 'array' ? [] : [[{ $ne: null }]])]) {
        const { status } = await boss('PATCH', '/settings', at.reduceRight<unknown>((inner, k) => ({ [k]: inner }), evil))
        assert.ok(status === 422 || status === 409, `${at.join('.')}=${JSON.stringify(evil)}: ${status}`)
        tried++
      }
    }
    assert.ok(tried > 150, `${tried}`)
    assert.deepEqual((await boss('GET', '/settings')).body, before)
    for (const [method, path, op] of await operations(d)) {
      if (method !== 'GET' || path.endsWith('/events') || op.security?.length === 0) continue
      for (const { name } of (op.parameters ?? []).filter(p => p.in === 'query')) {
        const at = filled(path, ids)
        const plain = await boss('GET', at)
        const odd = await boss('GET', `${at}?${encodeURIComponent(`${name}[$gt]`)}=`)
        if (!path.endsWith('.pdf') && odd.status !== 422) assert.deepEqual([odd.status, odd.body], [plain.status, plain.body], `${at} ${name}[$gt]`)
        for (const v of ['{"$ne":null}', '{"$regex":"^a"}', '[$ne]']) { const { status } = await boss('GET', `${at}?${name}=${encodeURIComponent(v)}`); assert.ok(status < 500, `${at} ${name}=${v}: ${status}`) }
      }
      for (const v of ['{"$ne":null}', '[$ne]', '__proto__', 'constructor']) if (path.includes('{')) { const { status } = await boss('GET', path.replace(/\{\w+\}/g, encodeURIComponent(v))); assert.ok([200, 400, 404, 422].includes(status) && (status !== 200 || path.startsWith('/lists')), `${path} ${v}: ${status}`) }
    }
  }, BOTH)).timeout(300_000)

  it('SEC-A05 a cookie is nobody, whatever stands in it, and nothing that is only asked for changes anything', desk(STAFF, async d => {
    const ids = await furnished(d)
    const boss = await asks(d, 'boss')
    const url = await d.url()
    const { text } = await makeToken(d.house.stores, 'localhost', { jid: 'boss@localhost', created: d.house.clock.now() })
    const before = await picture(d)
    for (const [method, path, op] of await operations(d)) {
      if (op.security?.length === 0) continue
      const r = await fetch(`${url}${API}${filled(path, ids)}`, { method, headers: { cookie: `token=${text}; session=${text}; __Host-token=${text}; authorization=Bearer ${text}`, 'x-csrf-token': text, ...(method === 'GET' || method === 'DELETE' ? {} : { 'content-type': 'application/json' }) }, ...(method === 'GET' || method === 'DELETE' ? {} : { body: '{}' }) })
      assert.equal(r.status, 401, `${method} ${path}`)
      assert.equal(r.headers.get('set-cookie'), null)
      await r.body?.cancel()
    }
    for (const [method, path] of await operations(d)) {
      if (method !== 'GET' || path.endsWith('/events')) continue
      const { status, headers } = await boss('GET', filled(path, ids))
      assert.ok(status < 500, `${path}: ${status}`)
      assert.equal(headers.get('set-cookie'), null)
    }
    await d.quiet()
    const documents = (p: string): string[] => p.split('\n')
    const [was, is] = [new Set(documents(before)), documents(await picture(d))]
    assert.deepEqual(is.filter(l => !was.has(l)), [])
  }, BOTH)).timeout(300_000)

  it('SEC-A03 who manages one department finds nothing of another: not by number, in a body, in a filter, nor as what something is related to', desk(STAFF, async d => {
    const [ben, yan] = [await d.comes('ben'), await d.comes('yan')]
    const boss = await asks(d, 'boss')
    await boss('PATCH', '/settings', { departments: { here: { queues: ['support'] }, there: { queues: ['billing'] } } })
    assert.equal((await boss('PATCH', '/operators/mia@localhost', { departments: ['here'] })).status, 200)
    await boss('PATCH', '/operators/anna@localhost', { departments: ['here'] })
    yan.types('billing@help.localhost', 'my secret invoice')
    await ben.reads(BOT, /#1/)
    ben.types(BOT, '!take 1')
    await ben.reads('c1@help.localhost', 'my secret invoice')
    await d.quiet()
    const ticket = (await boss('POST', '/tickets', { subject: 'secret ticket', body: 'secret', queue: 'billing' })).body.number
    const own = (await boss('POST', '/tickets', { subject: 'own', body: 'own', queue: 'support' })).body.number
    const customer = (await boss('GET', '/conversations/1/customer')).body.id
    const before = JSON.stringify([(await boss('GET', '/conversations/1')).body, (await boss('GET', `/tickets/${ticket}`)).body])
    const mia = await asks(d, 'mia')
    const none: [string, string, unknown?][] = [
      ['GET', '/conversations/1'], ['GET', '/conversations/1/lines'], ['GET', '/conversations/1/dossier'], ['GET', '/conversations/1/history'], ['GET', '/conversations/1/customer'], ['GET', '/conversations/1/transcript.txt'], ['GET', '/conversations/1/transcript.pdf'],
      ['POST', '/conversations/1/transcript', {}], ['PUT', '/conversations/1/fields/order', { value: 'x' }], ['DELETE', '/conversations/1?confirm=true'], ['POST', '/conversations/1/commands/n', { text: 'x' }], ['POST', '/conversations/1/commands/close', {}], ['POST', '/conversations/1/commands/take', {}],
      ['GET', `/tickets/${ticket}`], ['PATCH', `/tickets/${ticket}`, { subject: 'mine' }], ['POST', `/tickets/${ticket}/articles`, { body: 'x' }], ['POST', `/tickets/${ticket}/merge`, { into: own }], ['POST', `/tickets/${own}/merge`, { into: ticket }],
      ['GET', `/customers/${customer}`], ['PATCH', `/customers/${customer}`, { email: 'x@example.org' }], ['POST', `/customers/${customer}/comments`, { text: 'x' }],
    ]
    for (const [method, path, body] of none) {
      const a = await mia(method, path, body)
      assert.equal(a.status, 404, `${method} ${path}: ${a.status} ${JSON.stringify(a.body)}`)
    }
    for (const path of ['/conversations', '/conversations?queue=billing', '/conversations?department=there', '/conversations?q=secret', '/conversations?agent=ben@localhost', '/conversations?number=1', '/conversations?username=yan', '/tickets', '/lists/queue?queue=billing', '/lists/active?dept=there', '/lists/active', '/customers?jid=yan@localhost']) {
      const a = await mia('GET', path)
      assert.doesNotMatch(JSON.stringify(a.body), /secret|yan@|"number":1,/i, path)
    }
    const talk = await mia('POST', '/threads', { who: ['anna@localhost'], text: 'look', related: '#1' })
    assert.ok(talk.status >= 400, `${talk.status}`)
    assert.deepEqual((await mia('POST', '/bans', { conversation: 1 })).body, (await mia('POST', '/bans', { conversation: 999 })).body)
    assert.deepEqual((await boss('GET', '/bans')).body.items, [])
    assert.equal(JSON.stringify([(await boss('GET', '/conversations/1')).body, (await boss('GET', `/tickets/${ticket}`)).body]), before)
  }, config({ support: { assign: 'pull' }, billing: { assign: 'pull', agents: ['ben@localhost'] } }))).timeout(300_000)

  it('SEC-A10 no address sends anybody elsewhere, whatever it is asked to', desk(STAFF, async d => {
    const url = await d.url()
    for (const path of ['/oauth/authorize', '/oauth/token', '/authorize', '/login', '/logout', '/auth/callback', `${API}/oauth/authorize`, `${API}/tokens`, `${API}/me`, '/', '//evil.example/', '/%2f%2fevil.example']) {
      for (const q of ['redirect_uri=https://evil.example/', 'next=//evil.example', 'url=https://evil.example', 'return_to=https://evil.example', 'client_id=x&response_type=code&redirect_uri=https://evil.example/']) {
        const r = await fetch(`${url}${path}?${q}`, { redirect: 'manual' })
        assert.ok(r.status >= 400, `${path}: ${r.status}`)
        assert.deepEqual([r.headers.get('location'), r.headers.get('refresh'), (await r.text()).includes('evil.example')], [null, null, false], path)
      }
    }
  }))

  it('SEC-W15 no mail gets onto a ticket or a conversation: none is read, and no address takes one for another program', desk(STAFF, async d => {
    await furnished(d)
    const boss = await asks(d, 'boss')
    const before = (await boss('GET', '/tickets/1')).body
    const forged = 'From: anna@localhost\r\nTo: desk@example.org\r\nCc: eve@evil.example\r\nIn-Reply-To: <ticket-1@help.localhost>\r\nReferences: <ticket-1@help.localhost>\r\nSubject: [#1] One\r\n\r\nadd me'
    const url = await d.url()
    for (const path of ['/mail', '/inbound', '/mailgun', '/api/v1/mail', '/api/v1/inbound', '/api/v1/tickets/inbound', '/api/v1/tickets/1/articles', '/api/v1/tickets']) {
      for (const type of ['message/rfc822', 'text/plain', 'multipart/form-data; boundary=x', 'application/json']) {
        const r = await fetch(url + path, { method: 'POST', body: forged, headers: { 'content-type': type } })
        assert.ok(r.status === 404 || r.status === 401 || r.status === 405, `${path}: ${r.status}`)
      }
    }
    assert.ok((await operations(d)).every(([, path]) => !/mail|inbound|smtp/.test(path.replace('/commands/mail', ''))))
    assert.deepEqual((await boss('GET', '/tickets/1')).body, before)
  }, BOTH))
})
