// Random doings with kill -9 in between: OPERATIONS=1000000 is the long run of some forty minutes, SEED another one.
import assert from 'node:assert/strict'
import { modelRun } from '../harness/model.ts'

const operations = Number(process.env['OPERATIONS'] ?? 20_000)
const seed = Number(process.env['SEED'] ?? 7)

describe('a desk that dies again and again', function () {
  this.timeout(0)
  it(`SEC-D30 keeps its invariants over ${operations} random doings`, async () => {
    const { done, last } = await modelRun({ operations, deaths: Math.min(100, Math.ceil(operations / 2000)), seed })
    assert.ok(done >= operations * 0.7 && last.events > 0, `${done} were done`)
  })
})
