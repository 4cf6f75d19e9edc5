// `deskbell s2s`: every pair of domains with its state, and what went wrong last.
import type { PairState } from '../../server/stream/s2s.ts'
import { done, failed, misused, type Verb } from '../office.ts'

export const s2s: Verb = async (args, office) => {
  if (args.length) return misused('usage: deskbell s2s')
  if (!office.config.listen.s2s && !office.config.listen.s2sTls) return failed('federation is off: add listen: { s2s: { port: 5269 } } to the config')
  if (!office.running || !office.pairs) return failed('no server runs with this config: deskbell start')
  const now = Date.now() // connections live in network time, which a test clock leaves alone
  const pairs = [...office.pairs()].sort((a, b) => compare(a.remote, b.remote) || compare(a.local, b.local) || compare(b.direction, a.direction))
  return pairs.length ? done(...pairs.map(pair => line(pair, now))) : done('no other server was spoken with since the start')
}

function line({ local, remote, direction, state, since, queued, error }: PairState, now: number): string {
  const way = direction === 'out' ? `${local} -> ${remote}` : `${local} <- ${remote}`
  const waits = queued ? `, ${queued} ${queued === 1 ? 'stanza waits' : 'stanzas wait'}` : ''
  return `${way}: ${WORDS[state]} for ${span(now - since)}${waits}${error ? `: ${error}` : ''}`
}

const WORDS: Readonly<Record<PairState['state'], string>> = { open: 'open', connecting: 'connecting', waiting: 'waiting to try again', closed: 'closed' }

const compare = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0

function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}
