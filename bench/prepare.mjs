// What the benches need and make by themselves: the loader, certificates, and for each server a folder with the accounts.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'

const HERE = new URL('.', import.meta.url).pathname
const LOADER = `${HERE}loader/xload`
const NODE = `${HERE}../node_modules/.bin/node`

const ran = (command, args, more = {}) => spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...more })

/** Tools that are not there. */
export const lacks = () => ['cc', 'openssl', 'taskset', 'bash'].filter(tool => ran('bash', ['-c', `command -v ${tool}`]).status !== 0)

export function prepare() {
  const source = `${HERE}loader/xload.c`
  if (!existsSync(LOADER) || statSync(LOADER).mtimeMs < statSync(source).mtimeMs) {
    const built = ran('cc', ['-O2', '-o', LOADER, source, '-lssl', '-lcrypto'])
    if (built.status !== 0) { console.error(`bench: the loader cannot be built (Debian: gcc libssl-dev): ${built.stderr.split('\n')[0]}`); process.exit(1) }
  }
  const cfg = `${HERE}cfg/`
  mkdirSync(cfg, { recursive: true })
  for (const [kind, key] of [['ec', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']], ['rsa', ['-newkey', 'rsa:2048']]]) {
    if (existsSync(`${cfg}all-${kind}.pem`)) continue
    ran('openssl', ['req', '-x509', ...key, '-nodes', '-days', '365', '-subj', '/CN=perf.local',
      '-addext', 'subjectAltName=DNS:perf.local,DNS:conference.perf.local', '-keyout', `${cfg}key-${kind}.pem`, '-out', `${cfg}cert-${kind}.pem`])
    writeFileSync(`${cfg}all-${kind}.pem`, readFileSync(`${cfg}cert-${kind}.pem`, 'utf8') + readFileSync(`${cfg}key-${kind}.pem`, 'utf8'), { mode: 0o644 })
  }
}

/** Makes the accounts of a server once and keeps its folder; false if that does not work. */
export function makeTemplate(server) {
  if (!existsSync(server.template)) {
    console.log(`${server.name}: making accounts`)
    const made = server.kind === 'deskbell' ? ran(NODE, [`${HERE}accounts.ts`, server.template]).status === 0 : overTheWire(server)
    if (!made) { rmSync(server.template, { recursive: true, force: true }); console.error(`bench: the accounts of ${server.name} cannot be made, left out`); return false }
  }
  if (!existsSync(server.cache)) warm(server)
  return true
}

function overTheWire(server) {
  return whileUp(server, port => {
    const load = (...args) => ran(LOADER, [...args, '--port', String(port)], { timeout: 900_000 }).status === 0
    return load('register', '--prefix', 'u', '--n', '5000') && load('register', '--prefix', 'r', '--n', '1000') && load('register', '--prefix', 'q', '--n', '501')
      && load('roster', '--prefix', 'r', '--n', '1000', '--k', '10') && load('roster', '--prefix', 'q', '--n', '501', '--shape', 'star')
  }, () => cpSync(server.data, server.template, { recursive: true, preserveTimestamps: true }))
}

/** Fills the loader's cache of PBKDF2 results, as clients keep them. */
function warm(server) {
  whileUp(server, port => {
    for (const [prefix, n] of [['u', 5000], ['r', 1000], ['q', 501]]) ran(LOADER, ['login', '--port', String(port), '--prefix', prefix, '--n', String(n), '--scram-cache', server.cache], { timeout: 600_000 })
    return true
  })
}

function whileUp(server, work, after = () => {}) {
  const up = ran('bash', ['-c', server.up('off', 'ec')], { timeout: 90_000 })
  if (up.status !== 0) { console.error(`${server.name} does not start: ${up.stderr}${up.stdout}`); return false }
  const done = work(server.port)
  ran('bash', ['-c', server.down], { timeout: 90_000 })
  if (done) after()
  return done
}
