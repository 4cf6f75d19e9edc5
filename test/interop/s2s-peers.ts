// Stock servers of this machine as peers with domains of their own, which find us without a DNS.
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from '../harness/ports.ts'
import { Actor } from '../harness/scene.ts'
import { srv, Zone } from '../harness/zone.ts'
import { Program } from './program.ts'
import type { Peer, PeerSetup } from './s2s-peer.ts'

/** Debian's Prosody, with accounts for whoever asks. */
export async function prosody(setup: PeerSetup): Promise<Peer> {
  const { folder, domain, address, port, direct, c2s, paper, ca, us, ours, strict } = setup
  const data = join(folder, `prosody-${port}`)
  mkdirSync(join(data, 'modules'), { recursive: true })
  // Where a domain is, it would ask DNS; this one knows.
  writeFileSync(join(data, 'modules/mod_way.lua'), `
module:set_global()
local service, manual = require "net.resolvers.service", require "net.resolvers.manual"
local ours, new = { ${ours.map(d => `["${d}"] = true`).join(', ')} }, service.new
function service.new(host, name, conn_type, extra)
  if not ours[host] then return new(host, name, conn_type, extra) end
  return manual.new(name == "xmpp-server" and { { "tcp4", "127.0.0.1", ${us}, extra } } or {}, conn_type, extra)
end
`)
  const config = join(data, 'prosody.cfg.lua')
  writeFileSync(config, `
run_as_root = true
daemonize = false
pidfile = "${data}/pid"
data_path = "${data}"
plugin_paths = { "${data}/modules" }
interfaces = { "127.0.0.1" }
c2s_ports = { ${c2s} }
c2s_direct_tls_ports = {}
s2s_interfaces = { "${address}" }
s2s_ports = { ${port} }
s2s_direct_tls_ports = { ${direct} }
s2s_direct_tls_interfaces = { "${address}" }
http_ports = {}
https_ports = {}
modules_enabled = { "way", "disco", "roster", "saslauth", "ping", "tls", "dialback", "s2s_bidi", "smacks", "presence", "message", "iq", "offline", "limits", "pep" }
modules_disabled = { "http" }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
s2s_require_encryption = true
s2s_secure_auth = ${strict}
ssl = { certificate = "${paper.certificate}", key = "${paper.key}", cafile = "${ca}" }
authentication = "insecure"
insecure_open_authentication = "Yes please, I know what I'm doing!"
storage = "internal"
log = { debug = "${data}/log", info = "*stdout" }
VirtualHost "${domain}"
Component "rooms.${domain}" "muc"
`)
  const program = await Program.start('prosody', ['-F', '--config', config], /^(?=[^]*Activated service 's2s' on (?!no ports))(?=[^]*Activated service 'c2s' on (?!no ports))/)
  return new Running(setup, program)
}

class Running implements Peer {
  readonly #setup: PeerSetup
  readonly #program: Program
  readonly #actors: Actor[] = []
  readonly #end: () => void | Promise<void>
  /** `end` asks it to end, where the program is not the one that was started. */
  constructor(setup: PeerSetup, program: Program, end: () => void | Promise<void> = () => {}) { this.#setup = setup; this.#program = program; this.#end = end }

  async actor(local: string): Promise<Actor> {
    const actor = new Actor(local, `${local}@${this.#setup.domain}/p`)
    this.#actors.push(actor)
    await actor.connects(this.#setup.c2s)
    return actor
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const a of this.#actors.splice(0)) a.leaves()
    await this.#end()
    await this.#program[Symbol.asyncDispose]()
  }
}

/** Debian's ejabberd, with the accounts paul and rosa. */
export async function ejabberd(setup: PeerSetup): Promise<Peer> {
  const { folder, domain, address, port, direct, c2s, paper, ca, us, usDirect, ours, strict } = setup
  const data = join(folder, `ejabberd-${port}`)
  const [erlang] = await freePorts(1)
  mkdirSync(join(data, 'logs'), { recursive: true })
  mkdirSync(join(data, 'spool'), { recursive: true })
  writeFileSync(join(data, 'both.pem'), readFileSync(paper.certificate, 'utf8') + readFileSync(paper.key, 'utf8'))
  writeFileSync(join(data, 'ca.pem'), readFileSync(ca))
  const zone = await Zone.serve(Object.fromEntries(ours.map(d => usDirect === undefined
    ? [`_xmpp-server._tcp.${d} SRV`, [srv(0, 0, us, 'localhost')]]
    : [`_xmpps-server._tcp.${d} SRV`, [srv(0, 0, usDirect, 'localhost')]])))
  writeFileSync(join(data, 'inetrc'), `{resolv_conf, ""}.\n{lookup, [file]}.\n{nameserver, {127,0,0,1}, ${zone.port}}.\n`) // not the machine's DNS
  writeFileSync(join(data, 'ejabberd.yml'), `
loglevel: debug
hosts: ["${domain}"]
certfiles: ["${data}/both.pem"]
ca_file: "${data}/ca.pem"
s2s_cafile: "${data}/ca.pem"
s2s_use_starttls: required
outgoing_s2s_families: [ipv4]
s2s_dns_timeout: 1
s2s_dns_retries: 1
listen:
  - {port: ${c2s}, ip: "127.0.0.1", module: ejabberd_c2s, starttls: false}
  - {port: ${direct}, ip: "${address}", module: ejabberd_s2s_in, tls: true}
  - {port: ${port}, ip: "${address}", module: ejabberd_s2s_in}
auth_method: internal
access_rules:
  local: {allow: all}
acl: {}
api_permissions:
  all: {who: all, what: "*"}
modules:
  mod_roster: {}
  mod_disco: {}
  mod_offline: {}
  mod_ping: {}
  mod_caps: {}
  mod_pubsub: {plugins: [flat, pep], last_item_cache: false}
${strict ? '' : '  mod_s2s_dialback: {}\n'}  mod_muc: {host: "rooms.${domain}", default_room_options: {mam: false}}
`)
  writeFileSync(join(data, 'ejabberdctl.cfg'), `
ERLANG_NODE=s2s${port}@localhost
ERL_DIST_PORT=${erlang}
INET_DIST_INTERFACE=127.0.0.1
ERL_OPTIONS="-env ERL_CRASH_DUMP_BYTES 0 +S 1:1"
EJABBERD_PID_PATH=${data}/pid
EJABBERD_CONFIG_PATH=${data}/ejabberd.yml
CONFIG_DIR=${data}
SPOOL_DIR=${data}/spool
LOGS_DIR=${data}/logs
CONTRIB_MODULES_CONF_DIR=${data}/none
`)
  writeFileSync(join(data, 'pid'), '')
  // Debian's ejabberdctl runs it as its own user; without root it is the one who tests.
  const root = process.getuid?.() === 0
  if (root) {
    chmodSync(folder, 0o755)
    const [, , uid, gid] = execFileSync('getent', ['passwd', 'ejabberd'], { encoding: 'utf8' }).split(':')
    for (const path of ['', 'logs', 'spool', 'pid', 'both.pem', 'ca.pem', 'ejabberd.yml', 'inetrc', 'ejabberdctl.cfg']) chownSync(join(data, path), Number(uid), Number(gid))
  }
  const [command, ...control] = [...(root ? ['setpriv', '--reuid', 'ejabberd', '--regid', 'ejabberd', '--clear-groups'] : []), 'ejabberdctl', '--ctl-config', join(data, 'ejabberdctl.cfg')]
  const around = { cwd: data, env: { HOME: join(data, 'spool') } }
  const program = await Program.start(command!, [...control, 'foreground'], /Start accepting TCP connections at [^\n]*ejabberd_s2s_in/, around) // the list has a command
  const pid = Number(readFileSync(join(data, 'pid'), 'utf8')) // Erlang's: what was started is a script
  const running = new Running(setup, program, async () => {
    await zone[Symbol.asyncDispose]()
    try { process.kill(pid, 'SIGTERM') } catch { return } // it has ended by itself
    await program.says(/\(ended with/).catch(() => { process.kill(pid, 'SIGKILL') }) // it would outlive us
  })
  for (const local of ['paul', 'rosa']) {
    try {
      await promisify(execFile)(command!, [...control, 'register', local, domain, 'pw'], { ...around, env: { ...process.env, ...around.env } }) // the list has a command
    } catch (error) {
      if (!/already registered|conflict/.test(String((error as { stdout?: string }).stdout))) { await running[Symbol.asyncDispose](); throw error }
    }
  }
  return running
}
