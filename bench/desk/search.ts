// Search over REST among very many conversations: fills a store once, then asks. node bench/desk/search.ts [--n 1000000] [--folder DIR] [--asks 400]
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { documentOf } from '../../components/helpdesk/records/catalogue.ts'
import type { Customer } from '../../components/helpdesk/customers.ts'
import type { Present } from '../../components/helpdesk/facts.ts'
import type { Line } from '../../components/helpdesk/lines.ts'
import type { Summary } from '../../components/helpdesk/past.ts'
import { listenHttp } from '../../server/net/http.ts'
import { wallClock } from '../../server/ports/clock.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import { silent } from '../../server/ports/log.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { config } from '../../test/harness/desk.ts'
import { DESK, openDesk } from './house.ts'

const arg = (name: string, otherwise: string): string => { const i = process.argv.indexOf(`--${name}`); return i > 0 ? process.argv[i + 1] ?? otherwise : otherwise }
const N = Number(arg('n', '1000000'))
const ASKS = Number(arg('asks', '400'))
const folder = arg('folder', '') || mkdtempSync(join(tmpdir(), 'deskbell-search-'))
const GROUP = 2_000
const QUEUES = ['support', 'billing', 'sales', 'returns']
const END = Date.UTC(2026, 10, 20)
const BEGIN = END - 3 * 365 * 86_400_000

// The same each time. Words are as frequent as in a language: the n-th most frequent one 1/n as often as the first.
let state = 7
const random = (): number => { state = (state + 0x6d2b79f5) >>> 0; let t = Math.imul(state ^ (state >>> 15), 1 | state); t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t; return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32 }
const below = (n: number): number => Math.floor(random() * n)
const COMMON = 'the and you is it to my not hello please help printer order invoice password login thanks problem screen paper refund delivery account email error update cable network phone battery'.split(' ')
const SOUNDS = 'ba ke li mo nu ra se ti vo zu cha dre flo gri pla ste tru win yor qua'.split(' ')
const WORDS = Array.from({ length: 30_000 }, (_, i) => COMMON[i] ?? Array.from({ length: 2 + (i % 3) }, (_x, k) => SOUNDS[Math.floor(i / 20 ** k) % 20] ?? '').join('') + (i % 7 === 0 ? 's' : ''))
const word = (): string => WORDS[Math.floor(WORDS.length ** random()) - 1] ?? 'the'
const words = (n: number): string => Array.from({ length: n }, word).join(' ')

function conversation(n: number): { s: Present; customer: Customer; lines: Line[]; subject: string; summary: Summary } {
  const at = Math.floor(BEGIN + (END - BEGIN) * n / N)
  const person = below(200_000)
  const agent = `a${below(40)}@localhost`
  const queue = QUEUES[below(QUEUES.length)] ?? 'support'
  const customer = { id: `k${person}`, jid: `k${person}@web.localhost`, name: `${word()} ${word()}`, email: `k${person}@example.org`, bridged: true } as unknown as Customer // as much as is indexed
  const lines = Array.from({ length: 4 + below(5) }, (_, i) => ({ seq: i + 1, shown: i + 1, at, by: i % 2 === 0 ? 'customer' : agent, name: '', as: i === 3 ? 'internal' : 'public', body: words(5 + below(12)) }) as unknown as Line)
  const s = { is: 'closed', at: at + 600_000, opened: at, queue, customer: customer.id, owners: [agent], owner: agent, crew: {}, invitations: [], lines: lines.length, shown: lines.length } as unknown as Present // the same
  return { s, customer, lines, subject: words(4), summary: { number: n, state: 'closed', queue, customer: customer.name, customerId: customer.id, owners: [agent], opened: at, closed: at + 600_000, messages: lines.length } }
}

mkdirSync(folder, { recursive: true })
const file = join(folder, 'desk.sqlite')
const isNew = !existsSync(file)
const stores = await openSqlite({ file })
if (isNew) {
  const begun = performance.now()
  for (let n = 1; n <= N; n += GROUP) {
    await Promise.all(Array.from({ length: Math.min(GROUP, N - n + 1) }, (_, i) => {
      const { s, customer, lines, subject, summary } = conversation(n + i)
      return Promise.all([
        stores.search.put(`${DESK}/conversations`, documentOf(n + i, s, customer, lines, { subject, labels: [WORDS[below(50)] ?? ''] })),
        stores.documents.put('desk-conversations', DESK, String(n + i).padStart(10, '0'), summary),
      ])
    }))
    if ((n - 1) % 50_000 === 0) console.error(`${n - 1} of ${N}, ${Math.round((performance.now() - begun) / 1000)} s`)
  }
}

const desk = await openDesk({ stores, clock: wallClock, agents: 40, config: config({ support: {}, billing: {}, sales: {}, returns: {} }) })
const web = await listenHttp({ port: 0, address: '127.0.0.1', proxies: [], router: desk.http, limits: { ...defaultLimits, readRate: { ...defaultLimits.readRate } }, clock: wallClock, log: silent })
const kinds: Readonly<Record<string, () => string>> = {
  'a common word': () => `q=${COMMON[below(12)]}`,
  'two words': () => `q=${COMMON[12 + below(15)]}+${COMMON[below(12)]}`,
  'a rare word': () => `q=${WORDS[5_000 + below(25_000)]}`,
  'words, queue, agent and month': () => { const month = new Date(BEGIN + below(35) * 30 * 86_400_000).toISOString().slice(0, 10); return `q=${COMMON[12 + below(15)]}&queue=${QUEUES[below(4)]}&agent=a${below(40)}@localhost&since=${month}` },
  'a mail address': () => `email=k${below(200_000)}@example.org`,
  'no word, oldest first': () => `queue=${QUEUES[below(4)]}&sort=oldest`,
  'a number': () => `number=${1 + below(N)}`,
}
const rows: [string, number, number, number][] = []
const all: number[] = []
for (const [name, make] of Object.entries(kinds)) {
  const times: number[] = []
  for (let i = -10; i < Math.ceil(ASKS / Object.keys(kinds).length); i++) {
    const began = performance.now()
    const answer = await fetch(`http://127.0.0.1:${web.port}/api/v1/conversations?${make()}`, { headers: { authorization: 'Bearer any' } })
    const body = await answer.json() as { conversations?: unknown[] } // what the API promises
    if (answer.status !== 200 || !body.conversations) throw new Error(`${answer.status} ${JSON.stringify(body)}`)
    if (i >= 0) times.push(performance.now() - began)
  }
  all.push(...times)
  times.sort((a, b) => a - b)
  rows.push([name, times[Math.floor(times.length / 2)] ?? 0, times[Math.floor(times.length * 0.95)] ?? 0, times.at(-1) ?? 0])
}
all.sort((a, b) => a - b)
rows.push(['all', all[Math.floor(all.length / 2)] ?? 0, all[Math.floor(all.length * 0.95)] ?? 0, all.at(-1) ?? 0])
console.log(`search over REST, ${N} conversations, ms: p50, p95, worst`)
for (const [name, ...ms] of rows) console.log(`  ${name.padEnd(32)} ${ms.map(x => x.toFixed(1).padStart(7)).join(' ')}`)
console.log(`filled: ${file}`)
await web[Symbol.asyncDispose]()
await desk[Symbol.asyncDispose]()
await stores.close()
process.exit(0)
