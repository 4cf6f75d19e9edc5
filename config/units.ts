// Sizes and spans of time as an admin writes them (pure).

const FACTORS: Readonly<Record<string, number>> = {
  B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3,
  ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000,
}

/** A size in bytes: 65536, `64KiB`, `unlimited` (Infinity); `undefined` if it is none. */
export function size(value: unknown): number | undefined {
  return typeof value === 'number' ? value : measure(value, /^([0-9]+) ?(B|KiB|MiB|GiB)$/)
}

/** A span of time in milliseconds: 30 (seconds), `30s`, `365d`, `unlimited` (Infinity); `undefined` if it is none. */
export function span(value: unknown): number | undefined {
  return typeof value === 'number' ? value * 1000 : measure(value, /^([0-9]+) ?(ms|s|m|h|d)$/)
}

function measure(value: unknown, shape: RegExp): number | undefined {
  if (value === 'unlimited') return Infinity
  const match = typeof value === 'string' ? shape.exec(value) : null
  return match ? Number(match[1]) * (FACTORS[match[2] ?? ''] ?? NaN) : undefined
}
