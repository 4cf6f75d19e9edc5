// What a config that was read again changes in a running house, and what has to wait for the next start (pure).
import { isDeepStrictEqual } from 'node:util'
import type { Config, Limits } from '../config/load.ts'

/** The keys of the config that differ and cannot be changed at run time. */
export function needRestart(running: Config, read: Config): string[] {
  const keys = ['data', 'store', 'bus', 'listen', 'requireTls', 'hosts', 'components'] as const
  const whole = keys.filter(key => !isDeepStrictEqual(running[key], read[key])).map(key => key === 'requireTls' ? 'require-tls' : key)
  const s2s = (['ca', 'targets', 'networks'] as const).filter(key => !isDeepStrictEqual(running.s2s[key], read.s2s[key])).map(key => `s2s.${key}`) // whom it speaks with changes at once
  const asks = running.tls?.clientCa === undefined, shall = read.tls?.clientCa === undefined // which authorities count changes at once
  return [...whole, ...s2s, ...(asks === shall ? [] : ['tls.client-ca'])]
}

/** Puts the limits that were read in the place of those in force: whoever asks for one from now on gets the new. */
export function adoptLimits(inForce: Limits, read: Limits): void {
  for (const [name, group] of Object.entries(inForce)) Object.assign(group, read[name as keyof Limits]) // entries() forgets the keys
}
