// The addresses of a desk: its bot, its queues, its conversations, internal chats and rooms. Pure.
import { Jid } from '../../server/api.ts'

export const RESOURCE = 'desk'

/** What an address at the desk's domain stands for. */
export type Place =
  | { readonly is: 'domain' }
  | { readonly is: 'bot' }
  | { readonly is: 'queue'; readonly queue: string }
  | { readonly is: 'conversation'; readonly n: number }
  | { readonly is: 'internal'; readonly n: number; readonly chat: string }
  | { readonly is: 'room'; readonly n: number }
  | { readonly is: 'talk'; readonly n: number }
  /** A talk among agents. */
  | { readonly is: 'thread'; readonly thread: number }
  | { readonly is: 'nothing' }

export class Addresses {
  readonly #domain: string
  readonly domain: Jid
  readonly bot: Jid
  readonly #isQueue: (name: string) => boolean
  constructor(domain: string, isQueue: (name: string) => boolean) {
    this.#domain = domain
    this.domain = Jid.parse(domain)
    this.bot = Jid.of('desk', domain, RESOURCE)
    this.#isQueue = isQueue
  }

  queue(queue: string): Jid { return Jid.of(queue, this.#domain, RESOURCE) }
  conversation(n: number): Jid { return Jid.of(`c${n}`, this.#domain, RESOURCE) }
  thread(n: number): Jid { return Jid.of(`im${n}`, this.#domain, RESOURCE) }
  internal(n: number, chat: string): Jid { return Jid.of(`i${n}-${chat}`, this.#domain, RESOURCE) }
  /** A room bears the customer's name for people and the number for us. */
  room(n: number, name: string): Jid { return Jid.of(`${roomName(name)}-${n}`, this.#domain) }

  /** The room of a customer who came through a workgroup. */
  talk(n: number): Jid { return Jid.of(`w${n}`, this.#domain) }

  /** Queues come first: one may be called like a number. */
  read(to: Jid): Place {
    const { local } = to
    if (local === '') return { is: 'domain' }
    if (local === 'desk') return { is: 'bot' }
    if (this.#isQueue(local)) return { is: 'queue', queue: local }
    const c = /^c([1-9]\d{0,8})$/.exec(local)
    if (c) return { is: 'conversation', n: Number(c[1]) }
    const t = /^im([1-9]\d{0,8})$/.exec(local)
    if (t) return { is: 'thread', thread: Number(t[1]) }
    const w = /^w([1-9]\d{0,8})$/.exec(local)
    if (w) return { is: 'talk', n: Number(w[1]) }
    const i = /^i([1-9]\d{0,8})-([0-9a-z-]+)$/.exec(local)
    if (i) return { is: 'internal', n: Number(i[1]), chat: i[2] ?? '' }
    const r = /-([1-9]\d{0,8})$/.exec(local)
    return r ? { is: 'room', n: Number(r[1]) } : { is: 'nothing' }
  }
}

const roomName = (name: string): string => name.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 30) || 'customer'
