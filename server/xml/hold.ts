// A token whose end has not come yet: every byte of it is looked at once, however small the pieces. Pure.
import { Buffer } from 'node:buffer'
import { fail, type Limits } from './limits.ts'

/** What ends the token: `short` is too short to know. */
type Kind = 'short' | 'text' | 'start tag' | 'end tag' | 'section' | 'declaration'

const CDATA = 9 // the length of <![CDATA[

export class Hold {
  bytes: Buffer<ArrayBufferLike>
  length = 0
  #kind: Kind
  #quote = 0 // the one that is open in a start tag
  #quoted = 0 // bytes since it
  #brackets = 0 // ] right before, in a section

  private constructor(size: number, kind: Kind) {
    this.bytes = Buffer.allocUnsafe(size)
    this.#kind = kind
  }

  /** The unfinished token b[from..]. */
  static of(b: Buffer, from: number, limits: Limits): Hold {
    const hold = new Hold(Math.max(64, (b.length - from) * 2), kindOf(b, from))
    if (hold.#kind !== 'short' && hold.#endIn(b, hold.#kind === 'section' ? from + CDATA : from + 1, limits) >= 0) fail('not-well-formed', 'tag without end')
    hold.#copy(b, from, b.length)
    return hold
  }

  /** Whether it is a whole token once `append` has found an end; a `short` one only is longer then. */
  get whole(): boolean {
    return this.#kind !== 'short'
  }

  /** Takes in what of b[from..] belongs to the token and returns where it ended, or -1 if it goes on. */
  append(b: Buffer, from: number, limits: Limits): number {
    const end = this.#kind === 'short' ? Math.min(b.length, from + 1) : this.#endIn(b, from, limits)
    this.#copy(b, from, end < 0 ? b.length : end)
    return end
  }

  #copy(b: Buffer, from: number, to: number): void {
    const length = this.length + to - from
    if (length > this.bytes.length) {
      const more = Buffer.allocUnsafe(length * 2)
      this.bytes.copy(more, 0, 0, this.length)
      this.bytes = more
    }
    b.copy(this.bytes, this.length, from, to)
    this.length = length
  }

  #endIn(b: Buffer, from: number, limits: Limits): number {
    switch (this.#kind) {
      case 'short': return -1
      case 'text': return b.indexOf(60, from)
      case 'start tag': return this.#endOfTag(b, from, limits)
      case 'end tag': return endOfEndTag(b, from)
      case 'section': return this.#endOfSection(b, from)
      case 'declaration': return after(b.indexOf(62, from))
    }
  }

  /** Behind the `>`, or behind a `<`, which is an error wherever it stands in a tag. */
  #endOfTag(b: Buffer, from: number, limits: Limits): number {
    let quote = this.#quote
    let since = quote === 0 ? 0 : from - this.#quoted
    for (let p = from; p < b.length; p++) {
      const c = b[p]!
      if (c === 60) return p + 1
      if (quote !== 0) {
        if (c === quote) quote = 0
      } else if (c === 62) return p + 1
      else if (c === 34 || c === 39) {
        quote = c
        since = p + 1
      }
    }
    this.#quote = quote
    this.#quoted = b.length - since
    if (quote !== 0 && this.#quoted > limits.attributeBytes) fail('policy-violation', 'attribute too long', 'attributeBytes')
    return -1
  }

  #endOfSection(b: Buffer, from: number): number {
    let brackets = this.#brackets
    for (let p = from; p < b.length; p++) {
      const c = b[p]!
      if (c === 93) brackets++
      else if (c === 62 && brackets >= 2) return p + 1
      else brackets = 0
    }
    this.#brackets = brackets
    return -1
  }
}

function kindOf(b: Buffer, from: number): Kind {
  if (b[from] !== 60) return 'text'
  switch (b[from + 1]) {
    case undefined: return 'short'
    case 47: return 'end tag'
    case 33: return b.length - from < CDATA ? 'short' : 'section'
    case 63: return b.length - from < 6 ? 'short' : 'declaration'
    default: return 'start tag'
  }
}

const after = (at: number): number => (at < 0 ? -1 : at + 1)

function endOfEndTag(b: Buffer, from: number): number {
  for (let p = from; p < b.length; p++) if (b[p] === 62 || b[p] === 60) return p + 1
  return -1
}
