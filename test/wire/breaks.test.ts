// A bad line: connections that break in the middle of anything, again and again (XEP-0198).
import assert from 'node:assert/strict'
import net from 'node:net'
import { wallClock, type Clock } from '../../server/ports/clock.ts'
import { Actor, House } from '../harness/scene.ts'

const SM = 'urn:xmpp:sm:3'
const BREAKS = 50

/** Passes on what it hears, until so many bytes went either way; then the line is dead, and what was on its way is lost. */
class Line implements AsyncDisposable {
  readonly #server: net.Server
  readonly #open = new Set<net.Socket>()
  /** Bytes that pass before the next break. */
  left = Infinity
  private constructor(server: net.Server) { this.#server = server }

  static async to(port: number): Promise<Line> {
    const line: Line = new Line(net.createServer(near => {
      const far = net.connect(port, '127.0.0.1')
      const both = [near, far]
      for (const s of both) { s.setNoDelay(true); s.on('error', () => {}); line.#open.add(s); s.on('close', () => { line.#open.delete(s); for (const other of both) other.destroy() }) }
      const passes = (from: net.Socket, to: net.Socket): void => void from.on('data', (data: Buffer) => {
        const some = data.subarray(0, Math.min(data.length, line.left))
        line.left -= data.length
        if (some.length > 0) to.write(some, () => { if (line.left <= 0) for (const s of both) s.destroy() })
        else for (const s of both) s.destroy()
      })
      passes(near, far)
      passes(far, near)
    }))
    await new Promise<void>(ok => { line.#server.listen(0, '127.0.0.1', ok) })
    return line
  }

  get port(): number { return (this.#server.address() as net.AddressInfo).port }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const s of this.#open) s.destroy()
    await new Promise(ok => this.#server.close(ok))
  }
}

describe('a line that breaks', () => {
  it(`SEC-K31 SEC-S12 ${BREAKS} times in the middle of anything loses nothing and doubles nothing, either way`, async function () {
    this.timeout(300_000)
    const free = { rate: Infinity, burst: Infinity }
    await using house = await House.open({ limits: { connections: { perAddress: Infinity, unauthenticatedPerAddress: Infinity, unauthenticated: Infinity, newPerAddress: free } } })
    const juliet = await house.actor('juliet', 'juliet@localhost/balcony')
    await juliet.comesOnline()
    await house.account('romeo')
    await using line = await Line.to(house.port)

    let seed = 3
    const dice = (n: number): number => { seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31; return seed % n }
    const sent: string[] = [] // by romeo, and not acknowledged yet
    const [toJuliet, toRomeo, heard]: [string[], string[], string[]] = [[], [], []]
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
    for (let round = 0; breaks < BREAKS; round++) {
      line.left = Infinity
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
        if (dice(3) > 0) line.left = dice(400) // a resumption may break as well
        a.says(`<resume xmlns='${SM}' previd='${id}' h='${received}'/>`)
        const resumed = await a.next().catch(() => undefined)
        if (!resumed) { breaks++; continue }
        assert.equal(resumed.name, 'resumed', String(resumed))
        acks(Number(resumed.attrs['h']))
        for (const text of sent) a.says(text)
      }
      if (line.left === Infinity) line.left = 200 + dice(3000)
      try {
        for (;;) {
          say(a)
          toRomeo.push(`j${toRomeo.length + 1}`)
          juliet.says(`<message to='romeo@localhost/orchard' type='chat' id='j${toRomeo.length}'><body>x</body></message>`)
          a.says(`<r xmlns='${SM}'/>`)
          takes(await a.next(), a)
          if (dice(2)) takes(await a.next(), a)
        }
      } catch { breaks++ } // the line is dead
      a.leaves()
    }

    line.left = Infinity
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
    assert.ok(toJuliet.length > BREAKS && toRomeo.length > BREAKS)
    assert.deepEqual(came, toJuliet)
    assert.deepEqual(heard, toRomeo)
    last.leaves()
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
