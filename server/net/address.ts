// IP addresses of peers: one way to write each, and whether one lies in a network.
import { BlockList, isIP } from 'node:net'

/** An IPv4 address that came in IPv6's clothes is IPv4. */
export function plainAddress(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address
}

/** A test for addresses in any of these networks: an address, or CIDR. */
export function inNetworks(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const network of networks) {
    const [base = '', bits] = network.split('/')
    const version = isIP(base) === 6 ? 'ipv6' : 'ipv4'
    list.addSubnet(base, Number(bits ?? (version === 'ipv6' ? 128 : 32)), version)
  }
  return address => {
    const plain = plainAddress(address)
    const version = isIP(plain)
    return version !== 0 && list.check(plain, version === 6 ? 'ipv6' : 'ipv4')
  }
}

export const isLoopback = inNetworks(['127.0.0.0/8', '::1'])

/** What stands for one customer of a network provider: an IPv4 address, or the /64 that an IPv6 address lies in. */
export function neighbourhood(address: string): string {
  if (isIP(address) !== 6) return address
  const [left = '', right] = (address.split('%')[0] ?? '').split('::')
  const groups = left.split(':').filter(Boolean)
  const last = right?.split(':').filter(Boolean) ?? []
  if (right !== undefined) while (groups.length < 8 - last.length) groups.push('0')
  return `${[...groups, ...last].slice(0, 4).map(g => g.replace(/^0+(?=.)/, '').toLowerCase()).join(':')}::/64`
}
