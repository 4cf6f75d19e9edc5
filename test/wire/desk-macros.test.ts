// Macros: steps that a manager has prepared, run by an agent with the agent's own rights.
import assert from 'node:assert/strict'
import { BOT, c, config, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { deskWith, talk, TEAM } from '../harness/talks.ts'

const CALM = { quality: { idleWarning: 0, idleCritical: 0 } }
const API = '/api/v1'
const CONF = config({ support: {}, billing: { assign: 'pull' }, phone: { assign: 'pull' } })
const MONEY = { departments: { money: { name: 'Money', queues: ['billing'] } } }
const steps = ['!label fire', '!prio urgent', '!subject Burning printer', 'hi1', '!n call the fire brigade', 'Somebody else will help you.', '!t department:money']
const dossier = async (d: DeskHouse, n = 1) => { await d.quiet(); return (await d.rest('GET', `${API}/conversations/${n}/dossier`, 'mia')).body } // JSON of any shape
const does = async (p: Person, line: string, answer: RegExp, at = c(1)): Promise<string> => { p.types(at, line); return (await p.reads(at, answer)).text }
const history = async (d: DeskHouse): Promise<string[]> => (await d.rest('GET', `${API}/conversations/1/history`, 'mia')).body.history.map((h: { text: string }) => h.text)

describe('a macro', () => {
  it('is defined by a manager, and runs each of its steps in order: labels, priority, subject, a canned reply, a note, a transfer to a department', deskWith({ ...CALM, ...MONEY }, TEAM, async d => {
    assert.equal((await d.rest('POST', `${API}/canned`, 'mia', { shortcut: 'hi1', text: 'Hi %VISITOR%' })).status, 201)
    const made = await d.rest('POST', `${API}/macros`, 'mia', { id: 'fire', title: 'It burns', steps })
    assert.equal(made.status, 201, JSON.stringify(made.body))
    const { anna, zoe } = await talk(d)
    assert.equal(await does(anna, '!macro', /./), '✱ fire: It burns')
    const told = await does(anna, '!macro fire', /It burns/)
    assert.match(told, /^✱ It burns: done\.\nLabel: fire\.\n#1 \(Zoe\): priority urgent\.[\s\S]*waits in Billing now/)
    await zoe.reads(SUPPORT, 'Hi Zoe')
    await zoe.reads(SUPPORT, 'Somebody else will help you.')
    assert.ok((await zoe.all()).every(t => !/brigade|fire/.test(t)))
    const { labels, priority, subject } = await dossier(d)
    assert.deepEqual([labels, priority, subject], [['fire'], 'urgent', 'Burning printer'])
    assert.deepEqual([(await d.rest('GET', `${API}/conversations/1`, 'mia')).body.queue, (await d.rest('GET', `${API}/conversations/1`, 'mia')).body.state], ['billing', 'waiting'])
    assert.equal((await history(d)).at(-1), 'Anna runs the macro fire')
  }, CONF))

  it('stops at the first step that is refused, says which, and what was done stands', deskWith({ ...CALM, macros: { away: { title: 'Away with it', steps: ['!label later', '!t nobody', '!close'] }, gone: { title: 'Gone', steps: ['!delete yes', '!label gone'] } } }, TEAM, async d => {
    const { anna } = await talk(d)
    assert.equal(await does(anna, '!macro away', /stopped/), '✱ Label: later.\nAway with it: stopped at step 2 of 3 (!t nobody): There is no colleague “nobody”.')
    const rest = await d.rest('POST', `${API}/conversations/1/commands/macro`, 'anna', { macro: 'gone' })
    assert.deepEqual([rest.status, rest.body.title], [403, 'Gone: stopped at step 1 of 2 (!delete yes): You may not do that.'])
    assert.equal((await d.rest('GET', `${API}/conversations/1`, 'mia')).body.state, 'active')
    assert.deepEqual((await dossier(d)).labels, ['later'])
    assert.equal((await history(d)).at(-1), 'Anna runs the macro away 1/3')
  }, CONF))

  it('runs with the rights of who runs it: who is not in the conversation gets nowhere, a manager may', deskWith({ ...CALM, macros: { mark: { title: 'Mark', steps: ['!label x'] } } }, TEAM, async d => {
    await talk(d)
    const [ben, mia] = [await d.comes('ben'), await d.comes('mia')]
    await does(ben, '!macro 1 mark', /no conversation #1|not in this/, BOT)
    assert.deepEqual((await dossier(d)).labels, [])
    await does(mia, '!macro 1 mark', /Mark: done/, BOT)
    assert.deepEqual((await dossier(d)).labels, ['x'])
  }, CONF))

  it('is offered in the queues it is for, is not an agent’s to define, and one that could never run is refused', deskWith({ ...CALM, macros: { bill: { title: 'Bill', steps: ['!label bill'], queues: ['billing'] } } }, TEAM, async d => {
    const { anna } = await talk(d)
    await does(anna, '!macro', /There are no macros here/)
    await does(anna, '!macro bill', /There are no macros here/)
    const post = async (who: string, more: object) => (await d.rest('POST', `${API}/macros`, who, { id: 'm', title: 'M', ...more })).status
    assert.equal(await post('anna', { steps: ['!end'] }), 403)
    for (const wrong of [['!nonsense'], ['!macro bill'], ['!event x'], ['!t'], [], ['!prio never'], ['!bulk 1 macro m'], ['!bulk mine event x'], ['!bulk 1 nonsense']]) assert.equal(await post('mia', { steps: wrong }), 422, JSON.stringify(wrong))
    assert.equal(await post('mia', { steps: ['!end'], queues: ['nowhere'] }), 422)
    assert.equal(await post('mia', { steps: ['!end'] }), 201)
    assert.equal((await d.rest('DELETE', `${API}/macros/m`, 'mia')).status, 204)
    assert.deepEqual((await d.rest('GET', `${API}/macros`, 'anna')).body.items.map((m: { id: string }) => m.id), ['bill'])
  }, CONF))
})
