// What goes from one domain of ours to one of another server: one stream, in order, and a queue while there is none.
import { errorReply, type AnyStanza } from '../../stanza/stanza.ts'
import { refuse } from '../../stanza/errors.ts'
import { later, type Failure, type OutgoingStream } from './outgoing.ts'
import type { PeerStream, PeerWorld } from './peer.ts'

const SOON = 1_000 // ms until a server that could not be reached is tried again; each time twice as long
const LATEST = 60_000 // ms
const STOPPING = later('this server is stopping')

export class Link {
  readonly local: string
  readonly remote: string
  readonly #world: PeerWorld
  readonly #open: () => Promise<OutgoingStream | Failure>
  #queue: { readonly stanza: AnyStanza; readonly size: number }[] = []
  #bytes = 0
  #carrier: PeerStream | undefined
  #opening = false
  #failure: Failure | undefined
  #failures = 0
  #retryAt = 0
  #retry: Disposable | undefined
  #patience: Disposable | undefined
  #changed: number
  #stopped = false

  /** `open` gives a stream to the peer that stands. */
  constructor(local: string, remote: string, world: PeerWorld, open: () => Promise<OutgoingStream | Failure>) {
    this.local = local
    this.remote = remote
    this.#world = world
    this.#open = open
    this.#changed = world.network.now()
  }

  get carrier(): PeerStream | undefined { return this.#carrier }
  get queued(): number { return this.#queue.length }
  /** Why there was no stream the last time; undefined while there is one. */
  get failure(): Failure | undefined { return this.#failure }
  get state(): 'open' | 'connecting' | 'waiting' | 'closed' { return this.#carrier ? 'open' : this.#opening ? 'connecting' : this.#retry ? 'waiting' : 'closed' }
  /** Since when it is in its state, in milliseconds since 1970. */
  get changed(): number { return this.#changed }
  /** Whether nothing would be lost with it. */
  get idle(): boolean { return this.state === 'closed' && this.#world.network.now() >= this.#retryAt }

  /** Sends, or keeps until there is a stream; what cannot be sent goes back to its sender. */
  deliver(stanza: AnyStanza): void {
    if (this.#carrier) { this.#carrier.carry(stanza); return }
    if (this.#stopped) { this.#giveBack(stanza, STOPPING); return }
    const { limits, network } = this.#world
    const now = network.now()
    if (this.#failure?.condition === 'remote-server-not-found' && now < this.#retryAt && !this.#opening) { this.#giveBack(stanza, this.#failure); return }
    const size = stanza.write().length
    if (this.#bytes + size > limits.s2s.queue) { this.#bounce(stanza, 'resource-constraint', `Too much waits for ${this.remote}.`); return }
    this.#queue.push({ stanza, size })
    this.#bytes += size
    this.#patience ??= network.alarm(now + limits.s2s.timeout, () => this.#returnAll(later('it could not be reached in time')))
    if (this.#opening || this.#retry) return
    if (now >= this.#retryAt) void this.#connect()
    else this.#retry = network.alarm(this.#retryAt, () => this.#connect())
  }

  /** A stream that the peer opened may be used, if there is none of ours. */
  offer(stream: PeerStream): void {
    if (this.#carrier || this.#opening) return
    this.#stand(stream)
  }

  /** The stream is over; `unacked` were sent on it, and nobody knows whether they arrived. */
  lost(stream: PeerStream, unacked: readonly AnyStanza[], failure: Failure | undefined): void {
    if (this.#carrier !== stream) return
    this.#carrier = undefined
    this.#changed = this.#world.network.now()
    this.#failure = failure
    if (failure) this.#retryAt = this.#changed + SOON // who ends streams as soon as they stand shall not be dialled in a circle
    for (const stanza of unacked) this.#giveBack(stanza, failure ?? later('the connection was lost'))
  }

  /** Gives back what waits, and begins nothing any more; a stream that stands goes on. */
  stop(): void {
    this.#stopped = true
    this.#retryAt = Infinity
    this.#retry?.[Symbol.dispose]()
    this.#retry = undefined
    this.#returnAll(STOPPING)
  }

  async #connect(): Promise<void> {
    this.#retry?.[Symbol.dispose]()
    this.#retry = undefined
    this.#opening = true
    this.#changed = this.#world.network.now()
    const got = await this.#open()
    this.#opening = false
    this.#changed = this.#world.network.now()
    if (!('condition' in got) && !got.over) { this.#stand(got); return }
    const failure = 'condition' in got ? got : got.failure ?? later('it closed the connection')
    this.#failure = failure
    this.#world.log.info({ local: this.local, remote: this.remote, reason: failure.reason }, 'another server cannot be reached')
    this.#retryAt = Math.max(this.#retryAt, this.#changed + Math.min(LATEST, SOON * 2 ** this.#failures++))
    this.#returnAll(failure)
  }

  #stand(stream: PeerStream): void {
    this.#retry?.[Symbol.dispose]()
    this.#patience?.[Symbol.dispose]()
    this.#retry = this.#patience = this.#failure = undefined
    this.#failures = this.#retryAt = 0
    this.#carrier = stream
    this.#changed = this.#world.network.now()
    const waiting = this.#queue
    this.#queue = []
    this.#bytes = 0
    for (const { stanza } of waiting) this.deliver(stanza) // in their order, before anything that comes later
  }

  #returnAll(failure: Failure): void {
    this.#patience?.[Symbol.dispose]()
    this.#patience = undefined
    const waiting = this.#queue
    this.#queue = []
    this.#bytes = 0
    for (const { stanza } of waiting) this.#giveBack(stanza, failure)
  }

  #giveBack(stanza: AnyStanza, failure: Failure): void { this.#bounce(stanza, failure.condition, `${this.remote} cannot be reached.`) }

  /** An error to the sender, who is one of ours (RFC 6120 section 10.4.3); the details are the admin's. */
  #bounce(stanza: AnyStanza, condition: Failure['condition'] | 'resource-constraint', text: string): void {
    const failed = (err: unknown): void => this.#world.log.error({ err }, 'a bug met a stanza')
    try { void this.#world.router.giveBack(errorReply(stanza, refuse(condition, text)))?.catch(failed) } catch (err) { failed(err) }
    this.#world.settled(stanza)
  }
}
