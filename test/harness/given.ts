// Given these events, when this is asked, then that happens: the tests of a conversation read like its rules.
import assert from 'node:assert/strict'
import { decide, evolve, initial } from '../../components/helpdesk/conversation.ts'
import { Refused, type Command, type Event, type State } from '../../components/helpdesk/facts.ts'

interface When {
  /** Exactly these events. */
  then(...expected: Event[]): void
  /** At least these kinds of events, in this order. */
  brings(...types: Event['type'][]): void
  nothing(): void
  refused(because: RegExp, who?: string): void
  /** The state afterwards. */
  state(): State
}

export const given = (...past: Event[]): { when(c: Command): When; state: State } => {
  const before = past.reduce(evolve, initial)
  return {
    state: before,
    when(c) {
      const outcome = decide(before, c)
      const events = (): readonly Event[] => {
        assert.ok(!(outcome instanceof Refused), outcome instanceof Refused ? `refused: ${outcome.because}` : '')
        return outcome
      }
      return {
        then: (...expected) => assert.deepEqual(events(), expected),
        brings: (...types) => assert.deepEqual(events().filter(e => types.includes(e.type)).map(e => e.type), types),
        nothing: () => assert.deepEqual(events(), []),
        refused: (because, who) => {
          assert.ok(outcome instanceof Refused, `should be refused, but brought ${JSON.stringify(outcome)}`)
          assert.match(outcome.because, because)
          if (who !== undefined) assert.equal(outcome.who, who)
        },
        state: () => events().reduce(evolve, before),
      }
    },
  }
}
