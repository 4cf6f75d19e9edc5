// Bind 2 (XEP-0386): a session with all that belongs to it, in the same breath as the login; and the seat of any new session.
import { createHmac, randomBytes } from 'node:crypto'
import { el, type Element } from '../xml/element.ts'
import { Jid } from '../stanza/jid.ts'
import type { Account } from '../session/account.ts'
import { note } from '../session/notes.ts'
import { randomText } from '../net/random.ts'
import type { Host } from '../host/host.ts'
import { Device, enabled, type Carrier } from './device.ts'
import type { Devices } from './devices.ts'
import { NS_SM } from './sm.ts'

export const NS_BIND2 = 'urn:xmpp:bind:0'

const agents = note<string | undefined>('client', undefined) // on a device: the id that the client gives itself

/** <bind/> among what can be asked for inline. */
export const bind2Feature = (host: Host): Element =>
  el('bind', NS_BIND2, {}, el('inline', NS_BIND2, {}, ...[...host.inline.keys(), NS_SM].sort().map(ns => el('feature', NS_BIND2, { var: ns }))))

/** A new session; undefined if the account has as many as it may. Another of the same full JID ends. */
export function seat(host: Host, account: Account, jid: Jid, carrier: Carrier): Device | undefined {
  const old = account.resources.get(jid.resource)
  let awake = 0 // those that sleep have a limit of their own
  for (const r of account.resources.values()) if (r.attached && r !== old) awake++
  if (awake >= host.limits.resources.perAccount) return undefined
  old?.end('conflict', 'Replaced by a new session with the same resource.')
  const device = new Device(jid, account, host, carrier)
  account.add(device)
  return device
}

/** Makes `device` one that counts stanzas; what <enable/> is answered. */
export function manage(enable: Element, device: Device, devices: Devices): Element {
  const { resources: { hibernated }, streamManagement } = device.host.limits
  const resume = hibernated > 0 && streamManagement.resume > 0 && (enable.attrs['resume'] === 'true' || enable.attrs['resume'] === '1')
  const id = resume ? randomBytes(18).toString('base64url') : undefined
  const wished = /^\d{1,9}$/.test(enable.attrs['max'] ?? '') ? Number(enable.attrs['max']) * 1000 : Infinity
  const life = Math.min(streamManagement.resume, wished)
  device.manage(id !== undefined, life)
  if (id) devices.add(id, device)
  return enabled(id, Math.floor(life / 1000), devices.location)
}

/** What <bind/> asks for. */
export interface Binding {
  readonly bind: Element
  /** The id that the client gives itself (XEP-0388), told to nobody. */
  readonly agent: string | undefined
  readonly secret: Uint8Array
}

/** The session and <bound/>; undefined if the account has as many as it may. What was read for it was read before anybody could see the session. */
export async function bindInline(host: Host, account: Account, carrier: Carrier & { readonly over: boolean }, devices: Devices, { bind, agent, secret }: Binding): Promise<{ device: Device; bound: Element } | undefined> {
  const prepared = await Promise.all(host.binding.map(prepare => prepare(account)))
  if (carrier.over) return undefined
  const device = seat(host, account, resourceOf(account, bind.child('tag')?.text.trim() ?? '', agent, secret), carrier)
  if (!device) return undefined
  if (agent !== undefined) {
    device.set(agents, agent)
    for (const r of [...account.resources.values()]) if (r !== device && r.get(agents) === agent) r.end('conflict', 'The same client has logged in anew.')
  }
  const told = prepared.flatMap(finish => finish?.(device) ?? [])
  for (const e of bind.elements) {
    if (e.is('enable', NS_SM) && !device.managed) told.push(manage(e, device, devices))
    else host.inline.get(e.ns)?.(e, device)
  }
  return { device, bound: el('bound', NS_BIND2, {}, ...told) }
}

/** Section 3.2.1: the tag, then what stays the same for one client and tells nothing of it. */
function resourceOf({ jid }: Account, tag: string, agent: string | undefined, secret: Uint8Array): Jid {
  const own = agent === undefined ? randomText(9) : createHmac('sha256', secret).update(`resource\0${jid.bare}\0${agent}\0${tag}`).digest('base64url').slice(0, 12)
  return (tag && Jid.tryParse(`${jid.bare}/${tag}/${own}`)) || Jid.of(jid.local, jid.domain, own)
}
