// The settings of a desk by REST: ranges and defaults of the manuals, versions, what the file fixes, and that a change holds at once.
import assert from 'node:assert/strict'
import { BOT, c, config, DESK, desk, SUPPORT, type DeskHouse } from '../harness/desk.ts'
import { GRANTED, PERMISSIONS } from '../../components/helpdesk/permissions.ts'
import { check, schema } from '../../components/helpdesk/settings/check.ts'

const STAFF = { anna: 'agent', ben: 'agent', mia: 'manager', boss: 'admin' } as const
type Json = Awaited<ReturnType<DeskHouse['rest']>>['body'] // of any shape
const API = '/api/v1'
const OPEN = config(undefined, { given: { queues: { support: { assign: 'round-robin' } } } }) // the switch is the admin's

const patch = (d: DeskHouse, body: unknown, who = 'boss', headers: Record<string, string> = {}): ReturnType<DeskHouse['rest']> => d.rest('PATCH', `${API}/settings`, who, body, undefined, headers)
async function set(d: DeskHouse, body: unknown): Promise<void> {
  const { status, body: answer } = await patch(d, body)
  assert.equal(status, 200, JSON.stringify(answer))
}
const settings = async (d: DeskHouse): Promise<Json> => (await d.rest('GET', `${API}/settings`, 'boss')).body.settings // JSON

describe('the settings', () => {
  it('FP-15 FP-18 have a group “Chat system settings”, defaults inside the ranges, and null restores what is recommended', desk(STAFF, async d => {
    const { body: shape } = await d.rest('GET', `${API}/settings/schema`, 'boss')
    assert.equal(shape.properties.system.title, 'Chat system settings')
    assert.deepEqual([shape.properties.system.properties.requestInterval.minimum, shape.properties.system.properties.requestInterval.maximum], [5, 15])
    assert.deepEqual([(await settings(d)).system.requestInterval, (await settings(d)).system.messageInterval], [5, 1])
    await set(d, { system: { requestInterval: 12, messageInterval: 9 } })
    assert.deepEqual([(await settings(d)).system.requestInterval, (await settings(d)).system.messageInterval], [12, 9])
    await set(d, { system: null })
    assert.deepEqual([(await settings(d)).system.requestInterval, (await settings(d)).system.messageInterval], [5, 1])
  }))

  it('SEC-X36 know what somebody has named, and nothing else, whatever it is called', desk(STAFF, async d => {
    for (const name of ['constructor', 'toString', '__proto__', 'nothing']) {
      assert.equal((await d.rest('PATCH', `${API}/operators/anna@localhost`, 'boss', { departments: [name] })).status, 409, name)
      assert.equal((await d.rest('GET', `${API}/lists/queue?dept=${name}`, 'mia')).status, 422, name)
    }
  }))

  const bounded = (key: string, [low, high]: readonly [number, number]): (() => Promise<void>) => desk(STAFF, async d => {
    for (const n of [low - 1, high + 1]) {
      const { status, body } = await patch(d, { system: { [key]: n } })
      assert.equal(status, 422)
      assert.equal(body.errors[0].pointer, `/system/${key}`)
      assert.match(body.errors[0].detail, new RegExp(`from ${low} to ${high}`))
    }
    for (const n of [low, high]) { await set(d, { system: { [key]: n } }); assert.equal((await settings(d)).system[key], n) }
  })
  it('FP-19 RULE-C22 the interval for new requests is 5 to 15 s, and the refusal says so', bounded('requestInterval', [5, 15]))
  it('FP-20 the interval for new messages is 1 to 10 s, and the refusal says so', bounded('messageInterval', [1, 10]))

  it('FP-03 what is set is what bridges are told', desk(STAFF, async d => {
    const web = await d.house.component('web.localhost', 'secret')
    const pace = async (): Promise<string[]> => {
      web.sends`<iq type='get' id='p' from='web.localhost' to='${DESK}'><availability xmlns='urn:deskbell:desk:0' queue='support'/></iq>`
      const a = (await web.next()).getChild('availability')?.attrs
      return [String(a?.['active']), String(a?.['idle'])]
    }
    assert.deepEqual(await pace(), ['1', '5'])
    await set(d, { system: { messageInterval: 10, requestInterval: 15 } })
    assert.deepEqual(await pace(), ['10', '15'])
  }))

  it('FP-21 what is kept and fits no more is out of force and stays, and hinders no other change', desk(STAFF, async d => {
    await d.house.stores.documents.put('desk-settings', DESK, 'settings', { changes: { conversation: { once: true, showNumber: true }, departments: { old: { queues: ['gone'] }, help: { queues: ['support'] } } }, by: 'boss@localhost', at: 0 })
    await d.restart()
    const settings = async () => (await d.rest('GET', `${API}/settings`, 'boss')).body.settings // JSON of any shape
    assert.deepEqual([(await settings()).conversation.showNumber, (await settings()).conversation.once, (await settings()).departments.help.queues], [true, undefined, ['support']])
    assert.equal((await d.rest('PATCH', `${API}/settings`, 'boss', { conversation: { maxPublic: 3 } })).status, 200)
    assert.equal((await d.rest('POST', `${API}/departments`, 'boss', { id: 'money', queues: ['billing'] })).status, 201)
    const wrong = await d.rest('PATCH', `${API}/settings`, 'boss', { conversation: { maxPublic: 3000 } })
    assert.deepEqual([wrong.status, wrong.body.errors.map((e: { pointer: string }) => e.pointer)], [422, ['/conversation/maxPublic']])
    await d.restart()
    const now = await settings()
    assert.deepEqual([now.conversation.maxPublic, now.conversation.showNumber, Object.keys(now.departments).filter(x => x !== 'old').sort()], [3, true, ['help', 'money']])
    const kept = (await d.house.stores.documents.get<{ changes: { conversation: object } }>('desk-settings', DESK, 'settings'))?.value.changes.conversation
    assert.deepEqual(kept, { once: true, showNumber: true, maxPublic: 3 }, 'an older program, or the config file put back, finds it again')
  }))

  it('FP-21 nothing holds of a change of which a part is wrong', desk(STAFF, async d => {
    assert.equal((await patch(d, { system: { requestInterval: 7, messageInterval: 99 } })).status, 422)
    assert.equal((await settings(d)).system.requestInterval, 5)
    assert.equal((await patch(d, { nonsense: 1 })).status, 422)
  }))

  it('are versioned: who changes what somebody else has changed meanwhile is told', desk(STAFF, async d => {
    const { body, headers } = await d.rest('GET', `${API}/settings`, 'boss')
    assert.deepEqual([body.version, headers.get('etag')], [0, '"0"'])
    assert.equal((await patch(d, { system: { requestInterval: 6 } }, 'boss', { 'if-match': '"0"' })).headers.get('etag'), '"1"')
    const late = await patch(d, { system: { requestInterval: 7 } }, 'boss', { 'if-match': '"0"' })
    assert.deepEqual([late.status, late.body.version], [412, 1])
    assert.equal((await settings(d)).system.requestInterval, 6)
  }))

  it('what the config file gives is fixed, and shown as such', desk(STAFF, async d => {
    const { body } = await d.rest('GET', `${API}/settings`, 'boss')
    assert.ok(body.fixed.includes('/system/enabled') && body.fixed.includes('/queues/support/assign'), body.fixed.join())
    for (const wrong of [{ system: { enabled: false } }, { queues: { support: { assign: 'pull' } } }, { queues: { support: null } }]) assert.equal((await patch(d, wrong)).status, 409, JSON.stringify(wrong))
    await set(d, { queues: { support: { limit: 7 } } })
    assert.deepEqual([(await settings(d)).queues.support.limit, (await settings(d)).queues.support.assign], [7, 'round-robin'])
    assert.equal((await d.rest('DELETE', `${API}/queues/support`, 'boss')).status, 409)
  }))

  it('are an administrator’s to change, a manager’s to see, and nobody else’s', desk(STAFF, async d => {
    assert.equal((await patch(d, {}, 'mia')).status, 403)
    assert.equal((await d.rest('GET', `${API}/settings`, 'mia')).status, 200)
    assert.equal((await d.rest('GET', `${API}/settings`, 'anna')).status, 403)
    assert.equal((await d.rest('GET', `${API}/settings`)).status, 401)
    await d.comes('zoe')
    assert.equal((await d.rest('GET', `${API}/settings`, 'zoe')).status, 404)
    assert.equal((await d.rest('PATCH', `${API}/settings`, 'boss', {}, ['settings:read'])).status, 403)
  }))

  it('SS-22 a secret is never readable back; that it is set is', desk(STAFF, async d => {
    await set(d, { translation: { method: 'microsoft', clientId: 'me', clientSecret: 'hush-hush' } })
    const { body } = await d.rest('GET', `${API}/settings`, 'boss')
    assert.ok(!JSON.stringify(body).includes('hush-hush'))
    assert.deepEqual([body.settings.translation.clientId, body.secrets], ['me', ['/translation/clientSecret']])
  }))

  it('SS-17 SS-20 critical comes after the warning', desk(STAFF, async d => {
    assert.equal((await patch(d, { quality: { idleWarning: 60, idleCritical: 60 } })).status, 422)
    await set(d, { quality: { idleWarning: 60, idleCritical: 61, durationWarning: 10, durationCritical: 0 } })
    assert.equal((await patch(d, { quality: { durationCritical: 9 } })).status, 422)
  }))

  it('OM-24 OM-26 RULE-C23 one way of routing at a time: the other is named', desk(STAFF, async d => {
    await set(d, { departments: { sales: { queues: ['support'] } }, routing: { departments: true } })
    const both = await patch(d, { routing: { urls: true } })
    assert.equal(both.status, 422)
    assert.match(both.body.title, /departments routing is on/)
    await set(d, { routing: { departments: false, urls: true, rules: [{ address: 'shop.example.org', operators: ['anna@localhost'] }] } })
  }))

  it('the defaults are those of the manuals', () => {
    const checked = check({})
    assert.ok('settings' in checked)
    const { system, distribution, handOff, conversation, hours, translation, retention } = checked.settings
    assert.deepEqual([system.enabled, system.requires, system.requestInterval, system.messageInterval], [false, 'all', 5, 1])
    assert.deepEqual([distribution.assign, handOff.closed.enabled, handOff.closed.after, handOff.noReply.enabled], ['pull', true, 120, false])
    assert.deepEqual([conversation.aliasOnInvitations, conversation.customerFiles, conversation.userComment, conversation.showNumber, hours.closeOutside, translation.method, retention.purgeAfter], [false, false, false, false, false, 'none', 90])
  })

  it('the schema names every permission there is', () => {
    const named = Object.keys(schema.$defs?.['role']?.properties?.['permissions']?.properties ?? {})
    assert.deepEqual(named.sort(), [...PERMISSIONS].sort())
  })
})

describe('what is sent twice with one Idempotency-Key', () => {
  it('is done once, and answered the same', desk(STAFF, async d => {
    const post = (key: string, body: unknown): ReturnType<DeskHouse['rest']> => d.rest('POST', `${API}/queues`, 'boss', body, undefined, { 'idempotency-key': key })
    const first = await post('k1', { id: 'sales' })
    assert.deepEqual([first.status, first.headers.get('location')], [201, `${API}/queues/sales`])
    const again = await post('k1', { id: 'sales' })
    assert.deepEqual([again.status, again.body, again.headers.get('idempotent-replayed')], [201, first.body, 'true'])
    assert.equal((await post('k1', { id: 'other' })).status, 422)
    assert.equal((await post('k2', { id: 'sales' })).status, 409)
  }))
})

describe('the switch', () => {
  it('FP-01 FP-04 FP-16 is off on a new desk, needs no licence, and works at once', desk(STAFF, async d => {
    const anna = await d.comes('anna')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await zoe.reads(SUPPORT, /not open/)
    await set(d, { system: { enabled: true } })
    zoe.types(SUPPORT, 'hello again')
    await anna.reads(BOT, /New chat #1/)
    await set(d, { system: { enabled: false } })
    const yan = await d.comes('yan')
    yan.types(SUPPORT, 'hello')
    await yan.reads(SUPPORT, /not open/)
  }, OPEN))

  it('OT-01 off, every verb is refused', desk(STAFF, async d => {
    const anna = await d.comes('anna')
    for (const words of ['!q', '!a', '!take 1', '!mine', '!end 1']) { anna.types(BOT, words); await anna.reads(BOT, /turned off/) }
    assert.equal((await d.rest('POST', `${API}/commands/q`, 'anna', {})).status, 409)
    await set(d, { system: { enabled: true } })
    anna.types(BOT, '!q')
    await anna.reads(BOT, /Nobody waits/)
  }, OPEN))

  it('FP-02 both the switch and the role must let one in', desk(STAFF, async d => {
    await d.comes('anna')
    const zoe = await d.comes('zoe')
    const tries = async (words: RegExp): Promise<void> => { zoe.types(SUPPORT, 'hello'); await zoe.reads(SUPPORT, words) }
    await tries(/not open/)
    await set(d, { system: { enabled: true }, roles: { customer: { permissions: { 'chat.with.agents': false } } } })
    await tries(/may not chat/)
    await set(d, { roles: { customer: null } })
    await tries(/People ahead of you/)
  }, OPEN))

  it('FP-14 RULE-C7 a change holds for who is logged in, at once', desk(STAFF, async d => {
    const anna = await d.comes('anna')
    const zoe = await d.comes('zoe')
    await set(d, { conversation: { queueText: 'Vor Ihnen: {ahead}' } })
    zoe.types(SUPPORT, 'hallo')
    await zoe.reads(SUPPORT, '✱ Vor Ihnen: 0')
    await anna.reads(BOT, /#1/)
  }))
})

describe('a queue', () => {
  it('OM-19 ST-30 is made, changed and deleted while the desk runs, with its own agents', desk(STAFF, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    assert.equal((await d.rest('POST', `${API}/queues`, 'boss', { id: 'sales', name: 'Sales', agents: ['ben@localhost'], assign: 'round-robin' })).status, 201)
    const zoe = await d.comes('zoe')
    zoe.types(`sales@${DESK}`, 'how much?')
    await ben.reads(BOT, /New chat #1: Zoe, Sales/)
    assert.ok(!(await anna.all()).some(l => l.includes('#1')))
    assert.equal((await d.rest('DELETE', `${API}/queues/sales`, 'boss')).status, 409, 'somebody waits in it')
    ben.types(BOT, '!a')
    await ben.reads(c(1), 'how much?')
    ben.types(c(1), '!close')
    await ben.reads(c(1), /closed/)
    assert.equal((await d.rest('PATCH', `${API}/queues/sales`, 'boss', { name: 'Shop' })).body.name, 'Shop')
    assert.equal((await d.rest('DELETE', `${API}/queues/sales`, 'boss')).status, 204)
    assert.equal((await d.rest('GET', `${API}/queues/sales`, 'boss')).status, 404)
    zoe.types(`sales@${DESK}`, 'still there?')
    assert.equal((await zoe.actor.hears`<message type='error' from='sales@${DESK}'/>`).getChild('error')?.attrs['type'], 'cancel')
  }))

  it('ST-74 its text is the department’s, its own, the desk’s: the nearest', desk(STAFF, async d => {
    await d.comes('anna')
    await set(d, { departments: { help: { queues: ['support'], queueText: 'Helping {ahead} before you' } } })
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await zoe.reads(SUPPORT, '✱ Helping 0 before you')
  }))

  it('takes no more than its limit; who finds it full goes to the overflow, or hears that it is full', desk(STAFF, async d => {
    await d.comes('anna')
    await set(d, { queues: { support: { limit: 1 }, second: { assign: 'pull' } } })
    const zoe = await d.comes('zoe'); zoe.types(SUPPORT, 'one'); await zoe.reads(SUPPORT, /ahead of you: 0/)
    const yan = await d.comes('yan'); yan.types(SUPPORT, 'two'); await yan.reads(SUPPORT, /Too many are waiting/)
    await set(d, { queues: { support: { overflow: 'second' } } })
    yan.types(SUPPORT, 'two')
    await yan.reads(SUPPORT, /ahead of you: 0/)
    assert.equal((await d.rest('GET', `${API}/conversations/2`, 'boss')).body.queue, 'second')
    assert.equal((await patch(d, { queues: { second: { overflow: 'support' } } })).status, 422, 'that would go in a circle')
  }))

  it('SS-01 RULE-C24 where only registered users may chat, the role is looked at before the name', desk(STAFF, async d => {
    await d.comes('anna')
    await set(d, { system: { requires: 'registered' } })
    const bridge = await d.house.component('web.localhost', 'secret')
    const open = async (name: string): Promise<string> => {
      bridge.sends`<iq type='set' id='o1' from='v1@web.localhost' to='${DESK}'><open xmlns='urn:deskbell:desk:0' queue='support' id='x1' name='${name}'><body>hi</body></open></iq>`
      return String(await bridge.next())
    }
    assert.match(await open(''), /Please log in first/)
    assert.match(await open('Pat'), /Please log in first/)
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'I am logged in')
    await zoe.reads(SUPPORT, /ahead of you/)
    await set(d, { system: { requires: 'all' } })
    assert.match(await open('Pat'), /conversation="2"/)
  }))

  it('SS-10 SS-30 SS-38 outside the hours of its department it is closed, if hours are switched on', desk(STAFF, async d => {
    await d.comes('anna')
    const now = new Date(d.house.clock.now())
    const hhmm = (ms: number): string => new Date(ms).toISOString().slice(11, 16)
    const day = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][now.getUTCDay()] ?? ''
    const open = hhmm(now.getTime() + 3600_000)
    await set(d, {
      queues: { night: { assign: 'pull' } },
      departments: { day: { queues: ['support'], hours: { zone: 'UTC', week: { [day]: [`${open}-${hhmm(now.getTime() + 7200_000)}`] } } }, all: { queues: ['night'] } },
      conversation: { queueText: 'open {ahead}' },
    })
    const zoe = await d.comes('zoe')
    const asks = async (): Promise<string> => { const p = await d.comes(`z${Math.random().toString(36).slice(2, 8)}`); p.types(SUPPORT, 'hello'); return (await p.sees(/open|closed/)).text }
    assert.match(await asks(), /open 0/, 'the switch is off: hours do not matter')
    await set(d, { hours: { closeOutside: true } })
    assert.match(await asks(), /closed at this hour/)
    zoe.types(`night@${DESK}`, 'hello')
    await zoe.reads(`night@${DESK}`, /open 0/)
    await d.later(3660)
    assert.match(await asks(), /open/)
  }))
})

describe('live chat links', () => {
  it('SS-24 SS-26 are listed with id and title, made, changed and deleted', desk(STAFF, async d => {
    const made = await d.rest('POST', `${API}/links`, 'boss', { id: 'footer', title: 'Footer of the shop', online: { image: 'https://x.example/on.png' } })
    assert.deepEqual([made.status, made.body.refresh, made.body.departments], [201, 30, []])
    assert.equal((await d.rest('POST', `${API}/links`, 'boss', { id: 'untitled' })).status, 422)
    const list = async (): Promise<string[]> => (await d.rest('GET', `${API}/links`, 'mia')).body.items.map((l: { id: string; title: string }) => `${l.id}: ${l.title}`)
    assert.deepEqual(await list(), ['footer: Footer of the shop'])
    assert.equal((await d.rest('PATCH', `${API}/links/footer`, 'boss', { title: 'Footer' })).body.online.image, 'https://x.example/on.png')
    assert.equal((await d.rest('PUT', `${API}/links/footer`, 'boss', { title: 'New' })).body.online.image, '')
    assert.deepEqual(await list(), ['footer: New'])
    assert.equal((await d.rest('DELETE', `${API}/links/footer`, 'boss')).status, 204)
    assert.deepEqual(await list(), [])
    assert.equal((await d.rest('GET', `${API}/links`, 'anna')).status, 403)
  }))
})

describe('the audit', () => {
  it('tells who changed which setting, by REST and by form', desk(STAFF, async d => {
    await set(d, { system: { requestInterval: 9 } })
    const boss = await d.comes('boss')
    const node = 'urn:deskbell:desk:admin#add-department'
    boss.actor.says(`<iq type='set' id='x1' to='${BOT}'><command xmlns='http://jabber.org/protocol/commands' node='${node}'/></iq>`)
    const session = (await boss.actor.hears`<iq type='result' id='x1'/>`).getChild('command')?.attrs['sessionid']
    boss.actor.says(`<iq type='set' id='x2' to='${BOT}'><command xmlns='http://jabber.org/protocol/commands' node='${node}' sessionid='${session}'><x xmlns='jabber:x:data' type='submit'><field var='id'><value>shop</value></field></x></command></iq>`)
    await boss.actor.hears`<iq type='result' id='x2'/>`
    const { body } = await d.rest('GET', `${API}/audit`, 'boss')
    const deeds = body.items ?? body.entries
    assert.ok(deeds.some((x: Json) => x.by === 'boss@localhost' && x.what === 'changeSettings' && JSON.stringify(x).includes('requestInterval')), JSON.stringify(body))
    assert.ok(deeds.some((x: Json) => x.by === 'boss@localhost' && x.what === 'add-department'), JSON.stringify(body))
  }))
})

describe('the description of the interface', () => {
  it('names every route the server has, and no other', desk(STAFF, async d => {
    const { body } = await d.rest('GET', `${API}/openapi.json`)
    const described = new Set(Object.entries(body.paths as Record<string, object>).flatMap(([path, ops]) => Object.keys(ops).map(m => `${m.toUpperCase()} ${API}${path}`)))
    const served = d.http.table.map(r => `${r.method} ${r.pattern.replace(/:(\w+)/g, '{$1}')}`).filter(r => !r.endsWith('openapi.json'))
    for (const r of served) assert.ok(described.has(r) || (r.endsWith('{command}') && [...described].some(x => x.startsWith(r.replace('{command}', '')))), r)
    for (const x of described) assert.ok(served.includes(x) || /commands\/[a-z]+$/.test(x), x)
    const ids = Object.values(body.paths as Record<string, Record<string, { operationId: string }>>).flatMap(ops => Object.values(ops).map(o => o.operationId))
    assert.equal(new Set(ids).size, ids.length, 'each has a name of its own')
  }))

  it('SEC-A01 every described route refuses without a token, and answers an administrator as described', desk(STAFF, async d => {
    const { body } = await d.rest('GET', `${API}/openapi.json`)
    for (const [path, ops] of Object.entries(body.paths as Record<string, Record<string, { responses: object; security?: readonly object[] }>>)) {
      const at = `${API}${path.replace('{n}', '99').replace('{jid}', 'nobody@localhost').replace('{id}', 'nothing')}`
      for (const [m, op] of Object.entries(ops)) {
        const method = m.toUpperCase()
        const payload = method === 'GET' || method === 'DELETE' ? undefined : {}
        if (op.security?.length === 0) { assert.equal((await d.rest(method, at, undefined, payload)).status, method === 'GET' ? 404 : 422, `${method} ${at}`); continue } // the key in its path is the secret, or a password
        assert.equal((await d.rest(method, at, undefined, payload)).status, 401, `${method} ${at}`)
        const { status } = await d.rest(method, at, 'boss', payload)
        assert.ok(Object.keys(op.responses).includes(String(status)), `${method} ${at}: ${status} is not described`)
      }
    }
  }))

  it('SEC-D18 SEC-D19 each operation that changes something is described with its Idempotency-Key, commands too; If-Match stands where a version is', desk(STAFF, async d => {
    const { body } = await d.rest('GET', `${API}/openapi.json`)
    const named = (op: { parameters?: readonly { name: string }[] }, name: string): boolean => op.parameters?.some(p => p.name === name) === true
    const versioned: string[] = []
    for (const [path, ops] of Object.entries(body.paths as Record<string, Record<string, { security?: readonly object[]; parameters?: readonly { name: string }[] }>>)) {
      for (const [m, op] of Object.entries(ops)) {
        assert.equal(named(op, 'Idempotency-Key'), m !== 'get' && op.security?.length !== 0, `${m} ${path}`) // a sign-in gives a token each time
        if (named(op, 'If-Match')) versioned.push(`${m} ${path}`)
      }
    }
    assert.ok(versioned.includes('patch /queues/{id}') && versioned.includes('patch /tickets/{n}') && versioned.includes('patch /settings'))
    assert.ok(!versioned.some(v => /conversations|webhooks|tokens|operators/.test(v)), 'what has no version takes none')
  }))

  it('ST-68 an agent reads the places to which a conversation can be given: queues, departments, brands', desk(STAFF, async d => {
    for (const place of ['queues', 'departments', 'brands']) assert.equal((await d.rest('GET', `${API}/${place}`, 'anna')).status, 200, place)
    assert.equal((await d.rest('POST', `${API}/brands`, 'anna', { id: 'shop' })).status, 403)
  }))

  it('SEC-A01 a visitor’s token opens nothing, and an agent’s no route whose permission agents lack', desk(STAFF, async d => {
    await d.comes('zoe')
    const { body } = await d.rest('GET', `${API}/openapi.json`)
    const lacks = new Set(PERMISSIONS.filter(p => !GRANTED.agent.includes(p)).map(String))
    let forbidden = 0
    for (const [path, ops] of Object.entries(body.paths as Record<string, Record<string, { description?: string; security?: readonly object[] }>>)) {
      const at = `${API}${path.replace('{n}', '99').replace('{jid}', 'nobody@localhost').replace(/\{\w+\}/g, 'nothing')}`
      for (const [m, op] of Object.entries(ops)) {
        if (op.security?.length === 0) continue // its key is in the path
        const method = m.toUpperCase()
        const payload = method === 'GET' || method === 'DELETE' ? undefined : {}
        const visitor = await d.rest(method, at, 'zoe', payload)
        const empty = visitor.status === 200 && method === 'GET' && Object.values(visitor.body as object).every(v => !Array.isArray(v) || v.length === 0)
        assert.ok(visitor.status === 404 || visitor.status === 403 || empty, `${method} ${at}: a visitor gets ${visitor.status} ${JSON.stringify(visitor.body)}`)
        const needed = /permission ([a-z.]+[a-z])/.exec(op.description ?? '')?.[1]
        if (needed === undefined || !lacks.has(needed)) continue
        forbidden++
        assert.equal((await d.rest(method, at, 'anna', payload)).status, 403, `${method} ${at} needs ${needed}`)
      }
    }
    assert.ok(forbidden > 30, `${forbidden} routes need more than an agent may`)
  }))
})
