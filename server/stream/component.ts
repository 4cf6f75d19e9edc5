// XEP-0114, the server's end: a component behind a wire becomes a route like any other.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Element } from '../xml/element.ts'
import { isStanza, readStanza, Unreadable } from '../stanza/read.ts'
import { Jid } from '../stanza/jid.ts'
import { CONTENT, errorReply, type AnyStanza } from '../stanza/stanza.ts'
import { refuse } from '../stanza/errors.ts'
import type { Router } from '../route/router.ts'
import type { Resource } from '../session/account.ts'
import type { Transport } from '../net/transport.ts'
import type { Strangers } from './strangers.ts'
import { Stream, type Header, type StreamWorld } from './stream.ts'

export const NS_ACCEPT = 'jabber:component:accept'

/** What a component proves its secret with: SHA-1 of stream id and secret, in lower case (XEP-0114 section 3). */
export const proof = (id: string, secret: string): string => createHash('sha1').update(id + secret).digest('hex')

export interface ComponentWorld extends StreamWorld {
  readonly router: Router
  /** The configured secret of a component's domain; undefined: there is no such component. */
  secretOf(domain: string): string | undefined
  /** Who failed how often; absent: nobody counts. */
  readonly strangers?: Strangers
  /** Told when a component comes and goes. */
  onComponent?(domain: string, here: boolean): void
}

export class ComponentStream extends Stream {
  readonly #world: ComponentWorld
  #domain: Jid | undefined
  #route: Disposable | undefined
  #deadline: Disposable | undefined
  #watch: Disposable | undefined

  constructor(transport: Transport, world: ComponentWorld) {
    super(transport, world, NS_ACCEPT)
    this.#world = world
    const { network, limits } = world
    if (world.strangers?.isBarred(transport.remote, this.heard)) { this.drop(); return }
    this.#deadline = network.alarm(network.now() + limits.deadlines.auth, () => this.fail('connection-timeout'))
  }

  protected override opened(header: Header): void {
    const domain = header.to === undefined ? undefined : Jid.tryParse(header.to)
    this.respond({ from: domain?.domain ?? '', version: false })
    const isKnown = domain !== undefined && domain.full === domain.domain
    if (isKnown && this.#world.secretOf(domain.domain) === undefined && this.#world.router.has(domain.domain)) { this.fail('conflict', 'That domain is served here.'); return }
    if (!isKnown || this.#world.secretOf(domain.domain) === undefined) { this.fail('host-unknown', 'No such component is configured.'); return }
    this.#domain = domain
  }

  protected override received(e: Element): void | Promise<void> {
    if (this.#route && this.#domain) return this.#stanza(e, this.#domain)
    const secret = this.#domain && this.#world.secretOf(this.#domain.domain)
    const isHandshake = e.is('handshake', CONTENT)
    if (!isHandshake || !secret || !this.#domain || !same(e.text, proof(this.id, secret))) {
      const { strangers, limits, network, log } = this.#world
      const { remote } = this.transport
      if (isHandshake && strangers?.failed(remote, limits, network.now())) log.warn({ remote }, 'too many failed logins: the address is barred for a while')
      this.fail('not-authorized')
      return
    }
    const domain = this.#domain.domain
    if (this.#world.router.has(domain)) { this.fail('conflict', 'This component is connected already.'); return }
    this.#deadline?.[Symbol.dispose]()
    this.send('<handshake/>') // of the stream's own namespace
    this.trusted()
    this.#route = this.#world.router.add(domain, { deliver: (s, via) => this.#deliver(s, via) })
    this.#look()
    this.#world.onComponent?.(domain, true)
  }

  /** Gives back what a component that does not read has no room for (SEC-C05). */
  #deliver(s: AnyStanza, via: Resource | undefined): void | Promise<void> {
    if (this.transport.backlog > this.#world.limits.writeBuffer.bytes / 2) return this.#world.router.giveBack(errorReply(s, refuse('remote-server-timeout')), via)
    this.send(s.write())
  }

  /** Gives up a component that does not read at all. */
  #look(): void {
    const { network, limits } = this.#world
    const now = network.now()
    if (this.isStalled(now)) { this.drop(); return }
    if (limits.writeBuffer.stall !== Infinity) this.#watch = network.alarm(now + Math.max(1_000, limits.writeBuffer.stall / 2), () => this.#look())
  }

  #stanza(e: Element, own: Jid): void | Promise<void> {
    if (!isStanza(e)) { this.fail('unsupported-stanza-type'); return }
    const from = e.attrs['from'] === undefined ? undefined : Jid.tryParse(e.attrs['from'])
    if (from?.domain !== own.domain) { this.fail('invalid-from'); return }
    if (e.attrs['to'] === undefined) { this.fail('improper-addressing'); return }
    const stanza = readStanza(e, from)
    if (stanza instanceof Unreadable) { if (stanza.reply) this.send((stanza.reply.readdress({ from: own } as never) as AnyStanza).write()); return } // the same head for all kinds
    return this.#world.router.route(stanza)
  }

  protected override ended(): void {
    this.#deadline?.[Symbol.dispose]()
    this.#watch?.[Symbol.dispose]()
    if (!this.#route) return
    this.#route[Symbol.dispose]()
    this.#route = undefined
    if (this.#domain) this.#world.onComponent?.(this.#domain.domain, false)
  }
}

function same(a: string, b: string): boolean {
  const x = Buffer.from(a), y = Buffer.from(b)
  return x.length === y.length && timingSafeEqual(x, y)
}
