// What stands around the talk: the questions of the form, articles that may help, an agent who asks, the wishes after the end.
import type { ConversationView, SiteView, Suggestion } from '../../schemas/webchat.ts'
import { make } from './make.ts'
import { pieces } from './links.ts'
import type { Draft } from './talk.ts'
import { TEXTS } from './texts.ts'

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement
export interface Answers { department?: string; operator?: string; fields?: Record<string, string> }

/** The questions that a site asks beside name and message; drawn anew only when they change. */
export class Questions {
  readonly at = make('div', { class: 'questions' })
  readonly email = make('input', { type: 'email', autocomplete: 'email', dir: 'ltr' })
  readonly #mail = label(TEXTS.email, this.email)
  #print = ''
  #department: HTMLSelectElement | undefined
  #operator: HTMLSelectElement | undefined
  #fields: { id: string; box: HTMLElement; field: Field; needed: boolean; departments?: readonly string[] | undefined }[] = []

  /** `leaving`: nobody is there, so a message is left, and a mail address needed. */
  draw(site: SiteView | undefined, leaving: boolean): void {
    const { selection, departments, operators, fields } = site ?? {}
    const print = JSON.stringify([selection, departments, operators, fields, leaving])
    if (print === this.#print) return
    const kept = this.#answers()
    this.#print = print
    this.at.replaceChildren()
    this.#department = this.#operator = undefined
    this.#fields = []
    if (departments) {
      this.#department = select(departments.map(d => [d.id, d.open || leaving ? d.name : `${d.name} (${TEXTS.away})`]))
      this.#department.required = true
      this.#department.onchange = () => this.#fit()
      this.at.append(label(selection || TEXTS.department, this.#department))
    }
    if (leaving) this.at.append(this.#mail)
    else {
      if (operators) { this.#operator = select(operators.map(o => [o, o]), TEXTS.anybody); this.at.append(label(TEXTS.operator, this.#operator)) }
      for (const f of fields ?? []) {
        const field: Field = f.kind === 'lines' ? make('textarea', { rows: '2', dir: 'auto' }) : f.kind === 'choice' ? select((f.choices ?? []).map(c => [c, c])) : f.kind === 'yes-no' ? select([['yes', TEXTS.yes], ['no', TEXTS.no]])
          : make('input', { type: 'text', dir: 'auto', ...(f.kind === 'number' && { inputmode: 'decimal' }) })
        field.required = f.required
        const box = label(f.label, field)
        this.#fields.push({ id: f.id, box, field, needed: f.required, departments: f.departments })
        this.at.append(box)
      }
    }
    if (this.#department && kept.department) this.#department.value = kept.department
    for (const f of this.#fields) f.field.value = kept.fields?.[f.id] ?? ''
    this.#fit()
  }

  /** The answers, or the first field that lacks one. */
  read(leaving: boolean): Answers | HTMLElement {
    const lacking = this.#department && !this.#department.value ? this.#department
      : leaving ? /^\S+@\S+$/.test(this.email.value.trim()) ? undefined : this.email
      : this.#fields.find(f => f.needed && !f.box.hidden && !f.field.value.trim())?.field
    for (const f of [this.#department, this.email, ...this.#fields.map(x => x.field)]) f?.removeAttribute('aria-invalid')
    if (!lacking) return this.#answers()
    lacking.setAttribute('aria-invalid', 'true')
    return lacking
  }

  #answers(): Answers {
    const fields = this.#fields.flatMap(f => f.field.value.trim() && !f.box.hidden ? [[f.id, f.field.value.trim()] as const] : [])
    return { ...(this.#department?.value && { department: this.#department.value }), ...(this.#operator?.value && { operator: this.#operator.value }), ...(fields.length > 0 && { fields: Object.fromEntries(fields) }) }
  }
  #fit(): void { for (const f of this.#fields) f.box.hidden = !!f.departments && !!this.#department && !f.departments.includes(this.#department.value) }
}

/** Articles that may answer the question before it is put (the customer decides). */
export function suggestions(found: readonly Suggestion[], go: () => void, back: () => void): HTMLElement {
  const at = make('section', { class: 'found', 'aria-label': TEXTS.found })
  at.append(make('p', {}, TEXTS.found))
  for (const s of found) {
    const item = make('details')
    const text = make('p', { dir: 'auto' })
    for (const p of pieces(s.text)) text.append(p.text)
    item.append(make('summary', { dir: 'auto' }, s.title), text)
    if (s.url && /^https?:/.test(s.url)) item.append(make('a', { href: s.url, target: '_blank', rel: 'noopener noreferrer' }, TEXTS.more))
    at.append(item)
  }
  at.append(button(TEXTS.goOn, 'main', go), button(TEXTS.helped, 'anew', back))
  return at
}

export interface Wishes { answer(yes: boolean): void; rate(rating: number, comment: string): void; keep(as: 'mail' | 'ticket', email: string): void; drafted(draft: Draft): void }

/** What an agent asks, and what is offered after the end; redrawn only when that changes. */
export class Aside {
  readonly at = make('div', { class: 'aside', hidden: '' })
  readonly #wishes: Wishes
  #print = ''
  #draft: Draft = {}
  constructor(wishes: Wishes) { this.#wishes = wishes }

  draw(c: ConversationView | undefined, granted: ReadonlySet<string>, draft: Draft): void {
    this.#draft = c && draft.conversation === c.number ? draft : { ...(c && { conversation: c.number }) }
    const asked = c?.can.includes('accept') === true
    const after = (c?.after ?? []).filter(a => !granted.has(a))
    const print = `${c?.number} ${asked} ${after.join()}`
    if (print === this.#print) return
    this.#print = print
    this.at.replaceChildren()
    this.at.hidden = !asked && after.length === 0
    if (asked) this.at.append(button(TEXTS.accept, 'main', () => this.#wishes.answer(true)), button(TEXTS.decline, 'anew', () => this.#wishes.answer(false)))
    if (after.includes('survey')) this.at.append(this.#survey())
    if (after.includes('mail')) {
      const email = make('input', { type: 'email', autocomplete: 'email' })
      email.value = this.#draft.email ?? ''
      email.oninput = () => this.#note({ email: email.value })
      this.at.append(form([label(TEXTS.mailTo, email)], TEXTS.mail, () => this.#wishes.keep('mail', email.value.trim())))
    }
    if (after.includes('ticket')) this.at.append(button(TEXTS.ticket, 'anew', () => this.#wishes.keep('ticket', '')))
  }

  #note(more: Draft): void { this.#wishes.drafted(this.#draft = { ...this.#draft, ...more }) }

  #survey(): HTMLElement {
    const group = make('fieldset')
    group.append(make('legend', {}, TEXTS.rate))
    let rating = this.#draft.rating ?? 0
    for (let n = 1; n <= 5; n++) {
      const star = make('input', { type: 'radio', name: 'rating', value: String(n), 'aria-label': `${n} / 5` })
      star.checked = rating === n
      star.onchange = () => { rating = n; this.#note({ rating }) }
      const box = make('label', { class: 'star' })
      box.append(star, String(n))
      group.append(box)
    }
    const comment = make('input', { type: 'text', dir: 'auto', maxlength: '2000' })
    comment.value = this.#draft.comment ?? ''
    comment.oninput = () => this.#note({ comment: comment.value })
    return form([group, label(TEXTS.comment, comment)], TEXTS.rateSend, () => { if (rating > 0) this.#wishes.rate(rating, comment.value.trim()) })
  }
}

function form(inside: HTMLElement[], send: string, done: () => void): HTMLElement {
  const at = make('form', { novalidate: '' })
  at.append(...inside, make('button', { class: 'anew', type: 'submit' }, send))
  at.onsubmit = e => { e.preventDefault(); done() }
  return at
}
function label(text: string, field: HTMLElement): HTMLLabelElement {
  const at = make('label')
  at.append(text, field)
  return at
}
function select(options: readonly (readonly [string, string])[], none = ''): HTMLSelectElement {
  const at = make('select')
  for (const [value, text] of [['', none] as const, ...options]) at.append(make('option', { value }, text))
  return at
}
export function button(text: string, kind: string, click: () => void): HTMLButtonElement {
  const at = make('button', { type: 'button', class: kind }, text)
  at.onclick = click
  return at
}
