// XMPP addresses (RFC 7622): parsed, prepared and split once, then passed around as values.
import { escape } from '../xml/element.ts'
import { opaqueString, prepareDomain, usernameCaseMapped } from './precis.ts'

/** An XMPP address, prepared and split. `bare` and `full` are ready strings: they are the keys of every table on the hot path. */
export class Jid {
  readonly local: string // '' if there is none
  readonly domain: string
  readonly resource: string // '' if there is none
  readonly bare: string
  readonly full: string
  #bareJid: Jid | undefined
  #quoted: string | undefined

  private constructor(local: string, domain: string, resource: string, bare: string, full: string) {
    this.local = local
    this.domain = domain
    this.resource = resource
    this.bare = bare
    this.full = full
  }

  /** Parses and prepares `text`; throws `TypeError` if it is no JID. The last few thousand answers are remembered. */
  static parse(text: string): Jid {
    const jid = Jid.tryParse(text)
    if (!jid) throw new TypeError('not a JID')
    return jid
  }

  /** As `parse`, but `undefined` if `text` is no JID. */
  static tryParse(text: string): Jid | undefined {
    const known = recent.get(text)
    if (known) return known
    const older = earlier.get(text)
    if (older) return remember(text, older)
    const jid = Jid.#read(text)
    return jid && text.length <= REMEMBERED_LENGTH ? remember(jid.full === text ? jid.full : copy(text), jid) : jid
  }

  /** Builds a JID from parts that need not be prepared; throws `TypeError` if one is not allowed. '' stands for no such part. */
  static of(local: string, domain: string, resource = ''): Jid {
    const l = local === '' ? '' : prepareLocal(local)
    const d = domainWithin(domain)
    const r = resource === '' ? '' : prepareResource(resource)
    if (l === undefined || d === undefined || r === undefined) throw new TypeError('not a JID')
    return Jid.#join(l, d, r)
  }

  get isBare(): boolean {
    return this.resource === ''
  }

  /** `full`, made safe to stand in an attribute; made once. */
  get quoted(): string {
    return (this.#quoted ??= escape(this.full))
  }

  /** The address without its resource, made once. */
  toBare(): Jid {
    if (this.resource === '') return this
    return (this.#bareJid ??= new Jid(this.local, this.domain, '', this.bare, this.bare))
  }

  /** The same account or host with another resource; '' gives the bare address. Throws `TypeError` if the resource is not allowed. */
  withResource(resource: string): Jid {
    if (resource === '') return this.toBare()
    const prepared = prepareResource(resource)
    if (prepared === undefined) throw new TypeError('not a resource')
    return new Jid(this.local, this.domain, prepared, this.bare, `${this.bare}/${prepared}`)
  }

  toString(): string {
    return this.full
  }

  // RFC 7622 section 3.2: first the first slash, then the first @ left of it, before anything is mapped.
  static #read(text: string): Jid | undefined {
    if (!text.isWellFormed()) return undefined
    const own = copy(text)
    const slash = own.indexOf('/')
    const bare = slash < 0 ? own : own.slice(0, slash)
    const at = bare.indexOf('@')
    const local = at < 0 ? '' : prepareLocal(bare.slice(0, at))
    const domain = domainWithin(at < 0 ? bare : bare.slice(at + 1))
    const resource = slash < 0 ? '' : prepareResource(own.slice(slash + 1))
    if (local === undefined || domain === undefined || resource === undefined) return undefined
    const jid = Jid.#join(local, domain, resource)
    // Where preparing changed nothing, the text itself serves: one flat string instead of a joined one.
    return jid.full === own ? new Jid(local, domain, resource, bare, own) : jid
  }

  static #join(local: string, domain: string, resource: string): Jid {
    const bare = local === '' ? domain : `${local}@${domain}`
    return new Jid(local, domain, resource, bare, resource === '' ? bare : `${bare}/${resource}`)
  }
}

/** A localpart as it is compared (RFC 7622 section 3.3), or `undefined` if it is none. Account names are prepared by this. */
export function prepareLocal(text: string): string | undefined {
  let upper = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7E) return prepareWideLocal(text)
    const kind = LOCAL_ASCII[code]
    if (kind === 0) return undefined
    if (kind === 2) upper = true
  }
  return within(upper ? text.toLowerCase() : text)
}

/** A resource as it is compared (RFC 7622 section 3.4), or `undefined` if it is none. */
export function prepareResource(text: string): string | undefined {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7E) return within(opaqueString(text))
    if (code < 0x20) return undefined
  }
  return within(text)
}

// Section 3.3.1: allowed by the profile, but not here. Asked after the mapping, so that a fullwidth @ does not slip in.
function prepareWideLocal(text: string): string | undefined {
  const name = usernameCaseMapped(text)
  return name !== undefined && !/["&'/:<>@]/.test(name) ? within(name) : undefined
}

const domainWithin = (text: string): string | undefined => within(prepareDomain(text))

/** 1 to 1023 octets after preparation. */
function within(part: string | undefined): string | undefined {
  if (part === undefined || part === '') return undefined
  return part.length <= 341 || Buffer.byteLength(part) <= 1023 ? part : undefined // a UTF-16 unit takes three octets at most
}

/** For each ASCII character in a localpart: 0 not allowed, 1 stands for itself, 2 an upper-case letter. */
const LOCAL_ASCII = Uint8Array.from({ length: 0x80 }, (_, code) => {
  const c = String.fromCharCode(code)
  if (code <= 0x20 || code === 0x7F || `"&'/:<>@`.includes(c)) return 0
  return c >= 'A' && c <= 'Z' ? 2 : 1
})

// What was parsed of late, by its text, in two generations: when the younger is full it becomes the older, which is forgotten.
const GENERATION = 4096
const REMEMBERED_LENGTH = 256 // UTF-16 units; longer addresses are rare and not worth their memory
let recent = new Map<string, Jid>()
let earlier = new Map<string, Jid>()

function remember(text: string, jid: Jid): Jid {
  if (recent.size >= GENERATION) {
    earlier = recent
    recent = new Map()
  }
  recent.set(text, jid)
  return jid
}

/** A string of its own: what is cut from a network chunk would keep the whole chunk alive. */
const copy = (text: string): string => Buffer.from(text).toString()
