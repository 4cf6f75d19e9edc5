// Hats (XEP-0317): titles that occupants wear beside their role, which the room or its service gives. Pure.
import { createHash } from 'node:crypto'
import { el, type Element } from '../../server/api.ts'

export const NS_HATS = 'urn:xmpp:hats:0'

/** `hue`: the angle of a colour, 0 to 360, as its owner wrote it. */
export interface Hat { readonly uri: string; readonly title: string; readonly hue?: string }
/** Who wears which hats of the room: a bare JID and their URIs. */
export interface Wearer { readonly jid: string; readonly hats: readonly string[] }

/** The hats of a room, and who wears them. */
export class Wardrobe {
  readonly hats = new Map<string, Hat>() // by URI
  readonly worn = new Map<string, Set<string>>() // URIs by bare JID

  constructor(hats: readonly Hat[] = [], wearers: readonly Wearer[] = []) {
    for (const h of hats) this.hats.set(h.uri, h)
    for (const w of wearers) this.worn.set(w.jid, new Set(w.hats))
  }

  /** The hats of an account, in the order of the room's list. */
  of(bare: string): Hat[] {
    const mine = this.worn.get(bare)
    return mine ? [...this.hats.values()].filter(h => mine.has(h.uri)) : []
  }

  give(bare: string, uri: string): void {
    const mine = this.worn.get(bare)
    if (mine) mine.add(uri)
    else this.worn.set(bare, new Set([uri]))
  }

  /** False: it did not wear it. */
  take(bare: string, uri: string): boolean {
    const mine = this.worn.get(bare)
    if (!mine?.delete(uri)) return false
    if (mine.size === 0) this.worn.delete(bare)
    return true
  }

  /** Takes a hat off the list and off every head. */
  destroy(uri: string): void {
    this.hats.delete(uri)
    for (const bare of [...this.worn.keys()]) this.take(bare, uri)
  }

  /** What outlives the room's time in memory. */
  record(): { hats?: readonly Hat[]; wearers?: readonly Wearer[] } {
    return this.hats.size === 0 ? {} : { hats: [...this.hats.values()], wearers: [...this.worn].map(([jid, hats]) => ({ jid, hats: [...hats] })) }
  }

  /** Another one where the list is another; undefined where it is empty. */
  get hash(): string | undefined {
    return this.hats.size === 0 ? undefined : createHash('sha1').update(JSON.stringify([...this.hats.values()].sort((a, b) => a.uri < b.uri ? -1 : 1))).digest('hex')
  }
}

/** `<hats/>` of a presence. */
export const hatsElement = (hats: readonly Hat[]): Element =>
  el('hats', NS_HATS, {}, ...hats.map(h => el('hat', NS_HATS, { title: h.title, uri: h.uri, ...(h.hue !== undefined && { hue: h.hue }) })))
