// TLS over real sockets: STARTTLS, TLS from the first byte, and what may not be had without; certificates.
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { rmSync } from 'node:fs'
import net from 'node:net'
import { MovedClock } from '../harness/clock.ts'
import { tempFolder } from '../harness/folder.ts'
import { Actor, House } from '../harness/scene.ts'
import { identity, tlsDoor } from '../harness/doors.ts'
import { atDoor, ETHERX, HEADER, mechanisms, PLAIN, SASL, scramPlus, STREAMS, TLS, upgrades } from './tls-scene.ts'

describe('TLS', () => {
  it('RFC-T1 SEC-T05 without it there is nothing but the offer of it', atDoor(async a => {
    a.says(HEADER)
    const features = await a.receives`<stream:features xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><starttls xmlns='${TLS}'><required/></starttls></stream:features>`
    assert.deepEqual(mechanisms(features), [])
    a.says(PLAIN('romeo', 'pw'))
    await a.receives`<failure xmlns='${SASL}'><encryption-required/></failure>`
    a.says("<iq type='get' id='reg'><query xmlns='jabber:iq:register'/></iq>")
    await a.receives`<iq type='error' id='reg'/>`
  }))

  it('RFC-T4 after it the stream begins anew, offers logins and no TLS', atDoor(async a => {
    await upgrades(a)
    a.says(HEADER)
    const features = await a.receives`<stream:features xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><mechanisms xmlns='${SASL}'/></stream:features>`
    assert.equal(features.getChild('starttls', TLS), undefined)
    const offer = mechanisms(features)
    assert.deepEqual(offer.filter(m => /MD5|ANONYMOUS|EXTERNAL/.test(m)), []) // SEC-T13
    assert.equal(offer.at(-1), 'PLAIN')
    a.says(PLAIN('romeo', 'pw'))
    await a.receives`<success xmlns='${SASL}'/>`
    a.says(HEADER); await a.next()
    await a.binds()
    await a.comesOnline()
    a.says(`<starttls xmlns='${TLS}'/>`)
    await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><unsupported-stanza-type xmlns='${STREAMS}'/></stream:error>`
  }))

  it('RFC-T2 SEC-T04 what came in the clear behind the request for it has no effect', atDoor(async (a, house) => {
    const victim = await house.actor('victim', 'victim@localhost/home').catch(() => undefined) // require-tls: he cannot log in here
    assert.equal(victim, undefined)
    a.says(`${HEADER}<starttls xmlns='${TLS}'/>${HEADER}${PLAIN('romeo', 'pw')}`)
    await a.next()
    await a.receives`<proceed xmlns='${TLS}'/>`
    await a.secures()
    a.says("<iq type='get' id='injected?'><query xmlns='jabber:iq:roster'/></iq>") // no header: as an injected one it would have been known
    await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><bad-format xmlns='${STREAMS}'/></stream:error>`
    await a.isCutOff()
  }))

  it('RFC-T3 refused where it is in use already, with an end in due form', atDoor(async a => {
    await upgrades(a)
    a.says(`${HEADER}<starttls xmlns='${TLS}'/>`)
    await a.next()
    await a.receives`<failure xmlns='${TLS}'/>`
    await a.isCutOff()
  }))

  it('RFC-T3 a handshake that fails ends the connection without a word', atDoor(async (a, house) => {
    a.says(`${HEADER}<starttls xmlns='${TLS}'/>`)
    await a.next()
    await a.receives`<proceed xmlns='${TLS}'/>`
    a.says('this is no TLS')
    await a.isCutOff()
    assert.equal(house.devices.streams.size, 0)
  }))

  it('SEC-T06 a handshake that is never finished is given up', async () => {
    const network = new MovedClock()
    await using house = await House.open({ network })
    const socket = net.connect(await tlsDoor(house, 'direct'), '127.0.0.1')
    await new Promise<void>(ok => socket.once('connect', () => ok()))
    while (house.devices.streams.size === 0) await new Promise(ok => setImmediate(ok))
    const gone = new Promise<void>(ok => socket.once('close', () => ok()))
    socket.resume()
    await network.advance(10_001)
    await gone
  })

  it('RFC-T7 SEC-T03 a renegotiation ends the connection at once, without a word', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const direct = await tlsDoor(house, 'direct')
    const a = new Actor('a', 'romeo@localhost/x')
    const socket = await a.opensTls(direct, { maxVersion: 'TLSv1.2' })
    await a.logsIn()
    await a.binds()
    const said: string[] = []
    socket.on('data', text => said.push(String(text)))
    assert.equal(socket.renegotiate({ rejectUnauthorized: false }, () => {}), true)
    await a.isCutOff()
    assert.deepEqual(said, [])
    while (house.devices.streams.size > 0) await new Promise(ok => setImmediate(ok))

    const { HttpRouter, listenHttp } = await import('../../server/net/http.ts')
    const web = house.keeps(await listenHttp({ port: 0, address: '127.0.0.1', proxies: [], router: new HttpRouter(), identity: await identity(), limits: house.limits, clock: house.clients.network, log: house.host.log }))
    const browser = new Actor('b', 'b@localhost/x')
    const other = await browser.opensTls(web.port, { maxVersion: 'TLSv1.2' })
    other.renegotiate({ rejectUnauthorized: false }, () => {})
    await browser.isCutOff()
  })

  it('SEC-T01 takes TLS 1.2 and 1.3 and nothing older', async () => {
    await using house = await House.open()
    const port = await tlsDoor(house, 'direct')
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const a = new Actor('a', 'romeo@localhost/x')
      const socket = await a.opensTls(port, { minVersion: version, maxVersion: version })
      assert.equal(socket.getProtocol(), version)
      a.leaves()
    }
    await assert.rejects(new Actor('a', 'romeo@localhost/x').opensTls(port, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }))
  })

  it('RFC-T5 SEC-T08 speaks xmpp-client on its own port, and nothing else there', async () => {
    await using house = await House.open()
    const port = await tlsDoor(house, 'direct')
    const a = new Actor('a', 'romeo@localhost/orchard')
    await house.account('romeo')
    const socket = await a.opensTls(port, { ALPNProtocols: ['xmpp-client'], servername: 'localhost' })
    assert.equal(socket.alpnProtocol, 'xmpp-client')
    await a.logsIn()
    await a.binds()
    a.leaves()
    await assert.rejects(new Actor('b', 'b@localhost/x').opensTls(port, { ALPNProtocols: ['http/1.1'] }), /alert|closed/i)
    const other = new Actor('c', 'c@localhost/x')
    await other.opensTls(port, { servername: 'other.example' })
    other.says(HEADER.replace('localhost', 'other.example'))
    await other.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><host-unknown xmlns='${STREAMS}'/></stream:error>`
  })

  it('SEC-T07 a new certificate is shown to new streams, and the old ones live', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const first = await identity()
    const { ServerIdentity, selfSigned } = await import('../../server/net/tls.ts')
    const folder = tempFolder('renewed')
    try {
      const made = await selfSigned(folder, ['localhost'], Date.now())
      const own = await ServerIdentity.load(made)
      const port = await tlsDoor(house, 'direct', own)
      const a = new Actor('a', 'romeo@localhost/a')
      const before = await a.opensTls(port)
      await a.logsIn()
      rmSync(folder, { recursive: true })
      await own.reload(await selfSigned(folder, ['localhost'], Date.now()))
      const b = new Actor('b', 'romeo@localhost/b')
      const after = await b.opensTls(port)
      assert.notEqual(after.getPeerCertificate().fingerprint256, before.getPeerCertificate().fingerprint256)
      assert.notEqual(after.getPeerCertificate().fingerprint256, new X509Certificate(first.current().certificate).fingerprint256)
      await a.binds()
      a.leaves(); b.leaves()
    } finally { rmSync(folder, { recursive: true, force: true }) }
  })
})

describe('several certificates', () => {
  it('RFC-T6 RFC-T5 the one for the host that the stream is to, or that TLS asks for; the first where there is none', async () => {
    await using house = await House.open({ requireTls: true })
    await house.account('romeo')
    const { ServerIdentity, selfSigned } = await import('../../server/net/tls.ts')
    const { ClientFacing } = await import('../../server/net/client-trust.ts')
    const folder = tempFolder('several')
    try {
      const [ours, theirs] = [await selfSigned(`${folder}/a`, ['a.example'], Date.now()), await selfSigned(`${folder}/b`, ['b.example', 'x.c.example', 'bücher.example'], Date.now())]
      const { Host } = await import('../../server/host/host.ts')
      const { router, stores, clock, limits } = house
      for (const name of ['b.example', 'x.c.example']) (house.clients.hosts as Map<string, typeof house.host>).set(name, new Host(name, { router, stores, clock, network: house.clients.network, log: house.host.log, limits })) // the harness made one
      const own = await ServerIdentity.load(ours, theirs)
      for (const identity of [own, new ClientFacing(own, own.current().certificate)]) {
        const [upgraded, direct] = [await tlsDoor(house, 'starttls', identity as typeof own), await tlsDoor(house, 'direct', identity as typeof own)]
        const shown = async (to: string, servername?: string): Promise<string> => {
          const a = new Actor('a', 'romeo@localhost/x')
          await a.opens(upgraded)
          a.says(`${HEADER.replace("to='localhost'", `to='${to}'`)}<starttls xmlns='${TLS}'/>`)
          for (;;) if ((await a.next()).name === 'proceed') break
          const socket = await a.secures(servername === undefined ? {} : { servername })
          const [name = ''] = socket.getPeerCertificate().subjectaltname!.split(', ')
          a.leaves()
          return name
        }
        assert.equal(await shown('localhost'), 'DNS:a.example')
        assert.equal(await shown('b.example'), 'DNS:b.example')
        assert.equal(await shown('x.c.example'), 'DNS:b.example')
        assert.equal(await shown('b.example', 'a.example'), 'DNS:b.example') // the stream says whom it wants
        for (const [name, leaf] of [['a.example', 'a'], ['b.example', 'b'], ['x.c.example', 'b'], ['xn--bcher-kva.example', 'b'], ['else.example', 'a'], [undefined, 'a']] as const) {
          const a = new Actor('a', 'romeo@localhost/x')
          const socket = await a.opensTls(direct, { ALPNProtocols: ['xmpp-client'], ...(name && { servername: name }) })
          assert.equal(socket.getPeerCertificate().subjectaltname!.split(', ')[0], `DNS:${leaf}.example`, String(name))
          if (name === 'b.example') { // a login is bound to the one that was shown
            a.says(HEADER); await a.next()
            const data = createHash('sha256').update(socket.getPeerX509Certificate()!.raw).digest()
            assert.equal((await scramPlus(a, 'tls-server-end-point', data)).name, 'success')
          }
          a.leaves()
        }
      }
      await own.reload(theirs, ours)
      assert.deepEqual([own.current().certificate === own.current('b.example').certificate, own.current('a.example').certificate === own.current('b.example').certificate], [true, false])
    } finally { rmSync(folder, { recursive: true, force: true }) }
  })
})
