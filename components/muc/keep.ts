// Where rooms are kept: their records, what remains of those destroyed, and the talk of those that last.
import { everyDocument, parseFrame, readStanza, Unreadable, type ArchiveRow, type Element, type Link, type Message } from '../../server/api.ts'
import { archiveText } from '../../protocols/archive.ts'
import { isRetractable, tombstone } from '../../protocols/retraction.ts'
import { OCCUPANT_ID } from '../../protocols/room/names.ts'
import type { RoomRecord } from '../../protocols/room/floor.ts'

const ROOMS = 'muc-rooms'
const GRAVES = 'muc-graves'
const ASLEEP = 'muc-asleep'

/** What is known of a destroyed room, so that nobody takes its name at once. */
export interface Grave { readonly at: number; readonly reason: string; readonly alternate?: string; readonly owners: readonly string[] }

/** A room that does not last, as it was when the service went down; `until`: ms since 1970. */
export interface Asleep { readonly record: RoomRecord; readonly until: number }

export class Keep {
  readonly #link: Pick<Link, 'domain' | 'stores'>
  constructor(link: Pick<Link, 'domain' | 'stores'>) { this.#link = link }

  async *rooms(): AsyncGenerator<readonly [string, RoomRecord]> { yield* this.#all<RoomRecord>(ROOMS) }
  async *graves(): AsyncGenerator<readonly [string, Grave]> { yield* this.#all<Grave>(GRAVES) }

  /** Writes down what sleeps over a restart. */
  async sleep(local: string, room: Asleep): Promise<void> { await this.#link.stores.documents.put(ASLEEP, this.#link.domain, local, room) }

  /** What slept over the restart, and is forgotten here. */
  async wakes(): Promise<readonly (readonly [string, Asleep])[]> {
    const all: (readonly [string, Asleep])[] = []
    for await (const room of this.#all<Asleep>(ASLEEP)) all.push(room)
    await Promise.all(all.map(([local]) => this.#link.stores.documents.remove(ASLEEP, this.#link.domain, local)))
    return all
  }

  async save(local: string, record: RoomRecord): Promise<void> {
    await this.#link.stores.documents.put(ROOMS, this.#link.domain, local, record)
  }

  /** Forgets record and talk of a room. */
  async drop(local: string, now: number): Promise<void> {
    const { documents, archive } = this.#link.stores
    await Promise.all([documents.remove(ROOMS, this.#link.domain, local), archive.expire(this.#owner(local), now + 1)])
  }

  async bury(local: string, grave: Grave): Promise<void> { await this.#link.stores.documents.put(GRAVES, this.#link.domain, local, grave) }
  async unbury(local: string): Promise<void> { await this.#link.stores.documents.remove(GRAVES, this.#link.domain, local) }

  /** Resolves when the line is committed. */
  line(local: string, id: string, at: number, message: Message): Promise<void> {
    return this.#link.stores.archive.append({ owner: this.#owner(local), id, at, with: message.from?.full ?? '', stanza: archiveText(message) })
  }

  /** The line of this id; undefined if there is none. */
  async find(local: string, id: string): Promise<Message | undefined> {
    const [row] = (await this.#link.stores.archive.query({ owner: this.#owner(local), ids: [id], limit: 1 })).rows
    const line = row && readStanza(parseFrame(row.stanza))
    return line && !(line instanceof Unreadable) && line.kind === 'message' ? line : undefined
  }

  /** Puts a tombstone in the place of a line; `by`: only if it is of the occupant with this id. */
  async entomb(local: string, id: string, by: string | undefined, mark: Element): Promise<void> {
    const line = await this.find(local, id)
    if (!line || !isRetractable(line) || (by !== undefined && line.child('occupant-id', OCCUPANT_ID)?.attrs['id'] !== by)) return
    await this.#link.stores.archive.replace(this.#owner(local), id, archiveText(tombstone(line, mark)))
  }

  /** The newest lines, oldest first. */
  async last(local: string, limit: number): Promise<readonly ArchiveRow[]> {
    if (limit === 0) return []
    return (await this.#link.stores.archive.query({ owner: this.#owner(local), limit, last: true })).rows
  }

  #owner(local: string): string { return `${local}@${this.#link.domain}` }

  async *#all<T>(collection: string): AsyncGenerator<readonly [string, T]> {
    for await (const { id, value } of everyDocument<T>(this.#link.stores.documents, collection, this.#link.domain)) yield [id, value]
  }
}
