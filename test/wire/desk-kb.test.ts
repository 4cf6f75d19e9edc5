// A knowledge base of the admin's, asked over HTTP: a real server answers, or fails, and nobody waits for it.
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerResponse } from 'node:http'
import { readSecrets } from '../../app/secrets.ts'
import { inside, sends, site } from '../harness/bridge.ts'
import { BOT, c, config, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { tempFolder } from '../harness/folder.ts'
import { deskWith, TEAM } from '../harness/talks.ts'
import { HookSink, status } from '../unit/helpdesk/hook-sink.ts'
import { silent } from '../../server/ports/log.ts'

const QUEUES = { support: { assign: 'pull' } } as const
const HERE = { allow: ['127.0.0.0/8'] }
const json = (body: unknown) => (r: ServerResponse): void => { r.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)) }
const hits = (...titles: string[]) => json(titles.map((title, i) => ({ title, text: `about ${title}`, url: `https://kb.example.org/${i + 1}` })))

/** A desk with such a knowledge base. */
const withBase = (settings: object, play: (d: DeskHouse, base: HookSink) => Promise<void>, conf: object = HERE) => async (): Promise<void> => {
  const base = new HookSink()
  const port = await base.listen()
  try {
    await deskWith({ knowledge: { url: `http://127.0.0.1:${port}/find?q={{question}}&n={{limit}}&in={{queue}}`, ...settings } }, TEAM, d => play(d, base), config(QUEUES, { ...conf, given: { enabled: true, queues: QUEUES } }))()
  } finally { await base.close() }
}
const suggested = async (web: Person, question: string): Promise<string[]> => inside(await sends(web, 'get', 'suggest', { queue: 'support' }, `<body>${question}</body>`), 'suggestions').getChildren('article').map(a => String(a.attrs['title']))
const suggestions = async (d: DeskHouse, q = 'printer'): Promise<{ title: string; text: string; url: string | null }[]> => (await d.rest('GET', `/api/v1/suggestions?q=${encodeURIComponent(q)}`, 'anna')).body.items
const standing = async (d: DeskHouse) => (await d.rest('GET', '/api/v1/knowledge', 'mia')).body

describe('a knowledge base', () => {
  it('ST-05 is asked before a question is put, with the words, the queue and the secret in their places, and its answer shown beside the desk’s own articles', withBase({ customers: true, authorization: 'Bearer hush-hush', headers: 'X-Tenant: shop\nX-Reader: desk' }, async (d, base) => {
    await d.comes('anna')
    await d.rest('POST', '/api/v1/articles', 'adam', { title: 'A burning printer', text: 'Call us.' })
    const web = await d.comes('web')
    assert.equal((await site(web)).attrs['suggests'], 'true')
    base.answers.push(hits('Printers & fire', 'Toner', 'Paper', 'Too many'))
    assert.deepEqual(await suggested(web, 'My “printer” burns &amp; smokes?'), ['A burning printer', 'Printers & fire', 'Toner'])
    const [heard] = base.heard
    const asked = new URL(heard?.path ?? '', 'http://x')
    assert.deepEqual([heard?.method, asked.pathname, asked.searchParams.get('q'), asked.searchParams.get('n'), asked.searchParams.get('in')], ['GET', '/find', 'My “printer” burns & smokes?', '3', 'support'])
    assert.deepEqual(['authorization', 'x-tenant', 'x-reader', 'cookie'].map(h => heard?.headers[h]), ['Bearer hush-hush', 'shop', 'desk', undefined])
    const shown = JSON.stringify((await d.rest('GET', '/api/v1/settings', 'mia')).body)
    assert.ok(!shown.includes('hush'), 'the secret is not shown')
    assert.ok(shown.includes('/knowledge/authorization'), 'but that there is one')
  }))

  it('SEC-W11 one address asks ten times in ten seconds at most, and who is banned not at all', withBase({ customers: true }, async (d, base) => {
    const web = await d.comes('web')
    for (let i = 0; i < 10; i++) { base.answers.push(hits('One')); await suggested(web, 'printer?') }
    const asks = (): Promise<unknown> => sends(web, 'get', 'suggest', { queue: 'support' }, '<body>printer?</body>').then(x => x.getChild('error')?.attrs['type'] ?? 'answered')
    assert.equal(await asks(), 'wait')
    assert.equal(base.heard.length, 10)
    await d.later(10)
    assert.equal(await asks(), 'answered')
    assert.equal((await d.rest('POST', '/api/v1/bans', 'mia', { visitor: 'web@localhost' })).status, 201)
    assert.equal(await asks(), 'auth')
  }))

  it('ST-02 ST-49 helps agents alone unless customers are let in: a hint with the conversation, `!kb`, and REST', withBase({}, async (d, base) => {
    const anna = await d.comes('anna')
    const web = await d.comes('web')
    assert.equal((await site(web)).attrs['suggests'], 'false')
    assert.deepEqual(await suggested(web, 'my printer burns'), [])
    assert.equal(base.heard.length, 0, 'it is not even asked')
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'my printer burns')
    await anna.reads(BOT, /#1/)
    base.answers.push(hits('Fire'), hits('Water'))
    anna.types(BOT, '!take 1')
    await anna.reads(BOT, /#1: this may help\n1\. Fire https:\/\/kb\.example\.org\/1\n\s+about Fire/)
    anna.types(c(1), '!kb wet printers')
    await anna.reads(c(1), /Water/)
    assert.match(decodeURIComponent(base.heard[1]?.path ?? ''), /q=wet printers/)
    base.answers.push(hits('Ice'))
    assert.deepEqual(await suggestions(d), [{ title: 'Ice', text: 'about Ice', url: 'https://kb.example.org/1' }])
    assert.deepEqual((await d.rest('GET', '/api/v1/suggestions?q=x&customers=true', 'anna')).body.items, [])
    assert.equal((await d.rest('GET', '/api/v1/suggestions', 'anna')).status, 422)
    assert.equal((await d.rest('GET', '/api/v1/suggestions?q=x&queue=nope', 'anna')).status, 422)
  }))

  it('is asked by POST where the settings say so: a question becomes a text and no structure, the limit a number', withBase({ method: 'POST', body: '{"ask":{"words":"{{question}}","in":["{{queue}}"]},"size":"{{limit}}"}' }, async (d, base) => {
    base.answers.push(hits('One'))
    assert.equal((await suggestions(d, '"},"admin":true,"x":"')).length, 1)
    assert.deepEqual(JSON.parse(base.heard[0]?.body ?? ''), { ask: { words: '"},"admin":true,"x":"', in: [''] }, size: 3 })
    assert.equal(base.heard[0]?.headers['content-type'], 'application/json')
  }))

  it('SEC-W08 SEC-W10 what it says is read where the settings say, without markup; what has no title, or leads to no page, is left out', withBase({ itemsAt: '/data/hits', titleAt: '/doc/0/name', textAt: '/doc/0/words', urlAt: '/link' }, async (d, base) => {
    base.answers.push(json({ data: { hits: [
      { doc: [{ name: '<b>Fire</b> &amp; <script>alert(1)</script>smoke', words: '<p>Run.</p>\u202E&lt;now&gt;' }], link: '/articles/7' },
      { doc: [{ words: 'nameless' }], link: 'https://kb.example.org/8' },
      { doc: [{ name: 'Evil' }], link: 'javascript:alert(1)' },
    ] } }))
    const all = await suggestions(d)
    assert.deepEqual(all.map(a => [a.title, a.text]), [['Fire & alert(1) smoke', 'Run. <now>'], ['Evil', '']])
    assert.match(all[0]?.url ?? '', /^http:\/\/127\.0\.0\.1:\d+\/articles\/7$/)
    assert.equal(all[1]?.url, null)
  }))

  it('SEC-W20 nobody waits longer than the settings say, and what the desk knows itself is shown all the same', withBase({ timeout: 2 }, async (d, base) => {
    await d.rest('POST', '/api/v1/articles', 'adam', { title: 'Our printer', text: '' })
    const heard = Promise.withResolvers<void>()
    base.always = () => { heard.resolve(); return true } // it never answers
    const asked = suggestions(d)
    await heard.promise
    await d.later(2)
    assert.deepEqual((await asked).map(a => a.title), ['Our printer'])
    assert.match((await standing(d)).because, /too long/)
  }))

  it('after three failures in a row it is left alone for half a minute, then tried once; each further failure doubles the pause, an answer ends it', withBase({}, async (d, base) => {
    const fails = async (times: number): Promise<void> => { for (let i = 0; i < times; i++) { base.answers.push(status(500)); assert.deepEqual(await suggestions(d), []) } }
    await fails(3)
    assert.equal(base.heard.length, 3)
    const { failures, leftAloneUntil, because } = await standing(d)
    assert.deepEqual([failures, because, typeof leftAloneUntil], [3, 'it answered 500', 'string'])
    for (let i = 0; i < 3; i++) await suggestions(d)
    assert.equal(base.heard.length, 3, 'it is not asked')
    await d.later(30)
    await fails(1)
    assert.equal(base.heard.length, 4)
    await d.later(59)
    await suggestions(d)
    assert.equal(base.heard.length, 4)
    await d.later(1)
    base.answers.push(hits('Back'))
    assert.equal((await suggestions(d))[0]?.title, 'Back')
    assert.deepEqual(await standing(d), { on: true, failures: 0, leftAloneUntil: null, because: null })
    await fails(3)
    await d.rest('PATCH', '/api/v1/settings', 'adam', { knowledge: { timeout: 5 } })
    base.answers.push(hits('New settings'))
    assert.equal((await suggestions(d))[0]?.title, 'New settings', 'other settings are another chance')
  }))

  it('SEC-W20 an answer that is too long, no JSON, or no list counts as a failure; a redirect is not followed; 404 says that nothing fits', withBase({ size: 1 }, async (d, base) => {
    for (const [answer, because] of [
      [json([{ title: 'x'.repeat(2000) }]), /too long/], [(r: ServerResponse): void => { r.writeHead(200).end('<html>') }, /no JSON/],
    ] as const) {
      base.answers.push(answer)
      assert.deepEqual(await suggestions(d), [])
      assert.match((await standing(d)).because, because)
    }
    base.answers.push(status(404))
    assert.deepEqual(await suggestions(d), [])
    assert.equal((await standing(d)).failures, 0)
    for (const [answer, because] of [[json({ hits: [] }), /no list/], [status(302, { location: 'http://127.0.0.1:1/' }), /answered 302/]] as const) {
      base.answers.push(answer)
      assert.deepEqual(await suggestions(d), [])
      assert.match((await standing(d)).because, because)
    }
    assert.equal(base.heard.length, 5)
  }))

  it('SEC-W19 an address that is not public is not asked, unless its network is allowed by the config file', withBase({}, async (d, base) => {
    assert.deepEqual(await suggestions(d), [])
    assert.equal(base.connections, 0)
    assert.match((await standing(d)).because, /not a public one/)
  }, {}))

  it('settings that cannot be followed are refused, and each says what is wrong', withBase({}, async d => {
    for (const [wrong, because] of [
      [{ url: 'ftp://kb.example.org/{{question}}' }, /no http or https/], [{ url: 'https://{{question}}.example.org/' }, /must name its host/], [{ url: 'https://a:b@kb.example.org/' }, /no name and password/],
      [{ url: 'https://kb.example.org/{{secret}}' }, /nothing that can be put in/], [{ method: 'POST', body: '{' }, /no JSON/], [{ headers: 'Host: internal' }, /is not set here/], [{ headers: 'X-A: 1\r\nX-B 2' }, /is no header/],
      [{ timeout: 0 }, /1 to 30/], [{ itemsAt: 'hits' }, /written/],
    ] as const) {
      const { status: code, body } = await d.rest('PATCH', '/api/v1/settings', 'adam', { knowledge: wrong })
      assert.equal(code, 422, JSON.stringify(wrong))
      assert.match(JSON.stringify(body.errors), because)
    }
    assert.equal((await d.rest('GET', '/api/v1/knowledge', 'anna')).status, 403)
  }))

  it('SS-22 a secret may stand in the environment or in a file that the config names: `secret:kb`', async () => {
    const folder = tempFolder('secrets')
    try {
      writeFileSync(join(folder, 'kb'), 'Bearer from-a-file\n')
      const secrets = readSecrets(new Map([['kb', `file:${join(folder, 'kb')}`], ['other', 'env:OTHER'], ['none', 'env:NONE'], ['gone', `file:${join(folder, 'gone')}`]]), silent, { OTHER: 'from-the-environment' })
      assert.deepEqual([...secrets], [['kb', 'Bearer from-a-file'], ['other', 'from-the-environment']])
      await withBase({ authorization: 'secret:kb' }, async (d, base) => {
        base.answers.push(hits('One'), hits('Two'))
        await suggestions(d)
        await d.rest('PATCH', '/api/v1/settings', 'adam', { knowledge: { authorization: 'secret:unknown' } })
        await suggestions(d)
        assert.deepEqual(base.heard.map(h => h.headers['authorization']), ['Bearer from-a-file', undefined])
      }, { ...HERE, secrets })()
    } finally { rmSync(folder, { recursive: true, force: true }) }
  })
})
