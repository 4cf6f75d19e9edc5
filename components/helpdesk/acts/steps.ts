// What somebody has prepared, carried out as if it were typed, line by line: manual events and macros (ST-44; shell).
import { isAnswer, meant, mine, no, owned, queueOf, yes, type Act, type Answer, type Call } from '../answers.ts'
import type { CommandEntry } from '../commands.ts'
import type { Office } from '../office.ts'
import { cannedHere } from '../replies.ts'
import { short } from '../sentences.ts'
import { isQueued } from '../states.ts'
import { flawOf, parse } from '../words.ts'

export const NONE = 'No manual events available'
type Run = (o: Office, c: CommandEntry, call: Call) => Promise<Answer>
interface Prepared { readonly title: string; readonly lines: readonly string[]; readonly queues: readonly string[] }

export const stepActs = (act: Run): { readonly event: Act; readonly macro: Act } => ({
  event: (o, c) => prepared(act, o, c, 'event', Object.entries(o.rules.now.events).map(([name, e]) => [name, { title: e.title, lines: e.commands, queues: e.queues }])),
  macro: (o, c) => prepared(act, o, c, 'macro', Object.entries(o.rules.now.macros).map(([name, m]) => [name, { title: m.title, lines: m.steps, queues: m.queues }])),
})

async function prepared(act: Run, o: Office, c: Call, what: 'event' | 'macro', defined: readonly (readonly [string, Prepared])[]): Promise<Answer> {
  const n = meant(o, c, s => mine(c.by)(s) || owned(c.by)(s) || (what === 'macro' && isQueued(s) && o.operators.may(c.by, 'chat.act.others', s.queue)), 'You are in no conversation; give a number.', false, what === 'macro')
  if (isAnswer(n)) return n
  const queue = queueOf(o, n)
  const all = defined.filter(([, p]) => p.queues.length === 0 || (queue !== undefined && p.queues.includes(queue)))
  const none = what === 'event' ? NONE : 'There are no macros here.'
  const asked = (c.args[what] ?? '').toLowerCase()
  if (asked === '') return yes(all.length > 0 ? all.map(([name, p]) => `${name}: ${p.title}`).join('\n') : none, n)
  const [name, found] = all.find(([id, p]) => id === asked || p.title.toLowerCase() === asked) ?? []
  if (name === undefined || !found) return no(all.length > 0 ? `There is no such ${what}. There are: ${all.map(([id]) => id).join(', ')}.` : none)
  const done: string[] = []
  for (const [i, line] of found.lines.entries()) {
    const answer = await step(act, o, c, n, line, i)
    if (answer.ok) { if (answer.text !== '') done.push(answer.text); continue }
    await recorded(o, c, n, what, i === 0 ? undefined : `${name} ${i}/${found.lines.length}`)
    return { ...answer, text: [...done, `${found.title}: stopped at step ${i + 1} of ${found.lines.length} (${short(line, 60)}): ${answer.text}`].join('\n') }
  }
  await recorded(o, c, n, what, name)
  return yes([`${found.title}: done.`, ...done].join('\n'), n)
}

/** One line with the rights of who runs it: a command, the short-cut of a canned reply, or text for the customer. */
async function step(act: Run, o: Office, c: Call, n: number, line: string, i: number): Promise<Answer> {
  const flaw = flawOf(line)
  if (flaw !== undefined) return no(flaw)
  const canned = cannedHere(o, c.by, n, line)
  if (canned?.is === 'show') return no(canned.text)
  const parsed = parse(canned ? `!say ${canned.text}` : line, 'conversation')
  const command = parsed.is === 'text' ? parse(`!say ${parsed.text}`, 'conversation') : parsed
  if (command.is !== 'command') return no('This is no command.')
  return act(o, command.command, { by: c.by, n: command.n ?? n, here: n, args: command.args, ...(c.id === undefined ? {} : { id: `${c.id}/${i}` }) })
}

/** What was run stands in the history, behind its steps; each of them was allowed by itself. */
async function recorded(o: Office, c: Call, n: number, what: 'event' | 'macro', id: string | undefined): Promise<void> {
  if (id !== undefined) await o.book.give(n, { do: 'mark', by: c.by, what, id, force: true })
}
