// Which customers are logged in: those who let a queue see their presence (OT-10, OT-53; shell, in memory).
import { Jid } from '../../server/api.ts'
import type { Ground } from './ground.ts'
import { accountName } from './intake/shown-name.ts'

const MOST = 50_000 // devices

export interface Here { readonly jid: string; readonly name: string; /** his role may chat */ readonly mayChat: boolean }

type Under = Pick<Ground, 'link' | 'operators' | 'customers'>

export class PresentCustomers {
  readonly #o: Under
  readonly #devices = new Map<string, Set<string>>()
  #count = 0
  constructor(ground: Under) { this.#o = ground }

  /** Notes the presence of somebody who is no operator. */
  note(device: Jid, here: boolean): void {
    const all = this.#devices.get(device.bare) ?? new Set<string>()
    if (here) {
      if (all.has(device.full) || this.#count >= MOST) return
      all.add(device.full)
      this.#count++
      this.#devices.set(device.bare, all)
    } else {
      const before = all.size
      if (device.isBare) all.clear()
      else all.delete(device.full)
      this.#count -= before - all.size
      if (all.size === 0) this.#devices.delete(device.bare)
    }
  }
  has(jid: string): boolean { return this.#devices.has(jid) }

  async all(): Promise<Here[]> {
    const mayChat = this.#o.operators.grants('customer', 'chat.with.agents')
    const found: Here[] = []
    for (const jid of this.#devices.keys()) {
      if (this.#o.operators.has(jid)) continue
      found.push({ jid, name: (await this.#o.customers.byJid(jid))?.name ?? await accountName(this.#o, jid), mayChat })
    }
    return found.sort((a, b) => a.name.localeCompare(b.name))
  }
}
