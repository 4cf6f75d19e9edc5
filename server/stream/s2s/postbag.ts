// Messages on their way to other servers: written down until the other one has them, so that a crash loses none that its sender was told is taken.
import { el } from '../../xml/element.ts'
import { parseFrame, UNLIMITED } from '../../xml/parser.ts'
import { CONTENT, type AnyStanza } from '../../stanza/stanza.ts'
import { readStanza, Unreadable } from '../../stanza/read.ts'
import { everyDocument } from '../../store/pages.ts'
import { randomText } from '../../net/random.ts'
import type { Log } from '../../ports/log.ts'
import type { Clock } from '../../ports/clock.ts'
import type { DocumentStore } from '../../ports/store.ts'

const COLLECTION = 'abroad'
const OWNER = 'server'
const MOST = 10_000 // messages that are written down at a time; more go without
const STALE = 86_400_000 // ms: what is older was left by a server that stood still, or came back with a backup
const NS_DELAY = 'urn:xmpp:delay'
const NS_HINTS = 'urn:xmpp:hints' // XEP-0334
const FLEETING = new Set(['http://jabber.org/protocol/chatstates', NS_HINTS])

/** `at`: ms since 1970. */
interface Kept { readonly text: string; readonly at: number }

export interface Left { readonly stanza: AnyStanza; readonly stale: boolean }

export interface PostbagWorld { readonly documents: Pick<DocumentStore, 'put' | 'remove' | 'range'>; readonly clock: Clock; readonly log: Log }

export class Postbag {
  readonly #world: PostbagWorld
  readonly #ids = new WeakMap<AnyStanza, string>()
  readonly #run: string // sorts by its time; no other run has the same, wherever clocks are put
  #count = 0
  #inside = 0

  constructor(world: PostbagWorld) {
    this.#world = world
    this.#run = `${String(world.clock.now()).padStart(15, '0')}-${randomText(6)}`
  }

  /** Writes a message down; resolves when that is committed. Undefined for what need not outlive a crash. */
  keep(stanza: AnyStanza): Promise<void> | undefined {
    if (this.#ids.has(stanza) || this.#inside >= MOST || !isWorthKeeping(stanza)) return undefined
    const { documents, clock } = this.#world
    const id = `${this.#run}-${String(this.#count++).padStart(12, '0')}` // sorts as they were sent
    this.#ids.set(stanza, id)
    this.#inside++
    const kept: Kept = { text: stanza.write(CONTENT), at: clock.now() }
    return documents.put(COLLECTION, OWNER, id, kept).then(() => {})
  }

  /** The other server has it, or its sender has it back. */
  settle(stanza: AnyStanza): void {
    const id = this.#ids.get(stanza)
    if (id === undefined) return
    this.#ids.delete(stanza)
    this.#inside--
    this.#world.documents.remove(COLLECTION, OWNER, id).catch((err: unknown) => { this.#world.log.error({ err }, 'a message that has arrived cannot be struck out: it goes out again after the next start') })
  }

  /**
   * What a crash has left, in the order in which it was sent, with its time (XEP-0203); what was written down since the start is on
   * its way. The other server may have it already: nobody can know. `stale`: it is too old to be sent.
   */
  async left(): Promise<readonly Left[]> {
    const { documents, clock, log } = this.#world
    const all: Left[] = []
    for await (const { id, value: { text, at } } of everyDocument<Kept>(documents, COLLECTION, OWNER)) {
      if (id.startsWith(this.#run)) continue
      const read = stanzaIn(text)
      if (!read?.from) {
        log.error({ id }, 'a message for another server cannot be read any more')
        await documents.remove(COLLECTION, OWNER, id)
        continue
      }
      const told = read.payload.some(e => e.is('delay', NS_DELAY))
      const stanza = (told ? read : read.with(el('delay', NS_DELAY, { from: read.from.domain, stamp: new Date(at).toISOString() }))) as AnyStanza // a message stays one
      this.#ids.set(stanza, id)
      this.#inside++
      all.push({ stanza, stale: clock.now() - at > STALE })
    }
    return all
  }
}

function stanzaIn(text: string): AnyStanza | undefined {
  try {
    const read = readStanza(parseFrame(text, UNLIMITED))
    return read instanceof Unreadable ? undefined : read
  } catch { return undefined }
}

/** What people say to each other, and what belongs to it: not presence and questions, nor that somebody is typing. */
function isWorthKeeping(stanza: AnyStanza): boolean {
  if (stanza.kind !== 'message' || (stanza.type !== 'chat' && stanza.type !== 'normal')) return false
  if (stanza.payload.some(e => e.ns === NS_HINTS && (e.name === 'no-store' || e.name === 'no-permanent-store'))) return false
  return stanza.payload.some(e => !FLEETING.has(e.ns) && e.name !== 'thread')
}
