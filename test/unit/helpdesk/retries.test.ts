// What is tried again later, where even the store in which that is noted fails.
import assert from 'node:assert/strict'
import { Retries } from '../../../components/helpdesk/retries.ts'
import type { Jobs } from '../../../server/ports/jobs.ts'
import { silent } from '../../../server/ports/log.ts'
import { MovedClock } from '../../harness/clock.ts'

const HOUR = 3_600_000 // ms
const settled = (): Promise<void> => new Promise(done => { setImmediate(done) })

describe('what is tried again', () => {
  it('SEC-K04 comes at its time though the store failed when it was noted, and what is noted after that comes, too', async () => {
    const clock = new MovedClock()
    let full = true
    let work: () => Promise<unknown> = async () => {}
    const jobs = {
      define: (_: string, w: () => Promise<unknown>) => { work = w },
      once: async (_: string, __: string, at: number) => { if (full) throw new Error('the disk is full'); clock.alarm(at, async () => { await work() }) },
    } as unknown as Jobs // no more of them is asked
    const rung: string[] = []
    const retries = new Retries({ clock, jobs, log: silent }, 'mails', async keys => { rung.push(...keys) })
    retries.at('one', clock.now() + HOUR)
    await settled()
    await clock.advance(HOUR)
    assert.deepEqual(rung, ['one'])
    full = false
    retries.at('two', clock.now() + HOUR)
    await settled()
    await clock.advance(HOUR)
    assert.deepEqual(rung, ['one', 'two'])
    await retries.close()
  })
})
