// Who has passed is asked again: after a rest, or as soon as the state of somebody who may be asked changes.
import { BOT, config, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { deskWith, TWO, TEAM } from '../harness/talks.ts'

const CALM = { quality: { idleWarning: 0, idleCritical: 0 } }
const ROUND = config({ support: {}, billing: { assign: 'pull' } })
const offered = (p: Person): Promise<unknown> => p.reads(BOT, /New chat #1\b/)

/** Zoe's chat was offered to these, one after the other, and all have passed. */
async function allPass(d: DeskHouse, ...people: Person[]): Promise<void> {
  const zoe = await d.comes('zoe')
  zoe.types(SUPPORT, 'hello')
  for (const p of people) {
    await offered(p)
    p.types(BOT, '!r')
    await p.reads(BOT, /pass/i)
  }
  await d.quiet()
  for (const p of people) await p.readsNothing()
}

describe('asked again', () => {
  it('ST-26 after a rest of 60 s, and not before', deskWith(CALM, TWO, async d => {
    const anna = await d.comes('anna')
    await allPass(d, anna)
    await d.later(59)
    await anna.readsNothing()
    await d.later(1)
    await offered(anna)
  }, ROUND))

  for (const [what, does] of [
    ['says that she is free for a chat', async (p: Person) => { p.actor.sends`<presence><show>chat</show></presence>` }],
    ['was away and is back', async (p: Person, d: DeskHouse) => { p.actor.sends`<presence><show>away</show></presence>`; await d.quiet(); p.actor.sends`<presence/>` }],
    ['takes another number at once', async (p: Person) => { p.types(BOT, '!max 3'); await p.reads(BOT, /at most 3/) }],
    ['stops and begins again', async (p: Person) => { p.types(BOT, '!off'); await p.reads(BOT, /no new customers/); p.types(BOT, '!on'); await p.reads(BOT, /receive/) }],
  ] as const) {
    it(`ST-26 at once when who passed ${what}`, deskWith(CALM, TWO, async d => {
      const anna = await d.comes('anna')
      await allPass(d, anna)
      await does(anna, d)
      await offered(anna)
    }, ROUND))
  }

  it('ST-26 at once when somebody else comes, or changes what he takes', deskWith(CALM, TWO, async d => {
    const anna = await d.comes('anna')
    await allPass(d, anna)
    const ben = await d.comes('ben')
    await Promise.race([offered(ben), offered(anna)])
    await d.quiet()
  }, ROUND))

  it('ST-26 at once when a colleague of the same queue who passed, too, stops: those who are left are asked', deskWith(CALM, TWO, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    await allPass(d, anna, ben)
    ben.types(BOT, '!off')
    await offered(anna)
  }, ROUND))

  it('ST-26 not when somebody changes who does not serve the queue, nor when nothing has changed, nor for a lost connection', deskWith({ ...CALM, queues: { night: { agents: ['ben@localhost'], assign: 'pull' } } }, TEAM, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    await allPass(d, anna)
    ben.actor.sends`<presence><show>dnd</show></presence>`
    anna.actor.sends`<presence><status>at my desk</status></presence>`
    await d.quiet()
    await anna.readsNothing()
    await d.rest('PATCH', '/api/v1/operators/anna@localhost', 'adam', { alias: 'Anne' })
    await d.quiet()
    await anna.readsNothing()
  }, config({ support: { agents: ['anna@localhost'] } })))

  it('ST-26 where who is away is asked, too: at once when somebody goes from not available to away', deskWith({ ...CALM, distribution: { offersAway: true } }, TWO, async d => {
    const anna = await d.comes('anna')
    await allPass(d, anna)
    anna.actor.sends`<presence><show>dnd</show></presence>`
    await d.quiet()
    anna.actor.sends`<presence><show>away</show></presence>`
    await offered(anna)
  }, ROUND))
})
