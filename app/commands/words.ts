// Reading the words of a command line, and refusing them in one line (pure but for the config it is given).
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { span } from '../../config/units.ts'
import { Jid } from '../../server/stanza/jid.ts'
import type { Role } from '../../server/ports/store.ts'
import { misused, type Office, type Outcome } from '../office.ts'

export const ROLES: readonly Role[] = ['agent', 'manager', 'admin']

type Options = NonNullable<ParseArgsConfig['options']>

/** The options and the other words, or a refusal with the usage. */
export function read<const O extends Options>(args: readonly string[], options: O, words: number, usage: string) {
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
    if (parsed.positionals.length !== words) return misused(`usage: deskbell ${usage}`)
    return parsed
  } catch (error) {
    return misused(`${firstSentence((error as Error).message)}: usage: deskbell ${usage}`) // parseArgs throws TypeErrors
  }
}

/** An account of a host of ours, or a refusal. */
export function account(text: string, office: Office): Jid | Outcome {
  const jid = Jid.tryParse(text)
  if (!jid || !jid.local || jid.resource) return misused(`${text} is no account: write it like anna@${firstHost(office)}`)
  const host = office.config.hosts.get(jid.domain)
  if (host?.anonymous) return misused(`${jid.domain} is for guests, who have no accounts: give an address at another host`)
  if (host) return jid
  return misused(`${text}: ${jid.domain} is no host of ours: add it to hosts in ${office.config.file}, or use ${[...office.config.hosts.keys()].join(', ')}`)
}

/** A role, `undefined` for none, or a refusal. */
export function role(text: string | undefined): Role | undefined | Outcome {
  if (text === undefined || text === 'none') return undefined
  return ROLES.find(known => known === text) ?? misused(`${text} is no role: use ${ROLES.join(', ')} or none`)
}

/** A span of time in milliseconds, or a refusal. */
export function duration(text: string): number | Outcome {
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : span(text)
  return ms !== undefined && Number.isFinite(ms) && ms > 0 ? ms : misused(`${text} is no span of time: write one such as 90d, 12h or 30m`)
}

export const isOutcome = (value: unknown): value is Outcome => typeof value === 'object' && value !== null && 'code' in value && 'lines' in value

export const firstHost = (office: Pick<Office, 'config'>): string => office.config.hosts.keys().next().value ?? 'localhost' // a config has a host

const firstSentence = (text: string): string => text.split(/[.\n]/)[0] ?? text
