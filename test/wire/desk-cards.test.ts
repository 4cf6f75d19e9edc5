// What is known of a customer, and a conversation as text, page, PDF and mail: never a line that was internal.
import assert from 'node:assert/strict'
import { BOT, c, config, desk, DESK, type DeskHouse, type Person } from '../harness/desk.ts'
import { begins } from '../harness/bridge.ts'
import { BOTH, deskWith, serves, TEAM } from '../harness/talks.ts'
import { MailSink } from '../unit/helpdesk/mail-sink.ts'

const DAY = 86_400
const FIELDS = { fields: { order: { label: 'Order number' } } }
const API = '/api/v1'

/** Zoe's #1 with Anna: public lines, a note, coaching, a custom field. */
async function talked(d: DeskHouse): Promise<Person> {
  const anna = await d.comes('anna')
  const zoe = await serves(d, anna, 1, 'zoe', 'my pump is <b>broken</b>')
  anna.types(c(1), 'we send you a new one')
  anna.types(c(1), '!n hidden note')
  anna.types(c(1), '!c hidden coaching')
  anna.types(c(1), '!res hidden resolution')
  await anna.reads(c(1), /resolution/)
  zoe.types(`support@${DESK}`, 'thank you, goodbye')
  await anna.reads(c(1), 'thank you, goodbye')
  await d.quiet()
  return anna
}
/** A transcript as it is fetched. */
async function transcript(d: DeskHouse, kind: string): Promise<{ status: number; type: string; bytes: Buffer }> {
  const { port, token } = await d.address('anna')
  const answer = await fetch(`http://127.0.0.1:${port}${API}/conversations/1/transcript.${kind}`, { headers: { authorization: `Bearer ${token}` } })
  return { status: answer.status, type: answer.headers.get('content-type') ?? '', bytes: Buffer.from(await answer.arrayBuffer()) }
}
const card = async (d: DeskHouse, n = 1, who = 'mia') => (await d.rest('GET', `${API}/conversations/${n}/customer`, who)).body // JSON of any shape

describe('transcripts', () => {
  it('OT-36 is fetched as PDF, over REST and by the link that !pdf gives', deskWith({}, TEAM, async d => {
    const anna = await talked(d)
    const pdf = await transcript(d, 'pdf')
    assert.equal(pdf.status, 200)
    assert.equal(pdf.type, 'application/pdf')
    assert.equal(pdf.bytes.subarray(0, 4).toString(), '%PDF')
    anna.types(c(1), '!pdf')
    const link = /\/api\/v1\/exports\/\S+/.exec((await anna.reads(c(1), /transcript of #1/)).text)?.[0] ?? ''
    const { port } = await d.address('anna')
    const fetched = await fetch(`http://127.0.0.1:${port}${link}`)
    assert.equal(Buffer.from(await fetched.arrayBuffer()).subarray(0, 4).toString(), '%PDF')
    assert.equal((await fetch(`http://127.0.0.1:${port}${link}`)).status, 404)
  }))

  it('ST-53 ST-54 has details, custom fields and every public line, and nothing internal', deskWith(FIELDS, TEAM, async d => {
    await talked(d)
    assert.equal((await d.rest('PUT', `${API}/conversations/1/fields/order`, 'anna', { value: 'A-77' })).status, 200)
    for (const kind of ['txt', 'html']) {
      const { status, bytes } = await transcript(d, kind)
      assert.equal(status, 200)
      const text = bytes.toString()
      for (const part of ['Support', 'Zoe', 'Order number', 'A-77', 'we send you a new one', 'thank you, goodbye']) assert.ok(text.includes(part), `${kind}: ${part}`)
      assert.ok(!/hidden|<b>broken|!n/.test(kind === 'html' ? text : text.replace('<b>broken', '')), `${kind} shows what is internal`)
    }
    for (const kind of ['txt', 'html', 'pdf']) assert.equal((await d.rest('GET', `${API}/conversations/1/transcript.${kind}`, 'ben')).status, 404)
  }))

  it('ST-48 SEC-W16 goes by mail to the customer or an operator, and to nobody else', async () => {
    const sink = new MailSink()
    const port = await sink.listen()
    try {
      await desk(TEAM, async d => {
        const anna = await talked(d)
        const { id } = await card(d)
        assert.equal((await d.rest('POST', `${API}/conversations/1/transcript`, 'anna', {})).status, 409)
        assert.equal((await d.rest('PATCH', `${API}/customers/${id}`, 'anna', { email: 'zoe@example.org' })).status, 200)
        assert.equal((await d.rest('POST', `${API}/conversations/1/transcript`, 'anna', { to: 'eve@example.org' })).status, 403)
        assert.equal((await d.rest('POST', `${API}/conversations/1/transcript`, 'anna', { to: 'zoe@example.org, eve@example.org' })).status, 422)
        assert.equal((await d.rest('POST', `${API}/conversations/1/transcript`, 'anna', {})).status, 202)
        anna.types(c(1), '!mail zoe@example.org')
        await anna.reads(c(1), /mailed to zoe@example\.org/)
        const mails = await sink.arrived(2)
        for (const m of mails) {
          assert.deepEqual(m.to, ['zoe@example.org'])
          const text = m.raw.replace(/=\r\n/g, '')
          assert.match(text, /thank you, goodbye/)
          assert.ok(!/hidden/.test(text))
        }
      }, config(BOTH, { mail: { host: '127.0.0.1', port, tls: 'none', from: 'desk@example.org', name: 'Desk' } }))()
    } finally { await sink.close() }
  })
})

describe('the card of a customer', () => {
  it('ST-59 ST-103 shows every detail, empty ones as null, and keeps what is set', deskWith(FIELDS, TEAM, async d => {
    const anna = await talked(d)
    const before = await card(d)
    for (const k of ['email', 'timeZone', 'language', 'website', 'address', 'avatar', 'avatarApproved', 'subscribed']) assert.equal(before[k], null, k)
    assert.deepEqual(before.phones, [])
    const set = { email: 'zoe@example.org', timeZone: 'Europe/Vienna', language: 'de', website: 'https://zoe.example.org', phones: ['+43 1 234'], address: 'Ring 1', avatar: 'https://zoe.example.org/a.png', avatarApproved: true, subscribed: false, fields: { order: 'A-77' } }
    assert.equal((await d.rest('PATCH', `${API}/customers/${before.id}`, 'anna', set)).status, 200)
    assert.equal((await d.rest('POST', `${API}/customers/${before.id}/comments`, 'anna', { text: 'pays late' })).status, 201)
    const after = await card(d)
    for (const [k, v] of Object.entries(set)) assert.deepEqual(after[k], v, k)
    assert.deepEqual([after.authentication, after.roles, after.comments[0].text, after.comments[0].by], ['XMPP account', ['customer'], 'pays late', 'anna@localhost'])
    for (const wrong of [{ email: 'no address' }, { timeZone: 'Mars' }, { role: 'admin' }, { verified: true }, { id: 'x' }, { subscribed: 'yes' }, { fields: { none: '1' } }]) assert.equal((await d.rest('PATCH', `${API}/customers/${before.id}`, 'anna', wrong)).status, 422, JSON.stringify(wrong))
    assert.equal((await d.rest('GET', `${API}/customers/${before.id}`, 'ben')).status, 404, 'who never served this customer does not see the card')
    anna.types(c(1), '!who')
    const { text } = await anna.reads(c(1), /#1 Zoe/)
    for (const part of ['zoe@example.org', 'Europe/Vienna', 'de', 'pays late', '1 conversation']) assert.ok(text.includes(part), part)
  }))

  it('ST-60 counts the last 7, 30 and 90 days and all, right at the edges', deskWith({}, TEAM, async d => {
    const anna = await talked(d)
    anna.types(c(1), '!time 5 talking')
    await anna.reads(c(1), /5 min/)
    anna.types(c(1), '!close')
    await anna.reads(c(1), /closed/)
    const chats = async () => (await card(d)).statistics.chats
    assert.deepEqual(await chats(), { last7: 1, last30: 1, last90: 1, all: 1 })
    assert.equal((await card(d)).statistics.timeLogs.last7, 1)
    const gone = (days: number): number => days * DAY - (d.house.clock.now() - started) / 1000
    const started = Date.parse((await card(d)).chats[0].started)
    for (const [days, at, past] of [[7, { last7: 1, last30: 1, last90: 1, all: 1 }, { last7: 0, last30: 1, last90: 1, all: 1 }], [30, { last7: 0, last30: 1, last90: 1, all: 1 }, { last7: 0, last30: 0, last90: 1, all: 1 }], [90, { last7: 0, last30: 0, last90: 1, all: 1 }, { last7: 0, last30: 0, last90: 0, all: 1 }]] as const) {
      await d.later(gone(days) - 60)
      assert.deepEqual(await chats(), at, `${days} days`)
      await d.later(120)
      assert.deepEqual(await chats(), past, `more than ${days} days`)
    }
  }))

  it('ST-61 ST-105 ST-63 tells the last login, ticket and chat, and of each chat group, start and time in the queue', deskWith({}, TEAM, async d => {
    const anna = await talked(d)
    assert.equal((await card(d)).history.lastTicket, null)
    anna.types(c(1), '!newticket Pump')
    await anna.reads(c(1), /Ticket 1/)
    anna.types(c(1), '!close')
    await anna.reads(c(1), /closed/)
    await d.later(100)
    anna.types(BOT, '!off')
    await anna.reads(BOT, /no new customers/)
    const ben = await d.comes('ben', '<presence><show>away</show></presence>')
    const zoe = await d.comes('zoe')
    zoe.types(`billing@${DESK}`, 'an invoice')
    await ben.reads(BOT, /#2 Zoe waits/)
    await d.later(42)
    ben.types(BOT, '!take 2')
    await ben.reads(c(2), 'an invoice')
    await d.later(3)
    const { chats, history, tickets } = await card(d)
    assert.deepEqual(chats.map((s: { number: number; group: string }) => [s.number, s.group]), [[2, 'Billing'], [1, 'Support']])
    assert.ok(chats[0].queueTime >= 42 && chats[0].queueTime < 60, `${chats[0].queueTime}`)
    assert.equal(chats[0].started, history.lastChat)
    assert.ok(Date.parse(history.lastLogin) >= Date.parse(chats[1].started))
    assert.equal(tickets[0].opened, history.lastTicket)
    assert.deepEqual([tickets[0].number, tickets[0].subject], [1, 'Pump'])
  }))

  it('ST-62 ST-81 has all chats that were started with the same mail address', deskWith({}, TEAM, async d => {
    const anna = await talked(d)
    await serves(d, anna, 2, 'yan', 'hello')
    const [zoe, yan] = [await card(d, 1), await card(d, 2)]
    for (const { id } of [zoe, yan]) await d.rest('PATCH', `${API}/customers/${id}`, 'anna', { email: 'family@example.org' })
    assert.deepEqual((await card(d, 1)).chats.map((s: { number: number }) => s.number), [2, 1])
    const found = await d.rest('GET', `${API}/conversations?email=FAMILY@example.org`, 'mia')
    assert.deepEqual(found.body.conversations.map((s: { number: number }) => s.number), [2, 1])
  }))

  it('ST-104 lists the customer’s tickets with status, subject, messages and agent, no others, and merges two', deskWith({}, TEAM, async d => {
    const anna = await talked(d)
    await serves(d, anna, 2, 'yan', 'hello')
    anna.types(c(2), '!newticket Foreign')
    await anna.reads(c(2), /Ticket 1/)
    for (const [n, subject] of [[2, 'Pump'], [3, 'Hose']] as const) {
      anna.types(c(1), `!newticket ${subject}`)
      await anna.reads(c(1), new RegExp(`Ticket ${n}`))
    }
    await d.quiet()
    const { tickets } = await card(d)
    assert.deepEqual(tickets.map((t: { number: number; subject: string; status: string; messages: number; agent: string }) => [t.number, t.subject, t.status, t.messages, t.agent]).sort(), [[2, 'Pump', 'open', 1, 'anna@localhost'], [3, 'Hose', 'open', 1, 'anna@localhost']])
    assert.equal((await d.rest('POST', `${API}/tickets/3/merge`, 'mia', { into: 2 })).status, 204)
    assert.equal((await d.rest('GET', `${API}/tickets/2`, 'mia')).body.articles.length, 2)
    assert.equal((await d.rest('GET', `${API}/tickets/3`, 'mia')).body.articles.length, 0)
    assert.equal((await d.rest('POST', `${API}/tickets/3/merge`, 'mia', { into: 99 })).status, 404)
  }))

  it('ST-106 counts calls with number, group and length', deskWith({}, TEAM, async d => {
    const anna = await talked(d)
    anna.types(c(1), '!call +431234 7 asked for Zoe')
    await anna.reads(c(1), /call/)
    const { calls, statistics } = await card(d)
    assert.equal(statistics.calls.all, 1)
    assert.deepEqual([calls[0].number, calls[0].group, calls[0].minutes], ['+431234', 'Support', 7])
  }))

  it('ST-107 lists surveys with name, date, conversation and score, and what was filled in before the chat', deskWith({ conversation: { survey: true }, fields: { order: { label: 'Order number', ask: true } } }, TEAM, async d => {
    const anna = await d.comes('anna')
    const web = await d.comes('web')
    assert.equal(await begins(web, { fields: { order: 'A-77' } }), 1)
    await anna.reads(BOT, /#1/)
    anna.types(BOT, '!a')
    await anna.reads(BOT, /accepted/)
    await serves(d, anna, 2, 'zoe', 'hello')
    anna.types(c(2), '!end')
    const zoe = await d.comes('zoe')
    await anna.reads(c(2), /has ended/)
    zoe.types(`support@${DESK}`, '!rate 4 very kind')
    await zoe.reads(`support@${DESK}`, /Thank you/)
    const { surveys } = await card(d, 2)
    assert.deepEqual(surveys.map((x: { name: string; conversation: number; score: number; completed: string }) => [x.name, x.conversation, x.score, Number.isNaN(Date.parse(x.completed))]), [['Satisfaction', 2, 4, false]])
    const { forms } = await card(d, 1)
    assert.deepEqual(forms.map((x: { name: string; conversation: number; fields: object }) => [x.name, x.conversation, x.fields]), [['Before the chat', 1, { order: 'A-77' }]])
  }))

  it('ST-82 custom fields are criteria of a search', deskWith(FIELDS, TEAM, async d => {
    const anna = await talked(d)
    await serves(d, anna, 2, 'yan', 'hello')
    await d.rest('PUT', `${API}/conversations/1/fields/order`, 'anna', { value: 'A-77' })
    await d.rest('PUT', `${API}/conversations/2/fields/order`, 'anna', { value: 'B-12' })
    await d.quiet()
    const found = async (q: string) => (await d.rest('GET', `${API}/conversations?${q}`, 'mia')).body.conversations.map((s: { number: number }) => s.number)
    assert.deepEqual(await found('field.order=a-77'), [1])
    assert.deepEqual(await found('field.order=b-12&q=hello'), [2])
    assert.deepEqual(await found('field.order=a-77&q=hello'), [])
    assert.deepEqual(await found('q=resolution+hidden'), [1])
  }))
})
