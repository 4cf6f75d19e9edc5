// A client with windows that a script of ours drives from beside it: JSON, a line each way.
import type { ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { PATIENCE } from '../harness/patience.ts'

/** What scripts tell; see their first lines. */
export interface Told {
  readonly online?: string | boolean
  readonly im?: string
  readonly from?: string
  readonly buddy?: string
  readonly group?: string
}

export class Driven implements AsyncDisposable {
  readonly #name: string
  readonly #folder: string
  readonly #child: ChildProcess
  readonly #told: Told[] = []
  readonly #waiting = new Set<() => void>()

  /** `child`: the script, its input and output piped. `folder` goes when it has ended. */
  constructor(name: string, folder: string, child: ChildProcess) {
    this.#name = name
    this.#folder = folder
    this.#child = child
    createInterface({ input: child.stdout! }).on('line', line => { // it is a pipe
      this.#told.push(JSON.parse(line) as Told) // our own script wrote it
      for (const look of this.#waiting) look()
    })
  }

  says(to: string, text: string): void { this.ask({ say: text, to }) }

  /** The first line not asked for yet that fits; its sender's address with it. */
  async hears(text: RegExp): Promise<Told> { return this.finds(t => t.im !== undefined && text.test(t.im), String(text)) }

  /** How the contact stands in the roster, once it does and is online. */
  async findsContact(jid: string): Promise<Told> {
    const asking = setInterval(() => this.ask({ buddies: jid }), 300)
    try { return await this.finds(t => t.buddy !== undefined && t.online === true, `${jid} among the contacts`) } finally { clearInterval(asking) }
  }

  ask(what: object): void { this.#child.stdin!.write(`${JSON.stringify(what)}\n`) }

  async finds(fits: (told: Told) => boolean, what: string): Promise<Told> {
    return new Promise((found, missed) => {
      const look = (): boolean => {
        const i = this.#told.findIndex(fits)
        if (i < 0) return false
        clearTimeout(late)
        this.#waiting.delete(look)
        found(this.#told.splice(i, 1)[0]!)
        return true
      }
      const late = setTimeout(() => { this.#waiting.delete(look); missed(new Error(`${this.#name} should tell ${what}, but told:\n${this.#told.map(t => JSON.stringify(t)).join('\n')}`)) }, PATIENCE)
      if (!look()) this.#waiting.add(look)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = new Promise(done => this.#child.once('exit', done))
      this.#child.stdin!.end() // it is a pipe
      const late = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE)
      await ended
      clearTimeout(late)
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
