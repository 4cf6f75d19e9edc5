// Where rooms are kept: their records, what remains of those destroyed, and the talk of those that last.
import type { ArchiveRow, Link, Message } from '../../server/api.ts'
import { archiveText } from '../../protocols/archive.ts'
import type { RoomRecord } from '../../protocols/room/floor.ts'

const ROOMS = 'muc-rooms'
const GRAVES = 'muc-graves'
const PAGE = 500

/** What is known of a destroyed room, so that nobody takes its name at once. */
export interface Grave { readonly at: number; readonly reason: string; readonly alternate?: string; readonly owners: readonly string[] }

export class Keep {
  readonly #link: Pick<Link, 'domain' | 'stores'>
  constructor(link: Pick<Link, 'domain' | 'stores'>) { this.#link = link }

  async *rooms(): AsyncGenerator<readonly [string, RoomRecord]> { yield* this.#all<RoomRecord>(ROOMS) }
  async *graves(): AsyncGenerator<readonly [string, Grave]> { yield* this.#all<Grave>(GRAVES) }

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

  /** The newest lines, oldest first. */
  async last(local: string, limit: number): Promise<readonly ArchiveRow[]> {
    if (limit === 0) return []
    return (await this.#link.stores.archive.query({ owner: this.#owner(local), limit, last: true })).rows
  }

  #owner(local: string): string { return `${local}@${this.#link.domain}` }

  async *#all<T>(collection: string): AsyncGenerator<readonly [string, T]> {
    let after: string | undefined
    for (;;) {
      const page = await this.#link.stores.documents.range<T>(collection, this.#link.domain, { limit: PAGE, ...(after !== undefined && { after }) })
      for (const { id, value } of page) yield [id, value]
      if (page.length < PAGE) return
      after = page.at(-1)!.id
    }
  }
}
