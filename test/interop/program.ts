// A program of this machine that runs beside a test: what it says, and its end.
import { spawn, execFile, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PATIENCE } from '../harness/patience.ts'

const DESKBELL = join(import.meta.dirname, '../../bin/deskbell.js')

interface Surroundings { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> }

export class Program implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #said = ''
  readonly #waiting = new Set<() => void>()

  private constructor(command: string, args: readonly string[], { cwd, env }: Surroundings) {
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env }, ...(cwd && { cwd }) })
    this.#ended = new Promise(done => this.#child.once('exit', done))
    const hear = (chunk: Buffer): void => { this.#said += chunk.toString(); for (const look of this.#waiting) look() }
    this.#child.stdout?.on('data', hear)
    this.#child.stderr?.on('data', hear)
    this.#child.once('exit', code => { this.#said += `\n(ended with ${code})`; for (const look of this.#waiting) look() })
  }

  /** Starts it; resolves when it has said `ready`, rejects with what it said instead. */
  static async start(command: string, args: readonly string[], ready: RegExp, around: Surroundings = {}): Promise<Program> {
    const program = new Program(command, args, around)
    try { await program.says(ready) } catch (error) { await program[Symbol.asyncDispose](); throw error }
    return program
  }

  /** `deskbell start` or `deskbell dial`. */
  static deskbell(verb: 'start' | 'dial', config: string, ready = /deskbell is ready/): Promise<Program> {
    return Program.start(process.execPath, [DESKBELL, verb, '--config', config], ready)
  }

  get said(): string { return this.#said }
  /** Forgets what it said, so that `says` waits for something new. */
  forgets(): void { this.#said = '' }

  says(text: RegExp): Promise<RegExpExecArray> {
    return new Promise((ready, failed) => {
      const settle = (then: () => void): void => { clearTimeout(late); this.#waiting.delete(look); then() }
      const look = (): void => {
        const found = text.exec(this.#said)
        if (found) settle(() => ready(found))
        else if (this.#child.exitCode !== null || this.#child.signalCode !== null) settle(() => failed(new Error(`it ended and had not said ${text}:\n${this.#said}`)))
      }
      const late = setTimeout(() => settle(() => failed(new Error(`it should say ${text}, but said:\n${this.#said}`))), PATIENCE)
      this.#waiting.add(look)
      look()
    })
  }

  /** Ends it at once, as a power cut would. */
  async isKilled(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  /** Ends it as an admin does; gives its exit code. */
  async isTold(signal: 'SIGTERM' | 'SIGINT'): Promise<number | null> {
    this.#child.kill(signal)
    await this.#ended
    return this.#child.exitCode
  }

  /** Has it read its config and its certificates again, as an admin does. */
  rereads(): void { this.#child.kill('SIGHUP') }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGTERM')
    const late = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE)
    await this.#ended
    clearTimeout(late)
  }
}

/** Runs a command of deskbell's to its end; gives what it prints. */
export async function deskbell(...args: string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [DESKBELL, ...args])).stdout
}
