// Translation at the desk: asked for with !tr, beneath the customer's lines when a service is chosen, and counted.
import assert from 'node:assert/strict'
import { BOT, c, config, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { BOTH, deskWith, TEAM } from '../harness/talks.ts'
import { HookSink, status } from '../unit/helpdesk/hook-sink.ts'

const OFF = 'Not translated: translation is switched off. An administrator can choose a service.'
interface Asked { readonly q: string; readonly target: string }
const asked = (sink: HookSink): Asked[] => sink.heard.map(h => JSON.parse(h.body)) // as services.ts writes it

/** A desk beside a service that finds everything German and shouts it in the language asked for. */
const translating = (translation: object, play: (d: DeskHouse, sink: HookSink) => Promise<void>, allow = ['127.0.0.0/8']) => async (): Promise<void> => {
  const sink = new HookSink()
  const url = `http://127.0.0.1:${await sink.listen()}`
  sink.always = (h, r) => {
    if (sink.answers.length > 0) return false
    const { q, target }: Asked = JSON.parse(h.body) // as services.ts writes it
    r.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ translatedText: `${target.toUpperCase()} ${q}`, detectedLanguage: { language: 'de' } }))
    return true
  }
  try { await deskWith({ translation: { url, ...translation } }, TEAM, d => play(d, sink), config(BOTH, { allow }))() } finally { await sink.close() }
}
/** Zoe's conversation #1, served by `agent`, who has read her first line; what the desk says beneath it is still to be read. */
async function serves(d: DeskHouse, agent: Person, words: string): Promise<Person> {
  const zoe = await d.comes('zoe')
  zoe.types(SUPPORT, words)
  await agent.reads(BOT, /#1\b/)
  agent.types(BOT, '!take 1')
  await agent.reads(c(1), words)
  await zoe.reads(SUPPORT, / joined\.$/)
  await d.quiet()
  await zoe.all()
  return zoe
}
const LIBRE = { method: 'libretranslate', language: 'en' }
/** What of this was said to be translated. */
const notices = (lines: readonly string[]): string[] => lines.filter(l => / (de → |Not translated)/.test(l))

describe('translation', () => {
  it('ST-102 !tr gives the agent alone the customer’s newest line in another language', translating({ ...LIBRE, language: 'de' }, async (d, sink) => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    const zoe = await serves(d, anna, 'Guten Tag')
    zoe.types(SUPPORT, 'Die Pumpe ist kaputt')
    await anna.reads(c(1), 'Die Pumpe ist kaputt')
    anna.types(c(1), 'Moment')
    await zoe.reads(SUPPORT, /Moment/)
    anna.types(c(1), '!tr fr')
    await anna.reads(c(1), '✱ de → fr: FR Die Pumpe ist kaputt')
    const rest = await d.rest('POST', '/api/v1/conversations/1/commands/tr', 'anna', { language: 'pt-BR' })
    assert.deepEqual([rest.status, rest.body.text], [200, 'de → pt-BR: PT-BR Die Pumpe ist kaputt'])
    assert.deepEqual(notices(await ben.all()), [])
    await zoe.readsNothing()
    const before = sink.heard.length
    ben.types(BOT, '!tr 1 fr')
    await ben.reads(BOT, /no conversation #1/)
    anna.types(c(1), '!tr German')
    await anna.reads(c(1), /this is no language/)
    assert.equal(sink.heard.length, before, 'neither is sent')
  }))

  it('ST-102 SS-21 with method none nothing goes out, and !tr is refused with the reason', translating({ method: 'none' }, async (d, sink) => {
    const anna = await d.comes('anna')
    const zoe = await serves(d, anna, 'Guten Tag')
    zoe.types(SUPPORT, 'Hallo?')
    await anna.reads(c(1), 'Hallo?')
    anna.types(c(1), '!tr')
    await anna.reads(c(1), `✱ ${OFF}`)
    const rest = await d.rest('POST', '/api/v1/conversations/1/commands/tr', 'anna', {})
    assert.ok(rest.status >= 400)
    assert.equal(rest.body.title, OFF)
    await zoe.readsNothing()
    assert.equal(sink.connections, 0)
    assert.deepEqual((await d.rest('GET', '/api/v1/translation', 'adam')).body, { method: 'none', language: 'en', usage: [] })
  }))

  it('SS-21 the customer’s lines reach the agent with the translation beneath, those before he came too; the customer’s own stream is unchanged', translating(LIBRE, async (d, sink) => {
    const anna = await d.comes('anna')
    const zoe = await serves(d, anna, 'Guten Tag')
    await anna.reads(c(1), '✱ de → en: EN Guten Tag')
    zoe.types(SUPPORT, 'Die Pumpe ist kaputt')
    await anna.reads(c(1), 'Die Pumpe ist kaputt')
    await anna.reads(c(1), '✱ de → en: EN Die Pumpe ist kaputt')
    zoe.types(SUPPORT, 'https://files.example.org/secret/pump.jpg')
    await anna.reads(c(1), /pump\.jpg$/)
    anna.types(c(1), 'Moment')
    await zoe.reads(SUPPORT, /Moment/)
    await zoe.readsNothing()
    assert.deepEqual(asked(sink).map(({ q, target }) => [q, target]), [['Guten Tag', 'en'], ['Die Pumpe ist kaputt', 'en']])
  }))

  it('SS-21 who reads the customer’s language gets no translation', translating(LIBRE, async d => {
    assert.equal((await d.rest('PATCH', '/api/v1/operators/anna@localhost', 'adam', { languages: ['fr', 'de-AT'] })).status, 200)
    const anna = await d.comes('anna')
    const zoe = await serves(d, anna, 'Guten Tag')
    zoe.types(SUPPORT, 'Hallo?')
    await anna.reads(c(1), 'Hallo?')
    anna.types(c(1), '!tr')
    await anna.reads(c(1), '✱ de → fr: FR Hallo?')
    assert.deepEqual(notices(await anna.all()), [])
  }))

  it('SS-21 a service that fails takes no line away, and is told of once', translating(LIBRE, async (d, sink) => {
    for (let i = 0; i < 3; i++) sink.answers.push(status(500))
    const anna = await d.comes('anna')
    const zoe = await serves(d, anna, 'eins')
    await anna.reads(c(1), '✱ Not translated: the service answered 500.')
    for (const line of ['zwei', 'drei', 'vier']) { zoe.types(SUPPORT, line); await anna.reads(c(1), line) }
    await anna.reads(c(1), '✱ de → en: EN vier')
    assert.deepEqual(notices(await anna.all()), [])
    await zoe.readsNothing()
  }))

  it('SS-21 SEC-W19 a service in a network that the config does not allow is not reached', translating(LIBRE, async (d, sink) => {
    const anna = await d.comes('anna')
    await serves(d, anna, 'Guten Tag')
    await anna.reads(c(1), /Not translated: the service cannot be reached/)
    assert.equal(sink.connections, 0)
  }, []))

  it('ST-102 what a chosen service lacks is named', translating({ method: 'microsoft', clientId: 'me', clientSecret: 'hush' }, async (d, sink) => {
    const anna = await d.comes('anna')
    await serves(d, anna, 'Guten Tag')
    const rest = await d.rest('POST', '/api/v1/conversations/1/commands/tr', 'anna', {})
    assert.equal(rest.body.title, 'Not translated: translation.tenant is not set.')
    assert.equal(sink.connections, 0)
  }))

  it('SS-23 requests and characters are counted and shown to admins', translating(LIBRE, async (d, sink) => {
    const anna = await d.comes('anna')
    await serves(d, anna, 'Guten Tag')
    await anna.reads(c(1), '✱ de → en: EN Guten Tag')
    sink.answers.push(status(500))
    anna.types(c(1), '!tr fr')
    await anna.reads(c(1), '✱ Not translated: the service answered 500.')
    const { status: code, body } = await d.rest('GET', '/api/v1/translation', 'adam')
    const month = new Date(d.house.clock.now()).toISOString().slice(0, 7)
    assert.deepEqual([code, body], [200, { method: 'libretranslate', language: 'en', usage: [{ month, requests: 2, characters: 18 }] }])
    assert.equal((await d.rest('GET', '/api/v1/translation', 'anna')).status, 403)
  }))
})
