// The certificate in force: read from files, reloaded while running, or made by ourselves when there is none.
import { constants, createPrivateKey, X509Certificate } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { dirname, join } from 'node:path'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import { domainToASCII } from 'node:url'
import { makeCertificate } from './self-signed.ts'
import type { Identity } from './tcp.ts'

const DAY = 86_400_000
const LIFE = 3650 * DAY

/** What every TLS listener of ours has: TLS 1.2 and 1.3, forward secrecy (Mozilla's intermediate profile). The order is ours, but for clients that put ChaCha first: phones without AES in hardware. */
export const TLS_DEFAULTS: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  ecdhCurve: 'X25519:P-256:P-384',
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_PRIORITIZE_CHACHA | constants.SSL_OP_NO_COMPRESSION, // listeners call disableRenegotiation: OpenSSL's own option says no and stays, and it has to end (RFC 6120 section 5.3.5)
  sessionIdContext: 'deskbell', // without it resumption fails where a client certificate is asked for
}

/** PEM files of a certificate with its chain and of its key. */
export interface CertificateFiles { readonly certificate: string; readonly key: string }

/** The server's certificate; streams ask for `current()` at each handshake, so a reload reaches new streams only. */
export class ServerIdentity implements Identity {
  #current: { readonly context: SecureContext; readonly certificate: string; readonly key: string }
  private constructor(current: { context: SecureContext; certificate: string; key: string }) { this.#current = current }

  /** Reads the files; rejects if they hold no certificate and its key. */
  static async load(files: CertificateFiles): Promise<ServerIdentity> { return new ServerIdentity(await read(files)) }

  current(): { readonly context: SecureContext; readonly certificate: string; readonly key: string } { return this.#current }

  /** When the certificate ends, in milliseconds since 1970. */
  get expires(): number { return Date.parse(new X509Certificate(this.#current.certificate).validTo) }

  /** Reads the files again; rejects and keeps what it had if they are no good. */
  async reload(files: CertificateFiles): Promise<void> { this.#current = await read(files) }
}

/** Gives the self-signed certificate in `folder`, made anew if it is not there, is expired or lacks a name. `now`: milliseconds since 1970. */
export async function selfSigned(folder: string, domains: Iterable<string>, now: number): Promise<CertificateFiles & { readonly made: boolean }> {
  const files = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  const names = [...new Set([...domains, 'localhost', '127.0.0.1', '::1'])]
  if (await covers(files, names, now)) return { ...files, made: false }
  const made = makeCertificate(names, now - DAY, now + LIFE) // other clocks may be behind ours
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await replace(files.key, made.key, 0o600)
  await replace(files.certificate, made.certificate, 0o644)
  return { ...files, made: true }
}

async function read(files: CertificateFiles): Promise<{ context: SecureContext; certificate: string; key: string }> {
  const [certificate, key] = await Promise.all([readFile(files.certificate, 'utf8'), readFile(files.key, 'utf8')])
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) throw new Error(`${files.key} is not the key of ${files.certificate}`)
  return { context: createSecureContext({ ...TLS_DEFAULTS, cert: certificate, key }), certificate, key }
}

async function covers(files: CertificateFiles, names: readonly string[], now: number): Promise<boolean> {
  try {
    const { certificate } = await read(files)
    const leaf = new X509Certificate(certificate)
    if (Date.parse(leaf.validTo) <= now || Date.parse(leaf.validFrom) > now) return false
    return names.every(name => isIP(name) ? leaf.checkIP(name) : leaf.checkHost(domainToASCII(name), { subject: 'never' }))
  } catch {
    return false // not there or not whole
  }
}

async function replace(path: string, text: string, mode: number): Promise<void> {
  const beside = join(dirname(path), `.${process.pid}.${mode}.new`)
  await writeFile(beside, text, { mode })
  await chmod(beside, mode)
  await rename(beside, path)
}
