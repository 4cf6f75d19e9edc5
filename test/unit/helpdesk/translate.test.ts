// Translation: through a port, counted, refused when it is switched off, secrets kept.
import assert from 'node:assert/strict'
import { metered, type Metered } from '../../../components/helpdesk/translate/metered.ts'
import { translatorOf, type TranslationSetting } from '../../../components/helpdesk/translate/services.ts'
import { Fetcher } from '../../../components/helpdesk/webhooks/fetcher.ts'
import type { TestClock } from '../../../server/ports/clock.ts'
import type { Stores } from '../../../server/ports/store.ts'
import { openSqlite } from '../../../server/store/sqlite/sqlite.ts'
import { HookSink, status } from './hook-sink.ts'
import { MovedClock } from '../../harness/clock.ts'

describe('translation', () => {
  let stores: Stores
  let service: HookSink
  let base: string
  let clock: TestClock
  let desks = 0
  const open = (setting: TranslationSetting): Metered => metered(translatorOf(setting, { fetcher: new Fetcher({ clock, allow: ['127.0.0.0/8'] }), clock }), { documents: stores.documents, desk: `t${++desks}`, clock, on: setting.method !== 'none' })
  const answer = (body: unknown) => { service.answers.push(r => { r.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body)) }) }
  before(async () => { stores = await openSqlite({ file: ':memory:' }) })
  after(() => stores.close())
  beforeEach(async () => { service = new HookSink(); base = `http://127.0.0.1:${await service.listen()}`; clock = new MovedClock() })
  afterEach(() => service.close())

  it('SS-21 no service is the default’s meaning: nothing goes out, and the reason is told', async () => {
    const t = open({ method: 'none' })
    assert.deepEqual(await t.translate('Hello', 'de'), { is: 'refused', because: 'Not translated: translation is switched off. An administrator can choose a service.' })
    assert.deepEqual([service.connections, await t.usage(1)], [0, []])
  })

  it('SS-21 a LibreTranslate-like service is asked, and its translation arrives', async () => {
    answer({ translatedText: 'Hallo', detectedLanguage: { language: 'en', confidence: 90 } })
    const t = open({ method: 'libre', url: `${base}/`, key: 'k1' })
    assert.deepEqual(await t.translate('Hello', 'de'), { is: 'translated', text: 'Hallo', from: 'en' })
    assert.deepEqual([service.heard[0]?.path, JSON.parse(service.heard[0]?.body ?? '')], ['/translate', { q: 'Hello', source: 'auto', target: 'de', format: 'text', api_key: 'k1' }])
  })

  it('SS-21 Google is asked with its key, in no address', async () => {
    answer({ data: { translations: [{ translatedText: 'Hallo', detectedSourceLanguage: 'en' }] } })
    assert.deepEqual(await open({ method: 'google', key: 'k2', url: `${base}/v2` }).translate('Hello', 'de'), { is: 'translated', text: 'Hallo', from: 'en' })
    assert.deepEqual([service.heard[0]?.path, service.heard[0]?.headers['x-goog-api-key'], JSON.parse(service.heard[0]?.body ?? '')], ['/v2', 'k2', { q: 'Hello', target: 'de', format: 'text' }])
  })

  it('SS-21 Microsoft is asked with a token that its client id and secret bring, and that is used until it ends', async () => {
    const t = open({ method: 'microsoft', clientId: 'id', secret: 'se&cret', tenant: 't', url: `${base}/translate?api-version=3.0`, tokenUrl: `${base}/token` })
    const hallo = [{ detectedLanguage: { language: 'en' }, translations: [{ text: 'Hallo', to: 'de' }] }]
    answer({ access_token: 'T1', expires_in: 3600 })
    answer(hallo)
    assert.deepEqual(await t.translate('Hello', 'de'), { is: 'translated', text: 'Hallo', from: 'en' })
    assert.equal(new URLSearchParams(service.heard[0]?.body).get('client_secret'), 'se&cret')
    assert.deepEqual([service.heard[1]?.path, service.heard[1]?.headers.authorization], ['/translate?api-version=3.0&to=de', 'Bearer T1'])
    answer(hallo)
    await t.translate('Hello', 'de', 'en')
    assert.equal(service.heard[2]?.path, '/translate?api-version=3.0&to=de&from=en')
    await clock.advance(3_600_000)
    answer({ access_token: 'T2', expires_in: 3600 })
    answer(hallo)
    await t.translate('Hello', 'de')
    assert.deepEqual(service.heard.map(h => h.path.split('?')[0]), ['/token', '/translate', '/translate', '/token', '/translate'])
  })

  it('SS-23 characters and requests are counted, failed attempts too, month by month', async () => {
    const t = open({ method: 'libre', url: base })
    await clock.advance(Math.max(0, Date.parse('2030-01-31T12:00:00Z') - clock.now()))
    answer({ translatedText: 'x' })
    await t.translate('Hello', 'de')
    service.answers.push(status(500))
    assert.deepEqual(await t.translate('👍 ok', 'de'), { is: 'failed', because: 'Not translated: the service answered 500.' })
    assert.deepEqual(await t.usage(12), [{ month: '2030-01', requests: 2, characters: 9 }])
    await clock.advance(86_400_000)
    for (let i = 0; i < 10; i++) answer({ translatedText: 'x' })
    await Promise.all(Array.from({ length: 10 }, () => t.translate('abc', 'de')))
    assert.deepEqual(await t.usage(12), [{ month: '2030-02', requests: 10, characters: 30 }, { month: '2030-01', requests: 2, characters: 9 }])
  })

  it('SS-23 what is not sent is not counted', async () => {
    const t = open({ method: 'libre', url: base })
    assert.equal((await t.translate('Hello', 'German')).is, 'refused')
    assert.equal((await t.translate('Hello', 'de', '../x')).is, 'refused')
    assert.equal((await t.translate('x'.repeat(5001), 'de')).is, 'refused')
    assert.deepEqual(await t.translate(' ', 'de'), { is: 'translated', text: ' ' })
    assert.deepEqual([service.connections, await t.usage(1)], [0, []])
  })

  it('ST-102 a service that is gone, answers nonsense or nothing of use is a failure told, not thrown', async () => {
    const t = open({ method: 'libre', url: base })
    service.answers.push(r => r.end('<html>'), r => r.end('{}'), r => r.end('null'), r => r.end('{"translatedText":{"$ne":1}}'), status(302, { Location: 'http://169.254.169.254/' }), r => r.destroy())
    for (let i = 0; i < 6; i++) assert.match(((await t.translate('Hello', 'de')) as { because: string }).because, /^Not translated: /) // a refusal has words
    const inside = metered(translatorOf({ method: 'libre', url: 'http://169.254.169.254' }, { fetcher: new Fetcher({ clock }), clock }), { documents: stores.documents, desk: 'z', clock, on: true })
    assert.equal((await inside.translate('Hello', 'de')).is, 'failed')
  })
})
