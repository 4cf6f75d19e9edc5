// REST for webhooks: where other programs are told of what happens (shell).
import type { HttpRequest, HttpResponse } from '../../../server/api.ts'
import { TYPES } from '../webhooks/happenings.ts'
import type { HookNews } from '../webhooks/hook-book.ts'
import type { Hook } from '../webhooks/webhooks.ts'
import { created, gone, nothing, object, ok, page, problem, type Door, type Route } from './door.ts'
import { list, paged, PAGED, sent, shape, text, yesNo } from './shapes.ts'

const GIVEN = { url: { ...text, pattern: '^[hH][tT][tT][pP][sS]?://', description: 'http or https, to a public address or one that the config allows.' }, types: { ...list({ enum: ['*', ...TYPES] }), minItems: 1 }, disabled: yesNo }
const ROTATE = { rotate: { ...yesNo, description: 'true: makes a new secret; the old one signs beside it until the next.' } }
const HOOK = shape({ id: text, ...GIVEN, secret: { ...text, description: 'Shown once, when it is made. Deliveries are signed with HMAC-SHA256 over `timestamp.body` in Deskbell-Signature.' } }, 'secret')

export function hookRoutes({ office: o }: Door): readonly Route[] {
  const shown = (h: Hook, secret: boolean): object => ({ id: h.id, url: h.url, types: h.types, disabled: h.disabled === true, ...(secret ? { secret: h.secrets[0] } : {}) })
  const keep = async (r: HttpRequest, old: Hook | undefined): Promise<HttpResponse> => {
    const { records } = o
    const { url, types, disabled, rotate, ...other } = (object(r) ?? {})
    if (Object.keys(other).length > 0) return problem(422, `${Object.keys(other)[0]}: is nothing that a webhook has.`)
    if (url !== undefined && (typeof url !== 'string' || url.length > 2000)) return problem(422, 'url: an address.')
    if (types !== undefined && !(Array.isArray(types) && types.every(t => typeof t === 'string'))) return problem(422, 'types: a list.')
    if ((disabled !== undefined && typeof disabled !== 'boolean') || (rotate !== undefined && typeof rotate !== 'boolean')) return problem(422, 'disabled, rotate: true or false.')
    if (!records.hooks) return problem(503, 'The desk is starting.')
    const put = await records.hooks.hooks.put({ url, types, disabled, rotate } as HookNews, old?.id, u => records.fetcher.wrong(u)) // looked at above
    if ('wrong' in put) return problem(422, put.wrong)
    return old ? ok(shown(put, rotate === true)) : created(`/webhooks/${put.id}`, shown(put, true))
  }
  const find = (r: HttpRequest): Hook | undefined => o.records.hooks?.hooks.get(r.params['id'] ?? '')
  const base = { scope: 'settings:write' as const, needs: 'settings.manage' as const, answer: HOOK }
  return [
    { ...base, method: 'GET', path: '/webhooks', id: 'webhooks', scope: 'settings:read', summary: 'Where other programs are told', query: PAGED, answer: paged(HOOK), handle: r => { const p = page(o.records.hooks?.hooks.list() ?? [], h => h.id, r); return ok({ items: p.items.map(h => shown(h, false)), next: p.next }) } },
    { ...base, method: 'POST', path: '/webhooks', id: 'makeWebhook', summary: 'Adds one; its secret is shown this once', body: sent(GIVEN, 'url'), status: 201, refuses: [503], handle: r => keep(r, undefined) },
    { ...base, method: 'GET', path: '/webhooks/{id}', id: 'webhook', scope: 'settings:read', summary: 'One webhook', handle: r => { const h = find(r); return h ? ok(shown(h, false)) : nothing() } },
    { ...base, method: 'PATCH', path: '/webhooks/{id}', id: 'changeWebhook', summary: 'Changes one', body: sent({ ...GIVEN, ...ROTATE }), handle: r => { const h = find(r); return h ? keep(r, h) : nothing() } },
    { ...base, method: 'DELETE', path: '/webhooks/{id}', id: 'deleteWebhook', summary: 'Deletes one, and what waits for it', answer: {}, status: 204, handle: async r => await o.records.hooks?.hooks.remove(r.params['id'] ?? '') ? gone() : nothing() },
  ]
}
