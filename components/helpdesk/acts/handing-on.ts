// To which queue a conversation is handed on: what is meant by the words, and whether it takes anybody now (ST-68, OT-35; shell).
import { no, unknown, type Answer } from '../answers.ts'
import { queueName } from '../config.ts'
import { wayOn } from '../entrance.ts'
import type { Bare } from '../facts.ts'
import type { Office } from '../office.ts'
import { short } from '../sentences.ts'
import { isOver } from '../states.ts'
import { queueMeant } from '../words.ts'

/** The queue that takes #n from `now` when `by` hands it to `to`; undefined: a colleague is meant. It must be open and have room, as for who comes; a full one may overflow. Who is handed over by a program waits for people. */
export function takingQueue(o: Office, n: number, by: Bare, to: string, now: string | undefined): string | Answer | undefined {
  const queue = placeMeant(o, to, now)
  if (queue === undefined) return undefined
  if (!o.hasQueue(queue)) return noQueue(o, queue)
  const way = wayOn(o.rules.now, queue, {
    takesNew: q => isOpenFor(o, q, o.operators.isBot(by)), waiting: q => o.distribution.waiting(q),
    open: queues => [...o.book.states].filter(([other, s]) => other !== n && s.is !== 'absent' && !isOver(s) && queues.includes(s.queue)).length,
  })
  return typeof way === 'string' ? way : way.closed ? isClosed(o, queue) : no(`Too many wait in ${queueName(o.config, queue)} now.`)
}

function isOpenFor(o: Office, queue: string, people: boolean): boolean {
  const only = people ? o.operators.of(queue).filter(j => !o.operators.isBot(j)) : undefined
  return only?.length !== 0 && o.takesNew(queue, only)
}

export const noQueue = (o: Office, queue: string): Answer => unknown(`There is no queue “${short(queue, 40)}”. There are: ${[...o.config.queues.keys()].join(', ')}.`)
/** Nobody receives there, or it is outside its hours. */
export const isClosed = (o: Office, queue: string): Answer => no(`${queueName(o.config, queue)} is closed now.`)

/** Of a department the first queue that is open, else its first. */
function departmentQueue(o: Office, asked: string): string {
  const { departments } = o.rules.now
  const id = Object.keys(departments).find(d => d === asked || departments[d]?.name?.toLowerCase() === asked)
  const queues = id === undefined ? [] : departments[id]?.queues ?? []
  return queues.find(q => o.isOpen(q)) ?? queues[0] ?? asked
}

/** `group:billing`; `department:money`; `auto` = whoever comes next in the same queue; `brand:shop` = the queue of that brand's first site (ST-68). */
function placeMeant(o: Office, to: string, now: string | undefined): string | undefined {
  if (to.toLowerCase() === 'auto') return now
  const brand = /^brand:(.+)$/i.exec(to)?.[1]?.trim().toLowerCase()
  const department = /^dep(?:artmen)?t:(.+)$/i.exec(to)?.[1]?.trim().toLowerCase()
  if (department !== undefined) return departmentQueue(o, department)
  if (brand === undefined) return queueMeant(to)
  const { brands, sites, queues } = o.rules.now
  const site = brands[brand]?.sites.find(x => sites[x] !== undefined)
  return site === undefined ? brand : sites[site]?.queue ?? Object.keys(queues)[0] ?? brand
}
