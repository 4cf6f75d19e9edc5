// Every queue as a workgroup of XEP-0142: the door of its stanzas. What is done here is done by the same commands as everywhere (shell).
import { el, errorReply, Jid, refuse, resultOf, Stanza, StanzaError, type AnyStanza, type Element, type Iq, type Message, type Presence } from '../../../server/api.ts'
import type { Addresses } from '../addresses.ts'
import type { Commit } from '../book.ts'
import { queueName } from '../config.ts'
import type { View } from '../ground.ts'
import type { Office } from '../office.ts'
import { absence, NS, presence } from '../stanzas.ts'
import { Agents } from './agents.ts'
import { Visitors } from './visitors.ts'
import { described, JIVE, WG } from './words.ts'

const MOST = 50_000 // who look at queues without being contacts

export class Workgroup implements View {
  readonly agents: Agents
  readonly visitors: Visitors
  readonly #office: Office
  readonly #at: Addresses
  readonly #looking = new Map<string, { readonly from: Jid; readonly queue: string; open: boolean }>()
  constructor(office: Office, at: Addresses, hear: (m: Message, n: number) => Promise<void | StanzaError>) {
    this.#office = office
    this.#at = at
    this.visitors = new Visitors(office, at)
    this.visitors.rooms.hear = hear
    this.agents = new Agents(office, at, this.visitors)
    office.onQueues.push(() => { this.agents.touch(); this.#tell() })
  }
  stop(): void { this.visitors.stop(); this.agents.stop() }

  async onCommit(c: Commit): Promise<void> {
    this.visitors.onCommit(c)
    await this.agents.onCommit(c)
  }

  /** Whether the customer of this conversation has a room of his own for it. */
  hasRoom(n: number): boolean { return this.visitors.visit(n) !== undefined }
  talk(s: AnyStanza, n: number): Promise<void | StanzaError> { return this.visitors.rooms.receive(s, n, this.hasRoom(n)) }

  /** What a queue says of itself. */
  info(queue: string, contact: Element): Element { return el('query', NS.info, {}, ...contact.elements, ...described(queueName(this.#office.config, queue), this.#office.isOpen(queue))) }

  /** An iq to a queue in one of the namespaces; answers it. */
  async iq(iq: Iq, q: Element, from: Jid, queue: string): Promise<void> {
    const { link } = this.#office
    let answer: Element | undefined | StanzaError | 'answered'
    try {
      answer = await this.#answer(iq, q, from, queue)
    } catch (error) {
      link.log.error({ err: error, domain: this.#office.domain }, 'the desk met a bug')
      answer = refuse('internal-server-error')
    }
    if (answer === 'answered') return
    const reply = answer instanceof StanzaError ? errorReply(iq, answer) : answer ? resultOf(iq, answer) : resultOf(iq)
    if (reply) link.send(reply)
  }
  async #answer(iq: Iq, q: Element, from: Jid, queue: string): Promise<Element | undefined | StanzaError | 'answered'> {
    const { visitors, agents } = this
    switch (`${iq.type} ${q.ns === WG ? '' : 'fastpath '}${q.name}`) {
      case 'get join-queue': { const asked = visitors.form(queue); return el('join-queue', WG, {}, ...(asked ? [asked] : [])) }
      case 'set join-queue': return await visitors.join(from, q, queue, () => { const reply = resultOf(iq); if (reply) this.#office.link.send(reply) }) ?? 'answered'
      case 'set depart-queue': return visitors.depart(from, q)
      case 'get queue-status': return visitors.status(from)
      case 'set offer-accept': case 'set offer-reject': return await agents.answer(iq, q, from, queue) ?? 'answered'
      case 'get agent-status-request': return agents.colleagues(from, queue)
      case 'set transfer': case 'set invite': return agents.hand(q, from)
      case 'get fastpath workgroup-form': {
        if (!visitors.fastpath(queue)) return refuse('service-unavailable')
        const asked = visitors.form(queue)
        return el('workgroup-form', JIVE, {}, ...(asked ? [asked] : []))
      }
      // What only the service says, and what is not there.
      case 'set offer': case 'set offer-revoke': case 'set queue-status': case 'set notify-queue': case 'set notify-queue-details': case 'set notify-agents': case 'set agent-status': return refuse('forbidden', 'Only the desk says that.')
      default: return refuse('service-unavailable')
    }
  }

  /** Presence with which an agent's client takes part, or ends that. */
  presence(p: Presence, from: Jid, queue: string): void {
    this.#office.later(async () => {
      const error = await this.#office.inTurnOf(`${from.bare} at work`, () => this.agents.presence(p, from, queue)) // one after the other
      const reply = error && errorReply(p, error)
      if (reply) this.#office.link.send(reply)
    })
  }

  /** Who sends presence to a queue that is no contact of his is told how it stands, while he is there (COMPAT: Smack waits for it). */
  look(from: Jid, queue: string, here: boolean): void {
    this.#office.later(() => this.visitors.seen(from, here))
    const key = `${queue} ${from.full}`
    if (!here) { this.#looking.delete(key); return }
    if (this.#looking.size >= MOST && !this.#looking.has(key)) return
    const it = { from, queue, open: this.#office.isOpen(queue) }
    this.#looking.set(key, it)
    this.#show(it)
  }
  #tell(): void {
    for (const [key, it] of this.#looking) {
      if (!this.#office.hasQueue(it.queue)) { this.#looking.delete(key); continue }
      const open = this.#office.isOpen(it.queue)
      if (open === it.open) continue
      it.open = open
      this.#show(it)
    }
  }
  #show({ from, queue, open }: { from: Jid; queue: string; open: boolean }): void {
    const me = this.#at.queue(queue).toBare()
    const p = open ? presence(me, from, { status: queueName(this.#office.config, queue) }) : absence(me, from)
    this.#office.link.send(this.visitors.fastpath(queue) ? Stanza.of('presence', p.head, [...p.payload, el('workgroup', JIVE)]) : p)
  }
}
