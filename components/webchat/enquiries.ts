// What pages ask of the desk beside a conversation: their form, who they are, articles, messages left, the wishes after the end.
import { Jid, type Link } from '../../server/api.ts'
import type { FromBridge, Keep, Leave, SiteView, Suggest, Survey } from '../../schemas/webchat.ts'
import * as form from './form.ts'
import { NS_DESK } from './namespace.ts'
import { Buckets } from './limits.ts'
import * as translate from './translate.ts'
import { refusal } from './translate.ts'

export const TOKENS = 'webchat tokens' // documents: by the hash of the token
export const FRESH = 200 // ms that an answer about who receives is taken for true: pages that come at once ask once, who logs in is seen at once
const WHERES = 500 // sites and pages whose form is remembered for a moment
const QUESTIONS = { rate: 1, burst: 10 } // suggestions asked for from one address
const LEFT = { rate: 5 / 3600, burst: 5 } // messages left from one address

type View = form.View

export class Enquiries {
  readonly #link: Link
  readonly #desk: Jid
  readonly #questions = new Buckets(QUESTIONS)
  readonly #left = new Buckets(LEFT)
  readonly #forms = new Map<string, { at: number; view: Promise<View | undefined> }>()
  constructor(link: Link, desk: Jid) { this.#link = link; this.#desk = desk }

  /** The settings have changed: every form is asked for anew. */
  forget(): void { this.#forms.clear() }

  /** Verifies who the site says he is; from then on the browser is that person's. */
  async identify(local: string, key: string, site: string, token: string): Promise<{ local: string; name: string } | 'not'> {
    const answer = await this.#link.ask(form.identify({ from: Jid.of(local, this.#link.domain), to: this.#desk }, site, token))
    const found = answer.type === 'result' ? form.readIdentity(answer) : undefined
    const jid = found && Jid.tryParse(found.jid)
    if (!found || !jid?.local || jid.domain !== this.#link.domain) return 'not'
    // The token of the browser is remembered from now on: the desk believes this identity of nobody else.
    await this.#link.stores.documents.put(TOKENS, this.#link.domain, key, { created: this.#link.clock.now() })
    return { local: jid.local, name: found.name }
  }

  async suggest(where: form.Where, address: string, m: Suggest): Promise<FromBridge> {
    const wait = this.#questions.take(address, this.#link.clock.now())
    if (wait > 0) return refusal('resource-constraint', 'Not so fast, please.', { of: 'suggest' }, wait)
    const answer = await this.#link.ask(form.suggest({ from: Jid.parse(this.#link.domain), to: this.#desk }, where, translate.cleanText(m.text)))
    return { type: 'suggestions', found: answer.type === 'result' ? form.readSuggestions(answer) : [] }
  }

  /** What this visitor has to prove before he is let in. */
  async challenge(from: Jid, where: form.Where, address: string): Promise<FromBridge> {
    const wait = this.#questions.take(address, this.#link.clock.now())
    if (wait > 0) return refusal('resource-constraint', 'Not so fast, please.', { of: 'challenge' }, wait)
    return form.readChallenge(await this.#link.ask(form.askChallenge({ from, to: this.#desk }, where)))
  }

  async leave(from: Jid, where: form.Where, address: string, m: Leave): Promise<FromBridge> {
    const now = this.#link.clock.now()
    if (this.#left.wait(address, now) > 0) return refusal('resource-constraint', 'There were too many messages from here. Please try again later.', { of: 'leave', id: m.id })
    const answer = await this.#link.ask(form.leave({ from, to: this.#desk }, where, { ...m, name: translate.cleanName(m.name), email: translate.cleanName(m.email), text: translate.cleanText(m.text) }, address))
    if (answer.type !== 'result') return translate.readRefusal(answer, 'leave', m.id)
    this.#left.take(address, now)
    return { type: 'done', of: 'leave', id: m.id }
  }

  async after(from: Jid, m: Survey | Keep): Promise<FromBridge> {
    const ends = { from, to: this.#desk }
    const answer = await this.#link.ask(m.type === 'survey' ? form.survey(ends, m.conversation, m.rating, translate.cleanText(m.comment ?? '')) : form.keep(ends, m.conversation, m.as, translate.cleanName(m.email ?? '')))
    return answer.type === 'result' ? { type: 'done', of: m.type, ...textOf(answer.child('done', NS_DESK)?.text) } : translate.readRefusal(answer, m.type)
  }

  /** What the form of such a page shows now. */
  form(where: form.Where): Promise<View | undefined> {
    const now = this.#link.clock.now()
    const key = JSON.stringify([where.site, where.link, where.page])
    const old = this.#forms.get(key)
    if (old && now - old.at <= FRESH) return old.view
    this.#forms.delete(key)
    if (this.#forms.size >= WHERES) for (const oldest of this.#forms.keys()) { this.#forms.delete(oldest); break }
    const view = this.#link.ask(form.askSite({ from: Jid.parse(this.#link.domain), to: this.#desk }, where)).then(a => a.type === 'result' ? form.readSite(a) : undefined)
    this.#forms.set(key, { at: now, view })
    return view
  }
}

const textOf = (text: string | undefined): { text?: string } => text ? { text } : {}
/** What a welcome tells of the form. */
export function siteOf(view: View | undefined): { open: boolean; site?: SiteView } {
  if (!view) return { open: false }
  const { open, saved: _, ...site } = view
  return { open, site }
}
