// Entity capabilities (XEP-0115): the hash of what disco#info says (pure).
import { createHash } from 'node:crypto'
import { el, type Element } from '../server/api.ts'

export const NS_CAPS = 'http://jabber.org/protocol/caps'
const INFO = 'http://jabber.org/protocol/disco#info'
const NS_DATA = 'jabber:x:data'

/** The verification string of section 5.1, for the children of a disco#info query; base64 of its SHA-1. */
export function capsHash(info: Element): string {
  const parts: string[] = []
  const identity = (e: Element): string => `${e.attrs['category'] ?? ''}/${e.attrs['type'] ?? ''}/${e.attrs['xml:lang'] ?? ''}/${e.attrs['name'] ?? ''}`
  const named = (name: string, ns = INFO): Element[] => info.elements.filter(e => e.is(name, ns))
  parts.push(...named('identity').map(identity).sort(byOctets))
  parts.push(...named('feature').map(e => e.attrs['var'] ?? '').sort(byOctets))
  const forms = named('x', NS_DATA).map(x => x.elements.filter(e => e.is('field', NS_DATA)))
  const values = (f: Element): string[] => f.elements.filter(e => e.is('value', NS_DATA)).map(e => e.text)
  const typed = forms.map(fields => ({ type: fields.find(f => f.attrs['var'] === 'FORM_TYPE'), fields })).filter(f => f.type !== undefined)
  for (const { type, fields } of typed.sort((a, b) => byOctets(values(a.type!)[0] ?? '', values(b.type!)[0] ?? ''))) { // filtered above
    parts.push(values(type!)[0] ?? '')
    for (const f of fields.filter(f => f !== type).sort((a, b) => byOctets(a.attrs['var'] ?? '', b.attrs['var'] ?? ''))) {
      parts.push(f.attrs['var'] ?? '', ...values(f).sort(byOctets))
    }
  }
  return createHash('sha1').update(parts.map(p => `${p}<`).join('')).digest('base64')
}

/** The <c/> that tells of it in presence or among the stream features. */
export const capsElement = (node: string, info: Element): Element => el('c', NS_CAPS, { hash: 'sha-1', node, ver: capsHash(info) })

const byOctets = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b)) // i;octet, section 5.1
