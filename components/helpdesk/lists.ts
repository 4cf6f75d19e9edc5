// Lists of conversations with their columns, filters and order (ST-03 to ST-19, OT-02 to OT-04; shell).
import { kindOf } from './customers.ts'
import { queueName } from './config.ts'
import { Refused, type Bare, type Present, type State } from './facts.ts'
import type { Office } from './office.ts'
import type { Summary } from './past.ts'
import { scope } from './records/access.ts'
import { durationColour, idleColour, type Colour } from './quality.ts'
import { isQueued, roleOf } from './states.ts'

export const LISTS = ['mine', 'done', 'queue', 'customers', 'public', 'agents', 'active', 'completed'] as const
export type ListName = typeof LISTS[number]
/** The columns of ST-09 and what the console shows as icons. Times are seconds, moments ms since 1970. */
export interface Row {
  readonly number: number
  readonly status: Summary['state'] | 'invited'
  readonly followUp: boolean
  readonly user: string
  readonly kind: 'customer' | 'public' | 'agent'
  readonly group: string
  readonly started: number
  readonly queueTime: number
  /** Since an agent's last line; without one since the start. */
  readonly idle: number
  /** Lines of customer and agents; notes and the desk's own words do not count. */
  readonly messages: number
  readonly agent: Bare | null
  readonly agentName: string | null
  readonly duration: number
  readonly idleColour: Colour
  readonly durationColour: Colour
}
export const COLUMNS = ['number', 'status', 'followUp', 'user', 'kind', 'group', 'started', 'queueTime', 'idle', 'messages', 'agent', 'agentName', 'duration', 'idleColour', 'durationColour'] as const satisfies readonly (keyof Row)[]
export type Column = typeof COLUMNS[number]

export interface Wanted {
  readonly list: ListName
  readonly department?: string | undefined
  readonly queue?: string | undefined
  readonly agent?: Bare | undefined
  /** Absent: as the operator prefers. */
  readonly channels?: 'all' | 'mine' | undefined
  readonly sort?: Column | undefined
  readonly descending?: boolean
}
const LOOK = 1000 // past conversations that a live list begins with: the newest of those that fit

/** Which lists show others' conversations: not for who may not see them (ST-03). */
const OTHERS: readonly ListName[] = ['active', 'completed']

/** Lists of what is over: they are read from the records, not from what goes on. */
export const isPast = (list: ListName): boolean => list === 'done' || list === 'completed'

/** What one operator may see of a list now. */
export interface Sight {
  fits(queue: string, owners: readonly Bare[]): boolean
  /** The queues that were named, in whatever way; undefined: any. */
  readonly queues: readonly string[] | undefined
  /** The row of this conversation, if it stands in the list. */
  row(n: number, s: State): Row | undefined
}

/** How an operator sees a list; refused where he may not, or where it names what is not there. */
export function sight(o: Office, who: Bare, w: Wanted): Sight | Refused {
  if (OTHERS.includes(w.list) && !o.operators.may(who, 'chat.view.others')) return new Refused('You may see your own conversations only.', undefined, true)
  if (w.department !== undefined && !o.rules.now.departments[w.department]) return new Refused(`There is no department “${w.department}”.`)
  const queues = w.department === undefined ? undefined : o.rules.now.departments[w.department]?.queues
  const mine = (w.channels ?? o.operators.record(who).channels) === 'mine' ? o.operators.queuesOf(who) : undefined
  const fits = (queue: string, owners: readonly Bare[]): boolean => (queues?.includes(queue) ?? true) && (w.queue === undefined || w.queue === queue) && (mine?.includes(queue) ?? true) && (w.agent === undefined || owners.at(-1) === w.agent)
  const named = [queues, w.queue === undefined ? undefined : [w.queue], mine].filter(q => q !== undefined)
  return {
    fits, queues: named.length === 0 ? undefined : (named[0] ?? []).filter(q => named.every(all => all.includes(q))),
    row(n, s) {
      if (s.is === 'absent' || s.deleted !== undefined) return undefined
      if (!isPast(w.list)) return s.is !== 'closed' && fits(s.queue, owners(s)) && belongs(o, who, w.list, s) ? row(o, n, s, w.list === 'agents' ? who : undefined) : undefined
      const own = w.list === 'done' ? s.owners.includes(who) : o.operators.may(who, 'chat.view.others', s.queue)
      return s.is === 'closed' && own && fits(s.queue, s.owners) ? { ...row(o, n, s), kind: 'customer' } : undefined
    },
  }
}

/** The rows an operator may see, in order; of lists of what is over the newest only. */
export async function rows(o: Office, who: Bare, w: Wanted): Promise<readonly Row[] | Refused> {
  const seen = sight(o, who, w)
  if (seen instanceof Refused) return seen
  const found: Row[] = []
  if (isPast(w.list)) {
    const agents = w.list === 'done' ? who : w.agent
    const where = { status: 'closed', ...(agents === undefined ? {} : { agents }), ...(seen.queues === undefined ? {} : { queue: seen.queues }) }
    const past = await o.records.newest(where, LOOK, w.list === 'done' ? undefined : scope(o, who))
    for (const s of past) if (s.state === 'closed' && seen.fits(s.queue, s.owners) && (w.list === 'done' || o.operators.may(who, 'chat.view.others', s.queue))) found.push(pastRow(o, s))
  } else {
    for (const [n, s] of o.book.states) { const r = seen.row(n, s); if (r) found.push(r) }
  }
  return sorted(found, w.sort, w.descending === true)
}
const owners = (s: Present): readonly Bare[] => s.is === 'active' || s.is === 'ended' ? [s.owner] : []

function belongs(o: Office, who: Bare, list: ListName, s: Present): boolean {
  switch (list) {
    case 'mine': { const role = roleOf(s, who); return role !== undefined && role !== 'invited' }
    case 'agents': return s.invitations.some(i => i.who === who && i.until !== undefined) || (s.is === 'active' && s.transfer?.to === who)
    case 'active': return s.is === 'active' && o.operators.may(who, 'chat.view.others', s.queue)
    case 'queue': case 'customers': case 'public': {
      if (!isQueued(s) || !(o.operators.may(who, 'chat.view.others', s.queue) || o.eligible(s).includes(who))) return false
      const customer = o.customerOf(s)
      return list === 'queue' || (customer !== undefined && kindOf(customer) === (list === 'public' ? 'public' : 'customer'))
    }
    default: return false
  }
}

const seconds = (ms: number): number => Math.max(0, Math.floor(ms / 1000))

/** One that is not closed. `asked`: as a request of a colleague to this operator. */
export function row(o: Office, n: number, s: Present, asked?: Bare): Row {
  const { quality } = o.rules.now
  const customer = o.customerOf(s)
  const owner = s.is === 'active' || s.is === 'ended' ? s.owner : s.is === 'closed' ? s.owner ?? null : null
  const end = s.is === 'ended' || s.is === 'closed' ? s.at : o.now
  const by = asked === undefined ? undefined : s.invitations.find(i => i.who === asked && i.until !== undefined)?.by ?? (s.is === 'active' ? s.transfer?.by : undefined)
  return {
    number: n, status: by === undefined ? s.is : 'invited', followUp: s.followUp !== undefined, user: by === undefined ? customer?.name ?? 'Customer' : o.operators.name(by), kind: by !== undefined ? 'agent' : customer ? kindOf(customer) : 'customer',
    group: queueName(o.config, s.queue), started: s.opened, queueTime: seconds(isQueued(s) ? o.now - s.place.since : s.waited ?? 0), idle: seconds(end - (s.clocks.idle ?? s.opened)), messages: s.messages,
    agent: owner, agentName: owner === null ? null : o.operators.name(owner), duration: seconds(end - s.opened),
    idleColour: idleColour(s, quality, o.now, o.book.typed.get(n)), durationColour: durationColour(s, quality, o.now),
  }
}

/** One that is over, as it is kept. */
export function pastRow(o: Office, s: Summary): Row {
  const end = s.closed ?? o.now
  const owner = s.owners.at(-1) ?? null
  return {
    number: s.number, status: s.state, followUp: s.followUp === true, user: s.customer, kind: 'customer', group: queueName(o.config, s.queue), started: s.opened, queueTime: seconds(s.waited ?? 0), idle: seconds(end - (s.answered ?? s.opened)),
    messages: s.messages ?? 0, agent: owner, agentName: owner === null ? null : o.operators.name(owner), duration: seconds(end - s.opened), idleColour: 'red', durationColour: 'green',
  }
}

/** What of a row says where it stands. */
export type Placed = Pick<Row, 'number' | 'idle'> & Partial<Row>

/** By any column; equals by the time without an answer, from the least to the most, or turned round with the direction (ST-16). Pure. */
export function sorted(all: readonly Row[], by: Column | undefined, descending: boolean): readonly Row[] {
  return [...all].sort(comparison(by, descending))
}

/** Which of two rows stands first. Pure. */
export function comparison(by: Column | undefined, descending: boolean): (a: Placed, b: Placed) => number {
  if (by === undefined) return (a, b) => a.number - b.number
  const compare = (a: Placed, b: Placed): number => {
    const [x, y] = [a[by], b[by]]
    const first = typeof x === 'number' && typeof y === 'number' ? x - y : typeof x === 'boolean' && typeof y === 'boolean' ? Number(x) - Number(y) : String(x ?? '').localeCompare(String(y ?? ''), 'en', { sensitivity: 'base' })
    return first || a.idle - b.idle || a.number - b.number
  }
  return (a, b) => descending ? compare(b, a) : compare(a, b)
}
