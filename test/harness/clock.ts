// Time in tests. It goes on as the machine's does, but no further at once than this process comes: where the machine is slow or busy, it goes as slowly as the work.
import { TestClock, type Clock } from '../../server/ports/clock.ts'

const STEP = 5 // ms

type Alarm = { readonly at: number; readonly ring: () => void | Promise<void> }

let gone = 0 // ms
const alarms = new Set<Alarm>()
let last: number | undefined

function begins(): void {
  if (last !== undefined) return
  last = performance.now()
  setInterval(() => {
    const real = performance.now()
    gone += Math.min(real - last!, STEP) // set above
    last = real
    for (const a of [...alarms].filter(x => x.at <= gone).sort((x, y) => x.at - y.at)) if (alarms.delete(a)) void a.ring()
  }, STEP).unref()
}

/** In place of the machine's clock; begins at the machine's time. */
export function paced(): Clock {
  begins()
  const start = Date.now() - Math.floor(gone)
  return {
    now: () => start + Math.floor(gone),
    alarm(at, ring) {
      if (at - start <= gone) { const soon = setTimeout(() => void ring(), 0); return { [Symbol.dispose]: () => clearTimeout(soon) } }
      const a = { at: at - start, ring }
      alarms.add(a)
      return { [Symbol.dispose]: () => { alarms.delete(a) } }
    },
  }
}

/** The same plus an offset that a test moves. */
export class MovedClock extends TestClock { constructor() { super(paced()) } }
