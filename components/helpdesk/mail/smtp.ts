// Carries mails to an SMTP server with nodemailer (adapter).
import type { Transporter } from 'nodemailer'
import type { Letter } from './letter.ts'
import { mailAddress } from './letter.ts'
import type { Carried, Carrier } from './port.ts'

export interface SmtpOptions {
  readonly host: string
  readonly port: number
  /** `starttls` is demanded, not only tried. `none` is for a relay on this machine. */
  readonly tls: 'implicit' | 'starttls' | 'none'
  /** Certificate authorities in PEM that are trusted instead of the well-known ones. */
  readonly ca?: string
  readonly user?: string
  readonly password?: string
  /** Who the mails are from: `{ name: 'Example Support', address: 'support@example.org' }`. */
  readonly from: { readonly name: string; readonly address: string }
}

const CONNECT = 10_000 // ms
const IDLE = 30_000 // ms without a byte

export function smtpCarrier(options: SmtpOptions): Carrier {
  const from = mailAddress(options.from.address) ?? ''
  if (from === '') throw new Error(`mail: from: ${options.from.address} is no mail address`)
  let transport: Promise<Transporter> | undefined
  const open = async (): Promise<Transporter> => (await import('nodemailer')).createTransport({ // with the first mail: it is large
    host: options.host, port: options.port, secure: options.tls === 'implicit', requireTLS: options.tls === 'starttls', ignoreTLS: options.tls === 'none',
    ...(options.user === undefined ? {} : { auth: { user: options.user, pass: options.password ?? '' } }),
    ...(options.ca === undefined ? {} : { tls: { ca: options.ca } }),
    connectionTimeout: CONNECT, greetingTimeout: CONNECT, socketTimeout: IDLE,
    disableFileAccess: true, disableUrlAccess: true, // content is text given here, never a path or an address
  })

  async function carry(letter: Letter, id: string): Promise<Carried> {
    try {
      await (await (transport ??= open())).sendMail({
        envelope: { from, to: [letter.to] },
        from: { name: options.from.name, address: from },
        to: { name: '', address: letter.to },
        ...(letter.replyTo === undefined ? {} : { replyTo: { name: '', address: letter.replyTo } }),
        subject: letter.subject, text: letter.text, ...(letter.html === undefined ? {} : { html: letter.html }),
        attachments: (letter.files ?? []).map(f => ({ filename: f.name, contentType: f.type, content: Buffer.from(f.content, 'base64') })),
        messageId: `<${id}@${from.slice(from.indexOf('@') + 1)}>`,
        // RFC 3834 section 5: no machine answers a machine.
        headers: letter.kind === 'auto-reply' ? { 'Auto-Submitted': 'auto-replied', 'X-Auto-Response-Suppress': 'All' } : { 'Auto-Submitted': 'auto-generated' },
      })
      return { is: 'sent' }
    } catch (e) {
      const why = e instanceof Error ? e.message : String(e)
      const code = e instanceof Error && 'responseCode' in e ? Number(e.responseCode) : 0
      // A refused login or missing TLS is the admin's mistake, and he will mend it: only this mail's own refusal is final.
      const own = e instanceof Error && 'code' in e && (e.code === 'EENVELOPE' || e.code === 'EMESSAGE')
      return { is: own && code >= 500 ? 'never' : 'later', why }
    }
  }
  return { carry, close: () => void transport?.then(t => t.close()) }
}
