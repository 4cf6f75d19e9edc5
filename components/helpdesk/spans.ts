// Moments as people type them: spans from now, and dates. Pure.

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const YEARS = 10 * 366 * 86_400_000

/** `30` and `30m` are minutes from now, `2h`, `3d`, `1w` likewise; `2026-12-24` or `2026-12-24T10:00Z` a date (UTC without a zone). In ms since 1970; undefined: neither, past, or more than ten years away. */
export function momentOf(text: string, now: number): number | undefined {
  const t = text.trim().toLowerCase()
  const span = /^(\d{1,6})\s*([mhdw]?)$/.exec(t)
  const date = /^\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d)?(?:z|[+-]\d\d:\d\d)?)?$/.exec(t)
  const at = span ? now + Number(span[1]) * (UNITS[span[2] || 'm'] ?? 0) : date ? Date.parse(t.length > 10 && !/z$|[+-]\d\d:\d\d$/.test(t) ? `${t.replace(' ', 't')}z`.toUpperCase() : t.replace(' ', 't').toUpperCase()) : NaN
  return Number.isFinite(at) && at > now && at < now + YEARS ? at : undefined
}
