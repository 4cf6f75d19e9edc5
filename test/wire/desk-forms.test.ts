// The settings as forms in an admin's client.
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { BOT, c, desk, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'

const COMMANDS = 'http://jabber.org/protocol/commands'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const DATA = 'jabber:x:data'
const STAFF = { anna: 'agent', mia: 'manager', boss: 'admin' } as const
type Json = Awaited<ReturnType<DeskHouse['rest']>>['body'] // of any shape
const API = '/api/v1'

let ids = 0
async function iq(p: Person, type: 'get' | 'set', text: string): Promise<Xml> {
  const id = `f${++ids}`
  p.actor.says(`<iq type='${type}' id='${id}' to='${BOT}/desk'>${text}</iq>`)
  const others: Xml[] = []
  try {
    for (;;) { const x = await p.actor.next(() => `${text} should be answered`); if (x.name === 'iq' && x.attrs['id'] === id) return x; others.push(x) }
  } finally { p.actor.unreads(others) }
}
/** Runs a command to its end; each filling answers one form. Gives the note. */
async function run(p: Person, node: string, ...fillings: Record<string, string | readonly string[]>[]): Promise<string> {
  let answer = await iq(p, 'set', `<command xmlns='${COMMANDS}' node='urn:deskbell:desk:admin#${node}' action='execute'/>`)
  for (const filling of fillings) {
    const session = answer.getChild('command', COMMANDS)?.attrs['sessionid']
    assert.ok(session !== undefined, String(answer))
    const fields = Object.entries(filling).map(([k, v]) => `<field var='${k}'>${(typeof v === 'string' ? [v] : v).map(x => `<value>${x}</value>`).join('')}</field>`).join('')
    answer = await iq(p, 'set', `<command xmlns='${COMMANDS}' node='urn:deskbell:desk:admin#${node}' sessionid='${session}'><x xmlns='${DATA}' type='submit'>${fields}</x></command>`)
  }
  const command = answer.getChild('command', COMMANDS)
  return command?.attrs['status'] === 'completed' ? `${command.getChildText('note')} ${command.getChild('x', DATA)?.getChild('field')?.getChildText('value') ?? ''}`.trim() : String(command ?? answer)
}
const settings = async (d: DeskHouse): Promise<Json> => (await d.rest('GET', `${API}/settings`, 'boss')).body.settings // JSON

describe('the forms for admins', () => {
  it('FP-15 stand in the menu of the bot, for who may use them', desk(STAFF, async d => {
    const names = async (who: string): Promise<string[]> => ((await iq(await d.comes(who), 'get', `<query xmlns='${ITEMS}' node='${COMMANDS}'/>`)).getChild('query')?.getChildren('item') ?? []).map(i => String(i.attrs['name']))
    const anna = await names('anna')
    assert.ok(anna.includes('Add a canned reply…') && anna.includes('How to connect…'))
    const items = await names('boss')
    assert.ok(items.length <= 20 && items.includes('Administration…'), items.join())
    const boss = await d.comes('boss')
    const menu = (await iq(boss, 'set', `<command xmlns='${COMMANDS}' node='urn:deskbell:desk:admin#menu'/>`)).getChild('command')
    const options = menu?.getChild('x', DATA)?.getChild('field')?.getChildren('option') ?? []
    for (const n of ['Chat system settings…', 'Add a queue…', 'Change a role…', 'Add an operator…', 'How to connect…']) { assert.ok(options.some(o => o.attrs['label'] === n), n); assert.ok(n === 'How to connect…' || !anna.includes(n), n) }
    const system = options.find(o => o.attrs['label'] === 'Chat system settings…')?.getChildText('value') ?? ''
    assert.equal(await run(boss, 'menu', { form: system }, { 'requestInterval': '9', 'form-chosen': system }), 'Saved.')
    assert.equal((await settings(d)).system.requestInterval, 9)
    const { body } = await d.rest('GET', `${API}/audit`, 'boss')
    const deed = body.items.find((e: Json) => e.what === 'system' && e.on === 'form')
    assert.deepEqual(deed?.changes, [{ at: '/settings/system/requestInterval', before: 5, after: 9 }], JSON.stringify(body))
  }))

  it('FP-21 FP-19 show what holds, save what is changed, refuse what is wrong, and a cancelled one changes nothing', desk(STAFF, async d => {
    const boss = await d.comes('boss')
    const open = await iq(boss, 'set', `<command xmlns='${COMMANDS}' node='urn:deskbell:desk:admin#system'/>`)
    const field = open.getChild('command')?.getChild('x', DATA)?.getChildren('field').find(f => f.attrs['var'] === 'requestInterval')
    assert.deepEqual([field?.attrs['label'], field?.getChildText('value')], ['New chat request refresh interval (seconds)', '5'])
    assert.match(await run(boss, 'system', { requestInterval: '16' }), /^Not saved\. system requestInterval: .*from 5 to 15/)
    const session = open.getChild('command')?.attrs['sessionid']
    const cancelled = await iq(boss, 'set', `<command xmlns='${COMMANDS}' node='urn:deskbell:desk:admin#system' sessionid='${session}' action='cancel'/>`)
    assert.equal(cancelled.getChild('command')?.attrs['status'], 'canceled')
    assert.equal((await settings(d)).system.requestInterval, 5)
    assert.equal(await run(boss, 'system', { requestInterval: '7', messageInterval: '1' }), 'Saved.')
    assert.deepEqual([(await settings(d)).system.requestInterval, (await d.rest('GET', `${API}/settings`, 'boss')).body.version], [7, 1])
    assert.match(await run(boss, 'system', { enabled: '0' }), /config file/)
  }))

  it('let a manager define macros, one step a line, commas and all, and nobody who is an agent', desk(STAFF, async d => {
    const [mia, anna] = [await d.comes('mia'), await d.comes('anna')]
    const steps = ['!label fire', 'Hello, we are on our way.']
    assert.equal(await run(mia, 'add-macro', { id: 'fire', title: 'It burns', steps }), 'The macro fire is made.')
    assert.deepEqual((await settings(d)).macros.fire.steps, steps)
    assert.match(await run(mia, 'change-macro', { id: 'fire' }, { steps: ['!nonsense'] }), /^Not saved\. macros fire steps 0: Unknown command/)
    assert.match(await run(mia, 'delete-macro', { id: 'fire' }), /deleted/)
    assert.match(await run(anna, 'add-macro', { id: 'x', title: 'X', steps }).catch(String), /undefined|forbidden/)
  }))

  it('tell who is late that somebody else has changed the settings', desk(STAFF, async d => {
    const boss = await d.comes('boss')
    const open = await iq(boss, 'set', `<command xmlns='${COMMANDS}' node='urn:deskbell:desk:admin#quality'/>`)
    await d.rest('PATCH', `${API}/settings`, 'boss', { system: { requestInterval: 9 } })
    const late = await iq(boss, 'set', `<command xmlns='${COMMANDS}' node='urn:deskbell:desk:admin#quality' sessionid='${open.getChild('command')?.attrs['sessionid']}'><x xmlns='${DATA}' type='submit'><field var='idleWarning'><value>60</value></field></x></command>`)
    assert.match(late.getChild('command')?.getChildText('note') ?? '', /Somebody else/)
    assert.equal((await settings(d)).quality.idleWarning, 120)
  }))

  it('make, change and delete queues, departments and roles, which hold at once', desk(STAFF, async d => {
    const boss = await d.comes('boss')
    const anna = await d.comes('anna')
    assert.match(await run(boss, 'add-queue', { id: 'sales', assign: 'round-robin', agents: 'anna@localhost' }), /sales is made/)
    const zoe = await d.comes('zoe')
    zoe.types('sales@help.localhost', 'hello')
    await anna.reads(BOT, /New chat #1: Zoe, Sales/)
    assert.match(await run(boss, 'change-queue', { id: 'sales' }, { name: 'Shop' }), /saved/)
    assert.equal((await settings(d)).queues.sales.name, 'Shop')
    assert.match(await run(boss, 'delete-queue', { id: 'sales' }), /not closed/)
    assert.match(await run(boss, 'add-department', { id: 'shop', queues: ['sales', 'nonsense'] }), /there is no queue nonsense/)
    assert.match(await run(boss, 'add-department', { id: 'shop', queues: ['sales'] }), /is made/)
    assert.match(await run(boss, 'change-department', { id: 'shop' }, { survey: 'on', ticketAtEnd: 'off' }), /saved/)
    assert.deepEqual((({ survey, mailAtEnd, ticketAtEnd }) => [survey, mailAtEnd, ticketAtEnd])((await settings(d)).departments.shop), ['on', 'inherit', 'off'])
    assert.match(await run(boss, 'change-role', { id: 'agent' }, { granted: ['chat.serve', 'chat.with.customers'] }), /saved/)
    assert.equal((await settings(d)).roles.agent.permissions['chat.transfer'], false)
    anna.types(BOT, '!a')
    await anna.reads(c(1), 'hello')
    anna.types(c(1), '!t mia')
    await anna.reads(c(1), /may not/)
  }))

  it('OM-01 OM-04 OM-12 make, change and delete operators', desk(STAFF, async d => {
    const boss = await d.comes('boss')
    const password = /is made\. (\S{20,})/.exec(await run(boss, 'add-operator', { user: 'carl', role: 'manager', name: 'Carl' }))?.[1]
    assert.ok(password)
    assert.match(await run(boss, 'add-operator', { user: 'dora', password: 'a', confirm: 'b' }), /not the same/)
    assert.match(await run(boss, 'change-operator', { jid: 'carl@localhost' }, { alias: 'Charlie', capacity: '2', role: 'manager' }), /saved/)
    assert.deepEqual([(await d.rest('GET', `${API}/operators/carl@localhost`, 'boss')).body.name, (await d.rest('GET', `${API}/operators/carl@localhost`, 'boss')).body.capacity], ['Charlie', 2])
    assert.match(await run(boss, 'change-operator', { jid: 'carl@localhost' }, { bot: '1' }), /saved/)
    assert.equal((await d.rest('GET', `${API}/operators/carl@localhost`, 'boss')).body.bot, true)
    assert.match(await run(boss, 'change-operator', { jid: 'carl@localhost' }, { bot: '0' }), /saved/)
    assert.equal((await d.rest('GET', `${API}/operators/carl@localhost`, 'boss')).body.bot, false)
    assert.match(await run(boss, 'delete-operator', { jid: 'carl@localhost', sure: '0' }), /not confirmed/)
    assert.match(await run(boss, 'delete-operator', { jid: 'carl@localhost', sure: '1' }), /deleted/)
    assert.equal((await d.rest('GET', `${API}/operators/carl@localhost`, 'boss')).status, 404)
    const refused = await iq(await d.comes('anna'), 'set', `<command xmlns='${COMMANDS}' node='urn:deskbell:desk:admin#add-operator'/>`)
    assert.equal(refused.getChild('error')?.attrs['type'], 'auth')
  }))

  it('OM-14 keep canned replies, one’s own by each agent', desk(STAFF, async d => {
    const anna = await d.comes('anna')
    assert.match(await run(anna, 'add-canned', { shortcut: 'hi', text: ['Hi %VISITOR%,', 'how are you?'] }), /hi is saved/)
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await anna.reads(BOT, /#1/)
    anna.types(BOT, '!a')
    await anna.reads(c(1), 'hello')
    anna.types(c(1), 'hi')
    await zoe.reads(SUPPORT, 'Hi Zoe,\nhow are you?')
    const boss = await d.comes('boss')
    assert.match(await run(boss, 'delete-canned'), /no canned replies of yours/)
  }))
})
