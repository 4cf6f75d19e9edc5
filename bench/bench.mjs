// Measures deskbell beside each installed peer: node bench/bench.mjs [--servers a,b] [--tests name,muc*,all] [--reps 3] [--out FILE]
// Builds the loader, certificates and accounts by itself where they are lacking. A fresh server for each run: it on core 0, the loader on core 1.
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { lacks, makeTemplate, prepare } from './prepare.mjs'
import { report } from './report.mjs'
import { servers } from './servers.mjs'
import { figureOf, SHORT, tests } from './tests.mjs'

const HERE = new URL('.', import.meta.url).pathname
const LOADER = `${HERE}loader/xload`
const arg = (name, otherwise) => { const i = process.argv.indexOf(`--${name}`); return i > 0 ? process.argv[i + 1] : otherwise }

mkdirSync(`${HERE}run`, { recursive: true })
alone()
const out = arg('out', `${HERE}run/results.jsonl`)
if (!arg('out')) rmSync(out, { force: true })
const asked = arg('servers', 'deskbell,prosody,prosody-gc,ejabberd').split(',')
const wanted = arg('tests')?.split(',') ?? SHORT
const reps = Number(arg('reps', '1'))

const DESK = { 'desk-assign': 'assign.ts', 'desk-search': 'search.ts' }
const isWanted = name => wanted.some(w => w === 'all' || w === name || (w.endsWith('*') && name.startsWith(w.slice(0, -1))))
for (const [name, file] of Object.entries(DESK)) if (isWanted(name)) spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', `${HERE}desk/${file}`], { stdio: 'inherit' })
if (wanted.every(w => w.startsWith('desk'))) process.exit(0)

const lacking = lacks()
if (lacking.length > 0) { console.error(`bench: not found: ${lacking.join(', ')}`); process.exit(1) }
prepare()
const here = asked.filter(name => {
  const server = servers[name]
  if (!server) { console.error(`bench: there is no server called ${name}`); return false }
  if (!server.installed()) { console.log(`${name}: not installed, left out`); return false }
  return makeTemplate(server)
})

const chosen = tests.filter(t => isWanted(t.name))
for (let rep = 1; rep <= reps; rep++) for (const test of chosen) for (const name of here) run(servers[name], name, test, rep)
report([out], chosen)

function run(server, name, test, rep) {
  const mam = test.mam ? server.mam[test.mam] : 'off'
  if (mam === undefined) return
  const up = shell(server.up(mam, test.cert ?? 'ec'))
  const pids = up.stdout.trim().split(/\s+/).filter(Boolean)
  if (up.status !== 0 || pids.length === 0) { console.error(`${name} does not start: ${up.stderr}${up.stdout}`); shell(server.down); return }
  const args = [
    test.mode, '--port', test.ws ? server.http : server.port, ...(test.ws ? ['--ws', server.ws] : []), ...test.args,
    '--tag', `${name}/${test.name}`, '--scram-cache', server.cache, ...pids.flatMap(p => ['--pid', p]),
  ].map(String)
  let result = load(args)
  if (test.half && result.rate_1s_median) result = load([...args, '--rate', String(Math.round(result.rate_1s_median / 2))])
  shell(server.down)
  appendFileSync(out, `${JSON.stringify({ server: name, test: test.name, rep, mam, ...result })}\n`)
  const figure = figureOf(test, result)
  const flaws = ['lost_msgs', 'lost', 'errors', 'missing', 'lost_conns'].filter(k => result[k]).map(k => `${k}=${result[k]}`)
  console.log(`${name.padEnd(12)} ${test.name.padEnd(18)} ${figure === undefined ? 'failed' : `${figure} ${test.unit}`} ${flaws.join(' ')} ${result.said ?? ''}`)
}

function load(args) {
  const ran = spawnSync('taskset', ['-c', process.env.LOAD_CPU ?? '1', LOADER, ...args], { encoding: 'utf8', timeout: 400_000 })
  const said = ran.stderr.trim().split('\n').slice(0, 3).join(' | ')
  try { return { ...JSON.parse(ran.stdout.trim().split('\n').at(-1)), ...(said && { said }) } } catch { return { said: said || 'no answer' } }
}

/** Two benches at once would take each other's servers and ports. */
function alone() {
  const lock = `${HERE}run/bench.pid`
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0)
    console.error('bench: another one is running')
    process.exit(1)
  } catch { /* there is none */ }
  writeFileSync(lock, String(process.pid))
  process.on('exit', () => rmSync(lock, { force: true }))
}

function shell(command) {
  return spawnSync('bash', ['-c', command], { encoding: 'utf8', timeout: 90_000, stdio: ['ignore', 'pipe', 'pipe'] })
}
