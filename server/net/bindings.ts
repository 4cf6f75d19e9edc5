// What a login can be bound to on a TLS connection of ours (RFC 5929, RFC 9266): its data is made when somebody asks for it.
import { createHash, X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { Bindings } from './transport.ts'

const EXPORTER = 'EXPORTER-Channel-Binding' // RFC 9266 section 4.1
const OCTETS = 32

/** The bindings of a connection whose handshake is done and in which we showed `certificate` (PEM, the leaf first). */
export function channelBindings(secure: TLSSocket, certificate: string | Buffer): Bindings {
  const made: Record<string, () => Uint8Array | undefined> = {
    ...(secure.getProtocol() === 'TLSv1.3' && { 'tls-exporter': () => secure.exportKeyingMaterial(OCTETS, EXPORTER, Buffer.alloc(0)) }),
    ...(endPoint(certificate) && { 'tls-server-end-point': () => endPoint(certificate) }),
    // COMPAT: slixmpp binds to the client's Finished in TLS 1.3 too, where RFC 5929 does not define it: taken, never advertised
    'tls-unique': () => secure.getPeerFinished(),
  }
  return { keys: () => Object.keys(made), get: type => Object.hasOwn(made, type) ? made[type]!() : undefined }
}

const LATELY = 8 // certificates: ours, those of other listeners, and those before a reload
const endPoints = new Map<string | Buffer, Uint8Array | undefined>()

/** RFC 5929 section 4.1: the certificate's hash by the hash of its signature, SHA-256 for weaker ones; undefined where that is not one hash. */
export function endPoint(certificate: string | Buffer): Uint8Array | undefined {
  if (!endPoints.has(certificate)) {
    if (endPoints.size >= LATELY) endPoints.clear()
    const { raw, signatureAlgorithm = '' } = new X509Certificate(certificate)
    const [, name] = /(MD5|SHA-?1|SHA-?224|SHA-?256|SHA-?384|SHA-?512)(?!\d)/i.exec(signatureAlgorithm) ?? []
    const hash = name?.toLowerCase().replace('-', '')
    endPoints.set(certificate, hash === undefined ? undefined : createHash(hash === 'md5' || hash === 'sha1' ? 'sha256' : hash).update(raw).digest())
  }
  return endPoints.get(certificate)
}
