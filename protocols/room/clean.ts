// What occupants may not write themselves is taken out of what they send (rows U04, U05, M05). Pure.
import type { Element } from '../../server/api.ts'
import { NS_HATS } from './hats.ts'
import { DELAY, MUC, MUC_USER, OCCUPANT_ID, STANZA_ID } from './names.ts'

/** The payload without what only the room `room` (its bare JID) may say. */
export function clean(payload: readonly Element[], room: string): readonly Element[] {
  return payload.some(e => forged(e, room)) ? payload.filter(e => !forged(e, room)) : payload
}

function forged(e: Element, room: string): boolean {
  switch (e.ns) {
    case MUC_USER:
    case MUC: return e.name === 'x'
    case OCCUPANT_ID: return true
    case NS_HATS: return e.name === 'hats'
    case STANZA_ID: return e.name === 'stanza-id' && e.attrs['by'] === room
    case DELAY: return e.attrs['from'] === room
    default: return false
  }
}
