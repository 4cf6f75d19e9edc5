// What a mail of the desk is, and what is refused before any of it can become a header or a command of SMTP. Pure.
import { domainToASCII } from 'node:url'

/**
 * One mail to one address. `notice`: to our own people. `asked`: somebody outside caused it (a transcript, an
 * invitation). `auto-reply`: nobody asked, and so it goes to verified addresses only and must hold no text of a customer.
 */
export interface Letter {
  readonly kind: 'notice' | 'asked' | 'auto-reply'
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html?: string
  readonly files?: readonly { readonly name: string; readonly type: string; /** base64 */ readonly content: string }[]
  readonly replyTo?: string
  /** The address was proved to be the customer's own: by a signed identity, or by a link he followed. */
  readonly verified?: boolean
  /** The network address of who caused it. */
  readonly from?: string
  /** The same key within a week is the same mail: it is sent once. */
  readonly key?: string
}

const SUBJECT = 250 // characters
const ALL = 20 * 1024 * 1024 // characters, files in base64 included
const FILES = 10

/** The letter with its addresses in one form, or what is wrong with it. */
export function readLetter(l: Letter): Letter | { readonly wrong: string } {
  const to = mailAddress(l.to)
  if (to === undefined) return { wrong: 'to: this is no mail address' }
  const replyTo = l.replyTo === undefined ? undefined : mailAddress(l.replyTo)
  if (l.replyTo !== undefined && replyTo === undefined) return { wrong: 'replyTo: this is no mail address' }
  if (!isHeader(l.subject, SUBJECT)) return { wrong: `subject: write one line of 1 to ${SUBJECT} characters` }
  const files = l.files ?? []
  if (files.length > FILES) return { wrong: `files: at most ${FILES}` }
  for (const f of files) {
    if (!isHeader(f.name, 120) || /["\\/]/.test(f.name)) return { wrong: 'files: a name has a sign that cannot stand in it' }
    if (!/^[\w.+-]+\/[\w.+-]+$/.test(f.type)) return { wrong: 'files: a type is none, write such as application/pdf' }
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(f.content)) return { wrong: 'files: content must be base64' }
  }
  if (files.reduce((n, f) => n + f.content.length, l.text.length + (l.html?.length ?? 0)) > ALL) return { wrong: 'it is too large to be sent' }
  return { ...l, to, ...(replyTo === undefined ? {} : { replyTo }) }
}

/**
 * The one address that this text is, its domain in ASCII and lower case; none where it is no plain `local@domain` of
 * RFC 5321 (quoted locals, comments, groups and lists are not taken: nobody has them, and attacks are made of them).
 */
export function mailAddress(text: string): string | undefined {
  if (text.length > 254) return undefined
  const m = /^([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*)@([^@\s]+)$/.exec(text)
  const [local = '', domain = ''] = m?.slice(1) ?? []
  if (!m || local.length > 64 || /[^\p{L}\p{M}\p{N}.-]/u.test(domain)) return undefined
  const ascii = domainToASCII(domain)
  return /^(?!.{250})([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/.test(ascii) ? `${local}@${ascii}` : undefined
}

const isHeader = (text: string, most: number): boolean => text.trim() !== '' && text.length <= most && !/[\p{Cc}\u2028\u2029]/u.test(text)
