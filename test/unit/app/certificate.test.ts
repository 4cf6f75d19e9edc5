// When the log speaks of the certificate.
import assert from 'node:assert/strict'
import { Expiry } from '../../../app/certificate.ts'
import { silent, type Log } from '../../../server/ports/log.ts'
import { MovedClock } from '../../harness/clock.ts'

const DAY = 86_400_000

describe('app: the certificate’s end', () => {
  it('SEC-K25 is told 14, 7 and 1 days before and when it is there, and not again once another is in force', async () => {
    const clock = new MovedClock()
    let ends = clock.now() + 30 * DAY
    const said: string[] = []
    const log: Log = { ...silent, warn: (_, text) => said.push(/\d+ days/.exec(text)?.[0] ?? text), error: (_, text) => said.push(/has ended/.exec(text)?.[0] ?? text) }
    using expiry = new Expiry(() => ends, clock, log)
    await clock.advance(15 * DAY)
    assert.deepEqual(said, [])
    await clock.advance(DAY + 1000)
    assert.deepEqual(said.splice(0), ['14 days'])
    await clock.advance(13 * DAY)
    assert.deepEqual(said.splice(0), ['7 days', '1 days'])
    ends += 365 * DAY
    expiry.look()
    await clock.advance(2 * DAY)
    assert.deepEqual(said, [])
    ends = clock.now() - 1
    expiry.look()
    assert.deepEqual(said, ['has ended'])
  })
})
