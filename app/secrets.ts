// Secrets that the config file names and does not hold: in the environment, or in a file of their own.
import { readFileSync } from 'node:fs'
import type { Log } from '../server/ports/log.ts'

/** Reads `env:NAME` and `file:PATH` (absolute); what cannot be had is left out, and logged by its name. */
export function readSecrets(where: ReadonlyMap<string, string>, log: Log, environment: Readonly<Record<string, string | undefined>> = process.env): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [name, place] of where) {
    const at = place.slice(place.indexOf(':') + 1)
    try {
      const text = place.startsWith('env:') ? environment[at] : readFileSync(at, 'utf8').replace(/\r?\n$/, '')
      if (text) found.set(name, text)
      else log.warn({ secret: name, place }, 'a secret is empty, or not there: what uses it goes without')
    } catch (error) {
      log.warn({ secret: name, place, why: (error as NodeJS.ErrnoException).code }, 'a secret cannot be read: what uses it goes without')
    }
  }
  return found
}
