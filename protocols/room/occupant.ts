// Somebody in a room under a nick, by one device or several, and how the others see that. Pure.
import { createHmac } from 'node:crypto'
import { el, Stanza, type Element, type Jid, type Presence } from '../../server/api.ts'
import { hatsElement, type Hat } from './hats.ts'
import type { Bucket } from './bucket.ts'
import { MUC_USER, OCCUPANT_ID, type Affiliation, type Role } from './names.ts'
import { nickKey } from './nick.ts'

/** A client that has entered: its last presence as the others may see it, and the nick it asked for (which may not be the one it got). */
export interface Device { readonly jid: Jid; readonly asked: string; payload: readonly Element[] }

/** What goes into the `<x/>` of a presence beside rank and address. */
export interface Extras { readonly codes?: readonly string[]; readonly nick?: string; readonly reason?: string; readonly actor?: string; readonly destroy?: Element }

export class Occupant {
  /** The bare JID behind it; '' for one of the service's own without any. */
  readonly bare: string
  /** XEP-0421: the same for the same account in the same room, and telling nothing else. */
  readonly id: string
  /** Empty for an occupant of the service's own: it speaks through the service and hears nothing. */
  readonly devices: Device[] = []
  affiliation: Affiliation
  role: Role
  /** To be followed by `renew`. */
  hats: readonly Hat[] = []
  lines: Bucket | undefined
  #nick = ''
  #key = ''
  #jid: Jid
  #open: Presence | undefined
  #plain: Presence | undefined
  #mark: Element

  constructor(room: Jid, nick: string, bare: string, secret: string, affiliation: Affiliation, role: Role) {
    this.bare = bare
    this.affiliation = affiliation
    this.role = role
    this.id = createHmac('sha256', secret).update(bare === '' ? `nick ${nick}` : bare).digest('base64url')
    this.#mark = el('occupant-id', OCCUPANT_ID, { id: this.id })
    this.#jid = room
    this.name(nick)
  }

  get nick(): string { return this.#nick }
  get key(): string { return this.#key }
  /** room@service/nick */
  get jid(): Jid { return this.#jid }
  get mark(): Element { return this.#mark }

  name(nick: string): void {
    this.#nick = nick
    this.#key = nickKey(nick)
    this.#jid = this.#jid.withResource(nick)
    this.renew()
  }

  /** To be called when rank, devices or the first device's presence have changed. */
  renew(): void { this.#open = this.#plain = undefined }

  device(jid: Jid): Device | undefined { return this.devices.find(d => d.jid.full === jid.full) }

  /** As the others see it, with or without its real address; made once for all of them. */
  view(open: boolean): Presence {
    return open ? (this.#open ??= this.presence(true, {})) : (this.#plain ??= this.presence(false, {}))
  }

  presence(open: boolean, extras: Extras, of: Device | undefined = this.devices[0]): Presence {
    return Stanza.of('presence', { type: 'available', from: this.#jid }, [...(of?.payload ?? []), this.#x(this.role, open, extras, of), this.#mark, ...(this.hats.length ? [hatsElement(this.hats)] : [])])
  }

  absence(open: boolean, extras: Extras, payload: readonly Element[] = []): Presence {
    // A new nick is no loss of the role (section 7.6).
    const role = extras.nick === undefined ? 'none' : this.role
    return Stanza.of('presence', { type: 'unavailable', from: this.#jid }, [...payload, this.#x(role, open, extras, this.devices[0]), this.#mark])
  }

  #x(role: Role, open: boolean, { codes = [], nick, destroy, ...because }: Extras, of: Device | undefined): Element {
    const address = open ? of?.jid.full : undefined
    const item = el('item', MUC_USER, {
      affiliation: this.affiliation, role, ...(address !== undefined && { jid: address }), ...(nick !== undefined && { nick }),
    }, ...whyOf(because))
    return userX([item, ...(destroy ? [destroy] : []), ...codes.map(note)])
  }
}

/** Who did it and why, as an `<item/>` tells it. */
export const whyOf = ({ actor, reason }: Pick<Extras, 'actor' | 'reason'>): Element[] =>
  [...(actor === undefined ? [] : [el('actor', MUC_USER, { nick: actor })]), ...(reason ? [el('reason', MUC_USER, {}, reason)] : [])]

/** The `<x/>` of a room's own words. */
export const userX = (children: readonly Element[] = []): Element => el('x', MUC_USER, {}, ...children)

export const note = (code: string): Element => el('status', MUC_USER, { code })
