// The shapes of which the description of the interface is made: what is answered holds these keys and no others (pure).

/** A JSON Schema, or a part of one. */
export type Schema = Readonly<Record<string, unknown>>
type Properties = Readonly<Record<string, Schema>>

export const text: Schema = { type: 'string' }
export const count: Schema = { type: 'integer', minimum: 0 }
export const yesNo: Schema = { type: 'boolean' }
export const moment: Schema = { type: 'string', format: 'date-time' }
export const list = (items: Schema): Schema => ({ type: 'array', items })
export const texts = list(text)

/** The same, or null. */
export const maybe = (s: Schema): Schema => Array.isArray(s['enum']) ? { ...s, enum: [...s['enum'] as unknown[], null] } : { ...s, type: [s['type'], 'null'].flat() } // as JSON Schema has it

/** An answer of exactly these; those named behind may be missing. */
export const shape = (properties: Properties, ...optional: readonly string[]): Schema =>
  ({ type: 'object', properties, required: Object.keys(properties).filter(k => !optional.includes(k)), additionalProperties: false })

/** What is sent: these and nothing else; those named behind must be there. */
export const sent = (properties: Properties, ...needed: readonly string[]): Schema =>
  ({ type: 'object', properties, ...(needed.length > 0 ? { required: needed } : {}), additionalProperties: false })

/** Something by its name. */
export const byName = (of: Schema): Schema => ({ type: 'object', additionalProperties: of })

/** A page of a list, and where the next begins. */
export const paged = (of: Schema, name = 'items'): Schema => shape({ [name]: list(of), next: { ...maybe(text), description: 'For `after` of the next page; null: this was the last.' } })

/** Something was done; the text is for people. */
export const DONE = shape({ ok: { const: true }, text, link: { ...text, description: 'An address that the text holds.' } }, 'link')

/** What every list with pages is asked. */
export const PAGED: Properties = { after: { ...text, description: 'Go on after this: `next` of the page before.' }, limit: { type: 'integer', minimum: 1, maximum: 200, description: 'At most so many.' } }

/** Problem details (RFC 9457). */
export const PROBLEM: Schema = shape({
  title: { ...text, description: 'A sentence for people.' }, status: { type: 'integer' },
  errors: { ...list(shape({ pointer: { ...text, description: 'RFC 6901.' }, detail: text })), description: 'What is wrong, and where.' }, version: { ...count, description: 'The version that the settings have now.' },
}, 'errors', 'version')
