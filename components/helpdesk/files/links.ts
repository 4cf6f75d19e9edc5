// A file in a conversation is a line that is nothing but its address: how one is recognised, and how clients are told (XEP-0066, XEP-0363). Pure.

import { el, type Element, type Message } from '../../../server/api.ts'

/** What is known of a file beside its address; bytes, media type. */
export interface FileFacts { readonly name: string; readonly size?: number; readonly type?: string }

/** Gives links under which an agent can upload one file for one conversation. */
export interface UploadLinks { link(n: number, by: string): { readonly link: string; readonly lasts: string } }

const OOB = 'jabber:x:oob'
const ADDRESS = /^https?:\/\/[^\s/]+\/\S*$/i
const STORED = /^\/upload\/[\w-]{20,80}\/[^\s/?#]+$/ // where our own storage keeps them
const LONGEST = 2000
const NAME = 120 // characters

/** The file that a message brings: the address alone in its body, and either said to be one, or one of our storage, whose addresses begin with `base`. */
export function fileIn(m: Message | undefined, body: string, base: string | undefined): FileFacts | undefined {
  const url = body.trim()
  if (url.length > LONGEST || !ADDRESS.test(url)) return undefined
  const said = m?.child('x', OOB)?.child('url')?.text.trim()
  const isOurs = base !== undefined && url.startsWith(base) && STORED.test(url.slice(base.length))
  return said === url || isOurs ? { name: nameIn(url) } : undefined
}

/** Whether a message says that it brings something. */
export const bringsFile = (m: Message): boolean => m.child('x', OOB) !== undefined

/** The last part of an address, as it can be shown: without folders, controls, and signs that turn or hide what follows (SEC-F03). */
export function nameIn(url: string): string {
  const last = /^[^?#]*\/([^/?#]+)\/?(?:[?#]|$)/.exec(url)?.[1] ?? ''
  return decoded(last).split(/[/\\]/).at(-1)!.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '').trim().slice(0, NAME) || 'file' // split gives one at least
}
function decoded(part: string): string { try { return decodeURIComponent(part) } catch { return part } }

/** What makes clients show the line as a file. */
export const oob = (url: string): Element => el('x', OOB, {}, el('url', OOB, {}, url))
/** The same for a line that is one, unless its speaker's client has said so already. */
export const oobOf = (l: { readonly body: string; readonly file?: FileFacts }, own: readonly Element[] = []): Element[] => l.file === undefined || own.some(e => e.ns === OOB) ? [] : [oob(l.body.trim())]
