// A bad line: connections that break in the middle of anything, again and again (XEP-0198).
import assert from 'node:assert/strict'
import { wallClock, type Clock } from '../../server/ports/clock.ts'
import { Line } from '../harness/line.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { Actor, House, scene } from '../harness/scene.ts'

const SM = 'urn:xmpp:sm:3'
const BREAKS = 50

/** What a line does to those who use it. */
interface Weather {
  readonly breaks: number
  /** It falls silent instead of breaking: the client comes back over it while the server thinks that the first connection lives. */
  readonly silent?: boolean
  readonly delay?: (dice: (n: number) => number) => number
  readonly piece?: (dice: (n: number) => number) => number
}

/** Romeo and Juliet talk over his bad line, and he comes back each time; in the end both have had everything, once and in order. */
async function ridesOut({ breaks: most, silent = false, delay, piece }: Weather): Promise<void> {
  const free = { rate: Infinity, burst: Infinity }
  await using house = await House.open({ limits: { connections: { perAddress: Infinity, unauthenticatedPerAddress: Infinity, unauthenticated: Infinity, newPerAddress: free } } })
  const juliet = await house.actor('juliet', 'juliet@localhost/balcony')
  await juliet.comesOnline()
  await house.account('romeo')
  await using line = await Line.to(house.port)

  let seed = 3
  const dice = (n: number): number => { seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31; return seed % n }
  if (delay) line.delay = () => delay(dice)
  if (piece) line.piece = () => piece(dice)
  line.silent = silent
  const sent: string[] = [] // by romeo, and not acknowledged yet
  const [toJuliet, toRomeo, heard]: [string[], string[], string[]] = [[], [], []]
  const asleep: Actor[] = [] // his connections that fell silent
  let [id, acknowledged, received] = ['', 0, 0]
  let n = 0
  const say = (a: Actor): void => { const text = `<message to='juliet@localhost/balcony' type='chat' id='r${++n}'><body>r${n}</body></message>`; toJuliet.push(`r${n}`); sent.push(text); a.says(text) }
  const acks = (h: number): void => { sent.splice(0, h - acknowledged); acknowledged = h }
  const takes = (x: Awaited<ReturnType<Actor['next']>>, a: Actor): void => {
    if (x.getNS() === SM) {
      if (x.name === 'a') acks(Number(x.attrs['h']))
      if (x.name === 'r') a.says(`<a xmlns='${SM}' h='${received}'/>`)
      return
    }
    received++
    if (x.name === 'message' && x.attrs['type'] !== 'error') heard.push(String(x.attrs['id']))
  }

  let breaks = 0
  while (breaks < most) {
    line.left = Infinity
    const silence = new Promise<undefined>(ok => { line.onSilence = () => ok(undefined) })
    const next = (a: Actor): Promise<Awaited<ReturnType<Actor['next']>> | undefined> => Promise.race([a.next().catch(() => undefined), silence])
    const a = new Actor('romeo', 'romeo@localhost/orchard')
    await a.opens(line.port)
    await a.logsIn()
    if (id === '') {
      await a.binds()
      a.says(`<enable xmlns='${SM}' resume='true'/>`)
      id = String((await a.next()).attrs['id'])
      a.says('<presence/>')
      sent.push('<presence/>')
    } else {
      if (dice(3) > 0) line.left = dice(400) + 1 // a resumption may break as well
      a.says(`<resume xmlns='${SM}' previd='${id}' h='${received}'/>`)
      const resumed = await next(a)
      if (resumed) {
        assert.equal(resumed.name, 'resumed', String(resumed))
        acks(Number(resumed.attrs['h']))
        line.recovers() // what his earlier connections had on their way comes now, and is nobody's any more
        for (const text of sent) a.says(text)
      } else { breaks++; asleep.push(a); continue }
    }
    if (line.left === Infinity) line.left = 200 + dice(3000)
    for (let alive = true; alive;) {
      say(a)
      toRomeo.push(`j${toRomeo.length + 1}`)
      juliet.says(`<message to='romeo@localhost/orchard' type='chat' id='j${toRomeo.length}'><body>x</body></message>`)
      a.says(`<r xmlns='${SM}'/>`)
      for (let i = 1 + dice(2); alive && i > 0; i--) {
        const x = await next(a)
        if (x) takes(x, a)
        else alive = false
      }
    }
    breaks++
    if (silent) asleep.push(a)
    else a.leaves()
  }

  line.left = Infinity
  line.recovers()
  const last = new Actor('romeo', 'romeo@localhost/orchard')
  await last.opens(line.port)
  await last.logsIn()
  last.says(`<resume xmlns='${SM}' previd='${id}' h='${received}'/>`)
  const resumed = await last.next()
  assert.equal(resumed.name, 'resumed', String(resumed))
  acks(Number(resumed.attrs['h']))
  for (const text of sent) last.says(text)
  for (const x of await last.fence()) takes(x, last)
  const came = (await juliet.fence()).filter(x => x.name === 'message' && x.attrs['type'] !== 'error').map(x => String(x.attrs['id']))
  assert.ok(toJuliet.length > most && toRomeo.length > most)
  assert.deepEqual(came, toJuliet)
  assert.deepEqual(heard, toRomeo)
  for (const a of [...asleep, last]) a.leaves()
}

describe('a bad line', function () {
  this.timeout(300_000)

  it(`SEC-K31 SEC-S12 that breaks ${BREAKS} times in the middle of anything loses nothing and doubles nothing, either way`, () => ridesOut({ breaks: BREAKS }))

  it('SEC-K31 that is slow, now and then slower, and passes everything in crumbs loses nothing and doubles nothing when it breaks', () =>
    ridesOut({ breaks: 15, delay: dice => dice(20) === 0 ? 30 : dice(3), piece: dice => 1 + dice(300) }))

  it(`SEC-K31 that falls silent ${BREAKS} times, and speaks late, neither: who comes back has his session though the server thinks that he is still there`, () =>
    ridesOut({ breaks: BREAKS, silent: true, piece: dice => 1 + dice(500) }))
})

describe('a connection that is given up while the server still hears it', () => {
  it('SEC-K31 SEC-S07 what comes late on the old one while the session goes over to another is not taken, nor counted', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    const gate = Promise.withResolvers<void>()
    const append: typeof stores.archive.append = row => gate.promise.then(() => stores.archive.append(row))
    await scene({ romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }, async ({ romeo, juliet }, house) => {
      await juliet.comesOnline()
      romeo.says(`<enable xmlns='${SM}' resume='true'/>`)
      const id = String((await romeo.receives`<enabled xmlns='${SM}' resume='true'/>`).attrs['id'])
      const [first, second] = ['1', '2'].map(n => `<message type='chat' to='juliet@localhost/balcony' id='${n}'><body>${n}</body></message>`) as [string, string]
      romeo.says(first)
      await juliet.receives`<message id='1'/>`
      const back = new Actor('back', 'romeo@localhost/orchard')
      await back.opens(house.port)
      await back.logsIn()
      back.says(`<resume xmlns='${SM}' previd='${id}' h='0'/>`) // waits for the first one's commit
      await romeo.hears`<stream:error xmlns:stream='http://etherx.jabber.org/streams' xmlns='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`
      romeo.says(second)
      gate.resolve()
      await back.receives`<resumed xmlns='${SM}' h='1'/>`
      back.says(`${second}<r xmlns='${SM}'/>`)
      await back.hears`<a xmlns='${SM}' h='2'/>`
      await juliet.receives`<message id='2'/>`
      await juliet.receivesNothing()
      back.leaves()
    }, { stores: { ...stores, archive: { ...stores.archive, append } } })()
  })
})

describe('a clock that is set', () => {
  it('SEC-K24 by an hour, on or back, ends no session that lives, nor one that sleeps; what was sent keeps its order', async () => {
    const network = new Jumping()
    await using house = await House.open({ network })
    const [romeo, juliet] = [await house.actor('romeo', 'romeo@localhost/orchard'), await house.actor('juliet', 'juliet@localhost/balcony')]
    await romeo.comesOnline()
    await juliet.comesOnline()
    juliet.says(`<enable xmlns='${SM}' resume='true'/>`)
    const id = String((await juliet.receives`<enabled xmlns='${SM}'/>`).attrs['id'])
    juliet.leaves()
    while (house.devices.streams.size > 1) await new Promise(ok => setImmediate(ok))
    for (const [i, jump] of [HOUR, -2 * HOUR, HOUR].entries()) {
      network.by += jump
      for (const s of house.devices.streams) s.probe(network.now())
      for (const s of house.devices.streams) s.probe(network.now() + 1000)
      for (const x of await romeo.fence()) if (x.getChild('ping')) romeo.says(`<iq type='result' id='${x.attrs['id']}' to='localhost'/>`)
      romeo.says(`<message to='juliet@localhost/balcony' type='chat' id='m${i}'><body>x</body></message>`)
      await romeo.receivesNothing()
    }
    const back = new Actor('back', 'juliet@localhost/balcony')
    await back.opens(house.port)
    await back.logsIn()
    back.says(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    await back.receives`<resumed xmlns='${SM}'/>`
    for (const i of [0, 1, 2]) await back.hears`<message id='m${i}'/>`
    for (const a of [romeo, back]) a.leaves()
  })
})

const HOUR = 3_600_000 // ms

/** The machine's clock as somebody sets it; its alarms go by the time that passes, as they do there. */
class Jumping implements Clock {
  by = 0
  now(): number { return wallClock.now() + this.by }
  alarm(at: number, ring: () => void | Promise<void>): Disposable { return wallClock.alarm(at - this.by, ring) }
}
