// The strict, streaming, bounded parser for XMPP's profile of XML (RFC 6120 section 11): bytes in, elements out.
import { Bag, Element, type Attrs, type Node } from './element.ts'
import { AMP, BAD, BREAK, CLASS, GT, HIGH, LONGEST_VALUE, LT, NAME, SPACE, ascii, nameIn, utf8, valueIn, type QName } from './names.ts'
import { DEEPEST, LIMITS, XmlError, type Limits, type XmlCondition } from './limits.ts'
import { Hold } from './hold.ts'
import { cdataOf, textOf, valueOf } from './text.ts'

export { LIMITS, UNLIMITED, XmlError, type Limits } from './limits.ts'

const CLIENT = 'jabber:client'
const XML = 'http://www.w3.org/XML/1998/namespace'
const XMLNS = 'http://www.w3.org/2000/xmlns/'
const NO_ATTRS: Attrs = Object.freeze(new Bag())
const NO_CHILDREN: readonly Node[] = []
const BACKLOG = 1_048_576

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
}

interface Frame { qname: string; local: string; ns: string; attrs: Attrs; first: number; outer: string; undo: number; content: boolean }

/** Reads one stream. The first error is thrown, and thrown again at every later write. */
export class Parser {
  readonly #on: ParserEvents
  readonly #home: string
  readonly #floor: 0 | 1 // the depth at which elements are handed out: 1 below a stream header, 0 for a frame
  #limits: Limits

  #frames: Frame[] = []
  #depth = 0
  #nodes: Node[] = [] // children of all open elements, in order
  #default = ''
  #prefixes: Map<string, string> | undefined
  #undo: (string | undefined)[] = [] // prefix and what it was bound to before, for all open elements
  #elements = 0
  #origin = 0 // where in the bytes at hand the stanza began, or would have
  #start: 'first' | 'again' | 'past' = 'first' // of the document: an XML declaration may stand there only
  #closed = false

  #hold: Hold | undefined
  #backlog: Buffer[] = []
  #waiting = 0
  #busy = false
  #paused = false
  #stopped = false
  #dropping = false // the rest of the bytes at hand
  #failure: unknown

  constructor(on: ParserEvents, options: ParserOptions = {}, floor: 0 | 1 = 1) {
    this.#on = on
    this.#home = options.home ?? CLIENT
    this.#limits = { ...LIMITS, ...options.limits }
    this.#floor = floor
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
    if (this.#busy || this.#paused) this.#queue(b, false)
    else this.#run(b)
  }

  /** As `write`, for text that was decoded elsewhere. */
  writeText(text: string): void {
    this.write(encode(text))
  }

  /** Whether an end here would cut nothing off: no element open, nothing unread. */
  get complete(): boolean {
    return this.#closed && this.#hold === undefined && this.#backlog.length === 0
  }

  /** Drops the rest of what was written, even if `reset` follows at once, and all that will be until it does (STARTTLS: RFC 6120 section 5.4.3.3). */
  stop(): void {
    this.#stopped = true
    this.#dropping = this.#busy
    this.#hold = undefined
    this.#backlog = []
    this.#waiting = 0
  }

  /** Expects a new document from here on: from right behind the element at hand, when called in its event. */
  reset(): void {
    this.#frames.length = 0
    this.#depth = 0
    this.#nodes.length = 0
    this.#default = ''
    this.#prefixes = undefined
    this.#undo.length = 0
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
    if (this.#failure !== undefined) throw this.#failure
    if (!this.#busy && this.#backlog.length > 0) this.#run(this.#next())
  }

  #run(b: Buffer): void {
    this.#busy = true
    try {
      this.#feed(b)
      while (this.#backlog.length > 0 && !this.#paused) {
        this.#dropping = false
        this.#feed(this.#next())
      }
    } catch (e) {
      this.#failure = e
      this.stop()
      throw e
    } finally {
      this.#busy = this.#dropping = false
    }
  }

  #next(): Buffer {
    const b = this.#backlog.shift()!
    this.#waiting -= b.length
    return b
  }

  #queue(b: Buffer, first: boolean): void {
    if (b.length === 0) return
    if (!first && this.#waiting + b.length > BACKLOG) {
      this.#failure = new XmlError('policy-violation', 'too much sent while paused')
      this.stop()
      throw this.#failure
    }
    this.#waiting += b.length
    const copy = Buffer.from(b)
    if (first) this.#backlog.unshift(copy)
    else this.#backlog.push(copy)
  }

  #feed(b: Buffer): void {
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
        return end < b.length ? this.#feed(b.subarray(end)) : undefined
      }
      this.#origin += end - hold.length
      p = end
    }
    if (!this.#halted()) p = this.#parse(b, p, b.length, false)
    if (this.#dropping) return
    if (p < b.length && !this.#paused) return this.#keep(b, p)
    this.#origin -= p
    if (p < b.length) this.#queue(b.subarray(p), true)
  }

  #halted(): boolean {
    return this.#paused || this.#dropping
  }

  /** Keeps b[p..] as the beginning of a token. */
  #keep(b: Buffer, p: number): void {
    this.#origin = this.#depth > this.#floor ? this.#origin - p : 0
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
      if (b[p] !== 60) next = this.#depth > this.#floor ? this.#text(b, p, n, whole) : this.#between(b, p, n)
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
    if ((classes & GT) !== 0 && endsSection(b, from, p)) fail('not-well-formed', ']]> in text')
    if ((classes & (BAD | HIGH | AMP | BREAK)) !== 0) this.#addText(textOf(b, from, p, classes))
    else this.#addText(p - from <= 24 ? shortText(b, from, p) : ascii(b, from, p))
    return p
  }

  #addText(s: string): void {
    const nodes = this.#nodes
    const last = nodes.length - 1
    const before = nodes[last]
    if (last >= this.#frames[this.#depth - 1]!.first && typeof before === 'string') nodes[last] = before + s
    else if (s !== '') nodes.push(s)
  }

  #startTag(b: Buffer, from: number, n: number): number {
    const limits = this.#limits
    let p = from + 1
    let c = 0
    let k = 0
    let hash = 0
    let classes = 0
    for (; ; p++) {
      if (p === n) return -1
      c = b[p]!
      k = CLASS[c]!
      if ((k & NAME) === 0) break
      hash = (Math.imul(hash, 31) + c) | 0
      classes |= k
    }
    const name = nameIn(b, from + 1, p, hash, (classes & HIGH) !== 0) ?? fail('not-well-formed', 'no name')

    let attrs: Record<string, string> | undefined
    let count = 0
    let declared = 0
    let own: string | undefined // the default namespace declared here
    let bound: Map<string, string> | undefined // the prefixes declared here
    let prefixed: QName[] | undefined
    let empty = false
    for (;;) {
      if (c === 62) { p++; break }
      if (c === 47) {
        if (p + 1 === n) return -1
        if (b[p + 1] !== 62) fail('not-well-formed', 'stray slash')
        empty = true
        p += 2
        break
      }
      if ((k & SPACE) === 0) fail('not-well-formed', 'no space between attributes')
      do {
        if (++p === n) return -1
        c = b[p]!
        k = CLASS[c]!
      } while ((k & SPACE) !== 0)
      if (c === 62 || c === 47) continue

      const start = p
      hash = classes = 0
      while ((k & NAME) !== 0) {
        hash = (Math.imul(hash, 31) + c) | 0
        classes |= k
        if (++p === n) return -1
        c = b[p]!
        k = CLASS[c]!
      }
      const key = nameIn(b, start, p, hash, (classes & HIGH) !== 0) ?? fail('not-well-formed', 'no attribute name')
      while ((k & SPACE) !== 0) {
        if (++p === n) return -1
        c = b[p]!
        k = CLASS[c]!
      }
      if (c !== 61) fail('not-well-formed', 'attribute without value')
      do {
        if (++p === n) return -1
        c = b[p]!
      } while ((CLASS[c]! & SPACE) !== 0)
      if (c !== 34 && c !== 39) fail('not-well-formed', 'attribute without quotes')

      const quote = c
      const first = ++p
      hash = classes = 0
      for (; ; p++) {
        if (p === n) return -1
        c = b[p]!
        if (c === quote) break
        hash = (Math.imul(hash, 31) + c) | 0
        classes |= CLASS[c]!
      }
      if ((classes & LT) !== 0) fail('not-well-formed', '< in an attribute')
      if (p - first > limits.attributeBytes) fail('policy-violation', 'attribute too long', 'attributeBytes')
      const value =
        (classes & (BAD | HIGH | AMP | BREAK)) !== 0 ? valueOf(b, first, p, classes)
        : p - first > LONGEST_VALUE || key.role === 'id' ? ascii(b, first, p)
        : valueIn(b, first, p, hash)
      if (++p === n) return -1
      c = b[p]!
      k = CLASS[c]!

      if (key.role === 'default' || key.role === 'declaration') {
        if (++declared > limits.namespaces) fail('policy-violation', 'too many namespace declarations', 'namespaces')
        if (key.role === 'default') {
          if (own !== undefined) fail('not-well-formed', 'attribute twice')
          if (value === XML || value === XMLNS) fail('not-well-formed', 'reserved namespace')
          own = value
        } else {
          bound ??= new Map()
          if (bound.has(key.local)) fail('not-well-formed', 'attribute twice')
          if (value === '' || value === XMLNS || key.local === 'xmlns' || (key.local === 'xml') !== (value === XML)) fail('not-well-formed', 'bad prefix declaration')
          bound.set(key.local, value)
        }
        continue
      }
      if (++count > limits.attributes) fail('policy-violation', 'too many attributes', 'attributes')
      attrs ??= new Bag()
      if (attrs[key.text] !== undefined) fail('not-well-formed', 'attribute twice')
      attrs[key.text] = value
      if (key.role === 'prefixed') (prefixed ??= []).push(key)
    }

    // The tag is whole: what it changes may change now.
    const depth = this.#depth
    const floor = this.#floor
    const header = depth < floor
    if (header || depth === floor) {
      if (this.#closed) fail('not-well-formed', 'second root')
      this.#start = 'past'
      this.#elements = 0
      this.#origin = from
    }
    if (p - this.#origin > limits.bytes) fail('policy-violation', 'stanza too big', 'bytes')
    if (!header) {
      if (++this.#elements > limits.elements) fail('policy-violation', 'too many elements', 'elements')
      if (depth - floor >= limits.depth || depth >= DEEPEST) fail('policy-violation', 'nested too deep', 'depth')
    }
    const undo = this.#undo.length
    const outer = this.#default
    if (bound !== undefined) this.#bind(bound)
    if (own !== undefined) this.#default = own
    let ns = name.prefix === '' ? this.#default : this.#lookup(name.prefix)
    if (prefixed !== undefined) this.#expand(attrs!, prefixed) // prefixed names are in attrs
    let content = false
    if (!header) {
      content = ns === this.#home && (depth === floor || this.#frames[depth - 1]!.content)
      if (content) {
        if (name.prefix !== '') fail('bad-namespace-prefix', 'prefix on the content namespace') // RFC 6120 section 4.8.5
        ns = CLIENT
      } else if (depth === floor && ns === CLIENT) fail('invalid-namespace', 'content namespace of another kind of stream')
    }

    if (empty && !header) {
      this.#default = outer
      if (bound !== undefined) this.#unbind(undo)
      this.#done(new Element(name.local, ns, attrs ?? NO_ATTRS, NO_CHILDREN), p)
      return p
    }
    const frame = this.#frames[depth]
    if (frame === undefined) this.#frames.push({ qname: name.text, local: name.local, ns, attrs: attrs ?? NO_ATTRS, first: this.#nodes.length, outer, undo, content })
    else {
      frame.qname = name.text
      frame.local = name.local
      frame.ns = ns
      frame.attrs = attrs ?? NO_ATTRS
      frame.first = this.#nodes.length
      frame.outer = outer
      frame.undo = undo
      frame.content = content
    }
    this.#depth = depth + 1
    if (header) {
      this.#on.open(new Element(name.local, ns, attrs ?? NO_ATTRS, NO_CHILDREN), { prefix: name.prefix, defaultNs: this.#default || undefined })
      if (empty && this.#depth === 1 && !this.#dropping) this.#end()
    }
    return p
  }

  #endTag(b: Buffer, from: number, n: number): number {
    const depth = this.#depth
    if (depth === 0) fail('not-well-formed', 'end tag without start tag')
    const frame = this.#frames[depth - 1]!
    const qname = frame.qname
    let p = from + 2
    for (let i = 0; i < qname.length; i++, p++) {
      const c = qname.charCodeAt(i)
      if (c > 127) {
        p = endOfName(b, p, n)
        if (p === n) return -1
        if (utf8(b, from + 2, p) !== qname) fail('not-well-formed', 'wrong end tag')
        break
      }
      if (p === n) return -1
      if (b[p] !== c) fail('not-well-formed', 'wrong end tag')
    }
    while (p < n && (CLASS[b[p]!]! & SPACE) !== 0) p++
    if (p === n) return -1
    if (b[p++] !== 62) fail('not-well-formed', 'wrong end tag')
    if (depth === 1 && this.#floor === 1) {
      this.#end()
      return p
    }

    const nodes = this.#nodes
    const first = frame.first
    const children = nodes.length === first ? NO_CHILDREN : nodes.length === first + 1 ? [nodes[first]!] : nodes.slice(first)
    nodes.length = first
    const attrs = frame.attrs
    frame.attrs = NO_ATTRS // an idle stream keeps no stanza
    this.#depth = depth - 1
    this.#default = frame.outer
    if (this.#undo.length > frame.undo) this.#unbind(frame.undo)
    this.#done(new Element(frame.local, frame.ns, attrs, children), p)
    return p
  }

  /** An element is complete, its last byte before p. */
  #done(element: Element, p: number): void {
    if (this.#depth > this.#floor) {
      this.#nodes.push(element)
      return
    }
    this.#measure(p)
    if (this.#floor === 0) this.#closed = true
    this.#on.element(element)
  }

  #end(): void {
    this.#depth = 0
    this.#closed = true
    this.#on.close()
  }

  #bind(bound: Map<string, string>): void {
    this.#prefixes ??= new Map()
    for (const [prefix, ns] of bound) {
      this.#undo.push(prefix, this.#prefixes.get(prefix))
      this.#prefixes.set(prefix, ns)
    }
  }

  #unbind(mark: number): void {
    while (this.#undo.length > mark) {
      const before = this.#undo.pop()
      const prefix = this.#undo.pop()!
      if (before === undefined) this.#prefixes!.delete(prefix)
      else this.#prefixes!.set(prefix, before)
    }
  }

  #lookup(prefix: string): string {
    if (prefix === 'xml') return XML
    return this.#prefixes?.get(prefix) ?? fail('not-well-formed', 'prefix without declaration') // RFC 6120 section 11.3
  }

  /** Puts the declarations of used prefixes among the attributes, so that the element can stand anywhere. */
  #expand(attrs: Record<string, string>, prefixed: QName[]): void {
    const seen = new Set<string>()
    for (const { prefix, local } of prefixed) {
      const ns = this.#lookup(prefix)
      const expanded = `${ns} ${local}` // a local name has no space
      if (seen.has(expanded)) fail('not-well-formed', 'attribute twice')
      seen.add(expanded)
      attrs[`xmlns:${prefix}`] = ns
    }
  }

  /** `<!`: a CDATA section or what RFC 6120 section 11.1 forbids. */
  #section(b: Buffer, from: number, n: number): number {
    const opening = '<![CDATA['
    for (let i = 2; i < opening.length; i++) {
      if (from + i === n) return -1
      if (b[from + i] !== opening.charCodeAt(i)) fail('restricted-xml', 'comment or document type')
    }
    if (this.#depth <= this.#floor) fail(this.#depth === 0 ? 'not-well-formed' : 'bad-format', 'text outside of stanzas')
    const first = from + opening.length
    let classes = 0
    for (let p = first; p < n; p++) {
      const c = b[p]!
      if (c === 62 && p - first >= 2 && b[p - 1] === 93 && b[p - 2] === 93) {
        this.#addText(cdataOf(b, first, p - 2, classes))
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
    if (this.#start === 'past' || this.#depth > 0) fail('restricted-xml', 'XML declaration not at the start')
    const end = b.indexOf(62, from)
    if (end < 0 || end >= n) return -1
    const parts = DECLARATION.exec(ascii(b, from, end + 1)) ?? fail('not-well-formed', 'malformed XML declaration')
    if (parts[2] !== undefined && parts[2].toLowerCase() !== 'utf-8') fail('unsupported-encoding', 'encoding other than UTF-8') // RFC 6120 section 11.6
    this.#start = 'past'
    return end + 1
  }
}

// XML 1.0 production 23; `standalone` means nothing without a document type and is passed over (RFC 6120 section 11.5).
const DECLARATION = /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(["'])1\.[0-9]+\1(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*["']([A-Za-z][A-Za-z0-9._-]*)["'])?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*["'](?:yes|no)["'])?[ \t\r\n]*\?>$/

/** One whole document, as a WebSocket message holds it (RFC 7395 section 3.3.3). Throws XmlError. */
export function parseFrame(text: string | Uint8Array, limits: Partial<Limits> = LIMITS, home = CLIENT): Element {
  const bytes = typeof text === 'string' ? encode(text) : text
  let root: Element | undefined
  const parser = new Parser({ open() {}, element(e) { root = e }, close() {} }, { limits, home }, 0)
  if (bytes[0] !== 60) fail('bad-format', 'frame does not begin with <')
  parser.write(bytes)
  return root !== undefined && parser.complete ? root : fail('not-well-formed', 'frame ends too early')
}

function encode(text: string): Buffer {
  if (!text.isWellFormed()) fail('not-well-formed', 'lone surrogate')
  return Buffer.from(text)
}

function fail(condition: XmlCondition, detail: string, exceeded?: keyof Limits): never {
  throw new XmlError(condition, detail, exceeded)
}

function shortText(b: Buffer, from: number, to: number): string {
  let hash = 0
  for (let p = from; p < to; p++) hash = (Math.imul(hash, 31) + b[p]!) | 0
  return valueIn(b, from, to, hash)
}

function endsSection(b: Buffer, from: number, to: number): boolean {
  for (let p = from + 2; p < to; p++) if (b[p] === 62 && b[p - 1] === 93 && b[p - 2] === 93) return true
  return false
}

function endOfName(b: Buffer, p: number, n: number): number {
  while (p < n && (CLASS[b[p]!]! & NAME) !== 0) p++
  return p
}
