// What asking agents comes to where all who wait are looked at each time: what the desk's own, quicker way is held against. Pure.
import type { Candidate } from '../../components/helpdesk/assigner.ts'
import { inLine, isResting, stepFor, type Request, type Step } from '../../components/helpdesk/dispatch.ts'
import type { Bare } from '../../components/helpdesk/facts.ts'

/** What to do first, given who could be asked for each queue (offerable operators, full ones included); undefined = nothing now. */
export function nextStep(requests: readonly Request[], offerable: (queue: string, only: readonly Bare[] | undefined, language: string | undefined, people: boolean) => readonly Candidate[], now: number): Step | undefined {
  for (const r of [...requests].sort(inLine)) {
    const step = isResting(r, now) ? undefined : stepFor(r, offerable(r.queue, r.only, r.language, r.people === true))
    if (step) return step
  }
  return undefined
}
