// Whom certificates speak for, and which chains count. The papers were made with openssl: ca → i → leaf, good for servers alone.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import { makeCertificate } from '../../../server/net/self-signed.ts'
import { listenTcp, type PeerCertificate } from '../../../server/net/tcp.ts'
import { ServerIdentity } from '../../../server/net/tls.ts'
import { PeerIdentity, speaksFor } from '../../../server/net/trust.ts'
import { defaultLimits } from '../../../server/ports/limits.ts'
import { silent } from '../../../server/ports/log.ts'
import { wallClock } from '../../../server/ports/clock.ts'
import { tempFolder } from '../../harness/folder.ts'

const paper = (name: string): string => readFileSync(join(import.meta.dirname, 'papers', name), 'utf8')

describe('a certificate', () => {
  const many = new X509Certificate(paper('many.pem'))

  for (const domain of ['a.test', 'A.TEST', 'x.wide.test', 'bücher.test', 'srv.test', 'addr.test']) {
    it(`RFC-X4 speaks for ${domain}, which its subjectAltName has`, () => assert.ok(speaksFor(many, domain)))
  }
  for (const [domain, why] of [
    ['b.test', 'the common name does not count'], ['x.test', '*.test is too wide'], ['wide.test', '*.wide.test is below it'], ['x.y.wide.test', 'a star is one label'],
    ['client.test', 'that is for clients'], ['person.test', 'that is a person'], ['forged.test', 'that is inside another name'], ['uri.test', 'that is a URI'], ['mail.test', 'that is a mailbox'], ['', 'that is nothing'],
  ] as const) it(`SEC-T25 SEC-C13 does not speak for ${domain || 'nobody'}: ${why}`, () => assert.ok(!speaksFor(many, domain)))

  it('SEC-T25 SEC-C13 without a subjectAltName speaks for nobody', () => {
    const cnOnly = new X509Certificate(paper('cnonly.pem'))
    for (const domain of ['b.test', 'a.test']) assert.ok(!speaksFor(cnOnly, domain))
  })

  /** What our listener sees of a server that shows `chain` as it dials, and what it thinks of it. */
  async function shown(chain: string, key: string, anchors: readonly string[], at = Date.now()): Promise<string | undefined> {
    const folder = tempFolder('trust')
    const own = makeCertificate(['a.test'], Date.now() - 1000, Date.now() + 100_000)
    const files = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
    writeFileSync(files.certificate, own.certificate)
    writeFileSync(files.key, own.key)
    try {
      const identity = new PeerIdentity(await ServerIdentity.load(files), anchors)
      const { promise, resolve } = Promise.withResolvers<PeerCertificate | undefined>()
      await using listening = await listenTcp({
        port: 0, address: '127.0.0.1', tls: 'direct', identity, mutual: true, limits: defaultLimits, rate: defaultLimits.readRate.s2s, clock: wallClock, log: silent,
        serve: t => { t.onData = () => resolve(t.peer) },
      })
      const socket = tls.connect({ socket: net.connect(listening.port, '127.0.0.1'), rejectUnauthorized: false, cert: chain, key })
      socket.on('error', () => resolve(undefined))
      socket.write('x')
      const peer = await promise
      socket.destroy()
      return identity.doubt(peer, 'b.test', at)
    } finally { rmSync(folder, { recursive: true }) }
  }

  const key = paper('leaf.key'), leaf = paper('leaf.pem') + paper('i.pem')
  it('RFC-X4 that is good for servers alone proves a server that dials, as authorities make no others any more', async () => {
    assert.equal(await shown(leaf, key, [paper('ca.pem')]), undefined)
  })
  it('SEC-C13 but not where its chain ends in no authority of ours, or is not whole', async () => {
    assert.match(await shown(leaf, key, [paper('many.pem')]) ?? '', /not valid/)
    assert.match(await shown(paper('leaf.pem'), key, [paper('ca.pem')]) ?? '', /not valid/)
  })
  it('SEC-C13 nor where what signed it is no authority', async () => {
    assert.match(await shown(paper('below.pem') + leaf, key, [paper('ca.pem')]) ?? '', /not valid/)
  })
  it('SEC-C13 nor after its time', async () => {
    assert.match(await shown(leaf, key, [paper('ca.pem')], Date.now() + 200 * 365 * 86_400_000) ?? '', /not valid/)
  })
})
