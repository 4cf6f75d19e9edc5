// The bridge itself: who the browsers are, what they say to the desk, and what the desk tells them.
import { createHash, randomBytes } from 'node:crypto'
import { Jid, type AnyStanza, type Limits, type Link, type Log } from '../../server/api.ts'
import type { AskLines, ConversationView, FromBridge, FromBrowser, Hello, Open, Refusal, Say, SendFile, Typing } from '../../schemas/webchat.ts'
import { Bucket, Buckets } from './limits.ts'
import { Enquiries, FRESH, siteOf, TOKENS } from './enquiries.ts'
import type { Where } from './form.ts'
import { DEFAULT, Sites } from './sites.ts'
import { Tab, type Door, type Fetch } from './tab.ts'
import * as translate from './translate.ts'
import { refusal } from './translate.ts'
import { isLive, isOver, Visitor } from './visitor.ts'

const HERE = 'webchat here' // documents: visitors of whom the desk thinks that they are on the page
const PAGE = 100 // lines asked for at once
const TABS = 30 // pages of one visitor
const WAITING = 32 // things one visitor may have waiting
const GRACE = 20_000 // ms after the last page closed until the desk hears of it
const GRACE_AT_START = 60_000 // ms after a restart
const COMPOSING = 3000 // ms between two "composing" to the agent (SEC-W32)
const STRANGERS = { rate: 0.2, burst: 20 } // unknown tokens from one address

export interface Settings { readonly desk: string; readonly queue: string; readonly origins?: readonly string[]; readonly limits: Limits }

export class Bridge {
  readonly limits: Limits
  readonly log: Log
  readonly #link: Link
  readonly #desk: Jid
  readonly #queue: string
  readonly #visitors = new Map<string, Visitor>() // by local part
  readonly #strangers = new Buckets(STRANGERS)
  readonly #chats: Buckets
  readonly sites: Sites
  readonly #ask: Enquiries
  #availability: { at: number; open: Promise<boolean>; pace: Promise<translate.Pace> } | undefined

  constructor(link: Link, settings: Settings) {
    this.#link = link
    this.log = link.log
    this.#desk = Jid.parse(settings.desk)
    this.#queue = settings.queue
    this.limits = settings.limits
    this.sites = new Sites(link, this.#desk, settings.origins ?? [])
    this.#ask = new Enquiries(link, this.#desk)
    const { chatsPerHour } = settings.limits.visitor
    this.#chats = new Buckets({ rate: chatsPerHour / 3600, burst: chatsPerHour })
  }

  /** Remembers who was here before a restart: who does not come back is gone. */
  async start(): Promise<void> {
    this.sites.start()
    for (let after = ''; ;) {
      const rows = await this.#link.stores.documents.range<{ key: string; conversation: number }>(HERE, this.#link.domain, { after, limit: 500 })
      for (const { id, value } of rows) {
        const v = this.#visitor(id, value.key, true)
        v.whereabouts = 'here'
        v.conversation ??= { number: value.conversation, state: 'waiting', seq: 0, can: [] } // until the desk is asked
        this.#leave(v, GRACE_AT_START)
      }
      if (rows.length < 500) return
      after = rows.at(-1)!.id
    }
  }

  /** A stanza for a visitor: taken only from the desk. */
  receive(s: AnyStanza): void {
    if (this.sites.receive(s)) { this.#ask.forget(); return }
    if (s.kind !== 'message' || s.type === 'error' || s.from?.domain !== this.#desk.domain) return
    const v = this.#visitors.get(s.to?.local ?? '')
    const told = v && translate.readTold(s)
    if (!v || !told) return
    switch (told.type) {
      case 'line':
        return v.line({ conversation: told.conversation, seq: told.seq, at: told.at, who: told.who, ...(told.name && { name: told.name }), ...(told.id && { id: told.id }), text: told.text, ...(told.file && { file: told.file }) })
      case 'conversation':
        v.adopt(told.conversation)
        return this.#settle(v)
      case 'typing': {
        const name = v.conversation?.agent
        if (told.conversation === v.conversation?.number) for (const tab of v.tabs) tab.door.tell({ ...told, ...(name && { name }) })
      }
    }
  }

  /** Whether chat is available behind a saved link, and how the link looks then. */
  async link(site: string, link: string, page: string | undefined): Promise<object | undefined> {
    const view = await this.#ask.form({ queue: this.#queue, site: this.sites.named(site), link, page })
    return view?.saved && { online: view.open, refresh: view.refresh, ...view.saved }
  }

  /** A page says hello: who it is, and what it has to be shown. */
  async hello(door: Door, m: Hello, site: string = DEFAULT): Promise<{ page: Page; answer: FromBridge } | Refusal> {
    const now = this.#link.clock.now()
    let token = m.token
    let key = token === undefined ? '' : hash(token)
    const known = token !== undefined && (this.#visitors.has(localOf(key)) || await this.#link.stores.documents.get(TOKENS, this.#link.domain, key) !== undefined)
    if (!known) {
      // A token that is not ours is never taken over, or whoever planted it would be the customer, too (SEC-W06).
      if (token !== undefined && this.#strangers.take(door.address, now) > 0) return refusal('resource-constraint', 'Please try again later.', { of: 'hello' }, 60_000)
      token = randomBytes(32).toString('base64url')
      key = hash(token)
    }
    const where = { queue: this.#queue, site: this.sites.named(site), link: m.link, page: m.page }
    const self = m.identity === undefined ? undefined : await this.#ask.identify(localOf(key), key, site, m.identity)
    if (self === 'not') return refusal('not-authorized', 'Who you are could not be verified.', { of: 'hello' })
    const v = self ? this.#visitor(self.local, key, true) : this.#visitor(localOf(key), key, known)
    if (v.tabs.size >= TABS) return refusal('resource-constraint', 'This chat is open in too many pages.', { of: 'hello' }, 30_000)
    v.waiting++ // keeps him in mind while the desk is asked
    const [view, newest] = await Promise.all([this.#ask.form(where), known || self ? this.#newest(v) : undefined])
    v.waiting--
    if (newest === 'later') {
      if (v.tabs.size === 0 && !v.leaving) this.#forget(v)
      return refusal('remote-server-timeout', 'The desk does not answer.', { of: 'hello' }, 3000)
    }
    const tab = new Tab(door, (conversation, after) => this.#lines(v, conversation, after))
    v.tabs.add(tab)
    if (self) v.identified = true
    if (v.identified && v.tabs.size === 1) this.#here(v, true)
    const c = v.conversation
    const shown = c && (isLive(c) || c.number === m.conversation) ? c : undefined
    const { text, name } = this.limits.visitor
    const answer: FromBridge = { type: 'welcome', ...(!known && token !== undefined && { token }), ...siteOf(view), ...(self && { name: self.name }), ...(shown && { conversation: shown }), limits: { text: most(text), name: most(name) } }
    if (shown) {
      tab.goTo(shown.number, m.conversation === shown.number ? Math.min(m.after ?? 0, shown.seq) : 0)
      this.#comeBack(v)
      queueMicrotask(() => void tab.fill()) // after the welcome
    }
    return { page: { visitor: v, tab, where, ...(m.lang !== undefined && { lang: m.lang }) }, answer }
  }

  /** A page is gone: its tab was closed, or its connection is. */
  leave(page: Page): void {
    const { visitor: v, tab } = page
    if (!v.tabs.delete(tab) || v.tabs.size > 0) return
    if (v.identified) this.#here(v, false)
    if (isLive(v.conversation)) this.#leave(v, GRACE)
    else if (v.waiting === 0) this.#visitors.delete(v.jid.local)
  }

  /** Does what a page asks; the answer, if one is due, goes to that page alone. */
  take(page: Page, m: FromBrowser): Promise<FromBridge | undefined> {
    const { visitor: v } = page
    switch (m.type) {
      case 'ping': return Promise.resolve({ type: 'pong' })
      case 'hello': return Promise.resolve(refusal('bad-request', 'Hello is said once.', { of: 'hello' }))
      case 'availability': return this.#ask.form(page.where).then(view => ({ type: 'availability', open: view?.open === true, messages: view?.messages === true }))
      case 'suggest': return this.#ask.suggest(page.where, page.tab.door.address, m)
      case 'challenge': return this.#ask.challenge(v.jid, page.where, page.tab.door.address)
      case 'leave': return this.#inOrder(v, m, () => this.#ask.leave(v.jid, page.where, page.tab.door.address, m))
      case 'survey': case 'keep': return this.#inOrder(v, m, () => this.#ask.after(v.jid, m))
      case 'typing': return Promise.resolve(this.#typing(v, m))
      case 'lines': return Promise.resolve(this.#again(page, m))
      case 'end': return this.#inOrder(v, m, () => this.#tell(v, 'end', m.conversation))
      case 'answer': return this.#inOrder(v, m, () => this.#tell(v, m.yes ? 'accept' : 'decline', m.conversation))
      case 'file': return this.#inOrder(v, m, () => this.#file(page, m))
      case 'say':
      case 'open': {
        const flaw = this.#flaw(v, m)
        return flaw ? Promise.resolve(flaw) : this.#inOrder(v, m, () => m.type === 'say' ? this.#say(page, m) : this.#begin(page, m))
      }
    }
  }

  #flaw(v: Visitor, m: Open | Say): Refusal | undefined {
    const limits = this.limits.visitor
    const of = { of: m.type, id: m.id }
    if (translate.cleanText(m.text).trim() === '') return refusal('not-acceptable', 'Please write something.', of)
    if (longer(m.text, limits.text)) return refusal('not-acceptable', `A message has at most ${limits.text} characters.`, of)
    if (m.type === 'open' && longer(m.name, limits.name)) return refusal('not-acceptable', `A name has at most ${limits.name} characters.`, of) // whether one is needed the desk says, after the role (C24)
    const wait = v.bucket.take(1, this.#link.clock.now())
    if (wait === 0) return undefined
    return refusal('resource-constraint', 'Not so fast, please.', of, Number.isFinite(wait) ? wait : undefined)
  }

  async #begin(page: Page, m: Open): Promise<FromBridge> {
    const v = page.visitor
    const now = this.#link.clock.now()
    const begins = isOver(v.conversation)
    const { address } = page.tab.door
    if (begins && this.#chats.wait(address, now) > 0) return tooMany(m)
    if (!v.born) {
      await this.#link.stores.documents.put(TOKENS, this.#link.domain, v.key, { created: now })
      v.born = true
    }
    const answer = await this.#link.ask(translate.open(this.#ends(v), page.where, { address, lang: page.lang }, { ...m, name: translate.cleanName(m.name), text: translate.cleanText(m.text) }))
    const conversation = answer.type === 'result' ? translate.readConversation(answer) : undefined
    if (!conversation) return translate.readRefusal(answer, 'open', m.id)
    if (begins) this.#chats.take(address, now)
    v.adopt(conversation)
    this.#settle(v)
    return { type: 'said', id: m.id, conversation: conversation.number, seq: conversation.seq }
  }

  async #say({ visitor: v, where, lang, tab: { door: { address } } }: Page, m: Say): Promise<FromBridge> {
    const now = this.#link.clock.now()
    const before = v.conversation?.number ?? m.conversation
    if (v.conversation?.state === 'closed' && this.#chats.wait(address, now) > 0) return tooMany(m) // it would begin the next
    const text = translate.cleanText(m.text)
    const answer = await this.#link.ask(translate.say(this.#ends(v), where, { address, lang }, { ...m, text }))
    const said = answer.type === 'result' ? translate.readSaid(answer) : undefined
    if (!said) return translate.readRefusal(answer, 'say', m.id)
    if (said.conversation !== before) this.#chats.take(address, now)
    if (said.conversation !== v.conversation?.number) await this.#newest(v)
    if (m.file === undefined) v.line({ conversation: said.conversation, seq: said.seq, at: said.at, who: 'customer', id: m.id, text }) // a file's line is the desk's to write
    return { type: 'said', id: m.id, conversation: said.conversation, seq: said.seq }
  }

  /** A place for a file of the customer's. */
  async #file({ visitor: v, where }: Page, m: SendFile): Promise<FromBridge> {
    const of = { of: 'file', id: m.id }
    const wait = v.bucket.take(1, this.#link.clock.now())
    if (wait > 0) return refusal('resource-constraint', 'Not so fast, please.', of, Number.isFinite(wait) ? wait : undefined)
    const answer = await this.#link.ask(translate.askFile(this.#ends(v), where.site, { ...m, name: translate.cleanName(m.name) || 'file' }))
    return (answer.type === 'result' ? translate.readSlot(answer, m.id) : undefined) ?? translate.readRefusal(answer, 'file', m.id)
  }

  async #tell(v: Visitor, what: 'end' | 'accept' | 'decline', conversation: number): Promise<FromBridge | undefined> {
    const answer = await this.#link.ask(translate.tell(this.#ends(v), what, conversation))
    return answer.type === 'result' ? undefined : translate.readRefusal(answer, what === 'end' ? 'end' : 'answer')
  }

  #typing(v: Visitor, m: Typing): Refusal | undefined {
    if (m.conversation !== v.conversation?.number) return refusal('item-not-found', 'There is no such conversation.', { of: 'typing' })
    const now = this.#link.clock.now()
    if (m.state === 'composing') {
      if (now - v.composed < COMPOSING) return undefined
      v.composed = now
    } else {
      if (v.composed === -Infinity) return undefined // nothing to take back
      v.composed = -Infinity
    }
    this.#link.send(translate.typing({ from: v.jid, to: Jid.of(`c${m.conversation}`, this.#desk.domain, 'desk') }, m.state))
    return undefined
  }

  /** Agents see who is logged in at a site. */
  #here(v: Visitor, here: boolean): void {
    this.#link.send(translate.presence({ from: v.jid.withResource('page'), to: Jid.of(this.#queue, this.#desk.domain) }, here))
  }

  #again({ visitor, tab }: Page, m: AskLines): Refusal | undefined {
    if (m.conversation !== visitor.conversation?.number) return refusal('item-not-found', 'There is no such conversation.', { of: 'lines' })
    tab.goTo(m.conversation, m.after)
    void tab.fill()
    return undefined
  }

  #inOrder(v: Visitor, m: FromBrowser, work: () => Promise<FromBridge | undefined>): Promise<FromBridge | undefined> {
    const of = { of: m.type, ...('id' in m && { id: m.id }) }
    if (v.waiting >= WAITING) return Promise.resolve(refusal('resource-constraint', 'Not so fast, please.', of, 2000))
    v.waiting++
    return new Promise(resolve => v.lane.push(async () => {
      try {
        resolve(await work())
      } catch (error) { // the store is full or gone: nothing was kept, so it is said again
        this.log.error({ error }, 'a customer could not be served')
        resolve(refusal('internal-server-error', 'Something went wrong here.', of, 3000))
      } finally {
        v.waiting--
      }
    }))
  }

  async #lines(v: Visitor, conversation: number, after: number): ReturnType<Fetch> {
    const answer = await this.#link.ask(translate.askLines(this.#ends(v), conversation, after, PAGE))
    return answer.type === 'result' ? translate.readLines(answer) : undefined
  }

  /** The visitor's newest conversation; `later`: the desk cannot say now. */
  async #newest(v: Visitor): Promise<ConversationView | 'later' | undefined> {
    const answer = await this.#link.ask(translate.askConversation(this.#ends(v)))
    if (answer.type === 'result') {
      const c = translate.readConversation(answer)
      if (c) v.adopt(c)
      return v.conversation
    }
    if (translate.readRefusal(answer, 'hello').reason !== 'item-not-found') return 'later'
    v.conversation = undefined
    return undefined
  }

  /** The desk's settings for pages that poll (helpdesk.md FP-19, FP-20). */
  pace(): Promise<translate.Pace> { return this.#asked().pace }

  #asked(): { open: Promise<boolean>; pace: Promise<translate.Pace> } {
    const now = this.#link.clock.now()
    if (!this.#availability || now - this.#availability.at > FRESH) {
      const ends = { from: Jid.parse(this.#link.domain), to: this.#desk }
      const answer = this.#link.ask(translate.askAvailability(ends, this.#queue))
      this.#availability = { at: now, open: answer.then(a => a.type === 'result' && translate.readAvailability(a)), pace: answer.then(translate.readPace) }
    }
    return this.#availability
  }

  #visitor(local: string, key: string, born: boolean): Visitor {
    let v = this.#visitors.get(local)
    if (!v) {
      const bug = (error: unknown): void => this.log.error({ error }, 'the web bridge met a bug')
      v = new Visitor(Jid.of(local, this.#link.domain), key, born, new Bucket(this.limits.visitor.messages, this.#link.clock.now()), bug)
      this.#visitors.set(local, v)
    }
    return v
  }

  #ends(v: Visitor): translate.Ends { return { from: v.jid, to: this.#desk } }

  /** Keeps in the store whether the desk thinks that he is here. */
  #settle(v: Visitor): void {
    const { documents } = this.#link.stores
    if (isLive(v.conversation)) {
      if (v.whereabouts === 'here' || v.tabs.size === 0) return
      v.whereabouts = 'here'
      this.#soon(documents.put(HERE, this.#link.domain, v.jid.local, { key: v.key, conversation: v.conversation!.number }))
    } else {
      if (v.whereabouts === 'here') this.#soon(documents.remove(HERE, this.#link.domain, v.jid.local))
      v.whereabouts = 'nowhere'
      if (v.tabs.size === 0) this.#forget(v)
    }
  }

  /** He is on the page again (or for the first time since we remember). */
  #comeBack(v: Visitor): void {
    v.leaving?.[Symbol.dispose]()
    v.leaving = undefined
    if (!isLive(v.conversation) || v.whereabouts === 'here') return
    this.#soon(this.#link.ask(translate.tell(this.#ends(v), 'back', v.conversation!.number)))
    this.#settle(v)
  }

  #leave(v: Visitor, grace: number): void {
    v.leaving?.[Symbol.dispose]()
    v.leaving = this.#link.clock.alarm(this.#link.clock.now() + grace, () => {
      v.leaving = undefined
      return this.#gone(v).catch((error: unknown) => this.log.error({ error }, 'the web bridge could not keep that somebody is gone'))
    })
  }

  async #gone(v: Visitor): Promise<void> {
    if (v.tabs.size > 0) return
    const number = v.conversation?.number
    if (number !== undefined && isLive(v.conversation)) await this.#link.ask(translate.tell(this.#ends(v), 'gone', number))
    if (v.whereabouts === 'here') await this.#link.stores.documents.remove(HERE, this.#link.domain, v.jid.local)
    v.whereabouts = 'gone'
    if (v.tabs.size === 0) this.#forget(v)
    else this.#comeBack(v)
  }

  #forget(v: Visitor): void {
    v.leaving?.[Symbol.dispose]()
    if (v.waiting === 0) this.#visitors.delete(v.jid.local)
  }

  #soon(done: Promise<unknown>): void { done.catch((error: unknown) => this.log.error({ error }, 'the web bridge could not keep something')) }

  /** Lets go of every page and every alarm. */
  stop(): void {
    this.sites.stop()
    for (const v of this.#visitors.values()) {
      v.leaving?.[Symbol.dispose]()
      for (const tab of v.tabs) tab.door.close()
    }
    this.#visitors.clear()
  }
}

/** A page that has said hello. */
export interface Page { readonly visitor: Visitor; readonly tab: Tab; readonly where: Where; readonly lang?: string }

const hash = (token: string): string => createHash('sha256').update('token ' + token).digest('base64url')
/** From the hash, so that the address gives away neither token nor hash. 80 bits: it must be his alone, not secret. */
const localOf = (key: string): string => 'v' + Array.from(createHash('sha256').update('visitor ' + key).digest().subarray(0, 16), b => LETTERS[b & 31]).join('')
const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567'

const tooMany = (m: Open | Say): Refusal => refusal('resource-constraint', 'There were too many new conversations from here. Please try again later.', { of: m.type, id: m.id })
const longer = (text: string, most: number): boolean => text.length > most && [...text].length > most
const most = (n: number): number => Number.isFinite(n) ? n : 1_000_000
