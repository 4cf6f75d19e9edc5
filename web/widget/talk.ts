// What the page knows of the conversation, and what it must say next: no document, no network, no clock (pure).
import type { ConversationView, FromBridge, FromBrowser, Hello, LineView, Open, Say, SendFile, SiteView, Suggestion } from '../../schemas/webchat.ts'

/** Something the customer said that is not in the record yet. `said`: committed, its line is on the way. */
export interface Unsent {
  readonly id: string
  readonly text: string
  readonly begins?: Pick<Open, 'name' | 'page' | 'department' | 'operator' | 'fields'>
  conversation?: number | undefined // fixed when it is first sent, so that it stays the same thing
  said?: { readonly conversation: number; readonly seq: number }
  failed?: string // why it was refused
  upload?: { readonly size: number; readonly type: string } // the text is the name of a file that is to be sent first
  sending?: boolean // it is on its way
  file?: string // it is there, and handed over by this word
}

/** What was chosen and written after the end, and not sent yet. */
export interface Draft { conversation?: number; rating?: number; comment?: string; email?: string }

/** Wishes after the end of a conversation that were done. */
export interface Granted { readonly conversation: number; readonly done: readonly string[] }

export class Talk {
  token: string | undefined
  open: boolean | undefined // whether anybody receives; undefined: not heard yet
  conversation: ConversationView | undefined
  lines: LineView[] = [] // of this conversation, by seq, without gaps
  outbox: Unsent[] = []
  typing: string | undefined // who is
  notice = '' // a refusal to show
  beginning = true // the form for a new conversation is wanted
  returned = '' // the text of what can no longer be said, for the writer to have back
  site: SiteView | undefined
  name = '' // who the site has signed him to be
  identity: string | undefined
  link: string | undefined // the saved link he came by
  page: string | undefined
  lang: string | undefined
  wished = '' // the last wish after the end, and those that were done
  granted = new Set<string>()
  wish: Draft = {} // begun and not sent
  kept: Granted | undefined // what was done before the page was loaded
  proves = false // something is to be proved before a conversation begins
  proving = false // that is under way
  unbelieved = false // the identity that the page gave was refused
  found: readonly Suggestion[] | undefined // articles that may help, until he goes on
  limits = { text: 4000, name: 80 }
  #inFlight: string | undefined
  #asked = -1 // the gap that was asked for: once each

  /** Nobody is there, and a message can be left. */
  get leaves(): boolean { return this.open === false && this.site?.messages === true }

  /** Only those may chat here whom the site has signed, and he is not. */
  get barred(): boolean { return this.site?.identity === true && !this.name }

  get #seq(): number { return this.lines.length }

  hello(): Hello {
    const c = this.conversation
    return { type: 'hello', ...(this.token && { token: this.token }), ...(c && { conversation: c.number, after: this.#seq }), ...(this.identity && { identity: this.identity }), ...(this.link && { link: this.link }), ...(this.page && { page: this.page }), ...(this.lang && { lang: this.lang }) }
  }

  /** The first line of a new conversation. */
  begin(id: string, text: string, begins: NonNullable<Unsent['begins']>): void {
    this.outbox.push({ id, text, begins })
    this.notice = ''
  }

  say(id: string, text: string): void {
    this.outbox.push({ id, text })
    this.notice = ''
  }

  attach(id: string, text: string, upload: NonNullable<Unsent['upload']>): void { this.outbox.push({ id, text, upload }) }

  /** A file is there, could not be sent, or has to be sent again. */
  sent(id: string, file?: string, failed?: string): void {
    const u = this.outbox.find(u => u.id === id)
    if (u) Object.assign(u, { sending: false }, file && { file }, failed && { failed })
  }

  /** A file is not to be sent after all. */
  drop(id: string): void {
    this.outbox = this.outbox.filter(u => u.id !== id)
    if (this.#inFlight === id) this.#inFlight = undefined
  }

  /** The connection is gone: what was on its way is said again. */
  lost(): void {
    this.#inFlight = undefined
    this.#asked = -1
    this.typing = undefined
  }

  /** The next thing to send, in the order it was said; one at a time, so that the order stays. */
  next(): Open | Say | SendFile | undefined {
    if (this.#inFlight !== undefined) return undefined
    const u = this.outbox.find(u => !u.said && u.failed === undefined && !u.sending)
    if (!u) return undefined
    if (!u.begins) {
      u.conversation ??= this.conversation?.number
      if (u.conversation === undefined) return undefined
    }
    this.#inFlight = u.id
    if (u.upload && !u.file) return { type: 'file', id: u.id, conversation: u.conversation!, name: u.text, size: u.upload.size, ...(u.upload.type && { mime: u.upload.type }) } // set above
    return u.begins ? { type: 'open', id: u.id, text: u.text, ...u.begins } : { type: 'say', id: u.id, text: u.text, conversation: u.conversation!, ...(u.file && { file: u.file }) } // set above
  }

  /** Takes a message; answers with what must be asked because of it. */
  hear(m: FromBridge): FromBrowser | undefined {
    switch (m.type) {
      case 'welcome':
        this.open = m.open
        this.limits = m.limits
        this.site = m.site
        this.name = m.name ?? ''
        this.proves = m.site?.proof === true && !this.name
        if (this.name) this.unbelieved = false
        if (m.token) this.token = m.token
        if (m.conversation) this.#adopt(m.conversation)
        else if (this.conversation) this.#forget()
        this.#tidy()
        return undefined
      case 'availability':
        this.open = m.open
        if (this.site) this.site = { ...this.site, messages: m.messages === true }
        return undefined
      case 'conversation':
        this.#adopt(m.conversation)
        return undefined
      case 'line':
        return this.#line(m)
      case 'said':
        this.#said(m.id, m.conversation, m.seq)
        return undefined
      case 'typing':
        if (m.conversation === this.conversation?.number) this.typing = m.state === 'composing' ? m.name ?? '' : undefined
        return undefined
      case 'refused':
        this.#refused(m.id, m.text, m.retry)
        return undefined
      case 'slot': {
        const u = this.outbox.find(u => u.id === m.id)
        if (u) u.sending = true
        if (this.#inFlight === m.id) this.#inFlight = undefined
        return undefined
      }
      case 'suggestions':
        this.found = m.found
        return undefined
      case 'done':
        if (m.text) this.notice = m.text
        if (m.of !== 'leave' && this.wished) this.granted.add(this.wished)
        return undefined
      case 'challenge':
      case 'pong':
        return undefined
    }
  }

  /** Gives a refused line another chance. */
  again(id: string): void {
    const u = this.outbox.find(u => u.id === id)
    if (u) delete u.failed
  }

  #adopt(c: ConversationView): void {
    const old = this.conversation
    if (old && c.number < old.number) return // told late
    const other = !old || c.number > old.number
    if (other) {
      this.lines = []
      this.#asked = -1
      this.typing = undefined
    }
    if (other || old.state !== c.state) this.notice = ''
    if (other) this.granted = new Set(this.kept?.conversation === c.number ? this.kept.done : [])
    else if (over(old) && !over(c)) for (const again of ['mail', 'ticket']) this.granted.delete(again) // there will be more of it
    if (c.state !== 'active') this.typing = undefined
    if (!over(c) ? other || over(old) : other && c.state === 'ended') this.beginning = false
    this.conversation = c
  }

  #forget(): void {
    this.conversation = undefined
    this.lines = []
    this.beginning = true
    this.returned = this.outbox.filter(u => !u.begins && !u.upload).map(u => u.text).join('\n') // there is nobody to say it to
    this.outbox = this.outbox.filter(u => u.begins)
  }

  #line(m: LineView): FromBrowser | undefined {
    if (m.conversation > (this.conversation?.number ?? 0)) this.#adopt({ number: m.conversation, state: 'waiting', seq: m.seq, can: ['say', 'end'] })
    if (m.conversation !== this.conversation?.number || m.seq <= this.#seq) return undefined
    if (m.seq > this.#seq + 1) {
      if (this.#asked === this.#seq) return undefined
      this.#asked = this.#seq
      return { type: 'lines', conversation: m.conversation, after: this.#seq }
    }
    this.lines.push(m)
    if (m.who === 'agent') this.typing = undefined
    if (m.id === this.#inFlight) this.#inFlight = undefined
    this.#tidy()
    return undefined
  }

  #said(id: string, conversation: number, seq: number): void {
    if (this.#inFlight === id) this.#inFlight = undefined
    const u = this.outbox.find(u => u.id === id)
    if (!u) return
    u.said = { conversation, seq }
    if (u.begins) this.beginning = false
    if (conversation > (this.conversation?.number ?? 0)) this.#adopt({ number: conversation, state: 'waiting', seq, can: ['say', 'end'] })
    this.#tidy()
  }

  #refused(id: string | undefined, text: string, retry: number | undefined): void {
    if (id !== undefined && this.#inFlight === id) this.#inFlight = undefined
    const u = this.outbox.find(u => u.id === id)
    if (retry !== undefined) return // it stays, and is sent again
    this.notice = u && !u.begins ? '' : text
    if (!u) return
    if (u.begins) {
      this.returned = u.text
      this.outbox = this.outbox.filter(other => other !== u)
      this.beginning = true
    } else {
      u.failed = text
      delete u.file
    }
  }

  /** Lets go of what stands in the record. */
  #tidy(): void {
    const known = new Set(this.lines.map(l => l.id))
    const number = this.conversation?.number ?? 0
    this.outbox = this.outbox.filter(u => !(known.has(u.id) || (u.said && (u.said.conversation < number || (u.said.conversation === number && u.said.seq <= this.#seq)))))
  }
}

const over = (c: ConversationView): boolean => c.state === 'ended' || c.state === 'closed'
