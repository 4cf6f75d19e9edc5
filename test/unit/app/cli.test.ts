// The real command on a real folder: start, work with it while it runs, stop, kill, start again.
import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { tempFolder } from '../../harness/folder.ts'

const bin = join(import.meta.dirname, '../../../bin/deskbell.js')

describe('the command line', function () {
  this.timeout(300_000)
  let folder: string
  let config: string
  const children: ChildProcess[] = []

  before(() => {
    folder = tempFolder('cli')
    config = write('deskbell.yaml', '{ port: 0, address: 127.0.0.1 }')
  })
  after(() => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  })

  const write = (name: string, c2s: string): string => {
    const path = join(folder, name)
    writeFileSync(path, `data: data\nlisten: { c2s: ${c2s}, http: { port: 0, address: 127.0.0.1 } }\nhosts: { localhost: {} }\n`)
    return path
  }

  function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    return new Promise(done => execFile(process.execPath, [bin, ...args, '--config', config], (error, out, err) => done({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err })))
  }

  /** Starts the server; resolves with all it said once it is ready. */
  async function start(...args: string[]): Promise<{ child: ChildProcess; said: string }> {
    const child = spawn(process.execPath, [bin, 'start', ...args, '--config', config], { stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(child)
    let said = ''
    const ready = Promise.withResolvers<void>()
    for (const stream of [child.stdout, child.stderr]) stream.on('data', data => { said += data; if (said.includes('deskbell is ready')) ready.resolve() })
    child.once('exit', code => ready.reject(new Error(`ended with ${code}: ${said}`)))
    await ready.promise
    return { child, said }
  }

  async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<unknown> {
    const gone = once(child, 'exit')
    child.kill(signal)
    return (await gone)[0]
  }

  it('start, user add, clock advance, kill −9, start again, SIGTERM: exit code 0', async () => {
    const first = await start('--test-clock')
    assert.match(first.said, /^admin@localhost password: \S+$/m)
    const page = /^browser: (http:\/\/localhost:\d+\/)$/m.exec(first.said)?.[1] ?? ''
    assert.match(first.said, /^XMPP client: .*port \d+ \(STARTTLS\)/m)
    assert.equal(await (await fetch(`${page.replace('localhost', '127.0.0.1')}healthz`)).text(), 'ok')
    assert.equal(statSync(join(folder, 'data/admin.sock')).mode & 0o777, 0o600)
    assert.match(readFileSync(join(folder, 'data/tls/cert.pem'), 'utf8'), /BEGIN CERTIFICATE/)

    const added = await run('user', 'add', 'anna@localhost', '--role', 'agent')
    assert.deepEqual([added.code, added.err], [0, ''])
    assert.match(added.out, /^password: \S+$/m)
    const twice = await run('user', 'add', 'anna@localhost')
    assert.deepEqual([twice.code, twice.out, twice.err.split('\n').length], [1, '', 2])
    assert.equal((await run('clock', 'advance', '3600')).code, 0)

    await end(first.child, 'SIGKILL')
    assert.equal((await run('user', 'list')).out, 'admin@localhost\tadmin\nanna@localhost\tagent\n', 'the socket that was left behind is in nobody\'s way')
    const second = await start()
    assert.doesNotMatch(second.said, /password/, 'the password is shown once')
    assert.equal(await end(second.child, 'SIGTERM'), 0)
  })

  it('SEC-A14 the first start gives the admin a password of its own, no guess is one, and nothing sets up anew, before or after', async () => {
    const first = config
    const passwords: string[] = []
    for (const name of ['one', 'two']) {
      mkdirSync(join(folder, name))
      config = write(`${name}/deskbell.yaml`, '{ port: 0, address: 127.0.0.1 }')
      appendFileSync(config, 'components: { help.localhost: { helpdesk: { enabled: true, queues: { support: {} } } } }\n')
      const { child, said } = await start()
      const page = (/^browser: (http:\/\/localhost:\d+)\/$/m.exec(said)?.[1] ?? '').replace('localhost', '127.0.0.1')
      const password = /^admin@localhost password: (\S+)$/m.exec(said)?.[1] ?? ''
      passwords.push(password)
      const signIn = async (name: string, password: string): Promise<number> => (await fetch(`${page}/api/v1/tokens`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name, password }) })).status
      for (const guess of ['admin', 'secret', 'password', 'deskbell', 'changeme', 'admin@localhost']) assert.equal(await signIn('admin', guess), 401, guess)
      assert.equal(await signIn('admin', password), 201)
      for (const path of ['/setup', '/install', '/setup/index.jsp', '/setup/setup-s/%75%30%30%32e', '/admin', '/admin/setup', '/api/v1/setup', '/api/v1/admin', '/register', '/api/v1/register', '/console/setup', '/.env', '/debug']) {
        for (const method of ['GET', 'POST']) { const r = await fetch(page + path, { method, redirect: 'manual' }); assert.ok(r.status === 404 || r.status === 400, `${method} ${path}: ${r.status}`) }
      }
      assert.equal((await run('user', 'list')).out, 'admin@localhost\tadmin\n', 'nobody else is there')
      assert.match((await run('token', 'list')).out, /^[0-9a-f]{12}\tadmin@localhost\t[^\n]*\tsigned in\n$/, 'the one just begun')
      await end(child, 'SIGTERM')
    }
    config = first
    assert.ok(passwords.every(p => p.length >= 20) && passwords[0] !== passwords[1])
  })

  it('a port that is taken ends the start with one line that names port and mend', async () => {
    const squatter = createServer().listen(0, '127.0.0.1')
    await once(squatter, 'listening')
    const { port } = squatter.address() as AddressInfo // it listens on a port
    config = write('taken.yaml', `{ port: ${port}, address: 127.0.0.1 }`)
    const { code, err } = await run('start')
    squatter.close()
    assert.deepEqual([code, err], [1, `${config}: listen.c2s.port: ${port} is taken by another program: end that program, or give another port\n`])
  })

  it('check tells every fault of a config and exits with 2', async () => {
    config = join(folder, 'bad.yaml')
    writeFileSync(config, 'store: mongodb://db\nhosts: { localhost: { registraton: true } }\n')
    const { code, out, err } = await run('check')
    assert.deepEqual([code, out], [2, ''])
    assert.deepEqual(err.trimEnd().split('\n'), [
      `${config}: hosts.localhost.registraton: unknown key: did you mean registration?`,
      `${config}: store: MongoDB is not built yet: use store: sqlite`,
    ])
  })
})
