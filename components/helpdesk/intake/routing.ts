// Where a request of a customer goes: all, by department, by the page's address, to an agent he names, or generic; one way at a time (RULE-C3, RULE-C23, OM-18, OM-22 to OM-26, OT-15). Pure.

import type { DeskSettings } from '../../../schemas/desk-settings.ts'
import type { Bare } from '../facts.ts'

/** What the customer's page asks for. */
export interface Wish {
  /** The queue of the bridge or of the site. */
  readonly queue: string
  readonly site?: string | undefined
  /** A saved link that was clicked. */
  readonly link?: string | undefined
  readonly department?: string | undefined
  readonly operator?: string | undefined
  readonly page?: string | undefined
}
export interface Target { readonly queue: string; /** Nobody else is asked. */ readonly only?: readonly Bare[] }
export interface Astray { readonly why: 'unknown' | 'needed' | 'forbidden'; readonly because: string }

/** What is known of the moment. */
export interface Known { isOpen(queue: string): boolean; /** Whom an address or name means among those who serve. */ operator(text: string): Bare | undefined }

export const isAstray = (t: Target | Astray): t is Astray => 'why' in t

export type Mode = 'all' | 'departments' | 'urls' | 'agents' | 'generic'
export const modeOf = ({ routing: r }: DeskSettings): Mode => r.departments ? 'departments' : r.urls ? 'urls' : r.agents ? 'agents' : r.generic ? 'generic' : 'all'

/** Where the request goes, or in what words it is refused. */
export function route(s: DeskSettings, wish: Wish, known: Known): Target | Astray {
  const mode = modeOf(s)
  const queue = (wish.site === undefined ? undefined : s.sites[wish.site]?.queue) ?? wish.queue
  if (wish.operator !== undefined && mode !== 'agents') return { why: 'forbidden', because: 'You cannot choose whom you talk to here.' }
  if (wish.department !== undefined && mode !== 'departments') return { why: 'forbidden', because: 'Departments cannot be chosen here.' }
  switch (mode) {
    case 'all': case 'generic': return { queue }
    case 'urls': {
      const rule = ruleFor(s.routing.rules, wish.page ?? '')
      return rule && rule.operators.length > 0 ? { queue, only: rule.operators } : { queue }
    }
    case 'agents': {
      if (wish.operator === undefined) return { queue }
      const who = known.operator(wish.operator)
      return who === undefined ? { why: 'unknown', because: 'There is nobody of that name.' } : { queue, only: [who] }
    }
    case 'departments': {
      const shown = shownDepartments(s, wish)
      const name = wish.department ?? (shown.length === 1 ? shown[0] : undefined)
      if (name === undefined) return { why: 'needed', because: s.conversation.selectionText }
      if (!shown.includes(name)) return { why: 'unknown', because: 'There is no such department.' }
      const queues = s.departments[name]?.queues ?? []
      const first = queues.find(q => known.isOpen(q)) ?? queues[0]
      return first === undefined ? { why: 'unknown', because: 'There is no such department.' } : { queue: first }
    }
  }
}

/** The departments that the visitors of a site, or those who came by a saved link, may choose (SS-28). */
export function shownDepartments(s: DeskSettings, { site, link }: Pick<Wish, 'site' | 'link'>): readonly string[] {
  let all = Object.keys(s.departments)
  for (const some of [site === undefined ? undefined : s.sites[site]?.departments, link === undefined ? undefined : s.links[link]?.departments]) if (some && some.length > 0) all = all.filter(d => some.includes(d))
  return all
}

/** The rule with the longest host and path that begins the page's address; a path is compared by whole parts (OM-23). */
export function ruleFor<R extends { readonly address: string }>(rules: readonly R[], page: string): R | undefined {
  const at = parts(page)
  let best: R | undefined
  let length = -1
  for (const r of rules) {
    const want = parts(r.address)
    if (!at || !want || want.host !== at.host) continue
    const path = want.path.replace(/\/+$/, '')
    if (path !== '' && at.path !== path && !at.path.startsWith(`${path}/`)) continue
    if (path.length > length) { best = r; length = path.length }
  }
  return best
}

function parts(address: string): { host: string; path: string } | undefined {
  try {
    const { host, pathname } = new URL(/^https?:\/\//i.test(address) ? address : `https://${address}`)
    return { host, path: decodeURI(pathname) }
  } catch { return undefined } // no address
}
