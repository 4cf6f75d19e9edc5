// The strict, streaming, bounded parser for XMPP's profile of XML (RFC 6120 section 11): bytes in, elements out.
import { Buffer } from 'node:buffer'
import { Element, NO_ATTRS, NO_CHILDREN, type Attrs } from './element.ts'
import { BAD, CLASS, GT, HIGH, SPACE, ascii, decode, endOfName, holdsSectionEnd } from './bytes.ts'
import { DEEPEST, LIMITS, XmlError, fail, type Limits } from './limits.ts'
import { Backlog } from './backlog.ts'
import { Hold } from './hold.ts'
import { Nodes } from './nodes.ts'
import { Scope } from './scope.ts'
import { Tag } from './tag.ts'
import { cdataOf, checkDeclaration, textOf } from './text.ts'

export { LIMITS, UNLIMITED, XmlError, type Limits } from './limits.ts'

const CLIENT = 'jabber:client'
const STREAMS = 'http://etherx.jabber.org/streams'
const tag = new Tag() // nothing is read from it once an event was called

export interface ParserEvents {
  /** The stream header has come; its children will not be in it. */
  open(header: Element, info: HeaderInfo): void
  /** A whole child of the stream has come. */
  element(element: Element): void
  /** The stream's end tag has come. */
  close(): void
}

/** How the stream header was written: RFC 6120 section 4.8 has rules on it. */
export interface HeaderInfo {
  /** The prefix of its name, '' for none. */
  readonly prefix: string
  /** The default namespace inside, as sent. */
  readonly defaultNs: string | undefined
}

export interface ParserOptions {
  /** The stream's own content namespace; what is in it is read as jabber:client, the one inside the house. */
  readonly home?: string
  /** Absent ones are those of LIMITS. */
  readonly limits?: Partial<Limits>
  /** There is no stream header: the document is the one element that is handed out. */
  readonly framed?: boolean
}

interface Frame { qname: string; local: string; ns: string; attrs: Attrs; first: number; outer: string; mark: number; content: boolean }

/** Reads one stream. The first error is thrown, and thrown again at every later write. */
export class Parser {
  readonly #on: ParserEvents
  readonly #home: string
  readonly #floor: 0 | 1 // the depth at which elements are handed out: 1 below a stream header, 0 for a frame
  #limits: Limits

  #frames: Frame[] = []
  #nodes = new Nodes()
  #scope = new Scope()
  #elements = 0
  #implied = 0 // characters of namespaces that its elements will have to declare where the peer had not to
  #origin = 0 // where in the bytes at hand the stanza began, or would have
  #start: 'first' | 'again' | 'past' = 'first' // of the document: an XML declaration may stand there only
  #closed = false

  #hold: Hold | undefined
  readonly #backlog = new Backlog()
  #busy = false
  #paused = false
  #stopped = false
  #dropping = false // the rest of the bytes at hand
  #failure: unknown

  constructor(on: ParserEvents, options: ParserOptions = {}) {
    this.#on = on
    this.#home = options.home ?? CLIENT
    this.#limits = { ...LIMITS, ...options.limits }
    this.#floor = options.framed ? 0 : 1
  }

  /** Other limits from here on, for the stanza at hand too. */
  setLimits(limits: Partial<Limits>): void {
    this.#limits = { ...this.#limits, ...limits }
  }

  /** Reads on, calling the events. Copies what it has to keep. Throws XmlError. */
  write(bytes: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#stopped || bytes.length === 0) return
    const b = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    if (this.#busy || this.#paused) this.#queue(b)
    else this.#run(b, false)
  }

  /** As `write`, for text that was decoded elsewhere. */
  writeText(text: string): void {
    this.write(encode(text))
  }

  /** Whether an end here would cut nothing off: no element open, nothing unread. */
  get complete(): boolean {
    return this.#closed && this.#hold === undefined && this.#backlog.empty
  }

  /** Drops the rest of what was written, even if `reset` follows at once, and all that will be until it does (STARTTLS: RFC 6120 section 5.4.3.3). */
  stop(): void {
    this.#stopped = true
    this.#dropping = this.#busy
    this.#hold = undefined
    this.#backlog.clear()
  }

  /** Expects a new document from here on: from right behind the element at hand, when called in its event. */
  reset(): void {
    this.#frames.length = 0
    this.#nodes = new Nodes()
    this.#scope = new Scope()
    this.#closed = false
    this.#stopped = false
    this.#hold = undefined
    this.#start = 'again'
  }

  /** Calls no event until `resume`; what is written meanwhile is kept, up to 1 MiB. */
  pause(): void {
    this.#paused = true
  }

  /** Reads what was kept. Throws XmlError as `write` does. */
  resume(): void {
    this.#paused = false
    if (!this.#busy && !this.#backlog.empty) this.#run(this.#backlog.take(), true)
  }

  #run(b: Buffer, own: boolean): void {
    this.#busy = true
    try {
      this.#feed(b, own)
      while (!this.#backlog.empty && !this.#paused) {
        this.#dropping = false
        this.#feed(this.#backlog.take(), true)
      }
    } catch (e) {
      this.#failure = e
      this.stop()
      throw e
    } finally {
      this.#busy = this.#dropping = false
    }
  }

  #queue(b: Buffer): void {
    if (this.#backlog.add(b)) return
    this.#failure = new XmlError('policy-violation', 'too much sent while paused')
    this.stop()
    throw this.#failure
  }

  #feed(b: Buffer, own: boolean): void {
    let p = 0
    const hold = this.#hold
    if (hold !== undefined) {
      const end = hold.append(b, 0, this.#limits)
      if (end < 0) return this.#measure(hold.length)
      this.#hold = undefined
      const at = this.#parse(hold.bytes, 0, hold.length, hold.whole)
      if (at < hold.length && !this.#halted()) {
        if (hold.whole) fail('not-well-formed', 'tag without end')
        this.#keep(hold.bytes.subarray(0, hold.length), at)
        return end < b.length ? this.#feed(b.subarray(end), own) : undefined
      }
      this.#origin += end - hold.length
      p = end
    }
    if (!this.#halted()) p = this.#parse(b, p, b.length, false)
    if (this.#dropping) return
    if (p < b.length && !this.#paused) return this.#keep(b, p)
    this.#origin -= p
    if (p < b.length) this.#backlog.putBack(b, p, own)
  }

  #halted(): boolean {
    return this.#paused || this.#dropping
  }

  /** Keeps b[p..] as the beginning of a token. */
  #keep(b: Buffer, p: number): void {
    this.#origin = this.#frames.length > this.#floor ? this.#origin - p : 0
    this.#hold = Hold.of(b, p, this.#limits)
    this.#measure(b.length - p)
  }

  /** Whether the stanza, of which the bytes at hand hold the part up to `end`, is still small enough. */
  #measure(end: number): void {
    if (end - this.#origin > this.#limits.bytes) fail('policy-violation', 'stanza too big', 'bytes')
  }

  /** Reads whole tokens from b[p..n) and returns where the first unfinished one begins; a text that ends at n is finished if `whole`. */
  #parse(b: Buffer, p: number, n: number, whole: boolean): number {
    while (p < n) {
      let next
      if (b[p] !== 60) next = this.#frames.length > this.#floor ? this.#text(b, p, n, whole) : this.#between(b, p, n)
      else if (p + 1 === n) return p
      else if (b[p + 1] === 47) next = this.#endTag(b, p, n)
      else if (b[p + 1] === 33) next = this.#section(b, p, n)
      else if (b[p + 1] === 63) next = this.#declaration(b, p, n)
      else next = this.#startTag(b, p, n)
      if (next < 0) return p
      p = next
      if (this.#paused || this.#dropping) return p
    }
    return p
  }

  /** Space around stanzas, of which any amount is free. */
  #between(b: Buffer, p: number, n: number): number {
    if (this.#start === 'first') this.#start = 'past'
    for (; p < n; p++) {
      const c = b[p]!
      if (c === 60) return p
      if ((CLASS[c]! & SPACE) !== 0) continue
      if (c === 0xc0 || c === 0xc1 || c > 0xf4 || (c >= 0x80 && c < 0xc2)) fail('unsupported-encoding', 'bad UTF-8')
      if ((CLASS[c]! & BAD) !== 0) fail('not-well-formed', 'control character')
      fail(this.#closed ? 'not-well-formed' : 'bad-format', 'text outside of stanzas')
    }
    return n
  }

  #text(b: Buffer, from: number, n: number, whole: boolean): number {
    let p = from
    let classes = 0
    for (let c; p < n && (c = b[p]!) !== 60; p++) classes |= CLASS[c]!
    if (p === n && !whole) return -1
    this.#measure(p)
    if ((classes & GT) !== 0 && holdsSectionEnd(b, from, p)) fail('not-well-formed', ']]> in text')
    this.#nodes.addText(textOf(b, from, p, classes), this.#frames.at(-1)!.first) // an element is open here
    return p
  }

  #startTag(b: Buffer, from: number, n: number): number {
    const limits = this.#limits
    const p = tag.read(b, from, n, limits)
    if (p < 0) return -1
    const { name, empty } = tag
    const attrs = tag.attrs ?? NO_ATTRS

    const depth = this.#frames.length
    const floor = this.#floor
    const header = depth < floor
    if (header || depth === floor) {
      if (this.#closed) fail('not-well-formed', 'second root')
      this.#start = 'past'
      this.#elements = this.#implied = 0
      this.#origin = from
    }
    if (p - this.#origin > limits.bytes) fail('policy-violation', 'stanza too big', 'bytes')
    if (!header) {
      if (++this.#elements > limits.elements) fail('policy-violation', 'too many elements', 'elements')
      if (depth - floor >= limits.depth || depth >= DEEPEST) fail('policy-violation', 'nested too deep', 'depth')
    }
    const scope = this.#scope
    const mark = scope.mark
    const outer = scope.default
    if (tag.ns !== undefined) scope.default = tag.ns
    if (tag.prefixes !== undefined) scope.declare(tag.prefixes)
    if (tag.prefixed !== undefined) this.#implied += scope.expand(tag.attrs!, tag.prefixed, tag.prefixes) // where there are names there are attributes
    let ns = scope.find(name.prefix)
    let content = false
    if (!header) {
      if (depth === 1 && floor === 1 && ns === STREAMS && name.local === 'stream') fail('bad-format', 'second header') // nobody would wait for its end
      content = ns === this.#home && (depth === floor || this.#frames[depth - 1]!.content)
      if (content) {
        if (name.prefix !== '') fail('bad-namespace-prefix', 'prefix on the content namespace') // RFC 6120 section 4.8.5
        ns = CLIENT
      } else if (depth === floor && ns === CLIENT) fail('invalid-namespace', 'content namespace of another kind of stream')
      const own = name.prefix === '' ? tag.ns !== undefined : tag.prefixes?.has(name.prefix) === true
      if (depth > floor && !own && ns !== this.#frames[depth - 1]!.ns) this.#implied += ns.length
    }
    // Else a prefix of one letter for a namespace of 8 KiB would let a small stanza grow a thousandfold when it is written.
    if (this.#implied > limits.bytes) fail('policy-violation', 'stanza too big with its namespaces', 'bytes')

    if (empty && !header) {
      scope.default = outer
      scope.leave(mark)
      this.#done(new Element(name.local, ns, attrs, NO_CHILDREN), p)
      return p
    }
    this.#frames.push({ qname: name.text, local: name.local, ns, attrs, first: this.#nodes.top, outer, mark, content })
    if (header) {
      this.#on.open(new Element(name.local, ns, attrs, NO_CHILDREN), { prefix: name.prefix, defaultNs: scope.default || undefined })
      if (empty && this.#frames.length === 1 && !this.#dropping) this.#end()
    }
    return p
  }

  #endTag(b: Buffer, from: number, n: number): number {
    const frame = this.#frames.at(-1)
    if (frame === undefined) fail('not-well-formed', 'end tag without start tag')
    const qname = frame.qname
    let p = from + 2
    for (let i = 0; i < qname.length; i++, p++) {
      const c = qname.charCodeAt(i)
      if (c > 127) {
        p = endOfName(b, p, n)
        if (p === n) return -1
        if (decode(b, from + 2, p, HIGH) !== qname) fail('not-well-formed', 'wrong end tag')
        break
      }
      if (p === n) return -1
      if (b[p] !== c) fail('not-well-formed', 'wrong end tag')
    }
    while (p < n && (CLASS[b[p]!]! & SPACE) !== 0) p++
    if (p === n) return -1
    if (b[p++] !== 62) fail('not-well-formed', 'wrong end tag')
    if (this.#frames.length === 1 && this.#floor === 1) {
      this.#end()
      return p
    }

    this.#frames.pop()
    this.#scope.default = frame.outer
    this.#scope.leave(frame.mark)
    this.#done(new Element(frame.local, frame.ns, frame.attrs, this.#nodes.take(frame.first)), p)
    return p
  }

  /** An element is complete, its last byte before p. */
  #done(element: Element, p: number): void {
    if (this.#frames.length > this.#floor) {
      this.#nodes.add(element)
      return
    }
    this.#measure(p)
    if (this.#floor === 0) this.#closed = true
    this.#on.element(element)
  }

  #end(): void {
    this.#frames.length = 0
    this.#closed = true
    this.#on.close()
  }

  /** `<!`: a CDATA section or what RFC 6120 section 11.1 forbids. */
  #section(b: Buffer, from: number, n: number): number {
    const opening = '<![CDATA['
    for (let i = 2; i < opening.length; i++) {
      if (from + i === n) return -1
      const c = b[from + i]
      if (c === opening.charCodeAt(i)) continue
      if (i === 2 && (c === 45 || c === 68)) fail('restricted-xml', 'comment or document type') // <!- and <!D
      fail('not-well-formed', 'stray exclamation mark')
    }
    if (this.#frames.length <= this.#floor) fail(this.#frames.length === 0 ? 'not-well-formed' : 'bad-format', 'text outside of stanzas')
    const first = from + opening.length
    let classes = 0
    for (let p = first; p < n; p++) {
      const c = b[p]!
      if (c === 62 && p - first >= 2 && b[p - 1] === 93 && b[p - 2] === 93) {
        this.#measure(p)
        this.#nodes.addText(cdataOf(b, first, p - 2, classes), this.#frames.at(-1)!.first)
        return p + 1
      }
      classes |= CLASS[c]!
    }
    return -1
  }

  /** `<?`: the XML declaration at the very start, else a processing instruction. */
  #declaration(b: Buffer, from: number, n: number): number {
    const opening = '<?xml'
    for (let i = 2; i <= opening.length; i++) {
      if (from + i === n) return -1
      const c = b[from + i]!
      if (i < opening.length ? c !== opening.charCodeAt(i) : (CLASS[c]! & SPACE) === 0) fail('restricted-xml', 'processing instruction')
    }
    if (this.#start === 'past' || this.#frames.length > 0) fail('restricted-xml', 'XML declaration not at the start')
    const end = b.indexOf(62, from)
    if (end < 0 || end >= n) return -1
    checkDeclaration(ascii(b, from, end + 1))
    this.#start = 'past'
    return end + 1
  }
}

/** One whole document, as a WebSocket message holds it (RFC 7395 section 3.3.3). Throws XmlError. */
export function parseFrame(text: string | Uint8Array, limits: Partial<Limits> = LIMITS, home = CLIENT): Element {
  const bytes = typeof text === 'string' ? encode(text) : text
  let root: Element | undefined
  const parser = new Parser({ open() {}, element(e) { root = e }, close() {} }, { limits, home, framed: true })
  if (bytes[0] !== 60) fail('bad-format', 'frame does not begin with <')
  parser.write(bytes)
  return root !== undefined && parser.complete ? root : fail('not-well-formed', 'frame ends too early')
}

function encode(text: string): Buffer {
  if (!text.isWellFormed()) fail('not-well-formed', 'lone surrogate')
  return Buffer.from(text)
}
