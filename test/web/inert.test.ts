// What admins, managers and agents name things, in a real Chromium: text, wherever it is shown.
import assert from 'node:assert/strict'
import { BOT, c, config } from '../harness/desk.ts'
import { webDesk } from '../harness/web.ts'
import { Customer } from './browser.ts'
import { inChromium, set, site } from './site.ts'

const STAFF = { anna: 'agent', mia: 'manager', boss: 'admin' } as const
/** Does something at once where it is read as markup, breaks out of attributes, scripts and styles. */
const BAD = `"'></script></style></title><script>window.pwned=1</script><img src=//evil.example/x onerror=window.pwned=1><svg onload=window.pwned=1>{{7*7}}`
const short = (n: number): string => BAD.slice(0, n)
const IMG = '<img src=//evil.example/x onerror=window.pwned=1>'

/** What a page has fetched from elsewhere, and whether a script of ours ran in it. */
async function harm(at: Customer): Promise<unknown> { return [await at.page.evaluate('window.pwned ?? null'), await at.page.evaluate("performance.getEntriesByType('resource').map(r => r.name).filter(n => n.includes('evil'))"), at.faults] }
const NONE = [null, [], []]

describe('names that are markup', function () {
  this.timeout(300_000)
  const chromium = inChromium()

  it('SEC-A17 of departments, fields, texts, queues, agents and canned replies are text in the widget, and so in transcripts', webDesk(STAFF, async (d, url) => {
    const anna = await d.comes('anna')
    await set(d, {
      routing: { departments: true }, conversation: { selectionText: short(200), queueText: BAD, survey: true }, queues: { support: { name: short(80) } },
      departments: { buy: { name: short(80), queues: ['support'] }, pay: { name: `${IMG}2`, queues: ['billing'] } }, fields: { order: { label: short(80), ask: true }, plan: { label: IMG, kind: 'choice', choices: [short(60), 'b'], ask: true } },
      sites: { default: { origins: [url], texts: { welcome: BAD, message: IMG, send: `Send ${IMG}`, joined: `{0} ${IMG}`, newConversation: `New conversation ${IMG}` } } },
    })
    await d.rest('PATCH', '/api/v1/operators/anna@localhost', 'boss', { alias: IMG })
    assert.equal((await d.rest('POST', '/api/v1/canned', 'mia', { shortcut: 'hi1', title: short(80), text: `${BAD} %VISITOR%` })).status, 201)
    assert.equal((await d.rest('POST', '/api/v1/articles', 'mia', { title: `password ${IMG}`, text: `password ${BAD}` })).status, 201)
    await using at = await Customer.at(chromium.context, url)
    await at.page.getByRole('button', { name: 'New conversation' }).click()
    await at.page.getByRole('combobox').first().selectOption({ index: 1 })
    await at.name.fill('Zoe')
    await at.page.locator('textarea').last().fill('my password')
    await at.send.click()
    await at.page.getByRole('button', { name: 'No, send my question' }).click()
    await at.keeps('my password')
    anna.types(BOT, '!take 1')
    await at.told(IMG)
    anna.types(c(1), '!reply hi1')
    await at.hears(`${BAD} Zoe`)
    assert.deepEqual(await harm(at), NONE)
    assert.equal(await at.page.evaluate("document.querySelector('deskbell-chat').shadowRoot.querySelectorAll('img, script, iframe, object, embed, link, [onerror], [onload]').length"), 0)
    anna.types(c(1), `!n ${IMG}`)
    anna.types(c(1), `!label ${short(30).replace(/\s/g, '')}`)
    await d.quiet()
    const { token } = await d.address('boss')
    const text = await (await fetch(`${url}/api/v1/conversations/1/transcript.html`, { headers: { authorization: `Bearer ${token}` } })).text()
    assert.match(text, /my password/)
    await using shown = await site(text)
    const reader = await Customer.at(chromium.context, shown.url)
    assert.deepEqual(await harm(reader), NONE)
    assert.equal(await reader.page.evaluate("document.querySelectorAll('img, script, iframe, object, embed, svg, [onerror], [onload]').length"), 0)
  }, config({ support: { assign: 'pull' }, billing: { assign: 'pull' } })))

  it('SEC-A17 of saved links and their scripts are text on the web site that shows them; no address of theirs is a script', webDesk(STAFF, async d => {
    await d.comes('anna')
    await set(d, { links: { footer: { title: short(80), online: { display: 'text', description: BAD, anchorTitle: BAD, cssClass: short(60), url: 'javascript:window.pwned=1' }, offline: { display: 'image', image: 'javascript:window.pwned=1', description: BAD, url: 'data:text/html,<script>opener.pwned=1</script>' } } } })
    const { script, inPlace } = (await d.rest('POST', '/api/v1/links/footer/script', 'boss', { kind: 'deferred' })).body
    const words = (await d.rest('POST', '/api/v1/snippets', 'boss', { texts: { welcome: BAD, title: BAD } })).body
    await using shop = await site(`<!doctype html><title>Shop</title><p>${inPlace}</p>${script}${words.script ?? ''}`)
    await set(d, { sites: { default: { origins: [shop.origin] } } })
    await using at = await Customer.at(chromium.context, shop.url)
    await at.page.locator('a[data-deskbell-link][data-state]').waitFor()
    await at.page.locator('a[data-state=online], a[data-state=offline]').waitFor()
    const href = String(await at.page.locator('a[data-deskbell-link]').getAttribute('href'))
    assert.match(href, /^https?:/)
    assert.deepEqual(await harm(at), NONE)
    assert.equal(await at.page.evaluate("document.querySelectorAll('img[src*=evil], svg, p script').length"), 0)
  }))

  it('SEC-A17 in REST answers is data that no browser reads as a page', webDesk(STAFF, async (d, url) => {
    await set(d, { queues: { support: { name: short(80) } } })
    await d.rest('POST', '/api/v1/canned', 'mia', { shortcut: 'hi1', title: short(80), text: BAD })
    const { token } = await d.address('boss')
    for (const path of ['/settings', '/queues', '/canned', '/openapi.json', `/${encodeURIComponent(BAD)}`, `/canned?search=${encodeURIComponent(BAD)}`]) {
      const r = await fetch(`${url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}`, accept: 'text/html' } })
      assert.match(r.headers.get('content-type') ?? '', /^application\/(problem\+)?json/)
      assert.deepEqual([r.headers.get('x-content-type-options'), /default-src 'none'/.test(r.headers.get('content-security-policy') ?? '')], ['nosniff', true])
      await r.body?.cancel()
    }
  }))
})
