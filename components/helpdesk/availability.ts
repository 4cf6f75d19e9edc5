// Who receives conversations, who may be asked now, and whether a queue is open: presence × intake (helpdesk.md section 8.5 with section 2.1 C12 and C16). Pure.

import type { Bare } from './facts.ts'

export type Show = 'chat' | 'available' | 'away' | 'xa' | 'dnd'
/** One logged-in device. `attached` is false while its connection is lost and may still be resumed. */
export interface Device { readonly show: Show; readonly attached: boolean }
/** What an operator has set himself; kept, and not touched by presence. */
export interface Intake {
  /** Queues he takes nothing from; `all` = none at all. */
  readonly off: 'all' | readonly string[]
  readonly invisible: 'no' | 'customers' | 'all'
  /** How many he serves at once, where it is not what the desk says for all. */
  readonly max: number | undefined
}
export interface Operator { readonly id: Bare; readonly devices: readonly Device[]; readonly intake: Intake; readonly capacity: number; /** queues his workgroup clients stand back from (XEP-0142) */ readonly back?: Readonly<Record<string, 'away' | 'off'>> | undefined }

export const openIntake: Intake = { off: [], invisible: 'no', max: undefined }

const ORDER: readonly Show[] = ['chat', 'available', 'away', 'xa', 'dnd']

/** The show of his best device; undefined when he is not logged in. A device whose connection is lost counts as away at best. */
export function bestShow(devices: readonly Device[]): Show | undefined {
  let best: Show | undefined
  for (const d of devices) {
    const show = !d.attached && (d.show === 'chat' || d.show === 'available') ? 'away' : d.show
    if (best === undefined || ORDER.indexOf(show) < ORDER.indexOf(best)) best = show
  }
  return best
}

export const takesFrom = (o: Operator, queue: string): boolean => o.intake.off !== 'all' && !o.intake.off.includes(queue)
export const capacityOf = (o: Operator): number => o.intake.max ?? o.capacity

/** Logged in, intake on, not dnd (C16). Away and full still count. */
export function isReceiving(o: Operator, queue: string): boolean {
  const show = bestShow(o.devices)
  return show !== undefined && show !== 'dnd' && takesFrom(o, queue) && o.back?.[queue] !== 'off'
}

/** May be offered a conversation of this queue now: receiving, and available or chat, not invisible to all; away and xa only where the desk says so. */
export function isOfferable(o: Operator, queue: string, offersAway = false): boolean {
  const show = bestShow(o.devices)
  return isReceiving(o, queue) && o.intake.invisible !== 'all' && ((show === 'chat' || show === 'available') && o.back?.[queue] === undefined || offersAway)
}

/** May be asked by a colleague (invitation, transfer): logged in, not dnd, intake not off as a whole, not invisible to all. */
export function isAskable(o: Operator): boolean {
  const show = bestShow(o.devices)
  return show !== undefined && show !== 'dnd' && o.intake.off !== 'all' && o.intake.invisible !== 'all'
}

/** Is somebody there for a customer who comes now? Full counts, invisible ones do not. */
export const isOnline = (operators: readonly Operator[], queue: string): boolean => operators.some(o => isReceiving(o, queue) && o.intake.invisible === 'no')

/** The owner counts as gone from his conversations: no attached device, or away on all of them (C12). */
export function isGone(o: Operator): boolean {
  const attached = o.devices.filter(d => d.attached)
  return attached.length === 0 || attached.every(d => d.show === 'away' || d.show === 'xa')
}

/** The colour of the circle in the manual (OT-24 to OT-28). */
export function colour(o: Operator): 'green' | 'yellow' | 'red' | 'black' {
  const show = bestShow(o.devices)
  if (show === undefined || o.intake.invisible === 'all') return 'black'
  if (show === 'dnd' || o.intake.off === 'all') return 'red'
  return show === 'away' || show === 'xa' ? 'yellow' : 'green'
}
