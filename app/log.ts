// The log: a line of JSON for each event on stderr, without bodies and without secrets. What reads it may go away, or its disk may
// be full: the server goes on, and counts what was lost.
import pino from 'pino'
import type { Log } from '../server/ports/log.ts'

/** Loses nothing that it says to a reader who is there; `dropped`: how often a line could not be written. */
export interface Journal { readonly log: Log; readonly dropped: number }

/** What a logged object must not show, wherever somebody puts it by mistake. */
const SECRET = ['password', 'secret', 'token', 'body', 'stanza', 'credentials', 'authorization', 'cookie'].flatMap(key => [key, `*.${key}`])

/** `DESKBELL_LOG` names the least level that is written: debug, info, warn (the default) or error. */
export function openLog(fd = 2): Journal {
  let dropped = 0
  const lost = (): void => { dropped++ }
  const destination = pino.destination({ fd, sync: true, retryEAGAIN: () => false })
  destination.on('error', lost)
  destination.on('drop', lost)
  process.stdout.on('error', lost) // what we tell the admin: the terminal may be gone
  const level = process.env['DESKBELL_LOG'] ?? 'warn'
  const log = pino({ level: Object.hasOwn(pino.levels.values, level) ? level : 'warn', base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: label => ({ level: label }) }, serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err }, redact: { paths: SECRET, censor: '(left out)' } }, destination)
  return { log, get dropped() { return dropped } }
}
