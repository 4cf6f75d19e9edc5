// Work that is done later or again and again, coarse to the minute: retention, digests, sweeps. Second-level deadlines are no jobs.

export interface JobOptions {
  /** Waits before each further attempt, in ms. After the last a single job is dropped, a repeated one waits for its next turn. */
  readonly pauses?: readonly number[]
  /** How many of the kind run at the same time; 1 unless told otherwise. */
  readonly atOnce?: number
  /** ms after which a run counts as dead and may be begun again, elsewhere or after a crash; an hour unless told otherwise. */
  readonly longest?: number
}

/** Is to do the same whether it runs once or twice: a crash in the middle runs it again. A rejection is a failed attempt. */
export type Work = (data: unknown, key: string) => Promise<void>

export interface Jobs {
  /** Says what a kind of job does. What waits for a kind that nobody has defined goes on waiting. */
  define(name: string, work: Work, options?: JobOptions): void
  /** Does it again `interval` ms after each run, the first time one interval from now; a restart does not begin the wait anew. */
  every(name: string, interval: number, data?: unknown): Promise<void>
  /** Does it once at `at` (ms since 1970). The same name and key again takes the place of what waits, also from within its own run. */
  once(name: string, key: string, at: number, data?: unknown): Promise<void>
  /** Resolves with whether there was one. A run under way goes on to its end. */
  cancel(name: string, key?: string): Promise<boolean>
  /** What waits or runs, for the admin. */
  list(): Promise<readonly Waiting[]>
  start(): Promise<void>
  /** Waits for the runs under way; what waits is kept. */
  close(): Promise<void>
}

export interface Waiting { readonly name: string; readonly key: string; readonly next: number | undefined; readonly running: boolean; readonly failures: number; readonly why?: string }
