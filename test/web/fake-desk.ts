// A desk for the bridge's own tests: it speaks the namespace of schemas/desk-namespace.md and does what the test says.
import { el, errorReply, Jid, refuse, resultOf, Stanza, type AnyStanza, type Component, type Element, type Iq, type Link } from '../../server/api.ts'

const NS = 'urn:deskbell:desk:0'
const NS_STATES = 'http://jabber.org/protocol/chatstates'

interface Line { seq: number; who: string; name: string; text: string; id?: string; at: string }
export interface Talk { number: number; visitor: Jid; name: string; state: string; position?: number; agent?: string; lines: Line[]; seen: Map<string, { seq: number; at: string }> }

export class FakeDesk implements Component {
  readonly name = 'fake desk'
  open = true
  /** Everything it was asked, by element name. */
  readonly asked: string[] = []
  readonly typed: string[] = []
  readonly talks: Talk[] = []
  /** Set: answers to `say` and `open` wait for it. */
  gate: Promise<void> | undefined
  /** Set: this line is kept, but nobody is told of it. */
  mute = false
  #link!: Link

  start(link: Link): { receive: (s: AnyStanza) => void | Promise<void> } {
    this.#link = link
    return { receive: s => this.#receive(s) }
  }

  talk(number = this.talks.length): Talk { return this.talks[number - 1]! }

  change(number: number, more: Partial<Pick<Talk, 'state' | 'position' | 'agent'>>): void {
    const t = this.talk(number)
    delete t.position
    Object.assign(t, more)
    this.#send(t, this.#view(t))
  }

  accept(number: number, agent: string): void { this.change(number, { state: 'active', agent }) }

  line(number: number, who: 'agent' | 'desk', name: string, text: string): void { this.#add(this.talk(number), { who, name, text }) }

  typing(number: number, state: string): void { this.#send(this.talk(number), el(state, NS_STATES)) }

  #add(t: Talk, l: Omit<Line, 'seq' | 'at'>): Line {
    const line = { ...l, seq: t.lines.length + 1, at: new Date(this.#link.clock.now()).toISOString() }
    t.lines.push(line)
    if (!this.mute) this.#send(t, lineOf(t, line))
    return line
  }

  #send(t: Talk, e: Element): void {
    this.#link.send(Stanza.of('message', { type: 'chat', from: Jid.parse(`c${t.number}@${this.#link.domain}/desk`), to: t.visitor }, [e]))
  }

  #view(t: Talk): Element {
    const over = t.state === 'closed'
    return el('conversation', NS, {
      number: String(t.number), state: t.state, seq: String(t.lines.length), can: over ? '' : t.state === 'ended' ? 'say' : 'say end',
      ...(t.position !== undefined && { position: String(t.position) }), ...(t.agent && { agent: t.agent }),
    })
  }

  /** How often pages that poll should ask; as the desk's settings say. */
  pace: Record<string, string> = {}

  async #receive(s: AnyStanza): Promise<void> {
    if (s.kind === 'message') { for (const e of s.payload) if (e.ns === NS_STATES) this.typed.push(`${s.to?.local} ${e.name}`); return }
    if (s.kind !== 'iq' || (s.type !== 'get' && s.type !== 'set')) return
    const e = s.payload[0]!
    this.asked.push(e.name)
    if (this.gate && (e.name === 'say' || e.name === 'open')) await this.gate
    this.#link.send(this.#answer(s, e))
  }

  #answer(s: Iq, e: Element): AnyStanza {
    const visitor = s.from!.bare
    const mine = this.talks.filter(t => t.visitor.bare === visitor)
    const t = mine.find(t => String(t.number) === e.attrs['conversation'])
    const no = (condition: Parameters<typeof refuse>[0], text?: string): AnyStanza => errorReply(s, refuse(condition, text))!
    switch (e.name) {
      case 'availability': return resultOf(s, el('availability', NS, { queue: e.attrs['queue']!, open: String(this.open), waiting: '0', ...this.pace }))
      case 'site': return resultOf(s, el('site', NS, { open: String(this.open), messages: 'false', refresh: '30' }))
      case 'sites': return resultOf(s, el('sites', NS))
      case 'conversation': return mine.length ? resultOf(s, this.#view(mine.at(-1)!)) : no('item-not-found')
      case 'open': {
        if (!e.attrs['name']) return no('not-acceptable', 'Please tell us your name.')
        if (!this.open) return no('service-unavailable', 'Nobody is available right now.')
        let own = mine.find(t => t.state !== 'closed')
        if (!own) {
          own = { number: this.talks.length + 1, visitor: s.from!, name: e.attrs['name']!, state: 'waiting', position: 0, lines: [], seen: new Map() }
          this.talks.push(own)
        }
        this.#say(own, e.attrs['id']!, e.child('body')!.text)
        this.#send(own, this.#view(own))
        return resultOf(s, this.#view(own))
      }
      case 'say': {
        if (!t) return no('item-not-found')
        if (t.state === 'ended') this.change(t.number, { state: 'active' })
        const { seq, at } = this.#say(t, e.attrs['id']!, e.text)
        return resultOf(s, el('said', NS, { conversation: String(t.number), seq: String(seq), at, id: e.attrs['id']! }))
      }
      case 'lines': {
        if (!t) return no('item-not-found')
        const after = Number(e.attrs['after'])
        const max = Math.min(3, Number(e.attrs['max'])) // small pages: the bridge must go on asking
        const page = t.lines.slice(after, after + max)
        return resultOf(s, el('lines', NS, { conversation: String(t.number), complete: String(after + max >= t.lines.length) }, ...page.map(l => lineOf(t, l))))
      }
      case 'end': if (!t) return no('item-not-found'); this.change(t.number, { state: 'ended' }); return resultOf(s)
      case 'gone': case 'back': return t ? resultOf(s) : no('item-not-found')
      default: return no('bad-request')
    }
  }

  #say(t: Talk, id: string, text: string): { seq: number; at: string } {
    let said = t.seen.get(id)
    if (!said) t.seen.set(id, said = this.#add(t, { who: 'customer', name: t.name, text, id }))
    return said
  }
}

const lineOf = (t: Talk, l: Line): Element =>
  el('line', NS, { conversation: String(t.number), seq: String(l.seq), at: l.at, who: l.who, name: l.name, ...(l.id && { id: l.id }) }, l.text)
