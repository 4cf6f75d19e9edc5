// Conversations to begin with, at a desk with settings of one's own.
import { BOT, c, config, DESK, desk, SUPPORT, type DeskHouse, type Person, type Staff } from './desk.ts'

export const ONE = { anna: 'agent' } as const
export const THREE = { anna: 'agent', ben: 'agent', cleo: 'agent' } as const
export const TWO = { anna: 'agent', ben: 'agent' } as const
export const TEAM = { anna: 'agent', ben: 'agent', mia: 'manager', adam: 'admin' } as const
/** A queue that is asked in turn, and one that agents take from. */
export const BOTH = { support: {}, billing: { assign: 'pull' } } as const

/** A test at a desk whose admin has set these settings before anybody came. */
export const deskWith = (settings: object, staff: Staff, play: (d: DeskHouse) => Promise<void>, conf: ReturnType<typeof config> = config(BOTH)): (() => Promise<void>) => desk(staff, async d => {
  await d.house.stores.documents.put('desk-settings', DESK, 'settings', { changes: settings, by: 'adam@localhost', at: 0 })
  await d.restart()
  await play(d)
}, conf)

/** `who`'s next conversation, #n, served by `agent`, with everything read away. */
export async function serves(d: DeskHouse, agent: Person, n: number, who: string, words = 'hello', queue = SUPPORT): Promise<Person> {
  const customer = await d.comes(who)
  customer.types(queue, words)
  await agent.reads(BOT, new RegExp(`#${n}\\b`))
  agent.types(BOT, `!take ${n}`)
  await agent.reads(c(n), words)
  await customer.reads(queue, / joined\.$/)
  await agent.reads(BOT, /is yours/)
  await d.quiet()
  for (const p of [agent, customer]) await p.all()
  return customer
}

/** Zoe's conversation #1 is offered to Anna, who accepts it. */
export async function accepts(d: DeskHouse): Promise<{ anna: Person; zoe: Person }> {
  const anna = await d.comes('anna')
  const zoe = await d.comes('zoe')
  zoe.types(SUPPORT, 'hello')
  await anna.reads(BOT, /#1/)
  anna.types(BOT, '!a')
  await anna.reads(c(1), 'hello')
  await zoe.reads(SUPPORT, '✱ Anna joined.')
  await anna.reads(BOT, /accepted/)
  return { anna, zoe }
}

/** The same, with everything read away. */
export async function accepted(d: DeskHouse): Promise<{ anna: Person; zoe: Person }> {
  const both = await accepts(d)
  await d.quiet()
  for (const p of [both.anna, both.zoe]) await p.all()
  return both
}

/** Anna serves Zoe's conversation #1. */
export async function talk(d: DeskHouse): Promise<{ anna: Person; zoe: Person }> {
  const anna = await d.comes('anna')
  return { anna, zoe: await serves(d, anna, 1, 'zoe') }
}

/** What came with an XEP-0224 attention. */
export const isUrgent = (r: { stanza: { getChild(name: string, ns?: string): unknown } }): boolean => r.stanza.getChild('attention', 'urn:xmpp:attention:0') !== undefined
