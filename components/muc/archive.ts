// The archive of a room, for those who may see it now (XEP-0313 section 6.1.2: rights are those at the time of the question).
import { refuse, resultOf, Stanza, StanzaError, type Iq, type Link } from '../../server/api.ts'
import { archived, findPage, metadata, NS_MAM, queryForm, readAsk } from '../../protocols/archive.ts'
import { isLogged } from '../../protocols/room/config.ts'
import type { Room } from '../../protocols/room/room.ts'

export class RoomArchive {
  readonly #link: Link
  readonly #inFlight = new Map<string, number>() // by full JID
  constructor(link: Link) { this.#link = link }

  /** Answers an iq of the archive's namespace, sent to a room. */
  async answer(room: Room, iq: Iq): Promise<void> {
    const asker = iq.from!.full
    const busy = this.#inFlight.get(asker) ?? 0
    if (busy >= this.#link.limits.mam.inFlight) return this.#refuse(iq, refuse('policy-violation', 'Too many questions at once.'))
    this.#inFlight.set(asker, busy + 1)
    try { await this.#answer(room, iq) } finally {
      const left = (this.#inFlight.get(asker) ?? 1) - 1
      if (left > 0) this.#inFlight.set(asker, left)
      else this.#inFlight.delete(asker)
    }
  }

  async #answer(room: Room, iq: Iq): Promise<void> {
    const { stores, limits } = this.#link
    const query = iq.payload[0]!
    const owner = room.jid.bare
    if (!isLogged(room.config)) return this.#refuse(iq, refuse('service-unavailable'))
    if (!maySee(room, iq)) return this.#refuse(iq, refuse('forbidden'))
    if (query.name === 'metadata') return this.#link.send(resultOf(iq, await metadata(stores.archive, owner)))
    if (query.name !== 'query') return this.#refuse(iq, refuse('service-unavailable')) // a room has no preferences
    if (iq.type === 'get') return this.#link.send(resultOf(iq, queryForm()))
    const ask = readAsk(query, limits.mam.page)
    if (ask instanceof StanzaError) return this.#refuse(iq, ask)
    const page = await findPage(stores.archive, owner, ask)
    if (page instanceof StanzaError) return this.#refuse(iq, page)
    if (!maySee(room, iq)) return this.#refuse(iq, refuse('forbidden')) // put out while the store was asked
    for (const row of page.rows) this.#link.send(Stanza.of('message', { type: 'normal', from: room.jid, to: iq.from }, [archived(row, ask.queryId)]))
    this.#link.send(resultOf(iq, page.fin))
  }

  #refuse(iq: Iq, error: StanzaError): void {
    this.#link.send(Stanza.of('iq', { type: 'error', to: iq.from, from: iq.to, id: iq.head.id }, [error.toElement()]))
  }
}

/** Those who are in, and those who belong to the room. */
const maySee = (room: Room, iq: Iq): boolean => {
  const affiliation = room.affiliation(iq.from!)
  return room.occupantBy(iq.from!) !== undefined || affiliation === 'member' || affiliation === 'admin' || affiliation === 'owner'
}

export { NS_MAM }
