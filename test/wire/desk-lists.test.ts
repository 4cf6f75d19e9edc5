// Lists of conversations: whose they are, columns, filters, order, several at once.
import assert from 'node:assert/strict'
import { BOT, c, config, DESK, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { deskWith, serves, TEAM } from '../harness/talks.ts'
import type { Row } from '../../components/helpdesk/lists.ts'

const CALM = { quality: { idleWarning: 60, idleCritical: 120 }, handOff: { closed: { enabled: false } }, departments: { help: { queues: ['support'] }, money: { queues: ['billing'] } } }
const PULL = config({ support: { assign: 'pull' }, billing: { assign: 'pull' } })
const BILLING = 'billing@help.localhost'
const list = async (d: DeskHouse, path: string, who = 'mia'): Promise<Row[]> => {
  const { status, body } = await d.rest('GET', `/api/v1/lists/${path}`, who)
  assert.equal(status, 200, JSON.stringify(body))
  return body.rows
}
const numbers = async (d: DeskHouse, path: string, who?: string): Promise<number[]> => (await list(d, path, who)).map(r => r.number)
const says = async (p: Person, line: string, answer: RegExp, to = BOT): Promise<string> => { p.types(to, line); return (await p.reads(to, answer)).text }
const waits = async (d: DeskHouse, name: string, queue = SUPPORT): Promise<Person> => {
  const p = await d.comes(name)
  p.types(queue, `I am ${name}`)
  await p.reads(queue, /People ahead/)
  return p
}
/** A visitor of a web page: a bridge speaks for him, the same one for all who follow. */
async function visits(d: DeskHouse, name: string, more: readonly string[] = []): Promise<void> {
  const bridge = await d.house.component('web.localhost', 'secret')
  for (const [i, n] of [name, ...more].entries()) {
    bridge.sends`<iq type='set' id='o${i}' from='v${i}@web.localhost' to='help.localhost'><open xmlns='urn:deskbell:desk:0' queue='support' id='x' name='${n}'><body>hi</body></open></iq>`
    while ((await bridge.next()).attrs['id'] !== `o${i}`);
  }
}

describe('lists', () => {
  it('OT-02 OT-03 OT-20 requests of customers, of the public and of agents stand in lists of their own, and what is active in another', deskWith(CALM, TEAM, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    await serves(d, anna, 1, 'zoe')
    await waits(d, 'yan')
    await visits(d, 'Paul')
    anna.types(c(1), '!i ben')
    await ben.reads(BOT, /asks you into #1/)
    assert.deepEqual([await numbers(d, 'customers', 'ben'), await numbers(d, 'public', 'ben'), await numbers(d, 'agents', 'ben'), await numbers(d, 'queue', 'ben'), await numbers(d, 'active')], [[2], [3], [1], [2, 3], [1]])
    assert.equal((await list(d, 'agents', 'ben'))[0]?.user, 'Anna')
    await says(ben, '!list public', /#3 Paul · Support · waiting/)
    await says(ben, '!list agents', /#1 Anna/)
  }, PULL))
  it('OT-04 a personal preference shows all channels or only one’s own', deskWith({ ...CALM, queues: { night: { agents: ['ben@localhost'], assign: 'pull' } } }, TEAM, async d => {
    await d.comes('anna')
    const [ben, mia] = [await d.comes('ben'), await d.comes('mia', '<presence><show>dnd</show></presence>')]
    await waits(d, 'zoe')
    await waits(d, 'yan', 'night@help.localhost')
    assert.deepEqual(await numbers(d, 'queue'), [1, 2])
    await says(mia, '!channels mine', /your channels only/)
    assert.deepEqual(await numbers(d, 'queue'), [1])
    assert.deepEqual(await numbers(d, 'queue?channels=all'), [1, 2])
    await says(mia, '!channels all', /all channels/)
    assert.deepEqual(await numbers(d, 'queue'), [1, 2])
    await says(ben, '!list queue', /#2 Yan/)
  }, PULL))
  it('ST-03 ST-04 an agent sees his own alone; a manager all of several departments', deskWith(CALM, TEAM, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    await serves(d, anna, 1, 'zoe')
    await serves(d, ben, 2, 'yan', 'hi', BILLING)
    assert.deepEqual([await numbers(d, 'mine', 'anna'), await numbers(d, 'active')], [[1], [1, 2]])
    for (const other of ['active', 'completed']) assert.equal((await d.rest('GET', `/api/v1/lists/${other}`, 'anna')).status, 403)
    await says(anna, '!list active', /your own conversations only/)
  }, PULL))
  it('ST-06 RULE-C32 one’s own come first; the past ones are all that one owned at some time', deskWith(CALM, TEAM, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    await serves(d, anna, 1, 'zoe')
    await says(anna, '!list mine', /#1 Zoe/)
    await says(anna, '!t ben', /offered to Ben/, c(1))
    ben.types(BOT, '!a')
    await ben.reads(c(1), 'hello')
    await says(ben, '!close', /closed/, c(1))
    await d.quiet()
    assert.deepEqual([await numbers(d, 'done', 'anna'), await numbers(d, 'done', 'ben'), await numbers(d, 'mine', 'ben')], [[1], [1], []])
    await says(anna, '!mine', /no conversations/)
    await says(anna, '!done', /#1 \(Zoe\)/)
  }, PULL))
  it('ST-07 ST-97 lists are narrowed to a department, a queue or an agent', deskWith(CALM, TEAM, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    await serves(d, anna, 1, 'zoe')
    await serves(d, ben, 2, 'yan', 'hi', BILLING)
    await waits(d, 'xena', BILLING)
    assert.deepEqual([await numbers(d, 'active?dept=money'), await numbers(d, 'active?queue=support'), await numbers(d, 'active?agent=anna@localhost'), await numbers(d, 'queue?dept=money'), await numbers(d, 'queue?dept=help')], [[2], [1], [1], [3], []])
    const mia = await d.comes('mia', '<presence><show>dnd</show></presence>')
    assert.doesNotMatch(await says(mia, '!list active agent:ben', /#2 Yan/), /#1/)
    await says(ben, '!close', /closed/, c(2))
    await d.quiet()
    assert.deepEqual([await numbers(d, 'completed?agent=ben@localhost'), await numbers(d, 'completed?agent=anna@localhost'), await numbers(d, 'completed?dept=money')], [[2], [], [2]])
  }, PULL))
  it('ST-08 a manager of some departments sees nothing of the others', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    await serves(d, anna, 1, 'zoe')
    await serves(d, anna, 2, 'yan', 'hi', BILLING)
    assert.equal((await d.rest('PATCH', '/api/v1/operators/mia%40localhost', 'adam', { departments: ['help'] })).status, 200)
    assert.deepEqual(await numbers(d, 'active'), [1])
  }, PULL))
  it('ST-09 ST-10 ST-11 ST-12 ST-14 the columns, and those that are asked for', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    const zoe = await waits(d, 'zoe')
    await d.later(65)
    assert.equal((await list(d, 'queue'))[0]?.queueTime, 65)
    await says(anna, '!take 1', /yours/)
    await d.later(10)
    anna.types(c(1), 'yes?')
    await zoe.reads(SUPPORT, 'yes?')
    anna.types(c(1), '!n a note')
    await anna.reads(c(1), /Noted/)
    await says(anna, '!follow 2h', /Follow-up/, c(1))
    await d.later(30)
    const [row] = await list(d, 'active')
    assert.deepEqual([row?.status, row?.followUp, row?.user, row?.group, row?.queueTime, row?.idle, row?.messages, row?.agent], ['active', true, 'Zoe', 'Support', 65, 30, 2, 'anna@localhost'])
    assert.deepEqual(await list(d, 'active?fields=user,messages'), [{ user: 'Zoe', messages: 2 }])
    assert.equal((await d.rest('GET', '/api/v1/lists/active?fields=shoe', 'mia')).status, 422)
  }, PULL))
  it('ST-09 SEC-W18 the lists go into a spreadsheet, where no name is a formula', deskWith(CALM, TEAM, async d => {
    await d.comes('anna')
    await visits(d, '=cmd|calc', ['Paul, 2nd'])
    const { token } = await d.address('mia')
    const get = async (path: string, accept?: string): Promise<Response> => fetch(`${await d.url()}/api/v1/lists/${path}`, { headers: { authorization: `Bearer ${token}`, ...(accept === undefined ? {} : { accept }) } })
    const answer = await get('queue?fields=number,user,agent,followUp', 'text/csv, application/json;q=0.5')
    assert.deepEqual([answer.status, answer.headers.get('content-type'), answer.headers.get('content-disposition')], [200, 'text/csv; charset=utf-8; header=present', 'attachment; filename="queue.csv"'])
    const table = `number,followUp,user,agent\r\n1,false,"'=cmd|calc",\r\n2,false,"Paul, 2nd",\r\n`
    assert.equal(await answer.text(), table)
    assert.equal(await (await get('queue.csv?fields=number,user,agent,followUp')).text(), table)
    assert.equal((await get('queue', 'text/csv;q=0.1, application/json')).headers.get('content-type')?.split(';')[0], 'application/json')
    assert.equal((await get('nothing.csv')).status, 404)
    assert.equal((await get('queue.csv?fields=secret')).status, 422)
  }, PULL))

  it('ST-16 any column orders the list either way, and idle decides among equals', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    const people: Person[] = []
    for (const [i, name] of ['zoe', 'yan', 'xena'].entries()) people.push(await serves(d, anna, i + 1, name))
    for (const n of [2, 3, 1]) {
      anna.types(c(n), 'yes')
      await people[n - 1]!.reads(SUPPORT, 'yes')
      await d.later(10)
    }
    assert.deepEqual([await numbers(d, 'active?sort=group'), await numbers(d, 'active?sort=-group'), await numbers(d, 'active?sort=user'), await numbers(d, 'active?sort=-user'), await numbers(d, 'active?sort=idle')], [[1, 3, 2], [2, 3, 1], [3, 2, 1], [1, 2, 3], [1, 3, 2]])
    assert.equal((await d.rest('GET', '/api/v1/lists/active?sort=shoe', 'mia')).status, 422)
    const first = (await d.rest('GET', '/api/v1/lists/active?limit=2', 'mia')).body
    assert.deepEqual([first.total, first.rows.length, first.next], [3, 2, '2'])
    assert.deepEqual(await numbers(d, `active?limit=2&after=${first.next}`), [3])
  }, PULL))
  it('ST-15 ST-17 several at once: what is refused is reported, the rest is done', deskWith(CALM, TEAM, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    await serves(d, anna, 1, 'zoe')
    await serves(d, anna, 2, 'yan')
    await serves(d, ben, 3, 'xena')
    await says(anna, '!bulk nothing t ben', /Select conversations first/)
    const text = await says(anna, '!bulk 1,2,3 t group:billing', /2 done, 1 refused/)
    assert.match(text, /#3: /)
    assert.deepEqual(await numbers(d, 'queue?queue=billing'), [1, 2])
    const { status, body } = await d.rest('POST', '/api/v1/commands/bulk', 'ben', { conversations: 'queue', command: 'take' })
    assert.deepEqual([status, body.text], [200, '2 done.'])
    await d.quiet()
    assert.deepEqual(await numbers(d, 'mine', 'ben'), [1, 2, 3])
    await says(ben, '!bulk mine close', /3 done/)
  }, PULL))
  it('ST-18 ST-101 grey, green, yellow, red: by how long a line has no answer', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    const zoe = await serves(d, anna, 1, 'zoe')
    const colour = async (l = 'active'): Promise<string | undefined> => (await list(d, l))[0]?.idleColour
    assert.equal(await colour(), 'green')
    await d.later(60)
    assert.equal(await colour(), 'yellow')
    await d.later(60)
    assert.equal(await colour(), 'red')
    anna.types(c(1), 'sorry')
    await zoe.reads(SUPPORT, 'sorry')
    assert.equal(await colour(), 'grey')
    anna.types(c(1), '!close')
    await zoe.reads(SUPPORT, '✱ The chat has ended.')
    await d.quiet()
    assert.equal(await colour('completed'), 'red')
  }, PULL))
  it('ST-94 ST-100 ST-19 the header shows how long it lasts and its status', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    await serves(d, anna, 1, 'zoe')
    await d.later(38)
    await says(anna, '!dossier', /0m 38s/, c(1))
    await says(anna, '!close', /closed/, c(1))
    await says(anna, '!dossier 1', /Completed · 0m 38s/)
  }, PULL))

  it('ST-06 ST-97 one’s own past conversations are found behind any number of others’; a list goes on where it ended, and no request looks through all there is', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    const zoe = await serves(d, anna, 1, 'zoe')
    await says(anna, '!close', /closed/, c(1))
    await zoe.reads(SUPPORT, '✱ The chat has ended.')
    await d.quiet()
    // Ben's, as the desk keeps what is over: more than are looked through at once.
    const { documents, search } = d.house.stores
    const [last, found, at] = [5300, 1300, d.house.clock.now()]
    const key = (n: number): string => String(n).padStart(10, '0')
    const others = Array.from({ length: last - 1 }, (_, i) => i + 2)
    await Promise.all(others.map(n => documents.put('desk-conversations', DESK, key(n), { number: n, state: 'closed', queue: 'billing', customer: 'Yan', customerId: 'yan', owners: ['ben@localhost'], opened: at + n, closed: at + n })))
    await Promise.all(others.slice(-found).map(n => search.put(`${DESK}/conversations`, { id: key(n), at: at + n, text: {}, marks: { number: n, queue: 'billing', status: 'closed', deleted: false, agents: ['ben@localhost'], owner: 'ben@localhost', customer: 'yan' }, order: { number: n, messages: n % 700, idle: 0, agent: 'ben@localhost', queue: 'billing' } })))
    assert.deepEqual(await numbers(d, 'done', 'anna'), [1])
    await says(anna, '!done', /^✱ #1 \(Zoe\)/)
    assert.deepEqual([await numbers(d, 'completed?agent=anna@localhost'), await numbers(d, 'completed?queue=support'), await numbers(d, 'completed?dept=help')], [[1], [1], [1]])
    // All of them, in any order, on as many pages as it takes.
    const walk = async (query: string): Promise<number[]> => {
      const all: number[] = []
      for (let after = ''; ;) {
        const { status, body } = await d.rest('GET', `/api/v1/lists/completed?${query}&limit=200${after}`, 'mia')
        assert.deepEqual([status, body.total], [200, found + 1], JSON.stringify(body))
        all.push(...body.rows.map((x: Row) => x.number))
        if (body.next === null) return all
        after = `&after=${body.next}`
      }
    }
    const newest = [...others.slice(-found).reverse(), 1]
    assert.deepEqual(await walk(''), newest)
    assert.deepEqual(await walk('sort=number'), [...newest].reverse())
    assert.deepEqual((await walk('sort=agent')).at(0), 1, 'Anna before Ben')
    assert.deepEqual((await walk('sort=-group')).at(0), 1, 'Support behind Billing')
    assert.deepEqual((await walk('sort=-messages')).slice(0, 3), [4899, 4199, 4898], 'the most, though they are not the newest')
    const { token } = await d.address('mia')
    for (const sort of ['', '&sort=messages']) {
      const table = await (await fetch(`${await d.url()}/api/v1/lists/completed.csv?fields=number${sort}`, { headers: { authorization: `Bearer ${token}` } })).text()
      assert.deepEqual([table.split('\r\n').length, table.split('\r\n')[1]], [found + 3, sort === '' ? String(last) : '4200'])
    }
    const page = async (query: string, who: string): Promise<[number[], string | null]> => { const { body } = await d.rest('GET', `/api/v1/conversations?${query}`, who); return [body.conversations.map((x: Row) => x.number), body.next] }
    const [first, next] = await page('limit=50', 'anna')
    assert.deepEqual([first, next], [[], String(last - 4999)], 'nothing yet, and where to go on')
    assert.deepEqual(await page(`limit=50&after=${String(next)}`, 'anna'), [[1], null])
    assert.deepEqual(await page('limit=2', 'mia'), [[last, last - 1], String(last - 1)])
    assert.deepEqual(await page(`limit=2&after=${last - 1}`, 'mia'), [[last - 2, last - 3], String(last - 3)])
    assert.deepEqual(await page('limit=5&after=4', 'mia'), [[3, 2, 1], null])
  }, PULL))

  it('ST-16 ST-97 the next page begins where the last one ended, though its row has gone meanwhile; what is no place is refused', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    for (const [i, name] of ['zoe', 'yan', 'xena', 'will'].entries()) { await serves(d, anna, i + 1, name); await d.later(10) }
    const page = async (query: string): Promise<[number[], string]> => { const { body } = await d.rest('GET', `/api/v1/lists/active?limit=2&${query}`, 'mia'); return [body.rows.map((r: Row) => r.number), body.next] }
    const ends = async (n: number): Promise<void> => { await says(anna, '!close', /closed/, c(n)); await d.quiet() }
    for (const [query, first, next, gone] of [['sort=user', [4, 3], [2, 1], 3], ['sort=-idle', [1, 2], [4], 2]] as const) {
      const [seen, cursor] = await page(query)
      assert.deepEqual(seen, first, query)
      await d.later(7)
      await ends(gone)
      assert.deepEqual(await page(`${query}&after=${cursor}`), [next, null], query)
      assert.equal((await d.rest('GET', `/api/v1/lists/active?sort=messages&after=${cursor}`, 'mia')).status, 422)
    }
    const [, number] = await page('')
    assert.equal(number, null)
    for (const bad of ['active?after=x', 'active?sort=user&after=2', 'completed?after=x', 'completed?sort=user&after=x']) assert.equal((await d.rest('GET', `/api/v1/lists/${bad}`, 'mia')).status, 422, bad)
  }, PULL))
  it('ST-16 what an older version wrote down is put in order, too, after the next start', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    for (const [i, name] of ['zoe', 'yan'].entries()) {
      await serves(d, anna, i + 1, name)
      await says(anna, '!close', /closed/, c(i + 1))
      await d.later(60)
    }
    await list(d, 'completed') // all that has changed is written down
    await d.quiet()
    const { documents, search } = d.house.stores
    for (const n of [1, 2]) await search.put(`${DESK}/conversations`, { id: String(n).padStart(10, '0'), at: d.house.clock.now(), text: {}, marks: { number: n, queue: 'support', status: 'closed', deleted: false, agents: ['anna@localhost'] } })
    await documents.remove('desk-index', DESK, 'conversations')
    assert.deepEqual(await numbers(d, 'completed?agent=anna@localhost'), [])
    await d.restart()
    while (!await documents.get('desk-index', DESK, 'conversations')) await d.quiet()
    assert.deepEqual([await numbers(d, 'completed?agent=anna@localhost&sort=user'), await numbers(d, 'completed?sort=-user')], [[2, 1], [1, 2]])
  }, PULL))
})
