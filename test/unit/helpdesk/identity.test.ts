// A customer's signed identity: what proves it, and everything that does not.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { importPKCS8, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose'
import { Presented } from '../../../components/helpdesk/identity/presented.ts'
import { readIdentity, wrongKey, type Expected, type Identity, type SiteKey } from '../../../components/helpdesk/identity/token.ts'
import { defaultLimits } from '../../../server/ports/limits.ts'
import type { Stores } from '../../../server/ports/store.ts'
import { openSqlite } from '../../../server/store/sqlite/sqlite.ts'

const now = 1_700_000_000_000
const seconds = now / 1000
const secret = 's'.repeat(32)
const shop: Expected = { audience: 'shop', keys: [{ alg: 'HS256', secret }], now, limits: defaultLimits.visitor }
const claims: JWTPayload = { sub: 'u1', aud: 'shop', exp: seconds + 600, name: 'Ann Lee', email: 'ann@Example.org', fields: { plan: 'gold', seats: 3 } }
const sign = (c: JWTPayload = claims, key = secret, alg = 'HS256'): Promise<string> => new SignJWT(c).setProtectedHeader({ alg }).sign(new TextEncoder().encode(key))
const wrong = async (token: string, expected: Expected = shop): Promise<string | undefined> => { const r = await readIdentity(token, expected); return 'wrong' in r ? r.wrong : undefined }

describe('signed identity', () => {
  it('SEC-W05 a token of the site’s own key tells who the customer is', async () => {
    assert.deepEqual(await readIdentity(await sign(), shop), { subject: 'u1', name: 'Ann Lee', email: 'ann@example.org', fields: { plan: 'gold', seats: '3' }, until: now + 600_000 })
    assert.deepEqual(await readIdentity(await sign({ ...claims, email_verified: false, jti: 'x' }), shop), { subject: 'u1', name: 'Ann Lee', fields: { plan: 'gold', seats: '3' }, until: now + 600_000, id: 'x' }, 'an address that the site does not vouch for is none')
  })

  it('SEC-W05 another key, another site, an end that is past, missing or too far: each is refused', async () => {
    const { exp: _, ...noEnd } = claims
    const { aud: __, ...noSite } = claims
    const { sub: ___, ...nobody } = claims
    const bad = [
      await sign(claims, 'x'.repeat(32)), await sign({ ...claims, aud: 'other' }), await sign({ ...claims, exp: seconds }), await sign({ ...claims, exp: seconds - 1 }), await sign(noEnd), await sign(noSite), await sign(nobody),
      await sign({ ...claims, exp: seconds + 86_401 }), await sign({ ...claims, nbf: seconds + 1 }), await sign({ ...claims, iat: seconds + 31 }),
      await sign({ ...claims, sub: '' }), await sign({ ...claims, sub: 'x'.repeat(256) }),
    ]
    for (const [i, token] of bad.entries()) assert.notEqual(await wrong(token), undefined, `${i}`)
    assert.equal(await wrong(await sign({ ...claims, aud: ['other', 'shop'] })), undefined)
  })

  it('SEC-W05 alg none, another algorithm, and a public key taken for a secret are refused', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } })
    const rsa: Expected = { ...shop, keys: [{ alg: 'RS256', publicKey }] }
    const good = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256' }).sign(await importPKCS8(privateKey, 'RS256'))
    assert.equal(await wrong(good, rsa), undefined)
    assert.notEqual(await wrong(await sign(claims, publicKey), rsa), undefined, 'HS256 with the public key as its secret')
    assert.notEqual(await wrong(good), undefined, 'RS256 where HS256 is expected')
    assert.notEqual(await wrong(new UnsecuredJWT(claims).encode()), undefined)
    assert.notEqual(await wrong(await sign(claims, 's'.repeat(64), 'HS512'), { ...shop, keys: [{ alg: 'HS256', secret: 's'.repeat(64) }] }), undefined)
    const [head, body] = good.split('.')
    for (const token of ['', '.', '..', `${head}.${body}.`, `${head}.${body}`, 'x'.repeat(5000), `${good}x`, ` ${good}`, `${good}.`, good.replace('.', '..'), '{}', '\u0000']) assert.notEqual(await wrong(token, rsa), undefined, token.slice(0, 20))
  })

  it('SEC-W05 while a key is replaced both hold; no key, or a weak one, proves nothing', async () => {
    const both: Expected = { ...shop, keys: [{ alg: 'HS256', secret: 'n'.repeat(32) }, { alg: 'HS256', secret }] }
    assert.equal(await wrong(await sign(), both), undefined)
    assert.equal(await wrong(await sign(claims, 'n'.repeat(32)), both), undefined)
    assert.notEqual(await wrong(await sign(), { ...shop, keys: [] }), undefined)
    assert.notEqual(await wrong(await sign(claims, 'short'), { ...shop, keys: [{ alg: 'HS256', secret: 'short' }] }), undefined)
    const keys: SiteKey[] = [{ alg: 'HS256', secret: 'short' }, { alg: 'HS256', secret: '' }, { alg: 'ES256', publicKey: 'nonsense' }]
    for (const key of keys) assert.notEqual(await wrongKey(key), undefined)
    assert.equal(await wrongKey({ alg: 'HS256', secret }), undefined)
  })

  it('SEC-W31 what a token says beyond who he is counts for nothing, and odd claims are refused', async () => {
    const identity = await readIdentity(await sign({ ...claims, role: 'admin', agent: 'boss', priority: 9, verified: true, constructor: 'x' }), shop)
    assert.deepEqual(Object.keys(identity).sort(), ['email', 'fields', 'name', 'subject', 'until'])
    for (const odd of [{ name: 7 }, { name: '' }, { name: 'x'.repeat(81) }, { email: 'a@b\r\nBcc: c@d.org' }, { email: 5 }, { fields: 'x' }, { fields: [] }, { fields: { a: {} } }, { fields: { a: 'x'.repeat(257) } }, { fields: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`f${i}`, 'x'])) }]) {
      assert.notEqual(await wrong(await sign({ ...claims, ...odd })), undefined, JSON.stringify(odd).slice(0, 40))
    }
  })

  describe('replay', () => {
    let stores: Stores
    before(async () => { stores = await openSqlite({ file: ':memory:' }) })
    after(() => stores.close())

    it('SEC-W05 a token that one visitor has shown serves no other, and him again', async () => {
      const seen = new Presented(stores.documents, 'help.x')
      const one: Identity = { subject: 'u1', fields: {}, until: now + 1000 }
      assert.deepEqual([await seen.by('v1', 'shop', 'T', one), await seen.by('v2', 'shop', 'T', one), await seen.by('v1', 'shop', 'T', one)], [true, false, true])
      assert.deepEqual([await seen.by('v2', 'other', 'T', one), await seen.by('v2', 'shop', 'T2', one)], [true, true], 'other tokens are others')
      const named = { ...one, id: 'jti-1' }
      assert.deepEqual([await seen.by('v3', 'shop', 'A', named), await seen.by('v4', 'shop', 'B', named)], [true, false], 'the id counts where there is one')
      const racing = await Promise.all(Array.from({ length: 20 }, (_, i) => seen.by(`r${i}`, 'shop', 'RACE', one)))
      assert.equal(racing.filter(Boolean).length, 1)
      assert.equal(await seen.sweep(now), 0)
      assert.equal(await seen.sweep(now + 1000), 5)
    })
  })
})
