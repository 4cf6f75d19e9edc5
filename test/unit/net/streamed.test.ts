// Bodies that pass through, and the pace that clients owe, on a clock that the tests move.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { HttpRouter, listenHttp, Streamed } from '../../../server/net/http.ts'
import type { TestClock } from '../../../server/ports/clock.ts'
import { defaultLimits } from '../../../server/ports/limits.ts'
import { silent } from '../../../server/ports/log.ts'
import { MovedClock } from '../../harness/clock.ts'

const everywhere = { ...defaultLimits.connections, perAddress: Infinity, unauthenticatedPerAddress: Infinity, unauthenticated: Infinity, newPerAddress: { rate: Infinity, burst: Infinity } }

async function withServer(play: (port: number, clock: TestClock, seen: { begun: PromiseWithResolvers<void>; outcome: PromiseWithResolvers<string> }) => Promise<void>): Promise<void> {
  const clock = new MovedClock()
  const seen = { begun: Promise.withResolvers<void>(), outcome: Promise.withResolvers<string>() }
  const router = new HttpRouter()
  router.on('PUT', '/file', 'open', async r => {
    let length = 0
    try {
      for await (const piece of r.stream) { length += piece.length; seen.begun.resolve() }
    } catch { seen.outcome.resolve(`cut off after ${length}`); return { status: 400 } }
    seen.outcome.resolve(`all ${length}`)
    return { status: 201 }
  }, { body: 'stream' })
  router.on('POST', '/json', 'open', () => ({ status: 200 }))
  router.on('GET', '/endless', 'open', () => {
    const piece = Buffer.alloc(1 << 16)
    return { status: 200, body: new Streamed(piece.length * 10_000, { async *[Symbol.asyncIterator]() {
      seen.begun.resolve()
      try { for (let i = 0; i < 10_000; i++) yield piece } finally { seen.outcome.resolve('let go') }
    } }) }
  })
  await using server = await listenHttp({ port: 0, address: '127.0.0.1', proxies: [], router, limits: { ...defaultLimits, connections: everywhere }, clock, log: silent })
  await play(server.port, clock, seen)
}

function dial(port: number, ...lines: string[]): Promise<Socket> {
  return new Promise(ok => {
    const s = connect(port, '127.0.0.1', () => { s.write([...lines, 'Host: localhost', '', ''].join('\r\n')); ok(s) })
    s.on('error', () => {})
  })
}

const closed = (s: Socket): Promise<void> => new Promise(ok => s.once('close', () => ok()))

describe('net/streamed', () => {
  it('gives a body as it comes', () => withServer(async (port, _, { outcome }) => {
    assert.equal((await fetch(`http://127.0.0.1:${port}/file`, { method: 'PUT', body: 'x'.repeat(300_000) })).status, 201)
    assert.equal(await outcome.promise, 'all 300000')
  }))

  it('SEC-H18 cuts off who sends a body slower than 1 KiB a second', () => withServer(async (port, clock, { begun, outcome }) => {
    const s = await dial(port, 'PUT /file HTTP/1.1', 'Content-Length: 1000000')
    s.write('a')
    await begun.promise
    await clock.advance(30_000)
    assert.equal(await outcome.promise, 'cut off after 1')
    await closed(s)
  }))

  it('SEC-H18 a body that is read into memory has 30 seconds', () => withServer(async (port, clock) => {
    const s = await dial(port, 'POST /json HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 100')
    let heard = ''
    s.on('data', d => { heard += String(d) })
    s.write('{')
    await (await fetch(`http://127.0.0.1:${port}/none`)).text() // asked after it, answered after it was taken
    await clock.advance(30_000)
    await closed(s)
    assert.match(heard, /^HTTP\/1\.1 408 /)
  }))

  it('SEC-F07 lets go of who takes an answer too slowly, and of its file', () => withServer(async (port, clock, { begun, outcome }) => {
    const s = await dial(port, 'GET /endless HTTP/1.1')
    s.pause()
    await begun.promise
    let done = false
    void outcome.promise.then(() => { done = true })
    while (!done) { await clock.advance(30_000); await new Promise(ok => setImmediate(ok)) }
    s.destroy()
  }))
})
