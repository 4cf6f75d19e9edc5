// What one assignment costs with few and with very many waiting and agents: node bench/desk/assign.ts [--big 10000,1000] [--small 100,10] [--count 300]
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TestClock } from '../../server/ports/clock.ts'
import type { AnyStanza } from '../../server/stanza/stanza.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { config } from '../../test/harness/desk.ts'
import { DESK, openDesk } from './house.ts'

const arg = (name: string, otherwise: string): string => { const i = process.argv.indexOf(`--${name}`); return i > 0 ? process.argv[i + 1] ?? otherwise : otherwise }
const COUNT = Number(arg('count', '300'))
const AT_ONCE = 200

/** Milliseconds of this process's own time for each assignment: an agent closes a conversation, the next in line is given to him, and another customer comes. */
async function measure(waiting: number, agents: number): Promise<number> {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'deskbell-assign-')) // what is measured is no disk
  const stores = await openSqlite({ file: join(folder, 'desk.sqlite') })
  const clock = new TestClock()
  let joined = 0
  let more = (): void => {}
  const hears = (s: AnyStanza): void => { if (s.kind === 'message' && s.to?.local.startsWith('k') === true && s.payload.some(p => p.text.endsWith(' joined.'))) { joined++; more() } }
  const desk = await openDesk({ stores, clock, agents, config: config({ support: { accept: 'automatic' } }, { capacity: 1 }), hears })
  const until = async (n: number): Promise<void> => { while (joined < n) await new Promise<void>(next => { more = next }) }
  await clock.advance(0)
  const say = (who: number, body: string): Promise<void> => desk.says(`a${who}@localhost/pc`, `desk@${DESK}`, body)
  try {
    for (let i = 0; i < agents; i++) await desk.comes(`a${i}@localhost/pc`)
    await clock.advance(0)
    const come = async (from: number, to: number): Promise<void> => {
      for (let n = from; n < to; n += AT_ONCE) await Promise.all(Array.from({ length: Math.min(AT_ONCE, to - n) }, (_, i) => desk.says(`k${n + i}@localhost/pc`, `support@${DESK}`, `help, I am number ${n + i}`)))
      await clock.advance(0)
    }
    await come(0, agents)
    await until(agents)
    await come(agents, agents + waiting)
    await clock.advance(40_000) // the start is over, and those in line have been told where they stand
    const round = async (from: number, count: number): Promise<void> => {
      for (let i = from; i < from + count; i++) {
        await say(i % agents, '!close')
        await until(agents + i + 1)
        await come(agents + waiting + i, agents + waiting + i + 1) // the line stays as long
        await clock.advance(100)
      }
    }
    await round(0, 20)
    const cpu = process.cpuUsage()
    await round(20, COUNT)
    const used = process.cpuUsage(cpu)
    return (used.user + used.system) / 1000 / COUNT
  } finally {
    await desk[Symbol.asyncDispose]()
    await stores.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const pair = (text: string): [number, number] => { const [waiting = 0, agents = 0] = text.split(',').map(Number); return [waiting, agents] }
const [small, big] = [pair(arg('small', '100,10')), pair(arg('big', '10000,1000'))]
await measure(...small) // warms the code up
const one = await measure(...small)
console.log(`assignment, ${small[0]} waiting, ${small[1]} agents: ${one.toFixed(2)} ms CPU each`)
const two = await measure(...big)
console.log(`assignment, ${big[0]} waiting, ${big[1]} agents: ${two.toFixed(2)} ms CPU each, ${(two / one).toFixed(2)} times as much`)
process.exit(0)
