// What the interface answers is what its description says: every operation, when it succeeds and in each way in which it refuses. Made from the description:
// an operation, or a refusal, that nothing here provokes makes a test fail. (Every other test's answers are held to it, too: see DeskHouse.rest.)
import assert from 'node:assert/strict'
import { muc } from '../../components/muc/muc.ts'
import { COMMANDS, type CommandEntry } from '../../components/helpdesk/commands.ts'
import { SECTIONS } from '../../schemas/desk-settings.ts'
import { mount } from '../../server/component/mount.ts'
import { silent } from '../../server/ports/log.ts'
import { BOT, config, DESK, desk, SUPPORT, type DeskHouse } from '../harness/desk.ts'
import type { Described, Operation } from '../harness/described.ts'

const API = '/api/v1'
const STAFF = { anna: 'agent', ben: 'agent', cleo: 'agent', boss: 'admin' } as const
const CONF = config({ support: { assign: 'pull' }, billing: { assign: 'pull' } }, { upload: { service: 'upload.localhost', base: () => 'http://localhost' }, mail: { host: '127.0.0.1', port: 9, tls: 'none', from: 'desk@example.org', name: 'Desk' } }) // a mail waits
const LONG = 64 * 1024 // of a body: limits.http.json
type Json = any // JSON of any shape
type Ids = Readonly<Record<string, string>>

/** A desk beside a room service. */
const scene = (play: (d: DeskHouse) => Promise<void>): (() => Promise<void>) => desk(STAFF, async d => {
  const { house } = d
  await using _rooms = await mount(muc({ makers: [DESK] }), { domain: 'rooms.localhost', clock: house.clock, log: silent, stores: house.stores, limits: house.host.limits, privileges: house.privileges('rooms.localhost') }, house.router)
  await play(d)
}, CONF)

/** One of each thing that there can be; where a path names one, this one is meant. */
async function furnished(d: DeskHouse): Promise<Ids> {
  const anna = await d.comes('anna')
  const ben = await d.comes('ben')
  const zoe = await d.comes('zoe')
  const made = async (path: string, body: object, method = 'POST'): Promise<Json> => {
    const answer = await d.rest(method, `${API}${path}`, 'boss', body)
    assert.ok(answer.status < 300, `${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  await made('/settings', { queues: { night: { assign: 'pull' } }, departments: { sales: { queues: ['support', 'night'] } }, brands: { acme: { sites: ['shop'] } }, sites: { shop: { origins: ['https://shop.example.org'] } }, links: { footer: { title: 'Footer', departments: ['sales'] } }, fields: { order: { label: 'Order' } }, events: { gone: { title: 'Gone', commands: ['!n gone'] } }, macros: { refund: { title: 'Refund', steps: ['!n refund'] } }, roles: { trainee: { base: 'agent', permissions: { 'chat.transfer': false } }, admin: { permissions: { 'chat.start.customer': true } } } }, 'PATCH')
  zoe.types(SUPPORT, 'hello')
  await anna.reads(BOT, /#1/)
  anna.types(BOT, '!take 1')
  await anna.reads('c1@help.localhost', 'hello')
  for (const line of ['!n a note', '!task do it', '!time 5 done', '!call 123 5', '!addfile https://files.example.org/a.png a.png', '!related https://example.org', '!subject Fire', '!label hot', '!follow 2h', '!hold 5', '!field order 7', '!im ben look', '!i ben', '!mon all', '!newticket Fire']) { anna.types('c1@help.localhost', line); await anna.reads('c1@help.localhost', /^✱ /) }
  await ben.reads(BOT, /asks you/)
  await d.quiet()
  const [article, ban, canned, hook, room] = [await made('/articles', { title: 'How', text: 'So' }), await made('/bans', { visitor: 'eve@evil.example' }), await made('/canned', { shortcut: 'hi1', text: 'Hi' }), await made('/webhooks', { url: 'https://hooks.example.org/x', types: ['*'] }), await made('/rooms', { name: 'lounge', grants: ['queue:support'] })]
  const customer = (await d.rest('GET', `${API}/conversations/1/customer`, 'boss')).body.id
  await made(`/customers/${customer}/comments`, { text: 'kind' })
  return {
    conversations: '1', tickets: '1', threads: '1', lists: 'active', operators: 'ben@localhost', articles: article.id, bans: ban.id, canned: canned.id, webhooks: hook.id, customers: customer, rooms: room.id,
    queues: 'night', departments: 'sales', brands: 'acme', sites: 'shop', links: 'footer', roles: 'trainee', fields: 'order', events: 'gone', macros: 'refund', name: 'order',
  }
}

/** Where an operation is asked; what is not named is not there. */
const filled = (o: Operation, ids: Ids): string => API + o.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(ids[name === 'name' ? 'name' : o.path.split('/')[1] ?? ''] ?? (name === 'n' ? '99' : 'nothing')))
const isCommand = (o: Operation): boolean => o.path.includes('/commands/')
const takes = (o: Operation): boolean => o.method === 'POST' || o.method === 'PUT' || o.method === 'PATCH'
/** What others name is deleted after them. */
const inUse = (o: Operation): number => ['/brands/{id}', '/links/{id}', '/departments/{id}', '/queues/{id}', '/sites/{id}'].indexOf(o.path)
const isWell = (status: number): boolean => status < 300

/** What a desk of this kind does not come to: beside another server, while it starts, drawing three papers at once, with a translator, or with customers who wait on a page. Tests of these say what they answer. */
const ELSEWHERE: readonly string[] = ['signIn 404', 'signIn 503', 'makeWebhook 503', 'transcript_pdf 503', 'conversation_tr 200', 'conversation_start 200', 'desk_start 200']

/** The operations that are described to answer so, and did not. */
const missing = (d: DeskHouse, k: Described, fits: (status: number) => boolean, of: (o: Operation) => boolean = () => true): string[] =>
  k.operations.filter(of).flatMap(o => k.statuses(o).filter(s => fits(s) && !d.answered.get(o.id)?.has(s)).map(s => `${o.id} ${s}`)).filter(x => !ELSEWHERE.includes(x))

/** Asks every operation that is described to answer `status`, in the way that should provoke it; all of them must. */
const refuses = (status: number, ask: (d: DeskHouse, o: Operation, ids: Ids, k: Described) => Promise<unknown>, of: (o: Operation) => boolean = () => true, before: (d: DeskHouse, ids: Ids) => Promise<unknown> = async () => undefined): (() => Promise<void>) => scene(async d => {
  const ids = await furnished(d)
  const k = await d.described()
  const all = k.operations.filter(o => k.statuses(o).includes(status) && of(o))
  assert.ok(all.length > 0)
  await before(d, ids)
  for (const o of all) await ask(d, o, ids, k)
  assert.deepEqual(missing(d, k, s => s === status, of), [])
})

/** What makes each operation succeed that is no command and no reading; in this order, deletions last. */
const BODIES: Readonly<Record<string, Json>> = {
  changeSettings: { quality: { idleWarning: 60 } }, makeOperator: { user: 'dora' }, changeOperator: { alias: 'Benny' }, setReceiving: { active: false }, makeCanned: { shortcut: 'hi2', text: 'Hi', own: true }, changeCanned: { title: 'Hello' },
  makeWebhook: { url: 'https://hooks.example.org/y' }, changeWebhook: { rotate: true }, makeTicket: { subject: 'Two', body: 'Two', queue: 'support' }, changeTicket: { status: 'closed' }, addArticle: { body: 'More' }, splitTicket: async (d: DeskHouse) => ({ articles: [(await d.rest('GET', `${API}/tickets/1`, 'boss')).body.articles.at(-1).id], subject: 'Three' }), mergeTicket: { into: 2 },
  signIn: { name: 'boss', password: 'pw' }, beginThread: { who: ['cleo'], text: 'hello' }, writeThread: { text: 'well' }, standInThread: { standing: 'in' }, makeRoom: { name: 'attic', grants: ['role:agent'] }, changeRoom: { grants: ['queue:billing'] },
  ban: { address: '192.0.2.0/24', seconds: 60 }, snippet: { kind: 'normal' }, linkScript: {}, unsavedScript: { link: { title: 'Footer' } }, makeArticle: { title: 'Why', text: 'Because', queues: ['support'] }, changeArticle: { url: 'https://example.org/how' },
  changeCustomer: { email: 'zoe@mail.example', phones: ['1'], fields: { order: '8' } }, mailTranscript: { to: 'zoe@mail.example' }, commentCustomer: { text: 'very kind' }, exportCustomer: undefined, typing: { state: 'composing' }, read: { seq: 1 }, setField: { value: '9' },
  ...Object.fromEntries(SECTIONS.flatMap(s => {
    const [one, fresh] = [s === 'queues' ? 'Queue' : `${s.slice(0, 1).toUpperCase()}${s.slice(1, -1)}`, s === 'macros' ? { title: 'Wrap', steps: ['!n wrap'] } : s === 'events' ? { title: 'Came', commands: ['!n came'] } : s === 'fields' ? { label: 'Size' } : s === 'links' ? { title: 'Top' } : {}]
    return [[`make${one}`, { id: 'fresh', ...fresh }], [`change${one}`, s === 'fields' ? { label: 'Number' } : s === 'queues' ? { assign: 'pull' } : {}], [`replace${one}`, fresh]]
  })),
}
/** Who may, where an administrator who is not in it may not. */
const BY: Readonly<Record<string, string>> = { threads: 'anna', threadLines: 'anna', standInThread: 'anna', writeThread: 'anna', typing: 'anna', read: 'anna', asked: 'ben', beginThread: 'anna' }

/** What commands are given, so that they are carried out. */
const VALUES: Ids = { shortcut: 'hi1', number: '2', queue: 'billing', to: 'cleo', who: 'cleo', minutes: '5', when: '2h', name: 'order', item: 'https://example.org', url: 'https://files.example.org/b.png', phone: '123', time: '1d', customer: '#1' }
const made = async (d: DeskHouse, path: string, body: object): Promise<Json> => (await d.rest('POST', `${API}${path}`, 'boss', body)).body
const someTicket = async (d: DeskHouse, body = 'one'): Promise<number> => (await made(d, '/tickets', { subject: 'A ticket', body, queue: 'support' })).number
const someArticle = async (d: DeskHouse): Promise<string> => (await made(d, '/articles', { title: 'A title', text: 'A text' })).id
const someHook = async (d: DeskHouse): Promise<string> => (await made(d, '/webhooks', { url: 'https://hooks.example.org/z' })).id
let rooms = 0 // made
const someRoom = async (d: DeskHouse): Promise<string> => (await made(d, '/rooms', { name: `room${++rooms}`, grants: ['queue:support'] })).name
/** Those that need more than `VALUES`. */
const ARGUMENTS: Readonly<Record<string, (d: DeskHouse, n: number) => Json>> = {
  t: () => ({ to: 'group:billing' }), max: () => ({ number: '900' }), bulk: (_, n) => ({ conversations: String(n), command: 'label hot' }), taskdone: async (d, n) => ({ task: (await d.rest('GET', `${API}/conversations/${n}/dossier`, 'boss')).body.tasks[0].id }),
  makeroom: () => ({ name: `room${++rooms}`, allow: 'queue:support' }), removeroom: async d => ({ name: await someRoom(d) }),
  ticketinfo: async d => ({ ticket: await someTicket(d) }), ticketstatus: async d => ({ ticket: await someTicket(d), status: 'done' }), ticketsubject: async d => ({ ticket: await someTicket(d), subject: 'B' }), merge: async d => ({ ticket: await someTicket(d), into: await someTicket(d) }),
  split: async d => { const n = await someTicket(d); await made(d, `/tickets/${n}/articles`, { body: 'two' }); return { ticket: n, articles: '2', subject: 'Two' } },
  article: async d => ({ article: await someArticle(d) }), editarticle: async d => ({ article: await someArticle(d), what: 'title', value: 'Other' }), delarticle: async d => ({ article: await someArticle(d), confirm: 'yes' }),
  ticketnote: async d => ({ ticket: await someTicket(d), text: 'More' }), liftban: async d => { await made(d, '/bans', { address: '192.0.2.9' }); return { whom: '192.0.2.9' } },
  edithook: async d => ({ hook: await someHook(d), what: 'off' }), delhook: async d => ({ hook: await someHook(d), confirm: 'yes' }),
  mail: async (d, n) => { const { id } = (await d.rest('GET', `${API}/conversations/${n}/customer`, 'boss')).body; await d.rest('PATCH', `${API}/customers/${id}`, 'boss', { email: 'c@mail.example' }); return {} },
}

let met = 0
/** A conversation that the boss serves; where the command needs it, one that is offered, that waits, or that somebody else serves. */
async function begun(d: DeskHouse, { word, about }: CommandEntry): Promise<number> {
  const customer = await d.comes(`c${++met}`)
  customer.types(SUPPORT, 'hello')
  await customer.reads(SUPPORT, /People ahead/)
  await d.quiet()
  const n: number = (await d.rest('GET', `${API}/lists/queue?sort=-number&limit=1`, 'boss')).body.rows[0].number
  const does = async (by: string, what: string, body: object = {}): Promise<void> => { const { status, body: said } = await d.rest('POST', `${API}/conversations/${n}/commands/${what}`, by, body); assert.equal(status, 200, JSON.stringify(said)) }
  if (word === 'take') return n
  await does(['obs', 'join'].includes(word) ? 'anna' : 'boss', 'take')
  await does('boss', 'task', { text: 'do it' })
  if (about === 'pending') await does('boss', 't', { to: 'cleo' })
  if (word === 'leave') { await does('boss', 't', { to: 'group:billing' }); await does('anna', 'take'); await does('boss', 'join') }
  if (word === 'delete') await does('boss', 'close')
  if (word === 'unban') await does('boss', 'ban', { time: '1d' })
  if (word === 'unhold') await does('boss', 'hold')
  await d.quiet()
  return n
}

describe('what the interface answers', () => {
  it('SEC-A17 is said to the last field: nothing is left open but a document of its own', desk(STAFF, async d => {
    assert.deepEqual((await d.described()).open(), ['settingsSchema 200', 'export 200'])
  }))

  it('SEC-A17 ST-09 is what is described, for every operation that succeeds and is no command', scene(async d => {
    const ids = await furnished(d)
    const k = await d.described()
    const ask = async (o: Operation, body?: unknown, query = '', path = filled(o, ids)): Promise<Json> => {
      const answer = await d.rest(o.method, path + query, o.id === 'signIn' ? undefined : BY[o.id] ?? 'boss', body)
      assert.ok(isWell(answer.status), `${o.method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
      return answer.body
    }
    const link: string = (await d.rest('POST', `${API}/customers/${ids['customers']}/export`, 'boss')).body.link
    const own = k.operations.filter(o => !isCommand(o))
    for (const o of own.filter(o => o.method === 'GET')) await ask(o, undefined, o.id === 'suggestions' ? '?q=how' : '', o.id === 'export' ? link : undefined)
    for (const [id, body] of Object.entries(BODIES)) {
      const o = own.find(x => x.id === id)
      if (o) await ask(o, typeof body === 'function' ? await body(d) : body)
    }
    await d.rest('POST', `${API}/conversations/1/commands/close`, 'anna', {})
    await d.quiet()
    const session = (await d.rest('GET', `${API}/tokens`, 'boss')).body.items.find((t: Json) => !t.current).id
    for (const o of own.filter(o => o.method === 'DELETE').sort((a, b) => inUse(a) - inUse(b))) await ask(o, undefined, o.id === 'deleteConversation' ? '?confirm=true' : '', o.id === 'endToken' ? `${API}/tokens/${session}` : undefined)
    for (const o of own.filter(o => o.id === 'eraseCustomer')) await ask(o, { confirm: ids['customers'] })
    assert.deepEqual(missing(d, k, isWell, o => !isCommand(o)), [])
  }))

  it('SEC-A17 is what is described, for every command that is carried out', scene(async d => {
    await furnished(d)
    await d.comes('cleo')
    for (const who of ['anna', 'boss', 'cleo']) await d.rest('PATCH', `${API}/operators/${who}@localhost`, 'boss', { capacity: 1000 })
    const k = await d.described()
    const refused: string[] = []
    let n = 0
    for (const c of COMMANDS.toSorted((a, b) => Number(b.about === 'none') - Number(a.about === 'none'))) for (const inside of c.about === 'none' ? [true, false] : [true]) {
      if (c.about !== 'none' || n === 0) n = await begun(d, c)
      const by = c.about === 'pending' ? 'cleo' : 'boss'
      const body = await ARGUMENTS[c.word]?.(d, n) ?? Object.fromEntries(c.fields.filter(f => f.required).map(f => [f.name, f.choices?.[0] ?? VALUES[f.name] ?? 'words']))
      const { status, body: said } = await d.rest('POST', `${API}${inside ? `/conversations/${n}` : ''}/commands/${c.word}`, by, body)
      if (status !== 200 && !ELSEWHERE.includes(`conversation_${c.word} 200`)) refused.push(`${c.word}: ${JSON.stringify(said)}`)
    }
    assert.deepEqual(refused, [])
    assert.deepEqual(missing(d, k, isWell, isCommand), [])
  }))

  it('ST-97 every list comes in pages: as many as one asks for, each thing once, and all of them', scene(async d => {
    const ids = await furnished(d)
    const zoe = await d.comes('yan')
    zoe.types(SUPPORT, 'hello')
    await zoe.reads(SUPPORT, /People ahead/)
    await made(d, '/webhooks', { url: 'https://hooks.example.org/z' })
    await made(d, '/articles', { title: 'A title', text: 'A text' })
    await made(d, '/rooms', { name: 'attic', grants: ['queue:support'] })
    await made(d, '/bans', { address: '192.0.2.1' })
    await made(d, '/canned', { shortcut: 'hi2', text: 'Hi' })
    await made(d, '/tickets', { subject: 'Two', body: 'Two', queue: 'support' })
    await d.rest('POST', `${API}/threads`, 'anna', { who: ['cleo'], text: 'hello' })
    await d.rest('POST', `${API}/threads/1/lines`, 'anna', { text: 'again' })
    const { operations } = await d.described()
    const read = operations.filter(o => o.method === 'GET' && o.op.responses['200']?.content?.['application/json'])
    const properties = (o: Operation): Json => o.op.responses['200'].content['application/json'].schema.properties ?? {}
    const lists = read.filter(o => properties(o).next !== undefined)
    const named = (o: Operation, name: string): boolean => o.op.parameters?.some((p: Json) => p.in === 'query' && p.name === name) === true
    // What has no pages is bounded, or a part of one thing.
    assert.deepEqual(lists.filter(o => !named(o, 'after') || !named(o, 'limit')).map(o => o.id), ['invoices', 'cards', 'asked'])
    assert.deepEqual(read.filter(o => !lists.includes(o) && Object.values(properties(o)).some((p: Json) => p.type === 'array' && p.items?.type === 'object')).map(o => o.id).sort(), ['conversation', 'conversationCustomer', 'customer', 'dossier', 'me', 'operator', 'permissions', 'report', 'suggestions', 'ticket', 'translation'])
    let several = 0
    for (const o of lists.filter(x => named(x, 'after') && x.id !== 'tokens')) { // each question here has a token of its own
      const name = Object.keys(properties(o)).find(k => properties(o)[k].type === 'array') ?? ''
      const ask = async (query: string): Promise<Json> => { const { status, body } = await d.rest('GET', `${filled(o, ids)}?${query}`, BY[o.id] ?? 'boss'); assert.equal(status, 200, `${o.id} ${query}: ${JSON.stringify(body)}`); return body }
      const whole = (await ask(''))[name].map((x: Json) => x.id ?? x.number ?? x.seq ?? x.jid)
      const most = whole.length > 8 ? 5 : 1
      const walked: Json[] = []
      for (let after = ''; ;) {
        const page = await ask(`limit=${most}${after}`)
        assert.ok(page[name].length <= most, o.id)
        walked.push(...page[name].map((x: Json) => x.id ?? x.number ?? x.seq ?? x.jid))
        if (page.next === null) break
        after = `&after=${encodeURIComponent(page.next)}`
      }
      assert.deepEqual(walked.slice(0, whole.length), whole, o.id)
      assert.equal(walked.length, whole.length, o.id)
      if (whole.length > 1) several++
    }
    assert.ok(several > 12, `${several} lists of several`)
  }))

  it('SEC-A17 401 without a token', refuses(401, (d, o, ids) => d.rest(o.method, filled(o, ids), undefined, o.id === 'signIn' ? { name: 'boss', password: 'wrong' } : takes(o) ? {} : undefined)))
  it('SEC-A17 403 with a token that does not reach so far', refuses(403, (d, o, ids) => o.id === 'signIn' ? d.rest('POST', `${API}/tokens`, undefined, { name: 'zoe', password: 'pw' }) : d.rest(o.method, filled(o, ids), 'boss', takes(o) ? {} : undefined, [/Scope (bans|billing)/.test(o.op.description) ? 'tokens:read' : 'bans:read'])))
  it('SEC-A17 404 for who serves at no desk', refuses(404, (d, o, ids) => d.rest(o.method, filled(o, o.id === 'export' ? {} : ids), 'zoe', takes(o) ? {} : undefined)))
  it('SEC-A17 400 for what cannot be read', refuses(400, (d, o, ids) => o.path.includes('{') ? d.rest(o.method, API + o.path.replace(/\{\w+\}/g, 'a%2Fb'), 'boss', takes(o) ? {} : undefined)
    : d.rest(o.method, filled(o, ids), o.id === 'signIn' ? undefined : 'boss', BODIES[o.id] ?? (takes(o) ? {} : undefined), undefined, { 'idempotency-key': 'two words' })))
  it('SEC-A17 413 for a body that is too long', refuses(413, (d, o, ids) => d.rest(o.method, filled(o, ids), o.id === 'signIn' ? undefined : 'boss', { text: 'x'.repeat(LONG) })))
  it('SEC-A17 415 for a body of another type', refuses(415, (d, o, ids) => d.rest(o.method, filled(o, ids), o.id === 'signIn' ? undefined : 'boss', {}, undefined, { 'content-type': 'text/plain' })))
  it('SEC-A17 412 for a version that is none any more', refuses(412, (d, o, ids) => d.rest(o.method, filled(o, ids), 'boss', takes(o) ? BODIES[o.id] ?? {} : undefined, undefined, { 'if-match': '"999"' })))
  it('SEC-A17 409 where nobody knows what became of the first time', refuses(409, async (d, o) => {
    const ask = (): Promise<Json> => d.rest(o.method, filled(o, {}), 'boss', takes(o) ? {} : undefined, undefined, { 'idempotency-key': 'one' })
    await ask()
    const { documents } = d.house.stores
    for (const { id, value } of await documents.range<Json>('desk-idempotency', DESK, { limit: 1000 })) await documents.put('desk-idempotency', DESK, id, { ...value, response: undefined }) // as a kill in the middle leaves it
    await ask()
    for (const { id } of await documents.range<Json>('desk-idempotency', DESK, { limit: 1000 })) await documents.remove('desk-idempotency', DESK, id)
  }))
  it('SEC-A17 422 for what is wrong in a body, in a parameter, or under a key that stood for something else', refuses(422, async (d, o, ids, k) => {
    if (o.id === 'signIn') return d.rest('POST', `${API}/tokens`, undefined, {})
    if (!takes(o)) return d.rest(o.method, `${filled(o, ids)}?limit=none&confirm=maybe&show=red&months=x&by=moon&sort=shoe&fields=shoe&q=`, BY[o.id] ?? 'boss')
    for (const body of [{}, { some: 'other' }]) await d.rest(o.method, filled(o, {}), 'boss', body, undefined, { 'idempotency-key': 'one' })
    if (k.bodyOf(o)?.additionalProperties === false) assert.equal((await d.rest(o.method, filled(o, ids), BY[o.id] ?? 'boss', { nonsense: 1 })).status, 422, o.id)
  }))
  it('SEC-A17 410 for an answer to what is over', refuses(410, async (d, o) => {
    await d.rest(o.method, `${API}/conversations/1/commands/${o.path.split('/').at(-1) ?? ''}`, 'boss', {})
  }, undefined, async d => { await d.rest('POST', `${API}/conversations/1/commands/close`, 'anna', {}) }))
  it('SEC-A17 429 for too many failures, and for too many streams of one token', refuses(429, async (d, o, ids, k) => {
    if (o.id === 'signIn') { for (let i = 0; i < 11; i++) await d.rest('POST', `${API}/tokens`, undefined, { name: 'boss', password: 'wrong' }); return }
    const { token } = await d.address('boss')
    const url = await d.url()
    const open: Response[] = []
    for (let i = 0; i < 10; i++) open.push(await fetch(url + filled(o, ids), { headers: { authorization: `Bearer ${token}` } }))
    const last = await fetch(url + filled(o, ids), { headers: { authorization: `Bearer ${token}` } })
    assert.deepEqual(k.faults(o, { status: last.status, headers: last.headers, body: await last.json() }), [], o.id)
    d.answered.get(o.id)?.add(last.status) ?? d.answered.set(o.id, new Set([last.status]))
    for (const r of open) await r.body?.cancel()
  }))
})
