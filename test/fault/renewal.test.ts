// A certificate that is renewed while the program runs: what an ACME client's hook does, seen from every port.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import { freePorts } from '../harness/ports.ts'
import { Actor } from '../harness/scene.ts'
import { deskbell, Program } from '../interop/program.ts'
import { Papers } from '../wire/s2s-houses.ts'

describe('a certificate that is renewed', function () {
  this.timeout(300_000)

  it('SEC-T07 is shown at every port after SIGHUP, streams that stand go on, and one that is none changes nothing', async () => {
    using papers = new Papers()
    const [one, two] = [papers.make('one', ['localhost']), papers.make('two', ['localhost'])]
    const [certificate, key] = [join(papers.folder, 'fullchain.pem'), join(papers.folder, 'privkey.pem')]
    const puts = (paper: typeof one): void => { copyFileSync(paper.certificate, certificate); copyFileSync(paper.key, key) }
    puts(one)
    const [c2s, direct, s2s, servers, http] = (await freePorts(5)) as [number, number, number, number, number] // five were asked for
    const config = join(papers.folder, 'deskbell.yaml')
    writeFileSync(config, `
data: ${papers.folder}/data
tls: { certificate: fullchain.pem, key: privkey.pem }
listen:
  c2s: { port: ${c2s}, address: 127.0.0.1 }
  c2s-tls: { port: ${direct}, address: 127.0.0.1 }
  s2s: { port: ${s2s}, address: 127.0.0.1 }
  s2s-tls: { port: ${servers}, address: 127.0.0.1 }
  http: { port: ${http}, address: 127.0.0.1, tls: true }
hosts: { localhost: { scram-iterations: 4096 } }
`)
    await deskbell('user', 'add', 'romeo@localhost', '--password', 'pw', '--config', config)
    await using program = await Program.deskbell('start', config)
    const shows = async (paper: typeof one): Promise<void> => {
      const { fingerprint256 } = new X509Certificate(paper.pem)
      for (const [port, protocol] of [[direct, 'xmpp-client'], [servers, 'xmpp-server'], [http, 'http/1.1']] as const) assert.equal(await shown(port, protocol), fingerprint256, protocol)
      for (const [port, content] of [[c2s, 'jabber:client'], [s2s, 'jabber:server']] as const) assert.equal(await shownAfterStartTls(port, content), fingerprint256, content)
    }
    const romeo = new Actor('romeo', 'romeo@localhost/x')
    try {
      await shows(one)
      await romeo.opensTls(direct)
      await romeo.logsIn()
      await romeo.binds()
      puts(two)
      program.rereads()
      await program.says(/config and certificate read again/)
      await shows(two)
      writeFileSync(certificate, readFileSync(two.certificate, 'utf8').slice(0, 200))
      program.forgets()
      program.rereads()
      await program.says(/"level":"error"/)
      await shows(two)
      assert.deepEqual(await romeo.fence(), [], 'the old stream goes on')
    } finally { romeo.leaves() }
  })
})

function shown(port: number, protocol: string): Promise<string> {
  return new Promise((ok, no) => {
    const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: [protocol] }, () => { ok(socket.getPeerCertificate().fingerprint256); socket.destroy() })
    socket.once('error', no)
  })
}

async function shownAfterStartTls(port: number, content: string): Promise<string> {
  const plain = net.connect(port, '127.0.0.1')
  let came = ''
  const hears = (end: string): Promise<void> => new Promise((ok, no) => {
    const look = (chunk: Buffer | string): void => { came += chunk.toString(); if (came.includes(end)) { plain.off('data', look); ok() } }
    plain.on('data', look)
    plain.once('close', () => no(new Error(came)))
    look('')
  })
  plain.write(`<stream:stream xmlns='${content}' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>`)
  await hears('</stream:features>')
  plain.write(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`)
  await hears('<proceed')
  return await new Promise((ok, no) => {
    const socket = tls.connect({ socket: plain, rejectUnauthorized: false }, () => { ok(socket.getPeerCertificate().fingerprint256); socket.destroy() })
    socket.once('error', no)
  })
}
