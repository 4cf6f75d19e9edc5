// When a department is open: weekly ranges and holidays on the wall clock of a zone. Pure.
import { firstInstant, wallClock, zoneExists } from './zone.ts'

/** As an admin writes it: `{ zone: 'Europe/Berlin', week: { mon: ['09:00-12:00', '13:00-17:30'], fri: ['22:00-02:00'] }, holidays: { '12-25': [], '2026-12-31': ['09:00-12:00'] } }`. */
export interface HoursSetting {
  /** An IANA name. */
  readonly zone: string
  /** Days without ranges are closed. A range whose end is not after its beginning ends on the next day; 24:00 is midnight. */
  readonly week: Readonly<Partial<Record<Weekday, readonly string[]>>>
  /** By date, `YYYY-MM-DD` or `MM-DD` for every year: what holds instead of the weekday, none = closed. It also cuts off what runs over from the eve. */
  readonly holidays?: Readonly<Record<string, readonly string[]>>
}
export type Weekday = typeof WEEKDAYS[number]

/** A checked setting. Minutes since local midnight; `to` may lie beyond 1440. */
export interface Schedule {
  readonly zone: string
  /** Seven, from Monday. */
  readonly week: readonly (readonly Span[])[]
  readonly holidays: ReadonlyMap<string, readonly Span[]>
}
interface Span { readonly from: number; readonly to: number }
/** Milliseconds since 1970; `to` is outside. */
interface Stretch { from: number; to: number }

const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const DAY = 86_400_000
const MINUTE = 60_000
const AHEAD = 400 // days that are looked at for the next change

/** Checks a setting; gives what is wrong and the mend where it cannot be followed. */
export function readHours(setting: HoursSetting): Schedule | { readonly wrong: string } {
  if (!zoneExists(setting.zone)) return { wrong: `zone: "${setting.zone}" is no IANA time zone: write one such as Europe/Berlin` }
  const week: (readonly Span[])[] = []
  for (const day of WEEKDAYS) {
    const spans = readSpans(setting.week[day] ?? [])
    if (typeof spans === 'string') return { wrong: `week.${day}: ${spans}` }
    week.push(spans)
  }
  for (const day of Object.keys(setting.week)) if (!WEEKDAYS.some(w => w === day)) return { wrong: `week.${day}: there is no such day: write ${WEEKDAYS.join(', ')}` }
  const holidays = new Map<string, readonly Span[]>()
  for (const [date, ranges] of Object.entries(setting.holidays ?? {})) {
    if (!isDate(date)) return { wrong: `holidays.${date}: is no date: write 2026-12-25, or 12-25 for every year` }
    const spans = readSpans(ranges)
    if (typeof spans === 'string') return { wrong: `holidays.${date}: ${spans}` }
    holidays.set(date, spans)
  }
  return { zone: setting.zone, week, holidays }
}

/** Whether the department is open at `at` (ms since 1970). A range counts from its first second, and no more from its last. */
export function isOpen(schedule: Schedule, at: number): boolean {
  const first = stretches(schedule, at).next().value
  return first !== undefined && first.from <= at
}

/** The next moment at which open turns to closed or closed to open; none if nothing changes within 400 days. */
export function nextChange(schedule: Schedule, at: number): number | undefined {
  const end = at + AHEAD * DAY
  let open: number | undefined // until when it is open without a break
  for (const s of stretches(schedule, at)) {
    if (s.from > end) break
    if (open === undefined) {
      if (s.from > at) return s.from
      open = s.to
    } else if (s.from > open) return open
    else open = Math.max(open, s.to)
  }
  return open !== undefined && open <= end ? open : undefined
}

/** What is open and not over at `at`, ordered by beginning within a day, and day by day. */
function* stretches(schedule: Schedule, at: number): Generator<Stretch, undefined> {
  const today = Math.floor(wallClock(schedule.zone, at) / DAY) * DAY
  for (let day = today - DAY; day <= today + (AHEAD + 1) * DAY; day += DAY) {
    const spans = spansOf(schedule, day)
    const cut = holiday(schedule, day + DAY) ? DAY / MINUTE : Infinity
    for (const { from, to } of spans) {
      const s = { from: firstInstant(schedule.zone, day + from * MINUTE), to: firstInstant(schedule.zone, day + Math.min(to, cut) * MINUTE) }
      if (s.to > at && s.to > s.from) yield s
    }
  }
  return undefined
}

const spansOf = (s: Schedule, day: number): readonly Span[] => holiday(s, day) ?? s.week[(new Date(day).getUTCDay() + 6) % 7] ?? []

function holiday(s: Schedule, day: number): readonly Span[] | undefined {
  if (s.holidays.size === 0) return undefined
  const date = new Date(day).toISOString().slice(0, 10)
  return s.holidays.get(date) ?? s.holidays.get(date.slice(5))
}

/** Ordered spans, or what is wrong. */
function readSpans(ranges: readonly string[]): readonly Span[] | string {
  const spans: Span[] = []
  for (const range of ranges) {
    const m = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(range)
    const [h = 99, min = 99, h2 = 99, min2 = 99] = (m ?? []).slice(1).map(Number)
    const from = h * 60 + min
    const until = h2 * 60 + min2
    if (!m || h > 23 || min > 59 || min2 > 59 || until > 1440) return `"${range}" is no range of hours: write 09:00-17:30`
    if (from === until) return `"${range}" begins where it ends: write 00:00-24:00 for the whole day`
    spans.push({ from, to: until > from ? until : until + 1440 })
  }
  spans.sort((a, b) => a.from - b.from)
  for (const [i, s] of spans.entries()) if (i > 0 && s.from < spans[i - 1]!.to) return 'ranges overlap: make one of them' // i - 1 is within
  return spans
}

function isDate(text: string): boolean {
  if (!/^(\d{4}-)?\d\d-\d\d$/.test(text)) return false
  const full = text.length === 5 ? `2000-${text}` : text // a leap year: 02-29 is a date
  const at = Date.parse(`${full}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(full)
}
