// The machine-readable description of the REST interface (OpenAPI 3.1), made from the tables of routes and of commands. Pure.
import { COMMANDS, type CommandEntry } from '../commands.ts'
import { SECTIONS } from '../../../schemas/desk-settings.ts'
import type { Route } from './door.ts'
import { isNarrow } from './fit.ts'
import { count, DONE, PROBLEM, sent, text, type Schema } from './shapes.ts'

const ONCE: Schema = { name: 'Idempotency-Key', in: 'header', schema: { ...text, pattern: '^[\\x21-\\x7e]{1,255}$' }, description: 'The same key again within a day: the same answer, and nothing done twice.' }
const SEEN: Schema = { name: 'If-Match', in: 'header', schema: text, description: 'The ETag that was seen; 412 if there is another by now.' }
const LAST: Schema = { name: 'Last-Event-ID', in: 'header', schema: text, description: 'The id that was read last: what came after it is told.' }
/** What is changed by its version: the settings and each part of them, and tickets. */
const VERSIONED: ReadonlySet<string> = new Set(['/settings', '/tickets/{n}', ...SECTIONS.flatMap(s => [`/${s}`, `/${s}/{id}`])])
const json = (schema: Schema): Schema => ({ 'application/json': { schema } })

/** What a refusal means, wherever it stands. */
const REFUSALS: Readonly<Record<number, string>> = {
  400: 'The path, the body or the Idempotency-Key cannot be read.', 401: 'No token, or none that is valid.', 403: 'You may see it, but not do that; or the token lacks the scope.', 404: 'Not there, or not yours to see.',
  409: 'It cannot be done now, with the reason.', 410: 'What is answered to was there, and is over.', 412: 'Somebody else was quicker.', 413: 'The body is too long.', 415: 'The body is not application/json in UTF-8.',
  422: 'Something in it is wrong; `errors` says what. Or the Idempotency-Key was used with another body.', 429: 'Too many: failures, or streams of the token. `Retry-After` says how many seconds to wait.', 503: 'Not at this moment. `Retry-After`, if it is there, says how many seconds to wait.',
}
/** What stands in the head of an answer, wherever it has this status. */
const header = (description: string, required = true, schema: Schema = text): Schema => ({ description, required, schema })
const HEADS: Readonly<Record<number, Schema>> = {
  201: { Location: header('Where it is now.') }, 401: { 'WWW-Authenticate': header('Bearer.') },
  429: { 'Retry-After': header('Seconds to wait.', true, count) }, 503: { 'Retry-After': header('Seconds to wait.', false, count) },
}
const heads = (status: number, more: Schema = {}): Schema => { const all = { ...HEADS[status], ...more }; return Object.keys(all).length > 0 ? { headers: all } : {} }
const refusals = (statuses: readonly number[]): Schema => Object.fromEntries([...new Set(statuses)].sort((a, b) => a - b).map(status => [status, { $ref: `#/components/responses/Refused${status}` }]))
const refused: Schema = Object.fromEntries(Object.entries(REFUSALS).map(([status, description]) => [`Refused${status}`, { description, ...heads(Number(status)), content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } }]))

/** What a command is given, by its names. */
export const argumentsOf = (c: CommandEntry): Schema => sent(
  Object.fromEntries(c.fields.map(f => [f.name, { ...(f.kind === 'number' ? { type: ['string', 'integer'] } : text), ...(f.required ? { minLength: 1 } : {}), description: f.label, ...(f.choices ? { enum: f.choices } : {}) }])),
  ...c.fields.flatMap(f => f.required ? [f.name] : []))

const ETAG: Schema = { ETag: header('The version, for If-Match.', false) }

/** The whole document. */
export function openapi(routes: readonly Route[], settings: object): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'deskbell', version: '1',
      description: 'The helpdesk’s conversations, tickets and commands. A list ends where `next` is null. Every address may also answer as HTTP itself has it: 405 (with `Allow`), 408, 414, 421, 431, and 500 where something broke: all as problem details, as far as there is a body.',
    },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }],
    paths: { ...described(routes), ...commands(true), ...commands(false), '/exports/{key}': EXPORT },
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } }, schemas: { Problem: PROBLEM, Settings: settings }, responses: refused },
  }
}

const EXPORT: Schema = {
  get: {
    operationId: 'export', summary: 'What was laid there for who has the key: once, within a day', security: [], parameters: [{ name: 'key', in: 'path', required: true, schema: text }],
    responses: { '200': { description: 'A customer’s copy, or a transcript as PDF.', content: { ...json({ type: 'object' }), 'application/pdf': { schema: text } } }, ...refusals([400, 404]) },
  },
}

/** Every command is an operation: of a conversation, and those about none of the desk. */
const commands = (inside: boolean): Schema => Object.fromEntries(COMMANDS.filter(c => inside || c.about === 'none').map(c => [
  inside ? `/conversations/{n}/commands/${c.word}` : `/commands/${c.word}`,
  {
    post: {
      operationId: `${inside ? 'conversation' : 'desk'}_${c.word}`, summary: c.label, description: `${c.help}${c.scope === undefined ? '' : `. Scope ${c.scope}, beside conversations:write`}`, parameters: [...(inside ? [parameter('n')] : []), ONCE],
      requestBody: { required: c.fields.some(f => f.required), content: json(argumentsOf(c)) },
      responses: { '200': { description: 'Done.', content: json(DONE) }, ...refusals([400, 401, 403, 404, 409, ...(c.handler === 'accept' ? [410] : []), 413, 415, 422]) },
    },
  },
]))

/** The paths of routes. */
function described(routes: readonly Route[]): Schema {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const r of routes) {
    const isRead = r.method === 'GET'
    const inQuery = Object.entries(r.query ?? {}).map(([name, schema]) => ({ name, in: 'query', schema, ...(r.demands?.includes(name) ? { required: true } : {}) }))
    const inHead = r.open ? [] : isRead ? r.events ? [LAST] : [] : [ONCE, ...(VERSIONED.has(r.path) ? [SEEN] : [])]
    const parameters = [...[...r.path.matchAll(/\{(\w+)\}/g)].map(m => parameter(m[1] ?? '')), ...inQuery, ...inHead]
    const content = r.media ? { [r.media]: { schema: r.answer } } : r.events ? { 'text/event-stream': { schema: r.answer, 'x-events': r.events } } : { ...json(r.answer), ...(r.table ? { 'text/csv': { schema: text } } : {}) }
    paths[r.path] = {
      ...paths[r.path],
      [r.method.toLowerCase()]: {
        operationId: r.id, summary: r.summary, description: r.open ? 'Without a token.' : `${r.scope === undefined ? 'Any token' : `Scope ${r.scope}`}${r.needs === undefined ? '' : `, permission ${r.needs}`}.`, ...(r.open ? { security: [] } : {}),
        ...(parameters.length > 0 ? { parameters } : {}), ...(r.body ? { requestBody: { required: true, content: json(r.body) } } : {}),
        responses: { [String(r.status ?? 200)]: { description: r.summary, ...heads(r.status ?? 200, VERSIONED.has(r.path) ? ETAG : {}), ...(r.status === 204 ? {} : { content }) }, ...refusals(refusalsOf(r)) },
      },
    }
  }
  return paths
}

/** What follows from a route's kind, and what it says of itself. */
function refusalsOf(r: Route): readonly number[] {
  const isRead = r.method === 'GET'
  const takes = r.method === 'POST' || r.method === 'PUT' || r.method === 'PATCH'
  return [
    ...(/\{\w+\}/.test(r.path) || !isRead ? [400] : []), ...(r.open ? [] : [401, 404]), ...(r.scope !== undefined || r.needs !== undefined ? [403] : []),
    ...(isRead || r.open ? [] : [409]), ...(takes ? [422] : []), ...(r.body ? [413, 415] : []), ...(Object.values(r.query ?? {}).some(isNarrow) ? [422] : []), ...(!isRead && VERSIONED.has(r.path) ? [412] : []), ...(r.events ? [429] : []), ...(r.refuses ?? []),
  ]
}

/** What varies in a path: the number of a conversation, ticket or talk, or a name. */
const parameter = (name: string): Schema => ({ name, in: 'path', required: true, schema: name === 'n' ? { type: 'integer', minimum: 1 } : { ...text, minLength: 1 } })
