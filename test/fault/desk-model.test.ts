// A short model-based run; the long one is test/timed/desk-model.test.ts.
import assert from 'node:assert/strict'
import { modelRun } from '../harness/model.ts'

describe('a desk that dies again and again', function () {
  this.timeout(300_000)
  it('SEC-D30 SEC-D29 keeps its invariants over random doings and kill -9, and is what its logs say', async () => {
    const { done, last } = await modelRun({ operations: 900, deaths: 2, seed: 20261120 })
    assert.ok(done >= 600, `${done} were done`)
    // The play is worth something only if everything happens in it.
    for (const type of ['accepted', 'taken', 'requeued', 'closed', 'filed']) assert.ok(last.kinds.has(type), `${type} never happened`)
  })
})
