// Readers of live lists and what they are shown: what scenes of them share.
import assert from 'node:assert/strict'
import { config, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { Reader, type Came } from '../harness/events.ts'

export const CALM = { quality: { idleWarning: 0, idleCritical: 0 }, handOff: { closed: { enabled: false } }, departments: { help: { queues: ['support'] }, money: { queues: ['billing'] } } }
export const PULL = config({ support: { assign: 'pull' }, billing: { assign: 'pull' } })
export const BILLING = 'billing@help.localhost'

export const listens = async (d: DeskHouse, path: string, who: string, lastId?: string): Promise<Reader> => Reader.opens(d, path, (await d.address(who)).token, lastId)
export const waits = async (d: DeskHouse, name: string, queue = SUPPORT): Promise<Person> => {
  const p = await d.comes(name)
  p.types(queue, `I am ${name}`)
  await p.reads(queue, /People ahead/)
  return p
}
/** Nothing has come: the next thing is the comment that keeps the stream alive. */
export const silent = async (d: DeskHouse, r: Reader): Promise<void> => { await d.later(15); assert.deepEqual((await r.next()).event, 'beat') }
export const shapes = (all: readonly Came[]): string[] => all.map(x => `${x.event} ${String(x.data?.number ?? x.data?.text ?? '')}`.trim())
