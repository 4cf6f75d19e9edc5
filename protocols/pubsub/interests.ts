// Which nodes clients want to hear of: the +notify features of their capabilities (XEP-0060 section 9.2, XEP-0115).
import { el, Stanza, type Element, type Iq, type Jid, type Presence } from '../../server/api.ts'
import { capsHash, NS_CAPS } from '../caps.ts'
import { DISCO_INFO } from './names.ts'

const NOTIFY = '+notify'
const REMEMBERED = 2000 // capabilities
const MOST = 100 // nodes that one client may be interested in
const LONGEST = 256 // characters of a node's name
const NS_DATA = 'jabber:x:data'

/** Nodes by name. */
export type Interest = ReadonlySet<string>
export const NOTHING: Interest = new Set()

/** What a presence tells of its client: `key` is the same for all clients that can do the same. */
export interface Caps { readonly key: string; readonly node: string; readonly ver: string; readonly hash: string | undefined }

/** The capabilities in a presence. */
export function capsOf(presence: Presence): Caps | undefined {
  const c = presence.child('c', NS_CAPS)
  const { node, ver, hash } = c?.attrs ?? {}
  return node !== undefined && ver !== undefined ? { key: `${hash ?? ''} ${ver} ${hash === undefined ? node : ''}`, node, ver, hash } : undefined
}

/** Learns what clients are interested in, asking those whose kind is not known. */
export class Interests {
  readonly #ask: (iq: Iq) => Promise<Iq>
  readonly #known = new Map<string, Interest>() // verified ones only: nobody speaks for others (SEC-P12)

  constructor(ask: (iq: Iq) => Promise<Iq>) { this.#ask = ask }

  /** What is known of such clients, at once. */
  of(caps: Caps): Interest | undefined { return this.#known.get(caps.key) }

  /**
   * The same, or what `client` says itself when `asker` asks it. An answer that does not fit its hash holds for this client alone.
   * Nobody waits for the answer of another: who never gives one keeps no others from hearing.
   */
  async learn(caps: Caps, client: Jid, asker: Jid): Promise<Interest> {
    const known = this.#known.get(caps.key)
    if (known) return known
    const { interest, verified } = await this.#inquire(caps, client, asker)
    if (verified) this.#remember(caps.key, interest)
    return interest
  }

  async #inquire({ node, ver, hash }: Caps, client: Jid, asker: Jid): Promise<{ interest: Interest; verified: boolean }> {
    const answer = await this.#ask(Stanza.of('iq', { type: 'get', from: asker, to: client }, [el('query', DISCO_INFO, { node: `${node}#${ver}` })]))
    const info = answer.type === 'result' ? answer.child('query', DISCO_INFO) : undefined
    if (!info) return { interest: NOTHING, verified: false }
    return { interest: interestOf(info), verified: hash === 'sha-1' && isSound(info) && capsHash(info) === ver }
  }

  #remember(key: string, interest: Interest): void {
    this.#known.set(key, interest)
    if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.keys().next().value!) // it is not empty
  }
}

function interestOf(info: Element): Interest {
  const found = new Set<string>()
  for (const e of info.elements) {
    const feature = e.is('feature', DISCO_INFO) ? e.attrs['var'] : undefined
    if (feature?.endsWith(NOTIFY) && feature.length <= LONGEST && found.size < MOST) found.add(feature.slice(0, -NOTIFY.length))
  }
  return found
}

/** XEP-0115 section 5.4, points 3.3 to 3.6: nothing stands twice in it. */
function isSound(info: Element): boolean {
  const features = info.elements.filter(e => e.is('feature', DISCO_INFO)).map(e => e.attrs['var'])
  const identities = info.elements.filter(e => e.is('identity', DISCO_INFO)).map(e => ['category', 'type', 'xml:lang', 'name'].map(a => e.attrs[a] ?? '').join('/'))
  const types = info.elements.filter(e => e.is('x', NS_DATA)).map(x => x.elements.find(f => f.is('field', NS_DATA) && f.attrs['var'] === 'FORM_TYPE'))
    .filter(f => f !== undefined).map(f => f.elements.filter(v => v.is('value', NS_DATA)).map(v => v.text))
  const single = (all: readonly unknown[]): boolean => new Set(all).size === all.length
  return single(features) && single(identities) && single(types.map(t => t[0])) && types.every(t => new Set(t).size <= 1)
}
