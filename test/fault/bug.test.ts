// A bug in a handler of ours: it ends at most the session that met it.
import assert from 'node:assert/strict'
import { plugin } from '../../server/api.ts'
import { plugins } from '../../plugins/index.ts'
import { House } from '../harness/scene.ts'

const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

const broken = plugin('broken', host => {
  host.iq(['host'], 'get', 'x:throw', 'q', () => { throw new Error('a bug') })
  host.iq(['host'], 'get', 'x:reject', 'q', () => Promise.reject(new Error('a bug')))
  host.on('out:admit', p => { if (p.stanza.payload.some(e => e.ns === 'x:throw' && p.stanza.kind === 'message')) throw new Error('a bug') })
})

describe('a bug in a handler', () => {
  it('SEC-K26 is an error to who met it, and nothing to the others', async () => {
    await using house = await House.open({ plugins: [...plugins, broken] })
    const [romeo, juliet] = [await house.actor('romeo', 'romeo@localhost/o'), await house.actor('juliet', 'juliet@localhost/b')]
    for (const how of ['throw', 'reject']) {
      romeo.says(`<iq type='get' id='${how}' to='localhost'><q xmlns='x:${how}'/></iq>`)
      await romeo.receives`<iq type='error' id='${how}'><error><internal-server-error xmlns='${STANZAS}'/></error></iq>`
    }
    romeo.says(`<message to='juliet@localhost' type='chat' id='m'><body>x</body><q xmlns='x:throw'/></message>`)
    const told = await romeo.next()
    assert.match(String(told), /internal-server-error/)
    await juliet.receivesNothing()
  })
})
