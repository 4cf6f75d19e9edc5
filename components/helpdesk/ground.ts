// What every part of the desk stands on: the link, the rules, the books, and work that follows a commit (shell).
import type { Link } from '../../server/api.ts'
import { Book, type Commit } from './book.ts'
import type { CannedBook } from './canned-book.ts'
import { current, queueName, type Current } from './config.ts'
import { Customers, type Customer } from './customers.ts'
import { Dossiers } from './dossier.ts'
import type { Bare, Present, State } from './facts.ts'
import { Lines } from './lines.ts'
import { Notices } from './notices.ts'
import type { Storage } from './files/storage.ts'
import type { Outbox } from './mail/outbox.ts'
import { Operators } from './operators.ts'
import { Past } from './past.ts'
import { deskLine, short, type Scene } from './sentences.ts'
import type { Rulebook } from './settings/rulebook.ts'
import { Threads } from './threads.ts'

/** Sees every commit, in order for each conversation, and must not wait for another turn of it. */
export interface View { onCommit(c: Commit): void | Promise<void> }

export class Ground {
  readonly link: Link
  readonly rules: Rulebook
  readonly canned: CannedBook
  /** What holds now; another object after each change. */
  config: Current
  readonly book: Book
  readonly lines: Lines
  readonly customers: Customers
  readonly operators: Operators
  readonly dossiers: Dossiers
  readonly threads: Threads
  readonly notices: Notices
  /** One line for each conversation there ever was. */
  readonly summaries: Past
  /** What the config file names; a setting refers to one as `secret:NAME`. */
  secrets: ReadonlyMap<string, string> = new Map()
  /** Absent: the desk sends no mails. */
  mail: Outbox | undefined
  /** Absent: nobody can hand over files here. */
  storage: Storage | undefined
  readonly views: View[] = []
  /** Called when how a queue looks from outside may have changed. */
  readonly onQueues: (() => void)[] = []
  /** Called when settings have changed. */
  readonly onRules: (() => void)[] = []
  /** Called when how an operator's own world looks may have changed. */
  readonly onOperator: ((jid: Bare) => void)[] = []
  /** Called when a person was erased, for what is remembered outside the store. */
  readonly onErased: ((jid: Bare) => void | Promise<void>)[] = []
  readonly #background = new Set<Promise<unknown>>()
  #stopped = false

  constructor(link: Link, rules: Rulebook, canned: CannedBook) {
    this.link = link
    this.rules = rules
    this.canned = canned
    this.config = current(rules.now)
    rules.onChange.push((_, now) => { this.config = current(now) })
    const { documents } = link.stores
    this.lines = new Lines(documents, link.domain)
    this.customers = new Customers(documents, link.domain)
    this.operators = new Operators(link, rules)
    this.book = new Book(link.stores, link.clock, link.log, link.domain, this.lines)
    this.customers.inUse = id => this.book.ledger.customers.has(id)
    this.summaries = new Past(documents, link.domain)
    this.dossiers = new Dossiers(documents, link.domain)
    this.threads = new Threads(documents, link.domain)
    this.notices = new Notices(link)
    this.book.words = e => ({ body: e.line ? deskLine(e.line, who => this.operators.name(who)) : '', name: 'Helpdesk' })
    this.book.terms = () => ({ handOff: rules.now.handOff, autoClose: rules.now.conversation.autoClose })
  }

  /** As the log counts it. */
  get now(): number { return this.book.now }
  get domain(): string { return this.link.domain }

  /** Work that follows and that nobody waits for but `idle`. A failure is a bug, and is logged. */
  later(work: () => Promise<unknown>): void {
    if (this.#stopped) return
    const p = Promise.resolve().then(work).catch((error: unknown) => this.link.log.error({ err: error, domain: this.domain }, 'the desk met a bug'))
    this.#background.add(p)
    void p.finally(() => this.#background.delete(p))
  }
  /** Resolves when nothing follows any more. */
  async idle(): Promise<void> { while (this.#background.size > 0) await Promise.all(this.#background) }
  /** Nothing new is begun; what is under way ends. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.mail?.close()
    await this.idle()
    this.book.stop()
  }

  /** A secret as it is used; empty: there is none. */
  secret(text: string | undefined): string {
    const name = /^secret:([\w.-]+)$/.exec(text ?? '')?.[1]
    return name === undefined ? text ?? '' : this.secrets.get(name) ?? ''
  }

  customerOf(s: State): Customer | undefined { return s.is === 'absent' ? undefined : this.customers.known(s.customer) }

  /** What sentences about a conversation need. */
  scene(n: number, s: Present, opening = ''): Scene {
    const customer = this.customerOf(s)?.name ?? 'Customer'
    return {
      n, customer, queue: queueName(this.config, s.queue), now: this.now, opening: short(opening),
      name: who => who === 'customer' ? customer : who === 'desk' ? 'Helpdesk' : this.operators.name(who),
    }
  }

  hasQueue(queue: string): boolean { return this.config.queues.has(queue) }
  /** Those who may be asked about it, or take it: who serves the queue, or whom alone it is for. */
  eligible(s: Pick<Present, 'queue' | 'only'>): readonly Bare[] {
    const left = s.only?.filter(j => this.operators.may(j, 'chat.with.customers')) ?? []
    return left.length > 0 ? left : this.operators.of(s.queue) // who was deleted serves nobody: then the queue does
  }
}
