// Makes a self-signed certificate (RFC 5280) with an ECDSA key on P-256: the few lines of DER that node:crypto lacks.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { isIP, isIPv4 } from 'node:net'
import { domainToASCII } from 'node:url'

/** A certificate for these domains and IP addresses, both PEM; `from` and `to` are milliseconds since 1970. */
export function makeCertificate(names: readonly string[], from: number, to: number): { certificate: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const algorithm = sequence(oid('2a8648ce3d040302')) // ecdsa-with-SHA256
  const name = distinguishedName(domainToASCII(names[0] ?? '') || 'localhost')
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))), // version 3
    der(0x02, serial()),
    algorithm,
    name,
    sequence(time(from), time(to)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(
      extension('551d13', true, sequence()), // basicConstraints: no authority
      extension('551d0f', true, der(0x03, Buffer.of(7, 0x80))), // keyUsage: digitalSignature
      extension('551d25', false, sequence(oid('2b06010505070301'), oid('2b06010505070302'))), // extKeyUsage: server and client
      extension('551d11', false, sequence(...names.map(alternativeName))),
    )),
  )
  const signature = sign('sha256', body, privateKey)
  const certificate = sequence(body, algorithm, der(0x03, Buffer.concat([Buffer.of(0), signature])))
  return {
    certificate: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

// A tag, the length in its shortest form, the content (X.690 section 10.1).
function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content
  const octets = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...octets), content])
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, Buffer.concat(parts))

const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))

const distinguishedName = (common: string): Buffer =>
  sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(common.slice(0, 64))))))

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(critical ? [der(0x01, Buffer.of(0xff))] : []), der(0x04, value))

const alternativeName = (name: string): Buffer =>
  isIP(name) ? der(0x87, addressOctets(name)) : der(0x82, Buffer.from(domainToASCII(name), 'latin1'))

// RFC 5280 section 4.1.2.2: positive, at most 20 octets; section 4.1.2.5: UTCTime until 2049, GeneralizedTime after.
function serial(): Buffer {
  const octets = randomBytes(16)
  octets[0] = (octets[0]! & 0x3f) | 0x40 // it has sixteen
  return octets
}

function time(at: number): Buffer {
  const text = new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '')
  return Number(text.slice(0, 4)) < 2050 ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text))
}

function addressOctets(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = expanded(address).split('::')
  const groups = (text: string | undefined): number[] => text ? text.split(':').map(group => parseInt(group, 16)) : []
  const [before, after] = [groups(head), groups(tail)]
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
  return Buffer.from(all.flatMap(group => [group >> 8, group & 0xff]))
}

// An IPv4 tail written with dots becomes two groups.
function expanded(address: string): string {
  return address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a: string, b: string, c: string, d: string) =>
    `${(Number(a) * 256 + Number(b)).toString(16)}:${(Number(c) * 256 + Number(d)).toString(16)}`)
}

const pem = (label: string, bytes: Buffer): string =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64').match(/.{1,64}/g)!.join('\n')}\n-----END ${label}-----\n` // never empty
