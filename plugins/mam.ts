// XEP-0313 Message Archive Management … (in work)
import { plugin } from '../server/api.ts'

/** XEP-0313 Message Archive Management for accounts, with the preferences of XEP-0441. */
export const mam = plugin('mam', () => {})
