// What colleagues see of each other and may say to each other straight from client to client: invisibility, and the permission to chat with agents.
import assert from 'node:assert/strict'
import { BOT, desk, Person, SUPPORT, type DeskHouse } from '../harness/desk.ts'

const STAFF = { anna: 'agent', ben: 'agent', boss: 'admin' } as const

/** Anna and Ben are here, and see each other. */
async function both(d: DeskHouse): Promise<{ anna: Person; ben: Person }> {
  const anna = await d.comes('anna')
  await d.quiet()
  const ben = await d.comes('ben')
  await anna.actor.hears`<presence from='ben@localhost/ben-pc'/>`
  return { anna, ben }
}
async function says(who: Person, command: string, answer: RegExp): Promise<void> {
  who.types(BOT, command)
  await who.reads(BOT, answer)
}
/** The presence of Anna that has come to somebody up to now. */
async function ofAnna(d: DeskHouse, who: Person): Promise<string[]> {
  await d.quiet()
  return (await who.actor.fence()).filter(x => x.name === 'presence' && x.attrs['from']?.startsWith('anna@')).map(String)
}

describe('who is invisible to all', () => {
  it('FP-10 colleagues see the agent go and come back; the agent sees them, and stays there for the desk', desk(STAFF, async d => {
    const { anna, ben } = await both(d)
    await says(anna, '!inv all', /invisible to all/)
    await ben.actor.hears`<presence from='anna@localhost/anna-pc' type='unavailable'/>`
    anna.actor.says(`<presence><show>away</show></presence>`)
    await anna.actor.fence()
    ben.actor.says(`<presence type='probe' to='anna@localhost'/>`)
    assert.deepEqual(await ofAnna(d, ben), [])
    ben.actor.says(`<presence><show>dnd</show></presence>`)
    await anna.actor.hears`<presence from='ben@localhost/ben-pc'><show>dnd</show></presence>`
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await zoe.reads(SUPPORT, /ahead/)
    await says(anna, '!take', /yours/)
    await says(anna, '!inv off', /visible/)
    await ben.actor.hears`<presence from='anna@localhost/anna-pc'><show>away</show></presence>`
  }))

  it('FP-10 it outlives a new login', desk(STAFF, async d => {
    const { anna, ben } = await both(d)
    await says(anna, '!inv all', /invisible to all/)
    await ben.actor.hears`<presence from='anna@localhost/anna-pc' type='unavailable'/>`
    anna.actor.leaves()
    const again = new Person(await d.house.actor('anna', 'anna@localhost/anna-new'))
    again.actor.says('<presence/>')
    await again.actor.hears`<presence from='ben@localhost/ben-pc'/>`
    assert.deepEqual(await ofAnna(d, ben), [])
    await says(again, '!inv off', /visible/)
    await ben.actor.hears`<presence from='anna@localhost/anna-new'/>`
  }))

  it('FP-10 it outlives a restart of the desk', desk(STAFF, async d => {
    const { anna, ben } = await both(d)
    await says(anna, '!inv all', /invisible to all/)
    await ben.actor.hears`<presence from='anna@localhost/anna-pc' type='unavailable'/>`
    await d.restart()
    anna.actor.says('<presence><show>away</show></presence>')
    await anna.actor.fence()
    assert.deepEqual(await ofAnna(d, ben), [])
    await says(anna, '!inv off', /visible/)
    await ben.actor.hears`<presence from='anna@localhost/anna-pc'><show>away</show></presence>`
  }))
})

describe('without the permission to chat with agents', () => {
  it('FP-22 colleagues’ clients are refused, in both directions; others are not concerned', desk(STAFF, async d => {
    const { anna, ben } = await both(d)
    await d.rest('POST', '/api/v1/roles', 'boss', { id: 'silent', title: 'Silent', base: 'agent', permissions: { 'chat.with.agents': false } })
    assert.equal((await d.rest('PATCH', '/api/v1/operators/anna@localhost', 'boss', { role: 'silent' })).status, 200)
    await anna.all()
    await ben.all()
    anna.types('ben@localhost', 'psst')
    await anna.actor.hears`<message type='error' from='ben@localhost'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>You may not chat with agents.</text></error></message>`
    ben.types('anna@localhost/anna-pc', 'hm?')
    await ben.actor.hears`<message type='error' from='anna@localhost/anna-pc'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Anna may not chat with agents.</text></error></message>`
    const zoe = await d.comes('zoe')
    zoe.types('anna@localhost', 'a friend')
    await anna.reads('zoe@localhost', 'a friend')
    anna.types('zoe@localhost', 'hello friend')
    await zoe.reads('anna@localhost', 'hello friend')
    assert.equal((await d.rest('PATCH', '/api/v1/operators/anna@localhost', 'boss', { role: 'agent' })).status, 200)
    anna.types('ben@localhost', 'at last')
    await ben.reads('anna@localhost', 'at last')
  }))
})
