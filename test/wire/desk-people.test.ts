// Operators and what they may do: accounts, roles, the separate permissions; each change holds at once.
import assert from 'node:assert/strict'
import { BOT, c, config, desk, SUPPORT } from '../harness/desk.ts'
import { accepts as served } from '../harness/talks.ts'
import { type Json, API, STAFF, ask, permit } from './desk-people-scene.ts'

describe('an operator’s account', () => {
  it('OM-01 OM-03 OM-10 is made, can log in and serve, is changed, and shows so', desk(STAFF, async d => {
    const made = await ask(d, 'POST', '/operators', { user: 'carl', name: 'Carl', password: 'pw' }, 'boss', 201)
    assert.deepEqual([made.jid, made.role, made.roleTitle, made.password], ['carl@localhost', 'agent', 'Normal', undefined])
    const carl = await d.comes('carl')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await carl.reads(BOT, /#1/)
    assert.equal((await ask(d, 'PATCH', '/operators/carl@localhost', { name: 'Carl the Great', alias: 'Charlie', capacity: 2 })).name, 'Charlie')
    carl.types(BOT, '!a')
    await zoe.reads(SUPPORT, '✱ Charlie joined.')
    const card = await ask(d, 'GET', '/operators/carl@localhost', undefined, 'mia')
    assert.deepEqual([card.shownName, card.alias, card.capacity, card.activeChats], ['Carl the Great', 'Charlie', 2, 1])
    await ask(d, 'POST', '/operators', { user: 'carl' }, 'boss', 409)
    assert.equal((await ask(d, 'POST', '/operators', { user: 'x', nonsense: 1 }, 'boss', 422)).errors[0].pointer, '/nonsense')
  }))

  it('RFC-J6 is not made under a name that other servers would read as another one', desk(STAFF, async d => {
    assert.match((await ask(d, 'POST', '/operators', { user: 'straße' }, 'boss', 422)).title, /"strasse"/)
    await ask(d, 'GET', '/operators/stra%C3%9Fe@localhost', undefined, 'boss', 404)
  }))

  it('OM-04 without a password a random one is made; a mismatched pair is refused', desk(STAFF, async d => {
    const [one, two] = [await ask(d, 'POST', '/operators', { user: 'one' }, 'boss', 201), await ask(d, 'POST', '/operators', { user: 'two' }, 'boss', 201)]
    assert.ok(one.password.length >= 20 && one.password !== two.password)
    await ask(d, 'POST', '/operators', { user: 'three', password: 'a', confirm: 'b' }, 'boss', 422)
    await ask(d, 'POST', '/operators', { user: 'three', confirm: 'b' }, 'boss', 422)
    await ask(d, 'GET', '/operators/three@localhost', undefined, 'boss', 404)
  }))

  it('OM-02 those that are active count, and nobody else', desk(STAFF, async d => {
    assert.equal((await ask(d, 'GET', '/usage')).operators, 4)
    await ask(d, 'POST', '/operators', { user: 'carl' }, 'boss', 201)
    assert.deepEqual((await ask(d, 'GET', '/usage')).byRole, { agent: 3, manager: 1, admin: 1 })
    await ask(d, 'PATCH', '/operators/carl@localhost', { disabled: true })
    assert.equal((await ask(d, 'GET', '/usage')).operators, 4)
    await ask(d, 'PATCH', '/operators/carl@localhost', { disabled: false })
    await ask(d, 'DELETE', '/operators/carl@localhost', undefined, 'boss', 204)
    assert.equal((await ask(d, 'GET', '/usage')).operators, 4)
  }))

  it('OM-11 shows what a third-party client needs, to its owner and to administrators', desk(STAFF, async d => {
    for (const who of ['anna', 'boss']) {
      const { connection } = await ask(d, 'GET', '/operators/anna@localhost', undefined, who)
      assert.deepEqual([connection.jid, connection.host], ['anna@localhost', 'localhost'])
      for (const k of ['port', 'security', 'websocket', 'bosh', 'starttls', 'directTls', 'selfSigned']) assert.ok(k in connection, k)
    }
    assert.equal((await ask(d, 'GET', '/operators/anna@localhost', undefined, 'mia')).connection, undefined)
    await ask(d, 'GET', '/operators/anna@localhost/connection', undefined, 'ben', 404)
  }))

  it('OM-12 SEC-D32 SEC-T22 deleted: its streams are closed, its conversations go on, what it said keeps its name', desk(STAFF, async d => {
    const { anna, zoe } = await served(d)
    anna.types(c(1), 'a word of Anna')
    await zoe.reads(SUPPORT, 'a word of Anna')
    const ben = await d.comes('ben')
    await ask(d, 'DELETE', '/operators/anna@localhost', undefined, 'anna', 403)
    await ask(d, 'DELETE', '/operators/anna@localhost', undefined, 'boss', 204)
    await anna.actor.hears`<stream:error xmlns:stream='http://etherx.jabber.org/streams'/>`
    await ben.reads(BOT, /New chat #1/)
    ben.types(BOT, '!a')
    await ben.reads(c(1), 'Anna: a word of Anna')
    await ask(d, 'GET', '/operators/anna@localhost', undefined, 'boss', 404)
    await ask(d, 'DELETE', '/operators/boss@localhost', undefined, 'boss', 409)
  }))
})

describe('the roles', () => {
  it('OM-05 an Administrator manages everything', desk(STAFF, async d => {
    for (const path of ['/settings', '/operators', '/usage', '/invoices', '/cards', '/roles', '/queues', '/board', '/canned']) await ask(d, 'GET', path)
    const { permissions } = await ask(d, 'GET', '/me')
    for (const p of ['operators.manage', 'settings.manage', 'roles.manage', 'chat.view.others', 'rooms.create', 'records.erase']) assert.ok(permissions.includes(p), p)
  }))

  it('OM-06 OM-08 OM-09 a Normal operator adds no accounts, sees no invoices and no cards', desk(STAFF, async d => {
    await ask(d, 'POST', '/operators', { user: 'carl' }, 'anna', 403)
    await ask(d, 'GET', '/invoices', undefined, 'anna', 403)
    await ask(d, 'GET', '/cards', undefined, 'anna', 403)
    await ask(d, 'PATCH', '/settings', {}, 'anna', 403)
    await ask(d, 'PATCH', '/operators/anna@localhost', { role: 'admin' }, 'anna', 403)
    await ask(d, 'PATCH', '/operators/ben@localhost', { alias: 'x' }, 'anna', 404)
    assert.equal((await ask(d, 'PATCH', '/operators/anna@localhost', { alias: 'Annie' }, 'anna')).name, 'Annie')
  }))

  it('OM-07 a Normal operator sees nothing of others’ chats', desk(STAFF, async d => {
    await served(d)
    const ben = await d.comes('ben')
    await ask(d, 'GET', '/conversations/1', undefined, 'ben', 404)
    await ask(d, 'GET', '/conversations/1/lines', undefined, 'ben', 404)
    assert.deepEqual((await ask(d, 'GET', '/conversations', undefined, 'ben')).conversations, [])
    ben.types(BOT, '!who 1')
    await ben.reads(BOT, /no (open )?conversation #1/)
    ben.types(c(1), 'let me in')
    assert.match((await ben.reads(c(1), /^✱/)).text, /no conversation|Not sent/)
  }))

  it('FP-22 the two directions are permissions of their own: each alone, both, none', desk(STAFF, async d => {
    const ben = await d.comes('ben')
    const { anna, zoe } = await served(d)
    for (const [customers, agents] of [[true, true], [true, false], [false, true], [false, false]] as const) {
      await permit(d, 'agent', { 'chat.with.customers': customers, 'chat.with.agents': agents })
      anna.types(c(1), `to the customer ${customers} ${agents}`)
      if (customers) await zoe.reads(SUPPORT, `to the customer ${customers} ${agents}`)
      else await anna.reads(c(1), /may not chat with customers/)
      anna.types(c(1), '!i ben')
      await anna.reads(c(1), agents ? /asked/ : /may not chat with agents/)
      if (agents) { ben.types(BOT, '!r'); await ben.reads(BOT, /passed/) }
    }
    await permit(d, 'agent', { 'chat.with.customers': false, 'chat.with.agents': true })
    const yan = await d.comes('yan')
    yan.types(SUPPORT, 'anybody?')
    await yan.reads(SUPPORT, /People ahead|Nobody is here/)
    assert.ok(!(await ben.all()).some(l => l.includes('New chat')), 'nobody is asked who may not')
  }))

  it('FP-23 FP-24 a customer’s role may be kept from chatting; the next word of who is online obeys', desk(STAFF, async d => {
    await d.comes('anna')
    const zoe = await d.comes('zoe')
    await permit(d, 'customer', { 'chat.with.agents': false })
    zoe.types(SUPPORT, 'hello')
    await zoe.reads(SUPPORT, /may not chat/)
    await permit(d, 'customer', { 'chat.with.agents': true })
    zoe.types(SUPPORT, 'hello')
    await zoe.reads(SUPPORT, /People ahead/)
  }))

  it('FP-24 SEC-T22 a change of an operator’s role holds at once, without a new login', desk(STAFF, async d => {
    await served(d)
    const ben = await d.comes('ben')
    ben.types(BOT, '!obs 1')
    await ben.reads(BOT, /no conversation #1/)
    await ask(d, 'PATCH', '/operators/ben@localhost', { role: 'manager' })
    ben.types(BOT, '!obs 1')
    await ben.reads(BOT, /watching #1/)
    await ask(d, 'PATCH', '/operators/ben@localhost', { role: 'agent' })
    ben.types(BOT, '!take 1')
    await ben.reads(BOT, /may not take it from others|no open conversation|no conversation/)
    await ask(d, 'PATCH', '/operators/boss@localhost', { role: 'agent' }, 'boss', 409)
  }))

  it('FP-24 SEC-T22 who has less right than before loses it on the spot: in the session that is open, with an old token, in a form begun before; the session itself goes on', desk({ ...STAFF, root: 'admin' }, async d => {
    const NS = 'http://jabber.org/protocol/commands'
    const { anna, zoe } = await served(d)
    const [mia, root] = [await d.comes('mia', '<presence><show>dnd</show></presence>'), await d.comes('root')]
    mia.types(BOT, '!obs 1')
    await mia.reads(BOT, /watching #1/)
    zoe.types(SUPPORT, 'before')
    await mia.reads(c(1), 'before')
    const tokens = { mia: (await d.address('mia')).token, root: (await d.address('root')).token }
    const asks = async (who: keyof typeof tokens, method: string, path: string, body?: object): Promise<number> => (await fetch(`${await d.url()}${API}${path}`, { method, headers: { authorization: `Bearer ${tokens[who]}`, ...(body ? { 'content-type': 'application/json' } : {}) }, ...(body ? { body: JSON.stringify(body) } : {}) })).status
    /** Opens a form, and gives what sends it filled in. */
    const begins = async (to: string, node: string, field: string, value: string): Promise<() => Promise<string>> => {
      root.actor.sends`<iq type='set' id='begin' to='${to}'><command xmlns='${NS}' node='${node}'/></iq>`
      const session = (await root.actor.hears`<iq id='begin'><command xmlns='${NS}' status='executing'/></iq>`).getChild('command')?.attrs['sessionid']
      return async () => {
        root.actor.says(`<iq type='set' id='end' to='${to}'><command xmlns='${NS}' node='${node}' sessionid='${session}'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/admin</value></field><field var='${field}'><value>${value}</value></field></x></command></iq>`)
        return String(await root.actor.hears`<iq id='end'/>`)
      }
    }
    const [settings, accounts] = [await begins(`${BOT}/desk`, 'urn:deskbell:desk:admin#system', 'requestInterval', '9'), await begins('localhost', 'http://jabber.org/protocol/admin#delete-user', 'accountjids', 'ben@localhost')]
    assert.deepEqual([await asks('mia', 'GET', '/conversations/1'), await asks('root', 'PATCH', '/settings', {})], [200, 200])

    for (const who of ['mia', 'root']) await ask(d, 'PATCH', `/operators/${who}@localhost`, { role: 'agent' })
    await anna.reads(c(1), /Mia has left/)
    await mia.all()
    // The live session.
    zoe.types(SUPPORT, 'afterwards')
    await anna.reads(c(1), 'afterwards')
    anna.types(c(1), '!n between us')
    await anna.reads(c(1), /Noted/)
    await mia.readsNothing()
    for (const [typed, answer] of [['!take 1', /may not take it|no .*conversation #1/], ['!off ben', /may not/]] as const) { mia.types(BOT, typed); await mia.reads(BOT, answer) }
    mia.types(c(1), '!c psst')
    await mia.reads(c(1), /not in this conversation|no conversation #1/)
    // The token that was made before.
    assert.deepEqual([await asks('mia', 'GET', '/conversations/1'), await asks('mia', 'GET', '/conversations/1/lines'), await asks('mia', 'POST', '/conversations/1/commands/take', {}), await asks('root', 'PATCH', '/settings', { system: { requestInterval: 9 } }), await asks('root', 'GET', '/audit')], [404, 404, 404, 403, 403])
    // The forms that were open.
    for (const outcome of [await settings(), await accounts()]) assert.match(outcome, /<forbidden/)
    const now = await ask(d, 'GET', '/settings')
    assert.equal(now.settings.system.requestInterval, 5)
    await ask(d, 'GET', '/operators/ben@localhost')
    // Nobody was logged out: as agents they serve.
    const yan = await d.comes('yan')
    yan.types(SUPPORT, 'next')
    await root.reads(BOT, /New chat #2/)
  }))

  it('FP-22 those that are built in are there to be seen and changed like any other, and deleting one restores it', desk(STAFF, async d => {
    assert.deepEqual((await ask(d, 'GET', '/roles')).items.map((r: Json) => r.id), ['admin', 'agent', 'customer', 'manager', 'public'])
    assert.equal((await ask(d, 'GET', '/roles/agent')).title, 'Normal')
    assert.ok(!(await ask(d, 'PATCH', '/roles/agent', { permissions: { 'chat.with.agents': false } })).granted.includes('chat.with.agents'))
    await ask(d, 'POST', '/roles', { id: 'agent' }, 'boss', 409)
    await ask(d, 'DELETE', '/roles/agent', undefined, 'boss', 204)
    assert.ok((await ask(d, 'GET', '/roles/agent')).granted.includes('chat.with.agents'))
  }))

  it('of an admin’s own begin with another and differ where they say so', desk(STAFF, async d => {
    const { granted } = await ask(d, 'POST', '/roles', { id: 'trainee', title: 'Trainee', base: 'agent', permissions: { 'chat.transfer': false } }, 'boss', 201)
    assert.ok(!granted.includes('chat.transfer') && granted.includes('chat.with.customers'))
    assert.equal((await ask(d, 'PATCH', '/operators/anna@localhost', { role: 'trainee' })).roleTitle, 'Trainee')
    const { anna } = await served(d)
    anna.types(c(1), '!t ben')
    await anna.reads(c(1), /may not/)
    await ask(d, 'PATCH', '/operators/anna@localhost', { role: 'nonsense' }, 'boss', 409)
    await ask(d, 'POST', '/roles', { id: 'x', permissions: { 'fly': true } }, 'boss', 422)
    await ask(d, 'PATCH', '/settings', { roles: { admin: { permissions: { 'settings.manage': false } } } }, 'boss', 422)
  }))

  it('ST-67 agents may transfer until a role says no', desk(STAFF, async d => {
    const ben = await d.comes('ben')
    await ben.all()
    const { anna } = await served(d)
    await permit(d, 'agent', { 'chat.transfer': false })
    anna.types(c(1), '!t ben')
    await anna.reads(c(1), /may not/)
    await permit(d, 'agent', { 'chat.transfer': true })
    anna.types(c(1), '!t ben')
    await anna.reads(c(1), /offered to Ben/)
  }))

  it('RULE-C1 RULE-C18 nobody begins with customers, and managers and admins make rooms, until a role says otherwise', desk(STAFF, async d => {
    const { roles } = await ask(d, 'GET', '/permissions', undefined, 'anna')
    const has = (id: string, p: string): boolean => roles.find((r: { id: string }) => r.id === id).granted.includes(p)
    for (const r of ['agent', 'manager', 'admin']) assert.equal(has(r, 'chat.start.customer'), false, r)
    assert.deepEqual(['agent', 'manager', 'admin'].map(r => has(r, 'rooms.create')), [false, true, true])
  }))

  it('ST-04 ST-08 a manager’s eye is bounded by departments', desk(STAFF, async d => {
    await served(d)
    await ask(d, 'PATCH', '/settings', { departments: { money: { queues: ['billing'] }, help: { queues: ['support'] } } })
    await ask(d, 'GET', '/conversations/1', undefined, 'mia')
    await ask(d, 'PATCH', '/operators/mia@localhost', { departments: ['money'] })
    await ask(d, 'GET', '/conversations/1', undefined, 'mia', 404)
    await ask(d, 'POST', '/conversations/1/commands/obs', {}, 'mia', 404)
    await ask(d, 'PATCH', '/operators/mia@localhost', { departments: ['money', 'help'] })
    assert.deepEqual((await ask(d, 'GET', '/conversations', undefined, 'mia')).conversations.map((x: { number: number }) => x.number), [1])
  }, config({ support: {}, billing: { agents: ['ben@localhost'], assign: 'pull' } })))
})
