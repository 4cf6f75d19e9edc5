// Small things that the store's suites make.
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
export const pad = (n: number): string => String(n).padStart(6, '0')
export const ids = (rows: readonly { id: string }[]): string[] => rows.map(row => row.id)
