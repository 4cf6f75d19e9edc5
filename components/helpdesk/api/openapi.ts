// The machine-readable description of the REST interface (OpenAPI 3.1), made from the table of commands. Pure.
import { COMMANDS } from '../commands.ts'
import { SECTIONS } from '../../../schemas/desk-settings.ts'
import type { Route, Schema } from './door.ts'

const text: Schema = { type: 'string' }
const number: Schema = { type: 'integer', minimum: 0 }
const moment: Schema = { type: ['string', 'null'], format: 'date-time' }
const list = (of: Schema): Schema => ({ type: 'array', items: of })
const ONCE: Schema = { name: 'Idempotency-Key', in: 'header', schema: text, description: 'The same key again within a day: the same answer, and nothing done twice.' }
/** What is changed by its version: the settings and each part of them, and tickets. */
const VERSIONED: ReadonlySet<string> = new Set(['/settings', '/tickets/{n}', ...SECTIONS.flatMap(s => [`/${s}`, `/${s}/{id}`])])
const object = (properties: Readonly<Record<string, Schema>>): Schema => ({ type: 'object', properties })
const path = (name: string): Schema => ({ name, in: 'path', required: true, schema: { type: 'integer', minimum: 1 } })
const query = (name: string, description: string, schema: Schema = number): Schema => ({ name, in: 'query', description, schema })
const json = (schema: Schema): Schema => ({ 'application/json': { schema } })

const REFUSALS: Schema = Object.fromEntries([
  ['401', 'No token, or none that is valid.'], ['403', 'You may see it, but not do that.'], ['404', 'Not there, or not yours to see.'],
].map(([status, description]) => [status, { description, content: { 'application/problem+json': { schema: object({ title: text, status: number }) } } }]))

const TOO_MANY: Schema = { '429': { description: 'Too many failures; `Retry-After` says how many seconds to wait.' }, '503': { description: 'Too many at this moment, or who knows the passwords cannot be asked; `Retry-After` says how many seconds to wait.' } }

const answer = (description: string, schema: Schema): Schema => ({ '200': { description, content: json(schema) }, ...REFUSALS })

const conversation: Readonly<Record<string, Schema>> = {
  number, state: { enum: ['waiting', 'offered', 'active', 'ended', 'closed'] }, queue: text, owner: { type: ['string', 'null'] }, owners: list(text), opened: moment, closed: moment, ticket: { type: ['integer', 'null'] },
}

/** What makes a list a search; all must fit. */
const SEARCH: readonly Schema[] = [
  query('q', 'Words that all must stand somewhere in it; “"in quotes"” together.', text), query('number', 'This conversation.'), query('email', 'The customer’s address.', text), query('name', 'Words of the customer’s name.', text),
  query('username', 'The customer’s JID or its first part.', text), query('since', 'Begun then or later: a date, or a moment.', text), query('until', 'Begun then or before.', text), query('department', 'In one of its queues (also `group`).', text),
  query('agent', 'Owned at some time by this JID, or `me`.', text), query('status', 'Like `state`; several with commas.', text), query('label', 'With this label.', text), query('deleted', 'true: only deleted ones; else all but those.', { type: 'boolean' }),
  query('sort', 'weight (unless told otherwise), newest or oldest.', { enum: ['weight', 'newest', 'oldest'] }), query('after', 'Where the last page ended (`next`).', text), query('field.NAME', 'This custom field has this value.', text),
]

/** The whole document. */
export function openapi(routes: readonly Route[]): object {
  const commands = (inside: boolean): Schema => Object.fromEntries(COMMANDS.filter(c => inside || c.about === 'none').map(c => [
    inside ? `/conversations/{n}/commands/${c.word}` : `/commands/${c.word}`,
    {
      post: {
        operationId: `${inside ? 'conversation' : 'desk'}_${c.word}`, summary: c.label, description: c.help, parameters: [...(inside ? [path('n')] : []), ONCE],
        requestBody: {
          required: c.fields.some(f => f.required),
          content: json({ ...object(Object.fromEntries(c.fields.map(f => [f.name, { ...(f.kind === 'number' ? { type: ['string', 'integer'] } : text), description: f.label, ...(f.choices ? { enum: f.choices } : {}) }]))), required: c.fields.filter(f => f.required).map(f => f.name) }),
        },
        responses: { ...answer('Done; the text is for people.', object({ ok: { const: true }, text, link: { ...text, description: 'An address that the text holds.' } })), '409': { description: 'Refused, with the reason.' }, '422': { description: 'An argument is missing or wrong.' } },
      },
    },
  ]))
  return {
    openapi: '3.1.0',
    info: { title: 'deskbell', version: '1', description: 'The helpdesk’s conversations, tickets and commands. Lists are newest first; `after` pages on.' },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }],
    paths: together({
      '/conversations': { get: { operationId: 'conversations', summary: 'Conversations you may see', parameters: [query('state', 'Only those in this state.', text), query('queue', 'Only those of this queue.', text), query('before', 'Only numbers below this.'), query('limit', 'At most so many (200; of a search 100).'), ...SEARCH], responses: answer('The list, the newest first; `next` is the cursor for `after`. A page may hold fewer than `limit`, even none, and go on all the same: it ends where `next` is null.', object({ conversations: list(object({ ...conversation, customer: text, weight: number })), next: { type: ['string', 'null'] } })) } },
      '/conversations/{n}': { get: { operationId: 'conversation', summary: 'One conversation', parameters: [path('n')], responses: answer('It.', object({ ...conversation, customer: object({ name: text, jid: { type: ['string', 'null'] }, page: { type: ['string', 'null'] } }), ownerName: { type: ['string', 'null'] }, participants: list(object({ jid: text, name: text, role: { enum: ['observer', 'participant'] } })), customerRead: { type: ['integer', 'null'], description: 'The last line that the customer’s client has shown.' }, circles: list(object({ jid: text, name: text, role: { enum: ['owner', 'participant', 'observer', 'invited', 'left'] }, circle: { enum: ['green', 'yellow', 'pink', 'red', 'black'] } })), asked: { ...list(object({ id: text, kind: { enum: ['customer', 'transfer', 'invitation'] }, who: text, name: text, by: { type: ['string', 'null'] }, until: moment })), description: 'Who is asked at this moment, and until when.' }, position: number, lines: number, idleSince: moment, unansweredSince: moment, assigned: moment })) } },
      '/conversations/{n}/lines': { get: { operationId: 'lines', summary: 'What was said', parameters: [path('n'), query('after', 'Only lines with a greater `seq`.'), query('limit', 'At most so many (500).')], responses: answer('The lines in order.', object({ conversation: number, complete: { type: 'boolean' }, lines: list(object({ seq: number, at: moment, by: { enum: ['customer', 'agent', 'desk'] }, name: text, jid: text, visibility: { enum: ['public', 'internal', 'coaching', 'system', 'command'] }, text, file: { ...object({ url: text, name: text, size: number, type: text }), description: 'The line is the address of a file.' } })) })) } },
      '/tickets': { get: { operationId: 'tickets', summary: 'Tickets you may see', parameters: [query('before', 'Only numbers below this.'), query('after', 'Where the last page ended (`next`).', text), query('limit', 'At most so many (200).')], responses: answer('The list, the newest first; it ends where `next` is null.', object({ next: { type: ['string', 'null'] }, tickets: list(object({ number, subject: text, status: text, queue: text, customer: text, opened: moment })) })) } },
      '/tickets/{n}': { get: { operationId: 'ticket', summary: 'One ticket', parameters: [path('n')], responses: answer('It.', object({ number, subject: text, status: text, queue: text, customer: text, opened: moment, articles: list(object({ id: text, at: moment, by: text, conversation: number, body: text })) })) } },
      '/exports/{key}': { get: { operationId: 'export', summary: 'What was laid there for who has the key: once, within a day', security: [], parameters: [{ name: 'key', in: 'path', required: true, schema: text }], responses: { '200': { description: 'A customer’s copy, or a transcript as PDF.', content: { 'application/json': { schema: { type: 'object' } }, 'application/pdf': {} } }, '404': { description: 'Nothing, or no more.' } } } },
      ...commands(true), ...commands(false),
    }, described(routes)),
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  }
}

/** The operations of both, by path. */
function together(a: Schema, b: Schema): Schema {
  return Object.fromEntries([...new Set([...Object.keys(a), ...Object.keys(b)])].map(path => [path, { ...a[path] as object, ...b[path] as object }])) // operations by method
}

/** The paths of routes that bear their own description. */
function described(routes: readonly Route[]): Schema {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const r of routes) {
    const inPath = [...r.path.matchAll(/\{(\w+)\}/g)].map(m => ({ name: m[1], in: 'path', required: true, schema: text }))
    const inQuery = Object.entries(r.query ?? {}).map(([name, schema]) => ({ name, in: 'query', schema }))
    const inHead = r.open ? [] : r.method === 'GET' ? r.events ? [{ name: 'Last-Event-ID', in: 'header', schema: text, description: 'The id that was read last: what came after it is told.' }] : [] : [ONCE, ...(VERSIONED.has(r.path) ? [{ name: 'If-Match', in: 'header', schema: text, description: 'The ETag that was seen; 412 if there is another by now.' }] : [])]
    const status = String(r.status ?? 200)
    const well = { [status]: { description: r.summary, ...(status === '204' ? {} : { content: r.media ? { [r.media]: { schema: r.answer } } : r.events ? { 'text/event-stream': { schema: r.answer } } : { ...json(r.answer), ...(r.table ? { 'text/csv': { schema: text } } : {}) } }) }, ...(r.events ? { '429': { description: 'The token has too many streams.' } } : {}) }
    const badly = r.method === 'GET' ? r.query ? { '422': { description: 'A parameter is wrong; `errors` says which.' } } : {} : { '409': { description: 'It cannot be done now, with the reason.' }, '412': { description: 'Somebody else was quicker.' }, '422': { description: 'Something in it is wrong; `errors` says what.' } }
    paths[r.path] = {
      ...paths[r.path],
      [r.method.toLowerCase()]: {
        operationId: r.id, summary: r.summary, description: r.open ? 'Without a token.' : `${r.scope === undefined ? 'Any token' : `Scope ${r.scope}`}${r.needs === undefined ? '' : `, permission ${r.needs}`}.`, ...(r.open ? { security: [] } : {}),
        ...(inPath.length + inQuery.length + inHead.length > 0 ? { parameters: [...inPath, ...inQuery, ...inHead] } : {}),
        ...(r.body ? { requestBody: { required: true, content: json(r.body) } } : {}), responses: { ...well, ...REFUSALS, ...badly, ...(r.open ? TOO_MANY : {}) },
      },
    }
  }
  return paths
}
