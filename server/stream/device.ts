// A bound client: its stream while there is one, what it was sent and has not acknowledged while there is none (XEP-0198).
import { el } from '../xml/element.ts'
import { CONTENT, errorReply, type AnyStanza } from '../stanza/stanza.ts'
import { refuse } from '../stanza/errors.ts'
import type { Jid } from '../stanza/jid.ts'
import { Resource, type Account } from '../session/account.ts'
import type { StreamCondition } from '../session/ending.ts'
import type { Host } from '../host/host.ts'
import { Handled, NS_SM, Unacked } from './sm.ts'

/** What a device needs of the stream that carries it. */
export interface Carrier {
  send(text: string): void
  fail(condition: StreamCondition, text?: string): void
  readonly within: string
}

const ASK_AFTER = 5 // stanzas without an acknowledgement before one is asked for at once
const ASK_WAIT = 1_000 // ms before one is asked for in any case

export class Device extends Resource {
  readonly host: Host
  readonly handled = new Handled()
  #carrier: Carrier | undefined
  #ns: string | undefined
  #unacked: Unacked | undefined
  #asked = false // an <r/> is on its way
  #ask: Disposable | undefined
  #expiry: Disposable | undefined
  #resumeId: string | undefined
  #gone = false

  constructor(jid: Jid, account: Account, host: Host, carrier: Carrier) {
    super(jid, account)
    this.host = host
    this.#carry(carrier)
  }

  get managed(): boolean { return this.#unacked !== undefined }
  get resumeId(): string | undefined { return this.#resumeId }
  get gone(): boolean { return this.#gone }
  get waiting(): number { return this.#unacked?.length ?? 0 }

  override deliver(stanza: AnyStanza): void {
    if (this.#gone) return
    const text = stanza.write(this.#ns)
    const unacked = this.#unacked
    if (!unacked) { this.#carrier?.send(text); return }
    unacked.push(stanza, text.length)
    if (unacked.full) { this.#overflow(); return }
    if (!this.#carrier) return
    this.#carrier.send(text)
    if (unacked.length >= ASK_AFTER) this.#request()
    else this.#plan()
  }

  override hold(commit: Promise<unknown>): void {
    if (this.managed) this.handled.hold(commit)
    commit.catch((err: unknown) => {
      this.host.log.error({ err, jid: this.jid.bare }, 'a stanza could not be committed')
      this.end('internal-server-error', 'What you sent could not be stored.')
    })
  }

  override end(condition: StreamCondition, text?: string): void {
    const carrier = this.#carrier
    this.#carrier = undefined
    carrier?.fail(condition, text)
    this.leave()
  }

  /** XEP-0198 section 3: from now on stanzas are counted. `resumeId` where it may be resumed. */
  manage(resumeId: string | undefined): void {
    const { stanzas, bytes } = this.host.limits.streamManagement
    this.#unacked = new Unacked({ stanzas, bytes })
    this.#resumeId = resumeId
    this.handled.restart()
    // COMPAT: @xmpp/client 0.14 miscounts when <r/> comes in one segment with <enabled/>
    this.#asked = true
    this.#ask = this.host.network.alarm(this.host.network.now() + ASK_WAIT, () => { this.#ask = undefined; this.#asked = false; if (this.#unacked?.length) this.#request() })
  }

  /** The peer says it has `h`; false if that cannot be. */
  acknowledge(h: number): boolean {
    this.#asked = false
    if (!this.#unacked?.acknowledge(h)) return false
    this.#ask?.[Symbol.dispose]()
    this.#ask = undefined
    if (this.#unacked.length > 0) this.#plan()
    return true
  }

  /** Answers <r/> when all that came before it is committed. */
  answerRequest(): void {
    this.handled.whenCommitted(() => this.#carrier?.send(`<a xmlns='${NS_SM}' h='${this.handled.h}'/>`))
  }

  /** The connection is lost. True if the session stays and may be resumed. */
  detach(): boolean {
    this.#carrier = undefined
    this.#ask?.[Symbol.dispose]()
    this.#ask = undefined
    this.#asked = false
    if (this.#gone || !this.#resumeId) return false
    this.attached = false
    this.#expiry = this.host.clock.alarm(this.host.clock.now() + this.host.limits.streamManagement.resume, () => this.leave())
    this.host.tell('detached', this)
    return true
  }

  /** Goes on over another stream (section 5); `h` is what the peer has. False if that cannot be. */
  resume(carrier: Carrier, h: number, resumed: (h: number) => string): boolean {
    if (!this.#unacked?.acknowledge(h)) return false
    this.#expiry?.[Symbol.dispose]()
    this.#expiry = undefined
    const before = this.#carrier
    this.#carrier = undefined
    before?.fail('conflict', 'Resumed on another connection.')
    this.#carry(carrier)
    this.attached = true
    carrier.send(resumed(this.handled.h))
    for (const s of this.#unacked.all) carrier.send(s.write(this.#ns))
    if (this.#unacked.length) this.#request()
    this.host.tell('attached', this)
    return true
  }

  /** Ends the session: the account forgets the device, others hear that it is gone, what it did not acknowledge goes elsewhere. */
  leave(): void {
    if (this.#gone) return
    this.#gone = true
    this.#carrier = undefined
    this.#expiry?.[Symbol.dispose]()
    this.#ask?.[Symbol.dispose]()
    this.account.remove(this)
    this.host.presences.gone(this)
    this.host.tell('gone', this)
    for (const s of this.#unacked?.drain() ?? []) this.#elsewhere(s)
  }

  #elsewhere(s: AnyStanza): void {
    if (s.kind === 'message') this.host.redeliver(s, this.account)
    else if (s.kind === 'iq' && s.from && (s.type === 'get' || s.type === 'set')) {
      const reply = errorReply(s.readdress({ to: s.to ?? this.jid }), refuse('service-unavailable'))
      if (reply) this.host.send(reply)
    }
  }

  #carry(carrier: Carrier): void {
    this.#carrier = carrier
    this.#ns = carrier.within === '' ? CONTENT : undefined
  }

  #plan(): void {
    if (this.#asked || this.#ask) return
    const { network } = this.host
    this.#ask = network.alarm(network.now() + ASK_WAIT, () => { this.#ask = undefined; if (this.#unacked?.length) this.#request() })
  }

  #request(): void {
    if (this.#asked || !this.#carrier) return
    this.#asked = true
    this.#carrier.send(`<r xmlns='${NS_SM}'/>`)
  }

  /** More waits than may (SEC-S11): the session ends, its messages go where they would have gone without it. */
  #overflow(): void { this.end('resource-constraint', 'Too much waits for an acknowledgement.') }
}

/** <enabled/> of section 3. `max` in seconds. */
export const enabled = (id: string | undefined, max: number): string =>
  id ? el('enabled', NS_SM, { id, resume: 'true', max: String(max) }).write('') : el('enabled', NS_SM).write('')
