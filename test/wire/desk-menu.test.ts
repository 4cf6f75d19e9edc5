// What a plain client shows of the desk: contacts, presence, the menu of commands; and the same actions by REST.
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { BOT, c, config, DESK, desk, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { until } from '../harness/patience.ts'

const COMMANDS = 'http://jabber.org/protocol/commands'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const INFO = 'http://jabber.org/protocol/disco#info'
const DATA = 'jabber:x:data'
const TWO = { anna: 'agent', ben: 'agent' } as const

let ids = 0
async function ask(p: Person, type: 'get' | 'set', to: string, text: string): Promise<Xml> {
  const id = `m${++ids}`
  p.actor.says(`<iq type='${type}' id='${id}' to='${to}'>${text}</iq>`)
  const others: Xml[] = []
  try {
    for (;;) { const x = await p.actor.next(() => `${text} should be answered`); if (x.name === 'iq' && x.attrs['id'] === id) return x; others.push(x) }
  } finally { p.actor.unreads(others) }
}
const names = (x: Xml): string[] => (x.getChild('query', ITEMS)?.getChildren('item') ?? []).map(i => String(i.attrs['name']))
const menu = async (p: Person, at: string): Promise<string[]> => names(await ask(p, 'get', at, `<query xmlns='${ITEMS}' node='${COMMANDS}'/>`))
const announced = async (p: Person, at: string): Promise<string[]> => names(await p.actor.hears`<message type='headline' from='${at}'><query xmlns='${ITEMS}' node='${COMMANDS}'/></message>`)
const run = (word: string, more = '', form = ''): string => `<command xmlns='${COMMANDS}' node='urn:deskbell:desk:command#${word}' ${more}>${form}</command>`
const filled = (values: Record<string, string>): string => `<x xmlns='${DATA}' type='submit'>${Object.entries(values).map(([k, v]) => `<field var='${k}'><value>${v}</value></field>`).join('')}</x>`
const outcome = (x: Xml): string => { const cmd = x.getChild('command', COMMANDS); assert.ok(cmd, String(x)); return `${cmd.attrs['status']} ${cmd.getChild('note')?.attrs['type'] ?? ''}: ${cmd.getChild('note')?.getText() ?? ''}` }
async function roster(p: Person, shared = false): Promise<string[]> {
  const id = `roster-of-${p.actor.name}-${++ids}`
  p.actor.says(`<iq type='get' id='${id}'><query xmlns='jabber:iq:roster'/></iq>`)
  for (;;) {
    const x = await p.actor.next()
    if (x.attrs['id'] === id) return (x.getChild('query')?.getChildren('item') ?? []).map(i => `${i.attrs['jid']} | ${i.attrs['name']} | ${i.getChildText('group')} | ${i.attrs['subscription']}`).filter(i => shared || !/ \| (Colleagues|Queues) \| /.test(i)).sort()
  }
}
async function served(d: DeskHouse): Promise<{ anna: Person; zoe: Person }> {
  const anna = await d.comes('anna')
  const zoe = await d.comes('zoe')
  zoe.types(SUPPORT, 'hello')
  await anna.reads(BOT, /#1/)
  anna.types(BOT, '!a')
  await anna.reads(BOT, /accepted/)
  await d.later(2)
  return { anna, zoe }
}

describe('an agent’s contact list', () => {
  it('has the desk’s bot, whose presence tells the queue and leads to its commands', desk(TWO, async d => {
    const anna = await d.comes('anna')
    await d.quiet()
    assert.deepEqual(await roster(anna), [`${BOT} | Helpdesk | Helpdesk | both`])
    const ben = await d.house.actor('ben', 'ben@localhost/pc')
    ben.says('<presence/>')
    const presence = await ben.hears`<presence from='${BOT}/desk' to='ben@localhost/pc'><status>0 waiting · 0 of 4 yours</status><c xmlns='http://jabber.org/protocol/caps' hash='sha-1'/></presence>`
    const ver = presence.getChild('c')?.attrs
    const info = await ask(anna, 'get', `${BOT}/desk`, `<query xmlns='${INFO}' node='${ver?.['node']}#${ver?.['ver']}'/>`)
    assert.ok(info.getChild('query')?.getChildren('feature').some(f => f.attrs['var'] === COMMANDS), String(info))
  }))

  it('shows each conversation where it belongs, and no more when it is over', desk({ ...TWO, mia: 'manager' }, async d => {
    const { anna } = await served(d)
    await anna.actor.hears`<presence from='${BOT}/desk'><status>0 waiting · 1 of 4 yours</status></presence>`
    assert.deepEqual(await roster(anna), [`${c(1)} | Zoe · Support · #1 | My chats | both`, `${BOT} | Helpdesk | Helpdesk | both`])
    const ben = await d.comes('ben')
    anna.types(c(1), '!t ben')
    await ben.reads(BOT, /transfer/)
    await d.later(2)
    assert.ok((await roster(ben)).includes(`${c(1)} | Zoe · Support · #1 | Waiting | both`))
    const mia = await d.comes('mia')
    mia.types(BOT, '!obs 1')
    await mia.reads(BOT, /watching/)
    await d.later(2)
    assert.ok((await roster(mia)).includes(`${c(1)} | Zoe · Support · #1 | Watching | both`))
    anna.types(c(1), '!close')
    await anna.reads(c(1), /closed/)
    await d.later(2)
    for (const p of [anna, ben, mia]) assert.deepEqual(await roster(p), [`${BOT} | Helpdesk | Helpdesk | both`])
  }))

  it('OM-27 FP-07 has the colleagues and the queues, in groups that follow every change at once', desk({ ...TWO, boss: 'admin' }, async d => {
    const anna = await d.comes('anna')
    await d.quiet()
    const others = async (): Promise<string[]> => (await roster(anna, true)).filter(i => !i.startsWith('desk@'))
    /** The list follows soon: it is asked for until it does. */
    const has = async (...items: string[]): Promise<void> => { let now: string[] = []; await until(async () => { now = await others(); return items.every(x => now.includes(x)) }, () => `${items.join()} should be there: ${now.join()}`) }
    const isOnly = async (...jids: string[]): Promise<void> => { let now: string[] = []; await until(async () => { now = (await others()).map(x => x.split(' ')[0] ?? ''); return now.join() === jids.join() }, () => `${jids.join()} alone should be there: ${now.join()}`) }
    await isOnly('ben@localhost', 'billing@help.localhost', 'boss@localhost', 'support@help.localhost')
    assert.deepEqual(await others(), ['ben@localhost | Ben | Colleagues | both', 'billing@help.localhost | Billing | Queues | both', 'boss@localhost | Boss | Colleagues | both', 'support@help.localhost | Support | Queues | both'])
    const ben = await d.comes('ben')
    await anna.actor.hears`<presence from='ben@localhost/ben-pc'/>`
    ben.types('anna@localhost', 'hi Anna')
    await anna.reads('ben@localhost', 'hi Anna')
    const set = async (body: object): Promise<void> => { assert.equal((await d.rest('PATCH', '/api/v1/settings', 'boss', body)).status, 200); await d.quiet() }
    await set({ departments: { money: { name: 'Money', queues: ['billing'] } }, queues: { sales: { agents: ['anna@localhost'] } } })
    await has('ben@localhost | Ben | Money | both', 'sales@help.localhost | Sales | Queues | both')
    await d.rest('PATCH', '/api/v1/operators/ben@localhost', 'boss', { alias: 'Benny' })
    await d.rest('POST', '/api/v1/operators', 'boss', { user: 'carl', name: 'Carl' })
    await has('ben@localhost | Benny | Money | both', 'carl@localhost | Carl | Money | both')
    await d.rest('DELETE', '/api/v1/operators/carl@localhost', 'boss')
    await set({ queues: { sales: null }, departments: null })
    await isOnly('ben@localhost', 'billing@help.localhost', 'boss@localhost', 'support@help.localhost')
    await set({ roster: { colleagues: false, queues: false } })
    await isOnly()
  }))

  it('is told nothing of the desk when he is no operator', desk(TWO, async d => {
    const zoe = await d.comes('zoe')
    assert.deepEqual(await roster(zoe), [])
    zoe.actor.says(`<presence to='${BOT}' type='subscribe'/>`)
    await zoe.actor.hears`<presence from='${BOT}' type='unsubscribed'/>`
  }))
})

describe('a customer who keeps a queue as a contact', () => {
  it('sees by its presence whether somebody is there', desk(TWO, async d => {
    const zoe = await d.comes('zoe')
    await roster(zoe)
    zoe.actor.says(`<presence to='${SUPPORT}' type='subscribe'/>`)
    await zoe.actor.hears`<presence from='${SUPPORT}' type='subscribed'/>`
    const anna = await d.comes('anna')
    await zoe.actor.hears`<presence from='${SUPPORT}/desk'><status>Support</status></presence>`
    anna.actor.says(`<presence type='unavailable'/>`)
    await zoe.actor.hears`<presence from='${SUPPORT}/desk' type='unavailable'/>`
  }))
})

describe('the menu of commands', () => {
  it('stands at the bot, the domain and each conversation, for operators, with what is possible now', desk(TWO, async d => {
    const { anna, zoe } = await served(d)
    const ben = await d.comes('ben')
    anna.types(c(1), '!t ben')
    await ben.reads(BOT, /transfer/)
    for (const at of [`${BOT}/desk`, `${c(1)}/desk`]) assert.deepEqual((await menu(ben, at)).slice(0, 2), ['Accept', 'Pass'])
    assert.ok(!(await menu(ben, BOT)).includes('Transfer…'), 'he serves nobody')
    ben.types(BOT, '!r')
    await ben.reads(BOT, /passed on/)
    for (const at of [`${BOT}/desk`, BOT, DESK, `${c(1)}/desk`]) {
      const items = (await ask(anna, 'get', at, `<query xmlns='${ITEMS}' node='${COMMANDS}'/>`)).getChild('query')?.getChildren('item') ?? []
      assert.ok(items.some(i => i.attrs['name'] === 'Transfer…'), at)
      assert.equal(items.some(i => i.attrs['name'] === 'Pause receiving'), at !== `${c(1)}/desk`)
      assert.ok(items.length <= 22, `${items.length} entries are more than a screen`)
      assert.deepEqual(items.map(i => i.attrs['name']).filter(n => ['Accept', 'Pass', 'Take a customer', 'Watch', 'Leave'].includes(String(n))), [], at)
      assert.ok(items.some(i => i.attrs['name'] === 'More…'))
    }
    assert.equal((await ask(zoe, 'get', SUPPORT, `<query xmlns='${ITEMS}' node='${COMMANDS}'/>`)).getChild('query')?.getChildren('item').length, 0)
    assert.equal((await ask(zoe, 'set', DESK, run('q'))).getChild('error')?.attrs['type'], 'auth')
  }))

  it('is announced anew to a device that has fetched it, when other things are possible; once, and to nobody else', desk(TWO, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    assert.ok(!(await menu(anna, `${BOT}/desk`)).includes('Accept'))
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await anna.reads(BOT, /#1/)
    await d.later(2)
    assert.deepEqual((await announced(anna, `${BOT}/desk`)).slice(0, 2), ['Accept', 'Pass'])
    anna.types(BOT, '!a')
    await anna.reads(BOT, /accepted/)
    assert.ok((await menu(anna, `${c(1)}/desk`)).includes('End'))
    await d.later(2)
    const then = await announced(anna, `${BOT}/desk`)
    assert.ok(then.includes('Transfer…') && !then.includes('Accept'), then.join())
    anna.types(c(1), '!end')
    await anna.reads(c(1), /has ended/)
    await d.later(2)
    const ended = await announced(anna, `${c(1)}/desk`)
    assert.ok(ended.includes('Close') && !ended.includes('Transfer…') && !ended.includes('End'), ended.join())
    await anna.actor.fence()
    anna.types(BOT, '!mine')
    await anna.reads(BOT, /ended/)
    await d.later(2)
    for (const p of [anna, ben]) assert.ok(!(await p.actor.fence()).some(x => x.getChild('query', ITEMS)), p.actor.name)
  }))

  it('has all the rest behind one entry, as far as it is possible now, and runs it from there', desk(TWO, async d => {
    const { anna } = await served(d)
    const at = `${c(1)}/desk`
    const first = (await ask(anna, 'set', at, run('more'))).getChild('command', COMMANDS)
    assert.deepEqual([first?.attrs['status'], first?.getChild('actions')?.children.map(a => typeof a === 'string' ? a : a.name)], ['executing', ['next']])
    const options = first?.getChild('x', DATA)?.getChild('field')?.getChildren('option') ?? []
    const values = options.map(o => o.getChildText('value'))
    assert.ok(values.includes('subject') && values.includes('hold') && !values.includes('unhold') && !values.includes('t') && !values.includes('mine'), values.join())
    assert.equal(options.find(o => o.getChildText('value') === 'subject')?.attrs['label'], 'Mark: Subject…')
    const session = `sessionid='${first?.attrs['sessionid']}'`
    const second = (await ask(anna, 'set', at, run('more', session, filled({ chosen: 'subject' })))).getChild('command', COMMANDS)
    assert.equal(second?.attrs['status'], 'executing')
    const hidden = Object.fromEntries((second?.getChild('x', DATA)?.getChildren('field') ?? []).filter(f => f.attrs['type'] === 'hidden').map(f => [String(f.attrs['var']), f.getChildText('value') ?? '']))
    assert.match(outcome(await ask(anna, 'set', at, run('more', session, filled({ ...hidden, text: 'Burning printer' })))), /^completed info: Subject: Burning printer/)
    assert.match(outcome(await ask(anna, 'set', at, run('more', '', filled({ chosen: 'dossier' })))), /^completed info: [\s\S]*Burning printer/)
    assert.equal((await ask(anna, 'set', at, run('more', '', filled({ chosen: 'makeroom' })))).getChild('error')?.getChild('forbidden') !== undefined, true)
    assert.equal((await ask(anna, 'set', at, run('more', '', filled({ chosen: 'nonsense' })))).getChild('error')?.getChild('item-not-found') !== undefined, true)
    assert.match(outcome(await ask(anna, 'set', at, run('mon', '', filled({ to: 'all' })))), /^completed info/) // by its own node as ever
  }))

  it('does at once what needs no form', desk(TWO, async d => {
    const { anna } = await served(d)
    assert.match(outcome(await ask(anna, 'set', `${BOT}/desk`, run('mine'))), /^completed info: #1 \(Zoe\) · Support · yours/)
    assert.match(outcome(await ask(anna, 'set', DESK, run('a', `action='execute'`))), /^completed error: Nothing is offered/)
    assert.match(outcome(await ask(anna, 'set', `${c(1)}/desk`, run('end'))), /^completed info: #1 \(Zoe\) has ended/)
  }))

  it('asks by a form, takes what clients send back, and lets one cancel', desk(TWO, async d => {
    const { anna } = await served(d)
    const ben = await d.comes('ben')
    const asked = await ask(anna, 'set', c(1), run('t'))
    const command = asked.getChild('command', COMMANDS)
    assert.equal(command?.attrs['status'], 'executing')
    assert.deepEqual(command?.getChild('actions')?.children.map(a => typeof a === 'string' ? a : a.name), ['complete'])
    const field = command?.getChild('x', DATA)?.getChildren('field').find(f => f.attrs['var'] === 'to')
    assert.ok(field?.getChildren('option').some(o => o.getChildText('value') === 'group:billing'))
    const session = command?.attrs['sessionid']
    assert.equal((await ask(anna, 'set', c(1), run('t', `sessionid='${session}' action='cancel'`))).getChild('command')?.attrs['status'], 'canceled')
    assert.equal((await ask(anna, 'set', c(1), run('t', `sessionid='${session}'`, filled({ comment: 'x' })))).getChild('error')?.attrs['type'], 'modify')
    assert.match(outcome(await ask(anna, 'set', c(1), run('t', `sessionid='${session}'`, filled({ to: 'ben@localhost' })))), /^completed info: #1 \(Zoe\) is offered to Ben/)
    await ben.reads(BOT, /transfer/)
    assert.match(outcome(await ask(ben, 'set', BOT, run('a'))), /^completed info: #1/)
    await ben.reads(c(1), 'hello')
  }))
})

describe('REST', () => {
  it('gives an operator his conversations and nobody else anything', desk({ ...TWO, mia: 'manager', boss: 'admin' }, async d => {
    const { anna, zoe } = await served(d)
    anna.types(c(1), '!c a secret')
    anna.types(c(1), 'hi')
    await zoe.reads(SUPPORT, 'hi')
    await d.quiet()
    const one = '/api/v1/conversations/1'
    assert.equal((await d.rest('GET', one)).status, 401)
    assert.equal((await d.rest('GET', one, 'nonsense')).status, 401)
    assert.equal((await d.rest('GET', one, 'zoe')).status, 404)
    assert.equal((await d.rest('GET', one, 'ben')).status, 404)
    assert.equal((await d.rest('GET', '/api/v1/conversations/99', 'anna')).status, 404)
    assert.equal((await d.rest('GET', one, 'anna', undefined, ['tickets:read'])).status, 403)
    for (const who of ['anna', 'mia', 'boss']) {
      const { status, body } = await d.rest('GET', one, who)
      assert.equal(status, 200)
      assert.deepEqual([body.number, body.state, body.queue, body.customer.name, body.owner, body.participants], [1, 'active', 'support', 'Zoe', 'anna@localhost', []])
    }
    const { body } = await d.rest('GET', `${one}/lines?after=1`, 'anna')
    assert.deepEqual(body.lines.filter((l: { visibility: string }) => l.visibility !== 'command').map((l: { visibility: string; text: string }) => `${l.visibility} ${l.text}`), ['public Anna joined.', 'coaching a secret', 'public hi'])
    assert.equal(body.complete, true)
    assert.deepEqual((await d.rest('GET', '/api/v1/conversations?state=active', 'anna')).body.conversations.map((x: { number: number }) => x.number), [1])
    assert.deepEqual((await d.rest('GET', '/api/v1/conversations', 'ben')).body.conversations, [])
  }))

  it('carries commands out with the same permissions, and tells why not', desk({ ...TWO, mia: 'manager' }, async d => {
    const { zoe } = await served(d)
    const post = (path: string, who: string, body: unknown = {}): Promise<{ status: number; body: { text?: string; title?: string } }> => d.rest('POST', `/api/v1${path}`, who, body)
    assert.equal((await post('/conversations/1/commands/say', 'anna', { text: 'by REST' })).status, 200)
    await zoe.reads(SUPPORT, 'by REST')
    assert.equal((await post('/conversations/1/commands/say', 'anna', {})).status, 422)
    assert.equal((await post('/conversations/1/commands/take', 'ben')).status, 404)
    assert.equal((await post('/conversations/1/commands/a', 'anna')).status, 200)
    assert.equal((await post('/conversations/1/commands/t', 'anna', { to: 'nobody' })).status, 404)
    assert.equal((await post('/conversations/1/commands/nonsense', 'anna')).status, 404)
    assert.equal((await post('/conversations/1/commands/end', 'zoe')).status, 404)
    assert.match((await post('/commands/board', 'mia')).body.text ?? '', /Anna: available · 1 of 4/)
    const ticket = await post('/conversations/1/commands/ticket', 'anna')
    assert.match(ticket.body.text ?? '', /ticket 1/)
    const { status, body } = await d.rest('GET', '/api/v1/tickets/1', 'anna')
    assert.equal(status, 200)
    assert.deepEqual([body.number, body.subject, body.articles.length, body.articles[0].conversation], [1, 'hello', 1, 1])
    assert.match(body.articles[0].body, /Anna: by REST/)
    assert.equal((await d.rest('GET', '/api/v1/tickets/1', 'zoe')).status, 404)
    assert.equal((await d.rest('GET', '/api/v1/tickets/2', 'anna')).status, 404)
    assert.equal((await d.rest('GET', '/api/v1/conversations/1', 'anna')).body.ticket, 1)
  }))

  it('describes itself', desk(TWO, async d => {
    const { status, body } = await d.rest('GET', '/api/v1/openapi.json')
    assert.equal(status, 200)
    assert.equal(body.openapi, '3.1.0')
    const described = new Set(Object.entries(body.paths as Record<string, object>).flatMap(([path, ops]) => Object.keys(ops).map(m => `${m.toUpperCase()} /api/v1${path}`)))
    for (const r of d.http.table) {
      if (r.pattern.endsWith('openapi.json')) continue
      const pattern = r.pattern.replace(/:(\w+)/g, '{$1}')
      assert.ok(described.has(`${r.method} ${pattern}`) || [...described].some(x => pattern.endsWith('{command}') && x.startsWith(`${r.method} ${pattern.replace('{command}', '')}`)), pattern)
    }
  }))
})

describe('a desk that is off', () => {
  it('RULE-C29 FP-04 takes nobody in', desk(TWO, async d => {
    await d.comes('anna')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await zoe.reads(SUPPORT, /not open/)
  }, config(undefined, { enabled: false })))
})
