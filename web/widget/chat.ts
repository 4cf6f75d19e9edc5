// The custom element: joins what is known (Talk), the way to the bridge (Connection) and what is seen (View).
import type { FromBridge, FromBrowser } from '../../schemas/webchat.ts'
import { Connection } from './connection.ts'
import { Memory } from './memory.ts'
import { Talk } from './talk.ts'
import { TEXTS } from './texts.ts'
import { lengthOf, View } from './view.ts'

const TYPING = 3000 // ms between two composing
const PAUSED = 6000 // ms without a key until paused
const GONE = 30_000 // ms until somebody's composing without an end is taken as over
const REFRESH = 15_000 // ms between two looks whether anybody receives

export class Chat extends HTMLElement {
  readonly #talk = new Talk()
  #memory!: Memory
  #connection!: Connection
  #view!: View
  #shown = false
  #read = 0 // lines seen
  #composing = 0 // when composing was sent last
  #pause: ReturnType<typeof setTimeout> | undefined
  #hush: ReturnType<typeof setTimeout> | undefined
  #retry: ReturnType<typeof setTimeout> | undefined

  connectedCallback(): void {
    if (this.#view) return
    const { host, site } = this.dataset as { host: string; site: string } // main.ts sets both
    this.#memory = new Memory(`deskbell ${host} ${site}`)
    this.#view = new View(this.attachShadow({ mode: 'open' }), {
      show: () => this.#show(true),
      hide: () => this.#show(false),
      submit: (name, text) => this.#submit(name, text),
      anew: () => this.#anew(),
      end: () => { const c = this.#talk.conversation; if (c) this.#send({ type: 'end', conversation: c.number }) },
      again: id => { this.#talk.again(id); this.#pump(); this.#draw() },
      typed: (name, text) => this.#typed(name, text),
    })
    this.#connection = new Connection(host, site, {
      hello: () => this.#talk.hello(),
      heard: m => this.#heard(m),
      changed: () => { if (!this.#connection.up) this.#talk.lost(); this.#draw() },
    })
    const { token, name, live, hidden } = this.#memory.shared
    const { draft, outbox } = this.#memory.own
    this.#talk.token = token
    this.#talk.outbox = outbox ?? []
    this.#view.name.value = name ?? ''
    this.#view.write(draft ?? '')
    this.#shown = !!live && !hidden
    if (live || this.#talk.outbox.length) this.#connection.start()
    this.#memory.watch(() => this.#elsewhere())
    setInterval(() => { if (this.#shown && this.#fresh) this.#connection.send({ type: 'availability' }) }, REFRESH)
    this.#draw()
  }

  get #fresh(): boolean { return this.#talk.beginning || !this.#talk.conversation }

  #heard(m: FromBridge): void {
    const talk = this.#talk
    const before = talk.conversation?.number
    if (m.type === 'welcome' && m.token) {
      const other = this.#memory.shared.token
      if (other && other !== talk.token) { talk.token = other; return this.#connection.restart() } // another tab was quicker: be the same customer
      this.#memory.share({ token: m.token })
    }
    const ask = talk.hear(m)
    if (ask) this.#connection.send(ask)
    if (talk.conversation?.number !== before) this.#read = 0
    if (m.type === 'typing') {
      clearTimeout(this.#hush)
      this.#hush = setTimeout(() => { talk.typing = undefined; this.#draw() }, GONE)
    }
    if (m.type === 'refused') {
      if (m.retry !== undefined) { clearTimeout(this.#retry); this.#retry = setTimeout(() => this.#pump(), m.retry) }
    }
    if (talk.returned && !this.#view.message.value) this.#view.write(talk.returned)
    talk.returned = ''
    const c = talk.conversation
    const live = !!c && c.state !== 'closed'
    if (live !== !!this.#memory.shared.live) {
      this.#memory.share(live ? { live, hidden: false } : { live })
      if (live && !this.#shown && before === undefined) this.#shown = true // begun in another tab
    }
    if (!(m.type === 'refused' && m.retry !== undefined)) this.#pump()
    this.#keep()
    this.#draw()
  }

  #submit(name: string, text: string): boolean {
    const talk = this.#talk
    const fresh = this.#fresh && talk.outbox.length === 0
    if (fresh && !name) { this.#view.complain('name', TEXTS.nameNeeded); return false }
    if (!text.trim()) { if (fresh) this.#view.complain('message', TEXTS.textNeeded); return false }
    if (lengthOf(text) > talk.limits.text || lengthOf(name) > talk.limits.name) { this.#view.message.focus(); return false }
    const id = newId()
    if (fresh) {
      this.#memory.share({ name })
      talk.begin(id, name, text, location.origin + location.pathname)
    } else talk.say(id, text)
    clearTimeout(this.#pause)
    this.#composing = 0
    this.#connection.start()
    this.#connection.hurry()
    this.#pump()
    this.#keep('')
    this.#draw()
    this.#view.message.focus()
    return true
  }

  /** Sends what is to be sent, if there is a connection and nothing under way. */
  #pump(): void {
    if (!this.#connection.up) return
    const m = this.#talk.next()
    if (m) this.#connection.send(m)
  }

  #send(m: FromBrowser): void { this.#connection.send(m) }

  #typed(name: string, text: string): void {
    this.#keep()
    if (name.trim()) this.#memory.share({ name: name.trim() })
    const c = this.#talk.conversation
    if (!c || this.#fresh || !text || c.state !== 'active') return
    const now = Date.now()
    if (now - this.#composing > TYPING) { this.#composing = now; this.#send({ type: 'typing', conversation: c.number, state: 'composing' }) }
    clearTimeout(this.#pause)
    this.#pause = setTimeout(() => { this.#composing = 0; this.#send({ type: 'typing', conversation: c.number, state: 'paused' }) }, PAUSED)
  }

  #anew(): void {
    this.#talk.beginning = true
    this.#talk.notice = ''
    this.#connection.send({ type: 'availability' })
    this.#draw()
    this.#view.focus()
  }

  #show(shown: boolean): void {
    this.#shown = shown
    this.#memory.share({ hidden: !shown })
    if (shown) {
      if (!this.#talk.conversation || this.#talk.conversation.state === 'closed') this.#talk.beginning = true
      this.#connection.start()
      this.#connection.send({ type: 'availability' })
    } else if (this.#fresh && this.#talk.outbox.length === 0 && !this.#memory.shared.live) this.#connection.stop()
    this.#draw()
    this.#view.focus()
  }

  /** Another tab became somebody, began a conversation or remembers a name. */
  #elsewhere(): void {
    const { token, live } = this.#memory.shared
    const idle = !this.#talk.conversation && this.#talk.outbox.length === 0
    if (token && token !== this.#talk.token && idle) {
      this.#talk.token = token
      if (this.#connection.state !== 'off') return this.#connection.restart()
    }
    if (live && this.#connection.state === 'off') this.#connection.start()
  }

  #keep(draft = this.#view.message.value): void { this.#memory.keep({ draft, outbox: this.#talk.outbox }) }

  #draw(): void {
    const { lines } = this.#talk
    if (this.#shown) this.#read = lines.length
    const unread = lines.slice(this.#read).filter(l => l.who !== 'customer').length
    this.#view.draw(this.#talk, this.#connection.state, this.#shown, unread)
  }
}

/** 128 random bits. `crypto.randomUUID` is not there on plain http pages. */
const newId = (): string => [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, '0')).join('')
