// Tenants: what is served here for others is to the users of this host as if it were not there.
import { HANDLED, plugin, refuse, type Jid } from '../server/api.ts'

/** Keeps the host's users apart from the other hosts and components of this server, but for those below its domain and those in `with`. */
export const isolation = plugin('isolation', (host, options) => {
  const allowed = options['with'] as readonly string[] | undefined // the config's schema has looked at it
  if (!allowed) return // not asked for
  const isApart = ({ domain }: Jid): boolean => domain !== host.domain && !domain.endsWith(`.${host.domain}`) && !allowed.includes(domain) && host.router.has(domain)
  host.bar((_, other) => isApart(other)) // who were friends before
  host.on('out:admit', ({ stanza: { to } }) => to && isApart(to) ? refuse('service-unavailable') : undefined)
  host.turnAway(({ kind, from }) => from && isApart(from) ? kind === 'presence' ? HANDLED : refuse('service-unavailable') : undefined)
})
