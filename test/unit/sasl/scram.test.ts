import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { makeKeys, preparePassword, type Hash } from '../../../server/stream/sasl/credentials.ts'
import type { Setting, Step } from '../../../server/stream/sasl/mechanism.ts'
import { Scram } from '../../../server/stream/sasl/scram.ts'
import { failure, finish, octets, said, setting } from './client.ts'

interface Dialogue {
  label: string; digest: string; user: string; pass: string; skipSASLprep: boolean; salt64: string; iters: number
  clientNonce: string; serverNonce: string; steps: string[]
}
const dialogues = JSON.parse(readFileSync(new URL('vectors/scram-xdg-go.json', import.meta.url), 'utf8')) as { good: Dialogue[]; bad: Dialogue[] } // our own file

/** Plays a recorded dialogue against a server that has just this account; gives what the server said, and how it ended. */
async function replay(d: Dialogue): Promise<{ said: string[]; last: Step; user: string | undefined }> {
  const hash = d.digest.toLowerCase() as Hash // the file holds only these
  const password = d.skipSASLprep ? d.pass : preparePassword(d.pass)
  assert.ok(password)
  const keys = await makeKeys(hash, password, Buffer.from(d.salt64, 'base64'), d.iters)
  const user = d.user.normalize('NFC')
  const run = new Scram(hash, false, await setting({ offered: [], nonce: () => d.serverNonce, lookup: local => (local === user ? { [hash]: keys } : undefined) }))
  const first = await run.start(octets(d.steps[0]!))
  const last = d.steps[2] === undefined ? first : await run.respond(octets(d.steps[2]))
  return { said: [said(first), said(last)], last, user: 'success' in last ? last.success.user : undefined }
}

const NONCE = 'fyko+d2lbbFgONRv9qkxdawL'
const BARE = `n=anna,r=${NONCE}`

/** One login by SCRAM-SHA-256 with what the test changes of it. */
async function login(change: Partial<Setting> = {}, talk: { header?: string; bare?: string; cbind?: Uint8Array; password?: string; plus?: boolean; extra?: string } = {}): Promise<{ first: Step; last: Step; verifier: string }> {
  const { header = 'n,,', bare = BARE, cbind = octets(header), password = 'pencil', plus = false, extra } = talk
  const run = new Scram('sha-256', plus, await setting(change))
  const first = await run.start(octets(header + bare))
  if (!('challenge' in first)) return { first, last: first, verifier: '' }
  const { final, verifier } = finish('sha-256', bare, said(first), cbind, password, extra)
  return { first, last: await run.respond(octets(final)), verifier }
}

describe('SCRAM', () => {
  describe('RFC-A11 known dialogues', () => {
    for (const d of dialogues.good) {
      it(`${d.label} (${d.digest}) is said word for word`, async () => {
        const { said: heard, user } = await replay(d)
        assert.deepEqual(heard, [d.steps[1], d.steps[3]])
        assert.equal(user, d.user.normalize('NFC'))
      })
    }
    for (const d of dialogues.bad) {
      it(`RFC-A7 ${d.label}: refused without a reason`, async () => {
        const { said: heard, last } = await replay(d)
        if (d.steps[2] !== undefined) {
          assert.equal(heard[0], d.steps[1])
          assert.deepEqual(last, { failure: 'not-authorized' })
        } else {
          assert.match(heard[0]!, /^r=.+,s=.+,i=4096$/) // as if he existed
        }
      })
    }
  })

  it('RFC-A13 asks with an empty challenge when there is no initial response', async () => {
    const run = new Scram('sha-256', false, await setting())
    assert.deepEqual(await run.start(), { challenge: new Uint8Array() })
    const first = await run.respond(octets(`n,,${BARE}`))
    const { final, verifier } = finish('sha-256', BARE, said(first), octets('n,,'), 'pencil')
    const last = await run.respond(octets(final))
    assert.deepEqual(last, { success: { user: 'anna', data: octets(verifier) } })
    assert.equal(failure(await run.respond(octets(final))), 'malformed-request')
  })

  it('RFC-A1 an empty initial response is there, and is no message', async () => {
    const run = new Scram('sha-256', false, await setting())
    assert.equal(failure(await run.start(new Uint8Array())), 'malformed-request')
  })

  it('the user is the prepared name, whatever the spelling', async () => {
    for (const name of ['Anna', 'ＡＮＮＡ']) {
      const { last } = await login({}, { bare: `n=${name},r=${NONCE}` })
      assert.equal('success' in last && last.success.user, 'anna')
    }
    const { last } = await login({ lookup: async local => (await setting()).lookup(local === 'a=b,c' ? 'anna' : '') }, { bare: `n=a=3Db=2Cc,r=${NONCE}` })
    assert.equal('success' in last && last.success.user, 'a=b,c')
  })

  it('RFC-A11 the server proves that it knows the keys', async () => {
    const { last, verifier } = await login()
    assert.equal(said(last), verifier)
  })

  it('RFC-A7 a wrong password, an unknown user and a user without such keys are told the same', async () => {
    const outcomes = [
      await login({}, { password: 'pencils' }),
      await login({}, { bare: `n=nobody,r=${NONCE}` }),
      await login({ lookup: () => ({}) }),
    ]
    for (const { first, last } of outcomes) {
      assert.match(said(first), /,i=4096,h=/)
      assert.deepEqual(last, { failure: 'not-authorized' })
    }
  })

  it('SEC-T17 a user who does not exist has a salt like any other, and keeps it', async () => {
    const challenge = async (name: string, host = 'example.org'): Promise<string[]> =>
      /,s=([^,]+),(i=\d+),/.exec(said(await new Scram('sha-256', false, await setting({ host })).start(octets(`n,,n=${name},r=${NONCE}`))))!.slice(1)
    const [salt, iterations] = await challenge('nobody')
    assert.deepEqual(await challenge('nobody'), [salt, iterations])
    assert.deepEqual(await challenge('NOBODY'), [salt, iterations])
    assert.notEqual((await challenge('somebody'))[0], salt)
    assert.notEqual((await challenge('nobody', 'example.com'))[0], salt)
    const [real, count] = await challenge('anna')
    assert.equal(salt?.length, real?.length)
    assert.equal(iterations, count)
  })

  it('SEC-T16 the server\'s nonce is new each time, and another run\'s answer does not count', async () => {
    const nonces = new Set<string>()
    let stale = ''
    for (let i = 0; i < 50; i++) {
      const run = new Scram('sha-256', false, await setting())
      const first = await run.start(octets(`n,,${BARE}`))
      nonces.add(/^r=([^,]+)/.exec(said(first))![1]!)
      if (stale) assert.equal(failure(await run.respond(octets(stale))), 'not-authorized')
      stale ||= finish('sha-256', BARE, said(first), octets('n,,'), 'pencil').final
    }
    assert.equal(nonces.size, 50)
    for (const nonce of nonces) assert.ok(nonce.startsWith(NONCE) && nonce.length >= NONCE.length + 20)
  })

  it('RFC-A6 SEC-T14 acts for nobody else', async () => {
    for (const authzid of ['victim', 'victim@example.org', 'anna@example.com', 'anna@example.org/phone', 'anna', 'example.org', 'x=2Cy']) {
      assert.equal(failure((await login({}, { header: `n,a=${authzid},` })).first), 'invalid-authzid', authzid)
    }
    for (const authzid of ['anna@example.org', 'Anna@Example.ORG']) {
      assert.equal(failure((await login({}, { header: `n,a=${authzid},` })).last), 'none', authzid)
    }
  })

  it('SEC-T15 RFC-A11 what breaks the grammar is malformed', async () => {
    for (const message of [
      'n,,n=anna', 'n,,r=abc', 'n,,r=abc,n=anna', 'n,,n=,r=abc', 'n,,n=anna,r=', 'n,n=anna,r=abc', 'x,,n=anna,r=abc', 'p=,,n=anna,r=abc',
      'n,a=,n=anna,r=abc', 'n,,m=x,n=anna,r=abc', 'n,,n=anna,r=abc,m=x', 'n,,n=an=na,r=abc', 'n,,n=an=2cna,r=abc', 'n,,n=anna,r=a b', 'n,,n=anna,r=ä',
      'n,,n=anna,r=abc,r=abc', 'n,,n=anna,n=anna,r=abc', 'n,,n=anna,r=abc,x=1,x=2', 'n,,n=anna,r=abc,x', 'n,,n=anna,r=abc,', 'n,,n=anna,r=abc,x=',
      `n,,n=anna,r=${'a'.repeat(100_000)}`, '',
    ]) {
      const run = new Scram('sha-256', false, await setting())
      assert.equal(failure(await run.start(octets(message))), 'malformed-request', message.slice(0, 60))
    }
    const run = new Scram('sha-256', false, await setting())
    assert.equal(failure(await run.start(Uint8Array.of(0x6E, 0x2C, 0x2C, 0xFF))), 'malformed-request')
  })

  it('SEC-T15 a name that nobody can have is refused, not malformed', async () => {
    for (const name of ['an\0na', 'an na', 'anna@example.org', '♚']) {
      assert.equal(failure((await login({}, { bare: `n=${name},r=${NONCE}` })).first), 'not-authorized', name)
    }
  })

  it('RFC-A11 unknown optional attributes are ignored, m= is not', async () => {
    assert.equal(failure((await login({}, { bare: `${BARE},x=1,y=a=b`, extra: ',z=1' })).last), 'none')
    assert.equal(failure((await login({}, { extra: ',m=1' })).last), 'malformed-request')
  })

  it('RFC-A11 the final message is checked: c=, nonce, proof', async () => {
    const answer = async (edit: (final: string) => string): Promise<string> => {
      const run = new Scram('sha-256', false, await setting())
      const first = await run.start(octets(`n,,${BARE}`))
      return failure(await run.respond(octets(edit(finish('sha-256', BARE, said(first), octets('n,,'), 'pencil').final))))
    }
    assert.equal(await answer(final => final), 'none')
    assert.equal(await answer(final => final.replace(/r=[^,]+/, `r=${NONCE}`)), 'not-authorized')
    assert.equal(await answer(final => final.replace(/c=[^,]+/, 'c=eSws')), 'not-authorized') // y,,
    assert.equal(await answer(final => final.replace(/p=.*/, 'p=AAAA')), 'not-authorized')
    assert.equal(await answer(final => final.replace(/c=[^,]+/, 'c=biw')), 'malformed-request')
    assert.equal(await answer(final => final.replace(/p=.*/, 'p=*')), 'malformed-request')
    assert.equal(await answer(final => final.replace(/,p=.*/, '')), 'malformed-request')
    assert.equal(await answer(final => `${final},x=1`), 'malformed-request')
    assert.equal(await answer(() => ''), 'malformed-request')
  })

  it('SEC-T15 whatever is sent, it answers and lets nobody in', async () => {
    const piece = fc.constantFrom('n,,', 'y,,', 'p=tls-exporter,,', 'n=anna', 'r=abc', ',', '=', 'a=', 'm=', 'c=biws', 'p=AAAA', '\0', 'ä')
    const message = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.array(piece, { maxLength: 9 }).map(pieces => octets(pieces.join(''))))
    const given = await setting()
    await fc.assert(fc.asyncProperty(message, message, async (one, two) => {
      const run = new Scram('sha-256', false, given)
      const first = await run.start(one)
      const last = await run.respond(two)
      for (const step of [first, last]) assert.ok(!('success' in step))
      assert.notEqual(failure(last), 'none')
    }))
  })

  it('fails as its look-up does', async () => {
    await assert.rejects(login({ lookup: () => Promise.reject(new Error('the store is gone')) }), /the store is gone/)
  })
})

describe('SCRAM with channel binding', () => {
  const exporter = octets('what both ends export')
  const endPoint = octets('the hash of the certificate')
  const bindings = new Map([['tls-exporter', exporter], ['tls-server-end-point', endPoint]])
  const bound: Partial<Setting> = { offered: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'], bindings }

  it('SEC-T09 binds to either type', async () => {
    for (const [type, data] of bindings) {
      const header = `p=${type},,`
      const { last } = await login(bound, { header, plus: true, cbind: Buffer.concat([octets(header), data]) })
      assert.equal('success' in last && last.success.user, 'anna', type)
    }
  })

  it('SEC-T09 SEC-T10 refuses the data of another channel', async () => {
    const header = 'p=tls-exporter,,'
    for (const cbind of [Buffer.concat([octets(header), endPoint]), octets(header), octets('n,,'), Buffer.concat([octets('p=tls-server-end-point,,'), endPoint])]) {
      assert.equal(failure((await login(bound, { header, plus: true, cbind })).last), 'not-authorized')
    }
  })

  it('SEC-T11 RFC-A11 a client that says it saw no -PLUS, though it was offered, has been tricked', async () => {
    assert.equal(failure((await login(bound, { header: 'y,,' })).first), 'not-authorized')
    assert.equal(failure((await login(bound, { header: 'y,,', plus: true })).first), 'not-authorized')
    assert.equal(failure((await login({}, { header: 'y,,' })).last), 'none')
    assert.equal(failure((await login(bound, { header: 'n,,' })).last), 'none')
  })

  it('RFC-A11 a type that this connection has not is refused', async () => {
    for (const type of ['tls-unique', 'TLS-EXPORTER', 'x']) {
      assert.equal(failure((await login(bound, { header: `p=${type},,`, plus: true })).first), 'not-authorized', type)
    }
  })

  it('the flag has to fit the mechanism', async () => {
    assert.equal(failure((await login(bound, { header: 'n,,', plus: true })).first), 'malformed-request')
    assert.equal(failure((await login(bound, { header: 'p=tls-exporter,,' })).first), 'malformed-request')
  })

  it('SEC-T12 the challenge holds a hash of what was offered, in sorted order', async () => {
    const hashOf = (step: Step): string | undefined => /,h=([^,]+)$/.exec(said(step))?.[1]
    const expected = (text: string): string => createHash('sha256').update(text).digest('base64')
    const offered = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN']
    const plain = await login({ offered })
    assert.equal(hashOf(plain.first), expected('PLAIN\x1eSCRAM-SHA-1\x1eSCRAM-SHA-256'))
    const withTypes = await login({ offered, offeredBindings: ['tls-server-end-point', 'tls-exporter'] })
    assert.equal(hashOf(withTypes.first), expected('PLAIN\x1eSCRAM-SHA-1\x1eSCRAM-SHA-256\x1ftls-exporter\x1etls-server-end-point'))
    assert.equal(failure(withTypes.last), 'none')
  })

  it('SEC-T12 the hash is that of XEP-0474\'s own example', async () => {
    const run = new Scram('sha-1', false, await setting({ offered: ['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS'], offeredBindings: ['tls-server-end-point', 'tls-exporter'] }))
    assert.match(said(await run.start(octets('n,,n=user,r=12C4CD5C'))), /,h=G6k\/rBLDqgOhRRaCuuatSDFkJ08=$/)
  })
})
