// Links by which friends become contacts and strangers become users (XEP-0379, XEP-0401, XEP-0445).
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { LANDING } from '../../protocols/invitations.ts'
import { Actor, House, type SceneOptions } from '../harness/scene.ts'
import { plugins } from '../../plugins/index.ts'
import { Host } from '../../server/host/host.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import { silent } from '../../server/ports/log.ts'
import { StoreError } from '../../server/ports/store.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'

const COMMANDS = 'http://jabber.org/protocol/commands'
const INVITE = 'urn:xmpp:invite#invite'
const CREATE = 'urn:xmpp:invite#create-account'
const REGISTER = 'jabber:iq:register'
const DAY = 86_400_000
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

const closed = (register: string): SceneOptions => ({ pluginOptions: { invites: { register }, register: { open: false } } })

interface Cast { readonly romeo: Actor; readonly admin: Actor; readonly house: House }
const village = (register: string, play: (c: Cast) => Promise<void>) => async (): Promise<void> => {
  await using house = await House.open(closed(register))
  await house.account('prince', { role: 'admin' })
  const admin = await house.actor('admin', 'prince@localhost/court')
  const romeo = await house.actor('romeo', 'romeo@localhost/orchard')
  romeo.sends`<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>`
  await romeo.hears`<iq id='r'/>`
  await romeo.comesOnline()
  await play({ romeo, admin, house })
}

async function link(who: Actor, node: string, answers: Record<string, string> = {}): Promise<{ uri: string; token: string; expire: number }> {
  const done = await runs(who, node, answers)
  const fields = Object.fromEntries(done.getChild('command', COMMANDS)!.getChild('x', 'jabber:x:data')!.getChildren('field').map(f => [f.attrs['var'], f.getChildText('value') ?? '']))
  assert.equal(fields['FORM_TYPE'], 'urn:xmpp:invite#invitation')
  return { uri: fields['uri']!, token: /preauth=([^;]+)/.exec(fields['uri']!)![1]!, expire: Date.parse(fields['expire']!) }
}

async function runs(who: Actor, node: string, answers: Record<string, string> = {}): Promise<Xml> {
  who.sends`<iq type='set' id='c' to='localhost'><command xmlns='${COMMANDS}' node='${node}'/></iq>`
  const first = await who.hears`<iq id='c'/>`
  const asked = first.getChild('command', COMMANDS)
  if (asked?.attrs['status'] !== 'executing') return first
  const fields = Object.entries(answers).map(([k, v]) => `<field var='${k}'><value>${v}</value></field>`).join('')
  who.says(`<iq type='set' id='d' to='localhost'><command xmlns='${COMMANDS}' node='${node}' sessionid='${asked.attrs['sessionid']}'><x xmlns='jabber:x:data' type='submit'>${fields}</x></command></iq>`)
  return who.hears`<iq id='d'/>`
}

/** Somebody without an account, with a stream of his own. */
async function stranger(house: House): Promise<Actor & { features: Xml }> {
  const a = new Actor('stranger', 'stranger@localhost/x')
  await a.opens(house.port)
  a.says("<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")
  return Object.assign(a, { features: await a.next() })
}
async function shows(a: Actor, token: string): Promise<string> {
  a.says(`<iq type='set' id='p' to='localhost'><preauth xmlns='urn:xmpp:pars:0' token='${token}'/></iq>`)
  return outcome(await a.next())
}
async function registers(a: Actor, name: string): Promise<string> {
  a.says(`<iq type='set' id='r' to='localhost'><query xmlns='${REGISTER}'><username>${name}</username><password>pw</password></query></iq>`)
  return outcome(await a.next())
}
const outcome = (x: Xml): string => x.getChild('error')?.getChildElements()[0]?.getName() ?? String(x.attrs['type'])

const subscriptionOf = async (who: Actor, jid: string): Promise<string | undefined> => {
  who.sends`<iq type='get' id='ros'><query xmlns='jabber:iq:roster'/></iq>`
  const roster = await who.hears`<iq type='result' id='ros'/>`
  return roster.getChild('query')!.getChildren('item').find(i => i.attrs['jid'] === jid)?.attrs['subscription']
}

describe('invitations', () => {
  it('are links of whom one invites, good for a week (XEP-0401 section 5.1)', village('nobody', async ({ romeo, house }) => {
    const { uri, token, expire } = await link(romeo, INVITE)
    assert.equal(uri, `xmpp:romeo@localhost?roster;preauth=${token}`)
    assert.ok(token.length >= 20) // 80 bit and more
    assert.ok(Math.abs(expire - house.clock.now() - 7 * DAY) < 60_000)
    assert.notEqual((await link(romeo, INVITE)).token, token)
  }))

  it('come with a page for browsers where there is one (section 5.2)', village('everyone', async ({ romeo, house }) => {
    house.host.provide(LANDING, () => 'https://chat.example/invite/')
    romeo.sends`<iq type='set' id='c' to='localhost'><command xmlns='${COMMANDS}' node='${INVITE}'/></iq>`
    assert.match(String(await romeo.hears`<iq id='c'/>`), /<value>https:\/\/chat\.example\/invite\/#romeo@localhost\?roster;preauth=\w+;ibr=y<\/value>/)
  }))

  it('make friends of two users at once: both are asked nothing (XEP-0379)', village('nobody', async ({ romeo, house }) => {
    const juliet = await house.actor('juliet', 'juliet@localhost/balcony')
    await juliet.comesOnline()
    const { token } = await link(romeo, INVITE)
    juliet.sends`<presence to='romeo@localhost' type='subscribed'/>`
    juliet.sends`<presence to='romeo@localhost' type='subscribe'><preauth xmlns='urn:xmpp:pars:0' token='${token}'/></presence>`
    await juliet.hears`<presence from='romeo@localhost/orchard'/>`
    await romeo.hears`<presence from='juliet@localhost/balcony'/>`
    assert.deepEqual([await subscriptionOf(juliet, 'romeo@localhost'), await subscriptionOf(romeo, 'juliet@localhost')], ['both', 'both'])
  }))

  it('work once, in time, and for whom they were given: then one is asked as ever', village('nobody', async ({ romeo, admin, house }) => {
    const used = await link(romeo, INVITE)
    const early = await link(romeo, INVITE)
    const foreign = await link(admin, INVITE)
    const one = await house.actor('one', 'one@localhost/x')
    one.sends`<presence to='romeo@localhost' type='subscribe'><preauth xmlns='urn:xmpp:pars:0' token='${used.token}'/></presence>`
    await romeo.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='one@localhost' subscription='from'/></query></iq>`
    await house.clock.advance(8 * DAY)
    const two = await house.actor('two', 'two@localhost/x')
    for (const token of [used.token, early.token, foreign.token, 'guessed', '']) {
      two.sends`<presence to='romeo@localhost' type='subscribe'><preauth xmlns='urn:xmpp:pars:0' token='${token}'/></presence>`
      await two.fence()
    }
    await romeo.hears`<presence from='two@localhost' type='subscribe'/>`
    assert.equal(await subscriptionOf(romeo, 'two@localhost'), undefined)
  }))

  it('let a stranger make an account, and he and his friend see each other (XEP-0445)', village('everyone', async ({ romeo, house }) => {
    const { uri, token } = await link(romeo, INVITE)
    assert.match(uri, /;ibr=y$/)
    const a = await stranger(house)
    assert.ok(a.features.getChild('register', 'urn:xmpp:ibr-token:0'))
    assert.equal(await shows(a, token), 'result')
    assert.equal(await registers(a, 'juliet'), 'result')
    await romeo.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='juliet@localhost' subscription='both'/></query></iq>`
    a.leaves()
    const juliet = new Actor('juliet', 'juliet@localhost/balcony')
    await juliet.connects(house.port)
    assert.equal(await subscriptionOf(juliet, 'romeo@localhost'), 'both')
    juliet.says('<presence/>')
    await romeo.hears`<presence from='juliet@localhost/balcony'/>`
    juliet.leaves()
  }))

  it('SEC-T33 without one nobody makes an account; with one, only one', village('everyone', async ({ romeo, house }) => {
    const a = await stranger(house)
    assert.equal(await registers(a, 'mallory'), 'not-allowed')
    assert.equal(await shows(a, 'guessed'), 'item-not-found')
    assert.equal(await registers(a, 'mallory'), 'not-allowed')
    const { token } = await link(romeo, INVITE)
    const b = await stranger(house)
    assert.equal(await shows(a, token), 'result')
    assert.equal(await shows(b, token), 'result')
    assert.equal(await registers(a, 'juliet'), 'result')
    assert.equal(await registers(b, 'mallory'), 'item-not-found')
    assert.equal(await shows(b, token), 'item-not-found')
    a.leaves(); b.leaves()
  }))

  it('SEC-T34 fifty who come with one at the same time make one account; used, over, or on another host it is worth nothing', async () => {
    const free = { rate: Infinity, burst: Infinity }
    await using house = await House.open({ ...closed('everyone'), limits: { connections: { perAddress: Infinity, unauthenticatedPerAddress: Infinity, unauthenticated: Infinity, newPerAddress: free }, account: { ...defaultLimits.account, registrations: Infinity } } })
    const romeo = await house.actor('romeo', 'romeo@localhost/orchard')
    const [one, two] = [await link(romeo, INVITE), await link(romeo, INVITE)]
    const crowd = await Promise.all(Array.from({ length: 50 }, () => stranger(house)))
    assert.deepEqual(new Set(await Promise.all(crowd.map(a => shows(a, one.token)))), new Set(['result']))
    const outcomes = await Promise.all(crowd.map((a, i) => registers(a, i % 2 ? 'juliet' : `user${i}`)))
    assert.deepEqual(outcomes.toSorted().slice(-1), ['result'])
    assert.equal(outcomes.filter(o => o === 'result').length, 1)
    for (const o of outcomes) assert.ok(['result', 'item-not-found', 'conflict'].includes(o), o)
    assert.equal((await house.stores.accounts.list('localhost', { limit: 100 })).length, 2)
    assert.equal(await shows(crowd[0]!, one.token), 'item-not-found')
    for (const a of crowd) a.leaves()

    const { router, clock, limits, stores } = house
    const elsewhere = await new Host('other.localhost', { router, stores, clock, network: house.clients.network, log: silent, limits }).use(plugins, { invites: { register: 'everyone' }, register: { open: false } })
    ;(house.clients.hosts as Map<string, Host>).set('other.localhost', elsewhere) // the harness made one
    const b = new Actor('b', 'b@other.localhost/x')
    await b.opens(house.port)
    b.says("<?xml version='1.0'?><stream:stream to='other.localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")
    await b.next()
    b.says(`<iq type='set' id='p' to='other.localhost'><preauth xmlns='urn:xmpp:pars:0' token='${two.token}'/></iq>`)
    assert.equal(outcome(await b.next()), 'item-not-found')
    await house.clock.advance(8 * DAY)
    const late = await stranger(house)
    assert.equal(await shows(late, two.token), 'item-not-found')
    assert.equal(await registers(late, 'late'), 'not-allowed')
    for (const a of [b, late]) a.leaves()
  })

  it('SEC-T34 where the account cannot be written the invitation is good yet', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    let full = true
    const create: typeof stores.accounts.create = record => record.local === 'juliet' && full ? Promise.reject(new StoreError('the disk is full')) : stores.accounts.create(record)
    await using house = await House.open({ ...closed('everyone'), stores: Object.create(stores, { accounts: { value: Object.create(stores.accounts, { create: { value: create } }) } }) as typeof stores })
    const romeo = await house.actor('romeo', 'romeo@localhost/orchard')
    const { token } = await link(romeo, INVITE)
    const a = await stranger(house)
    assert.equal(await shows(a, token), 'result')
    a.says(`<iq type='set' id='r' to='localhost'><query xmlns='${REGISTER}'><username>juliet</username><password>pw</password></query></iq>`)
    assert.match(String(await a.next()), /internal-server-error/)
    assert.equal(await house.stores.accounts.find('localhost', 'juliet'), undefined)
    full = false
    const b = await stranger(house)
    assert.equal(await shows(b, token), 'result')
    assert.equal(await registers(b, 'juliet'), 'result')
    for (const x of [a, b]) x.leaves()
  })

  it('a name that is taken does not use up the invitation; nor does time that runs out on the way', village('everyone', async ({ romeo, house }) => {
    const { token } = await link(romeo, INVITE)
    const a = await stranger(house)
    assert.equal(await shows(a, token), 'result')
    assert.equal(await registers(a, 'romeo'), 'conflict')
    await house.clock.advance(8 * DAY)
    assert.equal(await registers(a, 'juliet'), 'result')
    a.leaves()
  }))

  it('of admins are for a name that nobody else gets (XEP-0401 section 5.4)', village('admins', async ({ romeo, admin, house }) => {
    const { uri, token } = await link(admin, CREATE, { username: 'Juliet' })
    assert.equal(uri, `xmpp:juliet@localhost?register;preauth=${token}`)
    assert.equal(outcome(await runs(admin, CREATE, { username: 'juliet' })), 'conflict')
    assert.equal(outcome(await runs(admin, CREATE, { username: 'romeo' })), 'conflict')
    assert.equal(outcome(await runs(admin, CREATE, { username: 'straße' })), 'not-acceptable') // RFC-J6
    assert.equal(outcome(await runs(romeo, CREATE)), 'forbidden')
    assert.doesNotMatch((await link(romeo, INVITE)).uri, /ibr/)

    const other = await link(admin, CREATE)
    assert.equal(other.uri, `xmpp:localhost?register;preauth=${other.token}`)
    const a = await stranger(house)
    await shows(a, other.token)
    assert.equal(await registers(a, 'juliet'), 'conflict')
    const b = await stranger(house)
    await shows(b, token)
    assert.equal(await registers(b, 'tybalt'), 'not-acceptable')
    assert.equal(await registers(b, 'juliet'), 'result')
    a.leaves(); b.leaves()
  }))

  it('are offered to users among the commands, and not without end', village('nobody', async ({ romeo }) => {
    romeo.sends`<iq type='get' id='i' to='localhost'><query xmlns='http://jabber.org/protocol/disco#items' node='${COMMANDS}'/></iq>`
    const nodes = (await romeo.hears`<iq id='i'/>`).getChild('query')!.getChildren('item').map(i => i.attrs['node'])
    assert.deepEqual([nodes.includes(INVITE), nodes.includes(CREATE)], [true, false])
    for (let i = 0; i < 20; i++) await link(romeo, INVITE)
    romeo.sends`<iq type='set' id='c' to='localhost'><command xmlns='${COMMANDS}' node='${INVITE}'/></iq>`
    await romeo.hears`<iq type='error' id='c'><error type='wait'><resource-constraint xmlns='${STANZAS}'/></error></iq>`
  }))
})
