// What the verbs of the command line work on: the store, with the running house behind it or without.
import type { CannedBook } from '../components/helpdesk/canned-book.ts'
import type { CommandLineDeed } from '../components/helpdesk/records/audit.ts'
import type { Rulebook } from '../components/helpdesk/settings/rulebook.ts'
import type { Tally } from '../components/helpdesk/tally.ts'
import type { HookBook } from '../components/helpdesk/webhooks/hook-book.ts'
import type { Config } from '../config/load.ts'
import type { Clock } from '../server/ports/clock.ts'
import type { PairState } from '../server/stream/s2s.ts'
import type { Stores } from '../server/ports/store.ts'

/** What became of an account; a running house ends or changes its sessions accordingly. */
export type Change = 'made' | 'password' | 'role' | 'removed' | 'disabled'

/** What an admin may change of a desk. */
export interface Desk { readonly rules: Rulebook; readonly canned: CannedBook; /** Where other programs are told, and what is wrong with an address. */ readonly hooks: { readonly book: HookBook; wrong(url: string): string | undefined }; /** How a running one stands. */ readonly tally?: Tally; /** Puts it into the desk's audit. */ note(deed: CommandLineDeed): Promise<unknown> }

export interface Office {
  readonly config: Config
  readonly stores: Stores & { backup(file: string): Promise<void> }
  readonly clock: Clock
  /** Tells the running house; absent where none runs. */
  readonly changed?: (jid: string, what: Change) => Promise<void>
  /** REST tokens were ended in the store; absent where none runs. */
  readonly tokensEnded?: () => void
  /** Ends the subscriptions of an account that is about to be removed; absent where none runs. */
  readonly farewell?: (jid: string) => Promise<void>
  /** Moves the test clock on; absent where the server runs on real time, or none runs. */
  readonly advance?: (ms: number) => Promise<void>
  /** The pairs of domains that speak with each other; absent where none runs, or federation is off. */
  readonly pairs?: () => readonly PairState[]
  /** The desks that run, by domain; absent where none runs. */
  readonly desks?: ReadonlyMap<string, Desk>
  /** Whether a server runs. */
  readonly running: boolean
}

/** How a verb ended: `code` is the exit code, `lines` go to stdout for 0 and to stderr else. */
export interface Outcome { readonly code: 0 | 1 | 2; readonly lines: readonly string[] }

export const done = (...lines: string[]): Outcome => ({ code: 0, lines })
/** It could not be done; the line names the mend. */
export const failed = (line: string): Outcome => ({ code: 1, lines: [line] })
/** The words were wrong; the line says what is right. */
export const misused = (line: string): Outcome => ({ code: 2, lines: [line] })

/** A verb of the command line: `args` are what follows its name. It is run by the server where one runs, else by the command itself. */
export type Verb = (args: readonly string[], office: Office) => Promise<Outcome>
