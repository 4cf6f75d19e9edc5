// A stream of events over a real connection whose reader hangs: what waits for him is bounded, and the last event says why it ends.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { Feed } from '../../../components/helpdesk/live/feed.ts'
import { HttpRouter, listenHttp, Streamed } from '../../../server/net/http.ts'
import type { TestClock } from '../../../server/ports/clock.ts'
import { defaultLimits } from '../../../server/ports/limits.ts'
import { silent } from '../../../server/ports/log.ts'
import { MovedClock } from '../../harness/clock.ts'

const TEXT = 'x'.repeat(64_000)
const MOST = 200_000

async function withFeed(play: (feed: Feed, port: number, clock: TestClock, over: Promise<void>) => Promise<void>): Promise<void> {
  const clock = new MovedClock()
  const feed = new Feed(MOST)
  const over = Promise.withResolvers<void>()
  feed.onOver = over.resolve
  const router = new HttpRouter()
  router.on('GET', '/events', 'open', r => { r.gone.addEventListener('abort', () => feed.left()); return { status: 200, body: new Streamed(undefined, feed.pieces([])) } })
  await using server = await listenHttp({ port: 0, address: '127.0.0.1', proxies: [], router, limits: defaultLimits, clock, log: silent })
  await play(feed, server.port, clock, over.promise)
}

/** A client that reads nothing after the first piece. */
async function hangs(port: number): Promise<ReturnType<typeof connect>> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.setEncoding('utf8')
  socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  await new Promise<void>(ok => { socket.once('data', () => ok()) })
  socket.pause()
  return socket
}
/** Sends until it has given up; each turn the connection may take what it can. */
async function fills(feed: Feed): Promise<number> {
  let sent = 0
  while (feed.isOpen) {
    feed.send('line', { n: ++sent, text: TEXT }, String(sent))
    await new Promise<void>(ok => { setImmediate(ok) })
  }
  return sent
}

describe('live/feed', () => {
  it('SEC-E06 a reader who hangs gets what was sent until then, in order, and a last event that says he was too slow', () => withFeed(async (feed, port, _, over) => {
    const socket = await hangs(port)
    const sent = await fills(feed)
    let text = ''
    socket.on('data', part => { text += String(part) })
    const closed = new Promise<void>(ok => { socket.once('close', () => ok()) })
    socket.resume()
    await closed
    await over
    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(m => Number(m[1]))
    assert.deepEqual(ids, ids.map((_, i) => i + 1))
    assert.ok(ids.length < sent, 'what waited was dropped, and can be asked for again')
    assert.match(text, /event: end\ndata: \{"reason":"slow"/)
    assert.equal(text.indexOf('event: end') > text.lastIndexOf('event: line'), true)
  }))

  it('SEC-E06 one who takes nothing at all is cut off after half a minute', () => withFeed(async (feed, port, clock, over) => {
    const socket = await hangs(port)
    await fills(feed)
    await clock.advance(30_000)
    await over
    socket.destroy()
  }))

  it('who goes is let go at once', () => withFeed(async (feed, port, _, over) => {
    const socket = await hangs(port)
    socket.destroy()
    await over
    assert.equal(feed.isOpen, false)
  }))
})
