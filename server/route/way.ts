// The named stages that every stanza passes, and the walk along them.
import type { AnyStanza } from '../stanza/stanza.ts'
import { StanzaError } from '../stanza/errors.ts'
import type { Passage } from './passage.ts'

/**
 * The way of a stanza through one account, as a list that anyone can read. `out` is walked for the sender's account,
 * `in` for the recipient's. A handler names its stage; there are no priorities.
 */
export const STAGES = [
  'out:admit',    // may this account send it? blocking, rate limits
  'out:mark',     // what the server adds for later stages and for the recipient: origin ids, delays
  'out:archive',
  'out:copy',     // carbons to the sender's other devices
  'in:admit',
  'in:mark',      // stanza-id; strip what only this server may write
  'in:archive',
  'in:deliver',   // RFC 6121 section 8; the core's own, closed to plugins
  'in:copy',
  'in:missed',    // nobody took it: offline store, push
] as const
export type Stage = (typeof STAGES)[number]
export type OpenStage = Exclude<Stage, 'in:deliver'>

export const HANDLED: unique symbol = Symbol('handled')

/** `undefined`: go on. A stanza: go on with this one. `HANDLED`: it is mine, stop. A `StanzaError`: stop and bounce. */
export type Verdict = undefined | void | AnyStanza | typeof HANDLED | StanzaError
export type Handler = (p: Passage) => Verdict | Promise<Verdict>

/** Walks the handlers in order, without a promise until one returns a promise. */
export function walk(handlers: readonly Handler[], p: Passage, i = 0): Verdict | Promise<Verdict> {
  for (; i < handlers.length; i++) {
    const verdict = handlers[i]!(p)
    if (verdict === undefined) continue
    if (verdict instanceof Promise) { const next = i + 1; return verdict.then(v => (settle(p, v) ? v : walk(handlers, p, next))) }
    if (settle(p, verdict)) return verdict
  }
  return undefined
}

/** Takes a replaced stanza into the passage; true if the walk ends here. */
function settle(p: Passage, v: Verdict): boolean {
  if (v === undefined) return false
  if (typeof v === 'object' && 'head' in v) { p.stanza = v; return false }
  return true
}
