// XEP-0114, the server's end: a component behind a wire becomes a route like any other.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Element } from '../xml/element.ts'
import { isStanza, readStanza, Unreadable } from '../stanza/read.ts'
import { Jid } from '../stanza/jid.ts'
import type { Router } from '../route/router.ts'
import type { Transport } from '../net/transport.ts'
import { Stream, type Header, type StreamWorld } from './stream.ts'

export const NS_ACCEPT = 'jabber:component:accept'

/** What a component proves its secret with: SHA-1 of stream id and secret, in lower case (XEP-0114 section 3). */
export const proof = (id: string, secret: string): string => createHash('sha1').update(id + secret).digest('hex')

export interface ComponentWorld extends StreamWorld {
  readonly router: Router
  /** The configured secret of a component's domain; undefined: there is no such component. */
  secretOf(domain: string): string | undefined
  /** Told when a component comes and goes. */
  onComponent?(domain: string, here: boolean): void
}

export class ComponentStream extends Stream {
  readonly #world: ComponentWorld
  #domain: Jid | undefined
  #route: Disposable | undefined
  #deadline: Disposable

  constructor(transport: Transport, world: ComponentWorld) {
    super(transport, world, NS_ACCEPT)
    this.#world = world
    const { network, limits } = world
    this.#deadline = network.alarm(network.now() + limits.deadlines.auth, () => this.fail('connection-timeout'))
  }

  protected override opened(header: Header): void {
    const domain = header.to === undefined ? undefined : Jid.tryParse(header.to)
    this.respond({ from: domain?.domain ?? '', version: false })
    if (!domain || domain.local !== '' || this.#world.secretOf(domain.domain) === undefined) { this.fail('host-unknown', 'No such component is configured.'); return }
    this.#domain = domain
  }

  protected override received(e: Element): void | Promise<void> {
    if (this.#route && this.#domain) return this.#stanza(e, this.#domain)
    const secret = this.#domain && this.#world.secretOf(this.#domain.domain)
    if (e.name !== 'handshake' || !secret || !this.#domain || !same(e.text, proof(this.id, secret))) { this.fail('not-authorized'); return }
    const domain = this.#domain.domain
    if (this.#world.router.has(domain)) { this.fail('conflict', 'This component is connected already.'); return }
    this.#deadline[Symbol.dispose]()
    this.send('<handshake/>') // of the stream's own namespace
    this.trusted()
    this.#route = this.#world.router.add(domain, { deliver: s => this.send(s.write()) })
    this.#world.onComponent?.(domain, true)
  }

  #stanza(e: Element, own: Jid): void | Promise<void> {
    if (!isStanza(e)) { this.fail('unsupported-stanza-type'); return }
    const from = e.attrs['from'] === undefined ? undefined : Jid.tryParse(e.attrs['from'])
    if (from?.domain !== own.domain) { this.fail('invalid-from'); return }
    if (e.attrs['to'] === undefined) { this.fail('improper-addressing'); return }
    const stanza = readStanza(e, from)
    if (stanza instanceof Unreadable) { if (stanza.reply) this.send(stanza.reply.write()); return }
    return this.#world.router.route(stanza)
  }

  protected override ended(): void {
    this.#deadline[Symbol.dispose]()
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
