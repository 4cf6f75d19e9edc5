// Many customers behind one bridge, all asking at once: each question waits for its own answer.
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { NS_DESK } from './bridge.ts'
import { DESK, type DeskHouse } from './desk.ts'
import { replay, settled, type Replayed } from './invariants.ts'
import { until } from './patience.ts'
import type { Actor } from './scene.ts'

export class Crowd {
  readonly #bridge: Actor
  readonly #waiting = new Map<string, { resolve: (x: Xml) => void; reject: (e: unknown) => void }>()
  #ids = 0
  #reads = false
  private constructor(bridge: Actor) { this.#bridge = bridge }
  static async of(d: DeskHouse): Promise<Crowd> { return new Crowd(await d.house.component('web.localhost', 'secret')) }

  /** Asks in the desk's namespace as visitor `who`; gives the answer, an error included. */
  ask(who: string, type: 'get' | 'set', inside: string): Promise<Xml> {
    const id = `crowd-${++this.#ids}`
    const answer = new Promise<Xml>((resolve, reject) => { this.#waiting.set(id, { resolve, reject }) })
    this.#bridge.says(`<iq xmlns='jabber:component:accept' type='${type}' id='${id}' from='${who}@web.localhost' to='${DESK}'>${inside.replace(/^<(\w+)/, `<$1 xmlns='${NS_DESK}'`)}</iq>`)
    if (!this.#reads) { this.#reads = true; void this.#read() }
    return answer
  }
  async #read(): Promise<void> {
    try {
      while (this.#waiting.size > 0) {
        const x = await this.#bridge.next()
        const id = String(x.attrs['id'])
        if (x.name !== 'iq') continue
        this.#waiting.get(id)?.resolve(x)
        this.#waiting.delete(id)
      }
    } catch (error) { for (const w of this.#waiting.values()) w.reject(error) } finally { this.#reads = false }
  }

  /** Opens, and gives the number. */
  async begins(who: string, body = 'hello', queue = 'support'): Promise<number> {
    const x = await this.ask(who, 'set', `<open queue='${queue}' id='first' name='${who}'><body>${body}</body></open>`)
    assert.equal(x.attrs['type'], 'result', String(x))
    return Number((x.getChild('conversation', NS_DESK) as Xml).attrs['number']) // an answer has one
  }
  says(who: string, n: number, id: string, body: string): Promise<Xml> { return this.ask(who, 'set', `<say conversation='${n}' id='${id}'>${body}</say>`) }
  ends(who: string, n: number): Promise<Xml> { return this.ask(who, 'set', `<end conversation='${n}'/>`) }
  /** What he is told of his newest conversation. */
  async news(who: string): Promise<string> { return String((await this.ask(who, 'get', '<conversation/>')).getChild('conversation', NS_DESK)) }
  /** What he may read of it, as `seq who: text`. */
  async lines(who: string, n: number, from = 0): Promise<string[]> {
    const x = await this.ask(who, 'get', `<lines conversation='${n}' after='${from}'/>`)
    return (x.getChild('lines', NS_DESK)?.getChildren('line') ?? []).map(l => `${l.attrs['seq']} ${l.attrs['who']}: ${l.getText()}`)
  }
}

/** How often a race is run. */
export const TIMES = Number(process.env['RACES'] ?? 25)
/** Lets so many others go first. */
export async function after(turns: number): Promise<void> { for (let i = 0; i < turns; i++) await new Promise(ok => setImmediate(ok)) }
/** I1 to I10 but I3 and I4, read from the logs. */
export async function holds(d: DeskHouse, capacity = 4): Promise<void> {
  await d.later(3)
  await settles(d, await replay(d.house.stores, DESK, capacity))
}
/** What is written down beside the logs agrees with them, at once or a moment later. */
export async function settles(d: DeskHouse, replayed: Replayed): Promise<void> {
  let flaw: unknown
  await until(async () => { try { await settled(d.house.stores, DESK, replayed); return true } catch (error) { flaw = error; await after(10); return false } }, () => String(flaw))
}
