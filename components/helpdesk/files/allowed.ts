// Whose customers may send files, and of which types (SS-08). Pure.

import type { DeskSettings } from '../../../schemas/desk-settings.ts'

/** Whether customers of this site may; without one, those who come by XMPP. */
export function takesFiles(s: DeskSettings, site?: string): boolean {
  const own = site === undefined || !Object.hasOwn(s.sites, site) ? undefined : s.sites[site]?.customerFiles
  const brand = site === undefined ? undefined : Object.values(s.brands).find(b => b.customerFiles !== 'inherit' && b.sites.includes(site))?.customerFiles
  const says = own === undefined || own === 'inherit' ? brand : own
  return says === undefined || says === 'inherit' ? s.conversation.customerFiles : says === 'on'
}

/** Whether a media type is among patterns such as `image/*`; without patterns any is. */
export function fits(type: string, patterns: readonly string[]): boolean {
  const plain = type.split(';')[0]?.trim().toLowerCase() ?? ''
  return patterns.length === 0 || patterns.some(p => p === plain || (p.endsWith('/*') && plain.startsWith(p.slice(0, -1))))
}
