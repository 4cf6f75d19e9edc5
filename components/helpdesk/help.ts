// What one can do now: the short text of `!help`, and the commands that stand in the menus of clients. Pure.

import type { Entry } from './command.ts'
import { isQueued, pendingOffers, roleOf } from './states.ts'
import type { Bare, Present, Role } from './facts.ts'
import { usage, written } from './words.ts'

/** How an operator stands to the conversation that is meant, or to all of his own together. */
export interface Situation {
  /** Something waits for an answer. */
  readonly asked: boolean
  /** Somebody waits whom he may take. */
  readonly waits: boolean
  readonly roles: readonly (Role | 'owner')[]
  /** One that is being served, one that is over but not closed, one that is put aside. */
  readonly active: boolean
  readonly ended: boolean
  readonly held: boolean
  readonly closed: boolean
  /** It is somebody else's or nobody's, and he may act for others. */
  readonly force: boolean
}

/** Of these conversations; `may`: whether he may act on somebody else's. */
export function situation(who: Bare, all: readonly Present[], { waits, may }: { waits: boolean; may: (s: Present) => boolean }): Situation {
  const roles = all.flatMap(s => roleOf(s, who) ?? [])
  const foreign = all.filter(s => roleOf(s, who) !== 'owner')
  return {
    asked: all.some(s => pendingOffers(s).some(p => p.to === who)), waits: waits || foreign.some(s => isQueued(s) || (s.is === 'active' && may(s))), roles,
    active: all.some(s => s.is === 'active'), ended: all.some(s => s.is === 'ended'), held: all.some(s => s.hold !== undefined), closed: all.some(s => s.is === 'closed'), force: foreign.some(may),
  }
}

/** The groups of `!help` and of menus, in their order: the daily ones first. */
export const GROUPS: readonly { readonly title: string; /** shown without what stands behind the words */ readonly bare?: true; /** of no conversation: told of by the bot */ readonly bot?: true; readonly words: readonly string[] }[] = [
  { title: 'Answer', words: ['a', 'r'] },
  { title: 'Queue', words: ['q', 'take'] },
  { title: 'Talk', words: ['c', 'n', 'canned', 'say', 'reply', 'file', 'macro', 'tr'] },
  { title: 'Hand on', words: ['t', 'i', 'chan'] },
  { title: 'Watch', words: ['obs', 'join', 'leave'] },
  { title: 'Finish', words: ['end', 'close', 'ticket'] },
  { title: 'Customer', bare: true, words: ['who', 'card', 'comment', 'dossier', 'history', 'pdf', 'mail', 'export', 'erase'] },
  { title: 'Mark', bare: true, words: ['subject', 'label', 'prio', 'follow', 'hold', 'unhold', 'res', 'pin'] },
  { title: 'Keep', bare: true, words: ['task', 'taskdone', 'time', 'related', 'newticket', 'call', 'addfile', 'field', 'event', 'mon', 'delete', 'ban', 'unban'] },
  { title: 'Lists', bare: true, bot: true, words: ['mine', 'done', 'list', 'find', 'kb', 'bulk', 'channels', 'open', 'bans'] },
  { title: 'Tickets', bare: true, bot: true, words: ['tickets', 'ticketinfo', 'maketicket', 'ticketnote', 'ticketstatus', 'ticketsubject', 'merge', 'split'] },
  { title: 'The desk', bare: true, bot: true, words: ['articles', 'article', 'addarticle', 'editarticle', 'delarticle', 'hooks', 'addhook', 'edithook', 'delhook', 'banaddress', 'liftban'] },
  { title: 'Colleagues', bare: true, bot: true, words: ['im', 'ims', 'board', 'colleagues', 'here', 'rooms', 'makeroom', 'removeroom', 'start'] },
  { title: 'Yourself', bot: true, words: ['on', 'off', 'view', 'max', 'inv', 'announce'] },
]

const WITH_ONE = ['t', 'i', 'c', 'n', 'end', 'close', 'ticket'] // what is told of to who has none yet

/** Whether it could come to anything now, as far as can be said beforehand. */
export function isPossible(c: Pick<Entry, 'word' | 'about'>, s: Situation): boolean {
  const owns = s.roles.includes('owner') || s.force
  const speaks = owns || s.roles.includes('participant')
  switch (c.word) {
    case 'a': case 'r': return s.asked
    case 'take': return s.waits
    case 't': case 'chan': return owns && s.active
    case 'i': case 'end': return speaks && s.active
    case 'say': case 'reply': case 'file': case 'canned': return s.active && (s.roles.includes('owner') || s.roles.includes('participant'))
    case 'close': return owns && (s.active || s.ended)
    case 'ticket': return owns && (s.active || s.ended)
    case 'obs': return s.roles.some(r => r === 'invited' || r === 'participant') || (s.force && s.roles.length === 0)
    case 'join': return s.roles.some(r => r === 'invited' || r === 'observer') || (s.force && s.roles.length === 0)
    case 'leave': return s.roles.some(r => r !== 'owner')
    case 'hold': return speaks && s.active && !s.held
    case 'unhold': return owns && s.held
    case 'delete': return s.closed
    default: return c.about !== 'open' || s.roles.length > 0 || s.force
  }
}
const isInside = (c: Pick<Entry, 'about'>): boolean => c.about === 'any' || c.about === 'open'

/** At most 20 lines. `named`: the conversation in whose window it was typed. */
export function shortHelp(commands: readonly Entry[], s: Situation, named?: string): string {
  const known = new Map(commands.map(c => [c.word, c]))
  const none = named === undefined && s.roles.length === 0 && !s.force
  const line = (title: string, words: readonly string[], bare = false): string[] => {
    const shown = words.flatMap(w => known.get(w) ?? [])
    return shown.length > 0 ? [`${title}: ${shown.map(c => bare ? `!${c.word}` : written(c)).join(' · ')}`] : []
  }
  const now = (w: string): boolean => { const c = known.get(w); return c !== undefined && isPossible(c, s) && !(none && isInside(c) && w !== 'take') }
  return [
    named === undefined ? 'What you can do now:' : `What you can do now with ${named}:`,
    ...GROUPS.filter(g => named === undefined || !g.bot).flatMap(g => line(g.title, g.words.filter(now), g.bare)),
    ...(none ? line('With a conversation', WITH_ONE) : []),
    ...(known.has('canned') && !none ? ['A short-cut alone on a line sends its text; `!c? short-cut` shows it to you only.'] : []),
    'What begins with `!` or `/` and is no command never reaches the customer; `!!word` sends `!word` as text.',
    '!help: this list. `!help word` tells of one command, `!help all` of every one.',
  ].join('\n')
}

/** What one command does, for who asked for it by one of its names. */
export const oneHelp = (c: Entry): string => `${usage(c)}${c.aliases.length > 0 ? ` Also ${c.aliases.map(a => `!${a}`).join(', ')}.` : ''}`
