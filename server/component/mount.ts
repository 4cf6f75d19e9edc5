// Runs a component in this process: no parsing, no writing, the very same objects.
import { randomUUID } from 'node:crypto'
import { openJobs } from '../jobs/jobs.ts'
import type { Router } from '../route/router.ts'
import type { Resource } from '../session/account.ts'
import { errorReply, type AnyStanza, type Iq } from '../stanza/stanza.ts'
import { refuse } from '../stanza/errors.ts'
import type { Component, Link, Receiver } from './component.ts'

const PATIENCE = 30_000 // ms until an asked iq is taken as lost

/** Waits for the answers to what a component asks; shared by mount and dial. */
export class Asking {
  readonly #waiting = new Map<string, { to: string; settle: (answer: Iq) => void; alarm: Disposable }>()
  readonly #link: Pick<Link, 'clock' | 'send'>
  constructor(link: Pick<Link, 'clock' | 'send'>) { this.#link = link }

  ask(iq: Iq): Promise<Iq> {
    const id = randomUUID()
    const asked = iq.readdress({ id })
    return new Promise(settle => {
      const late = (): void => { this.#waiting.delete(id); settle(errorReply(asked, refuse('remote-server-timeout')) as Iq) } // errorReply of an iq is an iq
      this.#waiting.set(id, { to: iq.to?.full ?? '', settle, alarm: this.#link.clock.alarm(this.#link.clock.now() + PATIENCE, late) })
      this.#link.send(asked)
    })
  }

  /** True if `stanza` was an awaited answer, from whom it was asked (SEC-R03). */
  takes(stanza: AnyStanza): boolean {
    if (stanza.kind !== 'iq' || (stanza.type !== 'result' && stanza.type !== 'error')) return false
    const waiting = this.#waiting.get(stanza.head.id ?? '')
    if (!waiting || waiting.to !== (stanza.from?.full ?? '')) return false
    this.#waiting.delete(stanza.head.id ?? '')
    waiting.alarm[Symbol.dispose]()
    waiting.settle(stanza)
    return true
  }
}

/** A component that runs. */
export interface Mounted extends AsyncDisposable {
  /** The server goes down: the component tells those whom it serves. Never throws. */
  leaving(): void
}

/** Starts `component` as `domain`; disposing takes it off the router and stops it. */
export async function mount(component: Component, world: Omit<Link, 'send' | 'ask' | 'jobs'>, router: Router): Promise<Mounted> {
  const { domain, log } = world
  const send = (s: AnyStanza): void => {
    try { void Promise.resolve(router.route(s)).catch(bug) } catch (e) { bug(e) }
  }
  const bug = (error: unknown): void => log.error({ error, domain }, 'a component met a bug')
  const asking = new Asking({ clock: world.clock, send })
  const failed = (s: AnyStanza, error: unknown): void => {
    bug(error)
    const reply = errorReply(s, refuse('internal-server-error'))
    if (reply) send(reply)
  }
  const hand = (to: Receiver, s: AnyStanza, via?: Resource): void => {
    try {
      const done = to.receive(s)
      if (!done) return
      const told = done.catch((e: unknown) => failed(s, e))
      via?.hold(told)
    } catch (e) { failed(s, e) }
  }
  let receiver: Receiver | undefined
  // What answers the component while it starts; nobody else is let in yet. Who is there it is told by its privileges, so presence
  // is not kept, and not bounced either: its contacts would look broken to sessions that sleep over a restart.
  const early: (() => void)[] = []
  const route = router.add(domain, {
    deliver(s, via) {
      if (asking.takes(s)) return
      const r = receiver
      if (r) hand(r, s, via)
      else if (s.kind !== 'presence') early.push(() => { if (receiver) hand(receiver, s, via) })
    },
  })
  const jobs = await openJobs({ documents: world.stores.documents, owner: domain, clock: world.clock, log })
  try { receiver = await component.start({ ...world, jobs, send, ask: iq => asking.ask(iq) }) } catch (e) { route[Symbol.dispose](); throw e }
  await jobs.start()
  for (const late of early.splice(0)) late()
  return {
    leaving() { try { receiver?.leaving?.() } catch (error) { bug(error) } },
    async [Symbol.asyncDispose]() { route[Symbol.dispose](); await receiver?.stop?.(); await jobs.close() },
  }
}
