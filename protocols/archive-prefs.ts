// What an account wants its archive to keep (XEP-0441): read, written, asked. Pure.
import { el, Jid, refuse, StanzaError, type Element } from '../server/api.ts'
import { NS_MAM } from './archive.ts'

/** As they are stored; `always` and `never` are addresses, bare or full. */
export interface Prefs {
  readonly fallback: 'always' | 'never' | 'roster'
  readonly always: readonly string[]
  readonly never: readonly string[]
}

/** What holds where nothing was set. */
export const EVERYTHING: Prefs = { fallback: 'always', always: [], never: [] }

/** Whether messages to or from `other` are kept; a list that names the full address counts before one that names the bare (section 2.2). */
export function wants(prefs: Prefs, other: Jid, isContact: (bare: string) => boolean): boolean {
  if (prefs === EVERYTHING) return true
  for (const jid of other.isBare ? [other.bare] : [other.full, other.bare]) {
    if (prefs.never.includes(jid)) return false
    if (prefs.always.includes(jid)) return true
  }
  return prefs.fallback === 'roster' ? isContact(other.bare) : prefs.fallback === 'always'
}

/** Reads `<prefs/>`, with at most `most` addresses in it. */
export function readPrefs(e: Element, most: number): Prefs | StanzaError {
  const fallback = e.attrs['default']
  if (fallback !== 'always' && fallback !== 'never' && fallback !== 'roster') return refuse('bad-request', 'default is always, never or roster.')
  const always = addresses(e.child('always'))
  const never = addresses(e.child('never'))
  if (!always || !never) return refuse('jid-malformed')
  if (always.length + never.length > most) return refuse('resource-constraint', `There may be ${most} addresses.`)
  return { fallback, always, never }
}

export const prefsElement = ({ fallback, always, never }: Prefs): Element =>
  el('prefs', NS_MAM, { default: fallback }, el('always', NS_MAM, {}, ...always.map(listed)), el('never', NS_MAM, {}, ...never.map(listed)))

const listed = (jid: string): Element => el('jid', NS_MAM, {}, jid)

function addresses(list: Element | undefined): string[] | undefined {
  const found = new Set<string>()
  for (const e of list?.elements ?? []) {
    if (!e.is('jid', NS_MAM)) continue
    const jid = Jid.tryParse(e.text.trim())
    if (!jid) return undefined
    found.add(jid.full)
  }
  return [...found]
}
