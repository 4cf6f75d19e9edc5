// The menus of commands that operators' clients have fetched: announced anew when other things are possible (XEP-0050 section 2.3). COMPAT: Pidgin fetches a contact's menu once (shell).
import { Jid, Stanza, type Element } from '../../../server/api.ts'
import type { Place } from '../addresses.ts'
import type { Bare } from '../facts.ts'
import type { Office } from '../office.ts'
import { noStore } from '../stanzas.ts'

const CLIENT = 'jabber:client'
const MOST = 50 // menus of one device that are kept up to date
interface Fetched { readonly at: Place; readonly shown: string }

export class Menus {
  readonly #office: Office
  readonly #list: (who: Jid, at: Place, contact: Jid) => Element
  /** By operator, by device, by the contact it was fetched from; the oldest first. */
  readonly #fetched = new Map<Bare, Map<string, Map<string, Fetched>>>()
  /** `list`: what stands in the menu of a contact now. */
  constructor(office: Office, list: (who: Jid, at: Place, contact: Jid) => Element) { this.#office = office; this.#list = list }

  /** The menu of a contact for a device that asks; from now on it is told what changes. */
  fetch(device: Jid, at: Place, contact: Jid): Element {
    const list = this.#list(device, at, contact)
    if (contact.resource === '' || device.isBare) return list // who asks an address asks again
    let devices = this.#fetched.get(device.bare)
    if (!devices) this.#fetched.set(device.bare, devices = new Map())
    let all = devices.get(device.full)
    if (!all) devices.set(device.full, all = new Map())
    all.delete(contact.full)
    all.set(contact.full, { at, shown: list.write(CLIENT) })
    for (const oldest of all.keys()) { if (all.size <= MOST) break; all.delete(oldest) }
    return list
  }

  /** Something of this operator's has changed. */
  refresh(jid: Bare): void {
    const devices = this.#fetched.get(jid)
    if (!devices) return
    const here = new Set(this.#office.operators.devices(jid))
    for (const [device, all] of devices) {
      if (!here.has(device)) { devices.delete(device); continue }
      for (const [contact, { at, shown }] of all) {
        const s = 'n' in at ? this.#office.book.states.get(at.n) : undefined
        if ('n' in at && (!s || s.is === 'absent' || s.is === 'closed')) { all.delete(contact); continue }
        const list = this.#list(Jid.parse(device), at, Jid.parse(contact))
        const now = list.write(CLIENT)
        if (now === shown) continue
        all.set(contact, { at, shown: now })
        this.#office.link.send(Stanza.of('message', { type: 'headline', from: Jid.parse(contact), to: Jid.parse(device) }, [list, noStore()]))
      }
    }
    if (devices.size === 0) this.#fetched.delete(jid)
  }
}
