// A connection to a directory (LDAP: RFC 4511, TLS by RFC 4513 section 3): opened once, never again behind one's back, each answer in time.
import { once } from 'node:events'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Client, Entry } from 'ldapts'
import type { Clock } from '../ports/clock.ts'

type Library = typeof import('ldapts') // read with the first connection: most servers have no directory

const STARTTLS = '1.3.6.1.4.1.1466.20037'

export interface DirectoryAddress {
  /** ldap://HOST[:PORT] or ldaps://HOST[:PORT]. */
  readonly url: string
  /** ldap: alone: goes over to TLS before anything else is said. */
  readonly startTls: boolean
  /** PEM: whose signature on the directory's certificate counts; absent: those that the system trusts. */
  readonly ca?: string
  /** Milliseconds for the connection with its TLS, and for each answer. */
  readonly patience: number
}

/** The connection was lost, or an answer came too late: it is over. */
export class DirectoryLost extends Error {}

/** Says no to a bind: the name is unknown, the password wrong, the account locked. */
const refuses = (error: unknown, l: Library): boolean =>
  [l.InvalidCredentialsError, l.NoSuchObjectError, l.InappropriateAuthError, l.UnwillingToPerformError, l.ConstraintViolationError, l.InvalidDNSyntaxError].some(kind => error instanceof kind)

export class Directory {
  readonly #library: Library
  readonly #client: Client
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #patience: number
  private constructor(library: Library, client: Client, socket: Socket, clock: Clock, patience: number) { this.#library = library; this.#client = client; this.#socket = socket; this.#clock = clock; this.#patience = patience }

  /** Rejects with `DirectoryLost` where it cannot be reached in time, or is not who it should be. */
  static async open(at: DirectoryAddress, clock: Clock): Promise<Directory> {
    const library = await import('ldapts')
    const { hostname, port, protocol } = new URL(at.url)
    const host = hostname.replace(/^\[|\]$/g, '')
    const trust = { host, ...(isIP(host) ? {} : { servername: host }), ...(at.ca !== undefined && { ca: at.ca }) }
    const open: Socket[] = []
    const late = clock.alarm(clock.now() + at.patience, () => { for (const s of open) s.destroy(new DirectoryLost('the directory does not answer')) })
    const grown = async (socket: Socket, event: string): Promise<Socket> => { open.push(socket); await once(socket, event); return socket.on('error', () => {}) } // its close is looked at
    try {
      // Never written to before its certificate is looked at.
      let socket = protocol === 'ldaps:' ? await grown(connectTls({ port: Number(port || 636), ...trust }), 'secureConnect') : await grown(connectTcp(Number(port || 389), host), 'connect')
      if (protocol !== 'ldaps:' && at.startTls) {
        const plain = socket
        await clientOver(library, plain, 'ldap').exop(STARTTLS)
        plain.removeAllListeners().on('error', () => {}) // what came in the clear is forgotten with the client that read it
        socket = await grown(connectTls({ socket: plain, ...trust }), 'secureConnect')
      }
      socket.unref()
      return new Directory(library, clientOver(library, socket, protocol === 'ldaps:' || at.startTls ? 'ldaps' : 'ldap'), socket, clock, at.patience)
    } catch (error) {
      for (const s of open) s.destroy()
      throw lost(error)
    } finally { late[Symbol.dispose]() }
  }

  get alive(): boolean { return !this.#socket.destroyed && this.#socket.writable }

  /** False: refused. RFC 4513 section 5.1.2: without a password it would be anonymous, and succeed. */
  async bind(dn: string, password: string): Promise<boolean> {
    if (dn === '' || password === '') return false
    try {
      await this.#within(this.#client.bind(dn, password))
      return true
    } catch (error) {
      if (refuses(error, this.#library)) return false
      throw error
    }
  }

  /** Is nobody from now on. */
  async unbind(): Promise<void> { await this.#within(this.#client.bind('', '')) }

  /** The entries that fit, two at most, with the attributes that are named; none where `base` is not there. */
  async search(base: string, scope: 'base' | 'sub', filter: string, attributes: readonly string[] = ['1.1']): Promise<readonly Entry[]> {
    try {
      return (await this.#within(this.#client.search(base, { scope, filter, attributes: [...attributes], sizeLimit: 2 }))).searchEntries
    } catch (error) {
      if (error instanceof this.#library.NoSuchObjectError) return []
      throw error
    }
  }

  close(): void { this.#socket.destroy() }

  /** An answer, or `DirectoryLost`; what the directory itself says is wrong rejects as it is. */
  async #within<T>(work: Promise<T>): Promise<T> {
    const late = this.#clock.alarm(this.#clock.now() + this.#patience, () => this.close())
    try { return await work } catch (error) { throw this.alive ? error : lost(error) } finally { late[Symbol.dispose]() }
  }
}

const lost = (error: unknown): DirectoryLost => error instanceof DirectoryLost ? error : new DirectoryLost(error instanceof Error ? error.message : String(error), { cause: error })

/** A client that has this one connection: where it is lost the library would make another, without TLS and without a word. */
function clientOver(library: Library, socket: Socket, scheme: 'ldap' | 'ldaps'): Client {
  let given = false
  const give = (): never => { // the library asks for net.connect or tls.connect; what it gets is connected already
    if (given) throw new DirectoryLost('the connection was lost')
    given = true
    return socket as never
  }
  return new library.Client({ url: `${scheme}://directory`, createConnection: give, createSecureConnection: give })
}

/** A value as it stands in a filter (RFC 4515 section 3). */
export const inFilter = (value: string): string => value.replace(/[\\*()\0]/g, c => `\\${c.charCodeAt(0).toString(16).padStart(2, '0')}`)

/** A value as it stands in a name (RFC 4514 section 2.4): everything but letters, digits and a few more, as octets. */
export const inName = (value: string): string =>
  Array.from(value, c => /^[\p{L}\p{N}._@-]$/u.test(c) ? c : Array.from(Buffer.from(c), octet => `\\${octet.toString(16).padStart(2, '0')}`).join('')).join('')
