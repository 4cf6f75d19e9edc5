// Live lists after a break, the live board and one conversation live, over real connections.
import assert from 'node:assert/strict'
import { BOT, c, SUPPORT, type Person } from '../harness/desk.ts'
import type { Came } from '../harness/events.ts'
import { deskWith, serves, TEAM } from '../harness/talks.ts'
import { BILLING, CALM, listens, PULL, shapes, silent, waits } from './desk-live-scene.ts'

describe('live lists after a break', () => {
  it('SEC-W23 Last-Event-ID brings what has changed since, each conversation once, and nothing else', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    await waits(d, 'zoe')
    await waits(d, 'yan')
    let id: string | undefined
    {
      await using queue = await listens(d, '/lists/queue/events', 'ben')
      await queue.until('ready')
      await waits(d, 'walt')
      await queue.reads('row')
      id = queue.id
    }
    anna.types(BOT, '!take 1')
    await anna.reads(BOT, /#1 is yours|is yours/)
    await waits(d, 'uma')
    await d.quiet()
    await using again = await listens(d, '/lists/queue/events', 'ben', id)
    assert.deepEqual(shapes(await again.until('ready')), ['gone 1', 'row 4', 'ready'])
    await using same = await listens(d, '/lists/queue/events', 'ben', again.id)
    assert.deepEqual(shapes(await same.until('ready')), ['ready'])
    anna.types(BOT, '!take 2')
    assert.deepEqual(await again.reads('gone'), { number: 2 })
    assert.deepEqual(await same.reads('gone'), { number: 2 })
  }, PULL))

  it('what cannot be told from there is told anew: another list, other rights, a desk that was started again, nonsense', deskWith(CALM, TEAM, async d => {
    await d.comes('anna')
    await waits(d, 'zoe')
    await using queue = await listens(d, '/lists/queue/events', 'mia')
    await queue.until('ready')
    const { id } = queue
    const whole = ['reset', 'row 1', 'ready']
    const from = async (path: string, who: string, at: string | undefined): Promise<string[]> => { await using r = await listens(d, path, who, at); return shapes(await r.until('ready')) }
    assert.deepEqual(await from('/lists/queue/events', 'mia', id), ['ready'])
    assert.deepEqual(await from('/lists/queue/events?fields=user', 'mia', id), whole)
    assert.deepEqual(await from('/lists/queue/events', 'ben', id), whole)
    assert.deepEqual(await from('/lists/queue/events', 'mia', 'nonsense'), whole)
    await d.rest('PATCH', '/api/v1/operators/mia@localhost', 'adam', { departments: ['help'] })
    assert.deepEqual(await from('/lists/queue/events', 'mia', id), whole)
    await d.restart()
    assert.deepEqual(await from('/lists/queue/events', 'mia', id), whole)
  }, PULL))

  it('SEC-W23 whatever happens and however often the line breaks, a reader has in the end what the list holds, and heard nothing twice', deskWith(CALM, TEAM, async d => {
    let seed = 20261120
    const random = (most: number): number => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return (seed >>> 8) % most }
    const agents = [await d.comes('anna'), await d.comes('ben')]
    const PATHS = ['/lists/queue/events', '/lists/active/events']
    const readers = await Promise.all(PATHS.map(p => listens(d, p, 'mia')))
    const knows = PATHS.map(() => new Map<number, string>())
    const ids: (string | undefined)[] = []
    const follow = (i: number, all: readonly Came[]): void => {
      for (const { event, data, id } of all) {
        ids[i] = id ?? ids[i]
        const text = JSON.stringify(data)
        if (event === 'reset') knows[i]?.clear()
        if (event === 'row') { assert.notEqual(knows[i]?.get(data.number), text, 'a row comes again when it has changed'); knows[i]?.set(data.number, text) }
        if (event === 'gone') assert.ok(knows[i]?.delete(data.number), 'only what was there goes')
      }
    }
    for (const [i, r] of readers.entries()) follow(i, await r.until('ready'))
    const customers: Person[] = []
    for (let step = 0; step < 60; step++) {
      const n = 1 + random(customers.length + 1)
      const agent = agents[random(2)]
      switch (random(6)) {
        case 0: case 1: if (customers.length < 12) customers.push(await waits(d, `guest${customers.length + 1}`, random(2) === 0 ? SUPPORT : BILLING)); break
        case 2: case 3: agent?.types(BOT, `!take ${n}`); break
        case 4: agent?.types(c(n), ['a word', '!t group:billing', '!end', '!prio high'][random(4)] ?? ''); break
        default: agent?.types(c(n), '!close')
      }
      await agent?.actor.fence()
      await d.quiet()
      if (random(4) > 0) continue
      const i = random(2)
      const old = readers[i]
      await d.later(15)
      follow(i, await old!.until('beat'))
      await old![Symbol.asyncDispose]()
      if (random(2) === 0) { agent?.types(BOT, `!take ${n}`); await agent?.actor.fence(); await d.quiet() }
      readers[i] = await listens(d, PATHS[i]!, 'mia', ids[i])
      const first = await readers[i]!.until('ready')
      assert.ok(!first.some(x => x.event === 'reset'), 'it goes on')
      follow(i, first)
    }
    await d.later(15)
    for (const [i, r] of readers.entries()) {
      do follow(i, await r.until('beat')); while (r.waiting > 0)
      const held = (await d.rest('GET', `/api/v1${PATHS[i]!.replace('/events', '?limit=200')}`, 'mia')).body.rows
      const still = (x: { queueTime: number; idle: number; duration: number }): object => ({ ...x, queueTime: 0, idle: 0, duration: 0 }) // they grow by themselves
      assert.deepEqual([...knows[i]!.values()].map(t => still(JSON.parse(t))).sort((a: any, b: any) => a.number - b.number), held.map(still)) // rows of any shape
      await r[Symbol.asyncDispose]()
    }
  }, PULL))

  it('a comment keeps a silent stream alive each 15 seconds, and moves its id on', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    await using public_ = await listens(d, '/lists/public/events', 'anna')
    await public_.until('ready')
    const { id } = public_
    await serves(d, anna, 1, 'zoe')
    await silent(d, public_)
    assert.notEqual(public_.id, id)
    await silent(d, public_)
  }, PULL))

  it('the last event of a server that stops says so', deskWith(CALM, TEAM, async d => {
    await using queue = await listens(d, '/lists/queue/events', 'anna')
    await queue.until('ready')
    await d.restart()
    assert.equal((await queue.reads('end')).reason, 'stopping')
    assert.equal((await queue.next()).event, 'closed')
  }, PULL))
})

describe('the live board', () => {
  it('ST-33 agents’ states and loads come as they change, and what changed meanwhile after a break', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    await using board = await listens(d, '/board/events?queue=support', 'mia')
    const first = await board.until('ready')
    assert.deepEqual(first.map(x => x.data?.jid).filter(Boolean), ['anna@localhost', 'ben@localhost', 'mia@localhost'])
    const ben = await d.comes('ben')
    assert.deepEqual([(await board.reads('agent')).status], ['available'])
    anna.actor.sends`<presence><show>dnd</show></presence>`
    assert.deepEqual((({ jid, status }) => [jid, status])(await board.reads('agent')), ['anna@localhost', 'busy'])
    anna.actor.sends`<presence/>`
    await board.reads('agent')
    await serves(d, anna, 1, 'zoe')
    assert.equal((await board.reads('agent')).activeChats, 1)
    const { id } = board
    ben.types(BOT, '!off')
    await ben.reads(BOT, /no new customers/)
    await d.quiet()
    await using again = await listens(d, '/board/events?queue=support', 'mia', id)
    assert.deepEqual((await again.until('ready')).map(x => [x.event, x.data.jid]), [['agent', 'ben@localhost'], ['ready', undefined]])
  }, PULL))

  it('ST-33 who serves the queue no more leaves its board', deskWith(CALM, TEAM, async d => {
    await using board = await listens(d, '/board/events?queue=support', 'mia')
    await board.until('ready')
    await d.rest('DELETE', '/api/v1/operators/ben@localhost', 'adam')
    assert.deepEqual(await board.reads('gone'), { jid: 'ben@localhost' })
  }, PULL))
})

describe('one conversation live', () => {
  it('ST-57 ST-100 lines and what is done come in order, with the conversation as it stands', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    const zoe = await serves(d, anna, 1, 'zoe')
    await using mia = await listens(d, '/conversations/1/events', 'mia')
    const first = await mia.until('ready')
    assert.equal(first[0]?.event, 'conversation')
    assert.deepEqual([first[0].data.number, first[0].data.state, first[0].data.owner], [1, 'active', 'anna@localhost'])
    assert.ok(shapes(first).includes('line hello') && shapes(first).includes('happened taken by Anna'), shapes(first).join('\n'))
    zoe.types(SUPPORT, 'my question')
    const line = await mia.reads('line')
    assert.deepEqual([line.text, line.by, line.visibility], ['my question', 'customer', 'public'])
    anna.types(c(1), '!c secret')
    assert.deepEqual((({ text, visibility }) => [text, visibility])((await mia.until('line')).at(-1)?.data), ['!c secret', 'command'])
    assert.deepEqual((({ text, visibility }) => [text, visibility])(await mia.reads('line')), ['secret', 'coaching'])
    anna.types(c(1), '!prio high')
    assert.equal((await mia.until('happened')).at(-1)?.data.type, 'prioritised')
    assert.equal((await mia.reads('conversation')).state, 'active')
    anna.types(c(1), '!end')
    const end = await mia.until('conversation')
    assert.ok(end.some(x => x.event === 'happened' && x.data.type === 'ended'))
    assert.equal(end.at(-1)?.data.state, 'ended')
  }, PULL))

  it('SEC-W23 Last-Event-ID goes on without gap or double, also over a restart of the server', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    const zoe = await serves(d, anna, 1, 'zoe')
    await using first = await listens(d, '/conversations/1/events', 'anna')
    await first.until('ready')
    zoe.types(SUPPORT, 'one')
    await first.reads('line')
    const { id } = first
    zoe.types(SUPPORT, 'two')
    await anna.reads(c(1), 'two')
    await d.restart()
    zoe.types(SUPPORT, 'three')
    await d.quiet()
    await using again = await listens(d, '/conversations/1/events', 'anna', id)
    const all = await again.until('ready')
    assert.deepEqual(all.filter(x => x.event === 'line').map(x => x.data.text), ['two', 'three'])
    zoe.types(SUPPORT, 'four')
    assert.equal((await again.until('line')).at(-1)?.data.text, 'four')
  }, PULL))

  it('OT-33 an internal chat of two reaches neither the stream of a third, nor that of who looks on afterwards', deskWith(CALM, { ...TEAM, cleo: 'agent' }, async d => {
    const [anna, ben, cleo] = [await d.comes('anna'), await d.comes('ben'), await d.comes('cleo')]
    await serves(d, anna, 1, 'zoe')
    let room = ''
    for (const [p, name] of [[cleo, 'cleo'], [ben, 'ben']] as const) {
      anna.types(c(1), `!i ${name}`)
      await p.reads(BOT, /asks you into #1/)
      p.types(BOT, '!a 1')
      room = (await p.sees(/Internal chat with Anna/)).from
      if (p === cleo) { p.types(BOT, '!join 1'); await anna.reads(c(1), /Cleo takes part/) }
    }
    await using third = await listens(d, '/conversations/1/events', 'cleo')
    await using two = await listens(d, '/conversations/1/events', 'anna')
    for (const r of [third, two]) await r.until('ready')
    ben.types(room, 'between us')
    assert.equal((await two.reads('line')).text, 'between us')
    await silent(d, third)
    await using later = await listens(d, '/conversations/1/events', 'cleo')
    assert.ok(!(await later.until('ready')).some(x => x.data?.text === 'between us'))
  }, PULL))

  it('ST-75 the stream of a conversation that is deleted ends', deskWith(CALM, TEAM, async d => {
    const [anna, mia] = [await d.comes('anna'), await d.comes('mia')]
    await serves(d, anna, 1, 'zoe')
    await using live = await listens(d, '/conversations/1/events', 'anna')
    await live.until('ready')
    anna.types(c(1), '!close')
    await live.until('conversation')
    mia.types(BOT, '!delete 1 yes')
    assert.equal((await live.until('end')).at(-1)?.data.reason, 'gone')
  }, PULL))
})
