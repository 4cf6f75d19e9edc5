// What a conversation's room tells of who is who (XEP-0317): the bot, the customer, who is in charge, who looks on. Pure.
import type { Hat } from '../../../protocols/room/hats.ts'
import type { Role } from '../facts.ts'

const hat = (uri: string, title: string): Hat => ({ uri: `urn:deskbell:hat:${uri}`, title })
const CREW: Readonly<Partial<Record<Role | 'owner', Hat>>> = { owner: hat('in-charge', 'In charge'), participant: hat('participant', 'Participant'), observer: hat('observer', 'Observer') }

export const BOT_HATS: readonly Hat[] = [hat('bot', 'Bot')]
export const CUSTOMER_HATS: readonly Hat[] = [hat('customer', 'Customer')]

/** Of an operator: what he does in the conversation, and what he is at the desk unless that is an agent. `holds`: the role's name. */
export function operatorHats(role: Role | 'owner' | undefined, holds: string | undefined): readonly Hat[] {
  const doing = role && CREW[role]
  const title = holds === undefined || holds === 'agent' ? undefined : holds.slice(0, 1).toUpperCase() + holds.slice(1)
  return [...(doing ? [doing] : []), ...(title === undefined ? [] : [hat(`role:${encodeURIComponent(title.toLowerCase())}`, title)])]
}
