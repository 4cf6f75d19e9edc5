// The whole program in this process: what holds through every door at once, and what names cannot do to it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { parse } from 'ltx'
import { compose, type House as Program } from '../../app/compose.ts'
import { perform } from '../../app/admin.ts'
import { makeToken } from '../../app/tokens.ts'
import { readConfig, type Config } from '../../config/load.ts'
import { silent } from '../../server/ports/log.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import type { Office } from '../../app/office.ts'
import { MovedClock } from '../harness/clock.ts'
import type { House } from '../harness/scene.ts'
import { Actor } from '../harness/scene.ts'
import { Framed, OPEN } from '../harness/doors.ts'
import { tempFolder } from '../harness/folder.ts'
import { agent, authenticate, bind, Client, FAST, hashed, PHONE, plain, SASL, SM, tokenOf } from './sasl2-client.ts'

const UNLIMITED = 'limits: unlimited'
interface Running { readonly program: Program; readonly office: Office; readonly url: string; command(...args: string[]): Promise<readonly string[]>; rest(method: string, path: string, token?: string, body?: unknown): Promise<{ status: number; body: any }> } // JSON of any shape

async function running(play: (r: Running) => Promise<void>, more = UNLIMITED): Promise<void> {
  const folder = tempFolder('whole')
  const stores = await openSqlite({ file: ':memory:' })
  try {
    const read = readConfig(`data: ${folder}
require-tls: false
listen: { c2s: { port: 0, address: 127.0.0.1 }, c2s-tls: { port: 0, address: 127.0.0.1 }, http: { port: 0, address: 127.0.0.1 } }
hosts: { localhost: { scram-iterations: 4096 } }
components: { rooms.localhost: { muc: {} }, help.localhost: { helpdesk: { enabled: true, queues: { support: { assign: pull } } } } }
${more}
`, join(folder, 'x.yaml'))
    assert.ok(read.ok, read.ok ? '' : read.faults.join())
    const config: Config = read.config
    const clock = new MovedClock()
    await using program = await compose(config, { stores, clock, log: silent })
    const office: Office = { config, stores, clock, running: true, desks: program.desks, changed: (jid, what) => program.accountChanged(jid, what), farewell: jid => program.farewell(jid) }
    const url = `http://127.0.0.1:${program.ports['http']}`
    await play({
      program, office, url,
      async command(...args) { const { code, lines } = await perform(args, office); assert.equal(code, 0, lines.join()); return lines },
      async rest(method, path, token, body) {
        const r = await fetch(`${url}/api/v1${path}`, { method, headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
        return { status: r.status, body: await r.json().catch(() => undefined) }
      },
    })
  } finally { await stores.close(); rmSync(folder, { recursive: true, force: true }) }
}
const tokenFor = async ({ office }: Running, jid: string): Promise<string> => (await makeToken(office.stores, 'localhost', { jid, created: office.clock.now() })).text

/** The answer to a PLAIN login in a body of XEP-0124. */
async function byBosh(url: string, local: string): Promise<{ sid: string; answer: string; ask(inner: string): Promise<string> }> {
  let rid = 1000
  let sid = ''
  const ask = async (inner: string, attrs = ''): Promise<string> => (await fetch(`${url}/http-bind`, { method: 'POST', headers: { 'content-type': 'text/xml' }, body: `<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' rid='${++rid}' ${sid ? `sid='${sid}'` : ''} ${attrs}>${inner}</body>` })).text()
  sid = String(parse(await ask('', "to='localhost' xml:lang='en' xmpp:version='1.0' ver='1.6' wait='1' hold='1'")).attrs['sid'])
  return { sid, answer: await ask(`<auth xmlns='${SASL}' mechanism='PLAIN'>${btoa(`\0${local}\0pw`)}</auth>`), ask }
}

describe('the program as a whole', function () {
  this.timeout(300_000)

  it('SEC-A04 an operator who is disabled is out at every door, those that are open too: stream, WebSocket, BOSH, REST, FAST and what could be resumed', () => running(async r => {
    await r.command('user', 'add', 'boss@localhost', '--role', 'admin', '--password', 'pw')
    await r.command('user', 'add', 'anna@localhost', '--role', 'agent', '--password', 'pw')
    const boss = await tokenFor(r, 'boss@localhost')
    const [c2s, tls, web] = [r.program.ports['c2s']!, r.program.ports['c2s-tls']!, r.program.ports['http']!] // all are listened for
    const house = {} as House // the port says it all
    const signedIn = (await r.rest('POST', '/tokens', undefined, { name: 'anna', password: 'pw' })).body.token
    const made = await tokenFor(r, 'anna@localhost')
    for (const t of [signedIn, made]) assert.equal((await r.rest('GET', '/me', t)).status, 200)
    const phone = await Client.at(house, { port: tls, jid: 'anna@localhost/phone' })
    phone.says(authenticate('PLAIN', plain('anna'), agent(PHONE), bind(), `<request-token xmlns='${FAST}' mechanism='HT-SHA-256-NONE'/>`))
    const secret = tokenOf(await phone.succeeds()) ?? ''
    const desk = new Actor('anna', 'anna@localhost/desk')
    await desk.connects(c2s)
    desk.says(`<enable xmlns='${SM}' resume='true'/>`)
    const previd = String((await desk.hears`<enabled xmlns='${SM}' resume='true'/>`).attrs['id'])
    const sleeper = new Actor('anna', 'anna@localhost/sleeper')
    await sleeper.connects(c2s)
    sleeper.says(`<enable xmlns='${SM}' resume='true'/>`)
    const asleep = String((await sleeper.hears`<enabled xmlns='${SM}' resume='true'/>`).attrs['id'])
    sleeper.leaves()
    await using socket = await Framed.opens(web)
    await socket.logsIn('anna', 'web')
    const bosh = await byBosh(r.url, 'anna')
    assert.match(bosh.answer, /<success/)

    assert.equal((await r.rest('PATCH', '/operators/anna@localhost', boss, { disabled: true })).status, 200)

    await desk.hears`<stream:error xmlns:stream='http://etherx.jabber.org/streams'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
    for (let frame = await socket.next(); frame !== undefined; frame = await socket.next()); // until it is closed
    assert.match(await bosh.ask(''), /type='terminate'/)
    for (const t of [signedIn, made]) assert.equal((await r.rest('GET', '/me', t)).status, 401)
    assert.equal((await r.rest('POST', '/tokens', undefined, { name: 'anna', password: 'pw' })).status, 401)
    for (const id of [previd, asleep]) {
      const again = new Actor('anna', 'anna@localhost/desk')
      await again.opens(c2s)
      await assert.rejects(again.logsIn(), /cannot log in/)
      again.says(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
      assert.notEqual((await again.next()).name, 'resumed')
      again.leaves()
    }
    const quick = await Client.at(house, { port: tls, jid: 'anna@localhost/phone' })
    quick.says(authenticate('HT-SHA-256-NONE', hashed('anna', secret), agent(PHONE), bind(), `<fast xmlns='${FAST}'/>`))
    assert.equal((await quick.next()).name, 'failure')
    quick.leaves()
    await using other = await Framed.opens(web)
    other.says(OPEN)
    await other.next(); await other.next()
    other.says(`<auth xmlns='${SASL}' mechanism='PLAIN'>${btoa('\0anna\0pw')}</auth>`)
    assert.equal((await other.next())?.name, 'failure')
    assert.match((await byBosh(r.url, 'anna')).answer, /<failure/)
    phone.leaves()
  }))

  it('SEC-A12 names that are made up, of commands, paths, rooms, labels and people, make no series more', () => running(async r => {
    await r.command('user', 'add', 'anna@localhost', '--role', 'agent', '--password', 'pw')
    const anna = new Actor('anna', 'anna@localhost/pc')
    await anna.connects(r.program.ports['c2s']!) // it is listened for
    await anna.comesOnline()
    const token = await tokenFor(r, 'anna@localhost')
    const series = async (): Promise<string[]> => (await (await fetch(`${r.url}/metrics`)).text()).split('\n').filter(l => l.startsWith('deskbell_')).map(l => l.replace(/ \S+$/, '')).sort()
    anna.says(`<message to='support@help.localhost' type='chat' id='x'><body>hello</body></message>`)
    await anna.fence()
    const before = await series()
    for (let i = 0; i < 300; i++) {
      const name = `name${i}x${Math.random().toString(36).slice(2)}`
      await Promise.all([r.rest('POST', `/commands/${name}`, token, {}), r.rest('GET', `/${name}/${name}`, token), r.rest('GET', `/lists/${name}`, token), r.rest('POST', '/conversations/1/commands/label', token, { label: name })])
      anna.says(`<message to='desk@help.localhost' type='chat'><body>!${name}</body></message><presence to='${name}@rooms.localhost/anna'/><iq type='get' id='${name}' to='${name}@localhost'><query xmlns='urn:${name}'/></iq><message to='${name}@${name}.example' type='chat'><body>x</body></message><presence to='${name}@rooms.localhost/anna' type='unavailable'/>`)
      if (i % 50 === 49) await anna.fence()
    }
    await anna.fence()
    assert.deepEqual(await series(), before)
    anna.leaves()
  }))

  it('SEC-H17 who sends a header a byte at a time is closed, and others are answered meanwhile', () => running(async r => {
    const port = r.program.ports['http']! // it is listened for
    let left = 0
    const all: Promise<unknown>[] = []
    for (let i = 0; i < 40; i++) {
      const socket = net.connect(port, '127.0.0.1')
      socket.on('error', () => {})
      await once(socket, 'connect')
      socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
      const drip = setInterval(() => socket.write('x'), 100)
      left++
      all.push(once(socket, 'close').then(() => { clearInterval(drip); left-- }))
      socket.resume()
    }
    for (let asked = 0; left > 0; asked++) { assert.equal((await fetch(`${r.url}/healthz`)).status, 200); assert.ok(asked < 100_000) }
    await Promise.all(all)
  }, 'limits: { http: { headers-timeout: 1s }, connections: { per-address: unlimited, new-per-address: { rate: unlimited, burst: unlimited } } }'))
})
