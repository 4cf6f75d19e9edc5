// Business hours: at the second, in zones, over midnight, on holidays and in the nights when clocks change.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isOpen, nextChange, readHours, type HoursSetting, type Schedule } from '../../../components/helpdesk/hours/hours.ts'

const schedule = (setting: HoursSetting): Schedule => {
  const s = readHours(setting)
  return 'wrong' in s ? assert.fail(s.wrong) : s
}
const at = (iso: string): number => Date.parse(iso)
const iso = (ms: number | undefined): string | undefined => ms === undefined ? undefined : new Date(ms).toISOString().replace('.000Z', 'Z')
const nine = ['09:00-17:00']
const workdays = { mon: nine, tue: nine, wed: nine, thu: nine, fri: nine }
const always = Object.fromEntries(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map(d => [d, ['00:00-24:00']]))

/** The changes from one moment up to another. */
function changes(s: Schedule, from: string, to: string): string[] {
  const found: string[] = []
  for (let t = nextChange(s, at(from)); t !== undefined && t <= at(to); t = nextChange(s, t)) found.push(`${iso(t)} ${isOpen(s, t) ? 'open' : 'closed'}`)
  return found
}

describe('business hours', () => {
  it('SS-10 opens at the first second of a range and is closed at its last', () => {
    const s = schedule({ zone: 'Europe/Berlin', week: workdays })
    assert.deepEqual(['2026-11-20T07:59:59.999Z', '2026-11-20T08:00:00Z', '2026-11-20T15:59:59.999Z', '2026-11-20T16:00:00Z'].map(t => isOpen(s, at(t))), [false, true, true, false])
    assert.equal(iso(nextChange(s, at('2026-11-20T12:00:00Z'))), '2026-11-20T16:00:00Z')
    assert.equal(iso(nextChange(s, at('2026-11-20T16:00:00Z'))), '2026-11-23T08:00:00Z', 'over the weekend')
  })

  it('SS-38 at 18:00 the department of 9 to 17 is closed, the one of 0 to 24 open', () => {
    const d1 = schedule({ zone: 'UTC', week: workdays })
    const d2 = schedule({ zone: 'UTC', week: always })
    assert.deepEqual([isOpen(d1, at('2026-11-20T18:00:00Z')), isOpen(d2, at('2026-11-20T18:00:00Z'))], [false, true])
    assert.equal(nextChange(d2, at('2026-11-20T18:00:00Z')), undefined)
  })

  it('SS-38 knows several ranges a day and ranges over midnight', () => {
    const s = schedule({ zone: 'Asia/Kolkata', week: { fri: ['22:00-02:00', '09:00-12:00'], sat: ['02:00-03:00'] } })
    assert.deepEqual(changes(s, '2026-11-19T00:00:00Z', '2026-11-22T00:00:00Z'), [
      '2026-11-20T03:30:00Z open', '2026-11-20T06:30:00Z closed', '2026-11-20T16:30:00Z open', '2026-11-20T21:30:00Z closed', // 02:00 is no change
    ])
  })

  it('SS-38 keeps to the holidays: of a year, of every year, closed or with hours of their own', () => {
    const s = schedule({ zone: 'UTC', week: { ...workdays, thu: ['18:00-06:00'] }, holidays: { '12-25': [], '2026-12-29': ['10:00-11:00'] } })
    assert.deepEqual(changes(s, '2026-12-24T00:00:00Z', '2026-12-30T00:00:00Z'), [
      '2026-12-24T18:00:00Z open', '2026-12-25T00:00:00Z closed', '2026-12-28T09:00:00Z open', '2026-12-28T17:00:00Z closed',
      '2026-12-29T10:00:00Z open', '2026-12-29T11:00:00Z closed',
    ])
    assert.equal(isOpen(s, at('2027-12-25T10:00:00Z')), false)
    assert.equal(isOpen(s, at('2027-12-29T16:00:00Z')), true)
  })

  it('SEC-D17 the night that lacks an hour: what lies in it is not there, what borders it begins or ends at the jump', () => {
    const s = schedule({ zone: 'Europe/Berlin', week: { sat: ['23:00-02:30'], sun: ['02:40-02:50', '02:55-04:00'] } })
    assert.deepEqual(changes(s, '2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z'), ['2026-03-28T22:00:00Z open', '2026-03-29T02:00:00Z closed'])
    const gap = schedule({ zone: 'Europe/Berlin', week: { sun: ['02:00-03:00'] } })
    assert.deepEqual(changes(gap, '2026-03-28T12:00:00Z', '2026-04-05T12:00:00Z'), ['2026-04-05T00:00:00Z open', '2026-04-05T01:00:00Z closed'])
  })

  it('SEC-D17 the night that has an hour twice: opens and closes at the first time, never twice', () => {
    const s = schedule({ zone: 'Europe/Berlin', week: { sun: ['01:00-02:30', '02:45-05:00'] } })
    assert.deepEqual(changes(s, '2026-10-24T12:00:00Z', '2026-10-25T12:00:00Z'), [
      '2026-10-24T23:00:00Z open', '2026-10-25T00:30:00Z closed', '2026-10-25T00:45:00Z open', '2026-10-25T04:00:00Z closed',
    ])
  })

  it('SEC-D17 holds where midnight itself jumps, where clocks move by half an hour, and where a day was left out', () => {
    const day = { sun: ['00:00-24:00'] }
    assert.deepEqual(changes(schedule({ zone: 'America/Santiago', week: day }), '2026-09-05T12:00:00Z', '2026-09-08T00:00:00Z'), ['2026-09-06T04:00:00Z open', '2026-09-07T03:00:00Z closed'])
    assert.deepEqual(changes(schedule({ zone: 'Australia/Lord_Howe', week: { sun: ['00:00-03:00'] } }), '2026-10-03T00:00:00Z', '2026-10-05T00:00:00Z'), ['2026-10-03T13:30:00Z open', '2026-10-03T16:00:00Z closed'])
    assert.deepEqual(changes(schedule({ zone: 'Pacific/Apia', week: { fri: ['08:00-09:00'], sat: ['08:00-09:00'] } }), '2011-12-29T12:00:00Z', '2012-01-01T00:00:00Z'), ['2011-12-30T18:00:00Z open', '2011-12-30T19:00:00Z closed'])
  })

  it('SEC-D17 the next change is a change, and there is none before it, wherever and whenever', () => {
    const zones = ['Europe/Berlin', 'America/New_York', 'America/Santiago', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Asia/Kathmandu', 'Pacific/Apia', 'UTC']
    const quarter = fc.integer({ min: 0, max: 95 }).map(q => `${String(q >> 2).padStart(2, '0')}:${String(q % 4 * 15).padStart(2, '0')}`)
    const day = fc.tuple(quarter, quarter).filter(([a, b]) => a !== b).map(([a, b]) => [`${a}-${b}`])
    const setting = fc.record({ zone: fc.constantFrom(...zones), week: fc.record({ mon: day, wed: day, sat: day, sun: day }), holidays: fc.constant({ '03-29': [] as string[], '2026-10-25': ['01:00-04:00'] }) })
    fc.assert(fc.property(setting, fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z') }), fc.double({ min: 0, max: 1, noNaN: true }), (set, t, part) => {
      const s = schedule(set)
      const next = nextChange(s, t)
      if (next === undefined) return assert.fail('nothing ever changes')
      assert.ok(next > t)
      assert.notEqual(isOpen(s, next), isOpen(s, next - 1))
      assert.equal(isOpen(s, Math.floor(t + (next - 1 - t) * part)), isOpen(s, t))
    }), { numRuns: 200 })
  })

  it('SS-38 says what is wrong with a setting, and the mend', () => {
    const wrong = (setting: HoursSetting): string | undefined => { const s = readHours(setting); return 'wrong' in s ? s.wrong : undefined }
    assert.match(wrong({ zone: 'Mars/Olympus', week: {} }) ?? '', /zone: "Mars\/Olympus".*Europe\/Berlin/)
    assert.match(wrong({ zone: '', week: {} }) ?? '', /zone/)
    for (const range of ['9-17', '09:00-25:00', '09:60-10:00', '24:00-25:00', '09:00–17:00', '']) assert.match(wrong({ zone: 'UTC', week: { tue: [range] } }) ?? '', /^week\.tue: .*09:00-17:30/, range)
    assert.match(wrong({ zone: 'UTC', week: { tue: ['09:00-09:00'] } }) ?? '', /00:00-24:00/)
    assert.match(wrong({ zone: 'UTC', week: { tue: ['09:00-12:00', '11:00-13:00'] } }) ?? '', /overlap/)
    assert.match(wrong({ zone: 'UTC', week: { tuesday: nine } as HoursSetting['week'] }) ?? '', /^week\.tuesday/)
    for (const date of ['2026-02-29', '13-01', '25.12.', '1-1']) assert.match(wrong({ zone: 'UTC', week: {}, holidays: { [date]: [] } }) ?? '', /is no date/, date)
    assert.equal(wrong({ zone: 'UTC', week: {}, holidays: { '02-29': [] } }), undefined)
  })

  it('SS-38 a department without hours is never open, and nothing changes', () => {
    const s = schedule({ zone: 'UTC', week: {} })
    assert.deepEqual([isOpen(s, at('2026-11-20T12:00:00Z')), nextChange(s, at('2026-11-20T12:00:00Z'))], [false, undefined])
  })
})
