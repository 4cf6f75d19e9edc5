// Faults that no schema can see: addresses that are none, things named that are not there, what is not built yet.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { BlockList, isIP } from 'node:net'
import { resolve } from 'node:path'
import { domainToASCII } from 'node:url'
import { fault, nearest, type Fault } from './faults.ts'

type Tree = Readonly<Record<string, unknown>>

/** Looks at what the file says, whatever its shape; `base` is the folder its paths are relative to. */
export function meaningFaults(value: unknown, base: string): Fault[] {
  const file = map(value)
  return [
    ...notBuilt(file),
    ...certificate(map(file['tls']), base),
    ...list(map(file['tls'])['more']).flatMap((more, i) => [...certificate(map(more), base, ['tls', 'more', String(i)])]),
    ...listeners(map(file['listen'])),
    ...federation(file, base),
    ...domains(map(file['hosts']), map(file['components'])),
    ...components(map(file['components'])),
    ...invitations(map(file['hosts'])),
    ...guests(map(file['hosts'])),
    ...authorities(map(file['hosts']), base),
  ]
}

function* notBuilt(file: Tree): Iterable<Fault> {
  const { store, bus } = file
  if (typeof store === 'string' && store.startsWith('mongodb')) yield fault(['store'], 'MongoDB is not built yet', 'use store: sqlite')
  if (typeof bus === 'string' && /^(nats|tls):/.test(bus)) yield fault(['bus'], 'NATS is not built yet', 'use bus: local')
}

function* certificate(tls: Tree, base: string, at: readonly string[] = ['tls']): Iterable<Fault> {
  const read = (key: string): Buffer | Fault | undefined => {
    const path = tls[key]
    if (typeof path !== 'string') return undefined
    try {
      return readFileSync(resolve(base, path))
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not there' : `cannot be read (${(error as NodeJS.ErrnoException).code})`
      return fault([...at, key], `${resolve(base, path)} ${why}`, 'give a PEM file that deskbell may read, or leave out tls for a self-signed certificate')
    }
  }
  const [pem, secret, authority] = [read('certificate'), read('key'), read('client-ca')]
  if (Buffer.isBuffer(authority) && !attempt(() => new X509Certificate(authority))) yield fault(['tls', 'client-ca'], 'holds no certificate', 'give a PEM file that begins with -----BEGIN CERTIFICATE-----')
  for (const found of [pem, secret, authority]) if (found && !Buffer.isBuffer(found)) yield found
  if (!Buffer.isBuffer(pem) || !Buffer.isBuffer(secret)) return
  const leaf = attempt(() => new X509Certificate(pem))
  const key = attempt(() => createPrivateKey(secret))
  if (!leaf) yield fault([...at, 'certificate'], 'holds no certificate', 'give a PEM file that begins with -----BEGIN CERTIFICATE-----')
  if (!key) yield fault([...at, 'key'], 'holds no private key without a passphrase', 'give a PEM file that begins with -----BEGIN PRIVATE KEY-----')
  if (leaf && key && !leaf.checkPrivateKey(key)) yield fault([...at, 'key'], 'is not the key of the certificate', 'give the key that the certificate was made for')
}

function* listeners(listen: Tree): Iterable<Fault> {
  const taken: { name: string; port: number; address: string }[] = []
  for (const [name, options] of Object.entries(listen)) {
    const { port, address } = map(options)
    if (typeof address === 'string' && !isIP(address)) {
      yield fault(['listen', name, 'address'], `${JSON.stringify(address)} is no IP address`, 'give one such as 127.0.0.1 or ::')
    }
    for (const key of ['proxies', 'metrics']) {
      for (const network of list(map(options)[key])) {
        if (typeof network === 'string' && !isNetwork(network)) {
          yield fault(['listen', name, key], `${JSON.stringify(network)} is no network`, 'give one such as 10.0.0.0/8 or 192.0.2.7')
        }
      }
    }
    if (typeof port !== 'number' || port === 0) continue
    const here = { name, port, address: typeof address === 'string' ? address : '::' }
    const other = taken.find(there => there.port === port && (there.address === here.address || anywhere(there.address) || anywhere(here.address)))
    if (other) yield fault(['listen', name, 'port'], `${port} is taken by listen.${other.name} already`, 'give another port')
    taken.push(here)
  }
}

function* federation(file: Tree, base: string): Iterable<Fault> {
  if (file['s2s'] === undefined) return
  const { ca, networks, block, allow } = map(file['s2s'])
  const listen = map(file['listen'])
  if (listen['s2s'] === undefined && listen['s2s-tls'] === undefined) yield fault(['s2s'], 'counts for nothing while listen has no s2s', 'add listen: { s2s: { port: 5269 } }, or leave it out')
  for (const network of list(networks)) {
    if (typeof network === 'string' && !isNetwork(network)) yield fault(['s2s', 'networks'], `${JSON.stringify(network)} is no network`, 'give one such as 10.0.0.0/8 or 192.0.2.7')
  }
  const both = list(block).find(domain => list(allow).includes(domain))
  if (typeof both === 'string') yield fault(['s2s', 'block'], `${both} is in allow as well`, 'take it out of one of them')
  if (typeof ca !== 'string') return
  const path = resolve(base, ca)
  const pem = attempt(() => readFileSync(path, 'utf8'))
  if (pem === undefined) yield fault(['s2s', 'ca'], `${path} cannot be read`, 'give a PEM file that deskbell may read')
  else if (!attempt(() => new X509Certificate(pem))) yield fault(['s2s', 'ca'], 'holds no certificate', 'give a PEM file that begins with -----BEGIN CERTIFICATE-----')
}

const anywhere = (address: string): boolean => address === '::' || address === '0.0.0.0'

function* domains(hosts: Tree, parts: Tree): Iterable<Fault> {
  for (const [key, names] of [['hosts', hosts], ['components', parts]] as const) {
    for (const name of Object.keys(names)) {
      const wrong = domainFault(name)
      if (wrong) yield fault([key, name], ...wrong)
      if (key === 'components' && name in hosts) yield fault([key, name], 'is one of the hosts already', 'give the component a domain of its own, such as ' + `x.${name}`)
    }
  }
}

function* components(parts: Tree): Iterable<Fault> {
  for (const [domain, kinds] of Object.entries(parts)) {
    const { helpdesk, webchat, upload } = map(kinds)
    for (const [queue, options] of Object.entries(map(map(helpdesk)['queues']))) {
      const path = ['components', domain, 'helpdesk', 'queues', queue]
      if (queue !== queue.toLowerCase()) yield fault(path, 'is written with capitals', `write ${queue.toLowerCase()}; \`name\` gives the shown name`)
      if (/^(desk|c\d+)$/i.test(queue)) yield fault(path, 'is an address of the desk itself', 'give the queue another name')
      for (const agent of list(map(options)['agents'])) {
        if (typeof agent === 'string' && !isBareJid(agent)) {
          yield fault([...path, 'agents'], `${JSON.stringify(agent)} is no bare JID`, 'give one such as anna@example.org')
        }
      }
    }
    if (webchat !== undefined) yield* bridge(domain, map(webchat), parts)
    if (upload !== undefined) yield* files(domain, map(upload), parts)
  }
}

function* invitations(hosts: Tree): Iterable<Fault> {
  for (const [domain, options] of Object.entries(hosts)) {
    const { url } = map(map(map(options)['plugins'])['invites'])
    const wrong = typeof url === 'string' ? originFault(url) : undefined
    if (wrong) yield fault(['hosts', domain, 'plugins', 'invites', 'url'], ...wrong)
  }
}

// Guests and people with accounts do not share a host: nobody shall wonder which of both he has before him.
function* guests(hosts: Tree): Iterable<Fault> {
  for (const [i, [domain, options]] of Object.entries(hosts).entries()) {
    const { anonymous, registration } = map(options)
    if (anonymous !== true) continue
    if (i === 0) yield fault(['hosts', domain, 'anonymous'], 'the first host has accounts, admin@ among them', 'give guests a host of their own, below the first, such as ' + `guests.${domain}`)
    else if (registration) yield fault(['hosts', domain, 'registration'], 'nobody makes an account on a host for guests', 'leave it out')
  }
}

// Who says that people are who they claim to be, where that is not the store.
function* authorities(hosts: Tree, base: string): Iterable<Fault> {
  for (const [domain, options] of Object.entries(hosts)) {
    const { registration, anonymous, plugins } = map(options)
    const { ldap, jwt, invites } = map(plugins)
    const at = (...key: readonly string[]): string[] => ['hosts', domain, ...key]
    if (anonymous === true && (isMap(ldap) || isMap(jwt))) yield fault(at('plugins', isMap(ldap) ? 'ldap' : 'jwt'), 'nobody has to prove anything on a host for guests', 'leave it out')
    if (isMap(ldap) && registration) yield fault(at('registration'), 'the directory keeps the passwords, so nobody can choose one here', 'leave it out')
    if (isMap(ldap) && ['admins', 'everyone'].includes(String(map(invites)['register']))) yield fault(at('plugins', 'invites', 'register'), 'the directory keeps the passwords, so nobody can choose one here', 'leave it out')
    if (isMap(ldap)) yield* directory(map(ldap), at('plugins', 'ldap'), base)
    if (isMap(jwt)) yield* issuer(map(jwt), at('plugins', 'jwt'))
  }
}

function* directory(options: Tree, path: readonly string[], base: string): Iterable<Fault> {
  const { url, ca, roles, filter } = options
  if ((options['base'] === undefined) === (options['user-dn'] === undefined)) yield fault([...path, 'base'], 'either it or user-dn is needed', 'say below which entry users are, or where a user\'s entry is')
  if (options['bind-dn'] !== undefined && options['bind-password'] === undefined) yield fault([...path, 'bind-password'], 'is missing', 'give the password to bind-dn: without one the directory would take us for nobody')
  if (options['start-tls'] === false && typeof url === 'string' && url.startsWith('ldap:') && !isHere(url)) yield fault([...path, 'start-tls'], 'passwords would go over the network in the clear', 'leave it out, or use ldaps://')
  for (const [key, text] of [['filter', filter], ...Object.entries(map(roles)).map(([role, text]) => [`roles.${role}`, text] as const)] as const) {
    if (typeof text === 'string' && !isBalanced(text)) yield fault([...path, key], 'its brackets do not fit together', 'give a filter such as (&(objectClass=person)(uid=%u))')
  }
  if (typeof ca !== 'string') return
  const pem = attempt(() => readFileSync(resolve(base, ca), 'utf8'))
  if (pem === undefined) yield fault([...path, 'ca'], `${resolve(base, ca)} cannot be read`, 'give a PEM file that deskbell may read')
  else if (!attempt(() => new X509Certificate(pem))) yield fault([...path, 'ca'], 'holds no certificate', 'give a PEM file that begins with -----BEGIN CERTIFICATE-----')
}

function* issuer({ issuer: address, keys, secret, algorithms }: Tree, path: readonly string[]): Iterable<Fault> {
  if (keys !== undefined && secret !== undefined) yield fault([...path, 'secret'], 'there are keys as well', 'leave one of them out')
  const asked = typeof keys === 'string' ? ['keys', keys] as const : secret === undefined && typeof address === 'string' ? ['issuer', address] as const : undefined
  if (asked && !asked[1].startsWith('https://') && !isHere(asked[1])) yield fault([...path, asked[0]], `${JSON.stringify(asked[1])} could be answered by anybody on the way`, 'give one that begins with https://')
  const shared = list(algorithms).filter(a => String(a).startsWith('HS'))
  if (algorithms !== undefined && (secret === undefined ? shared.length > 0 : shared.length < list(algorithms).length)) yield fault([...path, 'algorithms'], secret === undefined ? 'HS256 and its kin need a secret' : 'with a secret there are HS256, HS384 and HS512 alone', 'take them out: nobody shall sign with a key that everybody may read')
}

/** On this machine. */
const isHere = (url: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(attempt(() => new URL(url).hostname) ?? '')

function isBalanced(filter: string): boolean {
  let depth = 0
  for (const [i, c] of [...filter].entries()) {
    if (c === '(') depth++
    if (c === ')' && (--depth < 0 || (depth === 0 && i < filter.length - 1))) return false
  }
  return depth === 0
}

function* files(domain: string, { url }: Tree, parts: Tree): Iterable<Fault> {
  const path = ['components', domain, 'upload']
  const wrong = typeof url === 'string' ? originFault(url) : undefined
  if (wrong) yield fault([...path, 'url'], ...wrong)
  const first = Object.keys(parts).find(name => 'upload' in map(parts[name]))
  if (first !== domain) yield fault(path, `there is one already, ${first}`, 'leave one out')
}

function* bridge(domain: string, { desk, queue, origins }: Tree, parts: Tree): Iterable<Fault> {
  const path = ['components', domain, 'webchat']
  for (const origin of list(origins)) {
    const wrong = typeof origin === 'string' ? originFault(origin) : undefined
    if (wrong) yield fault([...path, 'origins'], ...wrong)
  }
  if (typeof desk !== 'string') return
  const desks = Object.keys(parts).filter(name => 'helpdesk' in map(parts[name]))
  if (!desks.includes(desk)) {
    const meant = nearest(desk, desks) ?? desks[0]
    yield fault([...path, 'desk'], `no helpdesk has the domain ${desk}`, meant ? `did you mean ${meant}?` : 'add a component of the kind helpdesk')
    return
  }
  const queues = Object.keys(map(map(map(parts[desk])['helpdesk'])['queues']))
  if (typeof queue !== 'string' || queues.includes(queue)) return
  const meant = nearest(queue, queues)
  yield fault([...path, 'queue'], `${desk} has no queue ${queue}`, meant ? `did you mean ${meant}?` : queues.length ? `it has ${queues.join(', ')}` : 'add it there')
}

// RFC 7622 section 3.2: an IP address, or labels of letters, digits and hyphens, of any script.
function domainFault(name: string): readonly [string, string] | undefined {
  if (isIP(name)) return undefined
  if (name !== name.toLowerCase()) return ['is written with capitals', `write ${name.toLowerCase()}`]
  const ascii = domainToASCII(name)
  const labels = ascii.split('.')
  const fits = ascii.length <= 253 && !isIP(ascii) && labels.every(label => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label))
  return ascii && fits ? undefined : ['is no domain', 'give one such as chat.example.org']
}

function isBareJid(text: string): boolean {
  const [local = '', domain = '', more] = text.split('@')
  return more === undefined && /^[^\s"&'/:<>]+$/.test(local) && domainFault(domain.toLowerCase()) === undefined && !domain.includes('/')
}

function isNetwork(text: string): boolean {
  const [address = '', bits, more] = text.split('/')
  const version = isIP(address)
  if (!version || more !== undefined) return false
  return attempt(() => {
    if (bits === undefined || /^\d{1,3}$/.test(bits)) new BlockList().addSubnet(address, Number(bits ?? 32), version === 6 ? 'ipv6' : 'ipv4')
    else throw new RangeError(bits)
    return true
  }) ?? false
}

function originFault(text: string): readonly [string, string] | undefined {
  const url = attempt(() => new URL(text))
  if (!url || !/^https?:$/.test(url.protocol)) return [`${JSON.stringify(text)} is no origin`, 'give one such as https://shop.example.org']
  return url.origin === text ? undefined : [`${JSON.stringify(text)} is not as a browser says it`, `write ${url.origin}`]
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

const isMap = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
const map = (value: unknown): Tree => typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Tree : {}
const list = (value: unknown): readonly unknown[] => Array.isArray(value) ? value : []
