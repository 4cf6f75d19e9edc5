// Medians of what was measured, deskbell beside the best peer, and the ratio: node bench/report.mjs FILE.jsonl…
import { existsSync, readFileSync } from 'node:fs'
import { figureOf, tests as all } from './tests.mjs'

/** Prints a line for each test that was run. */
export function report(files, tests = all) {
  const records = files.filter(f => existsSync(f)).flatMap(f => readFileSync(f, 'utf8').trim().split('\n').filter(Boolean).map(line => JSON.parse(line)))
  const names = [...new Set(records.map(r => r.server))]
  const peers = names.filter(n => n !== 'deskbell')
  const cell = text => String(text).padStart(12)
  console.log(`\n${'work'.padEnd(20)}${'unit'.padEnd(26)}${names.map(cell).join('')}${cell('best peer /')}${cell('goal')}`)
  for (const test of tests) {
    const figures = new Map(names.map(n => [n, median(records.filter(r => r.server === n && r.test === test.name).map(r => figureOf(test, r)))]))
    if ([...figures.values()].every(Number.isNaN)) continue
    const best = Math.min(...peers.map(p => figures.get(p)).filter(v => !Number.isNaN(v)))
    const ours = figures.get('deskbell')
    const ratio = ours > 0 && Number.isFinite(best) ? `${(best / ours).toFixed(1)} x` : ''
    console.log(`${test.name.padEnd(20)}${test.unit.padEnd(26)}${names.map(n => cell(Number.isNaN(figures.get(n)) ? '-' : +figures.get(n).toPrecision(3))).join('')}${cell(ratio)}${cell(test.goal === undefined ? '' : `${ours <= test.goal ? 'ok' : 'over'} ${test.goal}`)}`)
  }
}

function median(values) {
  const sorted = values.filter(v => typeof v === 'number').sort((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  return sorted.length === 0 ? NaN : sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

if (process.argv[1] === import.meta.filename) report(process.argv.slice(2))
