// What speaks HTTP, asked over a real socket: who is let in, what is refused, and what stands on every answer.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import { exactOrigin, HttpRouter, listenHttp, onlyFrom, problem, type HttpListening } from '../../../server/net/http.ts'
import { wallClock } from '../../../server/ports/clock.ts'
import { defaultLimits } from '../../../server/ports/limits.ts'
import { silent } from '../../../server/ports/log.ts'

const shop = 'https://shop.example'

function routes(): HttpRouter {
  const router = new HttpRouter()
  router.on('GET', '/open', 'open', request => ({ status: 200, body: { remote: request.remote, secure: request.secure, origin: request.origin } }))
  router.on('GET', '/things/:number', 'open', request => ({ status: 200, body: request.params['number'] ?? '' }))
  router.on('POST', '/things', 'open', request => ({ status: 201, body: { got: request.body } }), { cors: origin => origin === shop })
  router.on('GET', '/mine', request => request.headers.authorization === 'Bearer good' ? { who: 'anna' } : problem(401, 'Say who you are.'), (_, who) => ({ status: 200, body: who }))
  router.on('GET', '/broken', 'open', () => { throw new Error('a bug') })
  router.on('GET', '/local', onlyFrom(() => false), () => ({ status: 200 }))
  router.on('GET', '/page', 'open', () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<p>' }))
  router.upgrade('/talk', { protocols: ['xmpp'], mayConnect: origin => origin === undefined || origin === shop, handler: socket => socket.on('message', data => socket.send(`${data}`)) })
  return router
}

const everywhere = { perAddress: Infinity, unauthenticatedPerAddress: Infinity, unauthenticated: Infinity, newPerAddress: { rate: Infinity, burst: Infinity } }

async function listen(proxies: string[] = [], limits = { ...defaultLimits, connections: everywhere }): Promise<HttpListening> {
  return listenHttp({ port: 0, address: '127.0.0.1', proxies, router: routes(), limits, clock: wallClock, log: silent })
}

/** Sends text as it is and gives all that comes back until the server closes. */
function raw(port: number, text: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let heard = ''
  const socket = connect(port, '127.0.0.1', () => socket.write(text))
  socket.on('data', data => { heard += data })
  socket.on('close', () => resolve(heard))
  socket.on('error', () => {})
  return promise
}

const lines = (...more: string[]): string => [...more, 'Connection: close', '', ''].join('\r\n')

describe('net/http', () => {
  let server: HttpListening
  let base: string
  before(async () => { server = await listen(); base = `http://127.0.0.1:${server.port}` })
  after(() => server[Symbol.asyncDispose]())

  const status = async (path: string, init?: RequestInit): Promise<number> => (await fetch(base + path, init)).status
  const post = (body: string | Uint8Array, type = 'application/json'): RequestInit => ({ method: 'POST', body: body as string, headers: { 'content-type': type } })

  it('answers a route with its parameters, and HEAD like GET without the body', async () => {
    assert.equal(await (await fetch(`${base}/things/12%20b`)).text(), '12 b')
    const head = await fetch(`${base}/things/12`, { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '2', ''])
  })

  it('lets in whom the route\'s guard knows, and tells the handler who it is', async () => {
    assert.equal(await status('/mine'), 401)
    assert.equal(await (await fetch(`${base}/mine`, { headers: { authorization: 'Bearer good' } })).text(), 'anna')
  })

  it('answers 404 to what is not there and 405 with the methods that are', async () => {
    assert.equal(await status('/nothing'), 404)
    const answer = await fetch(`${base}/things`, { method: 'DELETE' })
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'OPTIONS, POST'])
    assert.equal(answer.headers.get('content-type'), 'application/problem+json')
  })

  it('SEC-K26 a handler that throws answers 500 and others are served', async () => {
    assert.equal(await status('/broken'), 500)
    assert.equal(await status('/open'), 200)
  })

  it('SEC-H23 every answer bears the security headers, errors too, and none says what serves it', async () => {
    for (const path of ['/open', '/nothing', '/broken', '/mine']) {
      const { headers } = await fetch(base + path)
      assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/)
      assert.deepEqual([headers.get('x-content-type-options'), headers.get('referrer-policy'), headers.get('cache-control'), headers.get('cross-origin-opener-policy')],
        ['nosniff', 'no-referrer', 'no-store', 'same-origin'])
      assert.deepEqual([headers.get('x-powered-by'), headers.get('server')], [null, null])
    }
    assert.match(await raw(server.port, 'garbage\r\n\r\n'), /^HTTP\/1.1 400 [^]*x-content-type-options: nosniff/)
  })

  it('SEC-H12 a request that two servers could read differently is refused and the connection closed', async () => {
    const head = 'POST /things HTTP/1.1\r\nHost: a\r\n'
    for (const more of ['Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}', 'X: a\r\n b\r\n\r\n', 'X: a\nY: b\r\n\r\n']) {
      assert.match(await raw(server.port, head + more), /^HTTP\/1.1 400 /, JSON.stringify(more))
    }
  })

  it('a refusal that comes before a short body was sent is not lost to a reset: the body is read and forgotten, and the next request answered', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    let heard = ''
    const socket = connect(server.port, '127.0.0.1', () => socket.write('PUT /things HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n'))
    socket.on('data', data => {
      if (!heard.includes('405') && `${heard}${data}`.includes('405')) socket.write('GET /open HT' + lines('GET /things/12 HTTP/1.1', 'Host: a')) // twelve bytes of a body
      heard += data
    })
    socket.on('close', failed => resolve(failed ? 'reset' : heard))
    socket.on('error', () => {})
    const all = await promise
    assert.match(all, /^HTTP\/1.1 405 [^]*HTTP\/1.1 200 [^]*\b12$/)
  })

  it('SEC-H13 headers over 16 KiB: 431, an address over 8 KiB: 414, JSON over 64 KiB: 413 before it is read', async () => {
    assert.match(await raw(server.port, lines('GET /open HTTP/1.1', 'Host: a', `X: ${'x'.repeat(17_000)}`)), /^HTTP\/1.1 431 /)
    assert.match(await raw(server.port, lines(`GET /open?${'x'.repeat(9000)} HTTP/1.1`, 'Host: a')), /^HTTP\/1.1 414 /)
    assert.match(await raw(server.port, lines('POST /things HTTP/1.1', 'Host: a', 'Content-Type: application/json', 'Content-Length: 66000')), /^HTTP\/1.1 413 /)
    const chunked = `POST /things HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n11000\r\n${'1'.repeat(0x11000)}`
    assert.match(await raw(server.port, chunked), /^HTTP\/1.1 413 /)
  })

  it('SEC-H14 only plain JSON is read where JSON is asked for', async () => {
    assert.equal(await status('/things', post('{}', 'text/plain')), 415)
    assert.equal(await status('/things', post('a=b', 'application/x-www-form-urlencoded')), 415)
    assert.equal(await status('/things', { ...post('{}'), headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } }), 415)
    assert.equal(await status('/things', post('{}', 'application/json; charset=utf-8')), 201)
  })

  it('SEC-H15 JSON that can be read in two ways is refused', async () => {
    const bad = ['{', '', '[]'.repeat(2), '['.repeat(10_000) + ']'.repeat(10_000), '{"a":1,"a":2}', '{"a":{"b":1,"\\u0062":2}}', '{"a":1e400}', '"\\ud800"', '\ufeff{}', '{"__proto__":1}']
    for (const body of bad) assert.equal(await status('/things', post(body)), 400, body.slice(0, 30))
    assert.equal(await status('/things', post(Uint8Array.of(0x22, 0xc0, 0xbc, 0x22))), 400)
    const good = '{"a":[{"a":"😀 \\" \\\\"},1.5e3,null,true],"b":{"a":"}"}}'
    assert.deepEqual(await (await fetch(`${base}/things`, post(good))).json(), { got: JSON.parse(good) as unknown })
  })

  it('SEC-H19 no trick with a path reaches another route', async () => {
    for (const path of ['/x/..%2fmine', '/%2e%2e/mine', '//mine', '/..%5cmine', '/mine%00', '/%c0%ae/mine', '/%u002e/mine', '/./mine', '/x/../mine']) {
      assert.match(await raw(server.port, lines(`GET ${path} HTTP/1.1`, 'Host: a')), /^HTTP\/1.1 (400|404) /, path)
    }
    for (const path of ['/mine;x', '/MINE', '/mine/']) assert.match(await raw(server.port, lines(`GET ${path} HTTP/1.1`, 'Host: a')), /^HTTP\/1.1 404 /, path)
  })

  it('SEC-H20 a Host that is none, TRACE and CONNECT are refused', async () => {
    assert.match(await raw(server.port, lines('GET /open HTTP/1.1', 'Host: a b@c/d')), /^HTTP\/1.1 421 /)
    assert.match(await raw(server.port, lines('GET /open HTTP/1.1')), /^HTTP\/1.1 400 /)
    assert.match(await raw(server.port, lines('TRACE /open HTTP/1.1', 'Host: a')), /^HTTP\/1.1 405 /)
    assert.match(await raw(server.port, lines('CONNECT /open HTTP/1.1', 'Host: a')), /^HTTP\/1.1 405 /)
  })

  it('SEC-H21 X-Forwarded-For is believed from our own proxies only', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.9, 198.51.100.7, 10.0.0.1', 'x-forwarded-proto': 'https' }
    assert.partialDeepStrictEqual(await (await fetch(`${base}/open`, { headers })).json(), { remote: '127.0.0.1', secure: false })
    await using behind = await listen(['127.0.0.1', '10.0.0.0/8'])
    const answer = await fetch(`http://127.0.0.1:${behind.port}/open`, { headers: { ...headers, connection: 'close' } })
    assert.partialDeepStrictEqual(await answer.json(), { remote: '198.51.100.7', secure: true, origin: `https://127.0.0.1:${behind.port}` })
  })

  it('SEC-H22 only listed origins may call from a browser, and no answer says *', async () => {
    const preflight = (origin: string): Promise<Response> => fetch(`${base}/things`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } })
    const good = await preflight(shop)
    assert.deepEqual([good.status, good.headers.get('access-control-allow-origin'), good.headers.get('access-control-allow-credentials')], [204, shop, null])
    for (const origin of ['https://evil.example', 'null', 'https://shop.example.evil']) {
      const bad = await preflight(origin)
      assert.deepEqual([bad.status, bad.headers.get('access-control-allow-origin')], [403, null])
    }
    const simple = await fetch(`${base}/things`, { ...post('{}'), headers: { 'content-type': 'application/json', origin: 'https://evil.example' } })
    assert.equal(simple.headers.get('access-control-allow-origin'), null)
  })

  it('SEC-H24 what is for this machine only is not there for others', async () => {
    assert.equal(await status('/local'), 404)
  })

  it('SEC-E01 one address opens so many connections and no more', async () => {
    await using small = await listen([], { ...defaultLimits, connections: { ...everywhere, perAddress: 1 } })
    const first = connect(small.port, '127.0.0.1')
    await new Promise(done => first.once('connect', done))
    assert.equal(await raw(small.port, lines('GET /open HTTP/1.1', 'Host: a')), '')
    first.destroy()
  })

  it('SEC-H03 an origin counts only as a browser writes it', () => {
    assert.equal(exactOrigin(shop), shop)
    for (const forged of ['null', 'https://Shop.example', 'https://shop.example/', 'https://shop.example:443', 'https://a`$b', 'shop.example', 'file:///x', undefined]) assert.equal(exactOrigin(forged), undefined)
  })

  describe('WebSocket', () => {
    const handshake = (path: string, ...more: string[]): Promise<string> =>
      raw(server.port, [`GET ${path} HTTP/1.1`, 'Host: a', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', ...more, '', ''].join('\r\n'))

    it('talks the subprotocol that both know', async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/talk`, ['chat', 'xmpp'])
      const heard = new Promise(done => socket.on('message', data => done(`${data}`)))
      socket.on('open', () => socket.send('hello'))
      assert.equal(await heard, 'hello')
      assert.equal(socket.protocol, 'xmpp')
      assert.equal(socket.extensions, '', 'SEC-H06 no compression')
      socket.terminate()
    })

    it('SEC-H01 without our subprotocol: 400, with another version: 426, elsewhere: 404', async () => {
      assert.match(await handshake('/talk', 'Sec-WebSocket-Version: 13'), /^HTTP\/1.1 400 /)
      assert.match(await handshake('/talk', 'Sec-WebSocket-Version: 8', 'Sec-WebSocket-Protocol: xmpp'), /^HTTP\/1.1 426 [^]*sec-websocket-version: 13/)
      assert.match(await handshake('/open', 'Sec-WebSocket-Version: 13'), /^HTTP\/1.1 404 /)
    })

    it('SEC-H02 a page of another origin is refused', async () => {
      for (const origin of ['https://evil.example', 'null', 'https://shop.example.evil']) {
        assert.match(await handshake('/talk', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: xmpp', `Origin: ${origin}`), /^HTTP\/1.1 403 /)
      }
    })

    it('SEC-H04, SEC-H05 a message that is too long, or in too many fragments, ends the connection with 1009', async () => {
      const closed = (send: (socket: WebSocket) => void): Promise<number> => new Promise(done => {
        const socket = new WebSocket(`ws://127.0.0.1:${server.port}/talk`, 'xmpp', { perMessageDeflate: false })
        socket.on('open', () => send(socket))
        socket.on('close', done)
        socket.on('error', () => {})
      })
      assert.equal(await closed(socket => socket.send('x'.repeat(600 * 1024))), 1009)
      assert.ok([1008, 1009].includes(await closed(socket => { for (let i = 0; i < 9; i++) socket.send('x', { fin: i === 8 }) })))
    })
  })

  it('drains: what is asked is answered, then the port is free', async () => {
    const slow = new HttpRouter()
    const { promise: asked, resolve: hear } = Promise.withResolvers<void>()
    const { promise: go, resolve: answer } = Promise.withResolvers<void>()
    slow.on('GET', '/', 'open', async () => { hear(); await go; return { status: 200, body: 'done' } })
    await using drained = await listenHttp({ port: 0, address: '127.0.0.1', proxies: [], router: slow, limits: defaultLimits, clock: wallClock, log: silent })
    const response = fetch(`http://127.0.0.1:${drained.port}/`)
    await asked
    const over = drained.drain(5000)
    answer()
    assert.equal(await (await response).text(), 'done')
    await over
  })
})
