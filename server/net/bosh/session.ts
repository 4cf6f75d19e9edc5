// One BOSH session: requests in the order of their ids, answers held until there is something to say (XEP-0124).
import { el } from '../../xml/element.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Limits } from '../../ports/limits.ts'
import { Bucket } from '../bucket.ts'
import { NO_BINDINGS, type Transport } from '../transport.ts'
import { numberIn, streamError, writeBody, xmppAttr, NS_XBOSH, type BindingCondition, type Body } from './body.ts'

export interface BoshAnswer { readonly status: number; readonly text: string; readonly type: string }

export interface BoshWorld {
  readonly limits: Limits
  readonly clock: Clock
  /** The session is over and forgotten. */
  readonly over: (session: BoshSession) => void
}

interface Waiting {
  readonly rid: number
  readonly body: Body
  readonly at: number
  settle: (answer: BoshAnswer) => void
  gone: AbortSignal
  alarm?: Disposable
}

const NS_FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing'
const VERSION = [1, 11] as const
const LINGER = 5_000 // ms that the end of a session is told to a client that was just not asking
const REPEATS = 20 // requests sent again in a row
const PAUSE = 2 // so many times `inactivity` a session may be paused
const LEGACY: Partial<Record<BindingCondition, number>> = { 'bad-request': 400, 'policy-violation': 403, 'item-not-found': 404 }
const CLOSE = el('close', NS_FRAMING).write('')

export class BoshSession implements Transport {
  readonly framing = 'frames'
  readonly selfWatched = true // a client that asks no more is found out here
  readonly sid: string
  readonly remote: string
  readonly secure: boolean
  readonly bindings = NO_BINDINGS
  onData: (data: Uint8Array | string) => void = () => {}
  onClose: () => void = () => {}
  taken = 0
  readonly #world: BoshWorld
  readonly #hold: number
  readonly #requests: number
  readonly #wait: number // ms
  readonly #version: string | undefined // none: a client from before the terminal conditions
  readonly #type: string
  readonly #acks: boolean
  readonly #to: string | undefined
  #streamId = ''
  #from: string | undefined
  #last: number // the highest request id up to which all have come
  #lastAt = 0
  #lastWasEmpty = false // and so was its answer
  readonly #early = new Map<number, Waiting>() // came before one that was sent before them
  readonly #held: Waiting[] = []
  readonly #answered = new Map<number, BoshAnswer>() // the newest last
  #repeats = 0
  #out: string[] = []
  #outLength = 0
  #error = '' // a stream error that the stream sent
  #scheduled = false
  #parked = false // by the stream
  #slowed: Disposable | undefined // by the rate
  readonly #bucket: Bucket
  #created = false
  #inactivity: number // ms, until the next request
  #silence: Disposable | undefined
  #final: BoshAnswer | undefined // told to whoever asks next
  #over = false

  /** `body` is the session creation request, as yet unanswered. */
  constructor(sid: string, body: Body, remote: string, secure: boolean, world: BoshWorld) {
    const { attrs } = body
    const { bosh } = world.limits
    this.sid = sid
    this.remote = remote
    this.secure = secure
    this.#world = world
    this.#hold = Math.min(numberIn(attrs['hold']) || (attrs['hold'] === '0' ? 0 : 1), bosh.hold)
    this.#requests = this.#hold + 1
    this.#wait = Math.min((numberIn(attrs['wait']) ?? Infinity) * 1000, bosh.wait) || 0
    this.#version = lower(attrs['ver'])
    this.#type = typeOf(attrs['content'])
    this.#acks = attrs['ack'] === '1'
    this.#to = attrs['to']
    this.#last = numberIn(attrs['rid'])! - 1 // the caller has looked at it
    this.#inactivity = bosh.inactivity
    this.#bucket = new Bucket(world.limits.readRate.c2s, world.clock)
  }

  /** What waits is no sign of a stalled client, unless it is too much: it fetches it when it next asks. */
  get backlog(): number { return this.#outLength > this.#world.limits.writeBuffer.bytes ? this.#outLength : 0 }
  get over(): boolean { return this.#over }
  get undelivered(): readonly string[] { return this.#over && !this.#final ? this.#out : [] }

  /** A request of this session came; `gone` tells when its connection is. */
  ask(rid: number, body: Body, gone: AbortSignal): Promise<BoshAnswer> {
    const { promise, resolve } = Promise.withResolvers<BoshAnswer>()
    if (this.#over) resolve(this.#farewell())
    else if (rid <= this.#last) this.#again(rid, resolve, gone)
    else if (rid > this.#last + this.#requests) resolve(this.#refuse('item-not-found'))
    else this.#take({ rid, body, at: this.#world.clock.now(), settle: resolve, gone })
    return promise
  }

  /** The client broke the rules (XEP-0124 section 17.2): the session ends; gives what to tell it. */
  refuse(condition: BindingCondition): BoshAnswer { return this.#over ? this.#farewell() : this.#refuse(condition) }

  // What the stream says.

  write(text: string): void {
    if (this.#over) return
    if (text.startsWith('<open ')) { // our <body/> says it
      this.#streamId = / id='([^']*)'/.exec(text)?.[1] ?? ''
      this.#from = / from='([^']*)'/.exec(text)?.[1]
      return
    }
    if (text.startsWith('<close ')) return
    if (text.startsWith('<stream:error')) { this.#error = text; return }
    this.#out.push(text)
    this.#outLength += text.length
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => { this.#scheduled = false; if (!this.#over) this.#flush() })
  }

  pause(): void { this.#parked = true }
  resume(): void { this.#parked = false; if (!this.#over) this.#release() }

  close(): void {
    const condition = /^<stream:error[^>]*><([a-z-]+)/.exec(this.#error)?.[1]
    const own = condition === 'system-shutdown' || (!this.#created && (condition === 'host-unknown' || condition === 'improper-addressing'))
    this.#end(condition === undefined ? undefined : own ? condition : 'remote-stream-error', own ? '' : this.#error)
  }

  destroy(): void { if (!this.#over) { this.#end('remote-connection-failed'); this.onClose() } }

  // What the client says.

  #take(w: Waiting): void {
    const { attrs } = w.body
    const before = this.#early.get(w.rid)
    if (before) { before.settle(this.#text({ type: 'error' })); this.#countRepeat() }
    const closing = attrs['pause'] !== undefined || attrs['type'] === 'terminate'
    this.#early.set(w.rid, w)
    if (!closing && this.#held.length + this.#early.size > this.#requests) { this.#refuse('policy-violation'); return }
    for (let next; !this.#over && (next = this.#early.get(this.#last + 1));) {
      this.#early.delete(next.rid)
      this.#last = next.rid
      this.#accept(next)
    }
  }

  #accept(w: Waiting): void {
    const { body: { attrs, payloads, flaw } } = w
    const { bosh } = this.#world.limits
    const pause = numberIn(attrs['pause'])
    const restart = isTrue(xmppAttr(attrs, 'restart'))
    const ends = attrs['type'] === 'terminate'
    const empty = this.#created && payloads.length === 0 && !flaw && pause === undefined && !restart && !ends
    const soon = w.at - this.#lastAt < bosh.polling
    const polls = this.#hold === 0 || this.#wait === 0
    this.#held.push(w)
    // Section 11 (with all allowed requests open), section 12 (when polling)
    if (empty && soon && (polls ? this.#lastWasEmpty : this.#held.length >= this.#requests)) { this.#refuse('policy-violation'); return }
    this.#lastAt = w.at
    this.#lastWasEmpty = empty
    this.#repeats = 0
    this.#quiet(bosh.inactivity)
    this.#watch(w)
    if (!polls) w.alarm = this.#world.clock.alarm(w.at + this.#wait, () => this.#answerUpTo(w))

    if (flaw) { this.#broken(w); return }
    this.#slow(w.body.size)
    if (!this.#created || restart) this.onData(this.#header(w.body))
    if (!restart) for (const p of payloads) { if (!this.#over) this.onData(p.write('')) } // XEP-0206 section 5: with a restart they are not heeded
    if (ends && !this.#over) this.onData(CLOSE)
    if (this.#over) return
    if (pause !== undefined) this.#sleep(pause * 1000)
    else this.#release()
    if (w.gone.aborted && this.#held.includes(w)) this.#answerUpTo(w)
  }

  #header({ attrs }: Body): string {
    const version = xmppAttr(attrs, 'version') ?? '1.0'
    const to = attrs['to'] ?? this.#to
    const { from, 'xml:lang': lang } = attrs
    return el('open', NS_FRAMING, { version, ...(to !== undefined && { to }), ...(from !== undefined && { from }), ...(lang !== undefined && { 'xml:lang': lang }) }).write('')
  }

  /** XML that is none is the wrapper's fault; what XMPP forbids ends the stream that is carried. */
  #broken({ body: { flaw } }: Waiting): void {
    if (!flaw) return
    const syntax = flaw.condition === 'not-well-formed' || flaw.condition === 'unsupported-encoding'
    this.#end(syntax ? 'bad-request' : 'remote-stream-error', syntax ? '' : streamError(flaw))
    this.onClose()
  }

  /** A request that came before (section 14.3): the answer it had, or the one it will have. */
  #again(rid: number, settle: (answer: BoshAnswer) => void, gone: AbortSignal): void {
    if (!this.#countRepeat()) { settle(this.#farewell()); return }
    const held = this.#held.find(w => w.rid === rid)
    const answer = this.#answered.get(rid)
    if (held) {
      held.settle(this.#text({ type: 'error' }))
      held.settle = settle
      held.gone = gone
      this.#watch(held)
    } else if (answer) {
      settle(answer)
      if (this.#held.length === 0) this.#listen()
    } else settle(this.#refuse('item-not-found'))
  }

  /** Nothing is said to a connection that is gone: the client asks again, and hears what was kept. */
  #watch(w: Waiting): void {
    const { gone } = w
    gone.addEventListener('abort', () => { if (w.gone === gone && this.#held.includes(w)) this.#answerUpTo(w) }, { once: true })
  }

  #countRepeat(): boolean {
    if (++this.#repeats <= REPEATS) return true
    this.#refuse('policy-violation')
    return false
  }

  /** Section 10: the client will not ask for a while. */
  #sleep(ms: number): void {
    if (!(ms <= this.#world.limits.bosh.inactivity * PAUSE)) { this.#refuse('policy-violation'); return }
    this.#quiet(ms)
    while (this.#held.length) this.#answer('', this.#held[0]!.body.attrs['pause'] === undefined)
  }

  /** Who sends faster than he may is answered later: without answers he has no request left to send with. */
  #slow(bytes: number): void {
    const wait = this.#bucket.spend(bytes)
    if (wait === 0) return
    this.#slowed?.[Symbol.dispose]()
    const { clock } = this.#world
    this.#slowed = clock.alarm(clock.now() + wait, () => {
      this.#slowed = undefined
      if (this.#over) return
      this.#flush()
      this.#release()
    })
  }

  // Answers, the oldest request first.

  #flush(): void {
    if (this.#out.length === 0 || this.#held.length === 0 || this.#slowed) return
    const text = this.#out.join('')
    this.#out = []
    this.#outLength = 0
    this.#lastWasEmpty = false
    this.#answer(text)
  }

  /**
   * Lets go of what may not be held, and says what came while nobody asked; not while a payload is worked on, so that a client cannot run ahead of us.
   * What is just being written goes with the rest of its turn.
   */
  #release(): void {
    if (this.#parked || this.#slowed) return
    if (this.#hold === 0 || !this.#created || !this.#scheduled) this.#flush()
    while (this.#held.length > this.#hold || (this.#held.length > 0 && this.#wait === 0)) this.#answer('')
  }

  #answerUpTo(w: Waiting): void {
    while (this.#held.includes(w)) this.#answer('')
  }

  #answer(inner: string, remember = true): void {
    const w = this.#held.shift()!
    const answer = this.#text(this.#created ? { ack: this.#acks && this.#last !== w.rid ? this.#last : undefined } : this.#greeting(), inner)
    this.#created = true
    if (remember) {
      this.#answered.set(w.rid, answer)
      for (const rid of this.#answered.keys()) { if (this.#answered.size <= this.#requests) break; this.#answered.delete(rid) }
    }
    this.#settle(w, answer)
    if (this.#held.length === 0) this.#listen()
  }

  #settle(w: Waiting, answer: BoshAnswer): void {
    this.taken++
    w.alarm?.[Symbol.dispose]()
    w.settle(answer)
  }

  /** What the first answer says of the session (sections 7.2 and XEP-0206 section 4). */
  #greeting(): Record<string, string | number | undefined> {
    const { bosh } = this.#world.limits
    return {
      'sid': this.sid, 'wait': seconds(this.#wait), 'requests': this.#requests, 'hold': this.#hold, 'inactivity': seconds(bosh.inactivity),
      'polling': seconds(bosh.polling), 'maxpause': seconds(bosh.inactivity * PAUSE), 'ver': this.#version, 'from': this.#from, 'authid': this.#streamId,
      'ack': this.#acks ? this.#last : undefined, 'xmlns:xmpp': NS_XBOSH, 'xmpp:version': '1.0', 'xmpp:restartlogic': 'true',
    }
  }

  #text(attrs: Readonly<Record<string, string | number | undefined>>, inner = '', condition?: BindingCondition): BoshAnswer {
    const status = condition !== undefined && this.#version === undefined ? LEGACY[condition] ?? 200 : 200
    return { status, text: writeBody(attrs, inner), type: this.#type }
  }

  // Silence, and the end.

  #quiet(ms: number): void {
    this.#inactivity = ms
    this.#silence?.[Symbol.dispose]()
    this.#silence = undefined
  }

  /** Nothing is held: the client has to ask again in time (section 10). */
  #listen(): void {
    if (this.#over) return
    this.#silence?.[Symbol.dispose]()
    const { clock } = this.#world
    this.#silence = clock.alarm(clock.now() + this.#inactivity, () => { this.#forget(); this.onClose() })
  }

  #refuse(condition: BindingCondition): BoshAnswer {
    const answer = this.#end(condition)
    this.onClose()
    return answer
  }

  #end(condition: BindingCondition | undefined, inner = ''): BoshAnswer {
    const last = this.#text({ type: 'terminate', condition }, this.#out.join('') + inner, condition)
    if (this.#over) return last
    const open = [...this.#held, ...this.#early.values()]
    if (open.length > 0) this.#out = []
    this.#over = true
    this.#silence?.[Symbol.dispose]()
    this.#slowed?.[Symbol.dispose]()
    for (const [i, w] of open.entries()) this.#settle(w, i === 0 ? last : condition === undefined ? this.#text({}) : this.#text({ type: 'terminate', condition }, '', condition))
    if (open.length > 0) { this.#forget(); return last }
    this.#final = last
    this.#silence = this.#world.clock.alarm(this.#world.clock.now() + LINGER, () => this.#forget())
    return last
  }

  #farewell(): BoshAnswer {
    const said = this.#final ?? this.#text({ type: 'terminate', condition: 'item-not-found' }, '', 'item-not-found')
    this.#forget()
    return said
  }

  #forget(): void {
    this.#over = true
    this.#final = undefined
    this.#silence?.[Symbol.dispose]()
    this.#slowed?.[Symbol.dispose]()
    this.#world.over(this)
  }
}

const seconds = (ms: number): number | undefined => Number.isFinite(ms) ? Math.floor(ms / 1000) : undefined
const isTrue = (text: string | undefined): boolean => text === 'true' || text === '1'

/** The lower of the client's version and ours; undefined where it names none. */
function lower(ver: string | undefined): string | undefined {
  const [, major, minor] = /^(\d{1,4})\.(\d{1,4})$/.exec(ver ?? '') ?? []
  if (major === undefined) return undefined
  const theirs = [Number(major), Number(minor)] as const
  const [a, b] = theirs[0] < VERSION[0] || (theirs[0] === VERSION[0] && theirs[1] < VERSION[1]) ? theirs : VERSION
  return `${a}.${b}`
}

/** The type that answers bear (section 7.1): what a client may wish for is XML or plain text, never what a browser would run. */
const typeOf = (wished: string | undefined): string =>
  wished !== undefined && /^(?:text\/(?:xml|plain)|application\/xml)(?:;\s*charset=utf-8)?$/i.test(wished) ? wished : 'text/xml; charset=utf-8'
