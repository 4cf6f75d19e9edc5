// Who is let in, to whom, and what the site says when nobody is there: over the bridge's namespace and XMPP, with settings changed by REST.
import assert from 'node:assert/strict'
import { BOT, c, config, desk, SUPPORT, type DeskHouse } from '../harness/desk.ts'
import { availability, begins, inside, isOpen, leaves, newest, opens, refusal, says, site } from '../harness/bridge.ts'
import { MailSink } from '../unit/helpdesk/mail-sink.ts'

const STAFF = { anna: 'agent', ben: 'agent', boss: 'admin' } as const
const set = async (d: DeskHouse, body: unknown): Promise<void> => { const r = await d.rest('PATCH', '/api/v1/settings', 'boss', body); assert.equal(r.status, 200, JSON.stringify(r.body)) }
const put = async (d: DeskHouse, jid: string, body: unknown): Promise<void> => { const r = await d.rest('PATCH', `/api/v1/operators/${jid}@localhost`, 'boss', body); assert.ok(r.status < 300, JSON.stringify(r.body)) }

describe('whether anybody is there', () => {
  it('ST-70 RULE-C16 away and full agents count as there; dnd, intake off and gone ones do not', desk(STAFF, async d => {
    const [anna, web] = [await d.comes('anna'), await d.comes('web')]
    const shows = async (presence: string): Promise<boolean> => { anna.actor.says(presence); await anna.all(); await d.quiet(); return isOpen(web) }
    for (const [show, there] of [['away', true], ['xa', true], ['dnd', false], ['chat', true]] as const) assert.equal(await shows(`<presence><show>${show}</show></presence>`), there, show)
    anna.types(BOT, '!off')
    await anna.reads(BOT, /no new/i).catch(() => {})
    await d.quiet()
    assert.equal(await isOpen(web), false)
    anna.types(BOT, '!on')
    await anna.all()
    await d.quiet()
    assert.equal(await isOpen(web), true)
    assert.equal(await shows("<presence type='unavailable'/>"), false)
  }))

  it('ST-23 RULE-C16 who comes after the last agent is gone finds the site unavailable; who was on the way waits, and who waits stays', desk(STAFF, async d => {
    const [anna, web, eve, tom] = [await d.comes('anna'), await d.comes('web'), await d.comes('eve'), await d.comes('tom')]
    const n = await begins(web)
    anna.actor.says("<presence type='unavailable'/>")
    await d.quiet()
    assert.equal(await isOpen(eve), false)
    await d.later(29)
    assert.equal(await begins(eve), 2) // loaded before
    await d.later(2)
    const no = refusal(await opens(tom))
    assert.equal(no.condition, 'service-unavailable')
    assert.match(no.text, /Nobody is here/)
    assert.match((await newest(web))['state'] ?? '', /waiting|offered/)
    assert.equal(n, 1)
  }))

  it('ST-71 SS-39 when all stop receiving at logout the page learns it at its next look, and that somebody is back', desk(STAFF, async d => {
    const [anna, web] = [await d.comes('anna'), await d.comes('web')]
    const { open, waiting, messages, refresh } = await availability(web)
    assert.deepEqual([open, waiting, messages, refresh], ['true', '0', 'false', '30'])
    anna.actor.says("<presence type='unavailable'/>")
    await d.quiet()
    assert.equal(await isOpen(web), false)
    anna.actor.says('<presence/>')
    await d.quiet()
    assert.equal(await isOpen(web), true)
  }))

  it('ST-74 the place in line and an honest estimate are told, and each time they change; nothing is estimated before the pace is known', desk(STAFF, async d => {
    const anna = await d.comes('anna')
    await set(d, { queues: { support: { queueText: '{ahead} before you. About {minutes} min.' } } })
    await put(d, 'anna', { capacity: 20 })
    const first = await d.comes('v0')
    await begins(first)
    assert.equal((await newest(first))['text'], '0 before you.')
    for (let i = 1; i <= 4; i++) await begins(await d.comes(`v${i}`))
    for (let n = 1; n <= 3; n++) { await d.later(120); anna.types(BOT, '!take'); await anna.reads(BOT, new RegExp(`#${n}.*yours`)); await d.quiet() }
    const last = await newest(await d.comes('v4').then(p => p))
    assert.deepEqual([last['position'], last['minutes'], last['text']], ['1', '4', '1 before you. About 4 min.'])
  }, config({ support: { assign: 'pull' } })))
})

describe('where a request goes', () => {
  const TEAMS = config({ support: { assign: 'pull' }, sales: { assign: 'pull', agents: ['ben@localhost'] }, billing: { assign: 'pull', agents: ['anna@localhost'] } })
  const rules = [{ address: 'shop.example.org', operators: ['anna@localhost'] }, { address: 'shop.example.org/help', operators: ['ben@localhost'] }]

  it('OM-22 without a rule the requests of all sites go to everybody', desk(STAFF, async d => {
    const [anna, ben, web] = [await d.comes('anna'), await d.comes('ben'), await d.comes('web')]
    await begins(web, { page: 'https://shop.example.org/help/returns' })
    await anna.reads(BOT, /#1/)
    await ben.reads(BOT, /#1/)
  }, TEAMS))

  it('OM-23 the longest host and path decides, by whole parts', desk(STAFF, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    await set(d, { routing: { urls: true, rules } })
    for (const [i, [page, who, other]] of ([['https://shop.example.org/help/returns', ben, anna], ['https://shop.example.org/helpless', anna, ben], ['http://shop.example.org/', anna, ben]] as const).entries()) {
      await other.all()
      assert.equal(await begins(await d.comes(`v${i}`), { page }), i + 1)
      await who.reads(BOT, new RegExp(`#${i + 1}`))
      await other.readsNothing()
    }
    await begins(await d.comes('v9'), { page: 'https://elsewhere.example/' })
    await Promise.all([anna.reads(BOT, /#4/), ben.reads(BOT, /#4/)])
  }, TEAMS))

  it('OM-24 a rule holds only while URL routing is enabled', desk(STAFF, async d => {
    const [anna, ben, web] = [await d.comes('anna'), await d.comes('ben'), await d.comes('web')]
    await set(d, { routing: { urls: false, rules } })
    await begins(web, { page: 'https://shop.example.org/help' })
    await Promise.all([anna.reads(BOT, /#1/), ben.reads(BOT, /#1/)])
  }, TEAMS))

  it('OM-25 matching requests are for the rule’s operators alone: others are neither told nor may they take, even if idle', desk(STAFF, async d => {
    const [anna, ben, web] = [await d.comes('anna'), await d.comes('ben'), await d.comes('web')]
    await set(d, { routing: { urls: true, rules } })
    await begins(web, { page: 'https://shop.example.org/help' })
    await ben.reads(BOT, /#1/)
    anna.types(BOT, '!q')
    await anna.reads(BOT, /Nobody waits/)
    anna.types(BOT, '!take 1')
    await anna.reads(BOT, /✱ (There is no|You do not serve|You may not)/)
    assert.equal((await d.rest('GET', '/api/v1/conversations/1', 'anna')).status, 404)
    ben.types(BOT, '!take 1')
    await ben.reads(c(1), 'hello')
    ben.actor.says("<presence type='unavailable'/>")
    await d.later(31)
    const eve = await d.comes('eve')
    assert.equal(await isOpen(eve, {}, 'https://shop.example.org/help'), false)
    assert.equal(await isOpen(eve, {}, 'https://shop.example.org/'), true)
  }, TEAMS))

  it('OM-18 SS-12 SS-28 the form asks for a department in the words of the settings, a link shows its own ones only, and the choice decides', desk(STAFF, async d => {
    const [anna, ben, web] = [await d.comes('anna'), await d.comes('ben'), await d.comes('web')]
    await set(d, { routing: { departments: true }, conversation: { selectionText: 'Whom do you need?' }, departments: { buy: { name: 'Buying', queues: ['sales'] }, pay: { queues: ['billing'] } }, links: { footer: { title: 'Footer', departments: ['pay'] } } })
    const form = await site(web)
    assert.equal(form.getChildText('selection'), 'Whom do you need?')
    assert.deepEqual(form.getChildren('department').map(x => [x.attrs['id'], x.attrs['name'], x.attrs['open']]), [['buy', 'Buying', 'true'], ['pay', 'Pay', 'true']])
    assert.deepEqual(refusal(await opens(web)), { condition: 'not-acceptable', text: 'Whom do you need?' })
    await begins(web, { attrs: { department: 'buy' } })
    await ben.reads(BOT, /#1/)
    await anna.readsNothing()
    const eve = await d.comes('eve')
    assert.equal((await site(eve, { link: 'footer' })).getChildren('department').length, 0) // one: nothing to choose
    assert.equal(refusal(await opens(eve, { attrs: { link: 'footer', department: 'buy' } })).condition, 'item-not-found')
    await begins(eve, { attrs: { link: 'footer' } })
    await anna.reads(BOT, /#2/)
  }, TEAMS))

  it('OT-15 OT-54 RULE-C3 in generic mode nobody is chosen: naming an agent is refused, without it the request is everybody’s', desk(STAFF, async d => {
    const [anna, ben, web] = [await d.comes('anna'), await d.comes('ben'), await d.comes('web')]
    await set(d, { routing: { generic: true } })
    assert.equal(refusal(await opens(web, { attrs: { operator: 'anna' } })).condition, 'forbidden')
    await begins(web)
    await Promise.all([anna.reads(BOT, /#1/), ben.reads(BOT, /#1/)])
    assert.equal((await site(web)).getChildren('operator').length, 0)
  }, TEAMS))

  it('FP-03 FP-17 a customer may name an agent where the admin says so, of his own departments alone where that is said', desk(STAFF, async d => {
    const [anna, ben, web] = [await d.comes('anna'), await d.comes('ben'), await d.comes('web')]
    await set(d, { routing: { agents: true }, sites: { shop: { queue: 'billing', departments: ['pay'] } }, departments: { pay: { queues: ['billing'] } } })
    const names = async (): Promise<unknown[]> => (await site(web, { site: 'shop' })).getChildren('operator').map(o => o.attrs['name'])
    assert.deepEqual(await names(), ['Anna', 'Ben'])
    await set(d, { system: { ownWorkspaces: true } })
    assert.deepEqual(await names(), ['Anna'])
    assert.equal(refusal(await opens(web, { attrs: { site: 'shop', operator: 'Ben' } })).condition, 'item-not-found')
    await begins(web, { attrs: { site: 'shop', operator: 'Anna' } })
    await anna.reads(BOT, /#1/)
    await ben.readsNothing()
  }, TEAMS))
})

describe('who is served first, and by whom', () => {
  const answers = async (d: DeskHouse, who: Awaited<ReturnType<DeskHouse['comes']>>, n: number): Promise<void> => { await who.reads(BOT, new RegExp(`New chat #${n}:`)); who.types(BOT, '!a'); await who.sees(new RegExp(`^✱ #${n} `)); await d.quiet() }

  it('SEC-D14 who matters more goes before those who came a bounded time earlier, and who waits long enough is passed by nobody', desk(STAFF, async d => {
    await set(d, { queues: { vip: { priority: 5 } }, distribution: { capacity: 1 } })
    const anna = await d.comes('anna')
    await begins(await d.comes('v1'))
    await answers(d, anna, 1)
    await begins(await d.comes('v2'))
    await d.later(400)
    await begins(await d.comes('v3'))
    await begins(await d.comes('v4'), { attrs: { queue: 'vip' } })
    for (const n of [2, 4, 3]) { anna.types(BOT, `!close #${n === 2 ? 1 : n === 4 ? 2 : 4}`); await answers(d, anna, n) }
  }, config({ support: {}, vip: {} }, { given: { enabled: true, queues: { support: { assign: 'round-robin' }, vip: { assign: 'round-robin' } } } })))

  it('skills and the customer’s language choose among those who are free', desk(STAFF, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    await put(d, 'anna', { languages: ['de'] })
    await put(d, 'ben', { skills: ['billing'] })
    await begins(await d.comes('v1'), { attrs: { lang: 'de-AT' } })
    await answers(d, anna, 1)
    await set(d, { queues: { support: { skills: ['billing'] } } })
    await begins(await d.comes('v2'))
    await answers(d, ben, 2)
    await begins(await d.comes('v3'))
    await answers(d, ben, 3)
  }))

  it('a full queue overflows into another, and refuses where that is full, too', desk(STAFF, async d => {
    await d.comes('anna')
    await set(d, { queues: { support: { limit: 1, overflow: 'billing' }, billing: { limit: 1 } } })
    await begins(await d.comes('v1'))
    await begins(await d.comes('v2'))
    assert.equal((await d.rest('GET', '/api/v1/conversations/2', 'boss')).body.queue, 'billing')
    assert.match(refusal(await opens(await d.comes('v3'))).text, /Too many are waiting/)
  }, config({ support: { assign: 'pull' }, billing: { assign: 'pull' } })))
})

describe('who is let in', () => {
  it('ST-56 ST-100 what the form before the chat asks is checked and stands with the conversation', desk(STAFF, async d => {
    const [, web] = [await d.comes('anna'), await d.comes('web')]
    await set(d, { fields: { order: { label: 'Order number', kind: 'number', ask: true, required: true }, plan: { label: 'Plan', kind: 'choice', choices: ['free', 'paid'], ask: true }, inner: { label: 'Ours' } } })
    assert.deepEqual((await site(web)).getChildren('field').map(f => [f.attrs['id'], f.attrs['label'], f.attrs['kind'], f.attrs['required'], f.getChildren('choice').map(x => x.getText())]), [['order', 'Order number', 'number', 'true', []], ['plan', 'Plan', 'choice', 'false', ['free', 'paid']]])
    assert.match(refusal(await opens(web)).text, /Order number/)
    assert.match(refusal(await opens(web, { fields: { order: '12', plan: 'gold' } })).text, /Plan: one of free, paid/)
    await begins(web, { fields: { order: '12', plan: 'paid', inner: 'sneaked in' } })
    const { body } = await d.rest('GET', '/api/v1/conversations/1/dossier', 'boss')
    assert.deepEqual(Object.entries(body.fields as Record<string, { value: string; by: string }>).map(([k, f]) => [k, f.value]), [['order', '12'], ['plan', 'paid']])
  }))

  it('ST-01 the record says whether a chat came from the site or from a saved link', desk(STAFF, async d => {
    await d.comes('anna')
    await set(d, { links: { footer: { title: 'Footer' } }, sites: { shop: { title: 'Shop' } } })
    await begins(await d.comes('web'), { attrs: { site: 'shop' }, page: 'https://shop.example.org/' })
    await begins(await d.comes('eve'), { attrs: { link: 'footer' } })
    const source = async (n: number): Promise<unknown> => (await d.rest('GET', `/api/v1/conversations/${n}/dossier`, 'boss')).body.source
    assert.deepEqual([await source(1), await source(2)], [{ site: 'shop', page: 'https://shop.example.org/' }, { link: 'footer' }])
  }))

  it('SEC-W34 a customer who calls himself as the staff does is marked a customer everywhere', desk(STAFF, async d => {
    const anna = await d.comes('anna')
    for (const [i, name] of ['Support', 'Αnnа', 'A\u200bnna', 'Adm1n', 'Annabel'].entries()) {
      await begins(await d.comes(`v${i}`), { attrs: { name } })
      await anna.reads(BOT, new RegExp(`#${i + 1} .*${i < 4 ? '\\(customer\\)' : 'Annabel waits'}`))
    }
  }, config({ support: { assign: 'pull' } })))

  it('SEC-W12 who is banned, by his own address or by that of his network, is not let in; after its time a ban is over', desk(STAFF, async d => {
    const [anna, web, eve] = [await d.comes('anna'), await d.comes('web'), await d.comes('eve')]
    const ban = (body: unknown, who = 'boss'): ReturnType<DeskHouse['rest']> => d.rest('POST', '/api/v1/bans', who, body)
    const made = await ban({ visitor: 'web@localhost', because: 'rude', seconds: 3600 })
    assert.equal(made.status, 201)
    assert.equal((await ban({ address: '192.0.2.0/24', because: 'spam' })).status, 201)
    for (const wrong of [{}, { address: '192.0.2.0/99' }, { visitor: 'x' , address: '192.0.2.1' }]) assert.equal((await ban(wrong)).status, 422)
    assert.equal((await ban({ visitor: 'eve@localhost' }, 'anna')).status, 403)
    assert.equal(refusal(await opens(web)).condition, 'forbidden')
    assert.equal(refusal(await opens(eve, { attrs: { address: '192.0.2.7' } })).condition, 'forbidden')
    web.types(SUPPORT, 'Then so')
    await web.actor.hears`<message type='error' from='${SUPPORT}'/>`
    await anna.readsNothing()
    await d.later(3601)
    assert.equal(await begins(web), 1)
    const { body } = await d.rest('GET', '/api/v1/bans', 'boss')
    assert.deepEqual(body.items.map((b: { address: string }) => b.address), ['192.0.2.0/24'])
    assert.equal((await d.rest('DELETE', `/api/v1/bans/${body.items[0].id}`, 'boss')).status, 204)
    assert.equal(await begins(eve, { attrs: { address: '192.0.2.7' } }), 2)
  }))

  it('SEC-W12 a manager bans the customer of a conversation by a command, for a time, and lifts it; an agent may not; the audit says who', desk({ ...STAFF, mia: 'manager' }, async d => {
    const [anna, mia, web] = [await d.comes('anna'), await d.comes('mia'), await d.comes('web')]
    const n = await begins(web)
    anna.types(BOT, `!ban ${n} 2h rude`)
    await anna.reads(BOT, /You may not do that/)
    mia.types(BOT, `!ban ${n} soon`)
    await mia.reads(BOT, /How long\?/)
    mia.types(BOT, `!ban ${n} 2h rude`)
    await mia.reads(BOT, /may not come in any more, for 2h/)
    web.types(SUPPORT, 'Then so')
    await web.actor.hears`<message type='error' from='${SUPPORT}'/>`
    mia.types(BOT, '!bans')
    await mia.reads(BOT, /web@localhost · until .* UTC · by Mia: rude/)
    mia.types(BOT, `!unban ${n}`)
    await mia.reads(BOT, /may come in again/)
    mia.types(BOT, `!unban ${n}`)
    await mia.reads(BOT, /is not banned/)
    const { body } = await d.rest('GET', '/api/v1/audit', 'boss')
    assert.deepEqual(body.items.slice(0, 2).map((x: { by: string; what: string }) => [x.by, x.what]), [['mia@localhost', 'unban'], ['mia@localhost', 'ban']])
    mia.types(BOT, `!ban ${n} good`)
    await mia.reads(BOT, /for good/)
    mia.types(BOT, '!bans')
    await mia.reads(BOT, /web@localhost · for good · by Mia$/)
  }))
})

describe('a message left while nobody is there', () => {
  it('OM-20 OM-21 ST-23 goes by mail to each of the chosen operators, and to nobody else', async () => {
    const sink = new MailSink()
    const port = await sink.listen()
    try {
      await desk(STAFF, async d => {
        const web = await d.comes('web')
        assert.equal((await availability(web))['messages'], 'false')
        await set(d, { offline: { operators: ['anna@localhost', 'ben@localhost'] } })
        for (const who of ['anna', 'ben', 'boss']) await put(d, who, { email: `${who}@example.org` })
        assert.deepEqual([(await availability(web))['open'], (await availability(web))['messages']], ['false', 'true'])
        assert.match(refusal(await leaves(web, { attrs: { email: 'none' } })).text, /mail address/)
        assert.equal((await leaves(web, { body: 'Please call me back.', attrs: { id: 'x1' } })).attrs['type'], 'result')
        assert.equal((await leaves(web, { body: 'Please call me back.', attrs: { id: 'x1' } })).attrs['type'], 'result')
        const mails = await sink.arrived(2)
        assert.deepEqual(mails.map(m => m.to[0]).sort(), ['anna@example.org', 'ben@example.org'])
        for (const m of mails) { assert.match(m.raw, /Please call me back\./); assert.match(m.headers.get('reply-to') ?? '', /alice@example\.org/) }
        await d.comes('anna')
        await d.quiet()
        assert.equal(refusal(await leaves(web)).condition, 'unexpected-request')
        assert.equal(sink.mails.length, 2)
      }, config(undefined, { mail: { host: '127.0.0.1', port, tls: 'none', from: 'desk@example.org', name: 'Desk' } }))()
    } finally { await sink.close() }
  })
})

void [inside, says]
