// From what an operator types to a command with its arguments, and from names to people (helpdesk.md section 8.2 with section 2.1 C25). Pure.

import type { Entry } from './command.ts'
import { commandNamed, type CommandEntry } from './commands.ts'
import type { Bare } from './facts.ts'

export type Parsed =
  /** Plain text, as it is to be sent. */
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'command'; readonly command: CommandEntry; readonly n: number | undefined; readonly args: Readonly<Record<string, string>> }
  /** Held back from the customer; the words are for who typed it. */
  | { readonly is: 'refused'; readonly because: string }

// A line is held back if it begins with one of the three signs and a letter; the word ends at the first blank.
const LOOKS = /^(!|\/\/?)(\p{L}\S*)(?:[^\S\n]+([^\n]*))?(?:\n([\s\S]*))?$/u
const WORD = /^[\p{L}][\p{L}\p{N}-]{0,15}$/u

/**
 * Reads a line typed to the bot (`to` = 'bot') or inside a conversation.
 * The trailing blanks of a command mean nothing; text is kept to the letter, except that `!!x` is sent as `!x`.
 */
export function parse(body: string, to: 'bot' | 'conversation'): Parsed {
  const trimmed = body.trimStart()
  if (trimmed.startsWith('!!')) return { is: 'text', text: trimmed.slice(1) }
  const m = LOOKS.exec(trimmed)
  if (!m) return { is: 'text', text: body }
  const [, sign = '', said = '', rest = '', more] = m
  if (sign !== '!' && (said.includes('/') || said.toLowerCase() === 'me')) return { is: 'text', text: body } // a path, or an action
  const word = said.toLowerCase()
  const command = WORD.test(word) ? commandNamed(word) : undefined
  if (!command) return { is: 'refused', because: `Unknown command: ${clip(said)}. \`!help\` lists them; \`!say …\` sends it as text.` }
  if (more !== undefined && more.trim() !== '' && !command.lines) return { is: 'refused', because: `Not done: \`!${command.word}\` stands on a line of its own. \`!say …\` sends it as text.` }
  return args(command, command.lines && more !== undefined ? `${rest}\n${more}` : rest.trim(), to)
}

function args(command: CommandEntry, rest: string, to: 'bot' | 'conversation'): Parsed {
  let left = rest
  let n: number | undefined
  const number = command.about === 'none' ? undefined : leadingNumber(left, command.fields[0]?.kind, to)
  if (number) {
    n = number.n
    left = number.left
  }
  const found: Record<string, string> = {}
  for (const f of command.fields) {
    if (left === '') break
    if (f.kind === 'text') { found[f.name] = left; left = ''; break }
    const token = /^"([^"\n]*)"(?=\s|$)|^(\S+)/.exec(left)
    if (!token) break
    found[f.name] = token[1] ?? token[2] ?? ''
    left = left.slice(token[0].length).trimStart()
  }
  if (left !== '') return { is: 'refused', because: usage(command) }
  const bad = command.fields.find(f => wrong(f, found[f.name]))
  return bad ? { is: 'refused', because: usage(command) } : { is: 'command', command, n, args: found }
}

/** The number of a conversation stands first. Where text or another number follows it is looked for in lines to the bot alone. */
function leadingNumber(text: string, first: CommandEntry['fields'][number]['kind'] | undefined, to: 'bot' | 'conversation'): { n: number; left: string } | undefined {
  const m = /^(#?)(\d{1,9})(?:\s+|$)/.exec(text)
  if (!m) return undefined
  const found = { n: Number(m[2]), left: text.slice(m[0].length) }
  switch (first) {
    case undefined: return found
    case 'number': return to === 'bot' && m[1] === '#' ? found : undefined
    case 'text': return to === 'bot' ? found : undefined
    case 'choice': return found // a number is none of the choices
    default: return found.left === '' ? undefined : found
  }
}

function wrong(f: CommandEntry['fields'][number], value: string | undefined): boolean {
  if (value === undefined || value.trim() === '') return f.required === true
  if (f.kind === 'number') return !/^#?\d{1,9}$/.test(value)
  return f.kind === 'choice' && f.choices?.includes(value.toLowerCase()) !== true
}

const PREPARED: readonly string[] = ['event', 'macro']
/** Why a line cannot be a step of a macro or an event; undefined: it can, as far as can be said beforehand. */
export function flawOf(line: string): string | undefined {
  const parsed = parse(line, 'conversation')
  if (parsed.is === 'refused') return parsed.because
  if (parsed.is !== 'command') return undefined
  if (parsed.command.handler === 'bulk') return flawOf(asCommand(parsed.args['command'] ?? ''))
  return PREPARED.includes(parsed.command.handler) ? 'One macro or event may not begin another.' : undefined
}
/** A command for several conversations may be given without its sign: `t ben`. */
export const asCommand = (text: string): string => { const line = text.trim(); return /^[!/]/.test(line) ? line : `!${line}` }

/** How a command is written, for who got it wrong. */
export function usage(c: Entry): string {
  return `Usage: \`${written(c)}\` (${c.help}).`
}
export function written(c: Entry): string {
  const fields = c.fields.map(f => { const shown = f.choices?.join('|') ?? f.name; return f.required ? shown : `[${shown}]` })
  return [`!${c.word}`, ...(c.about === 'any' || c.about === 'pending' ? (c.fields.length === 0 ? ['[number]'] : []) : []), ...fields].join(' ')
}

/** The text of `!help all` for somebody who may use these commands. */
export function helpText(commands: readonly CommandEntry[]): string {
  return [
    'Commands, here and in a conversation (any case; the number may be left out where only one fits):',
    ...commands.map(c => `${written(c)}: ${c.help}${c.aliases.length > 0 ? ` (also ${c.aliases.map(a => `!${a}`).join(', ')})` : ''}`),
    '`!!word` sends `!word` as text. What begins with `!` or `/` and is no command never reaches the customer.',
  ].join('\n')
}

export interface Named { readonly jid: Bare; readonly name?: string | undefined }
export type Match<T> = { readonly is: 'one'; readonly it: T } | { readonly is: 'none' } | { readonly is: 'several'; readonly all: readonly T[] }

/** Finds people by address, localpart, shown name or the beginning of one of them; an exact hit wins over beginnings. */
export function match<T extends Named>(asked: string, people: readonly T[]): Match<T> {
  const want = fold(asked)
  if (want === '') return { is: 'none' }
  const steps: ((p: T) => boolean)[] = [
    p => fold(p.jid) === want,
    p => fold(localOf(p.jid)) === want,
    p => fold(p.name ?? '') === want,
    p => [localOf(p.jid), p.name ?? '', ...(p.name ?? '').split(/\s+/)].some(n => fold(n).startsWith(want)),
  ]
  for (const hit of steps) {
    const all = people.filter(hit)
    if (all.length === 1 && all[0]) return { is: 'one', it: all[0] }
    if (all.length > 1) return { is: 'several', all }
  }
  return { is: 'none' }
}

/** `group:billing` names the queue billing; anything else is no queue's name. */
export function queueMeant(target: string): string | undefined {
  const m = /^(?:group|queue):(.+)$/i.exec(target)
  return m?.[1]?.trim().toLowerCase()
}

const fold = (s: string): string => s.normalize('NFC').trim().toLowerCase()
export const localOf = (jid: Bare): string => { const at = jid.indexOf('@'); return at < 0 ? jid : jid.slice(0, at) }
const clip = (s: string): string => s.length > 40 ? `${s.slice(0, 40)}…` : s
