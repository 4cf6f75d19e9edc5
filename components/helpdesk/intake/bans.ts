// Who may not come in: visitors by their address in XMPP, and network addresses, for a time or for good (shell).
import { randomUUID } from 'node:crypto'
import { BlockList, isIP } from 'node:net'
import type { DocumentStore } from '../../../server/api.ts'
import type { Bare } from '../facts.ts'

/** Exactly one of `visitor` (bare JID, or a domain) and `address` (one, or with /bits). Times in ms since 1970. */
export interface Ban { readonly id: string; readonly visitor?: string; readonly address?: string; readonly because: string; readonly by: Bare; readonly at: number; readonly until?: number }

const COLLECTION = 'desk-bans'
const PAGE = 500
export const MOST = 10_000

export class Bans {
  readonly #documents: DocumentStore
  readonly #desk: string
  readonly #all = new Map<string, Ban>()
  constructor(documents: DocumentStore, desk: string) { this.#documents = documents; this.#desk = desk }

  async open(): Promise<void> {
    for (let after: string | undefined; ;) {
      const page = await this.#documents.range<Ban>(COLLECTION, this.#desk, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const { id, value } of page) this.#all.set(id, value)
      after = page.at(-1)?.id
      if (page.length < PAGE) return
    }
  }

  all(now: number): readonly Ban[] { return [...this.#all.values()].filter(b => isOn(b, now)).sort((a, b) => a.id < b.id ? -1 : 1) }
  /** The ids of those that name this visitor. */
  of(visitor: string): readonly string[] { return [...this.#all.values()].filter(b => b.visitor === visitor).map(b => b.id) }
  get(id: string): Ban | undefined { return this.#all.get(id) }

  async add(b: Omit<Ban, 'id'>): Promise<Ban> {
    const ban = { id: randomUUID(), ...b }
    await this.#documents.put(COLLECTION, this.#desk, ban.id, ban)
    this.#all.set(ban.id, ban)
    return ban
  }
  async remove(id: string): Promise<boolean> {
    if (!this.#all.delete(id)) return false
    await this.#documents.remove(COLLECTION, this.#desk, id)
    return true
  }

  /** Whether somebody with these addresses may not come in now. */
  bans(visitor: string, address: string | undefined, now: number): boolean {
    const domain = visitor.slice(visitor.indexOf('@') + 1)
    for (const b of this.#all.values()) {
      if (!isOn(b, now)) continue
      if (b.visitor !== undefined && (b.visitor === visitor || b.visitor === domain)) return true
      if (b.address !== undefined && address !== undefined && within(address, b.address)) return true
    }
    return false
  }
}
const isOn = (b: Ban, now: number): boolean => b.until === undefined || b.until > now

/** Whether it is one network address, or a range of them: `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`. */
export function isRange(text: string): boolean {
  const [ip = '', bits, more] = text.split('/')
  const kind = isIP(ip)
  return kind > 0 && more === undefined && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (kind === 4 ? 32 : 128)))
}
function within(address: string, range: string): boolean {
  const own = address.replace(/^::ffff:(?=\d+\.)/i, '')
  const kind = isIP(own)
  const [ip = '', bits] = range.split('/')
  if (kind === 0 || isIP(ip) !== kind) return false
  const list = new BlockList()
  const family = kind === 4 ? 'ipv4' : 'ipv6'
  if (bits === undefined) list.addAddress(ip, family)
  else list.addSubnet(ip, Number(bits), family)
  return list.check(own, family)
}
