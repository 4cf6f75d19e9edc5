// HTTP to addresses that admins and outsiders name: only to public places, to the very address that was looked at, with an end (shell).
import { lookup } from 'node:dns/promises'
import type { IncomingMessage } from 'node:http'
import { request as secure } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import type { Clock } from '../../../server/api.ts'

// Not imported: that would read every export, among them a browser's fetch and WebSocket, 6 MiB that nobody here uses.
const { request: plain } = process.getBuiltinModule('node:http')

export interface Errand {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Bytes of the answer that are read; a longer one fails. 64 KiB unless told otherwise. */
  readonly most?: number
  /** ms from the look-up to the answer's end; 10 s unless told otherwise. */
  readonly within?: number
}
export type Fetched =
  | { readonly is: 'answer'; readonly status: number; readonly body: string }
  /** Never tried, and not to be tried again: the place is not allowed. */
  | { readonly is: 'refused'; readonly why: string }
  | { readonly is: 'failed'; readonly why: string }

export interface FetcherOptions {
  readonly clock: Clock
  /** Networks (CIDR) that may be reached although they are not public, with any port. */
  readonly allow?: readonly string[]
  /** Certificate authorities in PEM that are trusted instead of the well-known ones. */
  readonly ca?: string
  readonly resolve?: (host: string) => Promise<readonly string[]>
}

const MOST = 64 * 1024
const WITHIN = 10_000
const PRIVATE4 = ['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4']
const PUBLIC6 = ['2000::/3']
const PRIVATE6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

const private4 = among(PRIVATE4)
const public6 = among(PUBLIC6)
const private6 = among(PRIVATE6)

/** Does errands; follows no redirect, sends no cookie, uses no proxy. */
export class Fetcher {
  readonly #o: FetcherOptions
  readonly #allowed: (address: string) => boolean
  constructor(o: FetcherOptions) {
    this.#o = o
    this.#allowed = among(o.allow ?? [])
  }

  /** What is wrong with an address, without a look-up: for who enters it. */
  wrong(url: string): string | undefined {
    const u = URL.parse(url)
    if (!u || (u.protocol !== 'https:' && u.protocol !== 'http:')) return 'it is no http or https address'
    if (u.username !== '' || u.password !== '') return 'it must hold no name and password'
    const host = hostOf(u)
    return isIP(host) !== 0 ? this.#closed(host, portOf(u)) : undefined
  }

  async fetch(errand: Errand): Promise<Fetched> {
    const wrong = this.wrong(errand.url)
    if (wrong !== undefined) return { is: 'refused', why: wrong }
    const u = new URL(errand.url)
    const host = hostOf(u)
    const end = Promise.withResolvers<Fetched>()
    const stop = new AbortController()
    using _alarm = this.#o.clock.alarm(this.#o.clock.now() + (errand.within ?? WITHIN), () => {
      stop.abort()
      end.resolve({ is: 'failed', why: 'it took too long' })
    })
    const work = async (): Promise<Fetched> => {
      const addresses = isIP(host) !== 0 ? [host] : await (this.#o.resolve ?? everyAddress)(host)
      for (const a of addresses) {
        const closed = this.#closed(a, portOf(u))
        if (closed !== undefined) return { is: 'refused', why: closed }
      }
      const [address] = addresses
      return address === undefined ? { is: 'failed', why: 'its host has no address' } : this.#send(u, address, errand, stop.signal)
    }
    work().then(end.resolve, (e: unknown) => end.resolve({ is: 'failed', why: e instanceof Error ? e.message : String(e) }))
    return await end.promise
  }

  #closed(address: string, port: number): string | undefined {
    if (this.#allowed(address)) return undefined
    if (!isPublic(address)) return 'its address is not a public one, and not among those allowed'
    return port === 80 || port === 443 || port >= 1024 ? undefined : `port ${port} is not allowed`
  }

  #send(u: URL, address: string, errand: Errand, signal: AbortSignal): Promise<Fetched> {
    // The address that was looked at is the one that is dialled: a second look-up could give another.
    const pinned: LookupFunction = (_, options, done) => {
      const family = isIP(address)
      if (options.all) done(null, [{ address, family }])
      else done(null, address, family)
    }
    return new Promise((resolve, reject) => {
      const body = errand.body === undefined ? undefined : Buffer.from(errand.body)
      const go = u.protocol === 'https:' ? secure : plain
      const request = go(u, {
        method: errand.method, lookup: pinned, agent: false, signal, maxHeaderSize: 16 * 1024, ...(this.#o.ca === undefined ? {} : { ca: this.#o.ca }),
        headers: { 'User-Agent': 'deskbell', Accept: 'application/json', ...(body ? { 'Content-Length': body.length } : {}), ...errand.headers },
      }, answer => { read(answer, errand.most ?? MOST).then(text => resolve({ is: 'answer', status: answer.statusCode ?? 0, body: text }), reject) })
      request.on('error', reject)
      request.end(body)
    })
  }
}

async function read(answer: IncomingMessage, most: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) { // without an encoding it gives buffers
    size += chunk.length
    if (size > most) {
      answer.destroy()
      throw new Error('its answer is too long')
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

const hostOf = (u: URL): string => u.hostname.replace(/^\[|\]$/g, '')
const portOf = (u: URL): number => u.port === '' ? (u.protocol === 'https:' ? 443 : 80) : Number(u.port)
const everyAddress = async (host: string): Promise<string[]> => (await lookup(host, { all: true })).map(a => a.address)

/** Whether an address is one of the open internet. */
export function isPublic(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined || isIP(address) === 4) return !private4(mapped ?? address)
  return isIP(address) === 6 && public6(address) && !private6(address)
}

function among(networks: readonly string[]): (address: string) => boolean {
  const nets = new BlockList()
  for (const network of networks) {
    const [base = '', bits] = network.split('/')
    const version = isIP(base) === 6 ? 'ipv6' : 'ipv4'
    nets.addSubnet(base, Number(bits ?? (version === 'ipv6' ? 128 : 32)), version)
  }
  return address => isIP(address) !== 0 && nets.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}
