// Stock clients, set up without a hand: each starts logged in, over STARTTLS.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Server } from './server.ts'
import { Terminal } from './terminal.ts'

/** Profanity, in its console window. */
export async function profanity(server: Server, local: string, password: string): Promise<Terminal> {
  const t = new Terminal(`profanity-${local}`)
  const folder = join(t.home, '.local/share/profanity')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'accounts'), `[acc]
enabled=true
jid=${local}@localhost
server=127.0.0.1
port=${server.port}
tls.policy=trust
resource=profanity
password=${password}
muc.service=rooms.localhost
muc.nick=${local}
presence.last=online
presence.login=online
`)
  await t.starts('profanity -a acc')
  await t.sees('logged in successfully')
  await t.types('/splash off')
  await t.types('/presence titlebar on')
  return t
}

/** Finch, with its buddy list open. */
export async function finch(server: Server, local: string, password: string): Promise<Terminal> {
  const t = new Terminal(`finch-${local}`)
  const folder = join(t.home, '.purple')
  const peers = join(folder, 'certificates/x509/tls_peers')
  mkdirSync(peers, { recursive: true })
  for (const name of ['127.0.0.1', 'localhost']) copyFileSync(server.certificate, join(peers, name)) // COMPAT: asks for connect_server's name
  writeFileSync(join(folder, 'accounts.xml'), `<?xml version='1.0' encoding='UTF-8' ?>
<account version='1.0'><account><protocol>prpl-jabber</protocol><name>${local}@localhost/Finch</name><password>${password}</password>
<settings><setting name='connect_server' type='string'>127.0.0.1</setting><setting name='port' type='int'>${server.port}</setting><setting name='connection_security' type='string'>require_tls</setting></settings>
<settings ui='gnt-purple'><setting name='auto-login' type='bool'>1</setting></settings></account></account>
`)
  await t.starts(`finch -c ${folder}`)
  await t.sees('Buddy List')
  return t
}

/** mcabber, with its status window open. */
export async function mcabber(server: Server, local: string, password: string): Promise<Terminal> {
  const t = new Terminal(`mcabber-${local}`)
  const folder = join(t.home, '.mcabber')
  mkdirSync(join(folder, 'histo'), { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, 'mcabberrc'), `set jid = ${local}@localhost
set password = ${password}
set server = 127.0.0.1
set port = ${server.port}
set resource = mcabber
set tls = 1
set ssl_ignore_checks = 1
set nickname = ${local}
set logging = 0
set log_win_height = 12
set roster_width = 24
`, { mode: 0o600 })
  await t.starts(`mcabber -f ${folder}/mcabberrc`)
  await t.sees('Your status has been set')
  return t
}
