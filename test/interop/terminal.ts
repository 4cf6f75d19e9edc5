// A terminal that a test looks at and types into: tmux around a stock client.
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { tempFolder } from '../harness/folder.ts'
import { PATIENCE } from '../harness/patience.ts'

const LOOK = 150 // ms between two looks at the screen: a foreign program tells nobody when it has drawn

export class Terminal implements AsyncDisposable {
  /** The client's home: nothing of the user's own is read or written. */
  readonly home: string
  readonly #socket: string
  readonly #name: string

  constructor(name: string) {
    this.#name = name
    this.home = tempFolder(`${name}`)
    this.#socket = join(this.home, 'tmux')
    for (const folder of ['.config', '.local/share', '.cache', 'run']) mkdirSync(join(this.home, folder), { recursive: true, mode: 0o700 })
  }

  /** Starts `command` on a screen of 160 by 45. */
  async starts(command: string): Promise<void> {
    const { home } = this
    const env = {
      PATH: process.env['PATH'], HOME: home, XDG_CONFIG_HOME: `${home}/.config`, XDG_DATA_HOME: `${home}/.local/share`,
      XDG_CACHE_HOME: `${home}/.cache`, XDG_RUNTIME_DIR: `${home}/run`, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', TERM: 'screen-256color',
    }
    await promisify(execFile)('tmux', ['-S', this.#socket, '-f', '/dev/null', 'new-session', '-d', '-s', 'c', '-x', '160', '-y', '45', `${command} 2>${home}/errors; echo THE CLIENT HAS ENDED; sleep 600`], { env })
  }

  /** Keys by tmux's names: Enter, M-2, Down. */
  async press(...keys: string[]): Promise<void> { await this.#tmux('send-keys', '-t', 'c', ...keys) }

  /** Types a line and Enter. */
  async types(text: string): Promise<void> {
    await this.#tmux('send-keys', '-t', 'c', '-l', '--', text)
    await this.sees(text) // some clients are slower than the keyboard
    await this.press('Enter')
  }

  async screen(): Promise<string> { return (await this.#tmux('capture-pane', '-p', '-J', '-t', 'c')).stdout }

  /** Waits until the screen shows it; gives the match. */
  async sees(what: RegExp | string, patience = PATIENCE): Promise<RegExpExecArray> {
    const pattern = typeof what === 'string' ? new RegExp(what.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : what
    const end = performance.now() + patience
    for (;;) {
      const screen = await this.screen()
      const match = pattern.exec(screen)
      if (match) return match
      if (performance.now() > end) throw new Error(`${this.#name} should show ${String(pattern)}, but shows:\n${screen.trim()}`)
      await new Promise(ok => setTimeout(ok, LOOK))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try { execFileSync('tmux', ['-S', this.#socket, 'kill-server'], { stdio: 'ignore' }) } catch { /* has ended by itself */ }
    rmSync(this.home, { recursive: true, force: true, maxRetries: 3 })
  }

  #tmux(...args: string[]): Promise<{ stdout: string }> { return promisify(execFile)('tmux', ['-S', this.#socket, ...args]) }
}
