// Once and in order: tickets that are merged, messages that come again, ratings, pages that were lost, clocks that are put back.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Jid } from '../../server/stanza/jid.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { refusal } from '../harness/bridge.ts'
import { after, Crowd, holds, TIMES } from '../harness/crowd.ts'
import { BOT, c, config, DESK, DeskHouse } from '../harness/desk.ts'
import { tempFolder } from '../harness/folder.ts'
import { until } from '../harness/patience.ts'
import { BOTH, deskWith, serves, TEAM } from '../harness/talks.ts'
import { HookSink, status } from '../unit/helpdesk/hook-sink.ts'
import { MailSink } from '../unit/helpdesk/mail-sink.ts'

const API = '/api/v1'
type Json = Awaited<ReturnType<DeskHouse['rest']>>['body'] // of any shape
const command = (d: DeskHouse, n: number, word: string, who: string, body: object = {}): ReturnType<DeskHouse['rest']> => d.rest('POST', `${API}/conversations/${n}/commands/${word}`, who, body)

describe('tickets', () => {
  it('SEC-D20 are merged while articles are added: each article stands in one, and what comes later goes where the others went', deskWith({}, TEAM, async d => {
    const make = async (subject: string): Promise<number> => (await d.rest('POST', `${API}/tickets`, 'mia', { subject, body: `first of ${subject}`, queue: 'support' })).body.number
    const bodies = async (n: number): Promise<string[]> => (await d.rest('GET', `${API}/tickets/${n}`, 'mia')).body.articles.map((a: Json) => a.body)
    for (let i = 0; i < Math.min(TIMES, 50); i++) {
      const [one, two] = [await make(`one ${i}`), await make(`two ${i}`)]
      const add = (n: number, body: string): ReturnType<DeskHouse['rest']> => d.rest('POST', `${API}/tickets/${n}/articles`, 'mia', { body })
      const merge = after(i % 5).then(() => d.rest('POST', `${API}/tickets/${one}/merge`, 'mia', { into: two }))
      const [a, b, merged, again] = await Promise.all([add(one, `a ${i}`), after(i % 7).then(() => add(one, `b ${i}`)), merge, d.rest('POST', `${API}/tickets/${one}/merge`, 'mia', { into: two })])
      assert.deepEqual([a.status, b.status, merged.status, again.status], [201, 201, 204, 204])
      assert.equal((await add(one, `late ${i}`)).status, 201)
      assert.deepEqual(await bodies(one), [])
      assert.deepEqual((await bodies(two)).sort(), [`a ${i}`, `b ${i}`, `first of one ${i}`, `first of two ${i}`, `late ${i}`].sort())
      assert.equal((await d.rest('POST', `${API}/tickets/${two}/merge`, 'mia', { into: one })).status, 404, 'not round in a circle')
    }
  }))

  it('SEC-D20 a merge that a crash cut short is ended at the next start', deskWith({}, TEAM, async d => {
    for (const subject of ['one', 'two']) await d.rest('POST', `${API}/tickets`, 'mia', { subject, body: `first of ${subject}`, queue: 'support' })
    const { documents } = d.house.stores
    const head = await documents.get<object>('desk-tickets', DESK, '0000000001')
    await documents.put('desk-ticket-merges', DESK, '0000000001', 2)
    await documents.put('desk-tickets', DESK, '0000000001', { ...head?.value, merged: 2, status: 'merged into 2' })
    await d.restart()
    await d.later(1)
    await until(async () => (await d.rest('GET', `${API}/tickets/2`, 'mia')).body.articles.length === 2, 'both stand there')
    assert.deepEqual((await d.rest('GET', `${API}/tickets/1`, 'mia')).body.articles, [])
  }))
})

describe('what comes again', () => {
  it('SEC-D21 a message left three times at once under one id is one, goes out once, marked as automatic, and nobody outside is answered', async () => {
    const sink = new MailSink()
    const port = await sink.listen()
    try {
      await deskWith({}, TEAM, async d => {
        await d.rest('PATCH', `${API}/settings`, 'adam', { offline: { operators: ['anna@localhost'] } })
        await d.rest('PATCH', `${API}/operators/anna@localhost`, 'adam', { email: 'anna@example.org' })
        const crowd = await Crowd.of(d)
        const leave = (id: string, text: string): ReturnType<typeof crowd.ask> => crowd.ask('v1', 'set', `<leave queue='support' name='Alice' email='alice@example.org' id='${id}'><body>${text}</body></leave>`)
        const all = await Promise.all([1, 2, 3].map(() => leave('m1', 'Please call me back.')))
        assert.deepEqual(all.map(x => x.attrs['type']), ['result', 'result', 'result'])
        assert.equal((await leave('m2', 'And once more.')).attrs['type'], 'result')
        const mails = await sink.arrived(2)
        await d.restart() // what would be sent again would be sent now
        await d.later(60)
        assert.deepEqual(mails.map(m => [m.to, m.headers.get('auto-submitted')]), [[['anna@example.org'], 'auto-generated'], [['anna@example.org'], 'auto-generated']])
        assert.equal(sink.mails.length, 2)
      }, config(BOTH, { mail: { host: '127.0.0.1', port, tls: 'none', from: 'desk@example.org', name: 'Desk' } }))()
    } finally { await sink.close() }
  })

  it('SEC-D27 a rating counts once: a second is a conflict, so is one that comes late; somebody else’s talk is not found', deskWith({ conversation: { survey: true } }, TEAM, async d => {
    const crowd = await Crowd.of(d)
    const rates = (who: string, n: number, rating: string): ReturnType<typeof crowd.ask> => crowd.ask(who, 'set', `<survey conversation='${n}' rating='${rating}'/>`)
    const opened = async (n: number): Promise<void> => {
      await d.comes('anna')
      await d.quiet()
      assert.equal(Number((await crowd.ask('v1', 'set', `<open queue='support' id='o${n}' name='Alice'><body>hello</body></open>`)).getChild('conversation')?.attrs['number']), n)
      assert.equal((await command(d, n, 'take', 'mia')).status, 200)
      assert.equal((await command(d, n, 'close', 'mia')).status, 200)
    }
    await opened(1)
    assert.equal(refusal(await rates('v2', 1, '1')).condition, 'item-not-found')
    assert.equal(refusal(await rates('v1', 1, '9')).condition, 'not-acceptable')
    const both = await Promise.all([rates('v1', 1, '4'), rates('v1', 1, '2')])
    assert.deepEqual(both.map(x => x.attrs['type']), ['result', 'error'])
    assert.equal(refusal(both[1]!).condition, 'conflict')
    assert.equal((await d.rest('GET', `${API}/conversations/1/dossier`, 'mia')).body.survey.rating, 4)
    await opened(2)
    await d.later(7 * 86_400 + 1)
    assert.equal(refusal(await rates('v1', 2, '5')).condition, 'conflict')
    assert.equal((await d.rest('GET', `${API}/conversations/2/dossier`, 'mia')).body.survey ?? null, null)
  }))
})

describe('one history', () => {
  it('SEC-D11 for a customer whose page, or client, was lost in the midst of a transfer: everything once and in order', deskWith({}, TEAM, async d => {
    const [anna] = [await d.comes('anna'), await d.comes('ben')]
    const crowd = await Crowd.of(d)
    const n = await crowd.begins('v1', 'from the page', 'billing')
    await command(d, n, 'take', 'anna')
    const before = await crowd.lines('v1', n)
    await command(d, n, 't', 'anna', { to: 'ben' })
    await crowd.ask('v1', 'set', `<gone conversation='${n}'/>`)
    await command(d, n, 'say', 'anna', { text: 'Ben knows more' })
    await command(d, n, 'a', 'ben')
    await command(d, n, 'say', 'ben', { text: 'Ben here' })
    await crowd.ask('v1', 'set', `<back conversation='${n}'/>`)
    const missed = await crowd.lines('v1', n, before.length)
    assert.deepEqual([...before, ...missed].map(l => Number(l.split(' ')[0])), Array.from({ length: before.length + missed.length }, (_, i) => i + 1))
    assert.deepEqual(missed.map(l => l.split(': ')[1]), ['Ben knows more', 'Ben joined.', 'Ben here'])
    // The same for a plain client, which is not there.
    const zoe = await serves(d, anna, 2, 'zoe', 'hello', `billing@${DESK}`)
    await command(d, 2, 't', 'anna', { to: 'ben' })
    zoe.actor.leaves()
    await until(() => !d.house.host.accounts.online(Jid.parse('zoe@localhost'))?.resources.size, 'her absence is noticed')
    await command(d, 2, 'say', 'anna', { text: 'one' })
    await command(d, 2, 'a', 'ben')
    await command(d, 2, 'say', 'ben', { text: 'two' })
    const back = await d.comes('zoe')
    await back.reads(`billing@${DESK}`, 'one')
    await back.reads(`billing@${DESK}`, /Ben joined/)
    await back.reads(`billing@${DESK}`, 'two')
    assert.ok(!(await back.all()).some(l => /: (one|two)$/.test(l)))
  }))

  it('SEC-D22 for whoever is told late or out of turn: each happening has its number, and lists and pages show the newest', async () => {
    const sink = new HookSink()
    const url = `http://127.0.0.1:${await sink.listen()}/hook`
    try {
      await deskWith({}, TEAM, async d => {
        assert.equal((await d.rest('POST', `${API}/webhooks`, 'adam', { url, types: ['*'] })).status, 201)
        for (let i = 0; i < 3; i++) sink.answers.push(status(500))
        const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
        const crowd = await Crowd.of(d)
        for (const n of [1, 2]) assert.equal(await crowd.begins(`v${n}`, 'hello', 'billing'), n)
        for (let i = 0; i < 3; i++) for (const n of [1, 2]) {
          await command(d, n, 'take', 'anna')
          await command(d, n, 't', 'anna', { to: i === 2 && n === 1 ? 'ben' : 'group:billing' })
        }
        await command(d, 1, 'a', 'ben')
        await until(async () => { await d.later(10); return sink.heard.length >= 24 }, 'all is told')
        const heard = sink.heard.map(h => JSON.parse(h.body) as { id: string; type: string; conversation: number; data: { owner?: string } })
        for (const n of [1, 2]) {
          const mine = heard.filter(h => h.conversation === n)
          const order = mine.map(h => h.id.split('-').slice(1).map(Number)).map(([commit = 0, i = 0]) => commit * 100 + i)
          assert.deepEqual(order, order.toSorted((a, b) => a - b), 'a later number is never told first')
        }
        // Put into the order of their numbers, in whatever order they came, they give what REST says.
        const last = heard.toReversed().filter(h => h.conversation === 1 && h.type === 'conversation.assigned').sort((a, b) => Number(b.id.split('-')[1]) - Number(a.id.split('-')[1]))[0]
        const one = (await d.rest('GET', `${API}/conversations/1`, 'adam')).body
        assert.deepEqual([last?.data.owner, one.owner], ['ben@localhost', 'ben@localhost'])
        // So does a contact list that is asked for now.
        const groups = async (p: typeof anna): Promise<string[]> => {
          p.actor.sends`<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>`
          const list = await p.actor.hears`<iq type='result' id='r'/>`
          return (list.getChild('query')?.getChildren('item') ?? []).filter(i => /^c\d/.test(String(i.attrs['jid']))).map(i => `${String(i.attrs['jid']).split('@')[0]} ${i.getChildText('group')}`).sort()
        }
        await d.later(2)
        assert.deepEqual([await groups(anna), await groups(ben)], [['c2 Waiting'], ['c1 My chats', 'c2 Waiting']])
        assert.match(await crowd.news('v1'), /state="active".*agent="Ben"/)
      }, config(BOTH, { allow: ['127.0.0.0/8'] }))()
    } finally { await sink.close() }
  })
})

describe('a clock', () => {
  it('SEC-D31 that is put back by five seconds makes no wait negative, lets nobody before who came first, and leaves the log in order', async () => {
    const folder = tempFolder('clock')
    const file = join(folder, 'desk.sqlite')
    try {
      {
        await using d = await DeskHouse.open(TEAM, config({ support: { assign: 'pull' } }), await openSqlite({ file }))
        await d.comes('anna')
        await d.later(5)
        await (await Crowd.of(d)).begins('v1')
        await d.later(1)
      }
      await using d = await DeskHouse.open({}, config({ support: { assign: 'pull' } }), await openSqlite({ file })) // its clock is six seconds behind the log
      const anna = await d.comes('anna')
      await d.quiet()
      const crowd = await Crowd.of(d)
      await crowd.begins('v2')
      anna.types(BOT, '!q')
      const { text } = await anna.reads(BOT, /#1/)
      assert.match(text, /#1 .*waits 0:0\d[\s\S]*#2 .*waits 0:0\d/)
      anna.types(BOT, '!take')
      await anna.reads(c(1), /waited 0:0\d/)
      for (const s of (await d.rest('GET', `${API}/lists/active`, 'adam')).body.items ?? []) for (const [k, v] of Object.entries(s)) if (typeof v === 'number') assert.ok(v >= 0, k)
      await holds(d)
    } finally { rmSync(folder, { recursive: true, force: true }) }
  })
})
