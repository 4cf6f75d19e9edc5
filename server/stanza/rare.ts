// Libraries with large tables that only text beyond ASCII needs: most servers never read them.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** Reads a CommonJS package when it is asked for the first time. At once, without a promise: addresses are prepared on the hot path. */
export function whenNeeded<T>(name: string): () => T {
  let read: T | undefined
  return () => read ??= require(name) as T // the caller says what the package exports
}
