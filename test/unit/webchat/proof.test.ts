// The work that a page does before a conversation: what the widget finds is what the desk believes, once.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { Work } from '../../../components/helpdesk/intake/work.ts'
import { first, solve } from '../../../web/widget/proof.ts'

const NOW = 1_800_000_000_000
const going = new AbortController().signal

describe('proof of work', () => {
  it('the widget’s hash is SHA-256', () => {
    fc.assert(fc.property(fc.string({ maxLength: 55 }).filter(t => /^[\x20-\x7e]*$/.test(t)), text => first(text) === createHash('sha256').update(text).digest().readUInt32BE(0)))
  })

  it('SEC-W33 what was solved is believed once, from whom it was asked, for ten minutes', async () => {
    const work = new Work()
    const solved = await solve(work.issue('zoe', 10, NOW), 10, going) ?? ''
    assert.ok(!work.believes(solved, 'eve', 10, NOW), 'another’s')
    assert.ok(!work.believes(solved, 'zoe', 11, NOW), 'too easy by now')
    assert.ok(!work.believes(solved, 'zoe', 10, NOW + 600_000), 'over')
    assert.ok(!new Work().believes(solved, 'zoe', 10, NOW), 'asked by a server that is gone')
    assert.ok(work.believes(solved, 'zoe', 10, NOW))
    assert.ok(!work.believes(solved, 'zoe', 10, NOW), 'again')
  })

  it('SEC-W33 nothing, nonsense, a challenge unsolved or made easier is not believed', async () => {
    const work = new Work()
    const challenge = work.issue('zoe', 20, NOW)
    const easier = challenge.replace(/^20/, '8')
    for (const said of ['', '.', 'x', challenge, `${challenge}.`, `${challenge}.ZZ`, `${challenge}.${'1'.repeat(10)}`, await solve(easier, 8, going) ?? '', `${await solve(easier, 8, going)}`.replace(/^8/, '20')]) assert.ok(!work.believes(said, 'zoe', 8, NOW), said)
  })

  it('work that is stopped ends without an answer', async () => {
    assert.equal(await solve('32.abcdefgh.aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb', 32, AbortSignal.abort()), undefined)
  })
})
