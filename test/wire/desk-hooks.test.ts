// Other programs hear of what happens at the desk: signed, in order, each at least once, and no words.
import assert from 'node:assert/strict'
import { BOT, c, config, desk, SUPPORT, type DeskHouse } from '../harness/desk.ts'
import { until as waitUntil } from '../harness/patience.ts'
import { BOTH, serves, TEAM } from '../harness/talks.ts'
import { HookSink, status } from '../unit/helpdesk/hook-sink.ts'
import { isSigned } from '../../examples/webhook/signature.js'

const API = '/api/v1/webhooks'
/** A desk whose hooks may go to this machine, and somebody who listens. */
const listening = (play: (d: DeskHouse, sink: HookSink, url: string) => Promise<void>) => async (): Promise<void> => {
  const sink = new HookSink()
  const url = `http://127.0.0.1:${await sink.listen()}/hook`
  try { await desk(TEAM, d => play(d, sink, url), config(BOTH, { allow: ['127.0.0.0/8'] }))() } finally { await sink.close() }
}
const heard = (sink: HookSink): { id: string; type: string; conversation: number; data: Record<string, unknown> }[] => sink.heard.map(h => JSON.parse(h.body)) // as webhooks.ts writes it
/** Waits until the sink has heard so many. */
const until = (d: DeskHouse, sink: HookSink, count: number): Promise<void> => waitUntil(async () => { await d.quiet(); return sink.heard.length >= count }, () => `${count} should be told, but there are ${sink.heard.length}`)

describe('webhooks', () => {
  it('SEC-A08 hear in order what happens, signed, without words, and again with the same id after a failure', listening(async (d, sink, url) => {
    const made = await d.rest('POST', API, 'adam', { url, types: ['*'] })
    assert.equal(made.status, 201)
    assert.ok(!JSON.stringify((await d.rest('GET', API, 'adam')).body).includes(made.body.secret), 'the secret is shown once')
    sink.answers.push(status(500))
    const anna = await d.comes('anna')
    const zoe = await serves(d, anna, 1, 'zoe', 'my secret pump')
    zoe.types(SUPPORT, 'more')
    await anna.reads(c(1), 'more')
    anna.types(c(1), '!n hidden')
    anna.types(c(1), '!close')
    await anna.reads(c(1), /closed/)
    await d.later(10)
    await until(d, sink, 8)
    const [first, second] = heard(sink)
    assert.equal(first?.id, second?.id, 'what failed is told again')
    const types = heard(sink).slice(1).map(h => `${h.type}${h.type.endsWith('.line') ? ` ${h.data['by']} ${h.data['visibility']}` : ''}`)
    for (const [i, t] of ['conversation.opened', 'conversation.line customer public', 'conversation.offered', 'conversation.assigned'].entries()) assert.equal(types[i], t, types.join('\n'))
    assert.ok(types.includes('conversation.line anna@localhost internal'))
    assert.equal(types.at(-1)?.startsWith('conversation.') && types.some(t => t === 'conversation.closed'), true)
    assert.equal(new Set(heard(sink).map(h => h.id)).size, heard(sink).length - 1, 'everything else once')
    for (const h of sink.heard) {
      assert.ok(isSigned(String(h.headers['deskbell-signature']), [made.body.secret], d.house.clock.now(), h.body))
      assert.ok(!/pump|hidden|Zoe/.test(h.body))
    }
  }))

  it('SEC-W19 go to no address that is not public unless the config allows it', async () => {
    await desk(TEAM, async d => {
      for (const url of ['http://127.0.0.1:1/', 'http://127.1/', 'http://[::ffff:127.0.0.1]/', 'http://0/', 'http://2130706433/', 'http://0x7f000001/', 'http://169.254.169.254/latest', 'http://user@example.org/', 'file:///etc/passwd', 'gopher://example.org/', 'nonsense']) assert.equal((await d.rest('POST', API, 'adam', { url })).status, 422, url)
      assert.equal((await d.rest('POST', API, 'mia', { url: 'https://example.org/' })).status, 403)
      assert.equal((await d.rest('POST', API, 'adam', { url: 'https://example.org/', types: ['nothing'] })).status, 422)
    })()
  })

  it('are changed, get a new secret beside the old one, and end', listening(async (d, sink, url) => {
    const { body: { id, secret } } = await d.rest('POST', API, 'adam', { url, types: ['conversation.opened'] })
    const { body: { secret: fresh } } = await d.rest('PATCH', `${API}/${id}`, 'adam', { rotate: true })
    const anna = await d.comes('anna')
    await serves(d, anna, 1, 'zoe')
    await until(d, sink, 1)
    const [h] = sink.heard
    assert.ok(h && secret !== fresh)
    for (const s of [secret, fresh]) assert.ok(isSigned(String(h.headers['deskbell-signature']), [s], d.house.clock.now(), h.body))
    assert.equal((await d.rest('DELETE', `${API}/${id}`, 'adam')).status, 204)
    await serves(d, anna, 2, 'yan')
    await d.later(10)
    assert.deepEqual(heard(sink).map(x => x.type), ['conversation.opened'])
  }))

  it('SEC-D29 are told after the next start what a crash kept from them', listening(async (d, sink, url) => {
    await d.rest('POST', API, 'adam', { url, types: ['conversation.opened', 'conversation.closed'] })
    sink.always = (_, r) => { r.writeHead(503).end(); return true }
    const anna = await d.comes('anna')
    await serves(d, anna, 1, 'zoe')
    anna.types(BOT, '!close 1')
    await anna.reads(BOT, /closed/)
    await d.restart()
    sink.always = undefined
    const before = sink.heard.length
    await d.later(3600)
    await until(d, sink, before + 2)
    assert.deepEqual(heard(sink).slice(-2).map(h => h.type), ['conversation.opened', 'conversation.closed'])
    assert.deepEqual(await d.house.stores.events.undone('help.localhost/c'), [])
  }))
})
