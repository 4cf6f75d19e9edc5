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
  if (queue === undefined || typeof queue !== 'string') return queue
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

const noPlace = (what: 'brand' | 'department', name: string, all: readonly string[]): Answer => unknown(`There is no ${what} “${short(name, 40)}”${all.length > 0 ? `. There are: ${all.join(', ')}.` : '; none is set up.'}`)
export const noQueue = (o: Office, queue: string): Answer => unknown(`There is no queue “${short(queue, 40)}”. There are: ${[...o.config.queues.keys()].join(', ')}.`)
/** Nobody receives there, or it is outside its hours. */
export const isClosed = (o: Office, queue: string): Answer => no(`${queueName(o.config, queue)} is closed now.`)

/** Of a department the first queue that is open, else its first. */
function departmentQueue(o: Office, asked: string): string | Answer {
  const { departments } = o.rules.now
  const id = Object.keys(departments).find(d => d === asked || departments[d]?.name?.toLowerCase() === asked)
  const queues = id === undefined ? [] : departments[id]?.queues ?? []
  return queues.find(q => o.isOpen(q)) ?? queues[0] ?? noPlace('department', asked, Object.keys(departments))
}

/** `group:billing`; `department:money`; `auto` = whoever comes next in the same queue; `brand:shop` = the queue of that brand's first site (ST-68). */
function placeMeant(o: Office, to: string, now: string | undefined): string | Answer | undefined {
  if (to.toLowerCase() === 'auto') return now
  const brand = /^brand:(.+)$/i.exec(to)?.[1]?.trim().toLowerCase()
  const department = /^dep(?:artmen)?t:(.+)$/i.exec(to)?.[1]?.trim().toLowerCase()
  if (department !== undefined) return departmentQueue(o, department)
  if (brand === undefined) return queueMeant(to)
  const { brands, sites, queues } = o.rules.now
  const id = Object.keys(brands).find(b => b === brand || brands[b]?.name?.toLowerCase() === brand)
  if (id === undefined) return noPlace('brand', brand, Object.keys(brands))
  const site = brands[id]?.sites.find(x => sites[x] !== undefined)
  const queue = site === undefined ? undefined : sites[site]?.queue ?? Object.keys(queues)[0]
  return queue ?? no(`The brand ${id} has no site, and so no queue.`)
}
