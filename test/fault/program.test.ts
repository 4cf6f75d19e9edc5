// The program itself when it is told to end, when nobody reads its log, and what its log holds after a played scene.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempFolder } from '../harness/folder.ts'
import { until } from '../harness/patience.ts'
import { Actor } from '../harness/scene.ts'
import { finish } from '../unit/sasl/client.ts'

const COMMAND = join(import.meta.dirname, '../../bin/deskbell.js')
const SM = 'urn:xmpp:sm:3'

describe('the program', function () {
  this.timeout(300_000)
  let folder: string
  let config: string
  const children: ChildProcess[] = []
  const actors: Actor[] = []

  before(async () => {
    folder = tempFolder('program')
    config = join(folder, 'deskbell.yaml')
    writeFileSync(config, `
data: ${folder}/data
listen: { c2s: { port: 0, address: 127.0.0.1 }, http: { port: 0, address: 127.0.0.1 } }
require-tls: false
hosts: { localhost: { scram-iterations: 4096 } }
components: { help.localhost: { helpdesk: { enabled: true, queues: { support: { assign: round-robin } } } } }
`)
    for (const [who, ...more] of [['anna', '--role', 'agent'], ['ada', '--role', 'admin'], ['romeo']]) await command('user', 'add', `${who}@localhost`, '--password', 'pw', ...more)
  })
  afterEach(async () => {
    for (const a of actors.splice(0)) a.leaves()
    for (const c of children.splice(0)) {
      if (c.exitCode !== null || c.signalCode !== null) continue
      c.kill('SIGKILL')
      await once(c, 'exit') // the store is free for the next
    }
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  interface Running { readonly child: ChildProcess; readonly port: number; readonly page: string; ended(): Promise<number | null> }

  async function start(level = 'warn', ...more: string[]): Promise<Running> {
    const child = spawn(process.execPath, [COMMAND, 'start', '--config', config, ...more], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, DESKBELL_LOG: level } })
    children.push(child)
    let said = ''
    const exit = once(child, 'exit') as Promise<[number | null]>
    const ready = Promise.withResolvers<void>()
    const log: string[] = []
    child.stdout.on('data', data => { said += data; if (said.includes('deskbell is ready')) ready.resolve() })
    child.stderr.on('data', (data: Buffer) => log.push(data.toString()))
    child.once('exit', code => ready.reject(new Error(`ended with ${code}: ${said}${log.join('')}`)))
    await ready.promise
    Object.assign(child, { log })
    return { child, port: Number(/port (\d+) \(STARTTLS\)/.exec(said)?.[1]), page: (/browser: (\S+)\//.exec(said)?.[1] ?? '').replace('localhost', '127.0.0.1'), ended: async () => (await exit)[0] }
  }
  /** The port of its next start in the same process. */
  function saysAgain(child: ChildProcess): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>()
    let said = ''
    child.stdout!.on('data', data => { said += data; if (said.includes('deskbell is ready')) resolve(Number(/port (\d+) \(STARTTLS\)/.exec(said)?.[1])) }) // spawned with a pipe
    return promise
  }
  async function command(...args: string[]): Promise<void> {
    const [code] = await once(spawn(process.execPath, [COMMAND, ...args, '--config', config], { stdio: 'ignore' }), 'exit') as [number]
    assert.equal(code, 0, args.join(' '))
  }
  /** The word that a command prints after the first colon. */
  async function printed(...args: string[]): Promise<string> {
    const child = spawn(process.execPath, [COMMAND, ...args, '--config', config], { stdio: ['ignore', 'pipe', 'ignore'] })
    let said = ''
    child.stdout.on('data', data => { said += String(data) })
    await once(child, 'close')
    return /: (\S+)/.exec(said)?.[1] ?? assert.fail(said)
  }
  async function comes(who: string, port: number): Promise<Actor> {
    const actor = new Actor(who, `${who}@localhost/pc`)
    actors.push(actor)
    await actor.connects(port)
    return actor
  }

  it('SEC-K22 SIGTERM tells every stream, ends with 0, and sessions go on after the restart with what came meanwhile', async () => {
    const first = await start()
    const romeo = await comes('romeo', first.port)
    romeo.says(`<enable xmlns='${SM}' resume='true'/>`)
    const { id } = (await romeo.hears`<enabled xmlns='${SM}' resume='true'/>`).attrs as { id: string } // what was heard has it
    const plain = await comes('anna', first.port)
    await plain.comesOnline()
    plain.says(`<message to='romeo@localhost/pc' type='chat' id='late'><body>before the end</body></message>`)
    await plain.fence()
    first.child.kill('SIGTERM')
    for (const a of [romeo, plain]) await a.hears`<stream:error xmlns:stream='http://etherx.jabber.org/streams'><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
    assert.equal(await first.ended(), 0)

    const second = await start()
    const back = new Actor('romeo', 'romeo@localhost/pc')
    actors.push(back)
    await back.opens(second.port)
    await back.logsIn()
    back.says(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    await back.hears`<resumed xmlns='${SM}' previd='${id}'/>`
    await back.hears`<message id='late' from='anna@localhost/pc'><body>before the end</body></message>`
  })

  it('XEP-0133 section 4.30: an admin restarts it from his client, and sessions go on', async () => {
    const { child, port, ended } = await start('warn', '--test-clock')
    const admin = await comes('ada', port)
    admin.says(`<enable xmlns='${SM}' resume='true'/>`)
    const { id } = (await admin.hears`<enabled xmlns='${SM}' resume='true'/>`).attrs as { id: string } // what was heard has it
    const node = 'http://jabber.org/protocol/admin#restart'
    admin.says(`<iq type='set' id='c1' to='localhost'><command xmlns='http://jabber.org/protocol/commands' node='${node}'/></iq>`)
    const { sessionid } = (await admin.hears`<iq type='result' id='c1'/>`).getChild('command')!.attrs
    admin.says(`<iq type='set' id='c2' to='localhost'><command xmlns='http://jabber.org/protocol/commands' node='${node}' sessionid='${sessionid}'><x xmlns='jabber:x:data' type='submit'><field var='delay'><value>30</value></field></x></command></iq>`)
    await admin.hears`<iq type='result' id='c2'/>`
    const again = saysAgain(child)
    spawn(process.execPath, [COMMAND, 'clock', 'advance', '30', '--config', config], { stdio: 'ignore' }) // it may be cut off by what it sets off
    await admin.hears`<stream:error xmlns:stream='http://etherx.jabber.org/streams'><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
    const back = new Actor('ada', 'ada@localhost/pc')
    actors.push(back)
    await back.opens(await again)
    await back.logsIn()
    back.says(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    await back.hears`<resumed xmlns='${SM}' previd='${id}'/>`
    child.kill('SIGTERM')
    assert.equal(await ended(), 0)
  })

  it('SEC-K23 a second SIGTERM cuts nothing short', async () => {
    const { child, port, ended } = await start()
    await comes('romeo', port)
    child.kill('SIGTERM')
    child.kill('SIGTERM')
    assert.equal(await ended(), 0)
  })

  it('SEC-K05 goes on where nobody reads its log any more, and counts what was lost', async () => {
    const { child, port, page, ended } = await start('debug')
    child.stderr?.destroy()
    child.stdout?.destroy()
    child.kill('SIGHUP') // it has something to say
    const romeo = await comes('romeo', port)
    let text = ''
    await until(async () => {
      text = await (await fetch(`${page}/metrics`)).text()
      return Number(/^deskbell_log_dropped_total (\d+)$/m.exec(text)?.[1]) > 0
    }, () => text)
    await romeo.receivesNothing()
    child.kill('SIGTERM')
    assert.equal(await ended(), 0)
  })

  it('SEC-T31 a played scene leaves no word of it, no password, proof and token in the log and the metrics, however much they tell', async () => {
    const { child, port, page, ended } = await start('debug')
    const [anna, romeo] = [await comes('anna', port), await comes('romeo', port)]
    await anna.comesOnline()
    await romeo.comesOnline()
    romeo.says(`<message to='support@help.localhost' type='chat' id='a'><body>my card is 4111-SECRET</body></message>`)
    for (;;) if ((await anna.next()).getChildText('body')?.includes('New chat #1')) break
    anna.says(`<message to='desk@help.localhost' type='chat'><body>!a</body></message>`)
    for (;;) if ((await anna.next()).getChildText('body') === 'my card is 4111-SECRET') break
    anna.says(`<message to='c1@help.localhost/desk' type='chat'><body>thanks, SECRET kept</body></message>`)
    for (;;) if ((await romeo.next()).getChildText('body') === 'thanks, SECRET kept') break
    await command('user', 'passwd', 'romeo@localhost', '--password', 'new-SECRET-pw')
    await command('user', 'passwd', 'romeo@localhost', '--password', 'pw')
    const wrong = new Actor('x', 'romeo@localhost/x')
    actors.push(wrong)
    await wrong.opens(port)
    wrong.says(`<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>`)
    await wrong.next()
    wrong.says(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${btoa('\0romeo\0wrong-SECRET')}</auth>`)
    await wrong.next()
    const first = 'n=romeo,r=fyko+d2lbbFgONRv9qkxdawL'
    wrong.says(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>${btoa(`n,,${first}`)}</auth>`)
    const { final } = finish('sha-256', first, atob((await wrong.next()).getText()), Buffer.from('n,,'), 'wrong-SECRET')
    wrong.says(`<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${btoa(final)}</response>`)
    await wrong.next()
    const token = await printed('token', 'add', 'anna@localhost')
    assert.equal((await fetch(`${page}/api/v1/conversations`, { headers: { authorization: `Bearer ${token}`, cookie: 'session=SECRET' } })).status, 200)
    assert.equal((await fetch(`${page}/api/v1/conversations?token=SECRET`, { headers: { authorization: `Bearer ${token}x` } })).status, 401)
    const metrics = await (await fetch(`${page}/metrics`)).text()
    wrong.says(`<iq><broken SECRET`)
    child.kill('SIGHUP')
    child.kill('SIGTERM')
    assert.equal(await ended(), 0)
    const log = `${(child as unknown as { log: string[] }).log.join('')}${metrics}` // start() put it there
    for (const word of ['SECRET', '4111', token, btoa(final).slice(-40), final.slice(-20), Buffer.from('\0romeo\0pw').toString('base64'), Buffer.from('wrong-SECRET').toString('base64').slice(0, 12), '<body>']) assert.ok(!log.includes(word), `${word} is in the log:\n${log}`)
    for (const line of log.slice(0, -metrics.length).split('\n').filter(Boolean)) assert.ok(['debug', 'info', 'warn', 'error'].includes(String((JSON.parse(line) as { level?: string }).level)), `structured: ${line}`)
    assert.ok(!readFileSync(config, 'utf8').includes('SECRET'))
  })
})
