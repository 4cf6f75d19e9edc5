// The program itself on ports of its own, which can be killed and started again.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { tempFolder } from '../harness/folder.ts'
import { PATIENCE } from '../harness/patience.ts'
import { freePort } from '../harness/ports.ts'

const COMMAND = join(import.meta.dirname, '../../bin/deskbell.js')

export class Program implements AsyncDisposable {
  readonly folder = tempFolder('web')
  readonly config = join(this.folder, 'deskbell.yaml')
  readonly port: number
  said = ''
  #child: ChildProcess | undefined
  private constructor(port: number) { this.port = port }

  static async start(): Promise<Program> {
    const program = new Program(await freePort()) // the same after a restart
    writeFileSync(program.config, `
data: ${program.folder}/data
listen: { http: { port: ${program.port}, address: 127.0.0.1 } }
require-tls: false
hosts: { localhost: {} }
components:
  rooms.localhost: { muc: {} }
  help.localhost: { helpdesk: { enabled: true, queues: { support: { agents: all, assign: round-robin }, billing: { agents: all, assign: pull } } } }
  upload.localhost: { upload: {} }
  web.localhost: { webchat: { desk: help.localhost, queue: support, origins: [] } }
`)
    await program.again()
    return program
  }

  get url(): string { return `http://localhost:${this.port}` }

  /** Starts it (again) with the data it has. */
  async again(): Promise<void> {
    const child = this.#child = spawn(process.execPath, [COMMAND, 'start', '--config', this.config], { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    await new Promise<void>((ready, failed) => {
      const late = setTimeout(() => failed(new Error(`it is not ready:\n${said}`)), PATIENCE)
      const hear = (chunk: Buffer): void => {
        this.said += chunk.toString()
        said += chunk.toString()
        if (said.includes('deskbell is ready')) { clearTimeout(late); ready() }
      }
      child.stdout!.on('data', hear) // piped above
      child.stderr!.on('data', hear)
      child.once('exit', code => { clearTimeout(late); failed(new Error(`it ended with ${code}:\n${said}`)) })
    })
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(done => child.once('exit', done))
    child.kill(signal)
    await ended
  }

  /** Runs a command line; gives what it says. */
  async runs(...words: string[]): Promise<string> { return (await promisify(execFile)(process.execPath, [COMMAND, ...words, '--config', this.config])).stdout }

  /** Makes an agent; gives his password. */
  async agent(local: string, name: string): Promise<string> { return /password: (\S+)/.exec(await this.runs('user', 'add', `${local}@localhost`, '--role', 'agent', '--name', name))?.[1] ?? '' }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
