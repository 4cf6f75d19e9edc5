// How long a test waits for what must come. It only ends a hang: nothing is proved by it, so it is long enough for a slow machine with other work.
import { AssertionError } from 'node:assert'

/** Milliseconds after which what should have come is taken as missing. */
export const PATIENCE = 60_000

/** Asks again and again until it is so; between two questions everything else has its turn. For what nobody tells the test of. */
export async function until(is: () => Promise<boolean> | boolean, what: string | (() => string)): Promise<void> {
  for (const end = performance.now() + PATIENCE; !await is();) {
    if (performance.now() > end) throw new AssertionError({ message: typeof what === 'string' ? what : what() })
    await new Promise(ok => { setImmediate(ok) })
  }
}
