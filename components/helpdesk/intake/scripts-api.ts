// REST for the HTML that a site puts in: of saved links, of links that are still being edited, and of the widget; nothing here is kept (SS-25, OT-49) (shell).
import type { HttpRequest, HttpResponse } from '../../../server/api.ts'
import { check } from '../settings/check.ts'
import { branch, merge, type Tree } from '../settings/tree.ts'
import { byName, list, sent, shape, text } from '../api/shapes.ts'
import { faulty, nothing, object, ok, problem, type Door, type Route } from '../api/door.ts'
import { snippet, type Kind } from './scripts.ts'

const KINDS: readonly Kind[] = ['normal', 'deferred', 'in-place']
const KIND = { kind: { enum: KINDS, description: 'normal: in <head>, loads before the page; deferred: before </body>, after it; in-place: a link without a script. Default: deferred.' }, site: { ...text, description: 'Default: default.' }, texts: { ...byName(text), description: 'The widget in other words.' } }
const ASKED = { ...KIND, brand: { ...text, description: 'Whose host; absent: the address of this server.' }, page: { ...text, description: 'Where it will stand: for the warning about http and https.' } }
const SNIPPET = shape({ script: text, inPlace: text, where: { enum: ['head', 'end of body', 'in place'] }, warnings: list(text) })
/** What each opening of the generator begins with (OT-49). */
const DEFAULTS = { kind: 'deferred', site: 'default', texts: {} }

export function scriptRoutes({ office: { rules } }: Door): readonly Route[] {
  const make = (r: HttpRequest, link?: string, title?: string): HttpResponse => {
    const { kind = DEFAULTS.kind, brand, site = DEFAULTS.site, page, texts } = object(r) ?? {}
    const s = rules.now
    const known = KINDS.find(k => k === kind)
    if (!known) return problem(422, `kind: one of ${KINDS.join(', ')}.`)
    if (typeof site !== 'string' || (site !== DEFAULTS.site && !Object.hasOwn(s.sites, site))) return problem(422, 'site: there is none of this key.')
    if (brand !== undefined && (typeof brand !== 'string' || !Object.hasOwn(s.brands, brand))) return problem(422, 'brand: there is none of this name.')
    if (page !== undefined && typeof page !== 'string') return problem(422, 'page: an address.')
    if (texts !== undefined && !(texts !== null && typeof texts === 'object' && Object.values(texts).every(t => typeof t === 'string'))) return problem(422, 'texts: words by key.')
    const host = (brand === undefined ? '' : s.brands[brand]?.host ?? '') || r.origin
    return ok(snippet({ host: /^https?:\/\//.test(host) ? host.replace(/\/+$/, '') : `https://${host}`, site, kind: known, link, title, page, texts: texts as Record<string, string> | undefined })) // looked at above
  }
  return [
    { method: 'GET', path: '/snippets', id: 'snippetDefaults', scope: 'settings:read', needs: 'settings.view', summary: 'What the generator of snippets begins with, each time', answer: shape(KIND), handle: () => ok(DEFAULTS) },
    { method: 'POST', path: '/snippets', id: 'snippet', scope: 'settings:read', needs: 'settings.view', summary: 'Makes the HTML of the widget; nothing is kept', body: sent(ASKED), answer: SNIPPET, handle: r => make(r) },
    {
      method: 'POST', path: '/links/{id}/script', id: 'linkScript', scope: 'settings:read', needs: 'settings.view', summary: 'Makes the HTML of a saved link', body: sent(ASKED), answer: SNIPPET,
      handle(r) { const id = r.params['id'] ?? ''; const link = Object.hasOwn(rules.now.links, id) ? rules.now.links[id] : undefined; return link ? make(r, id, link.title) : nothing() },
    },
    {
      method: 'POST', path: '/scripts', id: 'unsavedScript', scope: 'settings:read', needs: 'settings.view', summary: 'Makes the HTML of a link as it stands in the editor: it is checked, and not saved',
      body: sent({ ...ASKED, id: text, link: { $ref: '#/components/schemas/Settings/$defs/link' } }, 'link'), answer: SNIPPET,
      handle(r) {
        const { id = 'link', link } = object(r) ?? {}
        if (typeof id !== 'string' || link === null || typeof link !== 'object') return problem(422, 'link: an object is needed.')
        const checked = check(merge(rules.shown().settings, branch(`/links/${id}`, link as Tree)) as Tree) // what came as JSON is a tree
        const faults = 'faults' in checked ? checked.faults.filter(f => f.pointer.startsWith('/links/')) : []
        if (faults.length > 0) return faulty(422, faults)
        return make(r, id, String((link as { title?: unknown }).title ?? '')) // JSON from outside
      },
    },
  ]
}
