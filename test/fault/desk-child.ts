// A process with a desk on a store in a file, in which agents and customers do random things until its parent kills it.
import { evolve, initial } from '../../components/helpdesk/conversation.ts'
import { helpdesk } from '../../components/helpdesk/desk.ts'
import type { Event } from '../../components/helpdesk/facts.ts'
import { mount } from '../../server/component/mount.ts'
import type { Privileges } from '../../server/component/component.ts'
import { silent } from '../../server/ports/log.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import type { Clock } from '../../server/ports/clock.ts'
import { Router } from '../../server/route/router.ts'
import type { Resource } from '../../server/session/account.ts'
import { el } from '../../server/xml/element.ts'
import { Jid } from '../../server/stanza/jid.ts'
import { Stanza } from '../../server/stanza/stanza.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { config, DESK } from '../harness/desk.ts'
import { SECRET } from '../harness/invariants.ts'

/** What is told: time and how many things are done; `leak`: a customer got what is not public; `lost`: nobody saw to a conversation whose agent was gone. */
export type News = { readonly now: number; readonly done: number } | { readonly leak: string } | { readonly lost: string } | { readonly over: true; readonly now: number }

const [file = '', seedText = '1', countText = '1000', fromText = '0', last = ''] = process.argv.slice(2)
const STAFF = ['anna', 'ben', 'cleo', 'dora'] as const
const CUSTOMERS = 14
const AT_ONCE = 12
const tell = (news: News): void => { process.send?.(news) }

/** Time that moves only when it is told to; goes on where the last run was. */
class ModelClock implements Clock {
  #now: number
  readonly #alarms = new Set<{ at: number; ring: () => void | Promise<void> }>()
  constructor(now: number) { this.#now = now }
  now(): number { return this.#now }
  alarm(at: number, ring: () => void | Promise<void>): Disposable {
    const alarm = { at, ring }
    this.#alarms.add(alarm)
    return { [Symbol.dispose]: () => { this.#alarms.delete(alarm) } }
  }
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms
    for (;;) {
      const next = [...this.#alarms].filter(a => a.at <= target).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#now = Math.max(this.#now, next.at)
      this.#alarms.delete(next)
      await next.ring()
    }
    this.#now = Math.max(this.#now, target)
  }
}

let state = Number(seedText) >>> 0
const random = (): number => { state = (state + 0x6d2b79f5) >>> 0; let t = Math.imul(state ^ (state >>> 15), 1 | state); t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t; return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32 }
const below = (n: number): number => Math.floor(random() * n)
const oneOf = <T>(all: readonly T[]): T => all[below(all.length)] as T // never empty here

const clock = new ModelClock(Number(fromText))
const stores = await openSqlite({ file })
const router = new Router()
const people = [...STAFF.map(local => ({ jid: `${local}@localhost`, role: 'agent' as const })), { jid: 'mia@localhost', role: 'manager' as const }]
const nothing = { [Symbol.dispose]() {} }
const privileges: Privileges = {
  people: async () => people, onPeople: () => nothing, inject: async () => {}, withdraw: async () => {}, injected: async () => [], standing: async () => ({ watches: false, groups: [] }), onAttachment: () => nothing, onTokens: () => nothing, token: async () => undefined,
}
router.add('localhost', {
  deliver(s) {
    const text = s.payload.map(p => p.text).join('\n')
    if (s.kind === 'message' && s.to?.local.startsWith('k') === true && text.includes(SECRET)) tell({ leak: text })
  },
})
const desk = await mount(helpdesk(config({ support: {}, billing: { assign: 'pull' } }, { capacity: 3 })), { domain: DESK, clock, log: silent, stores, limits: defaultLimits, privileges }, router)
await clock.advance(0)

let ids = 0
/** Resolves when the desk has kept what it does. */
async function sends(from: string, to: string, text: string): Promise<void> {
  const held: Promise<unknown>[] = []
  const via = { hold: (p: Promise<unknown>) => { held.push(p) }, jid: Jid.parse(from), deliver() {} } as unknown as Resource // as much of one as a mounted component asks for
  await router.route(Stanza.of('message', { type: 'chat', from: Jid.parse(from), to: Jid.parse(to), id: `${seedText}-${++ids}` }, [el('body', 'jabber:client', {}, text)]), via)
  await Promise.all(held)
}
/** Since when each agent is not there, or away. */
const gone = new Map<string, number>([...STAFF, 'mia'].map(local => [`${local}@localhost`, clock.now()]))
const GONE = 120_000 + 60_000 // ms: the clock of an absence, and I4
/** I4: no conversation is left with an agent who is not there. */
async function attended(): Promise<void> {
  for (const stream of await stores.events.live(`${DESK}/c`)) {
    const s = (await stores.events.load<Event>(stream)).events.reduce(evolve, initial)
    const since = s.is === 'active' ? gone.get(s.owner) : undefined
    if (s.is === 'active' && since !== undefined && clock.now() - Math.max(since, s.clocks.assigned ?? 0) > GONE) tell({ lost: `${stream} is with ${s.owner}, who is gone since ${(clock.now() - since) / 1000} s` })
  }
}
async function presence(local: string, show: string | undefined): Promise<void> {
  if (show === undefined || show === 'away') { if (!gone.has(`${local}@localhost`)) gone.set(`${local}@localhost`, clock.now()) } else gone.delete(`${local}@localhost`)
  const from = Jid.parse(`${local}@localhost/pc`)
  await router.route(Stanza.of('presence', { type: show === undefined ? 'unavailable' : 'available', from, to: Jid.parse(`desk@${DESK}`) }, show === undefined || show === 'available' ? [] : [el('show', 'jabber:client', {}, show)]))
}
const bot = (local: string, text: string): Promise<void> => sends(`${local}@localhost/pc`, `desk@${DESK}`, text)

let newest = (await stores.events.load<{ type: string }>(`${DESK}/assignment`)).events.filter(e => e.type === 'numbered').length
const some = (): number => Math.max(1, newest - below(20))
const anyone = (): string => oneOf([...STAFF, 'mia'])
const acts: readonly (readonly [number, () => Promise<void>])[] = [
  [30, async () => { await sends(`k${below(CUSTOMERS)}@localhost/pc`, `${oneOf(['support', 'support', 'billing'])}@${DESK}`, `line ${ids}`); newest = Math.max(newest, newest + (below(4) === 0 ? 1 : 0)) }],
  [6, () => presence(anyone(), oneOf(['available', 'available', 'chat', 'away', 'dnd', undefined]))],
  [14, () => bot(anyone(), '!a')],
  [3, () => bot(anyone(), '!r')],
  [6, () => bot(anyone(), oneOf(['!take', `!take ${some()}`]))],
  [7, () => bot(oneOf([...STAFF, 'mia', 'mia', 'mia']), `!t #${some()} ${oneOf([...STAFF, 'group:support', 'group:billing'])} ${SECRET} why`)],
  [3, () => bot(oneOf([...STAFF, 'mia', 'mia', 'mia']), `!i #${some()} ${oneOf(STAFF)}`)],
  [2, () => bot(anyone(), `!${oneOf(['obs', 'join', 'leave'])} ${some()}`)],
  [6, () => { const n = some(); return sends(`${anyone()}@localhost/pc`, `c${n}@${DESK}`, `reply ${ids}`) }],
  [4, () => { const n = some(); return sends(`${anyone()}@localhost/pc`, `c${n}@${DESK}`, `!${oneOf(['n', 'c'])} ${SECRET} ${ids}`) }],
  [5, () => bot(anyone(), `!end ${some()}`)],
  [5, () => bot(anyone(), `!close ${some()}`)],
  [6, () => below(2) === 0 ? bot(anyone(), '!ticket') : sends(`${anyone()}@localhost/pc`, `c${some()}@${DESK}`, '!ticket')],
  [1, () => bot('mia', `!delete ${some()} yes`)],
  [8, () => clock.advance(below(40_000))],
]
const total = acts.reduce((sum, [w]) => sum + w, 0)
function act(): Promise<void> {
  let r = below(total)
  for (const [w, f] of acts) { if (r < w) return f(); r -= w }
  return Promise.resolve()
}

for (const local of STAFF) await presence(local, 'available')
for (let done = 0; done < Number(countText);) {
  const batch = Math.min(1 + below(AT_ONCE), Number(countText) - done)
  await Promise.all(Array.from({ length: batch }, act))
  done += batch
  if (done % 100 < batch) await attended()
  if (done % 25 < batch) newest = (await stores.documents.range<{ number: number }>('desk-conversations', DESK, { limit: 1, reverse: true }))[0]?.value.number ?? newest
  tell({ now: clock.now(), done })
}
if (last === 'drain') {
  // Everybody comes back and takes what is offered; then the manager puts the rest away: each request ends (I3).
  for (let i = 0; i < 5; i++) { for (const local of STAFF) { await presence(local, 'available'); await bot(local, '!a') } await clock.advance(61_000) }
  for (const stream of await stores.events.live(`${DESK}/c`)) await bot('mia', `!close ${stream.slice(`${DESK}/c`.length)}`)
  await clock.advance(5_000)
}
await desk[Symbol.asyncDispose]()
await stores.close()
process.send?.({ over: true, now: clock.now() } satisfies News, () => process.exit()) // agenda may have left a timer for a job of a later day
