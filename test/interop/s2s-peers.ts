// Stock servers of this machine as peers with domains of their own, which find us without a DNS.
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Paper } from '../wire/s2s-houses.ts'
import { Program } from './program.ts'

export interface PeerSetup {
  /** Emptied by the caller in the end. */
  readonly folder: string
  readonly domain: string
  /** 127.0.0.x, where other servers find it. */
  readonly address: string
  readonly port: number
  readonly c2s: number
  readonly paper: Paper
  /** A file of certificates that it trusts. */
  readonly ca: string
  /** Our port for other servers, for all of our domains. */
  readonly us: number
  readonly ours: readonly string[]
  /** True: certificates that cannot be verified are refused. False: dialback is enough. */
  readonly strict: boolean
}

/** Debian's Prosody, with accounts for whoever asks. */
export function prosody(setup: PeerSetup, more = ''): Promise<Program> {
  const { folder, domain, address, port, c2s, paper, ca, us, ours, strict } = setup
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
s2s_direct_tls_ports = {}
http_ports = {}
https_ports = {}
modules_enabled = { "way", "disco", "roster", "saslauth", "ping", "tls", "dialback", "s2s_bidi", "smacks", "presence", "message", "iq", "offline", "limits", ${more} }
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
  return Program.start('prosody', ['-F', '--config', config], /^(?=[^]*Activated service 's2s' on (?!no ports))(?=[^]*Activated service 'c2s' on (?!no ports))/)
}

/** Debian's ejabberd; accounts are made by `registers`. */
export class Ejabberd implements AsyncDisposable {
  readonly #control: readonly string[]
  readonly #around: { readonly cwd: string; readonly env: Readonly<Record<string, string>> }
  readonly #program: Program
  private constructor(control: readonly string[], around: { cwd: string; env: Record<string, string> }, program: Program) { this.#control = control; this.#around = around; this.#program = program }

  static async start(setup: PeerSetup, erlangPort: number): Promise<Ejabberd> {
    const { folder, domain, address, port, c2s, paper, ca, us, strict } = setup
    const data = join(folder, `ejabberd-${port}`)
    mkdirSync(join(data, 'logs'), { recursive: true })
    mkdirSync(join(data, 'spool'), { recursive: true })
    writeFileSync(join(data, 'both.pem'), readFileSync(paper.certificate, 'utf8') + readFileSync(paper.key, 'utf8'))
    writeFileSync(join(data, 'ca.pem'), readFileSync(ca))
    writeFileSync(join(data, 'inetrc'), '{lookup, [file]}.\n{nameserver, {127,0,0,1}}.\n') // nobody's DNS
    writeFileSync(join(data, 'ejabberd.yml'), `
loglevel: debug
hosts: ["${domain}"]
certfiles: ["${data}/both.pem"]
ca_file: "${data}/ca.pem"
s2s_cafile: "${data}/ca.pem"
s2s_use_starttls: required
outgoing_s2s_port: ${us}
outgoing_s2s_families: [ipv4]
s2s_dns_timeout: 1
s2s_dns_retries: 1
listen:
  - {port: ${c2s}, ip: "127.0.0.1", module: ejabberd_c2s, starttls: false}
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
${strict ? '' : '  mod_s2s_dialback: {}\n'}  mod_muc: {host: "rooms.${domain}", default_room_options: {mam: false}}
`)
    writeFileSync(join(data, 'ejabberdctl.cfg'), `
ERLANG_NODE=s2s${port}@localhost
ERL_DIST_PORT=${erlangPort}
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
    return new Ejabberd([command!, ...control], around, program)
  }

  async registers(local: string, domain: string, password: string): Promise<void> {
    const [command, ...control] = this.#control
    await promisify(execFile)(command!, [...control, 'register', local, domain, password], { ...this.#around, env: { ...process.env, ...this.#around.env } }) // start put it there
  }

  [Symbol.asyncDispose](): Promise<void> { return this.#program[Symbol.asyncDispose]() }
}
