// `deskbell export FILE`, `deskbell import FILE`: accounts with all that is theirs, as XEP-0227 has them.
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BadFile, usersIn } from '../portable/file.ts'
import { takeUser } from '../portable/read.ts'
import { writeData } from '../portable/write.ts'
import { done, failed, type Verb } from '../office.ts'
import { isOutcome, read } from './words.ts'

const SHOWN = 20 // lines about what was not taken over

/** FILE comes as an absolute path. Whole or not at all, and for its owner alone: it holds keys. */
export const exportData: Verb = async (args, { stores, config }) => {
  const words = read(args, {}, 1, 'export FILE')
  if (isOutcome(words)) return words
  const file = resolve(words.positionals[0] ?? '')
  const half = `${file}.part`
  try {
    await rm(half, { force: true })
    await pipeline(Readable.from(writeData(stores, config.hosts.keys())), createWriteStream(half, { flags: 'wx', mode: 0o600, flush: true }))
    await rename(half, file)
  } catch (error) {
    await rm(half, { force: true }).catch(() => {})
    const { code, message } = error as NodeJS.ErrnoException
    if (!code) throw error
    return failed(`${file}: the export was not written (${message}): give a file in a folder that exists and has room`)
  }
  return done(`accounts written to ${file}; it holds keys of passwords: keep it as you keep them`)
}

/** Accounts that are there already stay as they are. */
export const importData: Verb = async (args, office) => {
  const words = read(args, {}, 1, 'import FILE')
  if (isOutcome(words)) return words
  const { config, stores, clock, changed } = office
  let made = 0
  let there = 0
  const notes: string[] = []
  const foreign = new Set<string>()
  try {
    for await (const { host, user } of usersIn(resolve(words.positionals[0] ?? ''))) {
      const options = config.hosts.get(host)
      if (!options) { foreign.add(host); continue }
      const outcome = await takeUser(user, host, { stores, now: clock.now(), iterations: options.scramIterations, offline: config.limits.account.offline, directory: Boolean(options.plugins['ldap']) }, line => notes.push(line))
      if (outcome === 'there') there++
      else if ('wrong' in outcome) notes.push(`${outcome.wrong}: left out`)
      else { made++; await changed?.(outcome.jid.bare, 'made') }
    }
  } catch (error) {
    if (error instanceof BadFile) return failed(`${error.message} (${made} accounts were imported before)`)
    throw error
  }
  for (const host of foreign) notes.push(`${host} is no host of ours: add it to hosts in ${config.file} and import again`)
  const more = notes.length - SHOWN
  return done(`${made} accounts imported${there ? `, ${there} were there already and stay as they are` : ''}`, ...notes.slice(0, SHOWN), ...more > 0 ? [`and ${more} more such lines`] : [])
}
