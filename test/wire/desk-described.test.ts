// What the interface answers is what its description says: every reading route of a desk where there is one of each thing.
import assert from 'node:assert/strict'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import settings from '../../schemas/desk-settings.json' with { type: 'json' }
import { BOT, config, desk, SUPPORT, type DeskHouse } from '../harness/desk.ts'

const API = '/api/v1'
const STAFF = { anna: 'agent', ben: 'agent', boss: 'admin' } as const
type Schema = { readonly [key: string]: unknown }

/** One of each thing that there can be; where a path names one, this one is meant. */
async function furnished(d: DeskHouse): Promise<Readonly<Record<string, string>>> {
  const anna = await d.comes('anna')
  const ben = await d.comes('ben')
  const zoe = await d.comes('zoe')
  const made = async (path: string, body: object, method = 'POST'): Promise<any> => { // JSON of any shape
    const answer = await d.rest(method, `${API}${path}`, 'boss', body)
    assert.ok(answer.status < 300, `${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  await made('/settings', { departments: { sales: { queues: ['support'] } }, brands: { acme: { sites: ['shop'] } }, sites: { shop: { origins: ['https://shop.example.org'] } }, links: { footer: { title: 'Footer' } }, fields: { order: { label: 'Order' } }, events: { gone: { title: 'Gone', commands: ['!n gone'] } }, macros: { refund: { title: 'Refund', steps: ['!n refund'] } }, roles: { trainee: { base: 'agent', permissions: { 'chat.transfer': false } } } }, 'PATCH')
  zoe.types(SUPPORT, 'hello')
  await anna.reads(BOT, /#1/)
  anna.types(BOT, '!take 1')
  await anna.reads('c1@help.localhost', 'hello')
  for (const line of ['!n a note', '!task do it', '!time 5 done', '!call 123 5', '!addfile https://files.example.org/a.png a.png', '!related https://example.org', '!subject Fire', '!label hot', '!follow 2h', '!hold 5', '!field order 7', '!im ben look', '!i ben', '!mon all', '!newticket Fire']) { anna.types('c1@help.localhost', line); await anna.reads('c1@help.localhost', /^✱ /) }
  await ben.reads(BOT, /asks you/)
  await d.quiet()
  const [article, ban, canned, hook] = [await made('/articles', { title: 'How', text: 'So' }), await made('/bans', { visitor: 'eve@evil.example' }), await made('/canned', { shortcut: 'hi1', text: 'Hi' }), await made('/webhooks', { url: 'https://hooks.example.org/x', types: ['*'] })]
  const customer = (await d.rest('GET', `${API}/conversations/1/customer`, 'boss')).body.id
  await made(`/customers/${customer}/comments`, { text: 'kind' })
  return {
    conversations: '1', tickets: '1', threads: '1', lists: 'active', operators: 'ben@localhost', articles: article.id, bans: ban.id, canned: canned.id, webhooks: hook.id, customers: customer,
    queues: 'billing', departments: 'sales', brands: 'acme', sites: 'shop', links: 'footer', roles: 'trainee', fields: 'order', events: 'gone', macros: 'refund',
  }
}

describe('what the interface answers', () => {
  it('SEC-A17 ST-09 is what its description says, for every route that reads', desk(STAFF, async d => {
    const ids = await furnished(d)
    const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
    ajv.addSchema(settings, `${API}/settings/schema`)
    const { paths } = (await d.rest('GET', `${API}/openapi.json`)).body as { paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, { schema: Schema }> }> }>> }
    const wrong: string[] = []
    let looked = 0
    for (const [path, { get }] of Object.entries(paths)) {
      const described = get?.responses['200']?.content?.['application/json']?.schema
      if (!described || path.startsWith('/exports')) continue
      const at = path.replace(/\{\w+\}/, encodeURIComponent(ids[path.split('/')[1] ?? ''] ?? 'nothing'))
      const { status, body } = await d.rest('GET', `${API}${at}${path === '/suggestions' ? '?q=how' : ''}`, path.startsWith('/threads') ? 'anna' : 'boss')
      if (status !== 200) { wrong.push(`${at}: ${status} ${JSON.stringify(body)}`); continue }
      looked++
      const fits = ajv.compile(described)
      if (!fits(body)) wrong.push(...(fits.errors ?? []).map((e: ErrorObject) => `${at}${e.instancePath}: ${e.message ?? ''}`))
      wrong.push(...unnamed(described, body, at))
    }
    assert.deepEqual([...new Set(wrong)], [])
    assert.ok(looked > 50, `${looked} routes`)
  }, config({ support: { assign: 'pull' }, billing: { assign: 'pull' } })))
})

/** What is answered and not described. */
function unnamed(schema: Schema, value: unknown, at: string): string[] {
  if (Array.isArray(value)) return schema['items'] === undefined ? [] : value.flatMap(v => unnamed(schema['items'] as Schema, v, `${at}[]`)) // as JSON Schema has it
  if (value === null || typeof value !== 'object' || schema['properties'] === undefined) return []
  const properties = schema['properties'] as Readonly<Record<string, Schema>> // as JSON Schema has it
  return Object.entries(value).flatMap(([k, v]) => properties[k] === undefined ? [`${at}.${k} is not described`] : unnamed(properties[k], v, `${at}.${k}`))
}
