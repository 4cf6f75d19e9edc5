// Which conversations are in an operator's hands: he serves it, is in it, is asked about it or was asked into it. Kept with each commit. Pure.

import { pendingOffers } from './states.ts'
import type { Bare, State } from './facts.ts'

const NONE: ReadonlySet<number> = new Set()

export class Hands {
  readonly #of = new Map<Bare, Set<number>>()
  readonly #who = new Map<number, readonly Bare[]>()

  /** The conversations of this operator, in no order. */
  of(jid: Bare): ReadonlySet<number> { return this.#of.get(jid) ?? NONE }

  /** A conversation is in this state now. */
  note(n: number, s: State): void {
    const old = this.#who.get(n) ?? []
    const now = concerned(s)
    for (const jid of old) {
      if (now.has(jid)) continue
      const all = this.#of.get(jid)
      all?.delete(n)
      if (all?.size === 0) this.#of.delete(jid)
    }
    for (const jid of now) {
      let all = this.#of.get(jid)
      if (!all) this.#of.set(jid, all = new Set())
      all.add(n)
    }
    if (now.size > 0) this.#who.set(n, [...now])
    else this.#who.delete(n)
  }
}

function concerned(s: State): ReadonlySet<Bare> {
  if (s.is === 'absent' || s.is === 'closed') return new Set()
  return new Set([...(s.is === 'active' || s.is === 'ended' ? [s.owner] : []), ...Object.keys(s.crew), ...pendingOffers(s).map(p => p.to), ...s.invitations.flatMap(i => [i.by, i.who])])
}
