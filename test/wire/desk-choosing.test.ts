// Who is asked and who may: the manual's example of round robin, invitations to who is available, and the two ways into a conversation.
import assert from 'node:assert/strict'
import { BOT, c, SUPPORT, type Person } from '../harness/desk.ts'
import { deskWith, talk, TEAM } from '../harness/talks.ts'

const CALM = { quality: { idleWarning: 0, idleCritical: 0 } }
const BILLING = 'billing@help.localhost'
async function says(who: Person, text: string, answer: string | RegExp, to: string = BOT): Promise<void> {
  who.types(to, text)
  await who.reads(to, answer)
}

describe('round robin', () => {
  it('ST-28 RULE-C14 Sue of 5, Bob of 2 and Joe of 1, all idle, Joe’s last chat longest ago: Joe is asked', deskWith(CALM, { sue: 'agent', bob: 'agent', joe: 'agent', adam: 'admin' }, async d => {
    const all = { joe: await d.comes('joe'), sue: await d.comes('sue'), bob: await d.comes('bob') }
    for (const [who, capacity] of [['sue', 5], ['bob', 2], ['joe', 1]] as const) assert.equal((await d.rest('PATCH', `/api/v1/operators/${who}@localhost`, 'adam', { capacity })).status, 200)
    let n = 0
    for (const [name, agent] of Object.entries(all)) { // Joe's ends first
      const customer = await d.comes(`of-${name}`)
      customer.types(BILLING, 'hello')
      await agent.reads(BOT, new RegExp(`#${++n} .* waits`))
      await says(agent, `!take ${n}`, /yours/)
      await says(agent, '!close', /closed/, c(n))
      await customer.reads(BILLING, '✱ The chat has ended.')
      await d.later(60)
    }
    for (const agent of Object.values(all)) await agent.all()
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await all.joe.reads(BOT, /New chat #4/)
    await all.sue.readsNothing()
    await all.bob.readsNothing()
  }))
})

describe('how many at once', () => {
  it('ST-25 an agent may want fewer than the desk allows, and gets no more than that by wanting more', deskWith({ ...CALM, distribution: { capacity: 2 } }, TEAM, async d => {
    const anna = await d.comes('anna')
    await says(anna, '!max 9', '✱ You serve at most 2 at once: an administrator has set that.')
    for (const n of [1, 2, 3]) {
      const customer = await d.comes(`c${n}`)
      customer.types(BILLING, 'hello')
      await anna.reads(BOT, new RegExp(`#${n} .* waits`))
    }
    for (const n of [1, 2]) await says(anna, `!take ${n}`, /yours/)
    await says(anna, '!take 3', /Anna serves 2 of 2/)
    await says(anna, '!max 1', '✱ You serve at most 1 at once.')
    await says(anna, '!close', /closed/, c(1))
    await says(anna, '!take 3', /Anna serves 1 of 1/)
  }))
})

describe('an invitation', () => {
  it('OT-32 goes to who is available: who is out, busy or paused is refused', deskWith(CALM, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    await says(anna, '!i ben', '✱ Ben is not available.', c(1))
    const ben = await d.comes('ben', '<presence><show>dnd</show></presence>')
    await says(anna, '!i ben', '✱ Ben is not available.', c(1))
    ben.actor.says('<presence/>')
    await says(ben, '!off', /no new customers/)
    await says(anna, '!i ben', '✱ Ben is not available.', c(1))
    await says(ben, '!on', /receive customers/)
    await says(anna, '!i ben', '✱ Ben is asked.', c(1))
    await ben.reads(BOT, /Anna asks you into #1/)
    await zoe.readsNothing()
  }))

  it('OT-38 OT-34 who may only watch is refused to take part, and who may only take part to watch; uninvited neither sees it', deskWith(CALM, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    const ben = await d.comes('ben')
    for (const word of ['!obs 1', '!join 1']) await says(ben, word, /no .*conversation #1/)
    const asked = async (permissions: Record<string, boolean>): Promise<void> => {
      assert.equal((await d.rest('PATCH', '/api/v1/settings', 'adam', { roles: { agent: { permissions } } })).status, 200)
      await says(anna, '!i ben', /is asked/, c(1))
      await ben.reads(BOT, /asks you into/)
      await says(ben, '!a', /accepted/)
    }
    await asked({ 'chat.observe': true, 'chat.participate': false })
    await says(ben, '!join 1', /may not do that/)
    await says(ben, '!obs 1', /You are watching #1/)
    await zoe.readsNothing()
    await says(ben, '!leave 1', /left/)
    await asked({ 'chat.observe': false, 'chat.participate': true })
    await says(ben, '!obs 1', /may not do that/)
    await says(ben, '!join 1', /You take part in #1/)
    await zoe.reads(SUPPORT, '✱ Ben joined.')
  }))
})
