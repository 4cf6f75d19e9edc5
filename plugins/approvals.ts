// Accounts that people make themselves (XEP-0077) wait until an admin lets them in.
import { isAdmin, tellAdmins } from '../protocols/admins.ts'
import { APPROVALS } from '../protocols/approvals.ts'
import { HOST_COMMANDS, type Stage } from '../protocols/commands.ts'
import { accountChanged, Jid, plugin, removeAccount, type AccountRecord, type FormValues } from '../server/api.ts'

const COLLECTION = 'registration'
const MOST = 500 // that wait
const SHOWN = 100
const SOON = 60_000 // ms in which an account that waits is made
const QUIET = 10 * 60_000 // ms between two messages to the admins

interface Waiting { readonly at: number; readonly from: string }

/** New accounts stay disabled until an admin allows them, by a command of the host; `on`: whether the config wants that. */
export const approvals = plugin('approvals', (host, options) => {
  if (options['on'] !== true) return
  const { accounts, documents } = host.stores
  let told = -Infinity

  host.provide(APPROVALS, {
    async ask(local, from) {
      if ((await documents.range(COLLECTION, host.domain, { limit: MOST })).length >= MOST) return 'full'
      const waiting: Waiting = { at: host.clock.now(), from }
      const there = await documents.get<Waiting>(COLLECTION, host.domain, local)
      const stale = there && host.clock.now() - there.value.at > SOON && !await accounts.find(host.domain, local) // removed by other ways than the command
      if (there && !stale) return 'conflict'
      if (await documents.put(COLLECTION, host.domain, local, waiting, there?.version ?? 0) === 'conflict') return 'conflict'
      if (host.clock.now() - told >= QUIET) {
        told = host.clock.now()
        tellAdmins(host, 'A new account', `${local}@${host.domain} waits to be let in. The commands of ${host.domain} have a list of all who wait.`).catch((error: unknown) => host.bug(error))
      }
      return 'ok'
    },
    forget: async local => { await documents.remove(COLLECTION, host.domain, local) },
  })

  host.service(HOST_COMMANDS)?.add({
    node: 'urn:deskbell:admin#registrations', name: 'Let new accounts in',
    may: who => who.domain === host.domain && isAdmin(host.accounts.online(who)?.record),
    async start() {
      const all = await waiting()
      if (all.length === 0) return { note: 'Nobody waits.' }
      return {
        form: {
          type: 'form', formType: 'urn:deskbell:admin', title: 'New accounts', instructions: 'Those who are refused may try again under another name.',
          fields: [
            { var: 'accounts', type: 'list-multi', label: 'Who', options: all.map(w => ({ label: `${w.record.local}, ${new Date(w.at).toISOString().slice(0, 16).replace('T', ' ')}, from ${w.from}`, value: w.record.local })) },
            { var: 'answer', type: 'list-single', label: 'What', value: 'allow', options: [{ label: 'Let in', value: 'allow' }, { label: 'Refuse', value: 'refuse' }] },
          ],
        },
        submit: answer,
      }
    },
  })

  /** Who waits; what an admin has settled elsewhere is forgotten. */
  async function waiting(): Promise<(Waiting & { readonly record: AccountRecord })[]> {
    const found = await Promise.all((await documents.range<Waiting>(COLLECTION, host.domain, { limit: SHOWN })).map(async ({ id, value }) => ({ id, value, record: await accounts.find(host.domain, id) })))
    for (const { id, record } of found) if (!record?.disabled) await documents.remove(COLLECTION, host.domain, id)
    return found.flatMap(({ value, record }) => record?.disabled ? [{ ...value, record }] : [])
  }

  async function answer(v: FormValues): Promise<Stage> {
    const chosen = new Set(v.values.get('accounts'))
    const allow = v.values.get('answer')?.[0] !== 'refuse'
    const all = (await waiting()).filter(w => chosen.has(w.record.local))
    for (const { record: { disabled: _, ...record } } of all) {
      const jid = Jid.of(record.local, host.domain)
      if (allow) {
        await accounts.update(record)
        accountChanged(host, jid, record, 'role')
      } else {
        await removeAccount(host.stores, record)
        accountChanged(host, jid, undefined, 'removed')
      }
      await documents.remove(COLLECTION, host.domain, record.local)
    }
    return { note: `${all.length === 1 ? 'One account is' : `${all.length} accounts are`} ${allow ? 'let in' : 'refused'}.` }
  }
})
