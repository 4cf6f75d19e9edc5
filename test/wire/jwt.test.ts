// Logins by tokens of an issuer: OAUTHBEARER (RFC 7628), and a token in a password's place; an issuer on this machine stands for it.
import assert from 'node:assert/strict'
import { createHmac, createSign, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tokenKeeper } from '../../app/tokens.ts'
import { askOutside } from '../../server/host/enrolment.ts'
import type { TestClock } from '../../server/ports/clock.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import { MovedClock } from '../harness/clock.ts'
import type { SceneOptions } from '../harness/scene.ts'
import { agent, authenticate, bind, FAST, identifier, inHouse, plain, SASL, SASL2 } from './sasl2-client.ts'

type House = Parameters<Parameters<typeof inHouse>[0]>[0]
type Door = Parameters<Parameters<typeof inHouse>[0]>[1]
type Claims = Readonly<Record<string, unknown>>

const b64 = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const rsa = (): { publicKey: KeyObject; privateKey: KeyObject } => generateKeyPairSync('rsa', { modulusLength: 2048 })

/** Signs by hand, so that what no library makes can be made. */
function sign(head: Claims, claims: Claims, key: KeyObject | string): string {
  const body = `${b64(head)}.${b64(claims)}`
  return `${body}.${typeof key === 'string' ? createHmac('sha256', key).update(body).digest('base64url') : createSign('sha256').update(body).sign(key, 'base64url')}`
}

class Issuer implements AsyncDisposable {
  readonly #server: Server
  readonly keys = new Map<string, { publicKey: KeyObject; privateKey: KeyObject }>()
  /** What was asked for, in order. */
  readonly asked: string[] = []
  /** Answers with something else. */
  odd: ((path: string) => { status?: number; body: unknown } | undefined) | undefined
  private constructor(server: Server) { this.#server = server }

  static async open(): Promise<Issuer> {
    const server = createServer((request, response) => {
      const path = request.url ?? ''
      issuer.asked.push(path)
      const given = issuer.odd?.(path) ?? { body: path === '/.well-known/openid-configuration' ? { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` } : path === '/keys' ? issuer.set : undefined }
      response.writeHead(given.status ?? (given.body === undefined ? 404 : 200), { 'content-type': 'application/json' }).end(JSON.stringify(given.body ?? {}))
    })
    const issuer = new Issuer(server)
    await new Promise<void>(ok => { server.listen(0, '127.0.0.1', ok) })
    issuer.keys.set('one', rsa())
    return issuer
  }

  get url(): string { return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` }
  get set(): object { return { keys: [...this.keys].map(([kid, k]) => ({ ...k.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' })) } }

  /** A good token for anna, but for what is said. */
  token(more: Claims = {}, head: Claims = {}, kid = 'one'): string {
    const now = Math.floor(Date.now() / 1000)
    return sign({ alg: 'RS256', kid, ...head }, { iss: this.url, aud: 'chat', sub: 'anna', exp: now + 300, iat: now, ...more }, this.keys.get(kid)!.privateKey)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(ok => this.#server.close(ok))
  }
}

const patient: SceneOptions = { limits: { authFailures: { ...defaultLimits.authFailures, perStream: 100, tarpit: Infinity, ban: Infinity } } }

/** A house that takes tokens of an issuer for the audience chat. */
const withIssuer = (play: (issuer: Issuer, house: House, door: Door, network: TestClock) => Promise<void>, options: object = {}) => async (): Promise<void> => {
  await using issuer = await Issuer.open()
  const network = new MovedClock()
  await inHouse((house, door) => play(issuer, house, door, network), { ...patient, network, pluginOptions: { jwt: { issuer: issuer.url, audience: 'chat', ...options } } })()
}

const bearer = (token: string, authzid = ''): string => btoa(`n,${authzid && `a=${authzid}`},\x01auth=Bearer ${token}\x01\x01`)

/** Logs in by OAUTHBEARER; who it was, or what was said. */
async function comes(door: Door, token: string, authzid = ''): Promise<string> {
  const c = await door({ from: '' })
  c.says(authenticate('OAUTHBEARER', bearer(token, authzid), agent(randomUUID()), bind(), `<request-token xmlns='${FAST}' mechanism='HT-SHA-256-NONE'/>`))
  let answer = await c.next()
  if (answer.name === 'challenge') {
    assert.deepEqual(JSON.parse(atob(answer.getText())), { status: 'invalid_token' })
    c.says(`<response xmlns='${SASL2}'>${btoa('\x01')}</response>`)
    answer = await c.next()
  }
  c.leaves()
  return answer.name === 'success' ? identifier(answer).split('/')[0]! : answer.getChildElements()[0]!.name
}

/** The same in a password's place, the old way. */
async function comesByPlain(door: Door, local: string, token: string): Promise<string> {
  const c = await door({ from: '' })
  c.says(`<auth xmlns='${SASL}' mechanism='PLAIN'>${plain(local, token)}</auth>`)
  const answer = await c.next()
  c.leaves()
  return answer.name === 'success' ? 'success' : answer.getChildElements()[0]!.name
}

describe('a token of an issuer', () => {
  it('logs in, and makes the account with name and role; no token of ours stands in for it', withIssuer(async (issuer, house, door) => {
    const c = await door()
    for (const ns of [SASL, SASL2]) assert.deepEqual(c.mechanisms(ns).slice(-2), ['OAUTHBEARER', 'PLAIN'])
    assert.equal(await comes(door, issuer.token({ name: 'Anna Smith', groups: ['staff', 'helpdesk'] })), 'anna@localhost')
    const anna = await house.stores.accounts.find('localhost', 'anna')
    assert.deepEqual([anna?.name, anna?.role, anna?.credentials, anna?.authority], ['Anna Smith', 'agent', {}, 'jwt'])
    assert.equal((await house.stores.documents.range('fast', 'anna@localhost', { limit: 5 })).length, 0)
    assert.equal(await comes(door, issuer.token({ groups: [] })), 'anna@localhost')
    assert.equal((await house.stores.accounts.find('localhost', 'anna'))?.role, undefined)
    assert.deepEqual(issuer.asked, ['/.well-known/openid-configuration', '/keys'])
    assert.equal(await comesByPlain(door, 'romeo', 'pw'), 'success') // passwords of the store's go on
  }, { name: 'name', roles: { agent: 'helpdesk' } }))

  it('SEC-T13 OAUTHBEARER is there over TLS alone', withIssuer(async (issuer, house) => {
    const { Actor } = await import('../harness/scene.ts')
    const a = new Actor('a', 'anna@localhost/x')
    await a.opens(house.port)
    a.says("<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")
    assert.ok(!String(await a.next()).includes('OAUTHBEARER'))
    a.says(`<auth xmlns='${SASL}' mechanism='OAUTHBEARER'>${bearer(issuer.token())}</auth>`)
    await a.receives`<failure xmlns='${SASL}'><invalid-mechanism/></failure>`
    a.leaves()
  }))

  it('SEC-K24 of somebody else, for somebody else, over, not yet or without end lets nobody in', withIssuer(async (issuer, house, door) => {
    const now = Math.floor(Date.now() / 1000)
    const bad: Record<string, Claims> = {
      iss: { iss: 'https://evil.example' }, 'no iss': { iss: undefined }, aud: { aud: 'mail' }, 'no aud': { aud: undefined }, exp: { exp: now - 90 }, 'no exp': { exp: undefined }, 'exp no number': { exp: 'never' },
      nbf: { nbf: now + 90 }, 'no sub': { sub: undefined }, 'sub no text': { sub: { $ne: '' } }, 'sub no name': { sub: 'a b' }, 'sub empty': { sub: '' }, 'another host': { sub: 'anna@evil.example' }, 'an odd name': { sub: 'straße' },
    }
    for (const [what, claims] of Object.entries(bad)) assert.equal(await comes(door, issuer.token(claims)), 'not-authorized', what)
    assert.deepEqual((await house.stores.accounts.list('localhost', { limit: 10 })).map(r => r.local), ['juliet', 'romeo'])
    for (const claims of [{ exp: now - 30 }, { nbf: now + 30 }, { aud: ['mail', 'chat'] }, { sub: 'anna@localhost' }, { sub: 'Anna' }]) assert.equal(await comes(door, issuer.token(claims)), 'anna@localhost', JSON.stringify(claims))
  }))

  it('is signed by one of its issuer’s keys and by no other means (RFC 8725)', withIssuer(async (issuer, _, door) => {
    const [head, claims, signature] = issuer.token().split('.') as [string, string, string]
    const good = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Claims
    const { publicKey } = issuer.keys.get('one')!
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string
    const stranger = rsa()
    const bad: Record<string, string> = {
      none: `${b64({ alg: 'none' })}.${claims}.`, 'none with a signature': `${b64({ alg: 'none', kid: 'one' })}.${claims}.${signature}`, 'None': `${b64({ alg: 'None' })}.${claims}.`,
      'the public key as a secret': sign({ alg: 'HS256', kid: 'one' }, good, pem), 'the modulus as a secret': sign({ alg: 'HS256', kid: 'one' }, good, String(publicKey.export({ format: 'jwk' }).n)), 'no secret': sign({ alg: 'HS256' }, good, ''),
      'another key': sign({ alg: 'RS256', kid: 'one' }, good, stranger.privateKey), 'a key that it brings along': sign({ alg: 'RS256', jwk: stranger.publicKey.export({ format: 'jwk' }) }, good, stranger.privateKey),
      'an address of its own': sign({ alg: 'RS256', kid: 'one', jku: 'http://127.0.0.1:1/keys' }, good, stranger.privateKey),
      'other claims': `${head}.${b64({ ...good, sub: 'romeo' })}.${signature}`, 'no signature': `${head}.${claims}.`, 'a part less': `${head}.${claims}`, 'unknown crit': sign({ alg: 'RS256', kid: 'one', crit: ['x'], x: 1 }, good, issuer.keys.get('one')!.privateKey),
    }
    for (const [what, token] of Object.entries(bad)) assert.equal(await comes(door, token), 'not-authorized', what)
    assert.equal(await comes(door, `${head}.${claims}.${signature}`), 'anna@localhost')
  }))

  it('need not name its key: the first eight that fit are tried, and no other means', withIssuer(async (issuer, _, door) => {
    for (const kid of ['two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']) issuer.keys.set(kid, rsa())
    const nameless = { kid: undefined }
    for (const [kid, who] of [['one', 'anna@localhost'], ['two', 'anna@localhost'], ['eight', 'anna@localhost'], ['nine', 'not-authorized']] as const) assert.equal(await comes(door, issuer.token({}, nameless, kid)), who, kid)
    assert.equal(await comes(door, issuer.token({}, {}, 'nine')), 'anna@localhost')
    assert.equal(await comesByPlain(door, 'anna', issuer.token({ exp: 1 }, nameless, 'two')), 'credentials-expired')
    const claims = { iss: issuer.url, aud: 'chat', sub: 'anna', exp: Math.floor(Date.now() / 1000) + 300 }
    const pem = issuer.keys.get('two')!.publicKey.export({ type: 'spki', format: 'pem' }) as string
    for (const [what, token] of [['none', `${b64({ alg: 'none' })}.${b64(claims)}.`], ['the public key as a secret', sign({ alg: 'HS256' }, claims, pem)], ['a stranger’s', sign({ alg: 'RS256' }, claims, rsa().privateKey)], ['another algorithm', issuer.token({}, { alg: 'ES256', ...nameless }, 'two')], ['another audience', issuer.token({ aud: 'mail' }, nameless, 'two')]] as const) assert.equal(await comes(door, token), 'not-authorized', what)
  }))

  it('a shared secret among the public keys is none', withIssuer(async (issuer, _, door) => {
    const k = Buffer.alloc(32, 1)
    issuer.odd = path => path === '/keys' ? { body: { keys: [{ kty: 'oct', kid: 'one', k: k.toString('base64url') }] } } : undefined
    const body = issuer.token().split('.')[1]!
    const head = b64({ alg: 'HS256', kid: 'one' })
    assert.equal(await comes(door, `${head}.${body}.${createHmac('sha256', k).update(`${head}.${body}`).digest('base64url')}`), 'not-authorized')
  }))

  it('a new key is found when it is used first, an old one forgotten, and nobody can make us ask all the time', withIssuer(async (issuer, _, door, network) => {
    assert.equal(await comes(door, issuer.token()), 'anna@localhost')
    const stale = issuer.token()
    issuer.keys.set('two', rsa())
    issuer.keys.delete('one')
    const asked = issuer.asked.length
    assert.equal(await comes(door, issuer.token({}, {}, 'two')), 'not-authorized') // just asked
    assert.equal(issuer.asked.length, asked)
    await network.advance(30_000)
    assert.equal(await comes(door, issuer.token({}, {}, 'two')), 'anna@localhost')
    assert.equal(await comes(door, stale), 'not-authorized')
    const { length } = issuer.asked
    for (const kid of ['a', 'b', 'c']) assert.equal(await comes(door, issuer.token({}, { kid }, 'two')), 'not-authorized')
    assert.equal(issuer.asked.length, length)
  }))

  it('an issuer that cannot be asked is said as what it is; keys that we have serve on', withIssuer(async (issuer, _, door, network) => {
    issuer.odd = () => ({ status: 503, body: {} })
    assert.equal(await comes(door, issuer.token()), 'temporary-auth-failure')
    issuer.odd = path => path === '/keys' ? undefined : { body: { issuer: 'https://evil.example', jwks_uri: `${issuer.url}/keys` } }
    assert.equal(await comes(door, issuer.token()), 'temporary-auth-failure')
    issuer.odd = path => path === '/keys' ? undefined : { body: { issuer: issuer.url, jwks_uri: 'http://keys.example/keys' } }
    assert.equal(await comes(door, issuer.token()), 'temporary-auth-failure')
    issuer.odd = path => path === '/keys' ? { body: { keys: 'none' } } : undefined
    assert.equal(await comes(door, issuer.token()), 'temporary-auth-failure')
    issuer.odd = undefined
    assert.equal(await comes(door, issuer.token()), 'anna@localhost')
    issuer.odd = () => ({ status: 503, body: {} })
    await network.advance(3_600_000)
    assert.equal(await comes(door, issuer.token()), 'anna@localhost')
  }))

  it('SEC-T14 RFC-A6 acts for nobody else', withIssuer(async (issuer, _, door) => {
    assert.equal(await comes(door, issuer.token(), 'anna@localhost'), 'anna@localhost')
    for (const authzid of ['romeo@localhost', 'anna', 'anna@localhost/x', 'anna@evil.example']) assert.equal(await comes(door, issuer.token(), authzid), 'invalid-authzid', authzid)
  }))

  it('stands in a password’s place, for its owner alone', withIssuer(async (issuer, _, door) => {
    assert.equal(await comesByPlain(door, 'anna', issuer.token()), 'success')
    assert.equal(await comesByPlain(door, 'romeo', issuer.token()), 'not-authorized')
    assert.equal(await comesByPlain(door, 'anna', issuer.token({ exp: 1 })), 'credentials-expired')
    assert.equal(await comesByPlain(door, 'anna', ''), 'malformed-request')
  }))

  it('signs in to REST, as a password does', withIssuer(async (issuer, house) => {
    const keeper = tokenKeeper(house.stores, 'localhost', house.clock, 4096, () => {}, (local, password) => askOutside(house.host, local, password))
    const who = async (jid: string, password: string): Promise<string | undefined> => { const found = await keeper.signIn(jid, password); return typeof found === 'object' ? found.jid : found }
    issuer.odd = () => ({ status: 503, body: {} })
    assert.equal(await who('anna@localhost', issuer.token()), 'unavailable')
    issuer.odd = undefined
    assert.equal(await who('anna@localhost', issuer.token()), 'anna@localhost')
    assert.equal(await who('romeo@localhost', issuer.token()), undefined)
    assert.equal(await who('anna@localhost', issuer.token({ aud: 'mail' })), undefined)
    assert.equal(await who('romeo@localhost', 'pw'), 'romeo@localhost')
    assert.equal(await who('romeo@localhost', 'wrong'), undefined)
  }))

  it('and does not where that is turned off', withIssuer(async (issuer, _, door) => {
    assert.equal(await comesByPlain(door, 'anna', issuer.token()), 'not-authorized')
    assert.equal(await comes(door, issuer.token()), 'anna@localhost')
  }, { password: false }))

  it('SEC-T22 lets nobody stay for ever: a session that only a token began ends in a day', withIssuer(async (issuer, house, door) => {
    const HOUR = 3_600_000
    const c = await door({ from: '' }), romeo = await door({ from: '' })
    c.says(authenticate('OAUTHBEARER', bearer(issuer.token()), bind()))
    await c.succeeds(); await c.next()
    romeo.says(authenticate('PLAIN', plain('romeo'), bind()))
    await romeo.succeeds(); await romeo.next()
    await house.clock.advance(23 * HOUR)
    await c.fence()
    await house.clock.advance(2 * HOUR)
    await c.ends('not-authorized')
    await romeo.fence() // his password is kept here
    assert.equal(await comes(door, issuer.token({ exp: Math.floor(house.clock.now() / 1000) + 300 })), 'anna@localhost')
  }))

  it('and for as long as they like where the config says so', withIssuer(async (issuer, house, door) => {
    const c = await door({ from: '' })
    c.says(authenticate('OAUTHBEARER', bearer(issuer.token()), bind()))
    await c.succeeds(); await c.next()
    await house.clock.advance(72 * 3_600_000)
    await c.fence()
  }, { session: Infinity }))

  it('of one whose account is disabled, removed or not there where none is made, lets nobody in', withIssuer(async (issuer, house, door) => {
    assert.equal(await comes(door, issuer.token()), 'not-authorized')
    await house.account('anna')
    assert.equal(await comes(door, issuer.token()), 'anna@localhost')
    await house.stores.accounts.update({ ...(await house.stores.accounts.find('localhost', 'romeo'))!, disabled: true })
    assert.equal(await comes(door, issuer.token({ sub: 'romeo' })), 'account-disabled')
  }, { create: false }))

  it('whoever removed the account that it made does not get it again by logging in', withIssuer(async (issuer, house, door) => {
    const c = await door({ from: '' })
    c.says(authenticate('OAUTHBEARER', bearer(issuer.token()), bind()))
    await c.succeeds(); await c.next()
    c.says("<iq type='set' id='r'><query xmlns='jabber:iq:register'><remove/></query></iq>")
    await c.receives`<iq type='result' id='r'/>`
    await c.isCutOff()
    assert.equal(await comes(door, issuer.token()), 'not-authorized')
    assert.equal(await house.stores.accounts.find('localhost', 'anna'), undefined)
  }))

  it('SEC-T15 what breaks the grammar of RFC 7628 is malformed; an empty question is answered', withIssuer(async (issuer, _, door) => {
    const c = await door({ from: '' })
    const token = issuer.token()
    for (const said of ['', 'n,,', `n,,\x01auth=Bearer ${token}\x01`, `p=tls-exporter,,\x01auth=Bearer ${token}\x01\x01`, `n,,auth=Bearer ${token}\x01\x01`, `n,,\x01auth=Basic ${token}\x01\x01`, `n,,\x01\x01`, `n,,\x01auth=Bearer ${token}\x01auth=Bearer ${token}\x01\x01`, `n,a=x=41,\x01auth=Bearer ${token}\x01\x01`, '\xff']) {
      c.says(authenticate('OAUTHBEARER', said === '' ? '=' : btoa(said)))
      const answer = await c.next()
      assert.ok(['malformed-request', 'incorrect-encoding'].includes(answer.getChildElements()[0]?.name ?? ''), `${JSON.stringify(said)}: ${String(answer)}`)
    }
    c.says(authenticate('OAUTHBEARER', btoa('n,,\x01auth=\x01\x01')))
    assert.equal(JSON.parse(atob((await c.receives`<challenge xmlns='${SASL2}'/>`).getText())).status, 'invalid_token')
    c.says(`<abort xmlns='${SASL2}'/>`)
    await c.failsWith('aborted')
    c.says(authenticate('OAUTHBEARER', undefined))
    await c.receives`<challenge xmlns='${SASL2}'/>`
    c.says(`<response xmlns='${SASL2}'>${btoa(`n,,\x01host=localhost\x01port=5222\x01auth=bearer ${token}\x01\x01`)}</response>`)
    await c.succeeds()
  }))
})

describe('a token by a shared secret', () => {
  const secret = 'a secret of thirty-two characters'
  it('is taken where that is configured, signed in that way alone', withIssuer(async (issuer, _, door) => {
    const claims = JSON.parse(Buffer.from(issuer.token().split('.')[1]!, 'base64url').toString()) as Claims
    assert.equal(await comes(door, sign({ alg: 'HS256' }, claims, secret)), 'anna@localhost')
    assert.equal(await comes(door, sign({ alg: 'HS256' }, claims, `${secret}!`)), 'not-authorized')
    assert.equal(await comes(door, issuer.token()), 'not-authorized')
    assert.deepEqual(issuer.asked, [])
  }, { secret }))
})
