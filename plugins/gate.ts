// XEP-0133: lists of those with whom nobody of this host talks, or of the only ones with whom somebody does.
import { isAdmin } from '../protocols/admins.ts'
import { HOST_COMMANDS, type Stage } from '../protocols/commands.ts'
import { HANDLED, Jid, plugin, refuse, Stanza, StanzaError, type Account, type AnyStanza, type FormValues } from '../server/api.ts'

const NS = 'http://jabber.org/protocol/admin'
const COLLECTION = 'gate'
const MOST = 5000 // addresses of a list

interface Lists { readonly black: ReadonlySet<string>; readonly white: ReadonlySet<string> }

/** XEP-0133 sections 4.11 and 4.12, for the accounts of the host and the services below it: an address, an account or a whole domain. A white list leaves out all other servers. */
export const gate = plugin('gate', async host => {
  const { documents } = host.stores
  const kept = async (name: string): Promise<ReadonlySet<string>> => new Set((await documents.get<string[]>(COLLECTION, host.domain, name))?.value)
  let lists: Lists = { black: await kept('black'), white: await kept('white') }

  const has = (list: ReadonlySet<string>, jid: Jid): boolean => list.has(jid.full) || list.has(jid.bare) || list.has(jid.domain)
  const isOut = (other: Jid, { black, white }: Lists = lists): boolean =>
    (black.size > 0 && has(black, other)) || (white.size > 0 && !host.router.has(other.domain) && !has(white, other))

  host.bar((_, other) => isOut(other))
  host.on('out:admit', ({ stanza, account }) => stanza.to && isOut(stanza.to) && stanza.to.bare !== account.jid.bare ? refuse('not-allowed', 'Nobody of this server talks with this address.') : undefined)
  host.turnAway(({ kind, type, from, to }) => {
    if (!from || !isOut(from) || from.bare === to?.bare) return undefined
    return kind === 'presence' || type === 'result' || type === 'error' ? HANDLED : refuse('forbidden')
  })

  // Rooms, desks and whatever else lies below the host: neither to them nor from them.
  const isBelow = (jid: Jid | undefined): boolean => jid !== undefined && jid.domain.endsWith(`.${host.domain}`) && host.router.has(jid.domain)
  const guard = ({ kind, type, from, to }: AnyStanza): typeof HANDLED | StanzaError | undefined => {
    if (!from || !to || !(isBelow(to) && isOut(from) || isBelow(from) && isOut(to)) || from.domain === to.domain) return undefined
    if (type === 'result' || type === 'error' || (kind === 'presence' && isBelow(to))) return HANDLED
    return refuse(isBelow(to) ? 'forbidden' : 'recipient-unavailable') // to a room that means that its occupant has gone
  }
  const watch = (): void => { if (lists.black.size > 0 || lists.white.size > 0) host.router.guards.add(guard); else host.router.guards.delete(guard) }
  watch()

  for (const [name, title, instructions] of [
    ['black', 'Edit the black list', 'With these nobody and nothing here talks: addresses, accounts, domains. One in each line.'],
    ['white', 'Edit the white list', 'If there are any: with no other server anybody here talks. One in each line.'],
  ] as const) {
    host.service(HOST_COMMANDS)?.add({
      node: `${NS}#edit-${name}list`, name: title,
      may: who => who.domain === host.domain && isAdmin(host.accounts.online(who)?.record),
      start: who => ({
        form: { type: 'form', formType: NS, title, instructions, fields: [{ var: `${name}listjids`, type: 'jid-multi', label: title, value: [...lists[name]].sort() }] },
        submit: v => { host.log.info({ by: who.bare, command: `edit-${name}list` }, 'an admin command'); return edit(name, v) },
      }),
    })
  }

  async function edit(name: keyof Lists, v: FormValues): Promise<Stage> {
    const lines = (v.values.get(`${name}listjids`) ?? []).flatMap(line => line.split('\n')).map(line => line.trim()).filter(line => line !== '')
    if (lines.length > MOST) return { note: `At most ${MOST} addresses.`, kind: 'error' }
    const jids = lines.map(line => Jid.tryParse(line))
    const wrong = lines.find((_, i) => !jids[i])
    if (wrong !== undefined) return { note: `${wrong} is no address.`, kind: 'error' }
    if (name === 'black' && jids.some(j => j?.full === host.domain)) return { note: 'Not this server itself, or nobody could undo it.', kind: 'error' }
    const after: Lists = { ...lists, [name]: new Set(jids.map(j => j!.full)) } // looked at above
    await documents.put(COLLECTION, host.domain, name, [...after[name]])
    const before = lists
    lists = after
    watch()
    for (const account of host.accounts.all) if (account.available.length > 0) show(account, before, after)
    return { note: 'Done.' }
  }

  /** Who is out from now on sees everybody go, who is in again sees them come. */
  function show(account: Account, before: Lists, after: Lists): void {
    for (const to of host.rosters.of(account).watchers) {
      if (isOut(to, after) === isOut(to, before)) continue
      for (const device of account.available) host.send(isOut(to, after) ? Stanza.of('presence', { type: 'unavailable', from: device.jid, to }) : device.presence!.readdress({ to })) // available says there is one
    }
  }
})
