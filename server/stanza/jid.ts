// XMPP addresses: parsed, prepared (RFC 7622) and split once, then passed around as values (pure).

/** An XMPP address, prepared and split. `bare` and `full` are ready strings: they are the keys of every table on the hot path. */
export class Jid {
  readonly local: string
  readonly domain: string
  readonly resource: string
  readonly bare: string
  readonly full: string

  private constructor(local: string, domain: string, resource: string) {
    this.local = local
    this.domain = domain
    this.resource = resource
    this.bare = local ? `${local}@${domain}` : domain
    this.full = resource ? `${this.bare}/${resource}` : this.bare
  }

  static #known = new Map<string, Jid>()

  /** Parses and prepares `text`; throws `TypeError` if it is no JID. The last few thousand answers are remembered. */
  static parse(text: string): Jid {
    let jid = Jid.#known.get(text)
    if (jid) return jid
    const slash = text.indexOf('/')
    const bare = slash < 0 ? text : text.slice(0, slash)
    const at = bare.indexOf('@')
    if (at === 0 || slash === text.length - 1) throw new TypeError('not a JID')
    jid = Jid.of(at < 0 ? '' : bare.slice(0, at), bare.slice(at + 1), slash < 0 ? '' : text.slice(slash + 1))
    if (Jid.#known.size > 8192) Jid.#known.clear()
    Jid.#known.set(text, jid)
    return jid
  }

  /** As `parse`, but answers `undefined` where there is no JID. */
  static tryParse(text: string): Jid | undefined {
    try {
      return Jid.parse(text)
    } catch {
      return undefined
    }
  }

  /** Builds a JID from its unprepared parts; throws `TypeError` if one is not allowed. */
  static of(local: string, domain: string, resource = ''): Jid {
    if (!domain || /[\s@/]/.test(domain + local)) throw new TypeError('not a JID')
    return new Jid(local.normalize('NFC').toLowerCase(), domain.toLowerCase(), resource)
  }

  get isBare(): boolean {
    return this.resource === ''
  }

  toBare(): Jid {
    return this.isBare ? this : Jid.parse(this.bare)
  }

  withResource(resource: string): Jid {
    return Jid.of(this.local, this.domain, resource)
  }

  toString(): string {
    return this.full
  }
}
