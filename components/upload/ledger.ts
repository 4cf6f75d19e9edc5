// What was promised to whom: slots, the files that filled them, and how much each user has taken of his day.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { DocumentStore, Stored } from '../../server/api.ts'

const FILES = 'upload' // documents of the component, by id: the time of the end first, so that a range finds what is over
const DAYS = 'upload day' // documents of the user
const SECRETS = 'secret'
const DAY = 86_400_000 // ms
const NEVER = 'zzzzzzzz'
const TRIES = 20
const PAGE = 500

export interface FileRecord {
  readonly owner: string // bare JID
  readonly name: string
  readonly size: number
  /** The type that was said beforehand; then the upload has to say the same. */
  readonly type?: string
  readonly at: number // ms since 1970: when it was asked for
  /** Until when it may be uploaded, and when it is gone, ms since 1970. */
  readonly until: number
  readonly gone?: number // absent: never
  readonly state: 'open' | 'taken' | 'there'
}

interface Day { readonly bytes: number; readonly files: number }

export class Ledger {
  readonly #documents: DocumentStore
  readonly #domain: string
  readonly #secret: Uint8Array

  private constructor(documents: DocumentStore, domain: string, secret: Uint8Array) {
    this.#documents = documents
    this.#domain = domain
    this.#secret = secret
  }

  static async open(documents: DocumentStore, domain: string): Promise<Ledger> {
    for (;;) {
      const kept = await documents.get<string>(SECRETS, domain, 'upload')
      if (kept) return new Ledger(documents, domain, Buffer.from(kept.value, 'base64'))
      await documents.put(SECRETS, domain, 'upload', randomBytes(32).toString('base64'), 0)
    }
  }

  /** Takes `size` of the user's day; otherwise says when the next begins. */
  async charge(owner: string, size: number, now: number, most: Day): Promise<'ok' | { readonly again: number }> {
    const day = Math.floor(now / DAY)
    const id = `${this.#domain} ${day}`
    for (let i = 0; i < TRIES; i++) {
      const kept = await this.#documents.get<Day>(DAYS, owner, id)
      const { bytes, files } = kept?.value ?? { bytes: 0, files: 0 }
      if (bytes + size > most.bytes || files + 1 > most.files) return { again: (day + 1) * DAY }
      if (await this.#documents.put<Day>(DAYS, owner, id, { bytes: bytes + size, files: files + 1 }, kept?.version ?? 0) !== 'conflict') {
        if (!kept) void this.#documents.remove(DAYS, owner, `${this.#domain} ${day - 1}`).catch(() => {}) // it harms nobody if it stays
        return 'ok'
      }
    }
    return { again: now + 1000 }
  }

  /** Writes down a new slot; gives its id and the token that opens it. */
  async grant(record: FileRecord): Promise<{ id: string; token: string }> {
    const ends = record.gone === undefined ? NEVER : stamp(record.gone)
    const id = `${ends}-${randomBytes(18).toString('base64url')}` // 144 bit: not to be guessed (SEC-F05)
    await this.#documents.put(FILES, this.#domain, id, record, 0)
    return { id, token: this.#sign(id, record) }
  }

  /** A network address as an owner of a day, so that it is not kept. */
  nameless(address: string): string { return `address ${createHmac('sha256', this.#secret).update(address).digest('base64url').slice(0, 22)}` }

  find(id: string): Promise<Stored<FileRecord> | undefined> {
    return this.#documents.get<FileRecord>(FILES, this.#domain, id)
  }

  /** Whether `token` was given for this very slot (SEC-F02). */
  opens(token: string, { id, value }: Stored<FileRecord>): boolean {
    const right = Buffer.from(this.#sign(id, value))
    const given = Buffer.from(token)
    return given.length === right.length && timingSafeEqual(given, right)
  }

  /** Goes on to `state`; false if somebody else was there first. */
  async move({ id, version, value }: Stored<FileRecord>, state: FileRecord['state']): Promise<Stored<FileRecord> | undefined> {
    const next = { ...value, state }
    const put = await this.#documents.put(FILES, this.#domain, id, next, version)
    return put === 'conflict' ? undefined : { id, version: put, value: next }
  }

  /** Some of those that are over. */
  async over(now: number): Promise<string[]> {
    return (await this.#documents.range(FILES, this.#domain, { before: stamp(now), limit: 100 })).map(({ id }) => id)
  }

  /** All there are, in pages. */
  async *all(): AsyncIterable<Stored<FileRecord>> {
    for (let after = ''; ;) {
      const page = await this.#documents.range<FileRecord>(FILES, this.#domain, { ...(after && { after }), limit: PAGE })
      yield* page
      const last = page.at(-1)
      if (!last || page.length < PAGE) return
      after = last.id
    }
  }

  async forget(id: string): Promise<void> { await this.#documents.remove(FILES, this.#domain, id) }

  #sign(id: string, { owner, name, size, until }: FileRecord): string {
    return createHmac('sha256', this.#secret).update(JSON.stringify([id, owner, name, size, until])).digest('base64url')
  }
}

/** Seconds, so written that they sort. */
const stamp = (at: number): string => Math.floor(at / 1000).toString(36).padStart(8, '0')
