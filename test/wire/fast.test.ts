// Tokens instead of passwords (XEP-0484): what they are good for, once, for whom and for how long.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { accountChanged } from '../../server/host/keeping.ts'
import { Jid } from '../../server/stanza/jid.ts'
import { makeCredentials } from '../../server/stream/sasl/credentials.ts'
import type { AccountRecord } from '../../server/ports/store.ts'
import type { House } from '../harness/scene.ts'
import { agent, authenticate, bind, FAST, hashed, identifier, inHouse, LAPTOP, login, PHONE, SASL, SASL2, tokenOf, type Client } from './sasl2-client.ts'

const DAY = 86_400_000
const NONE = 'HT-SHA-256-NONE'
type Door = (more?: { from?: string; tls?: object }) => Promise<Client>

const asks = (mechanism = NONE): string => `<request-token xmlns='${FAST}' mechanism='${mechanism}'/>`
const fast = (attrs = ''): string => `<fast xmlns='${FAST}' ${attrs}/>`

/** Logs in with the password and asks for a token. */
async function token(door: Door, mechanism = NONE, id = PHONE): Promise<string> {
  const c = await door()
  c.says(login(agent(id), bind(), asks(mechanism)))
  const success = await c.succeeds()
  c.leaves()
  return tokenOf(success)!
}

/** Logs in with a token; gives the answer. */
async function comes(door: Door, secret: string, { mechanism = NONE, id = PHONE, attrs = '', more = '', user = 'romeo' } = {}): Promise<Awaited<ReturnType<Client['next']>>> {
  const c = await door()
  const channel = mechanism.endsWith('EXPR') ? c.exporter : mechanism.endsWith('ENDP') ? createHash('sha256').update(c.socket.getPeerX509Certificate()!.raw).digest() : undefined
  c.says(authenticate(mechanism, hashed(user, secret, channel), agent(id), bind(), fast(attrs), more))
  const answer = await c.next()
  if (answer.name === 'success') assert.equal(answer.getChildText('additional-data'), hashed(user, secret, channel, 'Responder'))
  c.leaves()
  return answer
}

const condition = (x: Awaited<ReturnType<typeof comes>>): string => x.name === 'success' ? 'success' : (x.getChildElements()[0]?.name ?? '')

async function changes(house: House, change: (r: AccountRecord) => AccountRecord, what: 'password' | 'disabled' | 'role'): Promise<void> {
  const record = change((await house.stores.accounts.find('localhost', 'romeo'))!)
  await house.stores.accounts.update(record)
  accountChanged(house.host, Jid.parse('romeo@localhost'), record, what)
}

describe('a token (XEP-0484)', () => {
  it('SEC-T24 is offered inline with a mechanism for every channel binding and one without, and not for early data', inHouse(async (_, door) => {
    const offered = (await door()).features.getChild('authentication', SASL2)!.getChild('inline')!.getChild('fast', FAST)!
    assert.deepEqual(offered.getChildren('mechanism').map(m => m.getText()), ['HT-SHA-256-EXPR', 'HT-SHA-256-ENDP', NONE])
    assert.equal(offered.attrs['tls-0rtt'], undefined)
    const old = (await door({ tls: { maxVersion: 'TLSv1.2' } })).features.getChild('authentication', SASL2)!.getChild('inline')!.getChild('fast', FAST)!
    assert.deepEqual(old.getChildren('mechanism').map(m => m.getText()), ['HT-SHA-256-ENDP', NONE])
  }))

  for (const mechanism of ['HT-SHA-256-EXPR', 'HT-SHA-256-ENDP', NONE]) {
    it(`logs in with ${mechanism} in one step, both sides proved, the session with it`, inHouse(async (house, door) => {
      const secret = await token(door, mechanism)
      const success = await comes(door, secret, { mechanism })
      assert.equal(success.name, 'success')
      assert.match(identifier(success), /^romeo@localhost\/./)
      assert.equal(tokenOf(success), undefined)
      assert.ok(house)
    }))
  }

  it('has 128 bits at least, lasts three weeks, and is another for each login', inHouse(async (house, door) => {
    const c = await door()
    c.says(login(agent(PHONE), asks()))
    const given = (await c.succeeds()).getChild('token', FAST)!
    const left = Date.parse(given.attrs['expiry'] as string) - house.clock.now()
    assert.ok(left <= 21 * DAY && left > 20 * DAY)
    assert.ok((given.attrs['token'] as string).length >= 27)
    assert.notEqual(await token(door), given.attrs['token'])
  }))

  it('is not given to a client without an id, nor for a mechanism that is none', inHouse(async (_, door) => {
    for (const more of [[asks()], [agent(PHONE), asks('PLAIN')], [agent(PHONE)]]) {
      const c = await door()
      c.says(login(...more))
      assert.equal(tokenOf(await c.succeeds()), undefined)
    }
    const c = await door()
    c.says(authenticate(NONE, hashed('romeo', 'x'), fast()))
    await c.failsWith('malformed-request')
    c.says(authenticate(NONE, hashed('romeo', 'x'), agent(PHONE)))
    await c.failsWith('invalid-mechanism')
  }))

  it('SEC-T24 of another client, user, mechanism or channel is worth nothing', inHouse(async (house, door) => {
    const secret = await token(door)
    const bound = await token(door, 'HT-SHA-256-EXPR', LAPTOP)
    assert.equal(condition(await comes(door, secret, { id: LAPTOP })), 'not-authorized')
    assert.equal(condition(await comes(door, secret, { user: 'juliet' })), 'not-authorized')
    assert.equal(condition(await comes(door, secret, { user: 'nobody' })), 'not-authorized')
    assert.equal(condition(await comes(door, secret, { mechanism: 'HT-SHA-256-EXPR' })), 'not-authorized')
    assert.equal(condition(await comes(door, bound, { id: LAPTOP })), 'not-authorized') // no way down to NONE
    assert.equal(condition(await comes(door, `${secret}x`)), 'not-authorized')
    const c = await door()
    c.says(authenticate('HT-SHA-256-EXPR', hashed('romeo', bound, Buffer.alloc(32)), agent(LAPTOP), fast()))
    await c.failsWith('not-authorized')
    const d = await door({ from: 'juliet@localhost' })
    d.says(authenticate(NONE, hashed('romeo', secret), agent(PHONE), fast()))
    await d.failsWith('not-authorized')
    assert.equal(condition(await comes(door, secret)), 'success')
    assert.ok(house)
  }))

  it('SEC-T24 a message that is replayed is refused by its count, also where two come at once', inHouse(async (_, door) => {
    const secret = await token(door)
    assert.equal(condition(await comes(door, secret, { attrs: "count='1'" })), 'success')
    for (const count of ["count='1'", "count='0'"]) assert.equal(condition(await comes(door, secret, { attrs: count })), 'not-authorized')
    assert.equal(condition(await comes(door, secret, { attrs: "count='-2'" })), 'malformed-request')
    const both = await Promise.all([1, 2].map(() => comes(door, secret, { attrs: "count='2'" })))
    assert.deepEqual(both.map(condition).sort(), ['not-authorized', 'success'])
  }))

  it('SEC-T24 whose time is over is told as expired, and a password still lets in', inHouse(async (house, door) => {
    const secret = await token(door)
    await house.clock.advance(21 * DAY + 1)
    assert.equal(condition(await comes(door, secret)), 'credentials-expired')
    assert.ok(await token(door))
  }))

  it('is replaced when it is a day old; the old one works until the new one is used', inHouse(async (house, door) => {
    const old = await token(door)
    assert.equal(condition(await comes(door, old)), 'success')
    await house.clock.advance(DAY)
    const fresh = tokenOf(await comes(door, old))!
    assert.ok(fresh && fresh !== old)
    assert.equal(condition(await comes(door, old)), 'success') // the client never heard of the new one
    const newer = tokenOf(await comes(door, old))!
    assert.equal(condition(await comes(door, fresh)), 'not-authorized') // given, never used, and replaced
    assert.equal(condition(await comes(door, newer)), 'success')
    assert.equal(condition(await comes(door, old)), 'not-authorized')
  }))

  it('is worth nothing any more when its client says so, and no new one comes unless it is asked for', inHouse(async (house, door) => {
    const secret = await token(door)
    await house.clock.advance(2 * DAY)
    const last = await comes(door, secret, { attrs: "invalidate='true'" })
    assert.equal(condition(last), 'success')
    assert.equal(tokenOf(last), undefined)
    assert.equal(condition(await comes(door, secret)), 'not-authorized')
    const again = await token(door)
    assert.ok(tokenOf(await comes(door, again, { attrs: "invalidate='1'", more: asks() })))
  }))

  it('SEC-T22 is worth nothing after a new password, another role, and while and after the account is disabled', inHouse(async (house, door) => {
    const first = await token(door)
    await changes(house, r => ({ ...r, role: 'agent' }), 'role')
    assert.equal(condition(await comes(door, first)), 'credentials-expired')
    const second = await token(door)
    const credentials = await makeCredentials('pw', { iterations: 4096 })
    await changes(house, r => ({ ...r, credentials }), 'password')
    assert.notEqual(condition(await comes(door, second)), 'success')
    const third = await token(door)
    await changes(house, r => ({ ...r, disabled: true }), 'disabled')
    assert.notEqual(condition(await comes(door, third)), 'success')
    await changes(house, r => ({ ...r, disabled: false }), 'role')
    assert.notEqual(condition(await comes(door, third)), 'success')
  }))

  it('fills the store with no more than a few of one account, however many clients it says it is', inHouse(async (house, door) => {
    for (let i = 0; i < 30; i++) await token(door, NONE, `0000000${i % 10}-0000-4000-8000-0000000000${10 + i}`)
    assert.equal((await house.stores.documents.range('fast', 'romeo@localhost', { limit: 100 })).length, 25)
  }))

  it('SEC-T20 guesses count as failed logins', inHouse(async (_, door) => {
    const c = await door()
    for (let i = 0; i < 5; i++) {
      c.says(authenticate(NONE, hashed('romeo', `guess ${i}`), agent(PHONE), fast()))
      assert.ok((await c.next()).getChild('not-authorized', SASL))
    }
    await c.ends('policy-violation')
  }))
})
