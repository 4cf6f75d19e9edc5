// File upload as clients do it: a slot over XMPP, the file over HTTP (XEP-0363).
import assert from 'node:assert/strict'
import { readdir, rm, writeFile, mkdir } from 'node:fs/promises'
import { request as ask, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import type { Element as Xml } from 'ltx'
import { diskFiles, type Files } from '../../components/upload/files.ts'
import { upload, type UploadOptions } from '../../components/upload/upload.ts'
import { mount } from '../../server/component/mount.ts'
import { HttpRouter, listenHttp } from '../../server/net/http.ts'
import { wallClock } from '../../server/ports/clock.ts'
import { defaultLimits, type Limits } from '../../server/ports/limits.ts'
import { silent } from '../../server/ports/log.ts'
import { tempFolder } from '../harness/folder.ts'
import { House, type Actor } from '../harness/scene.ts'

const NS = 'urn:xmpp:http:upload:0'
const DOMAIN = 'upload.localhost'
const DAY = 86_400_000
const everywhere = { ...defaultLimits.connections, perAddress: Infinity, unauthenticatedPerAddress: Infinity, unauthenticated: Infinity, newPerAddress: { rate: Infinity, burst: Infinity } }

interface Stage { readonly romeo: Actor; readonly juliet: Actor; readonly house: House; readonly folder: string; restart(): Promise<void> }

/** Romeo and Juliet, and a server that takes files. */
const stage = (play: (s: Stage) => Promise<void>, more: { limits?: Partial<Limits['upload']>; options?: Partial<UploadOptions>; files?: (files: Files) => Files; serves?: (d: string) => boolean } = {}) => async (): Promise<void> => {
  const folder = tempFolder('upload')
  const limits: Limits = { ...defaultLimits, connections: everywhere, upload: { ...defaultLimits.upload, ...more.limits } }
  try {
    await using house = await House.open({ limits, externals: { 'bot.localhost': 's', 'desk.localhost': 's' } })
    const router = new HttpRouter()
    await using web = await listenHttp({ port: 0, address: '127.0.0.1', proxies: [], router, limits, clock: wallClock, log: silent })
    const component = upload({ types: [], ...more.options }, {
      files: async () => { const files = await diskFiles(folder); return more.files?.(files) ?? files },
      base: () => `http://127.0.0.1:${web.port}`,
      serves: more.serves ?? (d => d === 'localhost'),
      trusts: d => d === 'desk.localhost',
      async lives(owner, since) {
        if (!owner.endsWith('@localhost')) return true
        const account = await house.stores.accounts.find('localhost', owner.split('@')[0]!) // split gives one at least
        return account !== undefined && account.created <= since
      },
    })
    const start = (): Promise<AsyncDisposable> => mount(component, { domain: DOMAIN, clock: house.clock, log: silent, stores: house.stores, limits, http: router, privileges: house.privileges(DOMAIN) }, house.router)
    let mounted = await start()
    try {
      const [romeo, juliet] = [await house.actor('romeo', 'romeo@localhost/orchard'), await house.actor('juliet', 'juliet@localhost/balcony')]
      await play({ romeo, juliet, house, folder, async restart() { await mounted[Symbol.asyncDispose](); mounted = await start() } })
    } finally { await mounted[Symbol.asyncDispose]() }
  } finally { await rm(folder, { recursive: true }) }
}

interface Slot { readonly put: string; readonly get: string }

async function slot(who: Actor, size: number, filename = 'cat.png', more = ''): Promise<Slot> {
  const answer = await asksFor(who, size, filename, more)
  const given = answer.getChild('slot', NS)
  assert.ok(given, String(answer))
  return { put: given.getChild('put')!.attrs['url'], get: given.getChild('get')!.attrs['url'] }
}

/** On streams of components, too. */
async function answer(who: Actor, id: string): Promise<Xml> { for (;;) { const x = await who.next(() => `${id} should be answered`); if (x.attrs['id'] === id) return x } }
/** Components say who they are. */
const from = (who: Actor): string => who.jid.includes('@') ? '' : `from='${who.jid}'`
async function asksFor(who: Actor, size: number | string, filename: string, more = '', inside = ''): Promise<Xml> {
  who.says(`<iq type='get' id='s' ${from(who)} to='${DOMAIN}'><request xmlns='${NS}' filename='${filename}' size='${size}' ${more}>${inside}</request></iq>`)
  return answer(who, 's')
}

const put = async (url: string, body: string, headers: Record<string, string> = {}): Promise<number> => (await fetch(url, { method: 'PUT', body, headers })).status

/** With headers that fetch would not send. */
function raw(method: string, url: string, headers: Record<string, string>, body?: string): Promise<IncomingMessage> {
  return new Promise((ok, no) => {
    const r = ask(url, { method, headers }, m => { m.resume(); ok(m) })
    r.on('error', no)
    r.end(body)
  })
}

describe('file upload', () => {
  it('is found by disco, with the largest size (section 3)', stage(async ({ romeo }) => {
    romeo.sends`<iq type='get' id='d' to='${DOMAIN}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await romeo.receives`<iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'>
      <identity category='store' type='file'/><feature var='${NS}'/><feature var='urn:xmpp:http:upload:purpose:0#message'/>
      <x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE'><value>${NS}</value></field><field var='max-file-size'><value>${50 * 1024 ** 2}</value></field></x>
    </query></iq>`
  }))

  it('takes a file for a slot and gives it to whoever knows its address, after a restart too', stage(async ({ romeo, restart }) => {
    const { put: to, get } = await slot(romeo, 5, 'très cool.jpg', "content-type='image/jpeg'")
    assert.match(get, /\/tr%C3%A8s%20cool\.jpg$/)
    assert.equal((await fetch(get)).status, 404)
    assert.equal(await put(to, 'hello', { 'content-type': 'image/jpeg' }), 201)
    await restart()
    const answer = await fetch(get)
    assert.deepEqual([answer.status, await answer.text(), answer.headers.get('content-type'), answer.headers.get('content-length')], [200, 'hello', 'image/jpeg', '5'])
  }))

  it('keeps every byte of a larger file, and sends it whole', stage(async ({ romeo }) => {
    const bytes = Buffer.from(Array.from({ length: 3_000_001 }, (_, i) => (i * 31 + (i >> 8)) & 0xff))
    const { put: to, get } = await slot(romeo, bytes.length)
    assert.equal((await fetch(to, { method: 'PUT', body: bytes })).status, 201)
    assert.ok(Buffer.from(await (await fetch(get)).arrayBuffer()).equals(bytes))
  }))

  it('SEC-F01 refuses a slot that is too big, and says how big it may be', stage(async ({ romeo }) => {
    const answer = await asksFor(romeo, 50 * 1024 ** 2 + 1, 'big.bin')
    const error = answer.getChild('error')!
    assert.equal(error.attrs['type'], 'modify')
    assert.ok(error.getChild('not-acceptable', 'urn:ietf:params:xml:ns:xmpp-stanzas'))
    assert.equal(error.getChild('file-too-large', NS)?.getChildText('max-file-size'), String(50 * 1024 ** 2))
    for (const size of ['0', '-1', 'x', '1e3', '1.5', '']) assert.ok((await asksFor(romeo, size, 'a')).getChild('error')?.getChild('bad-request'), size)
    assert.ok((await asksFor(romeo, 1, '')).getChild('error')?.getChild('bad-request'))
  }))

  it('SEC-F01 takes exactly the size of the slot, once, and in time', stage(async ({ romeo, house }) => {
    const { put: to } = await slot(romeo, 5)
    assert.equal(await put(to, 'hell'), 413)
    assert.equal(await put(to, 'hello!'), 413)
    assert.equal((await raw('PUT', to, { 'transfer-encoding': 'chunked' }, 'hello')).statusCode, 411)
    assert.equal(await put(to, 'hello'), 201)
    assert.equal(await put(to, 'other'), 409)
    const late = await slot(romeo, 5)
    await house.clock.advance(301_000)
    assert.equal(await put(late.put, 'hello'), 403)
  }))

  it('takes another type than was said for a mistake (section 7)', stage(async ({ romeo }) => {
    const { put: to } = await slot(romeo, 5, 'a.png', "content-type='image/png'")
    assert.equal(await put(to, 'hello', { 'content-type': 'text/html' }), 415)
    assert.equal(await put(to, 'hello', { 'content-type': 'image/PNG; a=b' }), 201)
  }))

  it('SEC-F01 of two uploads at the same time one is the file', stage(async ({ romeo }) => {
    const { put: to, get } = await slot(romeo, 5)
    const outcomes = await Promise.all(['hello', 'other'].map(body => put(to, body)))
    assert.deepEqual(outcomes.toSorted(), [201, 409])
    assert.equal(await (await fetch(get)).text(), outcomes[0] === 201 ? 'hello' : 'other')
  }))

  it('SEC-F02 an altered token, another file\'s token and the reader\'s address open nothing', stage(async ({ romeo, juliet }) => {
    const mine = await slot(romeo, 5)
    const hers = await slot(juliet, 5)
    const token = new URL(mine.put).searchParams.get('t')!
    const flipped = `${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`
    assert.equal(await put(`${mine.get}?t=${flipped}`, 'hello'), 403)
    assert.equal(await put(`${hers.get}?t=${token}`, 'hello'), 403)
    assert.equal(await put(mine.get, 'hello'), 403)
    assert.equal(await put(mine.put.replace('cat.png', 'dog.png'), 'hello'), 403)
    assert.equal(await put(mine.put, 'hello'), 201)
  }))

  it('SEC-F03 names that would lead elsewhere are made plain', stage(async ({ romeo, folder }) => {
    const names: [string, RegExp][] = [
      ['../../x', /\/x$/], ['..', /\/file$/], ['a\\b\\c.txt', /\/c\.txt$/], ['cat&#10;Set-Cookie: a=b.png', /\/catSet-Cookie%20a%3Db\.png$/],
      ['gpj.&#x202e;exe', /\/gpj\.exe$/], ['con', /\/_con$/], ['NUL.txt', /\/_NUL\.txt$/], [`${'ä'.repeat(500)}.jpeg`, /\/(?:%C3%A4){72}\.jpeg$/], ["a'b(1)*!.png".replace("'", '&apos;'), /\/a%27b%281%29%21\.png$/],
    ]
    for (const [name, address] of names) {
      const { put: to, get } = await slot(romeo, 2, name)
      assert.match(get, address)
      assert.equal(await put(to, 'ok'), 201)
      const answer = await fetch(get)
      assert.equal(await answer.text(), 'ok')
      assert.match(answer.headers.get('content-disposition') ?? '', /^attachment; filename="[\x20-\x7e]+"; filename\*=UTF-8''[\w.%~-]+$/)
      assert.equal(answer.headers.get('set-cookie'), null)
    }
    const kept = (await readdir(folder, { recursive: true })).join('\n')
    assert.doesNotMatch(kept, /cat|exe|jpeg|con/) // what users call them names nothing on disk
  }))

  it('SEC-F04 what a browser would run is bytes to save, and no page of ours', stage(async ({ romeo }) => {
    for (const type of ['text/html', 'image/svg+xml', 'application/xml', 'application/xhtml+xml', 'application/pdf', 'text/javascript', 'image/gif', 'text/plain', 'weird/type']) {
      const { put: to, get } = await slot(romeo, 25, 'x.html', `content-type='${type}'`)
      assert.equal(await put(to, '<script>alert(1)</script>', { 'content-type': type }), 201)
      const { headers } = await fetch(get)
      assert.match(headers.get('content-disposition') ?? '', /^attachment;/)
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.match(headers.get('content-security-policy') ?? '', /^sandbox; default-src 'none'/)
      assert.equal(headers.get('content-type'), type === 'image/gif' ? type : type === 'text/plain' ? 'text/plain; charset=utf-8' : 'application/octet-stream')
    }
  }))

  it('SEC-F05 addresses are not to be guessed, and a file answers to its name only', stage(async ({ romeo }) => {
    const { put: to, get } = await slot(romeo, 5)
    await put(to, 'hello')
    const id = new URL(get).pathname.split('/')[2]!
    assert.ok(id.split('-').slice(1).join('-').length >= 22) // 128 bit
    assert.equal((await fetch(get.replace('cat.png', 'dog.png'))).status, 404)
    assert.equal((await fetch(get.replace(id, `${id.slice(0, -1)}${id.endsWith('A') ? 'B' : 'A'}`))).status, 404)
    assert.equal((await fetch(get.replace(id, 'x'))).status, 404)
  }))

  it('SEC-F06 a user who has had his day hears when the next begins', stage(async ({ romeo, juliet, house }) => {
    await slot(romeo, 60)
    const answer = await asksFor(romeo, 41, 'b')
    const error = answer.getChild('error')!
    assert.equal(error.attrs['type'], 'wait')
    assert.ok(error.getChild('resource-constraint'))
    assert.equal(error.getChild('retry', NS)?.attrs['stamp'], new Date((Math.floor(house.clock.now() / DAY) + 1) * DAY).toISOString())
    await slot(juliet, 60)
    await slot(romeo, 40)
    await house.clock.advance(DAY)
    await slot(romeo, 100)
  }, { limits: { agentDay: 100 } }))

  it('SEC-F06 gives no slot when the disk is nearly full', stage(async ({ romeo }) => {
    assert.ok((await asksFor(romeo, 5, 'a')).getChild('error')?.getChild('service-unavailable'))
  }, { files: files => ({ ...files, free: async () => 0.09 }) }))

  it('SEC-F06 a disk that fails keeps nothing, and the slot can be tried again', stage(async ({ romeo, folder }) => {
    const { put: to, get } = await slot(romeo, 5)
    assert.equal(await put(to, 'hello'), 500)
    assert.equal((await fetch(get)).status, 404)
    assert.deepEqual((await readdir(join(folder, 'incoming'))), [])
    assert.equal(await put(to, 'hello'), 201)
  }, { files: files => { let broken = true; return { ...files, async write(...w) { if (broken) { broken = false; throw new Error('disk') } await files.write(...w) } } } }))

  it('SEC-F07 answers HEAD with the right length, one range with a part, and many with the whole', stage(async ({ romeo }) => {
    const { put: to, get } = await slot(romeo, 10)
    await put(to, '0123456789')
    const head = await fetch(get, { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '10', ''])
    const range = async (wanted: string): Promise<[number, string]> => { const a = await fetch(get, { headers: { range: wanted } }); return [a.status, await a.text()] }
    assert.deepEqual(await range('bytes=2-4'), [206, '234'])
    assert.deepEqual(await range('bytes=-3'), [206, '789'])
    assert.deepEqual(await range('bytes=8-'), [206, '89'])
    assert.equal((await range('bytes=10-'))[0], 416)
    assert.deepEqual(await range(`bytes=${Array.from({ length: 1000 }, () => '0-1').join(',')}`), [200, '0123456789'])
  }))

  it('SEC-C18 users of other servers, and components, get no slot', stage(async ({ house }) => {
    const bot = await house.component('bot.localhost', 's')
    bot.says(`<iq type='get' id='s' from='mallory@bot.localhost/x' to='${DOMAIN}'><request xmlns='${NS}' filename='a' size='5'/></iq>`)
    const answer = await bot.next()
    assert.ok(answer.getChild('error')?.getChild('forbidden'), String(answer))
  }))

  it('takes only the types that the config allows', stage(async ({ romeo }) => {
    await slot(romeo, 5, 'a.png', "content-type='image/png'")
    assert.ok((await asksFor(romeo, 5, 'a.exe', "content-type='application/exe'")).getChild('error')?.getChild('not-acceptable'))
    assert.ok((await asksFor(romeo, 5, 'a.exe')).getChild('error')?.getChild('not-acceptable'))
  }, { options: { types: ['image/*'] } }))

  it('lets a file go when its life is over, from the disk as well', stage(async ({ romeo, house, folder }) => {
    const { put: to, get } = await slot(romeo, 5)
    await put(to, 'hello')
    await house.clock.advance(30 * DAY - 5_000)
    assert.equal((await fetch(get)).status, 200)
    await house.clock.advance(2 * 3_600_000)
    assert.equal((await fetch(get)).status, 404)
    assert.deepEqual((await readdir(folder, { recursive: true, withFileTypes: true })).filter(e => e.isFile()), [])
  }))

  it('an ephemeral file is gone when its owner wants it to be (section 5.3)', stage(async ({ romeo, house }) => {
    const before = new Date(house.clock.now() + 600_000).toISOString()
    const answer = await asksFor(romeo, 5, 'a.png', '', `<ephemeral xmlns='urn:xmpp:http:upload:purpose:0' expire-before='${before}'/>`)
    const given = answer.getChild('slot', NS)!
    const get = String(given.getChild('get')!.attrs['url'])
    assert.equal(await put(given.getChild('put')!.attrs['url'], 'hello'), 201)
    await house.clock.advance(595_000)
    assert.equal((await fetch(get)).status, 200)
    await house.clock.advance(6_000)
    assert.equal((await fetch(get)).status, 404)
  }))

  it('the files of an account that is removed go within a day, others stay', stage(async ({ romeo, juliet, house }) => {
    const mine = await slot(romeo, 5)
    const hers = await slot(juliet, 5)
    for (const { put: to } of [mine, hers]) await put(to, 'hello')
    await house.stores.accounts.remove('localhost', 'romeo')
    await house.clock.advance(DAY + 1000)
    assert.deepEqual([(await fetch(mine.get)).status, (await fetch(hers.get)).status], [404, 200])
  }))

  it('what was half written when the server fell is cleared away', stage(async ({ folder, restart }) => {
    await mkdir(join(folder, 'incoming'), { recursive: true })
    await writeFile(join(folder, 'incoming', 'left'), 'half')
    await restart()
    assert.deepEqual(await readdir(join(folder, 'incoming')), [])
  }))

  it('web clients of any site may put and get (section 8)', stage(async ({ romeo }) => {
    const { put: to } = await slot(romeo, 5)
    const asked = await fetch(to, { method: 'OPTIONS', headers: { 'origin': 'https://app.example', 'access-control-request-method': 'PUT', 'access-control-request-headers': 'content-type' } })
    assert.deepEqual([asked.status, asked.headers.get('access-control-allow-origin'), asked.headers.get('access-control-allow-methods')], [204, 'https://app.example', 'PUT'])
  }))

  const FOR = 'urn:deskbell:upload:0'
  const asks = async (desk: Actor, who: string, size: number, address = '192.0.2.1'): Promise<Xml> => asksFor(desk, size, 'cat.png', '', `<for xmlns='${FOR}' jid='${who}@web.localhost' as='visitor' address='${address}'/>`)
  const looks = async (who: Actor, payload: string, type = 'get'): Promise<Xml> => { who.says(`<iq type='${type}' id='k' ${from(who)} to='${DOMAIN}'>${payload}</iq>`); return answer(who, 'k') }

  it('SEC-F06 SEC-C18 a desk may ask for a customer, within the customer’s own size and day and that of the network address; nobody else may', stage(async ({ house, romeo }) => {
    const [desk, bot] = [await house.component('desk.localhost', 's'), await house.component('bot.localhost', 's')]
    const taken = async (who: string, size: number, address?: string): Promise<string> => { const a = await asks(desk, who, size, address); return a.getChild('slot', NS) ? 'yes' : a.getChild('error')?.getChildElements()[0]?.name ?? '' }
    assert.equal(await taken('v1', 11), 'not-acceptable')
    assert.equal(await taken('v1', 10), 'yes')
    assert.equal(await taken('v1', 10), 'yes')
    assert.equal(await taken('v1', 10), 'resource-constraint')
    assert.equal(await taken('v2', 10), 'resource-constraint') // from the same address
    assert.equal(await taken('v3', 10, '198.51.100.7'), 'yes')
    assert.equal((await asks(bot, 'v4', 1)).attrs['type'], 'error')
    romeo.says(`<iq type='get' id='o' to='${DOMAIN}'><request xmlns='${NS}' filename='a' size='30'><for xmlns='${FOR}' jid='v5@web.localhost' as='visitor'/></request></iq>`)
    await romeo.hears`<iq id='o' type='result'/>` // his own, with his own limits
  }, { limits: { visitor: 10, visitorDay: 20 } }))

  it('SEC-W27 a desk learns what lies at an address, and lets files go by address and by owner; nobody else may', stage(async ({ house, romeo, folder }) => {
    const desk = await house.component('desk.localhost', 's')
    const slots: Slot[] = []
    for (const [i, who] of ['v1', 'v1', 'v2'].entries()) { const g = (await asks(desk, who, 5, `192.0.2.${i}`)).getChild('slot', NS)!; slots.push({ put: String(g.getChild('put')!.attrs['url']), get: String(g.getChild('get')!.attrs['url']) }) }
    const about = async (url: string): Promise<Record<string, string>> => (await looks(desk, `<file xmlns='${FOR}' url='${url}'/>`)).getChild('file', FOR)?.attrs as Record<string, string> ?? {}
    assert.equal((await about(slots[0]!.get))['state'], 'open')
    for (const s of slots) assert.equal(await put(s.put, 'hello'), 201)
    const { state, owner, name, size } = await about(slots[0]!.get)
    assert.deepEqual([state, owner, name, size], ['there', 'v1@web.localhost', 'cat.png', '5'])
    await house.clock.advance(DAY + 1000) // customers have no accounts that could be gone
    assert.equal((await fetch(slots[0]!.get)).status, 200)
    for (const payload of [`<file xmlns='${FOR}' url='${slots[0]!.get}'/>`]) assert.equal((await looks(romeo, payload)).attrs['type'], 'error')
    assert.equal((await looks(romeo, `<remove xmlns='${FOR}' owner='v1@web.localhost'/>`, 'set')).attrs['type'], 'error')
    assert.equal((await looks(desk, `<remove xmlns='${FOR}' owner='v1@web.localhost'><file url='https://other.example/upload/aaaaaaaaaaaaaaaaaaaaaaaa/x'/></remove>`, 'set')).getChild('removed', FOR)?.attrs['count'], '2')
    assert.deepEqual(await Promise.all(slots.map(async s => (await fetch(s.get)).status)), [404, 404, 200])
    assert.equal((await looks(desk, `<remove xmlns='${FOR}'><file url='${slots[2]!.get}' of='v1@web.localhost'/></remove>`, 'set')).getChild('removed', FOR)?.attrs['count'], '0')
    assert.equal((await looks(desk, `<remove xmlns='${FOR}'><file url='${slots[2]!.get}' of='v2@web.localhost'/></remove>`, 'set')).getChild('removed', FOR)?.attrs['count'], '1')
    assert.equal((await readdir(folder, { recursive: true, withFileTypes: true })).filter(f => f.isFile()).length, 0)
  }))
})
