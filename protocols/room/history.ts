// The lines a room still knows, and which of them somebody who enters is told (XEP-0045 section 7.2.13). Pure.
import { el, Stanza, type Element, type Message } from '../../server/api.ts'
import { DELAY, STANZA_ID } from './names.ts'

interface Line { readonly at: number; readonly message: Message; told?: Message; size?: number }

export class History {
  readonly #lines: Line[] = []

  /** Keeps `message` (from the occupant, without `to`) as said at `at`, and forgets all but the newest `most`. */
  add(message: Message, at: number, most: number): void {
    if (most > 0) this.#lines.push({ at, message })
    if (this.#lines.length > most) this.#lines.splice(0, this.#lines.length - most)
  }

  /** The line of this id, as the room `room` gave it (XEP-0359). */
  find(id: string, room: string): Message | undefined { return this.#lines.find(l => isKeptAs(l.message, id, room))?.message }

  /** Forgets it. */
  remove(id: string, room: string): void {
    const at = this.#lines.findIndex(l => isKeptAs(l.message, id, room))
    if (at >= 0) this.#lines.splice(at, 1)
  }

  clear(): void { this.#lines.length = 0 }

  /** The lines for one who asks with `history` (absent: the newest `most`), oldest first, stamped by `room`. */
  tell(history: Element | undefined, most: number, now: number, room: string): Message[] {
    const limit = Math.min(most, count(history?.attrs['maxstanzas']) ?? most)
    const seconds = count(history?.attrs['seconds'])
    const since = Date.parse(history?.attrs['since'] ?? '')
    const from = Math.max(seconds === undefined ? -Infinity : now - seconds * 1000, Number.isNaN(since) ? -Infinity : since)
    let chars = count(history?.attrs['maxchars']) ?? Infinity
    const told: Message[] = []
    for (let i = this.#lines.length - 1; i >= 0 && told.length < limit; i--) {
      const line = this.#lines[i]!
      if (line.at < from) break
      line.told ??= stamped(line, room)
      chars -= line.size ??= line.told.write().length
      if (chars < 0) break
      told.push(line.told)
    }
    return told.reverse()
  }
}

const isKeptAs = (m: Message, id: string, room: string): boolean => m.payload.some(e => e.is('stanza-id', STANZA_ID) && e.attrs['id'] === id && e.attrs['by'] === room)

function stamped({ message, at }: Line, room: string): Message {
  const delay = el('delay', DELAY, { from: room, stamp: new Date(at).toISOString() })
  return Stanza.of('message', message.head, [...message.payload, delay])
}

/** A count as clients write it: negative is none, what is no number is not said. */
function count(text: string | undefined): number | undefined {
  if (text === undefined || !/^\s*-?\d+\s*$/.test(text)) return undefined
  return Math.max(0, Number(text))
}
