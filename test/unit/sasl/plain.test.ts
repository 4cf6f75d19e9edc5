import assert from 'node:assert/strict'
import { Plain } from '../../../server/stream/sasl/plain.ts'
import type { Setting, Step } from '../../../server/stream/sasl/mechanism.ts'
import { failure, octets, setting } from './client.ts'

const login = async (message: string | Uint8Array, change: Partial<Setting> = {}): Promise<Step> =>
  new Plain(await setting(change)).start(typeof message === 'string' ? octets(message) : message)

describe('PLAIN', () => {
  it('takes the right password, under any spelling of the name', async () => {
    for (const message of ['\0anna\0pencil', '\0Anna\0pencil', '\0ＡＮＮＡ\0ｐencil']) {
      assert.deepEqual(await login(message), { success: { user: 'anna' } })
    }
  })

  it('RFC-A13 asks with an empty challenge when there is no initial response', async () => {
    const run = new Plain(await setting())
    assert.deepEqual(run.start(), { challenge: new Uint8Array() })
    assert.deepEqual(await run.respond(octets('\0anna\0pencil')), { success: { user: 'anna' } })
    assert.equal(failure(await run.respond(octets('\0anna\0pencil'))), 'malformed-request')
  })

  it('RFC-A7 a wrong password, an unknown user and an impossible one are told the same', async () => {
    for (const message of ['\0anna\0pencils', '\0anna\0Pencil', '\0nobody\0pencil', '\0an na\0pencil', '\0anna\0\u0007']) {
      assert.deepEqual(await login(message), { failure: 'not-authorized' }, JSON.stringify(message))
    }
    assert.deepEqual(await login('\0anna\0pencil', { lookup: () => ({}) }), { failure: 'not-authorized' })
  })

  it('RFC-A6 SEC-T14 acts for nobody else, right password or not', async () => {
    for (const authzid of ['victim', 'victim@example.org', 'anna', 'anna@example.com', 'anna@example.org/phone', '@']) {
      assert.deepEqual(await login(`${authzid}\0anna\0pencil`), { failure: 'invalid-authzid' }, authzid)
    }
    assert.deepEqual(await login('Anna@example.org\0anna\0pencil'), { success: { user: 'anna' } })
  })

  it('RFC-A2 what is not three parts of UTF-8 is malformed', async () => {
    for (const message of ['', 'anna', 'anna\0pencil', '\0\0pencil', '\0anna\0', '\0anna', '\0anna\0pen\0cil', '\0anna\0pencil\0', '\0an\0na\0pencil']) {
      assert.equal(failure(await login(message)), 'malformed-request', JSON.stringify(message))
    }
    assert.equal(failure(await login(Uint8Array.of(0, 0x61, 0, 0xC3, 0x28))), 'malformed-request')
    assert.equal(failure(await login(Uint8Array.of(0, 0x61, 0, 0xED, 0xA0, 0x80))), 'malformed-request')
  })

  it('keeps a byte order mark as part of what was said', async () => {
    assert.deepEqual(await login('\uFEFFvictim\0anna\0pencil'), { failure: 'invalid-authzid' })
  })

  it('fails as its look-up does', async () => {
    await assert.rejects(async () => login('\0anna\0pencil', { lookup: () => Promise.reject(new Error('the store is gone')) }), /the store is gone/)
  })
})
