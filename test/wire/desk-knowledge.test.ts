// What is known already: articles by REST, suggestions before a question is put, hints and `!kb` for agents.
import assert from 'node:assert/strict'
import { BOT, c, config, desk, type DeskHouse } from '../harness/desk.ts'
import { begins, inside, sends, site } from '../harness/bridge.ts'

const STAFF = { anna: 'agent', ben: 'agent', boss: 'admin' } as const
const PULL = config({ support: { assign: 'pull' }, billing: { assign: 'pull' } })
const write = async (d: DeskHouse, more: object): Promise<string> => { const r = await d.rest('POST', '/api/v1/articles', 'boss', { text: '', ...more }); assert.equal(r.status, 201, JSON.stringify(r.body)); return r.body.id }
async function three(d: DeskHouse): Promise<void> {
  await write(d, { title: 'Reset your password', text: 'Press “Forgot password” on the login page.', url: 'https://kb.example.org/1' })
  await write(d, { title: 'Change the password', text: 'Settings, Security.', url: 'https://kb.example.org/2' })
  await write(d, { title: 'Password rules', text: 'Twelve letters.', url: 'https://kb.example.org/3', internal: true })
  await write(d, { title: 'Invoices', text: 'They come monthly.' })
}

describe('what is known', () => {
  it('ST-49 articles are written, found by their words, changed and deleted; agents read, managers write', desk(STAFF, async d => {
    const id = await write(d, { title: 'Returns', text: 'Send it back within 30 days.' })
    assert.equal((await d.rest('POST', '/api/v1/articles', 'anna', { title: 'x', text: '' })).status, 403)
    for (const wrong of [{ title: '' }, { title: 'x', text: '', url: 'javascript:alert(1)' }, { title: 'x', text: '', queues: ['nope'] }, { title: 'x', text: '', odd: 1 }]) assert.equal((await d.rest('POST', '/api/v1/articles', 'boss', wrong)).status, 422, JSON.stringify(wrong))
    const found = async (q: string): Promise<string[]> => (await d.rest('GET', `/api/v1/articles?q=${q}`, 'anna')).body.items.map((a: { title: string }) => a.title)
    assert.deepEqual(await found('back+days'), ['Returns'])
    assert.deepEqual(await found('back+weeks'), [])
    assert.equal((await d.rest('PATCH', `/api/v1/articles/${id}`, 'boss', { text: 'Send it back within six weeks.' })).status, 200)
    assert.deepEqual(await found('back+weeks'), ['Returns'])
    assert.equal((await d.rest('DELETE', `/api/v1/articles/${id}`, 'boss')).status, 204)
    assert.deepEqual(await found('back'), [])
  }))

  it('ST-05 before a question is put, what may answer it is suggested; nothing waits in a queue for that, and nothing internal is shown', desk(STAFF, async d => {
    const anna = await d.comes('anna')
    const web = await d.comes('web')
    assert.equal((await site(web)).attrs['suggests'], 'false')
    await three(d)
    assert.equal((await site(web)).attrs['suggests'], 'true')
    const answer = await sends(web, 'get', 'suggest', { queue: 'support' }, '<body>Hello, I have forgotten my password, what can I do?</body>')
    assert.deepEqual(inside(answer, 'suggestions').getChildren('article').map(a => [a.attrs['title'], a.attrs['url']]).sort(), [['Change the password', 'https://kb.example.org/2'], ['Reset your password', 'https://kb.example.org/1']])
    anna.types(BOT, '!q')
    await anna.reads(BOT, /Nobody waits/)
  }, PULL))

  it('ST-02 who gets the conversation is shown what may help, three at most, with links; the customer is not', desk(STAFF, async d => {
    const [anna, web] = [await d.comes('anna'), await d.comes('web')]
    await three(d)
    await begins(web, { body: 'My password is lost' })
    anna.types(BOT, '!take 1')
    const { text } = await anna.reads(BOT, /this may help/)
    assert.equal(text.match(/https:\/\/kb\.example\.org\/[123]/g)?.length, 3)
    anna.types(c(1), 'Hello')
    await web.actor.hears`<message from='${c(1)}/desk'><line xmlns='urn:deskbell:desk:0'>Hello</line></message>`
    assert.doesNotMatch((await web.all()).join('\n'), /kb\.example/)
  }, PULL))

  it('ST-49 ST-50 `!kb words` lists articles and the resolutions of conversations one may see; without words it is about what the customer asked', desk(STAFF, async d => {
    const [anna, ben, web] = [await d.comes('anna'), await d.comes('ben'), await d.comes('web')]
    await three(d)
    await begins(web, { body: 'The printer is on fire' })
    anna.types(BOT, '!take 1')
    await anna.reads(c(1), 'The printer is on fire')
    anna.types(c(1), '!res Printer: pull the plug, then call 112')
    await anna.reads(c(1), /kept/i)
    anna.types(c(1), '!close')
    await anna.sees(/closed/)
    await d.quiet()
    anna.types(BOT, '!kb printer')
    await anna.reads(BOT, /Resolved in #1: Printer: pull the plug/)
    ben.types(BOT, '!kb printer')
    await ben.reads(BOT, /Nothing is known/)
    anna.types(BOT, '!kb invoices')
    await anna.reads(BOT, /1\. Invoices\n +They come monthly\./)
    await begins(web, { body: 'Where are my invoices?' })
    anna.types(BOT, '!take 2')
    await anna.reads(c(2), 'Where are my invoices?')
    anna.types(c(2), '!kb')
    await anna.reads(c(2), /1\. Invoices/)
  }, PULL))
})
