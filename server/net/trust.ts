// Whom a certificate speaks for (RFC 6120 section 13.7, RFC 9525, XEP-0178), and the certificates that servers' chains end in.
import { constants, X509Certificate } from 'node:crypto'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { domainToASCII } from 'node:url'
import { Contexts, TLS_DEFAULTS, type ServerIdentity } from './tls.ts'
import type { Identity, PeerCertificate } from './tcp.ts'

/** Our own certificate, in a context that knows whose signatures on servers' certificates count. */
export class PeerIdentity implements Identity {
  readonly #own: ServerIdentity
  readonly #extra: readonly string[]
  readonly #contexts = new Contexts((cert, key) => this.#make(cert, key, 0))
  readonly #dialling = new Contexts((cert, key) => this.#make(cert, key, constants.SSL_OP_NO_RENEGOTIATION))
  #anchors: Map<string, X509Certificate[]> | undefined
  /** `extra`: PEM certificates that are trusted besides the well-known authorities. */
  constructor(own: ServerIdentity, extra: readonly string[]) { this.#own = own; this.#extra = extra }

  current(domain?: string): { readonly context: SecureContext; readonly certificate: string } { return this.#contexts.of(this.#own.current(domain)) }
  /** The same for connections of ours: nobody hears of a renegotiation there, so OpenSSL refuses it. */
  dialling(domain?: string): { readonly context: SecureContext; readonly certificate: string } { return this.#dialling.of(this.#own.current(domain)) }
  get several(): boolean { return this.#own.several }

  #make(cert: string, key: string, more: number): SecureContext {
    return createSecureContext({
      ...TLS_DEFAULTS, cert, key,
      secureOptions: TLS_DEFAULTS.secureOptions! | constants.SSL_OP_NO_TICKET | more, // it has them; a resumed session would skip the look at the certificate
      ...(this.#extra.length ? { ca: [...getCACertificates('default'), ...this.#extra] } : {}),
    })
  }

  /** Why this certificate does not prove that the peer is `domain`, in words for an admin; undefined: it does. `now`: ms since 1970. */
  doubt(peer: PeerCertificate | undefined, domain: string, now: number): string | undefined {
    if (!peer) return 'it showed no certificate'
    const { certificate, flaw } = peer
    if (flaw !== undefined && !(flaw === PURPOSE && this.#chains(certificate, now))) return `its certificate is not valid: ${WORDS[flaw] ?? flaw.toLowerCase().replaceAll('_', ' ')}`
    return speaksFor(certificate, domain) ? undefined : `its certificate is for ${shown(certificate)}, not for ${domain}`
  }

  // Authorities have stopped to issue certificates that are good for TLS clients as well, and OpenSSL tells a dialling
  // server's certificate no other way: that one flaw is looked past, and as it may hide others, the chain is walked again.
  #chains(leaf: X509Certificate, now: number): boolean {
    if (!leaf.keyUsage?.includes(SERVER_AUTH)) return false
    let at = leaf
    for (let depth = 0; depth < DEEPEST; depth++) {
      if (now < Date.parse(at.validFrom) || now > Date.parse(at.validTo) || at.raw.includes(NAME_CONSTRAINTS)) return false
      if (this.#trusted().get(at.issuer)?.some(anchor => signed(at, anchor) && now <= Date.parse(anchor.validTo))) return true
      const above = at.issuerCertificate
      if (!above?.ca || !signed(at, above)) return false
      at = above
    }
    return false
  }

  #trusted(): Map<string, X509Certificate[]> {
    return (this.#anchors ??= Map.groupBy([...getCACertificates('default'), ...this.#extra].map(pem => new X509Certificate(pem)), c => c.subject))
  }
}

const PURPOSE = 'INVALID_PURPOSE'
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const NAME_CONSTRAINTS = Buffer.from('0603551d1e', 'hex') // they are not checked here, so none may be there
const DEEPEST = 4

const signed = (by: X509Certificate, issuer: X509Certificate): boolean => by.checkIssued(issuer) && by.verify(issuer.publicKey)

/** Whether it names the domain: DNS-ID, SRV-ID or XmppAddr of the subjectAltName, never the common name (SEC-T25). */
export function speaksFor(certificate: X509Certificate, domain: string): boolean {
  const ascii = domainToASCII(domain).toLowerCase()
  if (ascii === '') return false
  if (certificate.checkHost(ascii, { subject: 'never', partialWildcards: false })) return true
  return others(certificate).some(([kind, name]) => kind === 'SRVName'
    ? name.toLowerCase() === `_xmpp-server.${ascii}` || name.toLowerCase() === `_xmpps-server.${ascii}`
    : name.toLowerCase() === domain.toLowerCase() || name.toLowerCase() === ascii) // never domainToASCII of a stranger's text: it takes the host out of a path
}

/** Node writes a name that could be mistaken in quotes, as JSON: commas within them part nothing, and a name of ours never needs them. */
function others(certificate: X509Certificate): [kind: string, name: string][] {
  const parts = (certificate.subjectAltName ?? '').match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g) ?? []
  return parts.flatMap(part => {
    const m = /^\s*othername:(SRVName|XmppAddr):([^"\s]+)$/.exec(part)
    return m ? [[m[1]!, m[2]!] as [string, string]] : [] // both groups must be there
  })
}

const shown = (certificate: X509Certificate): string => (certificate.subjectAltName ?? 'nobody').replace(/(?:DNS|IP Address|othername):/g, '').slice(0, 200)

const WORDS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'its authority is not known',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not known',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not known',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
}
