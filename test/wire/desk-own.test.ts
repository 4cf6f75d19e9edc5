// An agent who has REST alone: here by a stream, asked, told, seen typing, and in talks with colleagues.
import assert from 'node:assert/strict'
import { BOT, c, config, SUPPORT, type DeskHouse } from '../harness/desk.ts'
import { Reader } from '../harness/events.ts'
import { until as so } from '../harness/patience.ts'
import { deskWith, TEAM, TWO } from '../harness/talks.ts'
import { listTokens, makeToken, removeToken } from '../../app/tokens.ts'

const CALM = { quality: { idleWarning: 0, idleCritical: 0 } }
const API = '/api/v1'
const ROUND = config({ support: {}, billing: { assign: 'pull' } })

const listens = async (d: DeskHouse, who: string, path = '/me/events?show=available'): Promise<Reader> => Reader.opens(d, path, (await d.address(who)).token)
/** A sign of life. */
const lives = async (d: DeskHouse, token: string): Promise<void> => { assert.equal((await fetch(`${await d.url()}${API}/me/asked`, { headers: { authorization: `Bearer ${token}` } })).status, 200) }
/** The next event of this kind; what else came is read away. */
const until = async (r: Reader, event: string): Promise<any> => (await r.until(event)).at(-1)?.data // JSON of any shape
/** Until the desk has noticed that anna's stream is closed. */
const isGone = (d: DeskHouse): Promise<void> => so(async () => { await d.quiet(); return (await d.rest('GET', `${API}/me`, 'anna')).body.status === 'offline' }, 'she should be gone')
const gives = (d: DeskHouse, who: string, n: number, command: string, body: object = {}) => d.rest('POST', `${API}/conversations/${n}/commands/${command}`, who, body)

describe('an agent who has REST alone', () => {
  it('FP-11 OT-17 is here while the stream is open, is asked on it, answers, and both write', deskWith(CALM, TWO, async d => {
    assert.equal((await d.rest('GET', `${API}/me`, 'anna')).body.status, 'offline')
    await using own = await listens(d, 'anna')
    await own.until('ready')
    assert.equal((await d.rest('GET', `${API}/me`, 'anna')).body.status, 'available')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'it burns')
    const asked = await until(own, 'asked')
    assert.deepEqual([asked.number, asked.kind, asked.queue, asked.customer, asked.by], [1, 'customer', 'support', 'Zoe', null])
    assert.ok(Date.parse(asked.until) - d.house.clock.now() <= 20_000)
    assert.deepEqual((await d.rest('GET', `${API}/me/asked`, 'anna')).body.items, [asked])
    assert.deepEqual((await d.rest('GET', `${API}/me/asked`, 'ben')).body.items, [])
    assert.equal((await gives(d, 'anna', 1, 'a')).status, 200)
    assert.deepEqual(await until(own, 'over'), { id: asked.id, number: 1 })
    await zoe.reads(SUPPORT, /Anna joined/)
    assert.equal((await gives(d, 'anna', 1, 'say', { text: 'where?' })).status, 200)
    await zoe.reads(SUPPORT, 'where?')
  }, ROUND))

  it('SS-05 whose stream is lost has two minutes to be back, else the customer goes on', deskWith(CALM, TWO, async d => {
    const zoe = await d.comes('zoe')
    {
      await using own = await listens(d, 'anna')
      await own.until('ready')
      zoe.types(SUPPORT, 'it burns')
      await until(own, 'asked')
      await gives(d, 'anna', 1, 'a')
      await zoe.reads(SUPPORT, /Anna joined/)
    }
    await isGone(d)
    await d.later(60)
    {
      const { token } = await d.address('anna')
      await using again = await Reader.opens(d, '/me/events?show=available', token)
      await again.until('ready')
      for (let i = 0; i < 3; i++) { await d.later(60); await lives(d, token) }
      assert.equal((await d.rest('GET', `${API}/conversations/1`, 'anna')).body.owner, 'anna@localhost')
    }
    await isGone(d)
    await d.later(119)
    assert.equal((await d.rest('GET', `${API}/conversations/1`, 'anna')).body.owner, 'anna@localhost')
    await d.later(2)
    assert.equal((await d.rest('GET', `${API}/conversations/1`, 'anna')).body.state, 'waiting')
  }, ROUND))

  it('OM-30 OT-33 transfers and invitations are asked with who asks; a lapsed one is over', deskWith(CALM, TEAM, async d => {
    await using ben = await listens(d, 'ben')
    await ben.until('ready')
    const anna = await d.comes('anna')
    const zoe = await d.comes('zoe')
    zoe.types('billing@help.localhost', 'money')
    await anna.reads(BOT, /#1/)
    anna.types(BOT, '!take 1')
    await zoe.reads('billing@help.localhost', /Anna joined/)
    anna.types(c(1), '!t ben you know her')
    const transfer = await until(ben, 'asked')
    assert.deepEqual([transfer.number, transfer.kind, transfer.by, transfer.byName], [1, 'transfer', 'anna@localhost', 'Anna'])
    assert.deepEqual((await d.rest('GET', `${API}/conversations/1`, 'mia')).body.asked, [{ id: transfer.id, kind: 'transfer', who: 'ben@localhost', name: 'Ben', by: 'anna@localhost', until: transfer.until }], 'a manager sees who is asked')
    await d.later(61)
    assert.deepEqual(await until(ben, 'over'), { id: transfer.id, number: 1 })
    anna.types(c(1), '!i ben')
    assert.equal((await until(ben, 'asked')).kind, 'invitation')
    await using late = await listens(d, 'ben', '/me/events')
    assert.deepEqual((await late.until('ready')).map(x => x.event), ['reset', 'me', 'asked', 'ready'], 'who comes later hears what is asked still')
  }, ROUND))

  it('SS-15 RULE-C20 is told what the bot says: warnings, and with a buzz what is critical', deskWith({ quality: { idleWarning: 30, idleCritical: 60 }, handOff: { closed: { enabled: false } } }, TWO, async d => {
    await using own = await listens(d, 'anna')
    await own.until('ready')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'it burns')
    await until(own, 'asked')
    await gives(d, 'anna', 1, 'a')
    await until(own, 'over')
    await d.later(31)
    assert.deepEqual(Object.values(await until(own, 'told')).map(x => typeof x === 'string' ? x.startsWith('Warning: #1') : x), [true, false])
    await d.later(30)
    assert.deepEqual(Object.values(await until(own, 'told')).map(x => typeof x === 'string' ? x.startsWith('Critical: #1') : x), [true, true])
  }, ROUND))

  it('SS-04 is seen typing and sees it, and each hears what the other has read', deskWith(CALM, TWO, async d => {
    await using own = await listens(d, 'anna')
    await own.until('ready')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'it burns', 'zoe-says')
    await until(own, 'asked')
    await gives(d, 'anna', 1, 'a')
    await zoe.reads(SUPPORT, /Anna joined/)
    await using talk = await listens(d, 'anna', '/conversations/1/events')
    const first = await talk.until('ready')
    assert.equal((await d.rest('POST', `${API}/conversations/1/typing`, 'anna', { state: 'composing' })).status, 204)
    await zoe.actor.hears`<message><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`
    zoe.actor.sends`<message type='chat' to='${SUPPORT}'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`
    assert.deepEqual(await until(talk, 'typing'), { by: 'customer', state: 'composing' })
    const burns = first.find(x => x.event === 'line' && x.data.text === 'it burns')?.data.seq
    assert.equal((await d.rest('POST', `${API}/conversations/1/read`, 'anna', { seq: burns })).status, 204)
    await zoe.actor.hears`<message><displayed xmlns='urn:xmpp:chat-markers:0' id='zoe-says'/></message>`
    await gives(d, 'anna', 1, 'say', { text: 'where?' })
    const where = (await zoe.reads(SUPPORT, 'where?')).stanza
    zoe.actor.sends`<message type='chat' to='${SUPPORT}'><displayed xmlns='urn:xmpp:chat-markers:0' id='${String(where.attrs['id'])}'/></message>`
    const read = await until(talk, 'read')
    assert.deepEqual([read.by, read.seq > burns], ['customer', true])
    for (const [path, body, status] of [['typing', { state: 'gone' }, 422], ['read', { seq: 99 }, 422], ['read', { seq: 0 }, 422]] as const) assert.equal((await d.rest('POST', `${API}/conversations/1/${path}`, 'anna', body)).status, status)
    for (const path of ['typing', 'read']) assert.equal((await d.rest('POST', `${API}/conversations/1/${path}`, 'ben', path === 'read' ? { seq: 1 } : { state: 'paused' })).status, 404, 'others’ conversations are not there')
  }, ROUND))

  it('OM-28 ST-88 talks with colleagues: hears of one, comes in or passes, and writes', deskWith(CALM, TEAM, async d => {
    await using own = await listens(d, 'anna')
    await own.until('ready')
    const ben = await d.comes('ben')
    ben.types(BOT, '!im anna have you a minute?')
    assert.deepEqual((({ number, standing }) => [number, standing])(await until(own, 'talk')), [1, 'asked'])
    await ben.reads(BOT, /im1@/)
    assert.equal((await d.rest('PUT', `${API}/threads/1/standing`, 'anna', { standing: 'out' })).body.members.find((m: { jid: string }) => m.jid === 'anna@localhost').standing, 'out')
    assert.equal((await d.rest('POST', `${API}/threads/1/lines`, 'anna', { text: 'now I have' })).status, 204)
    await ben.reads('im1@help.localhost', 'now I have')
    assert.deepEqual((await d.rest('GET', `${API}/threads/1/lines`, 'anna')).body.lines.map((l: { text: string }) => l.text), ['have you a minute?', 'now I have'])
    assert.equal((await d.rest('POST', `${API}/threads/1/lines`, 'mia', { text: 'and I?' })).status, 404)
    assert.equal((await d.rest('POST', `${API}/threads/1/lines`, 'anna', { text: ' ' })).status, 422)
    assert.equal((await d.rest('PUT', `${API}/threads/1/standing`, 'anna', { standing: 'asked' })).status, 422)
  }))

  it('FP-14 FP-24 RULE-C7 hears at once of changed settings, rights, queues and of what is switched off', deskWith(CALM, TEAM, async d => {
    await using own = await listens(d, 'anna')
    const first = (await own.until('ready')).find(x => x.event === 'me')?.data
    assert.deepEqual([first.role, first.permissions.includes('chat.transfer'), first.queues.length], ['agent', true, 2])
    const { body } = await d.rest('PATCH', `${API}/settings`, 'adam', { conversation: { showNumber: true } })
    assert.deepEqual(await until(own, 'settings'), { version: body.version })
    await d.rest('PATCH', `${API}/roles/agent`, 'adam', { permissions: { 'chat.transfer': false } })
    assert.equal((await until(own, 'me')).permissions.includes('chat.transfer'), false)
    await d.rest('PUT', `${API}/operators/anna@localhost/receiving`, 'mia', { active: false, queue: 'billing' })
    assert.deepEqual((await until(own, 'me')).queues.find((q: { queue: string }) => q.queue === 'billing'), { queue: 'billing', active: false })
    await d.rest('DELETE', `${API}/operators/anna@localhost`, 'adam')
    for (;;) { const x = await own.next(); if (x.event === 'closed') break }
  }))

  it('SS-05 whose line is cut without a word is here no more after two minutes; who asks for something meanwhile is, and who only listens may be silent', deskWith(CALM, TEAM, async d => {
    const stands = async (who: string): Promise<string> => (await d.rest('GET', `${API}/board`, 'adam')).body.agents.find((a: { jid: string }) => a.jid === `${who}@localhost`).status
    await using mute = await listens(d, 'mia', '/me/events')
    await mute.until('ready')
    await d.url()
    const { text: token } = await makeToken(d.house.stores, 'localhost', { jid: 'ben@localhost', created: d.house.clock.now(), scopes: ['conversations'] })
    await using ben = await Reader.opens(d, '/me/events?show=available', token)
    await ben.until('ready')
    await using anna = await listens(d, 'anna')
    await anna.until('ready')
    anna.hangs()
    for (let i = 0; i < 2; i++) { await d.later(50); await lives(d, token) } // a slow machine has its own seconds beside
    assert.deepEqual([await stands('anna'), await stands('ben')], ['available', 'available'])
    for (let i = 0; i < 2; i++) { await d.later(25); await lives(d, token) }
    assert.deepEqual([await stands('anna'), await stands('ben')], ['offline', 'available'])
    anna.goesOn()
    assert.equal((await until(anna, 'end')).reason, 'silent')
    await d.later(180)
    assert.equal(await stands('ben'), 'offline')
    await d.rest('PATCH', `${API}/settings`, 'adam', { conversation: { showNumber: true } })
    await until(mute, 'settings')
  }, ROUND))

  it('FP-24 who may serve no more is here no more, at once, even where nobody reads how the stream ends', deskWith(CALM, { anna: 'agent', adam: 'admin' }, async d => {
    await using own = await listens(d, 'anna')
    await own.until('ready')
    await using mute = await listens(d, 'anna', '/me/events')
    await mute.until('ready')
    const stands = async (): Promise<string> => (await d.rest('GET', `${API}/board`, 'adam')).body.agents.find((a: { jid: string }) => a.jid === 'anna@localhost').status
    assert.equal(await stands(), 'available')
    assert.equal((await d.rest('PATCH', `${API}/roles/agent`, 'adam', { permissions: { 'chat.serve': false } })).status, 200)
    assert.equal(await stands(), 'offline')
    for (const r of [own, mute]) {
      assert.equal((await until(r, 'end')).reason, 'forbidden')
      assert.equal((await r.next()).event, 'closed')
    }
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'it burns')
    await zoe.reads(SUPPORT, /Nobody is here|People ahead/)
    assert.equal((await d.rest('GET', `${API}/me/events?show=available`, 'anna')).status, 403)
  }, ROUND))

  it('SEC-A06 is not here with a token that may only read, nor with one that is ended; who only listens is not here', deskWith(CALM, TWO, async d => {
    assert.equal((await d.rest('GET', `${API}/me/events?show=available`, 'anna', undefined, ['conversations:read'])).status, 403)
    assert.equal((await d.rest('GET', `${API}/me/events?show=lazy`, 'anna')).status, 422)
    await using quiet = await listens(d, 'anna', '/me/events')
    await quiet.until('ready')
    assert.equal((await d.rest('GET', `${API}/me`, 'anna')).body.status, 'offline')
    await using busy = await listens(d, 'anna', '/me/events?show=dnd')
    await busy.until('ready')
    assert.equal((await d.rest('GET', `${API}/me`, 'anna')).body.status, 'busy')
    for (const t of await listTokens(d.house.stores, 'localhost')) await removeToken(d.house.stores, 'localhost', t.id)
    await d.later(15)
    assert.equal((await until(busy, 'end')).reason, 'token')
    await isGone(d)
  }))
})
