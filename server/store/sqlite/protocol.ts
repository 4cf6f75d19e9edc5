// What the main thread and the store's threads say to each other. Pure: types only.
import type { SQLInputValue } from 'node:sqlite'

/** A thread that holds one connection: the one that writes, or one beside it that only reads. */
export type Part = 'writer' | 'reader'
export interface Start { readonly file: string; readonly part: Part }

/** An argument of a call, as SQLite takes it; undefined is written as NULL. */
export type Arg = Exclude<SQLInputValue, Uint8Array | NodeJS.ArrayBufferView> | undefined

/**
 * Calls of one tick, laid flat (name, number of arguments, arguments, name, …): that clones in two thirds of the time
 * which an array for each call takes.
 */
export type Calls = (Arg | string | number)[]
export type Told = Calls | { readonly backup: string } | { readonly close: true }

export type Answer =
  | { readonly tag: 'ready'; readonly notes: readonly string[] }
  | { readonly tag: 'refused'; readonly why: string }
  /** One result for each call of the group, in order; `failed` are the places of those that came to nothing, and why. */
  | { readonly tag: 'group'; readonly results: readonly unknown[]; readonly failed: readonly (readonly [number, string])[] }
  | { readonly tag: 'backup'; readonly why?: string }
