// The program itself, started as an admin would, for strangers to connect to.
import { spawn, execFile, type ChildProcess } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { tempFolder } from '../harness/folder.ts'
import { PATIENCE } from '../harness/patience.ts'

const COMMAND = join(import.meta.dirname, '../../bin/deskbell.js')

/** A running deskbell on ports of its own, with a data folder that goes when it does. */
export class Server implements AsyncDisposable {
  readonly folder: string
  readonly config: string
  port = 0
  #child: ChildProcess | undefined
  #said = ''

  private constructor() {
    this.folder = tempFolder('interop')
    this.config = join(this.folder, 'deskbell.yaml')
  }

  static async start(more = ''): Promise<Server> {
    const server = new Server()
    writeFileSync(server.config, `
data: ${server.folder}/data
listen: { c2s: { port: 0, address: 127.0.0.1 } }
hosts: { localhost: { registration: false } }
components:
  rooms.localhost: { muc: {} }
  help.localhost: { helpdesk: { enabled: true, queues: { support: { agents: all, assign: round-robin } } } }
${more}`)
    const child = spawn(process.execPath, [COMMAND, 'start', '--config', server.config], { stdio: ['ignore', 'pipe', 'pipe'] })
    server.#child = child
    const begun = new Promise<void>((ready, failed) => {
      const late = setTimeout(() => failed(new Error(`the server is not ready:\n${server.#said}`)), PATIENCE)
      const hear = (chunk: Buffer): void => {
        server.#said += chunk.toString()
        if (server.#said.includes('deskbell is ready')) { clearTimeout(late); ready() }
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.once('exit', code => { clearTimeout(late); failed(new Error(`the server ended with ${code}:\n${server.#said}`)) })
    })
    try { await begun } catch (error) { await server[Symbol.asyncDispose](); throw error }
    server.port = Number(/port (\d+) \(STARTTLS\)/.exec(server.#said)?.[1])
    return server
  }

  /** With Anna, an agent, and Alice, who has a question. */
  static async staffed(): Promise<Server> {
    const server = await Server.start()
    await server.run('user', 'add', 'anna@localhost', '--password', 'pw', '--role', 'agent', '--name', 'Anna')
    await server.run('user', 'add', 'alice@localhost', '--password', 'pw', '--name', 'Alice')
    return server
  }

  get said(): string { return this.#said }
  /** The certificate that clients must be told to trust. */
  get certificate(): string { return join(this.folder, 'data/tls/cert.pem') }

  /** Runs the command line against the running server; gives what it prints. */
  async run(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, ...args, '--config', this.config])
    return stdout
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child
    if (child && child.exitCode === null) {
      const ended = new Promise(done => child.once('exit', done))
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
      await ended
      clearTimeout(late)
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}
