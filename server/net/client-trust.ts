// Which accounts a client's certificate speaks for (RFC 6120 section 13.7.1.4), and whose signatures on such certificates count.
import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { Jid } from '../stanza/jid.ts'
import { Contexts, TLS_DEFAULTS, type ServerIdentity } from './tls.ts'
import type { Identity } from './tcp.ts'
import type { PeerCertificate } from './transport.ts'

/** Our own certificate, in a context that asks clients for theirs; only what `ca` (PEM) has signed counts. */
export class ClientFacing implements Identity {
  readonly #own: ServerIdentity
  #ca: string
  readonly #contexts = new Contexts((cert, key) => this.#make(cert, key, this.#ca))
  /** Throws if `ca` holds what is no certificate. */
  constructor(own: ServerIdentity, ca: string) { this.#own = own; this.#ca = ca; this.current() }

  /** Other authorities count for handshakes from now on; throws, and keeps those it had, if they are none. */
  trust(ca: string): void {
    const { certificate, key } = this.#own.current()
    this.#make(certificate, key, ca)
    this.#ca = ca
    this.#contexts.forget()
  }

  current(domain?: string): { readonly context: SecureContext; readonly certificate: string } { return this.#contexts.of(this.#own.current(domain)) }
  get several(): boolean { return this.#own.several }

  #make(cert: string, key: string, ca: string): SecureContext {
    const secureOptions = TLS_DEFAULTS.secureOptions! | constants.SSL_OP_NO_TICKET // it has them; a resumed session would skip the look at the certificate
    return createSecureContext({ ...TLS_DEFAULTS, cert, key, ca, secureOptions })
  }
}

/** The localparts at `domain` that a valid certificate names: XmppAddr of the subjectAltName, bare, and nothing else (SEC-T25). */
export function certified({ certificate, flaw }: PeerCertificate, domain: string): string[] {
  if (flaw !== undefined) return []
  const locals = new Set<string>()
  for (const name of xmppAddresses(certificate.subjectAltName)) {
    const jid = Jid.tryParse(name)
    if (jid?.isBare && jid.local !== '' && jid.domain === domain) locals.add(jid.local)
  }
  return [...locals]
}

/** Node writes a name that could be mistaken in quotes, as JSON: what stands within them is no name of its own. */
export function xmppAddresses(subjectAltName: string | undefined): string[] {
  return (subjectAltName ?? '').match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g)?.flatMap(part => {
    const [, name] = /^\s*othername:XmppAddr:(.*)$/s.exec(part) ?? []
    if (name === undefined) return []
    if (!name.startsWith('"')) return name.includes('"') ? [] : [name]
    try { return [String(JSON.parse(name))] } catch { return [] }
  }) ?? []
}
