// The small verbs: the test clock, and backup.
import { resolve } from 'node:path'
import { StoreError } from '../../server/ports/store.ts'
import { done, failed, misused, type Verb } from '../office.ts'
import { isOutcome, read } from './words.ts'

export const clock: Verb = async (args, office) => {
  const words = read(args, {}, 2, 'clock advance SECONDS')
  if (isOutcome(words)) return words
  const [verb, text = ''] = words.positionals
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN
  if (verb !== 'advance' || !Number.isFinite(seconds)) return misused('usage: deskbell clock advance SECONDS')
  if (!office.running) return failed('no server runs with this config: start one with deskbell start --test-clock')
  if (!office.advance) return failed('the server runs on real time: start it with deskbell start --test-clock')
  await office.advance(seconds * 1000)
  return done(`the clock went on by ${text} seconds`)
}

/** FILE comes as an absolute path: the server's folder need not be the caller's. */
export const backup: Verb = async (args, office) => {
  const words = read(args, {}, 1, 'backup FILE')
  if (isOutcome(words)) return words
  const file = resolve(words.positionals[0] ?? '')
  try {
    await office.stores.backup(file)
  } catch (error) {
    if (error instanceof StoreError) return failed(`${error.message}: give a file in a folder that exists and has room`)
    throw error
  }
  return done(`backup written to ${file}`)
}
