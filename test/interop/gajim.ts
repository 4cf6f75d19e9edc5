// Gajim, started logged in over STARTTLS and driven through its remote control.
import { spawn, spawnSync } from 'node:child_process'
import { chownSync, copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Driven } from './driven.ts'
import type { Server } from './server.ts'
import { tempFolder } from '../harness/folder.ts'

const NOBODY = 65534
const asRoot = process.getuid?.() === 0

export async function gajim(server: Server, local: string, password: string): Promise<Driven> {
  const folder = tempFolder('gajim')
  const store = join(folder, '.local/share/gajim/cert_store')
  mkdirSync(store, { recursive: true })
  copyFileSync(server.certificate, join(store, 'localhost'))
  copyFileSync(join(import.meta.dirname, 'gajim.py'), join(folder, 'gajim.py')) // the repository may be nobody else's to read
  const command = ['dbus-run-session', '--', '/usr/bin/python3', join(folder, 'gajim.py'), folder, local, password, String(server.port)]
  if (asRoot) { // Gajim refuses to run as root
    for (const path of [folder, ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(p => join(folder, p))]) chownSync(path, NOBODY, NOBODY)
    command.unshift('setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups')
  }
  const child = spawn(command[0]!, command.slice(1), { // it has eight parts
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: '/usr/bin:/bin', HOME: folder, XDG_RUNTIME_DIR: folder, LANG: 'C.UTF-8', NO_AT_BRIDGE: '1', GIO_USE_NETWORK_MONITOR: 'base' },
  })
  const client = new Driven('Gajim', folder, child)
  await client.finds(t => typeof t.online === 'string', 'that it is online').catch(async (error: unknown) => { await client[Symbol.asyncDispose](); throw error })
  return client
}

/** Whether this machine can run it. */
export const hasGajim = ['gajim', 'Xvfb', 'dbus-run-session', ...(asRoot ? ['setpriv'] : [])].every(c => spawnSync('which', [c]).status === 0)
