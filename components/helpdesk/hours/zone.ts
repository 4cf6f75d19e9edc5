// From instants to what the wall clock of a zone shows, and back, nights of clock changes included. Pure.

const DAY = 86_400_000
const formats = new Map<string, Intl.DateTimeFormat>()

/** Whether the runtime's time zone data knows this IANA name. */
export function zoneExists(zone: string): boolean {
  try { return zone !== '' && !/^[+-]/.test(zone) && formatOf(zone) !== undefined } catch { return false }
}

/** What the clock on the wall shows at `at` (ms since 1970), written as if it were UTC. */
export const wallClock = (zone: string, at: number): number => at + offset(zone, at)

/** The first instant at which the clock on the wall shows `wall`; the moment of the jump where that time is left out. */
export function firstInstant(zone: string, wall: number): number {
  const before = offset(zone, wall - DAY)
  const after = offset(zone, wall + DAY)
  if (before === after) return wall - before
  for (const o of [Math.max(before, after), Math.min(before, after)]) if (offset(zone, wall - o) === o) return wall - o
  let [low, high] = [wall - DAY, wall + DAY]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offset(zone, middle) === before) low = middle
    else high = middle
  }
  return high
}

function offset(zone: string, at: number): number {
  const second = Math.floor(at / 1000) * 1000
  const part: Record<string, number> = {}
  for (const { type, value } of formatOf(zone).formatToParts(second)) part[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second: s = 0 } = part
  return Date.UTC(year, month - 1, day, hour, minute, s) - second
}

function formatOf(zone: string): Intl.DateTimeFormat {
  let f = formats.get(zone)
  if (!f) {
    f = new Intl.DateTimeFormat('en-US', { timeZone: zone, calendar: 'iso8601', numberingSystem: 'latn', hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' })
    formats.set(zone, f)
  }
  return f
}
