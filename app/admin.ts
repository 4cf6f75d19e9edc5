// The verbs that work on a store, by name: one implementation, whether the server runs them or the command itself.
import { StoreError } from '../server/ports/store.ts'
import { backup, clock } from './commands/others.ts'
import { exportData, importData } from './commands/portable.ts'
import { deskVerbs, notedEverywhere } from './commands/desk.ts'
import { s2s } from './commands/s2s.ts'
import { token } from './commands/token.ts'
import { user } from './commands/user.ts'
import { failed, misused, type Office, type Outcome, type Verb } from './office.ts'

const VERBS: ReadonlyMap<string, Verb> = new Map([
  ['user', notedEverywhere('user', user)], ['token', token], ['clock', clock], ['backup', backup], ['s2s', s2s],
  ['export', exportData], ['import', importData], ...deskVerbs,
])

export const isVerb = (name: string): boolean => VERBS.has(name)

/** Runs `[verb, …words]`; every way it can end is an outcome. */
export async function perform(args: readonly string[], office: Office): Promise<Outcome> {
  const [name = '', ...rest] = args
  const verb = VERBS.get(name)
  if (!verb) return misused(`deskbell ${name}: no such command: deskbell help lists them`)
  try {
    return await verb(rest, office)
  } catch (error) {
    if (error instanceof StoreError) return failed(`the store cannot do that: ${error.message}`)
    return failed(`deskbell ${name} broke: ${(error as Error).message}: this is a bug, please report it`)
  }
}
