// Manual events: what an admin has prepared, carried out as if it were typed (ST-44; shell).
import { isAnswer, meant, mine, no, owned, queueOf, yes, type Act, type Answer, type Call } from '../answers.ts'
import type { CommandEntry } from '../commands.ts'
import type { Office } from '../office.ts'
import { parse } from '../words.ts'

export const NONE = 'No manual events available'

export const eventAct = (act: (o: Office, c: CommandEntry, call: Call) => Promise<Answer>): Act => async (o, c) => {
  const n = meant(o, c, s => mine(c.by)(s) || owned(c.by)(s), 'You are in no conversation; give a number.')
  if (isAnswer(n)) return n
  const queue = queueOf(o, n)
  const all = Object.entries(o.rules.now.events).filter(([, e]) => e.queues.length === 0 || (queue !== undefined && e.queues.includes(queue)))
  const asked = (c.args['event'] ?? '').toLowerCase()
  if (asked === '') return yes(all.length > 0 ? all.map(([name, e]) => `${name}: ${e.title}`).join('\n') : NONE, n)
  const found = all.find(([name, e]) => name === asked || e.title.toLowerCase() === asked)?.[1]
  if (!found) return no(all.length > 0 ? `There is no such event. There are: ${all.map(([name]) => name).join(', ')}.` : NONE)
  const done: string[] = []
  for (const [i, line] of found.commands.entries()) {
    const parsed = parse(line, 'conversation')
    if (parsed.is === 'refused') return no([...done, `${line}: ${parsed.because}`].join('\n'))
    let answer: Answer
    if (parsed.is === 'text') {
      const say = parse(`!say ${parsed.text}`, 'conversation')
      if (say.is !== 'command') return no([...done, `${line}: this is no command.`].join('\n'))
      answer = await act(o, say.command, { by: c.by, n, here: n, args: say.args, ...(c.id === undefined ? {} : { id: `${c.id}/${i}` }) })
    } else if (parsed.command.handler === 'event') return no('An event may not begin another one.')
    else answer = await act(o, parsed.command, { by: c.by, n: parsed.n ?? n, here: n, args: parsed.args, ...(c.id === undefined ? {} : { id: `${c.id}/${i}` }) })
    if (!answer.ok) return { ...answer, text: [...done, answer.text].join('\n') }
    if (answer.text !== '') done.push(answer.text)
  }
  return yes([`${found.title}: done.`, ...done].join('\n'), n)
}
