// What scenes about contacts begin with: rosters fetched, presence sent, subscriptions made.
import type { Actor } from './scene.ts'

/** Fetches the roster, and so hears of its changes. */
export async function fetches(...actors: Actor[]): Promise<void> {
  for (const a of actors) {
    a.sends`<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>`
    await a.hears`<iq type='result' id='roster'/>`
  }
}

/** Fetches the roster and becomes available. */
export async function arrives(...actors: Actor[]): Promise<void> {
  await fetches(...actors)
  for (const a of actors) await a.comesOnline()
}

/** Makes each see the other's presence; both must be logged in. What they hear of it is out of the way afterwards. */
export async function befriend(a: Actor, b: Actor): Promise<void> {
  for (const [one, other] of [[a, b], [b, a]] as const) {
    one.sends`<presence to='${other.bare}' type='subscribe'/>`
    await one.fence()
    other.sends`<presence to='${one.bare}' type='subscribed'/>`
    await other.fence()
  }
  for (const x of [a, b, a, b]) await x.fence()
}
