// Between the widget's JSON and the desk's stanzas, for what is asked before a chat and after it (pure). Namespace: schemas/desk-namespace.md.
import { el, Stanza, type Element, type Iq, type Message } from '../../server/api.ts'
import type { Challenge, Leave, SiteView, Suggestion } from '../../schemas/webchat.ts'
import { NS_DESK, type Ends } from './namespace.ts'

/** Which page asks: its queue, site, saved link and address. */
export interface Where { readonly queue: string; readonly site?: string | undefined; readonly link?: string | undefined; readonly page?: string | undefined }

const iq = (ends: Ends, type: 'get' | 'set', payload: Element): Iq => Stanza.of('iq', { type, ...ends, id: '' }, [payload]) // `ask` gives the id
export const whereAttrs = (w: Where): Record<string, string> => ({ queue: w.queue, ...(w.site === undefined ? {} : { site: w.site }), ...(w.link === undefined ? {} : { link: w.link }) })
export const pageOf = (w: Where): Element[] => w.page === undefined ? [] : [el('page', NS_DESK, {}, w.page)]

export type View = SiteView & { readonly open: boolean; readonly saved?: LinkView }
export const askSites = (ends: Ends): Iq => iq(ends, 'get', el('sites', NS_DESK))
export function readSites(s: Iq | Message): ReadonlyMap<string, readonly string[]> | undefined {
  const all = s.child('sites', NS_DESK)
  return all && new Map(all.elements.filter(e => e.is('site', NS_DESK)).map(e => [e.attrs['key'] ?? '', texts(e, 'origin')]))
}

export const askSite = (ends: Ends, w: Where): Iq => iq(ends, 'get', el('site', NS_DESK, whereAttrs(w), ...pageOf(w)))
export interface LinkView { readonly title: string; readonly faces: Readonly<Record<'online' | 'offline', Readonly<Record<string, string>>>> }
/** How a saved link looks, where one was asked about. */
function readLink(e: Element): LinkView | undefined {
  const face = (of: string): Record<string, string> | undefined => {
    const a = e.elements.find(x => x.is('face', NS_DESK) && x.attrs['of'] === of)?.attrs
    return a && Object.fromEntries(['title', 'display', 'image', 'description', 'anchorTitle', 'url', 'cssClass', 'target'].map(k => [k, a[k] ?? '']))
  }
  const [online, offline] = [face('online'), face('offline')]
  return online && offline && { title: online['title'] ?? '', faces: { online, offline } }
}

/** What the page's form shows; undefined where the desk does not say. */
export function readSite(answer: Iq): View | undefined {
  const e = answer.child('site', NS_DESK)
  if (!e) return undefined
  const is = (attr: string): boolean => e.attrs[attr] === 'true'
  const of = (name: string): Element[] => e.elements.filter(x => x.is(name, NS_DESK))
  const selection = e.child('selection', NS_DESK)?.text
  const departments = of('department').map(d => ({ id: d.attrs['id'] ?? '', name: d.attrs['name'] ?? '', open: d.attrs['open'] === 'true' }))
  const operators = of('operator').map(o => o.attrs['name'] ?? '')
  const fields = of('field').map(f => ({
    id: f.attrs['id'] ?? '', label: f.attrs['label'] ?? '', kind: KINDS.find(k => k === f.attrs['kind']) ?? 'text', required: f.attrs['required'] === 'true',
    ...(f.elements.length > 0 && { choices: texts(f, 'choice') }), ...(f.attrs['departments'] && { departments: f.attrs['departments'].split(' ') }),
  }))
  const words = Object.fromEntries(of('text').map(t => [t.attrs['key'] ?? '', t.text]))
  const saved = readLink(e)
  return {
    ...(saved && { saved }),
    open: is('open'), messages: is('messages'), refresh: Number(e.attrs['refresh'] ?? 30) || 30,
    ...(selection !== undefined && { selection }), ...(departments.length > 0 && { departments }), ...(operators.length > 0 && { operators }),
    ...(fields.length > 0 && { fields }), ...(Object.keys(words).length > 0 && { texts: words }),
    ...(is('suggests') && { suggests: true }), ...(is('survey') && { survey: true }), ...(is('mail') && { mail: true }), ...(is('ticket') && { ticket: true }), ...(is('files') && { files: true }), ...(is('proof') && { proof: true }), ...(is('identity') && { identity: true }),
  }
}
const KINDS = ['text', 'lines', 'number', 'yes-no', 'choice'] as const
const texts = (e: Element, name: string): string[] => e.elements.filter(x => x.is(name, NS_DESK)).map(x => x.text)

export const identify = (ends: Ends, site: string, token: string): Iq => iq(ends, 'set', el('identify', NS_DESK, { site }, token))
/** The address and the name of who the site says it is. */
export function readIdentity(answer: Iq): { jid: string; name: string } | undefined {
  const { jid, name } = answer.child('identity', NS_DESK)?.attrs ?? {}
  return jid !== undefined && name !== undefined ? { jid, name } : undefined
}

export const leave = (ends: Ends, w: Where, m: Leave, address: string): Iq =>
  iq(ends, 'set', el('leave', NS_DESK, { ...whereAttrs(w), id: m.id, name: m.name, email: m.email, address, ...(m.department === undefined ? {} : { department: m.department }) }, el('body', NS_DESK, {}, m.text), ...pageOf(w), ...proofOf(m)))
/** What was proved, where something was. */
export const proofOf = (m: { readonly proof?: string }): Element[] => m.proof === undefined ? [] : [el('proof', NS_DESK, {}, m.proof)]

export const askChallenge = (ends: Ends, w: Where): Iq => iq(ends, 'get', el('challenge', NS_DESK, whereAttrs(w)))
/** What is to be proved; nothing where the desk does not say. */
export function readChallenge(answer: Iq): Challenge {
  const e = answer.type === 'result' ? answer.child('challenge', NS_DESK) : undefined
  const bits = Number(e?.attrs['bits'])
  if (e?.attrs['kind'] === 'captcha') return { type: 'challenge', kind: 'captcha', key: e.attrs['key'] ?? '' }
  return e?.attrs['kind'] === 'work' && bits > 0 && bits <= 32 ? { type: 'challenge', kind: 'work', challenge: e.text, bits } : { type: 'challenge', kind: 'none' }
}

export const suggest = (ends: Ends, w: Where, words: string): Iq => iq(ends, 'get', el('suggest', NS_DESK, whereAttrs(w), el('body', NS_DESK, {}, words)))
export const readSuggestions = (answer: Iq): Suggestion[] => (answer.child('suggestions', NS_DESK)?.elements ?? []).filter(e => e.is('article', NS_DESK))
  .map(e => ({ id: e.attrs['id'] ?? '', title: e.attrs['title'] ?? '', text: e.text, ...(e.attrs['url'] && { url: e.attrs['url'] }) }))

/** The wishes after the end. */
export const survey = (ends: Ends, conversation: number, rating: number, comment: string): Iq => iq(ends, 'set', el('survey', NS_DESK, { conversation: String(conversation), rating: String(rating) }, comment))
export const keep = (ends: Ends, conversation: number, as: 'mail' | 'ticket', email: string): Iq => iq(ends, 'set', el('keep', NS_DESK, { conversation: String(conversation), as, ...(email === '' ? {} : { email }) }))
