// What operators write: commands to the bot and in conversations, and the text that goes to the customer (shell).
import { refuse, type Message, type StanzaError } from '../../server/api.ts'
import { act, because, visible } from './actions.ts'
import { cannedHere } from './replies.ts'
import type { Addresses, Place } from './addresses.ts'
import { roleOf } from './conversation.ts'
import { Refused, type Bare } from './facts.ts'
import { fileIn, type FileFacts } from './files/links.ts'
import type { Office } from './office.ts'
import { readByOperator, seqRead } from './reading.ts'
import { MARK } from './sentences.ts'
import { chat, chatState, NS } from './stanzas.ts'
import type { CustomerView } from './views/customers.ts'
import { parse, type Parsed } from './words.ts'

const REMEMBERED = 200 // commands of one operator, by their id

export class Control {
  readonly #office: Office
  readonly #at: Addresses
  readonly #customers: CustomerView
  readonly #recent = new Map<Bare, Set<string>>()
  /** By operator: the conversation whose customer sees him typing. */
  readonly #typing = new Map<Bare, number>()
  constructor(office: Office, at: Addresses, customers: CustomerView) { this.#office = office; this.#at = at; this.#customers = customers }

  /** A message of an operator to the bot, a queue, a conversation or an internal chat. Resolves when what it says is kept. */
  async message(m: Message, place: Place): Promise<void | StanzaError> {
    const by = m.from?.bare
    if (by === undefined) return
    const inside = place.is === 'conversation' || place.is === 'internal'
    const body = m.child('body')?.text ?? ''
    if (body.trim() === '') {
      if (place.is === 'conversation') {
        this.typing(by, place.n, chatState(m))
        const read = seqRead(m, place.n)
        if (read !== undefined) await readByOperator(this.#office, this.#at, place.n, by, read)
      }
      return
    }
    if (inside && this.#office.book.states.get(place.n) === undefined && (await this.#office.book.state(place.n)).is === 'absent') return refuse('item-not-found', 'There is no such conversation.')
    const canned = this.#canned(by, place.is === 'conversation' ? place.n : undefined, body)
    if (canned?.is === 'show') { this.#reply(m, place, canned.text); return }
    const parsed: Parsed = canned ? { is: 'text', text: canned.text } : parse(body, inside ? 'conversation' : 'bot')
    const uncorrectable = await this.#uncorrectable(by, place, parsed, m)
    if (uncorrectable !== undefined) { this.#reply(m, place, uncorrectable); return }
    if (parsed.is === 'refused') { this.#reply(m, place, parsed.because); return }
    if (parsed.is === 'text') {
      if (!inside) { this.#reply(m, place, 'I am the helpdesk’s bot and understand commands only: !help lists them.'); return }
      const refused = await this.say(by, place, parsed.text, m.head.id, fileIn(m, parsed.text, this.#office.storage?.base()))
      if (refused !== undefined) this.#reply(m, place, refused)
      else if (canned) this.#reply(m, place, `Sent: ${canned.text}`) // his client shows the short-cut
      return
    }
    if (place.is === 'conversation') this.#unheard(by, place.n)
    const answer = await this.#carryOut(by, inside ? place.n : undefined, parsed, body, m.head.id)
    if (answer !== '') this.#reply(m, place, answer)
  }

  /** A line to a room that the desk hosts. `echo` shows the speaker alone what he wrote. */
  async inRoom(n: number, by: Bare, body: string, id: string, m: Message, to: { echo(): void; answer(text: string): void }): Promise<void> {
    const canned = this.#canned(by, n, body)
    const echo = (): void => { this.#unheard(by, n); to.echo() }
    if (canned?.is === 'show') { echo(); to.answer(canned.text); return }
    const parsed: Parsed = canned ? { is: 'text', text: canned.text } : parse(body, 'conversation')
    const uncorrectable = await this.#uncorrectable(by, { is: 'conversation', n }, parsed, m)
    if (uncorrectable !== undefined) { echo(); to.answer(uncorrectable); return }
    if (parsed.is === 'text') {
      const refused = await this.say(by, { is: 'room', n }, parsed.text, id, fileIn(m, parsed.text, this.#office.storage?.base()))
      if (refused !== undefined) { echo(); to.answer(refused) }
      return
    }
    echo()
    const answer = parsed.is === 'refused' ? parsed.because : await this.#carryOut(by, n, parsed, body, id)
    if (answer !== '') to.answer(answer)
  }

  /** A short-cut alone on a line, with its names put in; or what `!c?` shows. Outside a conversation only the latter. */
  #canned(by: Bare, n: number | undefined, body: string): { is: 'send' | 'show'; text: string } | undefined {
    const found = cannedHere(this.#office, by, n, body)
    return found?.is === 'send' && n === undefined ? undefined : found
  }

  async #carryOut(by: Bare, here: number | undefined, parsed: Extract<Parsed, { is: 'command' }>, body: string, id: string | undefined): Promise<string> {
    if (!this.#isNew(by, id, body)) return ''
    const s = here === undefined ? undefined : this.#office.book.states.get(here)
    if (here !== undefined && s && roleOf(s, by) !== undefined) this.#office.later(() => this.#office.book.give(here, { do: 'say', by, as: 'command' }, { body, name: this.#office.operators.name(by) }))
    return (await act(this.#office, parsed.command, { by, n: parsed.n, here, args: parsed.args, id })).text
  }

  /** A correction (XEP-0308) makes no command of what was said, and says nothing that was a command: its reader would trust it (section 8.2 f). */
  async #uncorrectable(by: Bare, place: Place, parsed: Parsed, m: Message): Promise<string | undefined> {
    const id = m.child('replace', NS.replace)?.attrs['id']
    if (id === undefined) return undefined
    const said = 'n' in place ? await this.#office.book.sent(place.n, by, id) : undefined
    if (parsed.is === 'text') return said?.as === 'public' || said?.chat !== undefined || !('n' in place) ? undefined : 'Not sent: what was a command cannot become text. Write it anew.'
    return said === undefined && !this.#wasDone(by, id) ? undefined : 'Not done: what was sent cannot become a command. Write it anew.'
  }

  /** Plain text in a conversation or an internal chat; gives the words of a refusal. */
  async say(by: Bare, place: { readonly is: string; readonly n: number; readonly chat?: string }, body: string, id: string | undefined, file?: FileFacts): Promise<string | undefined> {
    const { book, operators } = this.#office
    if (!this.#office.config.enabled) return 'Not sent: the chat is turned off.'
    if (place.chat === undefined && !operators.may(by, 'chat.with.customers')) return 'Not sent: you may not chat with customers.'
    if (id !== undefined && (await book.sent(place.n, by, id))?.body === body) return undefined // COMPAT: Pidgin sends again what was not acknowledged
    const s = book.states.get(place.n)
    if (!visible(this.#office, by, place.n)) return `There is no conversation #${place.n} that you could see.`
    // COMPAT: who is asked in and not decided yet may write into the conversation's window: it is his internal chat still.
    const chat = place.chat ?? (s && s.is !== 'absent' && s.crew[by] === 'invited' ? s.invitations.find(i => i.who === by)?.id : undefined)
    this.#typing.delete(by)
    const outcome = await book.give(place.n, { do: 'say', by, as: chat === undefined ? 'public' : 'internal', ...(chat === undefined ? {} : { chat }) }, { body, name: operators.name(by), id, file })
    return outcome instanceof Refused ? because(this.#office, outcome) : undefined
  }

  /** An operator types: the customer may see it if he may write. */
  typing(by: Bare, n: number, state: string | undefined): void {
    const s = this.#office.book.states.get(n)
    if (state === undefined || s?.is !== 'active') return
    const role = roleOf(s, by)
    if (role === 'owner' && state === 'composing') this.#office.types(n)
    if (role !== 'owner' && role !== 'participant') return
    if (state === 'composing') this.#typing.set(by, n)
    else if (this.#typing.get(by) === n) this.#typing.delete(by)
    const shown = state === 'inactive' || state === 'gone' ? 'paused' : state
    this.#customers.typing(n, s, shown)
    for (const f of this.#office.onSign) f(n, { is: 'typing', by, state: shown })
  }

  /** What he typed goes to nobody outside, so no line of his will end what his client announced. */
  #unheard(by: Bare, n: number): void {
    if (this.#typing.get(by) === n) this.typing(by, n, 'paused')
  }

  /** The answer comes from where it was written to, and to the device that wrote it. */
  #reply(m: Message, place: Place, text: string): void {
    if (place.is === 'conversation' && m.from) this.#unheard(m.from.bare, place.n)
    const from = m.to && (place.is === 'nothing' ? this.#at.bot : m.to.withResource('desk'))
    if (from && m.from) this.#office.link.send(chat(from, m.from, MARK + text, { keep: false }))
  }

  #wasDone(by: Bare, id: string): boolean { return [...this.#recent.get(by) ?? []].some(key => key.startsWith(`${id}\n`)) }

  /** A command that comes again with its id and words was carried out already. */
  #isNew(by: Bare, id: string | undefined, body: string): boolean {
    if (id === undefined) return true
    let recent = this.#recent.get(by)
    if (!recent) this.#recent.set(by, recent = new Set())
    const key = `${id}\n${body}`
    if (recent.has(key)) return false
    recent.add(key)
    if (recent.size > REMEMBERED) for (const old of recent) { recent.delete(old); break }
    return true
  }
}
