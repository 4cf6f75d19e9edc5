// A bound client: its stream while there is one, what it was sent and has not acknowledged while there is none (XEP-0198).
import { el, type Element } from '../xml/element.ts'
import { parseFrame, UNLIMITED } from '../xml/parser.ts'
import { CONTENT, errorReply, type AnyStanza } from '../stanza/stanza.ts'
import { readStanza, Unreadable } from '../stanza/read.ts'
import { refuse, StanzaError } from '../stanza/errors.ts'
import type { Jid } from '../stanza/jid.ts'
import { Resource, type Account, type Sieve } from '../session/account.ts'
import type { StreamCondition } from '../session/ending.ts'
import type { Host } from '../host/host.ts'
import { sealOf } from './sasl/fast.ts'
import { Handled, NS_SM, Unacked, type Sent } from './sm.ts'

/** What a device needs of the stream that carries it. */
export interface Carrier {
  send(text: string): void
  fail(condition: StreamCondition, text?: string): void
  readonly within: string
}

/** A session that sleeps, as it is written down over a restart; stanzas as text, times in milliseconds since 1970. */
export interface Asleep {
  readonly jid: string
  readonly until: number
  /** For how many milliseconds its client wants to be waited for, the next time. */
  readonly life?: number
  readonly handled: number
  readonly acknowledged: number
  readonly sent: readonly { readonly text: string; readonly at: number }[]
  readonly presence?: string
  readonly flags: readonly string[]
  /** The account's password and role as they were, as a hash: with others it does not wake. */
  readonly seal?: string
}

const ASK_AFTER = 5 // stanzas without an acknowledgement before one is asked for at once
const ASK_WAIT = 1_000 // ms before one is asked for in any case

export class Device extends Resource {
  readonly host: Host
  readonly handled: Handled
  /** Told once, when the session is over. */
  onGone: () => void = () => {}
  #carrier: Carrier | undefined
  #ns: string | undefined
  #unacked: Unacked | undefined
  #askedAt: number | undefined // an <r/> is on its way since then
  #quiet = false // nothing may be asked yet
  #ask: Disposable | undefined
  #expiry: Disposable | undefined
  #until = 0 // when it ends, while it sleeps
  #resumable = false
  #life = Infinity // ms that the client wants to be waited for
  #gone = false
  #taken: AnyStanza | undefined // the stanza from the device that is worked on
  #unstored: AnyStanza | undefined // the last one that could not be stored
  #sieve: Sieve | undefined

  /** `handled`: how many stanzas it had sent before. */
  constructor(jid: Jid, account: Account, host: Host, carrier: Carrier | undefined, handled = 0) {
    super(jid, account)
    this.host = host
    this.handled = new Handled(handled)
    if (carrier) this.#carry(carrier)
  }

  /** A session that was written down, asleep as it was; it ends at once if its time is over. */
  static wake(jid: Jid, account: Account, host: Host, a: Asleep): Device {
    const device = new Device(jid, account, host, undefined, a.handled)
    const { stanzas, bytes } = host.limits.streamManagement
    const unacked = device.#unacked = new Unacked({ stanzas, bytes }, a.acknowledged)
    for (const { text, at } of a.sent) { const s = read(text); if (s) unacked.push(s, text.length, at) }
    device.#resumable = true
    device.#life = a.life ?? Infinity
    const presence = a.presence === undefined ? undefined : read(a.presence)
    if (presence?.kind === 'presence') device.presence = presence
    device.recall(a.flags)
    account.add(device)
    device.#sleep(a.until)
    return device
  }

  /** What there is to write down of a session that sleeps; undefined of one that does not. */
  get asleep(): Asleep | undefined {
    const unacked = this.#unacked
    if (!unacked || this.attached || this.#gone) return undefined
    return {
      jid: this.jid.full, until: this.#until, ...(Number.isFinite(this.#life) && { life: this.#life }), handled: this.handled.h, acknowledged: unacked.acknowledged,
      sent: [...unacked.all, ...(this.#sieve?.kept ?? []).map(stanza => ({ stanza, at: this.host.clock.now() }))].map(({ stanza, at }) => ({ text: stanza.write(CONTENT), at })),
      ...(this.presence ? { presence: this.presence.write(CONTENT) } : {}), flags: this.flags, seal: sealOf(this.account.record),
    }
  }

  get managed(): boolean { return this.#unacked !== undefined }
  get resumable(): boolean { return this.#resumable }
  get gone(): boolean { return this.#gone }
  /** Since when the peer owes an acknowledgement that it was asked for, in milliseconds since 1970. */
  get owesSince(): number | undefined { return this.#askedAt }
  /** How many stanzas it was sent since `manage`. */
  get sent(): number { return this.#unacked?.sent ?? 0 }

  override get unacknowledged(): readonly AnyStanza[] { return this.#unacked?.all.map(s => s.stanza) ?? [] }

  override deliver(stanza: AnyStanza): void {
    if (this.#sieve) for (const s of this.#sieve.take(stanza)) this.#give(s)
    else this.#give(stanza)
  }

  override sift(sieve: Sieve | undefined): void {
    const before = this.#sieve
    this.#sieve = sieve
    if (before) for (const s of before.kept) this.#give(s)
  }

  #give(stanza: AnyStanza): void {
    if (this.#gone) return
    this.host.passed.out[stanza.kind]++
    const text = stanza.write(this.#ns)
    const unacked = this.#unacked
    if (!unacked) { this.#carrier?.send(text); return }
    unacked.push(stanza, text.length, stanza.kind === 'message' ? this.host.clock.now() : 0)
    if (unacked.full) { this.end('resource-constraint', 'Too much waits for an acknowledgement.'); return } // SEC-S11
    if (!this.#carrier) return
    this.#carrier.send(text)
    if (unacked.length >= ASK_AFTER) this.ask()
    else this.#plan()
  }

  /** A stanza came from it (undefined: one that cannot be read); what is held from here on concerns this one. */
  take(stanza: AnyStanza | undefined): void {
    this.#taken = stanza
    this.handled.next()
  }

  override hold(commit: Promise<unknown>): void {
    const stanza = this.#taken
    const failed = (err: unknown): void => { this.#notStored(stanza, err) }
    if (this.managed) this.handled.hold(commit, failed)
    else commit.catch(failed)
  }

  override end(condition: StreamCondition, text?: string): void {
    const carrier = this.#carrier
    this.leave()
    carrier?.fail(condition, text)
  }

  /** XEP-0198 section 3: from now on stanzas are counted; `resumable`: the session outlives its stream for a while, `life` milliseconds at most. */
  manage(resumable: boolean, life = Infinity): void {
    this.#life = life
    const { stanzas, bytes } = this.host.limits.streamManagement
    this.#unacked = new Unacked({ stanzas, bytes })
    this.#resumable = resumable
    this.handled.restart()
    // COMPAT: @xmpp/client 0.14 miscounts when <r/> comes in one segment with <enabled/>
    this.#quiet = true
    this.#ask = this.#in(ASK_WAIT)
  }

  /** The peer says it has `h`; false if that cannot be. */
  acknowledge(h: number): boolean {
    this.#askedAt = undefined
    if (!this.#unacked?.acknowledge(h)) return false
    if (this.#quiet) return true
    this.#ask?.[Symbol.dispose]()
    this.#ask = undefined
    if (this.#unacked.length >= ASK_AFTER) this.ask()
    else if (this.#unacked.length > 0) this.#plan()
    return true
  }

  /** Answers <r/> when all that came before it is committed. */
  answerRequest(): void {
    this.handled.whenCommitted(() => this.#carrier?.send(`<a xmlns='${NS_SM}' h='${this.handled.h}'/>`))
  }

  /** Asks for an acknowledgement, if none is asked for already. */
  ask(): void {
    if (this.#askedAt !== undefined || this.#quiet || !this.#carrier || !this.managed) return
    this.#askedAt = this.host.network.now()
    this.#carrier.send(`<r xmlns='${NS_SM}'/>`)
  }

  /** `carrier` has ended, in due form if `clean`; that matters no more if the session has gone on over another. */
  detach(carrier: Carrier, clean: boolean): void {
    if (this.#carrier !== carrier) return
    this.#carrier = undefined
    this.#lie(clean)
  }

  /**
   * Another stream is about to go on with the session: nothing more is taken from the one that carried it, or it would be counted
   * after the peer was told how far we are. Until `resume` or `spurned` what comes for the device waits.
   */
  sever(): void {
    const before = this.#carrier
    this.#carrier = undefined
    before?.fail('conflict', 'Resumed on another connection.')
  }

  /** It was severed, and no other stream goes on with it. */
  spurned(): void { if (!this.#carrier && !this.#gone && this.attached) this.#lie(false) }

  /** Without a stream: asleep for a while, or over. */
  #lie(clean: boolean): void {
    const { hibernated } = this.host.limits.resources
    if (clean || !this.#resumable || hibernated <= 0) { this.leave(); return }
    this.#silence()
    this.#sleep(this.host.clock.now() + Math.min(this.#life, this.host.limits.streamManagement.resume))
    this.host.tell('detached', this)
    const sleeping = [...this.account.resources.values()].filter(r => r instanceof Device && !r.attached) as Device[] // the line says so
    if (sleeping.length > hibernated) sleeping.reduce((a, b) => (b.#until < a.#until ? b : a)).leave() // SEC-S14
  }

  #sleep(until: number): void {
    this.#until = until
    this.attached = false
    this.#expiry = this.host.clock.alarm(until, () => this.leave())
  }

  /** Goes on over another stream (section 5); `h` is what the peer has. False if that cannot be. */
  resume(carrier: Carrier, h: number, resumed: (h: number) => string): boolean {
    if (!this.#unacked?.acknowledge(h)) return false
    this.#expiry?.[Symbol.dispose]()
    this.#expiry = undefined
    this.#silence()
    this.sever()
    this.#carry(carrier)
    this.attached = true
    carrier.send(resumed(this.handled.h))
    for (const { stanza } of this.#unacked.all) carrier.send(stanza.write(this.#ns))
    if (this.#unacked.length) this.ask()
    this.host.tell('attached', this)
    return true
  }

  /** Ends the session: the account forgets the device, others hear that it is gone, what it did not acknowledge goes elsewhere. */
  leave(): void {
    if (this.#gone) return
    const giveOn = this.retire()
    try { this.host.presences.gone(this) } catch (error) { this.host.bug(error) }
    this.host.tell('gone', this)
    giveOn()
  }

  /** Ends the session without telling anybody; what it gives back sends on what was not acknowledged. */
  retire(): () => void {
    this.#gone = true
    this.#carrier = undefined
    this.#silence()
    this.#expiry?.[Symbol.dispose]()
    this.account.remove(this)
    this.onGone()
    const unacked = [...this.#unacked?.all ?? []]
    this.#unacked?.drain()
    return () => { for (const sent of unacked) this.#elsewhere(sent) }
  }

  /** What its transport still had for it: to whoever sent it, or where missed messages go, if no other device could have had them. */
  giveOn(texts: readonly string[]): void {
    for (const text of texts) {
      const stanza = read(text)
      if (stanza && (stanza.kind === 'iq' || this.account.best.length === 0)) this.#elsewhere({ stanza, size: text.length, at: this.host.clock.now() })
    }
  }

  #elsewhere({ stanza: s, at }: Sent): void {
    if (s.kind === 'message') this.host.redeliver(s, this.account, at)
    else if (s.kind === 'iq' && s.from && (s.type === 'get' || s.type === 'set')) {
      const reply = errorReply(s.readdress({ to: s.to ?? this.jid }), refuse('service-unavailable'))
      if (reply) this.host.send(reply)
    }
  }

  /** With stream management the session ends, so that the stanza stays without an acknowledgement and its client can send it again (SEC-K04). */
  #notStored(stanza: AnyStanza | undefined, err: unknown): void {
    this.host.log.error({ err, jid: this.jid.bare }, 'a stanza could not be committed')
    if (this.#gone || (stanza !== undefined && stanza === this.#unstored)) return
    this.#unstored = stanza
    const reply = stanza && errorReply(stanza, new StanzaError('internal-server-error', 'It could not be stored.', undefined, 'wait'))
    if (reply) this.deliver(reply)
    if (this.managed) this.end('internal-server-error', 'What you sent could not be stored.')
  }

  #carry(carrier: Carrier): void {
    this.#carrier = carrier
    this.#ns = carrier.within === '' ? CONTENT : undefined
  }

  #plan(): void { if (this.#askedAt === undefined) this.#ask ??= this.#in(ASK_WAIT) }

  #in(wait: number): Disposable {
    const { network } = this.host
    return network.alarm(network.now() + wait, () => {
      this.#ask = undefined
      this.#quiet = false
      if (this.#unacked?.length) this.ask()
    })
  }

  #silence(): void {
    this.#ask?.[Symbol.dispose]()
    this.#ask = undefined
    this.#askedAt = undefined
    this.#quiet = false
  }
}

/** <enabled/> of section 3. `max` in seconds; `location`: where to come back to, as host:port. */
export const enabled = (id: string | undefined, max: number, location?: string): Element =>
  id ? el('enabled', NS_SM, { id, resume: 'true', max: String(max), ...(location !== undefined && { location }) }) : el('enabled', NS_SM)

function read(text: string): AnyStanza | undefined {
  const stanza = readStanza(parseFrame(text, UNLIMITED))
  return stanza instanceof Unreadable ? undefined : stanza
}
