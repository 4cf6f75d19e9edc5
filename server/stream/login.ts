// A login, whichever profile of SASL it is spoken in: what is offered, one run of a mechanism at a time, and what failures cost.
import type { Found } from '../account/accounts.ts'
import { askOutside, enrol } from '../host/enrolment.ts'
import type { Host } from '../host/host.ts'
import { certified } from '../net/client-trust.ts'
import type { Transport } from '../net/transport.ts'
import type { Account } from '../session/account.ts'
import type { StreamCondition } from '../session/ending.ts'
import { Jid } from '../stanza/jid.ts'
import type { Mechanism, SaslCondition, Setting, Step, TokenJudge } from './sasl/mechanism.ts'
import { begin, offered } from './sasl/offer.ts'
import { sealOf } from './sasl/fast.ts'
import type { ClientWorld } from './client-world.ts'

const PLAINS = 128 // passwords looked at in the same moment: each takes a thread of the pool for milliseconds

/** Who has proved who he is. */
export interface Proved { readonly user: Jid; readonly account: Account; readonly mechanism: string; readonly data?: Uint8Array; /** An authority outside has said so. */ readonly outside: boolean }

/** How a profile says what comes of a login. */
export interface Voice {
  challenge(data: Uint8Array): void
  failure(condition: SaslCondition, text?: string): void
  success(proved: Proved): void | Promise<void>
}

/** What a login needs of the stream. */
export interface LoginStream { readonly over: boolean; fail(condition: StreamCondition, text?: string): void }

export class Login {
  /** The mechanisms as advertised on this stream. */
  offered: readonly string[] = []
  readonly #stream: LoginStream
  readonly #transport: Transport
  readonly #world: ClientWorld
  #mechanism: Mechanism | undefined
  #voice: Voice | undefined
  #found: Found | undefined // the account that the mechanism was given, as it was then
  #failures = 0
  #tarpit: Disposable | undefined

  constructor(stream: LoginStream, transport: Transport, world: ClientWorld) {
    this.#stream = stream
    this.#transport = transport
    this.#world = world
  }

  get running(): boolean { return this.#mechanism !== undefined }

  get allowed(): boolean { return this.#transport.secure || !this.#world.requireTls(this.#transport.remote) }

  /** XEP-0440: tls-unique is taken from those who know nothing better, not advertised (RFC 9266 section 3). */
  get bindings(): string[] { return [...this.#transport.bindings.keys()].filter(type => type !== 'tls-unique') }

  /** Takes down what the stream offers now, strongest first. */
  offer(host: Host): readonly string[] {
    const { secure, peer } = this.#transport
    return this.offered = this.allowed ? offered({
      tls: secure, bindings: this.bindings, allowPlain: true, plainInClear: !secure, guests: host.guests !== undefined,
      passwordsElsewhere: host.passwordsElsewhere, bearer: host.authorities.some(a => a.bearer),
      certified: peer !== undefined && certified(peer, host.domain).length > 0,
    }) : []
  }

  /** Begins a run; one that is under way is over. `initial`: undefined where the client sent none. `token`: it brings one (XEP-0484). */
  start(host: Host, name: string, initial: Uint8Array | undefined, voice: Voice, token?: TokenJudge): void | Promise<void> {
    this.#found = undefined
    this.#voice = voice
    const mechanism = this.#mechanism = begin(name, this.#setting(host, token))
    if (!mechanism) { this.refuse('invalid-mechanism', voice); return }
    const { network, limits, devices } = this.#world
    const wait = devices.strangers.delay(this.#transport.remote, limits, network.now())
    if (wait === 0) return this.#run(host, mechanism, m => m.start(initial))
    return new Promise<void>(done => {
      this.#tarpit = network.alarm(network.now() + wait, () => done())
    }).then(() => this.#run(host, mechanism, m => m.start(initial)))
  }

  /** Goes on with the run that is under way. */
  respond(host: Host, data: Uint8Array): void | Promise<void> {
    if (this.#mechanism) return this.#run(host, this.#mechanism, m => m.respond(data))
  }

  /** Says no, and ends the stream of one who was told so too often. */
  refuse(condition: SaslCondition, voice: Voice, text?: string): void {
    this.#mechanism = undefined
    voice.failure(condition, text)
    const { devices: { strangers }, limits, network, log } = this.#world
    if (condition === 'not-authorized' && strangers.failed(this.#transport.remote, limits, network.now())) {
      log.warn({ remote: this.#transport.remote }, 'too many failed logins: the address is barred for a while')
      this.#stream.fail('policy-violation', 'Too many failed logins.')
      return
    }
    if (condition !== 'aborted' && condition !== 'temporary-auth-failure' && ++this.#failures >= limits.authFailures.perStream) this.#stream.fail('policy-violation', 'Too many failed logins.')
  }

  [Symbol.dispose](): void { this.#tarpit?.[Symbol.dispose]() }

  #setting(host: Host, token: TokenJudge | undefined): Setting {
    const { accounts, guests, authorities, passwordsElsewhere } = host
    const { peer, bindings, remote } = this.#transport
    const issuer = authorities.find(a => a.bearer)
    const keep = (found: Found): ReturnType<Setting['lookup']> => (this.#found = found).record?.credentials
    return {
      host: host.domain,
      lookup: local => { const found = accounts.find(local); return found instanceof Promise ? found.then(keep) as Promise<Awaited<ReturnType<typeof keep>>> : keep(found) },
      secret: this.#world.secret,
      iterations: this.#world.iterations,
      offered: this.offered,
      bindings,
      offeredBindings: this.bindings,
      ...(peer && !passwordsElsewhere && { certified: certified(peer, host.domain) }),
      ...(guests && { guest: () => guests.welcome(remote) }),
      ...(authorities.length > 0 && { password: (local: string, given: string) => askOutside(host, local, given) }),
      ...(issuer && { bearer: (text: string) => issuer.bearer!(text).then(f => enrol(host, issuer, f)) }), // it was found by it
      ...(token && !passwordsElsewhere && { token }),
    }
  }

  #run(host: Host, mechanism: Mechanism, take: (m: Mechanism) => Step | Promise<Step>): void | Promise<void> {
    const voice = this.#voice! // start has set it
    if (this.#stream.over) return
    const plain = mechanism.name === 'PLAIN'
    if (plain && plains >= PLAINS) { this.refuse('temporary-auth-failure', voice); return } // SEC-E11
    const step = take(mechanism)
    if (!(step instanceof Promise)) return this.#step(step, host, mechanism, voice)
    if (plain) { plains++; void step.finally(() => { plains-- }).catch(() => {}) } // it is heard below
    return step.then(s => this.#step(s, host, mechanism, voice)).catch((err: unknown) => { host.bug(err); this.refuse('temporary-auth-failure', voice) })
  }

  #step(step: Step, host: Host, mechanism: Mechanism, voice: Voice): void | Promise<void> {
    if ('challenge' in step) { voice.challenge(step.challenge); return }
    if ('failure' in step) { this.refuse(step.failure, voice, step.text); return }
    const { success: { user: local, data, outside = false } } = step
    const user = Jid.of(local, host.domain)
    const found = this.#found
    return Promise.resolve(host.accounts.at(user, found)).then(account => {
      if (this.#stream.over) { host.guests?.leave(user); return }
      if (account?.record.disabled) { this.refuse('account-disabled', voice); return }
      if (!account || (found?.record && found.record !== account.record && sealOf(found.record) !== sealOf(account.record))) { this.refuse('not-authorized', voice); return } // changed in this moment
      this.#mechanism = undefined
      this.#failures = 0
      return voice.success({ user, account, mechanism: mechanism.name, outside, ...(data && { data }) })
    })
  }
}

let plains = 0 // passwords that are looked at now
