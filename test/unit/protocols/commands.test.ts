import assert from 'node:assert/strict'
import { Commands, NS_COMMANDS, type AdHocCommand } from '../../../protocols/commands.ts'
import type { TestClock } from '../../../server/ports/clock.ts'
import { el, type Element } from '../../../server/xml/element.ts'
import { form } from '../../../server/stanza/forms.ts'
import { Jid } from '../../../server/stanza/jid.ts'
import { refuse, StanzaError } from '../../../server/stanza/errors.ts'
import { MovedClock } from '../../harness/clock.ts'

const anna = Jid.parse('anna@localhost/desk'), mallory = Jid.parse('mallory@localhost/den'), bot = Jid.parse('desk@help.localhost')
const DATA = 'jabber:x:data'

const greet: AdHocCommand = {
  node: 'greet', name: 'Greet…',
  start: () => ({
    form: { type: 'form', title: 'Greet', fields: [{ var: 'name', label: 'Whom?' }] },
    submit: ({ values }) => {
      const name = values.get('name')?.[0]
      return name ? { note: `Hello ${name}`, lines: ['Hello', name] } : { form: { type: 'form', fields: [{ var: 'name' }] }, note: 'Say a name.', submit: () => refuse('bad-request') }
    },
  }),
}
const list: AdHocCommand = { node: 'list', name: 'List', start: () => ({ lines: ['#1 Bob', '#2 Cleo'] }) }
const secret: AdHocCommand = { node: 'secret', name: 'Secret', may: who => who.local === 'anna', start: () => ({ note: 'shh' }) }

const open = (): { commands: Commands; clock: TestClock } => { const clock = new MovedClock(); return { commands: new Commands(clock, [greet, list, secret]), clock } }
const ask = (attrs: Record<string, string>, ...inside: Element[]): Element => el('command', NS_COMMANDS, attrs, ...inside)
const filled = (name: string): Element => form({ type: 'submit', fields: [{ var: 'name', value: name }] })
const answered = async (a: ReturnType<Commands['run']>): Promise<Element> => { const e = await a; assert.ok(!(e instanceof StanzaError), String((e as StanzaError).condition)); return e }
const refused = async (a: ReturnType<Commands['run']>): Promise<string> => { const e = await a; assert.ok(e instanceof StanzaError); return `${e.condition} ${e.detail?.name ?? ''}`.trim() }

describe('XEP-0050 ad-hoc commands', () => {
  it('lists what the asker may run', () => {
    const { commands } = open()
    const nodes = (who: Jid): string[] => commands.items(bot, who).elements.map(e => e.attrs['node']!)
    assert.deepEqual(nodes(anna), ['greet', 'list', 'secret'])
    assert.deepEqual(nodes(mallory), ['greet', 'list'])
    assert.equal(commands.info('secret', mallory), undefined)
    assert.equal(commands.info('greet', mallory)?.child('identity')?.attrs['name'], 'Greet…')
  })

  it('one without a question ends at once, with its text in one field', async () => {
    const { commands } = open()
    const answer = await answered(commands.run(ask({ node: 'list', action: 'execute' }), anna))
    assert.equal(answer.attrs['status'], 'completed')
    const x = answer.child('x', DATA)!
    assert.equal(x.attrs['type'], 'result')
    assert.deepEqual(x.elements.filter(e => e.name === 'field').map(f => [f.attrs['type'], f.elements.map(v => v.text)]), [['text-multi', ['#1 Bob', '#2 Cleo']]])
    assert.equal(x.child('reported'), undefined)
  })

  it('a question offers its default first and no way back; without an action the default is meant', async () => {
    const { commands } = open()
    const asked = await answered(commands.run(ask({ node: 'greet' }), anna))
    assert.equal(asked.attrs['status'], 'executing')
    assert.deepEqual(asked.child('actions')!.elements.map(e => e.name), ['complete'])
    assert.equal(asked.child('actions')!.attrs['execute'], 'complete')
    const done = await answered(commands.run(ask({ node: 'greet', sessionid: asked.attrs['sessionid']! }, filled('Bob')), anna))
    assert.equal(done.attrs['status'], 'completed')
    assert.equal(done.attrs['sessionid'], asked.attrs['sessionid'])
    assert.equal(done.child('note')?.text, 'Hello Bob')
  })

  for (const action of ['execute', 'next', 'complete']) {
    it(`takes the filled form with action='${action}'`, async () => {
      const { commands } = open()
      const { attrs } = await answered(commands.run(ask({ node: 'greet' }), anna))
      assert.equal((await answered(commands.run(ask({ node: 'greet', sessionid: attrs['sessionid']!, action }, filled('Bob')), anna))).attrs['status'], 'completed')
    })
  }

  it('asks again where the answer will not do, in the same session', async () => {
    const { commands } = open()
    const { attrs } = await answered(commands.run(ask({ node: 'greet' }), anna))
    const again = await answered(commands.run(ask({ node: 'greet', sessionid: attrs['sessionid']! }, filled('')), anna))
    assert.equal(again.attrs['status'], 'executing')
    assert.equal(again.attrs['sessionid'], attrs['sessionid'])
    assert.equal(again.child('note')?.text, 'Say a name.')
    assert.equal(await refused(commands.run(ask({ node: 'greet', sessionid: attrs['sessionid']! }, filled('x')), anna)), 'bad-request')
  })

  it('SEC-R09 a session is its user\'s, runs its command only, and ends once', async () => {
    const { commands } = open()
    const { attrs } = await answered(commands.run(ask({ node: 'greet' }), anna))
    const sessionid = attrs['sessionid']!
    assert.equal(await refused(commands.run(ask({ node: 'greet', sessionid }, filled('Eve')), mallory)), 'bad-request bad-sessionid')
    assert.equal(await refused(commands.run(ask({ node: 'greet', sessionid }, filled('Eve')), Jid.parse('anna@localhost/phone'))), 'bad-request bad-sessionid')
    assert.equal(await refused(commands.run(ask({ node: 'list', sessionid }, filled('x')), anna)), 'bad-request bad-sessionid')
    await answered(commands.run(ask({ node: 'greet', sessionid }, filled('Bob')), anna))
    assert.equal(await refused(commands.run(ask({ node: 'greet', sessionid }, filled('Bob')), anna)), 'bad-request bad-sessionid')
  })

  it('can be cancelled, by action or by form', async () => {
    const { commands } = open()
    for (const how of [(id: string) => ask({ node: 'greet', sessionid: id, action: 'cancel' }), (id: string) => ask({ node: 'greet', sessionid: id }, form({ type: 'cancel' }))]) {
      const sessionid = (await answered(commands.run(ask({ node: 'greet' }), anna))).attrs['sessionid']!
      assert.equal((await answered(commands.run(how(sessionid), anna))).attrs['status'], 'canceled')
      assert.equal(await refused(commands.run(ask({ node: 'greet', sessionid }, filled('x')), anna)), 'bad-request bad-sessionid')
    }
  })

  it('refuses what cannot be: node, right, action, payload', async () => {
    const { commands } = open()
    assert.equal(await refused(commands.run(ask({ node: 'nothing' }), anna)), 'item-not-found')
    assert.equal(await refused(commands.run(ask({ node: 'secret' }), mallory)), 'forbidden')
    assert.equal(await refused(commands.run(ask({ node: 'greet', action: 'dance' }), anna)), 'bad-request malformed-action')
    assert.equal(await refused(commands.run(ask({ node: 'greet', action: 'prev' }), anna)), 'bad-request bad-action')
    const sessionid = (await answered(commands.run(ask({ node: 'greet' }), anna))).attrs['sessionid']!
    assert.equal(await refused(commands.run(ask({ node: 'greet', sessionid, action: 'prev' }), anna)), 'bad-request bad-action')
    assert.equal(await refused(commands.run(ask({ node: 'greet', sessionid }), anna)), 'bad-request bad-payload')
  })

  it('forgets a session that nobody goes on with, and the oldest of too many', async () => {
    const { commands, clock } = open()
    const first = (await answered(commands.run(ask({ node: 'greet' }), anna))).attrs['sessionid']!
    await clock.advance(16 * 60_000)
    assert.equal(await refused(commands.run(ask({ node: 'greet', sessionid: first }, filled('x')), anna)), 'not-allowed session-expired')
    const ids: string[] = []
    for (let i = 0; i < 12; i++) ids.push((await answered(commands.run(ask({ node: 'greet' }), anna))).attrs['sessionid']!)
    assert.equal(await refused(commands.run(ask({ node: 'greet', sessionid: ids[0]! }, filled('x')), anna)), 'bad-request bad-sessionid')
    await answered(commands.run(ask({ node: 'greet', sessionid: ids[11]! }, filled('x')), anna))
  })
})
