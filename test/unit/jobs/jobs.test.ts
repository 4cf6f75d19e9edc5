// Jobs: at their time by the house's clock, once, again after failures, over restarts.
import assert from 'node:assert/strict'
import { openJobs } from '../../../server/jobs/jobs.ts'
import type { TestClock } from '../../../server/ports/clock.ts'
import type { Jobs } from '../../../server/ports/jobs.ts'
import { silent } from '../../../server/ports/log.ts'
import type { Stores } from '../../../server/ports/store.ts'
import { openSqlite } from '../../../server/store/sqlite/sqlite.ts'
import { MovedClock } from '../../harness/clock.ts'

const MINUTE = 60_000
const DAY = 1440 * MINUTE

describe('jobs', () => {
  let stores: Stores
  let clock: TestClock
  let owners = 0
  const open: Jobs[] = []
  const jobs = async (owner = `o${++owners}`): Promise<Jobs> => {
    const j = await openJobs({ documents: stores.documents, owner, clock, log: silent })
    open.push(j)
    return j
  }
  before(async () => { stores = await openSqlite({ file: ':memory:' }) })
  after(() => stores.close())
  beforeEach(() => { clock = new MovedClock() })
  afterEach(() => Promise.all(open.splice(0).map(j => j.close())))

  it('ST-76 a daily job runs once a day, and is done when the clock has moved on', async () => {
    const j = await jobs()
    let runs = 0
    j.define('purge', async () => { await new Promise(done => { setImmediate(done) }); runs++ })
    await j.start()
    await j.every('purge', DAY)
    await clock.advance(DAY - MINUTE)
    assert.equal(runs, 0)
    await clock.advance(MINUTE)
    assert.equal(runs, 1)
    await clock.advance(3 * DAY + MINUTE)
    assert.equal(runs, 4)
  })

  it('runs a single job once at its time, with its data and key, and forgets it', async () => {
    const j = await jobs()
    const ran: unknown[] = []
    j.define('digest', async (data, key) => { ran.push([data, key]) })
    await j.start()
    await j.once('digest', 'ann', clock.now() + 2 * MINUTE, { to: 'ann@x' })
    await j.once('digest', 'bob', clock.now() + 5 * MINUTE)
    assert.equal((await j.list()).length, 2)
    await clock.advance(2 * MINUTE)
    assert.deepEqual(ran, [[{ to: 'ann@x' }, 'ann']])
    await clock.advance(10 * MINUTE)
    assert.deepEqual(ran, [[{ to: 'ann@x' }, 'ann'], [undefined, 'bob']])
    assert.deepEqual(await j.list(), [])
  })

  it('runs at once what is due already', async () => {
    const j = await jobs()
    const done = Promise.withResolvers<void>()
    j.define('now', async () => done.resolve())
    await j.start()
    await j.once('now', 'k', clock.now() - DAY)
    await done.promise
  })

  it('takes a new time for the same key in place of the old, also from within the run', async () => {
    const j = await jobs()
    const ran: unknown[] = []
    j.define('again', async data => {
      ran.push(data)
      if (data === 'first') await j.once('again', 'k', clock.now() + 10 * MINUTE, 'second')
    })
    await j.start()
    await j.once('again', 'k', clock.now() + MINUTE, 'zeroth')
    await j.once('again', 'k', clock.now() + 5 * MINUTE, 'first')
    await clock.advance(2 * MINUTE)
    assert.deepEqual(ran, [])
    await clock.advance(3 * MINUTE)
    assert.deepEqual(ran, ['first'])
    assert.equal((await j.list()).length, 1)
    await clock.advance(10 * MINUTE)
    assert.deepEqual(ran, ['first', 'second'])
    assert.deepEqual(await j.list(), [])
  })

  it('tries a failing job again after its pauses, then drops it; a repeated one comes at its next turn', async () => {
    const j = await jobs()
    let single = 0
    let repeated = 0
    j.define('single', async () => { single++; throw new Error('no') }, { pauses: [MINUTE, 5 * MINUTE] })
    j.define('repeated', async () => { repeated++; throw new Error('no') }, { pauses: [] })
    await j.start()
    await j.once('single', 'k', clock.now() + MINUTE)
    await j.every('repeated', DAY)
    await clock.advance(MINUTE)
    assert.equal(single, 1)
    assert.deepEqual((await j.list()).find(w => w.name === 'single')?.why, 'no')
    await clock.advance(MINUTE)
    assert.equal(single, 2)
    await clock.advance(5 * MINUTE)
    await clock.advance(60 * MINUTE)
    assert.equal(single, 3)
    assert.deepEqual((await j.list()).map(w => w.name), ['repeated'])
    await clock.advance(2 * DAY)
    assert.equal(repeated, 2)
  })

  it('goes on after a restart: what waited waits, what was overdue runs, and the turn of a repeated job does not begin anew', async () => {
    const owner = 'restart'
    const first = await jobs(owner)
    first.define('daily', async () => {})
    first.define('single', async () => {})
    await first.start()
    await first.every('daily', DAY)
    await first.once('single', 'k', clock.now() + 60 * MINUTE, 7)
    await clock.advance(30 * MINUTE)
    await first.close()
    await clock.advance(40 * MINUTE)
    const ran: string[] = []
    const second = await jobs(owner)
    second.define('daily', async () => { ran.push('daily') })
    const overdue = Promise.withResolvers<void>()
    second.define('single', async data => { ran.push(`single ${String(data)}`); overdue.resolve() })
    await second.start()
    await second.every('daily', DAY)
    await overdue.promise
    assert.deepEqual(ran, ['single 7'])
    await clock.advance(DAY - 70 * MINUTE)
    assert.deepEqual(ran, ['single 7', 'daily'])
  })

  it('runs again what a crash broke off', async () => {
    const owner = 'crash'
    const first = await jobs(owner)
    const begun = Promise.withResolvers<void>()
    const never = Promise.withResolvers<void>()
    first.define('work', async () => { begun.resolve(); await never.promise })
    await first.start()
    await first.once('work', 'k', clock.now(), 'data')
    await begun.promise // and here the process dies
    const again = Promise.withResolvers<unknown>()
    const second = await jobs(owner)
    second.define('work', async data => again.resolve(data))
    await second.start()
    assert.equal(await again.promise, 'data')
    never.resolve()
  })

  it('cancels by name and key, and nothing else', async () => {
    const j = await jobs()
    const ran: string[] = []
    j.define('a', async (_, key) => { ran.push(key) })
    await j.start()
    for (const key of ['x', 'y']) await j.once('a', key, clock.now() + MINUTE)
    assert.deepEqual([await j.cancel('a', 'x'), await j.cancel('a', 'x'), await j.cancel('b', 'y'), await j.cancel('a')], [true, false, false, false])
    await clock.advance(MINUTE)
    assert.deepEqual(ran, ['y'])
  })

  it('runs as many of a kind at once as it is told', async () => {
    const j = await jobs()
    let now = 0
    let most = 0
    const work = async (): Promise<void> => { most = Math.max(most, ++now); await new Promise(done => { setImmediate(done) }); now-- }
    j.define('one', work)
    await j.start()
    await Promise.all(Array.from({ length: 20 }, (_, i) => j.once('one', String(i), clock.now() + MINUTE)))
    await clock.advance(MINUTE)
    assert.deepEqual([most, (await j.list()).length], [1, 0])
    const three = await jobs()
    most = 0
    three.define('three', work, { atOnce: 3 })
    await three.start()
    await Promise.all(Array.from({ length: 20 }, (_, i) => three.once('three', String(i), clock.now() + MINUTE)))
    await clock.advance(MINUTE)
    assert.ok(most > 1 && most <= 3, `${most}`)
  })
})
