// Draws the widget into its shadow root. Text only: nothing that comes from outside is ever read as markup.
import { Aside, button, Questions, suggestions, type Answers, type Wishes } from './extras.ts'
import { chip, clip } from './files.ts'
import { icon, make } from './make.ts'
import { pieces } from './links.ts'
import { STYLE } from './style.ts'
import type { LineView } from '../../schemas/webchat.ts'
import type { Talk } from './talk.ts'
import { fill, statusOf, TEXTS, type LinkState } from './texts.ts'

const GROWS = CSS.supports('field-sizing', 'content') // else the writer grows by hand

/** What the customer does. */
export interface Hands extends Wishes {
  show(): void
  hide(): void
  submit(name: string, text: string, answers: Answers): boolean
  leave(name: string, text: string, email: string, answers: Answers): boolean
  goOn(): void
  back(): void
  anew(): void
  end(): void
  again(id: string): void
  attach(files: FileList): void
  cancel(id: string): void
  signIn(): void
  typed(name: string, text: string): void
}

interface Row { readonly key: string; readonly who: 'customer' | 'agent' | 'desk'; readonly name: string; readonly text: string; readonly at?: Date; readonly follows?: boolean; readonly failed?: string | undefined; readonly day?: string; readonly file?: LineView['file']; /** a file that is not handed over yet: whether it is on its way */ readonly sending?: boolean | undefined }

const TOGETHER = 120_000 // ms: lines of one person closer than this stand under one name
const NEAR = 300 // characters before the limit from which on they are counted

export class View {
  readonly root: ShadowRoot
  readonly name = make('input', { type: 'text', autocomplete: 'name', dir: 'auto', required: '' })
  readonly message = make('textarea', { rows: '1', dir: 'auto', enterkeyhint: 'send' })
  readonly #hands: Hands
  readonly #launch = make('button', { type: 'button', class: 'launch' })
  readonly #launchText = make('span')
  readonly #unread = make('span', { class: 'unread', hidden: '' })
  readonly #panel = make('section', { class: 'panel', 'aria-label': TEXTS.title, hidden: '' })
  readonly #title = make('h2')
  readonly #end = make('button', { type: 'button' })
  readonly #hint = make('p', { class: 'hint' })
  readonly #questions = new Questions()
  readonly #aside: Aside
  readonly #clip: HTMLButtonElement
  readonly #send = make('button', { class: 'main', type: 'submit' }, TEXTS.send)
  readonly #messageLabel = make('label')
  #found: { of: unknown; at: HTMLElement } | undefined
  #leaving = false
  readonly #log = make('div', { class: 'log', role: 'log', 'aria-label': TEXTS.log, tabindex: '0' })
  readonly #typing = make('p', { class: 'typing' })
  readonly #status = make('p', { class: 'status', role: 'status' })
  readonly #form = make('form', { novalidate: '' })
  readonly #nameLabel = make('label', {}, TEXTS.name)
  readonly #count = make('span', { class: 'count', id: 'count', 'aria-live': 'polite' })
  readonly #anew = make('button', { type: 'button', class: 'anew' })
  readonly #mend = make('button', { type: 'button', class: 'anew', hidden: '' })
  #rows = new Map<string, { at: HTMLElement; print: string }>()
  #limit = 4000
  #atEnd = true // the newest line is in sight, and stays so

  constructor(root: ShadowRoot, hands: Hands) {
    this.root = root
    this.#hands = hands
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(STYLE)
    root.adoptedStyleSheets = [sheet]

    this.#launch.append(icon('M4 5h16v11H9l-5 4z'), this.#launchText, this.#unread)
    const hide = make('button', { type: 'button', class: 'hide', 'aria-label': TEXTS.hide, title: TEXTS.hide })
    hide.append(icon('M5 9l7 7 7-7'))
    const header = make('header')
    header.append(this.#title, this.#end, hide)
    this.#nameLabel.append(this.name)
    const messageLabel = this.#messageLabel
    messageLabel.append(make('span', { class: 'caption' }, TEXTS.message), this.message)
    this.#aside = new Aside(hands)
    const row = make('div', { class: 'row' })
    this.#clip = clip(this.#panel, files => hands.attach(files))
    row.append(this.#clip, messageLabel, this.#send)
    this.#form.append(this.#nameLabel, this.#questions.at, row, this.#count)
    this.#panel.append(header, this.#hint, this.#log, this.#typing, this.#status, this.#aside.at, this.#form, this.#mend, this.#anew)
    root.append(this.#launch, this.#panel)
    this.reword()
    this.message.setAttribute('aria-describedby', 'count')
    const log = this.#log
    let height = 0
    log.onscroll = () => { if (log.clientHeight === height) this.#atEnd = log.scrollHeight - log.scrollTop - height < 40 } // moved, not made smaller
    new ResizeObserver(() => { height = log.clientHeight; if (this.#atEnd) log.scrollTop = log.scrollHeight }).observe(log)

    this.#launch.onclick = () => hands.show()
    hide.onclick = () => hands.hide()
    this.#end.onclick = () => hands.end()
    this.#anew.onclick = () => hands.anew()
    this.#mend.onclick = () => hands.signIn()
    this.#form.onsubmit = e => { e.preventDefault(); this.#submit() }
    this.message.onkeydown = e => {
      if (e.key !== 'Enter' || e.shiftKey || e.isComposing) return
      e.preventDefault()
      this.#submit()
    }
    this.message.oninput = this.name.oninput = () => { this.#measure(); hands.typed(this.name.value, this.message.value) }
    this.#panel.onkeyup = this.#panel.onkeypress = e => e.stopPropagation()
    this.#panel.onkeydown = e => {
      e.stopPropagation() // the page's own keys are not meant
      if (e.key === 'Escape') hands.hide()
    }
  }

  /** Where the keyboard should be now. */
  focus(): void {
    const focus = this.#panel.hidden ? this.#launch
      : this.#form.hidden ? this.#mend.hidden ? this.#anew : this.#mend
      : !this.#nameLabel.hidden && !this.name.value ? this.name : this.message
    focus.focus()
  }

  draw(talk: Talk, link: LinkState, shown: boolean, unread: number): void {
    const c = talk.beginning ? undefined : talk.conversation
    const had = this.root.activeElement as HTMLElement | null // only elements take the focus here
    this.#limit = talk.limits.text
    this.name.maxLength = talk.limits.name

    this.#panel.hidden = !shown
    this.#launch.hidden = shown
    const live = c && c.state !== 'closed'
    put(this.#launchText, live ? TEXTS.show : TEXTS.newConversation)
    this.#unread.hidden = unread === 0
    put(this.#unread, String(unread))
    this.#unread.setAttribute('aria-label', fill(TEXTS.unread, unread))

    put(this.#title, c?.state === 'active' && c.agent ? c.agent : TEXTS.title)
    this.#end.hidden = !c?.can.includes('end')
    const sent = talk.outbox.length > 0
    const barred = talk.barred && !c
    this.#mend.hidden = !barred || link !== 'on'
    this.#hint.hidden = !!c || sent || barred
    this.#log.hidden = !c && !sent
    const fresh = !c && !sent
    this.#form.className = fresh ? 'fresh' : 'talk'
    this.#leaving = fresh && talk.leaves
    this.#nameLabel.hidden = !fresh || !!talk.name
    this.#questions.at.hidden = !fresh
    if (fresh) this.#questions.draw(talk.site, this.#leaving)
    put(this.#send, this.#leaving ? TEXTS.leave : TEXTS.send)
    this.#drawFound(fresh ? talk.found : undefined)
    this.#aside.draw(c, talk.granted, talk.wish)
    this.message.placeholder = fresh ? '' : TEXTS.message
    this.#form.hidden = !!this.#found || barred || link === 'refused' || c?.can.includes('accept') === true || c?.state === 'closed' || (!!c && !c.can.includes('say') && c.state === 'ended')
    this.#clip.hidden = !c || !talk.site?.files || c.state === 'ended'
    this.#anew.hidden = !(c?.state === 'ended' || c?.state === 'closed')
    put(this.#status, statusOf(talk, link))
    this.#drawTyping(talk.typing)
    this.#drawLines(talk, link)
    this.#measure()
    if (had && (had as HTMLElement).closest('[hidden]')) this.focus()
  }

  /** Puts a text (back) into the writer. */
  write(text: string): void {
    this.message.value = text
    this.#measure()
  }

  /** How much of a file has gone. */
  progress(id: string, part: number): void { const bar = this.#rows.get(id)?.at.querySelector('progress'); if (bar) bar.value = part }

  complain(field: 'name' | 'message', text: string): void {
    put(this.#status, text)
    this[field].setAttribute('aria-invalid', 'true')
    this[field].focus()
  }

  /** Words of the site in place of ours. */
  reword(): void {
    put(this.#end, TEXTS.end)
    put(this.#hint, TEXTS.welcome)
    put(this.#anew, TEXTS.newConversation)
    put(this.#mend, TEXTS.again)
    this.#clip.ariaLabel = this.#clip.title = TEXTS.attach
    this.#nameLabel.firstChild!.textContent = TEXTS.name
    put(this.#messageLabel.firstElementChild as HTMLElement, TEXTS.message) // made above
  }

  #drawFound(found: Talk['found']): void {
    if (this.#found?.of === found) return
    this.#found?.at.remove()
    this.#found = found && found.length > 0 ? { of: found, at: suggestions(found, this.#hands.goOn, this.#hands.back) } : undefined
    if (this.#found) { this.#form.before(this.#found.at); this.#found.at.querySelector('summary')?.focus() }
  }

  #submit(): void {
    this.name.removeAttribute('aria-invalid')
    this.message.removeAttribute('aria-invalid')
    const [name, text] = [this.name.value.trim(), this.message.value]
    const fresh = !this.#questions.at.hidden
    const answers = fresh ? this.#questions.read(this.#leaving) : {}
    if (answers instanceof HTMLElement && text.trim() && (name || this.#nameLabel.hidden)) {
      put(this.#status, answers === this.#questions.email ? TEXTS.emailNeeded : TEXTS.needed)
      return answers.focus()
    }
    const said = answers instanceof HTMLElement ? {} : answers
    if (this.#leaving ? this.#hands.leave(name, text, this.#questions.email.value.trim(), said) : this.#hands.submit(name, text, said)) this.write('')
  }

  #measure(): void {
    const left = this.#limit - lengthOf(this.message.value)
    put(this.#count, left > NEAR ? '' : left >= 0 ? fill(TEXTS.left, left) : fill(TEXTS.over, -left))
    this.#count.className = left < 0 ? 'count over' : 'count'
    this.#count.hidden = left > NEAR
    if (GROWS) return
    this.message.style.height = 'auto'
    this.message.style.height = `${this.message.scrollHeight + 2}px`
  }

  #drawTyping(who: string | undefined): void {
    const text = who === undefined ? '' : fill(TEXTS.typing, who || TEXTS.agent)
    if (this.#typing.textContent === text) return
    this.#typing.replaceChildren()
    if (!text) return
    const dots = make('span', { class: 'dots', 'aria-hidden': 'true' })
    dots.append(make('i'), make('i'), make('i'))
    this.#typing.append(dots, text)
  }

  #drawLines(talk: Talk, link: LinkState): void {
    const log = this.#log
    // While a history is read in, nobody wants it read aloud.
    log.setAttribute('aria-busy', String(talk.lines.length < (talk.conversation?.seq ?? 0)))
    const rows = rowsOf(talk)
    const kept = new Map<string, { at: HTMLElement; print: string }>()
    let before: Element | null = log.firstElementChild
    let grown = false
    for (const r of rows) {
      const print = r.at ? '' : `${r.failed ?? ''}|${link}|${r.sending}`
      let row = this.#rows.get(r.key)
      if (!row || row.print !== print) {
        const at = this.#row(r)
        if (row) { if (before === row.at) before = at; row.at.replaceWith(at) } else grown = true
        row = { at, print }
      }
      kept.set(r.key, row)
      if (row.at === before) before = before.nextElementSibling
      else log.insertBefore(row.at, before)
    }
    for (const [key, row] of this.#rows) if (!kept.has(key)) row.at.remove()
    this.#rows = kept
    if (grown && (this.#atEnd || rows.at(-1)?.who === 'customer')) log.scrollTop = log.scrollHeight
  }

  #row(r: Row): HTMLElement {
    if (r.day) return make('p', { class: 'day' }, r.day)
    const line = make('div', { class: `line ${r.who === 'customer' ? 'mine' : r.who}${r.at ? '' : r.failed ? ' failed' : ' unsent'}` })
    const head = make('p', { class: r.follows ? 'sr' : 'head', dir: 'auto' })
    if (r.who !== 'desk') head.append(make('span', { class: r.who === 'customer' ? 'sr' : 'who' }, r.name))
    if (r.at && !r.follows) head.append(' ', make('time', { datetime: r.at.toISOString() }, clockOf(r.at)))
    if (r.who !== 'desk') line.append(head)
    const text = make('p', { class: 'text', dir: 'auto' })
    for (const p of pieces(r.text)) {
      const link = p.href && make('a', { href: p.href, target: '_blank', rel: 'noopener noreferrer nofollow' }, p.text)
      text.append(...link ? r.file ? chip(r.file, link) : [link] : [p.text])
    }
    line.append(text)
    if (r.sending) line.append(make('progress', { 'aria-label': r.text, max: '1', value: '0' }))
    else if (!r.at) line.append(make('span', { class: 'state' }, r.failed ? fill(TEXTS.failed, r.failed) : TEXTS.waiting))
    if (r.failed) line.append(button(TEXTS.again, '', () => this.#hands.again(r.key)))
    if (r.sending !== undefined) line.append(button(TEXTS.cancel, '', () => this.#hands.cancel(r.key)))
    return line
  }

}

/** Characters as people count them, near enough: code points. */
export const lengthOf = (text: string): number => [...text].length

function rowsOf(talk: Talk): Row[] {
  const rows: Row[] = []
  let day = ''
  if (!talk.beginning || talk.outbox.length === 0) {
    for (const l of talk.lines) {
      const at = new Date(l.at)
      const its = at.toDateString()
      if (its !== day) rows.push({ key: 'day ' + (day = its), who: 'desk', name: '', text: '', day: dayOf(at) })
      const name = l.who === 'customer' ? TEXTS.you : l.name ?? TEXTS.agent
      const before = rows.at(-1)
      const follows = before?.who === l.who && before.name === name && before.at !== undefined && at.getTime() - before.at.getTime() < TOGETHER
      rows.push({ key: l.id ?? `#${l.seq}`, who: l.who, name, text: l.text, at, follows, ...(l.file && { file: l.file }) })
    }
  }
  for (const u of talk.outbox) rows.push({ key: u.id, who: 'customer', name: TEXTS.you, text: u.text, failed: u.failed, ...(u.upload && { sending: u.sending === true }) })
  return rows
}

const clockOf = (at: Date): string => at.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
const dayOf = (at: Date): string => at.toDateString() === new Date().toDateString() ? TEXTS.today : at.toLocaleDateString(undefined, { weekday: 'long', day: 'numeric', month: 'long' })

/** Changes a text only if it differs: a live region speaks at each change. */
function put(at: HTMLElement, text: string): void { if (at.textContent !== text) at.textContent = text }
