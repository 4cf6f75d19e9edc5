// Sends presence on behalf of an account.
import { Stanza, type AnyStanza, type Presence } from '../stanza/stanza.ts'
import type { Jid } from '../stanza/jid.ts'
import type { Account, Resource } from '../session/account.ts'
import type { Home } from './home.ts'

/** Routes a stanza; gives a promise only where the route does. What fails is logged. */
export function emit(home: Home, stanza: AnyStanza, via?: Resource): void | Promise<void> {
  try {
    const done = home.router.route(stanza, via)
    if (done) return done.catch((error: unknown) => home.bug(error, stanza))
  } catch (error) { home.bug(error, stanza) }
}

/** The presence of every available device, to somebody who may see it now. */
export function tellPresence(home: Home, account: Account, to: Jid): void {
  if (home.barred(account, to)) return
  for (const r of account.available) void emit(home, r.presence!.readdress({ to })) // available says there is one
}

/** Takes it back: `unavailable` of every available device. */
export function tellGone(home: Home, account: Account, to: Jid): void {
  if (home.barred(account, to)) return
  for (const r of account.available) void emit(home, unavailable(r.jid, to))
}

export const unavailable = (from: Jid, to?: Jid): Presence => Stanza.of('presence', { type: 'unavailable', from, to })

export const probe = (from: Jid, to: Jid, id: string): Presence => Stanza.of('presence', { type: 'probe', from, to, id })
