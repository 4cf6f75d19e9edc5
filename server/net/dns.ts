// Where another server is: SRV records with their order, addresses, and which of them may be connected to (RFC 6120 section 3.2, XEP-0368).
import { Resolver } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { inNetworks, plainAddress } from './address.ts'

/** One place to try: a port on any of these addresses. */
export interface Target { readonly host: string; readonly port: number; readonly direct: boolean; readonly addresses: readonly string[] }

/** Where to connect to, best first; `reason` says why there is nowhere, in words for an admin. */
export type Found = { readonly targets: readonly Target[] } | { readonly reason: string }

/** A record of RFC 2782; `direct` is true for _xmpps-server. */
export interface Service { readonly name: string; readonly port: number; readonly priority: number; readonly weight: number; readonly direct: boolean }

/** The questions asked of DNS. Each gives an empty list where the answer is that there is none, and rejects where there is no answer. */
export interface Names {
  services(name: string): Promise<readonly Omit<Service, 'direct'>[]>
  addresses(name: string, family: 4 | 6): Promise<readonly string[]>
}

export interface PlacesOptions {
  /** What an admin has fixed: a domain's `host:port`. It is believed: it may be private. */
  readonly fixed: ReadonlyMap<string, string>
  /** Private networks that may be connected to all the same, as CIDR. */
  readonly networks: readonly string[]
  readonly names?: Names
  /** A number from 0 up to 1, for the choice among records of one priority. */
  readonly dice?: () => number
}

const PORT = 5269
const PORTS = new Set([443, PORT]) // below 1024, or registered for something else, only these are for XMPP
const LONGEST_LIST = 16 // targets of one domain that are tried

export class Places {
  readonly #options: PlacesOptions
  readonly #names: Names
  readonly #allowed: (address: string) => boolean
  constructor(options: PlacesOptions) {
    this.#options = options
    this.#names = options.names ?? new SystemNames()
    this.#allowed = inNetworks(options.networks)
  }

  /** Where the server of `domain` is. Never rejects. */
  async find(domain: string): Promise<Found> {
    const fixed = this.#options.fixed.get(domain)
    if (fixed !== undefined) return this.#fixed(domain, fixed)
    const literal = domain.replace(/^\[(.*)\]$/, '$1')
    if (isIP(literal)) return this.#screened([{ host: domain, port: PORT, direct: false, addresses: [literal] }])
    const ascii = domainToASCII(domain)
    if (ascii === '' || !ascii.includes('.')) return { reason: `${domain} is no domain that DNS could know` }
    const [plain, direct] = await Promise.all([this.#services(`_xmpp-server._tcp.${ascii}`, false), this.#services(`_xmpps-server._tcp.${ascii}`, true)])
    const services = [...(plain ?? []), ...(direct ?? [])]
    // section 3.2.1: only where SRV has nothing to say the domain's own addresses are tried
    if (services.length === 0) return this.#screened(await this.#resolve([{ name: ascii, port: PORT, priority: 0, weight: 0, direct: false }]), `DNS knows no addresses of ${domain}`)
    const usable = services.filter(s => s.name !== '' && s.name !== '.')
    if (usable.length === 0) return { reason: `${domain} says in DNS that it has no XMPP server` }
    return this.#screened(await this.#resolve(inOrder(usable, this.#options.dice ?? Math.random).slice(0, LONGEST_LIST)), `DNS knows no addresses of ${usable[0]!.name}`) // it has a length
  }

  /** A place that a server named in its stead (RFC 6120 section 4.9.3.19): `host`, or `host:port`. */
  async at(place: string): Promise<Found> {
    const at = readPlace(place)
    if (!at) return { reason: `it sent us to ${place.slice(0, 100)}, which is no address` }
    if (isIP(at.host)) return this.#screened([{ ...at, direct: false, addresses: [at.host] }])
    return this.#screened(await this.#resolve([{ name: domainToASCII(at.host), port: at.port, priority: 0, weight: 0, direct: false }]), `DNS knows no addresses of ${at.host}`)
  }

  async #fixed(domain: string, place: string): Promise<Found> {
    const direct = place.startsWith('tls://')
    const at = readPlace(direct ? place.slice(6) : place)
    if (!at) return { reason: `s2s.targets has no address for ${domain}` }
    if (isIP(at.host)) return { targets: [{ ...at, direct, addresses: [at.host] }] }
    const targets = await this.#resolve([{ name: domainToASCII(at.host), port: at.port, priority: 0, weight: 0, direct }])
    return targets.length ? { targets } : { reason: `DNS knows no addresses of ${at.host}` }
  }

  async #services(name: string, direct: boolean): Promise<Service[] | undefined> {
    try { return (await this.#names.services(name)).map(s => ({ ...s, direct })) } catch { return undefined }
  }

  async #resolve(services: readonly Service[]): Promise<Target[]> {
    const targets = await Promise.all(services.map(async ({ name, port, direct }) => {
      const [six, four] = await Promise.all([6, 4].map(family => this.#names.addresses(name, family as 4 | 6).catch(() => []))) // the two in the list
      return { host: name, port, direct, addresses: alternating(six ?? [], four ?? []) }
    }))
    return targets.filter(t => t.addresses.length > 0)
  }

  /** Leaves out what a stranger's DNS must not make us connect to (SEC-C15). */
  #screened(targets: readonly Target[], none = 'DNS knows no address'): Found {
    if (targets.length === 0) return { reason: none }
    const fit = targets
      .filter(t => PORTS.has(t.port) || t.port >= 1024)
      .map(t => ({ ...t, addresses: t.addresses.filter(a => isPublic(a) || this.#allowed(a)) }))
      .filter(t => t.addresses.length > 0)
    return fit.length ? { targets: fit } : { reason: `DNS says ${targets[0]!.addresses[0]} port ${targets[0]!.port}, which is private: s2s.networks or s2s.targets can allow it` } // both have a length
  }
}

/** The order of RFC 2782: by priority, and within one by lot, with the weights as chances. Pure but for the dice. */
export function inOrder(services: readonly Service[], dice: () => number): Service[] {
  const ordered: Service[] = []
  const groups = Map.groupBy(services, s => s.priority)
  for (const priority of [...groups.keys()].sort((a, b) => a - b)) {
    const left = [...groups.get(priority)!].sort((a, b) => a.weight - b.weight) // the key is one of it; those without weight stand first
    while (left.length) {
      let lot = dice() * left.reduce((sum, s) => sum + s.weight, 0)
      let i = left.findIndex(s => { lot -= s.weight; return lot < 0 })
      if (i < 0) i = 0
      ordered.push(...left.splice(i, 1))
    }
  }
  return ordered
}

/** Whether an address is one of the open internet's. */
export function isPublic(address: string): boolean {
  const plain = plainAddress(address)
  const version = isIP(plain)
  return version === 4 ? !PRIVATE_4.check(plain, 'ipv4') : version === 6 && !PRIVATE_6.check(plain, 'ipv6')
}

// RFC 6890 and its successors; mapped and translated IPv4 would hide the address meant. One list would hold ::ffff:0:0/96 against all of IPv4.
const PRIVATE_4 = new BlockList()
const PRIVATE_6 = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24],
  ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 3],
] as const) PRIVATE_4.addSubnet(network, bits, 'ipv4')
for (const [network, bits] of [
  ['::', 96], ['::ffff:0:0', 96], ['64:ff9b::', 96], ['64:ff9b:1::', 48], ['100::', 64], ['2001::', 23], ['2001:db8::', 32], ['2002::', 16], ['fc00::', 7], ['fe80::', 9], ['ff00::', 8],
] as const) PRIVATE_6.addSubnet(network, bits, 'ipv6')

/** Reads `host:port`, `host`, `[v6]:port`, `[v6]`. */
export function readPlace(place: string): { host: string; port: number } | undefined {
  const m = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/@?#\\]+))(?::(\d{1,5}))?$/.exec(place.trim())
  const host = m?.[1] ?? m?.[2]
  const port = m?.[3] === undefined ? PORT : Number(m[3])
  if (host === undefined || port < 1 || port > 65_535 || (m?.[1] !== undefined && isIP(host) !== 6)) return undefined
  return isIP(host) || domainToASCII(host) !== '' ? { host, port } : undefined
}

/** RFC 8305 section 4: the families take turns. */
function alternating(six: readonly string[], four: readonly string[]): string[] {
  return Array.from({ length: Math.max(six.length, four.length) }, (_, i) => [six[i], four[i]]).flat().filter(a => a !== undefined)
}

const NONE = new Set(['ENODATA', 'ENOTFOUND'])

/** The machine's DNS servers, or these (`address:port`), asked directly: not through the thread pool, which dead ones would fill. */
export class SystemNames implements Names {
  readonly #resolver = new Resolver({ timeout: 3_000, tries: 2 })
  constructor(servers?: readonly string[]) { if (servers) this.#resolver.setServers(servers) }
  services(name: string): Promise<readonly Omit<Service, 'direct'>[]> { return orNone(this.#resolver.resolveSrv(name)) }
  addresses(name: string, family: 4 | 6): Promise<readonly string[]> { return orNone(family === 6 ? this.#resolver.resolve6(name) : this.#resolver.resolve4(name)) }
}

async function orNone<T>(asked: Promise<readonly T[]>): Promise<readonly T[]> {
  try { return await asked } catch (error) {
    if (NONE.has((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}
