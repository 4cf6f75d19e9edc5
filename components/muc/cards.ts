// XEP-0486: a room has a vCard, with its picture, which its owners set and everybody reads.
import { createHash } from 'node:crypto'
import { parseFrame, refuse, StanzaError, type Element, type Link } from '../../server/api.ts'

export const NS_VCARD = 'vcard-temp'
const COLLECTION = 'muc-cards'
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

export class Cards {
  readonly #link: Pick<Link, 'domain' | 'stores' | 'limits'>
  readonly #passing = new Map<string, string>() // of rooms that do not last, by local part
  constructor(link: Pick<Link, 'domain' | 'stores' | 'limits'>) { this.#link = link }

  /** The card of a room that has one. */
  async get(local: string): Promise<Element | undefined> {
    const text = this.#passing.get(local) ?? (await this.#link.stores.documents.get<string>(COLLECTION, this.#link.domain, local))?.value
    return text === undefined ? undefined : parseFrame(text)
  }

  /** Keeps a card as long as the room; an empty one is none. Gives the hashes of its pictures, undefined where there is no card any more. */
  async set(local: string, card: Element, lasts: boolean): Promise<readonly string[] | undefined | StanzaError> {
    const hashes = picturesOf(card, this.#link.limits.pubsub.itemBytes)
    if (hashes instanceof StanzaError) return hashes
    if (card.elements.length === 0) { await this.drop(local); return undefined }
    const text = card.write('')
    if (lasts) await this.#link.stores.documents.put(COLLECTION, this.#link.domain, local, text)
    else this.#passing.set(local, text)
    return hashes
  }

  /** The room lasts from now on. */
  async settle(local: string): Promise<void> {
    const text = this.#passing.get(local)
    if (text === undefined) return
    await this.#link.stores.documents.put(COLLECTION, this.#link.domain, local, text)
    this.#passing.delete(local)
  }

  /** The room has not lasted. */
  forget(local: string): void { this.#passing.delete(local) }

  async drop(local: string): Promise<void> {
    this.forget(local)
    await this.#link.stores.documents.remove(COLLECTION, this.#link.domain, local)
  }
}

/** SHA-1 of every picture in a card (XEP-0153); `most`: bytes of all of them. */
function picturesOf(card: Element, most: number): readonly string[] | StanzaError {
  let bytes = 0
  const hashes: string[] = []
  if (card.write('').length > most * 2) return tooBig(most)
  for (const photo of card.elements) {
    const coded = photo.is('PHOTO', NS_VCARD) ? photo.child('BINVAL')?.text.replace(/\s+/g, '') : undefined
    if (!coded) continue
    if (!BASE64.test(coded)) return refuse('bad-request', 'BINVAL is not base64.')
    const picture = Buffer.from(coded, 'base64')
    bytes += picture.length
    hashes.push(createHash('sha1').update(picture).digest('hex'))
  }
  return bytes > most ? tooBig(most) : hashes
}

const tooBig = (most: number): StanzaError => refuse('not-acceptable', `A room's pictures have at most ${most} bytes.`)
