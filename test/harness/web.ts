// A desk with its web bridge: pages speak JSON over sockets, agents XMPP, the clock is the test's.
import { webchat } from '../../components/webchat/webchat.ts'
import { mount } from '../../server/component/mount.ts'
import { silent } from '../../server/ports/log.ts'
import { paced } from './clock.ts'
import { DESK, desk, type DeskHouse, type Staff } from './desk.ts'
import type { DeskConfig } from '../../components/helpdesk/config.ts'

export const WEB = 'chat.localhost'

/** Plays at a desk with a bridge; `url` is where pages reach it. */
export const webDesk = (staff: Staff, play: (d: DeskHouse, url: string) => Promise<void>, conf?: DeskConfig): (() => Promise<void>) => desk(staff, d => bridged(d, url => play(d, url)), conf)

/** Puts a bridge before this desk. */
export async function bridged(d: DeskHouse, play: (url: string) => Promise<void>): Promise<void> {
  const { clock, stores, host } = d.house
  const limits = { ...host.limits, visitor: { ...host.limits.visitor, messages: { rate: Infinity, burst: Infinity } } }
  const bridge = await mount(webchat({ desk: DESK, queue: 'support', origins: [] }), { domain: WEB, clock, network: paced(), log: silent, stores, limits, http: d.http }, d.house.router)
  try {
    const url = await d.url()
    await d.quiet()
    await play(url)
  } finally { await bridge[Symbol.asyncDispose]() }
}
