// The certificate we make ourselves, and how one is exchanged while running.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { HttpRouter, listenHttp } from '../../../server/net/http.ts'
import { selfSigned, ServerIdentity } from '../../../server/net/tls.ts'
import { wallClock } from '../../../server/ports/clock.ts'
import { defaultLimits } from '../../../server/ports/limits.ts'
import { silent } from '../../../server/ports/log.ts'
import { tempFolder } from '../../harness/folder.ts'

const DAY = 86_400_000

describe('net/tls', () => {
  let folder: string
  const now = Date.now()
  beforeEach(() => { folder = tempFolder('tls') })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('makes a certificate for every domain and for this machine, and keeps its key to itself', async () => {
    const files = await selfSigned(join(folder, 'tls'), ['localhost', 'help.localhost', 'büro.example', '192.0.2.7', '2001:db8::1'], now)
    assert.ok(files.made)
    const leaf = new X509Certificate(readFileSync(files.certificate))
    for (const name of ['localhost', 'help.localhost', 'xn--bro-hoa.example']) assert.ok(leaf.checkHost(name, { subject: 'never' }), name)
    for (const address of ['127.0.0.1', '::1', '192.0.2.7', '2001:db8::1']) assert.ok(leaf.checkIP(address), address)
    assert.ok(leaf.verify(leaf.publicKey), 'signed by itself')
    assert.equal(statSync(files.key).mode & 0o777, 0o600)
  })

  it('keeps the one it has, until a domain is not covered or its time is over', async () => {
    const { made: first } = await selfSigned(folder, ['a.example'], now)
    const { made: second } = await selfSigned(folder, ['a.example'], now)
    const { made: withOther } = await selfSigned(folder, ['a.example', 'b.example'], now)
    const { made: later } = await selfSigned(folder, ['b.example'], now + 4000 * DAY)
    assert.deepEqual([first, second, withOther, later], [true, false, true, true])
  })

  it('SEC-T07 a reload of garbage is refused and the old certificate stays', async () => {
    const files = await selfSigned(folder, ['a.example'], now)
    const identity = await ServerIdentity.load(files)
    const { certificate } = identity.current()
    writeFileSync(files.certificate, 'garbage')
    await assert.rejects(identity.reload(files))
    assert.equal(identity.current().certificate, certificate)
    await selfSigned(folder, ['a.example'], now)
    await identity.reload(files)
    assert.notEqual(identity.current().certificate, certificate)
  })

  it('SEC-T01, SEC-T02 speaks TLS 1.2 with forward secrecy and TLS 1.3, nothing older or weaker', async () => {
    const identity = await ServerIdentity.load(await selfSigned(folder, ['a.example'], now))
    const router = new HttpRouter()
    router.on('GET', '/', 'open', () => ({ status: 200 }))
    await using server = await listenHttp({ port: 0, address: '127.0.0.1', identity, proxies: [], router, limits: defaultLimits, clock: wallClock, log: silent })
    const shake = (options: object): Promise<string | null> => new Promise(done => {
      const socket: TLSSocket = connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => { done(socket.getProtocol()); socket.destroy() })
      socket.on('error', () => done(null))
    })
    assert.equal(await shake({}), 'TLSv1.3')
    assert.equal(await shake({ maxVersion: 'TLSv1.2' }), 'TLSv1.2')
    assert.equal(await shake({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }), null)
    for (const ciphers of ['AES128-SHA', 'ECDHE-ECDSA-AES128-SHA', 'AES128-GCM-SHA256']) assert.equal(await shake({ maxVersion: 'TLSv1.2', ciphers }), null, ciphers)
  })

  it('SEC-T02 picks the cipher itself, but for a client that puts ChaCha first', async () => {
    const identity = await ServerIdentity.load(await selfSigned(folder, ['a.example'], now))
    const router = new HttpRouter()
    router.on('GET', '/', 'open', () => ({ status: 200 }))
    await using server = await listenHttp({ port: 0, address: '127.0.0.1', identity, proxies: [], router, limits: defaultLimits, clock: wallClock, log: silent })
    const picked = (...ciphers: string[]): Promise<string> => new Promise((done, failed) => {
      const socket: TLSSocket = connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2', ciphers: ciphers.join(':') }, () => { done(socket.getCipher().name); socket.destroy() })
      socket.on('error', failed)
    })
    const [aes128, aes256, chacha] = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305'] as const
    assert.equal(await picked(aes256, chacha, aes128), aes128)
    assert.equal(await picked(chacha, aes256, aes128), chacha)
  })
})
