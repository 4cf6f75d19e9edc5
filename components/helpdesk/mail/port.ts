// Whoever carries mails away: an SMTP server in production (interface).
import type { Letter } from './letter.ts'

/** `never`: it would fail the same way again; `later`: try again. `why` is for the log and the admin. */
export type Carried = { readonly is: 'sent' } | { readonly is: 'later' | 'never'; readonly why: string }

export interface Carrier {
  /** Hands over one checked letter; `id` is the same at every attempt. Never rejects. */
  carry(letter: Letter, id: string): Promise<Carried>
  close(): void
}
