// The servers under test. `up(mam, cert)` is a command that prints the pids to account once the ports are open.
import { existsSync } from 'node:fs'

const HERE = new URL('.', import.meta.url).pathname
const B = `${HERE}bin/`
const R = `${HERE}run/`
const script = (name, cpu, more = '') => (mam, cert) => `${B}${name}-up.sh mam=${mam} cert=${cert} cpu=${cpu} ${more}`
const common = name => ({ name, down: `${B}${name}-down.sh`, cache: `${R}scram-${name}`, template: `${HERE}data/${name}-template`, data: `${HERE}data/${name}` })

const deskbell = { ...common('deskbell'), kind: 'deskbell', port: 25622, dtls: 25623, http: 25680, ws: '/xmpp-websocket', mam: { file: 'sqlite', sqlite: 'sqlite' }, installed: () => true }
const prosody = { ...common('prosody'), kind: 'prosody', port: 25222, dtls: 25223, http: 25280, ws: '/xmpp-websocket', mam: { file: 'internal', sqlite: 'sqlite' }, installed: () => existsSync('/usr/bin/prosody') }
const ejabberd = { ...common('ejabberd'), kind: 'ejabberd', port: 25322, dtls: 25323, http: 25380, ws: '/ws', mam: { file: 'mnesia', sqlite: 'sqlite' }, installed: () => existsSync('/usr/sbin/ejabberdctl') }

export const servers = {
  deskbell: { ...deskbell, up: script('deskbell', 0) },
  prosody: { ...prosody, up: script('prosody', 0) }, // as shipped
  'prosody-gc': { ...prosody, up: script('prosody', 0, 'gc="{ threshold = 200 }"') }, // Lua's garbage collector relaxed by the admin: its best case
  ejabberd: { ...ejabberd, up: script('ejabberd', 0) },
}
