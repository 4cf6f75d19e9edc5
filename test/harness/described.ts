// Holds each answer of the REST interface to the interface's own description: its status, its type of content, and every field of its body.
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'

const BASE = '/api/v1'
/** What every address may answer as HTTP has it; the description says so in words. */
const BY_HTTP: readonly number[] = [405, 408, 414, 421, 431]
type Json = any // JSON of any shape
export interface Operation { readonly method: string; readonly path: string; readonly id: string; readonly op: Json }
export interface Told { readonly status: number; readonly headers: Headers; readonly body: unknown }

export class Described {
  readonly operations: readonly Operation[]
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true })
  readonly #fits = new Map<string, ValidateFunction>()
  readonly #doc: Json

  constructor(doc: Json) {
    this.#doc = doc
    this.#ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    const all = Object.entries(doc.paths as Json).flatMap(([path, ops]) => Object.entries(ops as Json).map(([m, op]: [string, Json]): Operation => ({ method: m.toUpperCase(), path, id: op.operationId, op })))
    this.operations = all.sort((a, b) => vague(a) - vague(b)) // what is said exactly goes before what varies
  }

  /** The operation that is meant by a method and an address. */
  find(method: string, address: string): Operation | undefined {
    const segments = address.replace(/\?.*/, '').slice(BASE.length).split('/')
    return this.operations.find(o => {
      const own = o.path.split('/')
      return o.method === method && own.length === segments.length && own.every((part, i) => part.startsWith('{') ? segments[i] !== '' : part === segments[i])
    })
  }

  /** What is wrong with an answer. */
  faults(o: Operation, { status, headers, body }: Told): string[] {
    const described = this.#response(o.op.responses[String(status)])
    const type = headers.get('content-type')
    for (const [name, h] of Object.entries(described?.headers ?? {}) as [string, Json][]) if (h.required && !headers.has(name)) return [`${status}: ${name} is missing`]
    if (described === undefined && BY_HTTP.includes(status)) return this.#document(status, type, body)
    if (described === undefined) return [`${status} is not described: ${JSON.stringify(body)}`]
    const [media = ''] = (type ?? '').split(';')
    if (described.content === undefined) return type === null && body === undefined ? [] : [`${status} shall have no body, and has ${String(type)}`]
    if (described.content[media] === undefined) return [`${status}: ${media} is not described`]
    if (!media.endsWith('json')) return []
    const fits = this.#fit(described.content[media].schema)
    if (fits(body)) return []
    return (fits.errors ?? []).map((e: ErrorObject) => `${status}${e.instancePath}: ${e.message ?? ''} ${JSON.stringify(e.params)}`)
  }

  #document(status: number, type: string | null, body: unknown): string[] {
    return type === 'application/problem+json' && this.#fit(this.#doc.components.schemas.Problem)(body) ? [] : [`${status} is no problem document`]
  }
  #fit(schema: Json): ValidateFunction {
    const at = JSON.stringify(schema)
    let fits = this.#fits.get(at)
    if (!fits) this.#fits.set(at, fits = this.#ajv.compile({ ...schema, components: this.#doc.components })) // references begin at the root
    return fits
  }

  #response(r: Json): Json { return r?.$ref === undefined ? r : this.#doc.components.responses[r.$ref.split('/').at(-1)] }

  /** What is wrong with an event of a stream. */
  eventFaults(o: Operation, event: string, data: unknown): string[] {
    const schema = o.op.responses['200'].content['text/event-stream']['x-events'][event]
    if (schema === undefined) return [`${event} is not described`]
    const fits = this.#fit(schema)
    return fits(data) ? [] : (fits.errors ?? []).map((e: ErrorObject) => `${event}${e.instancePath}: ${e.message ?? ''} ${JSON.stringify(e.params)}`)
  }

  /** Parts of answers that say nothing of what stands in them. */
  open(): string[] {
    const seek = (s: Json, at: string): string[] => {
      if (s === null || typeof s !== 'object') return []
      if (s.$ref !== undefined) return []
      const own = s.type === 'object' || s.type?.includes?.('object') ? s.additionalProperties === undefined ? [at] : [] : []
      return [...own, ...Object.entries(s.properties ?? {}).flatMap(([k, v]) => seek(v, `${at}.${k}`)), ...seek(s.items, `${at}[]`), ...(s.anyOf ?? []).flatMap((x: Json) => seek(x, at)), ...typeof s.additionalProperties === 'object' ? seek(s.additionalProperties, `${at}.*`) : []]
    }
    return [...new Set(this.operations.flatMap(o => Object.entries(o.op.responses as Json).flatMap(([status, r]: [string, Json]) => Object.values(this.#response(r).content ?? {}).flatMap((c: Json) => seek(c.schema, `${o.id} ${status}`)))))]
  }

  /** The statuses that an operation is described to answer. */
  statuses(o: Operation): number[] { return Object.keys(o.op.responses).map(Number) }
  /** The schema of a body, references followed. */
  bodyOf(o: Operation): Json | undefined { return o.op.requestBody?.content?.['application/json']?.schema }
  get document(): Json { return this.#doc }
}

const vague = (o: { readonly path: string }): number => o.path.split('{').length
