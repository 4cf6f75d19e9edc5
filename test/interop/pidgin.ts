// Pidgin, started logged in over STARTTLS and driven through its D-Bus door.
import { spawn, type ChildProcess } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Server } from './server.ts'

const PATIENCE = 20_000 // ms

interface Told { readonly online?: string | boolean; readonly im?: string; readonly from?: string; readonly buddy?: string; readonly group?: string }

export class Pidgin implements AsyncDisposable {
  readonly #folder: string
  readonly #child: ChildProcess
  readonly #told: Told[] = []
  readonly #waiting = new Set<() => void>()

  private constructor(folder: string) {
    this.#folder = folder
    const purple = join(folder, '.purple')
    this.#child = spawn('dbus-run-session', ['--', '/usr/bin/python3', join(import.meta.dirname, 'purple.py'), purple], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH: process.env['PATH'], HOME: folder, XDG_RUNTIME_DIR: folder, LANG: 'C.UTF-8', NO_AT_BRIDGE: '1' },
    })
    createInterface({ input: this.#child.stdout! }).on('line', line => { // it is a pipe
      this.#told.push(JSON.parse(line) as Told) // our own script wrote it
      for (const look of this.#waiting) look()
    })
  }

  static async login(server: Server, local: string, password: string): Promise<Pidgin> {
    const folder = mkdtempSync(join(tmpdir(), 'deskbell-pidgin-'))
    const purple = join(folder, '.purple')
    const peers = join(purple, 'certificates/x509/tls_peers')
    mkdirSync(peers, { recursive: true })
    for (const name of ['127.0.0.1', 'localhost']) copyFileSync(server.certificate, join(peers, name)) // COMPAT: asks for connect_server's name
    writeFileSync(join(purple, 'accounts.xml'), `<?xml version='1.0' encoding='UTF-8' ?>
<account version='1.0'><account><protocol>prpl-jabber</protocol><name>${local}@localhost/Pidgin</name><password>${password}</password>
<settings><setting name='connect_server' type='string'>127.0.0.1</setting><setting name='port' type='int'>${server.port}</setting><setting name='connection_security' type='string'>require_tls</setting></settings>
<settings ui='gtk-gaim'><setting name='auto-login' type='bool'>1</setting></settings></account></account>
`)
    writeFileSync(join(purple, 'prefs.xml'), `<?xml version='1.0' encoding='UTF-8' ?>
<pref version='1' name='/'><pref name='pidgin'><pref name='sound'><pref name='method' type='string' value='none'/></pref></pref>
<pref name='purple'><pref name='network'><pref name='stun_server' type='string' value=''/></pref></pref></pref>
`)
    const pidgin = new Pidgin(folder)
    await pidgin.#finds(t => typeof t.online === 'string', 'that it is online')
    return pidgin
  }

  says(to: string, text: string): void { this.#ask({ say: text, to }) }

  /** The first line not asked for yet that fits; its sender's address with it. */
  async hears(text: RegExp): Promise<Told> { return this.#finds(t => t.im !== undefined && text.test(t.im), String(text)) }

  /** How the contact stands in the roster, once it does and is online. */
  async findsContact(jid: string): Promise<Told> {
    const asking = setInterval(() => this.#ask({ buddies: jid }), 300)
    try { return await this.#finds(t => t.buddy !== undefined && t.online === true, `${jid} among the contacts`) } finally { clearInterval(asking) }
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

  #ask(what: object): void { this.#child.stdin!.write(`${JSON.stringify(what)}\n`) }

  async #finds(fits: (told: Told) => boolean, what: string): Promise<Told> {
    return new Promise((found, missed) => {
      const look = (): boolean => {
        const i = this.#told.findIndex(fits)
        if (i < 0) return false
        clearTimeout(late)
        this.#waiting.delete(look)
        found(this.#told.splice(i, 1)[0]!)
        return true
      }
      const late = setTimeout(() => { this.#waiting.delete(look); missed(new Error(`Pidgin should tell ${what}, but told:\n${this.#told.map(t => JSON.stringify(t)).join('\n')}`)) }, PATIENCE)
      if (!look()) this.#waiting.add(look)
    })
  }
}
