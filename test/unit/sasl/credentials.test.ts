import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { decodeBase64, encodeBase64 } from '../../../server/stream/sasl/base64.ts'
import { HASHES, hmac, makeCredentials, preparePassword, verifyPassword } from '../../../server/stream/sasl/credentials.ts'

describe('credentials', () => {
  it('are salted keys for each hash, 10,000 iterations unless told otherwise', async () => {
    const made = await makeCredentials('pencil')
    assert.deepEqual(Object.keys(made).sort(), ['sha-1', 'sha-256', 'sha-512'])
    for (const [hash, length] of [['sha-1', 20], ['sha-256', 32], ['sha-512', 64]] as const) {
      const keys = made[hash]!
      assert.equal(keys.iterations, 10_000)
      assert.equal(decodeBase64(keys.salt)?.length, 16)
      assert.equal(decodeBase64(keys.storedKey)?.length, length)
      assert.equal(decodeBase64(keys.serverKey)?.length, length)
    }
    assert.equal(new Set([made['sha-1'], made['sha-256'], made['sha-512']].map(k => k?.salt)).size, 3)
    assert.equal((await makeCredentials('pencil', { iterations: 4096 }))['sha-1']?.iterations, 4096)
  })

  it('two of one password have nothing in common', async () => {
    const [a, b] = await Promise.all([makeCredentials('pencil', { iterations: 4096 }), makeCredentials('pencil', { iterations: 4096 })])
    assert.notEqual(a['sha-256']?.salt, b['sha-256']?.salt)
    assert.notEqual(a['sha-256']?.storedKey, b['sha-256']?.storedKey)
  })

  it('know their password, by whichever hash they hold', async () => {
    const made = await makeCredentials('p\u00c5ss \u{1F511}', { iterations: 4096 })
    for (const credentials of [made, ...Object.entries(made).map(([hash, keys]) => ({ [hash]: keys }))]) {
      assert.equal(await verifyPassword(credentials, 'p\u212bss\u00a0\u{1F511}'), true)
      assert.equal(await verifyPassword(credentials, 'pass \u{1F511}'), false)
    }
    assert.equal(await verifyPassword({}, ''), false)
    assert.equal(await verifyPassword({}, 'pencil'), false)
    assert.equal(await verifyPassword(undefined, 'pencil', 4096), false)
  })

  it('are not made of what is no password, nor with too little work', async () => {
    for (const password of ['', '\u00ad', 'a\u0007', '\ud800', 'a'.repeat(1024)]) {
      assert.equal(preparePassword(password), undefined)
      await assert.rejects(makeCredentials(password), TypeError)
    }
    for (const iterations of [0, 4095, 5000.5, Number.NaN]) await assert.rejects(makeCredentials('pencil', { iterations }), RangeError)
  })

  it('RFC 4013 section 3: passwords are prepared by SASLprep', () => {
    for (const [given, prepared] of [['I\u00adX', 'IX'], ['user', 'user'], ['USER', 'USER'], ['\u00aa', 'a'], ['\u2168', 'IX'], ['\u0007', undefined], ['\u06271', undefined]] as const) {
      assert.equal(preparePassword(given), prepared)
    }
  })
})

describe('base64', () => {
  it('RFC-A2 is taken exactly as an encoder writes it', () => {
    for (const text of ['', 'AA==', 'AAA=', 'AAAA', '+/+/', 'AGp1bGlldAByMG0zMG15cjBtMzA=']) assert.equal(encodeBase64(decodeBase64(text)!), text)
    assert.deepEqual(decodeBase64('Zm9v'), Buffer.from('foo'))
  })

  it('SEC-T15 RFC-A2 is refused otherwise', () => {
    for (const text of ['A', 'AA', 'AAA', '=', '=AAA', 'BBBB=CCC', 'AA=A', 'AAAA=', 'AAA==', 'A A=', ' AAAA', 'AAAA\n', 'AAA-', 'AA_A', 'AB==', 'AAB=', 'ÄAAA', 'AAAA====']) {
      assert.equal(decodeBase64(text), undefined, JSON.stringify(text))
    }
  })

  it('writes part of a larger buffer', () => {
    assert.equal(encodeBase64(new Uint8Array(Buffer.from('xfoox')).subarray(1, 4)), 'Zm9v')
    assert.equal(encodeBase64('ä'), 'w6Q=')
  })
})

describe('HMAC (RFC 2104)', () => {
  for (const hash of HASHES) {
    it(`is what others make of it with ${hash}, for keys shorter and longer than a block`, () => {
      for (const length of [0, 1, 20, 63, 64, 65, 127, 128, 129, 200]) {
        const key = Buffer.alloc(length, length)
        for (const data of ['', 'ä message', Buffer.alloc(300, 7)]) assert.deepEqual(hmac(hash, key, data), createHmac(hash.replace('-', ''), key).update(data).digest())
      }
    })
  }
})
