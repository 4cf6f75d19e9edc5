// `!help`: what one can do now, one command, or all of them; and the same question for the menus of clients (shell).
import { label, no, yes, type Act } from '../answers.ts'
import { COMMANDS, commandNamed } from '../commands.ts'
import type { Bare, Present, State } from '../facts.ts'
import { oneHelp, shortHelp, situation, type Situation } from '../help.ts'
import type { Office } from '../office.ts'
import { short } from '../sentences.ts'
import { pendingOffers, roleOf } from '../states.ts'
import { helpText } from '../words.ts'

/** How he stands to one conversation; without a number: to all that are his to answer or to serve. */
export function situationOf(o: Office, who: Bare, here: number | undefined): Situation {
  const one = here === undefined ? undefined : o.book.states.get(here)
  const all = one && one.is !== 'absent' ? [one] : [...o.hands.of(who)].flatMap(n => { const s = o.book.states.get(n); return s && isTheirs(s, who) ? [s] : [] })
  const waits = here === undefined && [...o.config.queues.keys()].some(q => o.distribution.first(q, who, 1).length > 0)
  return situation(who, all, { waits, may: s => here !== undefined && o.operators.may(who, 'chat.act.others', s.queue) })
}

const isTheirs = (s: State, who: Bare): s is Present => s.is !== 'absent' && (roleOf(s, who) !== undefined || pendingOffers(s).some(p => p.to === who))

export const help: Act = (o, c) => {
  const mine = COMMANDS.filter(x => o.operators.may(c.by, x.permission))
  const word = (c.args['word'] ?? '').toLowerCase().replace(/^(?:!|\/\/?)/, '')
  if (word === 'all') return yes(helpText(mine))
  const one = word === '' ? undefined : commandNamed(word)
  if (word !== '') return one && mine.includes(one) ? yes(oneHelp(one)) : no(`There is no command “${short(word, 20)}” for you. \`!help all\` lists them.`)
  return yes(shortHelp(mine, situationOf(o, c.by, c.here), c.here === undefined ? undefined : `#${c.here}${label(o, c.here)}`))
}
