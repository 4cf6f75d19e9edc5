// XEP-0352: a client that nobody looks at is spared what can wait.
import { CONTENT, el, note, plugin, type AnyStanza, type Element, type Resource, type Sieve } from '../server/api.ts'

const NS = 'urn:xmpp:csi:0'
const STATES = 'http://jabber.org/protocol/chatstates' // XEP-0085
const EVENT = 'http://jabber.org/protocol/pubsub#event'
const MUC_USER = 'http://jabber.org/protocol/muc#user'
const CARBONS = 'urn:xmpp:carbons:2'
const FORWARD = 'urn:xmpp:forward:0'
const MOST = 500 // stanzas kept for one client, unless the config says otherwise
const LONGEST = 256 * 1024 // characters of them

const inactive = note('inactive', false) // on a device

/** XEP-0352 Client State Indication. `hold`: how many stanzas are kept for an inactive client at most; 0: none. */
export const csi = plugin('csi', (host, options) => {
  const most = (options['hold'] ?? MOST) as number // the config's schema has looked at it
  const says = (device: Resource, idle: boolean): void => {
    if (device.get(inactive) === idle) return
    device.set(inactive, idle)
    device.sift(idle && most > 0 ? new Waiting(device.account.jid.bare, most) : undefined)
  }
  host.streamFeatures.after.push(() => el('csi', NS))
  host.onNonza(NS, 'active', (_, device) => says(device, false))
  host.onNonza(NS, 'inactive', (_, device) => says(device, true))
  host.inline.set(NS, (e, device) => says(device, e.name === 'inactive')) // XEP-0386 section 3.2
  host.when('attached', device => says(device, false)) // section 5.2: a resumed stream begins active
})

/** What waits for a client: of each sender the latest presence and chat state, of each node the latest event. What must not wait takes all of it along. */
class Waiting implements Sieve {
  readonly #own: string
  readonly #most: number
  readonly #kept = new Map<string, AnyStanza>()
  #length = 0

  /** `own`: the account's bare JID. */
  constructor(own: string, most: number) { this.#own = own; this.#most = most }

  get kept(): readonly AnyStanza[] { return [...this.#kept.values()] }

  take(stanza: AnyStanza): readonly AnyStanza[] {
    const key = waitsAs(stanza, this.#own)
    if (key !== undefined) {
      const before = this.#kept.get(key)
      if (before) { this.#kept.delete(key); this.#length -= before.write(CONTENT).length } // the newer one takes a place at the end
      this.#kept.set(key, stanza)
      this.#length += stanza.write(CONTENT).length
      if (this.#kept.size <= this.#most && this.#length <= LONGEST) return NOTHING
    }
    const all = key === undefined ? [...this.#kept.values(), stanza] : [...this.#kept.values()]
    this.#kept.clear()
    this.#length = 0
    return all
  }
}

const NOTHING: readonly AnyStanza[] = []

/** What a stanza that can wait is known by, so that a newer one takes its place; undefined of one that cannot. */
function waitsAs(s: AnyStanza, own: string): string | undefined {
  const from = s.from?.full ?? ''
  if (s.kind === 'presence') return (s.type === 'available' || s.type === 'unavailable') && !isOfOneself(s) ? `presence ${from}` : undefined
  if (s.kind !== 'message' || s.type === 'error' || s.child('body')) return undefined
  const event = s.child('event', EVENT)
  if (event) return s.from && s.from.local !== '' && s.from.bare !== own ? `event ${from} ${topic(event)}` : undefined // one's own nodes are settings of one's devices
  const copy = s.from?.bare === own ? s.child('received', CARBONS) ?? s.child('sent', CARBONS) : undefined
  if (!copy) return isChatState(s.payload) ? `state ${from}` : undefined
  const inner = copy.child('forwarded', FORWARD)?.elements[0]
  return inner && isChatState(inner.elements) ? `${copy.name} ${inner.attrs['from']} ${inner.attrs['to']}` : undefined
}

/** A room tells its client that it is in, or out (XEP-0045, status 110). */
const isOfOneself = (s: AnyStanza): boolean => s.child('x', MUC_USER)?.elements.some(e => e.name === 'status' && e.attrs['code'] === '110') ?? false

/** A chat state and what says nothing beside it. */
function isChatState(payload: readonly Element[]): boolean {
  return payload.some(e => e.ns === STATES) && payload.every(e => e.ns === STATES || e.ns === CONTENT && e.name === 'thread' || MARKS.has(e.ns))
}
const MARKS = new Set(['urn:xmpp:hints', 'urn:xmpp:sid:0', 'urn:xmpp:occupant-id:0', 'urn:xmpp:delay', MUC_USER])

/** Node and items of an event. */
function topic(event: Element): string {
  return event.elements.map(e => [e.name, e.attrs['node'], ...e.elements.map(i => `${i.name} ${i.attrs['id']}`)].join('\n')).join('\n')
}
