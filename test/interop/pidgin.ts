// Pidgin, started logged in over STARTTLS and driven through its D-Bus door.
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Driven } from './driven.ts'
import type { Server } from './server.ts'
import { tempFolder } from '../harness/folder.ts'

export async function pidgin(server: Server, local: string, password: string): Promise<Driven> {
  const folder = tempFolder('pidgin')
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
  const child = spawn('dbus-run-session', ['--', '/usr/bin/python3', join(import.meta.dirname, 'purple.py'), purple], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], HOME: folder, XDG_RUNTIME_DIR: folder, LANG: 'C.UTF-8', NO_AT_BRIDGE: '1' },
  })
  const client = new Driven('Pidgin', folder, child)
  await client.finds(t => typeof t.online === 'string', 'that it is online').catch(async (error: unknown) => { await client[Symbol.asyncDispose](); throw error })
  return client
}
