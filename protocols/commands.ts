// Ad-hoc commands (XEP-0050): their sessions, and the lists that disco shows of them. The commands themselves are given.
import { randomBytes } from 'node:crypto'
import { el, form, readForm, refuse, StanzaError, Token, type Clock, type Condition, type Element, type Form, type FormValues, type Jid } from '../server/api.ts'

export const NS_COMMANDS = 'http://jabber.org/protocol/commands'
const INFO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const NS_DATA = 'jabber:x:data'

const LIFE = 15 * 60_000 // ms that a session waits for its next step
const SESSIONS = 1000 // of all users together; the oldest go first
const PER_USER = 10

/** A question: a form, and what is done with it. `more`: another form will follow. */
export interface Question {
  readonly form: Form
  readonly note?: string
  readonly more?: boolean
  submit(values: FormValues): Stage | Promise<Stage>
}
/** The end. `lines` are shown as one field of text: clients cannot show tables (Pidgin, Psi+ and Gajim fail on <reported/>); `result` is a form or payload that a document prescribes. */
export interface Outcome { readonly note?: string; readonly kind?: 'info' | 'warn' | 'error'; readonly title?: string; readonly lines?: readonly string[]; readonly result?: Element }
export type Stage = Question | Outcome | StanzaError

export interface AdHocCommand {
  readonly node: string
  readonly name: string
  /** Who sees and runs it; absent: everybody who may ask at all. */
  readonly may?: (who: Jid) => boolean
  /** Its first question may be answered without being asked: by a form that comes with the request. */
  readonly direct?: true
  start(who: Jid): Stage | Promise<Stage>
}

/** The commands of a host: disco shows them, plugins add theirs. */
export const HOST_COMMANDS = new Token<Commands>('commands of the host')

interface Session { readonly id: string; readonly who: string; readonly command: AdHocCommand; readonly ends: number; question: Question; busy: boolean }

/** The commands of one address. */
export class Commands {
  readonly #commands = new Map<string, AdHocCommand>()
  readonly #sessions = new Map<string, Session>() // the oldest first
  readonly #clock: Clock
  constructor(clock: Clock, commands: readonly AdHocCommand[] = []) {
    this.#clock = clock
    for (const c of commands) this.add(c)
  }

  add(command: AdHocCommand): this { this.#commands.set(command.node, command); return this }

  /** The answer to disco#items of the node NS_COMMANDS. `jid` is the address that is asked. */
  items(jid: Jid, who: Jid): Element {
    const seen = [...this.#commands.values()].filter(c => c.may?.(who) ?? true)
    return el('query', ITEMS, { node: NS_COMMANDS }, ...seen.map(c => el('item', ITEMS, { jid: jid.full, node: c.node, name: c.name })))
  }

  /** The answer to disco#info of NS_COMMANDS or of one command; undefined: no such node. */
  info(node: string, who: Jid): Element | undefined {
    if (node === NS_COMMANDS) return el('query', INFO, { node }, el('identity', INFO, { category: 'automation', type: 'command-list' }))
    const command = this.#commands.get(node)
    if (!command || !(command.may?.(who) ?? true)) return undefined
    const features = [NS_COMMANDS, NS_DATA].map(f => el('feature', INFO, { var: f }))
    return el('query', INFO, { node }, el('identity', INFO, { category: 'automation', type: 'command-node', name: command.name }), ...features)
  }

  /** Runs one step; `request` is the <command/> of an iq set that `who` (full) sent. Gives the answer's <command/>. */
  run(request: Element, who: Jid): Element | StanzaError | Promise<Element | StanzaError> {
    const action = request.attrs['action'] ?? 'execute' // COMPAT: Pidgin, Psi+ and Profanity leave it out
    const command = this.#commands.get(request.attrs['node'] ?? '')
    if (!command) return refuse('item-not-found')
    if (!(command.may?.(who) ?? true)) return refuse('forbidden')
    if (!['execute', 'next', 'prev', 'complete', 'cancel'].includes(action)) return wrong('bad-request', 'malformed-action')
    const id = request.attrs['sessionid']
    if (id === undefined) {
      if (action !== 'execute' && action !== 'complete') return wrong('bad-request', 'bad-action')
      const now = this.#clock.now()
      return this.#carryOn({ id: randomBytes(12).toString('base64url'), who: who.full, command, ends: now + LIFE, question: NONE, busy: true }, () => begin(command, who, request))
    }
    const session = this.#sessions.get(id)
    if (!session || session.who !== who.full || session.command !== command) return wrong('bad-request', 'bad-sessionid') // SEC-R09
    if (session.ends < this.#clock.now()) { this.#sessions.delete(id); return wrong('not-allowed', 'session-expired') }
    if (session.busy) return wrong('bad-request', 'bad-sessionid') // its answer is on the way
    if (action === 'cancel') { this.#sessions.delete(id); return reply(session, 'canceled') }
    if (action === 'prev') return wrong('bad-request', 'bad-action')
    const values = readForm(request.child('x', NS_DATA))
    if (values?.type === 'cancel') { this.#sessions.delete(id); return reply(session, 'canceled') }
    if (!values) return wrong('bad-request', 'bad-payload')
    session.busy = true
    return this.#carryOn(session, () => session.question.submit(values))
  }

  #carryOn(session: Session, step: () => Stage | Promise<Stage>): Element | StanzaError | Promise<Element | StanzaError> {
    const end = (e: unknown): never => { this.#sessions.delete(session.id); throw e }
    try {
      const stage = step()
      return stage instanceof Promise ? stage.then(s => this.#show(session, s), end) : this.#show(session, stage)
    } catch (e) { return end(e) }
  }

  #show(session: Session, stage: Stage): Element | StanzaError {
    this.#sessions.delete(session.id)
    if (stage instanceof StanzaError) return stage
    if (!('submit' in stage)) {
      const shown: Element[] = stage.result ? [stage.result] : []
      if (stage.lines) shown.push(form({ type: 'result', title: stage.title ?? session.command.name, fields: [{ var: 'text', type: 'text-multi', label: stage.title ?? session.command.name, value: stage.lines }] }))
      if (stage.note !== undefined) shown.push(note(stage.note, stage.kind))
      return reply(session, 'completed', ...shown)
    }
    session.question = stage
    session.busy = false
    this.#keep(session)
    const action = stage.more ? 'next' : 'complete' // the default stands first, and no <prev/>: Pidgin takes the first child, whatever `execute` says
    const shown = [el('actions', NS_COMMANDS, { execute: action }, el(action, NS_COMMANDS)), form(stage.form)]
    if (stage.note !== undefined) shown.push(note(stage.note, 'info'))
    return reply(session, 'executing', ...shown)
  }

  #keep(session: Session): void {
    this.#sessions.set(session.id, session)
    const now = this.#clock.now()
    let mine = 0
    for (const s of [...this.#sessions.values()].reverse()) {
      if (s.ends < now || (s.who === session.who && ++mine > PER_USER)) this.#sessions.delete(s.id)
    }
    for (const id of this.#sessions.keys()) { if (this.#sessions.size <= SESSIONS) break; this.#sessions.delete(id) }
  }
}

function begin(command: AdHocCommand, who: Jid, request: Element): Stage | Promise<Stage> {
  const given = command.direct ? readForm(request.child('x', NS_DATA)) : undefined
  const go = (stage: Stage): Stage | Promise<Stage> => given?.type === 'submit' && 'submit' in stage ? stage.submit(given) : stage
  const first = command.start(who)
  return first instanceof Promise ? first.then(go) : go(first)
}

const NONE: Question = { form: { type: 'form' }, submit: () => refuse('unexpected-request') }

const note = (text: string, type: 'info' | 'warn' | 'error' = 'info'): Element => el('note', NS_COMMANDS, { type }, text)
const reply = (s: Session, status: 'executing' | 'completed' | 'canceled', ...inside: Element[]): Element =>
  el('command', NS_COMMANDS, { node: s.command.node, sessionid: s.id, status }, ...inside)
const wrong = (condition: Condition, detail: string): StanzaError => refuse(condition, undefined, el(detail, NS_COMMANDS))
