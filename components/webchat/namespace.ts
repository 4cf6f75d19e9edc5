// The namespace in which bridges speak to desks: schemas/desk-namespace.md (pure).
import type { Jid } from '../../server/api.ts'

export const NS_DESK = 'urn:deskbell:desk:0'
/** Between whom an iq or message goes: the visitor and the desk. */
export interface Ends { readonly from: Jid; readonly to: Jid }
