// What docs/operate.md and contrib/ promise an admin: configs that pass, commands and series that there are.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { registryOf } from '../../../app/metrics.ts'
import { isVerb } from '../../../app/admin.ts'
import { readConfig } from '../../../config/load.ts'

const ROOT = join(import.meta.dirname, '../../..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const text = read('docs/operate.md')

describe('docs/operate.md and contrib', () => {
  it('every config in it passes', () => {
    const configs = [...text.matchAll(/```yaml\n([\s\S]*?)```/g), ...text.matchAll(/<<'END'\n([\s\S]*?)END\n/g)].map(m => m[1]!) // the pattern has one group
    assert.equal(configs.length, 5)
    for (const config of configs) {
      const loaded = readConfig(config.replace(/^tls:.*$/m, ""), '/etc/deskbell/deskbell.yaml')
      assert.ok(loaded.ok, loaded.ok ? '' : loaded.faults.join('\n'))
    }
  })

  it('every command in it is one', () => {
    const verbs = new Set([...text.matchAll(/(?:^|-- |`|&& )deskbell ([a-z0-9]+)/gm)].map(m => m[1]!)) // the pattern has one group
    assert.ok(verbs.size > 6, [...verbs].join())
    for (const verb of verbs) assert.ok(['start', 'check', 'restore', 'dial'].includes(verb) || isVerb(verb), verb)
  })

  it('every series that it and the dashboard name is told, and each with the labels that are asked', async () => {
    const kinds = { message: 0, presence: 0, iq: 0 }
    const lag = monitorEventLoopDelay()
    const registry = registryOf({
      ready: () => true, sessions: () => ({ tcp: 0, tls: 0, websocket: 0, bosh: 0, hibernated: 0, login: 0 }), stanzas: () => [['a', { in: kinds, out: kinds }]], certificateEnds: () => 0, logDropped: () => 0,
      store: () => ({ waiting: { writes: 0, reads: 0 }, writes: 0, reads: 0, commits: 0, failures: 0, journal: 0 }), pairs: () => [],
      desks: () => [['d', { happened: { opened: 0, closed: 0, offered: 0, accepted: 0, declined: 0, lapsed: 0, revoked: 0, lines: 0 }, queues: [{ queue: 'q', waiting: 0, offered: 0, active: 0, ended: 0, longest: 0, receiving: 0 }] }]],
    }, lag)
    const told = new Set((await registry.getMetricsAsJSON()).map(m => m.name))
    const named = [...`${text}${read('contrib/grafana/deskbell.json')}`.matchAll(/\bdeskbell_[a-z0-9_]+/g)].map(m => m[0])
    assert.ok(named.length > 30)
    for (const name of named) assert.ok(told.has(name), name)
  })

  it('the shell in it can be read by a shell, and the dashboard by Grafana', () => {
    for (const m of text.matchAll(/```sh\n([\s\S]*?)```/g)) execFileSync('bash', ['-n'], { input: m[1] })
    const board = JSON.parse(read('contrib/grafana/deskbell.json')) as { panels: { targets: { expr: string }[] }[] }
    for (const { targets } of board.panels) for (const { expr } of targets) assert.equal(expr.split('(').length, expr.split(')').length, expr)
  })

  it('the unit starts what there is, and gives it time to end', () => {
    const unit = read('contrib/systemd/deskbell.service')
    assert.match(unit, /ExecStart=\/opt\/deskbell\/node_modules\/\.bin\/node \/opt\/deskbell\/bin\/deskbell\.js start --config/)
    assert.ok(Number(/TimeoutStopSec=(\d+)/.exec(unit)?.[1]) > 30)
  })
})
