// What an XML document may cost, and the error that ends a stream which is wrong or costs more. Pure.

/** Bounds on what a peer may send; Infinity lifts one, 0 allows nothing of the kind. */
export interface Limits {
  /** Bytes of a stanza, from its `<` to its last `>`; the stream header is measured alike. */
  readonly bytes: number
  /** Levels of elements in a stanza, itself included; never more than DEEPEST. */
  readonly depth: number
  /** Elements in a stanza, itself included. */
  readonly elements: number
  /** Attributes of an element, its namespace declarations aside. */
  readonly attributes: number
  /** Namespace declarations of an element. */
  readonly namespaces: number
  /** Bytes of one attribute's value, as sent. */
  readonly attributeBytes: number
}

/** The limits of an authenticated client's stream. */
export const LIMITS: Limits = Object.freeze({ bytes: 262_144, depth: 64, elements: 2_000, attributes: 64, namespaces: 32, attributeBytes: 8_192 })

/** No limits but DEEPEST: for suites, benchmarks and text from our own stores. */
export const UNLIMITED: Limits = Object.freeze({ bytes: Infinity, depth: Infinity, elements: Infinity, attributes: Infinity, namespaces: Infinity, attributeBytes: Infinity })

/** Levels that no limit lifts, since trees are walked by recursion. */
export const DEEPEST = 2_000

export type XmlCondition =
  | 'bad-format'
  | 'bad-namespace-prefix'
  | 'invalid-namespace'
  | 'not-well-formed'
  | 'policy-violation'
  | 'restricted-xml'
  | 'unsupported-encoding'

/** Thrown for input that RFC 6120 section 11 or a limit forbids; `condition` is the stream error to send. */
export class XmlError extends Error {
  readonly condition: XmlCondition
  /** The limit that was passed, under policy-violation: `bytes` calls for stanza-too-big (XEP-0205). */
  readonly exceeded: keyof Limits | undefined

  /** `detail` is for logs and never holds what the peer sent. */
  constructor(condition: XmlCondition, detail: string, exceeded?: keyof Limits) {
    super(`${condition}: ${detail}`)
    this.name = 'XmlError'
    this.condition = condition
    this.exceeded = exceeded
  }
}

export function fail(condition: XmlCondition, detail: string, exceeded?: keyof Limits): never {
  throw new XmlError(condition, detail, exceeded)
}
