// The custom element: joins what is known (Talk), the way to the bridge (Connection) and what is seen (View).
import type { FromBridge, FromBrowser, Leave } from '../../schemas/webchat.ts'
import { Connection } from './connection.ts'
import type { Answers } from './extras.ts'
import { ask } from './host.ts'
import { Uploads } from './files.ts'
import { Memory } from './memory.ts'
import { Prover } from './prover.ts'
import { Talk } from './talk.ts'
import { say, TEXTS } from './texts.ts'
import { lengthOf, View } from './view.ts'

const TYPING = 3000 // ms between two composing
const PAUSED = 6000 // ms without a key until paused
const GONE = 30_000 // ms until somebody's composing without an end is taken as over
const SIGNING = 15_000 // ms that the page may take for a fresh identity
const TRIES = 2 // of a proof, or an identity, that was refused
const REFRESH = 30 // seconds between two looks whether anybody receives, unless the site says otherwise

export class Chat extends HTMLElement {
  readonly #talk = new Talk()
  #memory!: Memory
  #connection!: Connection
  #view!: View
  #uploads!: Uploads
  #shown = false
  #read = 0 // lines seen
  #composing = 0 // when composing was sent last
  #pause: ReturnType<typeof setTimeout> | undefined
  #hush: ReturnType<typeof setTimeout> | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #asking: { name: string; text: string; answers: Answers } | undefined // put when the articles did not help

  readonly #prover = new Prover(this, m => this.#send(m))
  #proofs = 0 // refused, one after the other
  #left: Leave | undefined // a message for later that is under way
  #identities = 0 // refused, one after the other

  /** The page may say at any time who its visitor is. */
  static readonly observedAttributes = ['data-identity']
  attributeChangedCallback(_: string, before: string | null, now: string | null): void {
    if (!this.#view || before === now) return
    this.#identities = 0
    this.#become(now ?? undefined)
  }

  connectedCallback(): void {
    if (this.#view) return
    const { host, site, identity, link } = this.dataset as { host: string; site: string; identity?: string; link?: string } // main.ts sets the first two
    const talk = this.#talk
    talk.identity = identity
    talk.link = link
    talk.page = location.origin + location.pathname
    talk.lang = navigator.language
    this.#memory = new Memory(`deskbell ${host} ${site}`)
    this.#view = new View(this.attachShadow({ mode: 'open' }), {
      show: () => this.#show(true),
      hide: () => this.#show(false),
      submit: (name, text, answers) => this.#submit(name, text, answers),
      leave: (name, text, email, answers) => this.#leave(name, text, email, answers),
      goOn: () => { const a = this.#asking; this.#talk.found = this.#asking = undefined; if (a) this.#begin(a.name, a.text, a.answers) },
      back: () => { const a = this.#asking; this.#talk.found = this.#asking = undefined; this.#draw(); if (a) this.#view.write(a.text); this.#view.focus() },
      answer: yes => { const c = this.#talk.conversation; if (c) this.#send({ type: 'answer', conversation: c.number, yes }) },
      rate: (rating, comment) => { const c = this.#talk.conversation; if (c) { this.#talk.wished = 'survey'; this.#send({ type: 'survey', conversation: c.number, rating, ...(comment && { comment }) }) } },
      keep: (as, email) => { const c = this.#talk.conversation; if (c) { this.#talk.wished = as; this.#send({ type: 'keep', conversation: c.number, as, ...(email && { email }) }) } },
      drafted: wish => { this.#talk.wish = wish; this.#keep() },
      anew: () => this.#anew(),
      end: () => { const c = this.#talk.conversation; if (c) this.#send({ type: 'end', conversation: c.number }) },
      attach: files => this.#attach(files),
      cancel: id => { this.#uploads.cancel(id); talk.drop(id); this.#pump(); this.#draw() },
      again: id => { this.#talk.again(id); this.#pump(); this.#draw() },
      signIn: () => { this.#identities = 0; this.#signIn('missing') },
      typed: (name, text) => this.#typed(name, text),
    })
    this.#uploads = new Uploads(host, {
      progress: (id, part) => this.#view.progress(id, part),
      over: (id, file, failed) => { talk.sent(id, file, failed); this.#pump(); this.#keep(); this.#draw() },
    })
    this.#connection = new Connection(host, site, {
      hello: () => this.#talk.hello(),
      heard: m => this.#heard(m),
      changed: () => { if (!this.#connection.up) { this.#prover.stop(); this.#talk.lost() } this.#draw() },
    })
    const { token, name, live, hidden, granted } = this.#memory.shared
    talk.kept = granted
    const { draft, outbox, wish } = this.#memory.own
    talk.wish = wish ?? {}
    this.#talk.token = token
    this.#talk.outbox = (outbox ?? []).filter(u => !u.upload || u.file) // a page has no file of the page before
    this.#view.name.value = name ?? ''
    this.#view.write(draft ?? '')
    this.#shown = !!live && !hidden
    if (live || identity || this.#talk.outbox.length) this.#connection.start()
    this.#memory.watch(() => this.#elsewhere())
    this.#look()
    this.#draw()
  }

  /** Asks again and again whether anybody receives, while that is shown (SS-27). */
  #look(): void {
    setTimeout(() => { if (this.#shown && this.#fresh) this.#connection.send({ type: 'availability' }); this.#look() }, (this.#talk.site?.refresh ?? REFRESH) * 1000)
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
    if (m.type === 'refused' && m.of === 'hello' && m.reason === 'not-authorized' && talk.identity) return this.#unbelieved()
    if (m.type === 'challenge') return void this.#prover.take(m)
    if (m.type === 'refused' && m.of === 'challenge') return this.#prover.wait(m.retry)
    if (m.type === 'refused' && m.reason === 'policy-violation' && this.#proofs < TRIES) {
      if (m.of === 'open') { this.#proofs++; talk.proves = true; m = { ...m, retry: 0 } } // once more, with another challenge
      else if (m.of === 'leave' && this.#left) { this.#proofs++; return this.#leaveIt(true) }
    }
    if (m.type === 'said' || m.type === 'done') this.#proofs = 0
    const ask = talk.hear(m)
    if (m.type === 'slot') this.#uploads.put(m)
    if (m.type === 'welcome' && talk.name) this.#identities = 0
    if (m.type === 'welcome' && talk.barred && this.#shown && this.#identities === 0) this.#signIn('missing')
    if (m.type === 'welcome' && talk.unbelieved && !talk.barred) talk.notice = TEXTS.unsigned
    if (m.type === 'done' && m.of !== 'leave' && talk.conversation) this.#memory.share({ granted: { conversation: talk.conversation.number, done: [...talk.granted] } })
    if (m.type === 'welcome' && m.site?.texts) { say(m.site.texts); this.#view.reword() }
    if (m.type === 'suggestions' && this.#asking && m.found.length === 0) { const a = this.#asking; talk.found = this.#asking = undefined; this.#begin(a.name, a.text, a.answers) }
    if (m.type === 'done' && m.of === 'leave') { talk.notice = TEXTS.received; this.#left = undefined; this.#view.write(''); this.#keep('') }
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

  #submit(name: string, text: string, answers: Answers): boolean {
    const talk = this.#talk
    const fresh = this.#fresh && talk.outbox.length === 0
    if (fresh && !(name ||= talk.name)) { this.#view.complain('name', TEXTS.nameNeeded); return false }
    if (!text.trim()) { if (fresh) this.#view.complain('message', TEXTS.textNeeded); return false }
    if (lengthOf(text) > talk.limits.text || lengthOf(name) > talk.limits.name) { this.#view.message.focus(); return false }
    if (fresh && talk.site?.suggests && this.#connection.up && !talk.found) {
      this.#asking = { name, text, answers }
      this.#send({ type: 'suggest', text: text.slice(0, 1000) })
      return true
    }
    if (fresh) { this.#begin(name, text, answers); return true }
    talk.say(newId(), text)
    this.#away()
    return true
  }

  #attach(files: FileList): void {
    for (const f of files) {
      if (f.size === 0) continue // a folder
      const id = newId()
      this.#uploads.add(id, f)
      this.#talk.attach(id, f.name, { size: f.size, type: f.type })
    }
    this.#pump()
    this.#draw()
  }

  #begin(name: string, text: string, answers: Answers): void {
    const { page } = this.#talk
    this.#memory.share({ name })
    this.#talk.begin(newId(), text, { name, ...(page !== undefined && { page }), ...answers })
    this.#away()
  }

  #leave(name: string, text: string, email: string, { department }: Answers): boolean {
    if (!name) { this.#view.complain('name', TEXTS.nameNeeded); return false }
    if (!text.trim()) { this.#view.complain('message', TEXTS.textNeeded); return false }
    this.#memory.share({ name })
    this.#left = { type: 'leave', id: newId(), name, email, text, ...(department && { department }) }
    this.#leaveIt(this.#talk.proves)
    return false // it stays there until it is kept
  }

  /** What was said goes out. */
  #away(): void {
    clearTimeout(this.#pause)
    this.#composing = 0
    this.#connection.start()
    this.#connection.hurry()
    this.#pump()
    this.#keep('')
    this.#draw()
    this.#view.message.focus()
  }

  /** Sends what is to be sent, if there is a connection and nothing under way. */
  #pump(): void {
    if (!this.#connection.up) return
    const m = this.#talk.next()
    if (!m) return
    if (m.type !== 'open' || !this.#talk.proves) return this.#connection.send(m)
    this.#prover.prove(proof => {
      if (proof === undefined) this.#heard({ type: 'refused', of: 'open', id: m.id, reason: 'not-allowed', text: TEXTS.unproved })
      else this.#send({ ...m, ...(proof && { proof }) })
      this.#draw()
    })
  }

  #leaveIt(proves: boolean): void {
    const m = this.#left
    if (!m) return
    if (!proves) return this.#send(m)
    this.#prover.prove(proof => {
      if (proof === undefined) this.#talk.notice = TEXTS.unproved
      else this.#send({ ...m, ...(proof && { proof }) })
      this.#draw()
    })
    this.#draw()
  }

  /** The page is asked for another identity; without one the customer reads how things stand, and is nobody in particular. */
  #unbelieved(): void {
    const old = this.#talk.identity
    this.#talk.unbelieved = true
    this.#talk.identity = undefined
    this.#connection.stop()
    this.#signIn('refused', old)
  }

  #signIn(reason: 'missing' | 'refused', old?: string): void {
    const fresh = this.#identities++ < TRIES ? ask(this, 'identity', { reason }, SIGNING) : Promise.resolve(undefined)
    void fresh.then(identity => { if (identity !== undefined || reason === 'refused') this.#become(identity === old ? undefined : identity) })
  }

  #become(identity: string | undefined): void {
    this.#talk.identity = identity
    this.#connection.restart()
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
    } else if (this.#fresh && this.#talk.outbox.length === 0 && !this.#memory.shared.live && !this.#talk.identity) this.#connection.stop()
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

  #keep(draft = this.#view.message.value): void { this.#memory.keep({ draft, outbox: this.#talk.outbox, wish: this.#talk.wish }) }

  #draw(): void {
    const { lines } = this.#talk
    if (this.#shown) this.#read = lines.length
    const unread = lines.slice(this.#read).filter(l => l.who !== 'customer').length
    this.#talk.proving = this.#prover.busy
    this.#view.draw(this.#talk, this.#connection.state, this.#shown, unread)
  }
}

/** 128 random bits. `crypto.randomUUID` is not there on plain http pages. */
const newId = (): string => [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, '0')).join('')
