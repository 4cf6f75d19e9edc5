// SASL2 (XEP-0388): a login that says in one element what the session shall be, and needs no new stream after it.
import { el, type Element } from '../xml/element.ts'
import { Jid } from '../stanza/jid.ts'
import type { StreamCondition } from '../session/ending.ts'
import type { Account } from '../session/account.ts'
import type { Host } from '../host/host.ts'
import { decodeBase64, encodeBase64 } from './sasl/base64.ts'
import { hashedTokens } from './sasl/ht.ts'
import type { TokenJudge } from './sasl/mechanism.ts'
import { bind2Feature, bindInline, NS_BIND2 } from './bind2.ts'
import type { ClientWorld } from './client-world.ts'
import type { Carrier, Device } from './device.ts'
import { fastFeature, NS_FAST, readBrought, sealOf, tokenElement, Tokens, type Brought } from './sasl/fast.ts'
import type { Login, Proved, Voice } from './login.ts'
import { NS_SM } from './sm.ts'

export const NS_SASL2 = 'urn:xmpp:sasl:2'
const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
const LONGEST = 256 // characters of a client's id; it is to be a UUID

/** What the stream does for it. */
export interface Sasl2Stream {
  readonly carrier: Carrier & { readonly over: boolean }
  fail(condition: StreamCondition): void
  sendElement(e: Element): void
  /** He is in, with this account: from now on the stream ends if that is changed. */
  authenticated(account: Account): void
  /** Goes on as `device`. */
  enter(device: Device): void
  /** Tries to resume as <resume/> says: the session and what it says to that, or <failed/>; undefined: the stream is over. */
  resumable(e: Element, user: Jid): Promise<{ device: Device; go(told: (resumed: Element) => string): boolean } | Element | undefined>
  /** What can be had now, with or without a session. */
  featuresAfter(host: Host, device: Device | undefined): void
}

/** What a client asks for beside the login. */
interface Request {
  readonly from: string | undefined // the stream's, bare
  readonly agent: string | undefined
  readonly resume: Element | undefined
  readonly bind: Element | undefined
  readonly token: string | undefined // a mechanism
  readonly brought: Brought | undefined
}

export class Sasl2 {
  readonly #stream: Sasl2Stream
  readonly #login: Login
  readonly #world: ClientWorld
  /** A run of this profile is under way: nothing else may be said. */
  running = false

  constructor(stream: Sasl2Stream, login: Login, world: ClientWorld) {
    this.#stream = stream
    this.#login = login
    this.#world = world
  }

  /** The stream feature. */
  feature(host: Host): Element {
    const inline = [bind2Feature(host), el('sm', NS_SM), ...(host.guests || host.passwordsElsewhere ? [] : [fastFeature(this.#login.bindings)])]
    return el('authentication', NS_SASL2, {}, ...this.#login.offered.map(m => el('mechanism', NS_SASL2, {}, m)), el('inline', NS_SASL2, {}, ...inline))
  }

  /** An element of the profile. `from`: the address of the stream's header, bare. */
  take(e: Element, host: Host, from: string | undefined): void | Promise<void> {
    const voice = this.#voice(host)
    const data = e.name === 'authenticate' ? e.child('initial-response')?.text : e.text
    const octets = data === undefined ? undefined : decodeBase64(data.trim())
    switch (e.name) {
      case 'authenticate': {
        if (this.running) { this.#stream.fail('policy-violation'); return } // SEC-T27
        if (data !== undefined && octets === undefined) { this.#login.refuse('incorrect-encoding', voice); return }
        const agent = e.child('user-agent')?.attrs['id']
        const fast = e.child('fast', NS_FAST)
        const request: Request = {
          from, agent: agent !== undefined && agent !== '' && agent.length <= LONGEST ? agent : undefined,
          resume: e.child('resume', NS_SM), bind: e.child('bind', NS_BIND2),
          token: e.child('request-token', NS_FAST)?.attrs['mechanism'],
          brought: fast && readBrought(fast),
        }
        if (fast && (!request.brought || request.agent === undefined)) { this.#login.refuse('malformed-request', voice, 'A token needs the id of its client.'); return }
        this.running = true
        return this.#login.start(host, e.attrs['mechanism'] ?? '', octets, this.#voice(host, request), request.brought && this.#judge(host, request, request.brought))
      }
      case 'response':
        if (!this.running) { this.#login.refuse('malformed-request', voice); return }
        if (octets === undefined) { this.#login.refuse('incorrect-encoding', voice); return }
        return this.#login.respond(host, octets)
      case 'abort': this.#login.refuse('aborted', voice); return
      default: this.#stream.fail(this.running ? 'policy-violation' : 'unsupported-stanza-type')
    }
  }

  #voice(host: Host, request?: Request): Voice {
    return {
      challenge: data => this.#stream.sendElement(el('challenge', NS_SASL2, {}, encodeBase64(data))),
      failure: (condition, text) => {
        this.running = false
        this.#stream.sendElement(el('failure', NS_SASL2, {}, el(condition, NS_SASL), ...(text ? [el('text', NS_SASL2, {}, text)] : [])))
      },
      success: proved => this.#success(host, proved, request!), // a run has begun with one
    }
  }

  #judge(host: Host, { agent, from }: Request, brought: Brought): TokenJudge {
    return (user, mechanism, proves) => {
      const owner = `${user}@${host.domain}`
      const seal = async (): Promise<string | undefined> => { const account = await host.accounts.at(Jid.of(user, host.domain)); return account && sealOf(account.record) } // it is proved by now
      if (from !== undefined && from !== owner) return Promise.resolve(undefined)
      return new Tokens(host.stores.documents, owner, agent!).use(mechanism, brought, seal, host.clock.now(), proves) // take() saw to the agent
    }
  }

  async #success(host: Host, { user, account, mechanism, data, outside }: Proved, request: Request): Promise<void> {
    const stream = this.#stream
    const { from, agent, resume, bind } = request
    if (from !== undefined && from !== user.bare && !host.guests) { this.#login.refuse('invalid-authzid', this.#voice(host)); return }
    this.running = false
    stream.authenticated(account)
    const token = outside ? [] : await this.#token(host, request, mechanism, user, sealOf(account.record)) // who lets him in today may not do so tomorrow
    const success = (as: string, ...told: readonly Element[]): Element => el('success', NS_SASL2, {},
      ...(data ? [el('additional-data', NS_SASL2, {}, encodeBase64(data))] : []), el('authorization-identifier', NS_SASL2, {}, as), ...told, ...token)

    const resumed = resume && await stream.resumable(resume, user)
    if (stream.carrier.over) { if (resumed && 'device' in resumed) resumed.device.spurned(); return }
    if (resumed && 'go' in resumed) {
      const { device } = resumed
      if (resumed.go(e => success(device.jid.full, e).write(stream.carrier.within))) stream.enter(device) // no features (XEP-0198 section 8.2)
      return
    }
    const failed = resumed ? [resumed] : []
    const session = bind && await bindInline(host, account, stream.carrier, this.#world.devices, { bind, agent, secret: this.#world.secret })
    if (stream.carrier.over) return
    if (!session) {
      stream.sendElement(success(user.bare, ...failed))
      stream.featuresAfter(host, undefined)
      return
    }
    const { device, bound } = session
    stream.enter(device)
    stream.sendElement(success(device.jid.full, ...failed, bound))
    stream.featuresAfter(host, device)
    host.tell('bound', device)
  }

  /** XEP-0484: a new token where one is asked for, or where the one that was used is old. */
  async #token(host: Host, { agent, token, brought }: Request, mechanism: string, { bare }: Jid, seal: string): Promise<Element[]> {
    if (agent === undefined || host.guests) return []
    const tokens = new Tokens(host.stores.documents, bare, agent)
    const now = host.clock.now()
    try {
      const made = token !== undefined && hashedTokens(this.#login.bindings).includes(token) ? await tokens.issue(token, seal, now)
        : brought && !brought.invalidate && mechanism.startsWith('HT-') ? await tokens.rotate(seal, now) : undefined
      return made ? [tokenElement(made)] : []
    } catch (error) {
      host.bug(error) // the login is good without
      return []
    }
  }
}
