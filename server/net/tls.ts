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

interface Loaded { readonly context: SecureContext; readonly certificate: string; readonly key: string; readonly leaf: X509Certificate }

/** The server's certificates, the first for whoever asks for none of them; streams ask for `current()` at each handshake, so a reload reaches new streams only. */
export class ServerIdentity implements Identity {
  #all: readonly [Loaded, ...Loaded[]]
  private constructor(all: readonly [Loaded, ...Loaded[]]) { this.#all = all }

  /** Reads the files; rejects if they hold no certificate and its key. */
  static async load(files: CertificateFiles, ...more: readonly CertificateFiles[]): Promise<ServerIdentity> { return new ServerIdentity(await readAll(files, more)) }

  current(domain?: string): { readonly context: SecureContext; readonly certificate: string; readonly key: string } {
    const [first] = this.#all
    if (domain === undefined || !this.several) return first
    const name = domainToASCII(domain)
    return this.#all.find(({ leaf }) => leaf.checkHost(name, { subject: 'never' })) ?? first
  }

  get several(): boolean { return this.#all.length > 1 }

  /** When the first of them ends that does, in milliseconds since 1970. */
  get expires(): number { return Math.min(...this.#all.map(({ leaf }) => Date.parse(leaf.validTo))) }

  /** Reads the files again; rejects and keeps what it had if they are no good. */
  async reload(files: CertificateFiles, ...more: readonly CertificateFiles[]): Promise<void> { this.#all = await readAll(files, more) }
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

const readAll = async (files: CertificateFiles, more: readonly CertificateFiles[]): Promise<readonly [Loaded, ...Loaded[]]> => [await read(files), ...await Promise.all(more.map(read))]

async function read(files: CertificateFiles): Promise<Loaded> {
  const [certificate, key] = await Promise.all([readFile(files.certificate, 'utf8'), readFile(files.key, 'utf8')])
  const leaf = new X509Certificate(certificate)
  if (!leaf.checkPrivateKey(createPrivateKey(key))) throw new Error(`${files.key} is not the key of ${files.certificate}`)
  return { context: createSecureContext({ ...TLS_DEFAULTS, cert: certificate, key }), certificate, key, leaf }
}

async function covers(files: CertificateFiles, names: readonly string[], now: number): Promise<boolean> {
  try {
    const { leaf } = await read(files)
    if (Date.parse(leaf.validTo) <= now || Date.parse(leaf.validFrom) > now) return false
    return names.every(name => isIP(name) ? leaf.checkIP(name) : leaf.checkHost(domainToASCII(name), { subject: 'never' }))
  } catch {
    return false // not there or not whole
  }
}

/** What is made of each of our certificates, until that is another one. */
export class Contexts {
  readonly #make: (certificate: string, key: string) => SecureContext
  readonly #made = new Map<string, SecureContext>()
  constructor(make: (certificate: string, key: string) => SecureContext) { this.#make = make }

  of({ certificate, key }: { readonly certificate: string; readonly key: string }): { readonly context: SecureContext; readonly certificate: string } {
    let context = this.#made.get(certificate)
    if (!context) {
      if (this.#made.size >= MOST) this.#made.clear() // those before a reload
      this.#made.set(certificate, context = this.#make(certificate, key))
    }
    return { context, certificate }
  }

  /** Everything is made anew. */
  forget(): void { this.#made.clear() }
}
const MOST = 64 // certificates

async function replace(path: string, text: string, mode: number): Promise<void> {
  const beside = join(dirname(path), `.${process.pid}.${mode}.new`)
  await writeFile(beside, text, { mode })
  await chmod(beside, mode)
  await rename(beside, path)
}
