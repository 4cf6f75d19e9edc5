// The customer's widget in a real Chromium before a real desk: what its form asks, and what it offers before and after the talk.
import assert from 'node:assert/strict'
import { SignJWT } from 'jose'
import type { Locator } from 'playwright-core'
import { BOT, c, config, type Person } from '../harness/desk.ts'
import { webDesk } from '../harness/web.ts'
import { MailSink } from '../unit/helpdesk/mail-sink.ts'
import { Customer } from './browser.ts'
import { inChromium, set, site } from './site.ts'

const STAFF = { anna: 'agent', ben: 'agent', boss: 'admin' } as const

describe('the widget before a desk', function () {
  this.timeout(300_000)
  const chromium = inChromium()

  const field = (at: Customer, role: 'textbox' | 'combobox', name: string): Locator => at.page.getByRole(role, { name })

  it('OM-18 ST-56 SS-12 asks for a department and the fields in the words of the settings, and says what is missing', webDesk(STAFF, async (d, url) => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    await set(d, { routing: { departments: true }, conversation: { selectionText: 'Whom do you need?' }, departments: { buy: { name: 'Buying', queues: ['sales'] }, pay: { name: 'Paying', queues: ['billing'] } }, fields: { order: { label: 'Order number', ask: true, required: true }, plan: { label: 'Plan', kind: 'choice', choices: ['free', 'paid'], ask: true } } })
    await using at = await Customer.at(chromium.context, url)
    await at.anew.click()
    await field(at, 'combobox', 'Whom do you need?').selectOption({ label: 'Buying' })
    await at.name.fill('Zoe')
    await at.message.fill('I want two')
    await at.send.click()
    await at.told('Please fill this in.')
    await at.shot('form')
    await field(at, 'textbox', 'Order number').fill('A-7')
    await at.send.click()
    await at.keeps('I want two')
    await ben.reads(BOT, /#1.*Zoe/)
    await anna.readsNothing()
    assert.equal((await d.rest('GET', '/api/v1/conversations/1/dossier', 'boss')).body.fields.order.value, 'A-7')
    assert.deepEqual(at.faults, [])
  }, config({ support: { assign: 'pull' }, sales: { assign: 'pull', agents: ['ben@localhost'] }, billing: { assign: 'pull', agents: ['anna@localhost'] } })))

  it('OM-20 ST-23 with nobody there a message is left, which goes by mail; with somebody there a chat begins', async () => {
    const sink = new MailSink()
    const port = await sink.listen()
    try {
      await webDesk(STAFF, async (d, url) => {
        await set(d, { offline: { operators: ['anna@localhost'] } })
        await d.rest('PATCH', '/api/v1/operators/anna@localhost', 'boss', { email: 'anna@example.org' })
        await using at = await Customer.at(chromium.context, url)
        await at.anew.click()
        await at.told('Leave a message')
        await at.name.fill('Zoe')
        await at.message.fill('Please call me.')
        await at.page.getByRole('button', { name: 'Leave message' }).click()
        await at.told('mail address')
        await field(at, 'textbox', 'Your mail address').fill('zoe@example.org')
        await at.shot('leave')
        await at.page.getByRole('button', { name: 'Leave message' }).click()
        await at.told('Thank you')
        const [mail] = await sink.arrived(1)
        assert.match(mail?.raw ?? '', /Please call me\./)
        assert.equal(await at.message.inputValue(), '')
      }, config(undefined, { mail: { host: '127.0.0.1', port, tls: 'none', from: 'desk@example.org', name: 'Desk' } }))()
    } finally { await sink.close() }
  })

  /** A conversation is over, and the customer has chosen a rating and written a word about it. */
  async function rates(anna: Person, at: Customer, word: string): Promise<void> {
    await at.begins('Hello')
    anna.types(BOT, '!take 1')
    await at.told('Anna joined')
    await at.end.click()
    await at.page.getByRole('radio', { name: '4 / 5' }).check()
    await field(at, 'textbox', 'A word about it').fill(word)
  }

  it('OT-14 RULE-C17 ST-58 after the end the customer may rate it and make a ticket of it', webDesk(STAFF, async (d, url) => {
    const anna = await d.comes('anna')
    await set(d, { conversation: { survey: true, ticketAtEnd: true } })
    await using at = await Customer.at(chromium.context, url)
    await rates(anna, at, 'Quick!')
    await at.shot('after')
    await at.page.getByRole('button', { name: 'Send rating' }).click()
    await at.page.getByRole('radio').first().waitFor({ state: 'detached' })
    await at.page.getByRole('button', { name: 'Make a ticket of it' }).click()
    await at.page.getByRole('button', { name: 'Make a ticket of it' }).waitFor({ state: 'detached' })
    assert.equal((await d.rest('GET', '/api/v1/tickets', 'boss')).body.tickets.length, 1)
    assert.deepEqual([4, 'Quick!'], Object.values((({ rating, text }) => ({ rating, text }))((await d.rest('GET', '/api/v1/conversations/1/dossier', 'boss')).body.survey)))
    assert.deepEqual(at.faults, [])
  }, config({ support: { assign: 'pull' } })))

  it('what was chosen after the end outlives a reload of the page, and what was sent is not asked again', webDesk(STAFF, async (d, url) => {
    const anna = await d.comes('anna')
    await set(d, { conversation: { survey: true, ticketAtEnd: true } })
    await using at = await Customer.at(chromium.context, url)
    await rates(anna, at, 'Quick')
    await at.page.reload()
    assert.deepEqual([await at.page.getByRole('radio', { name: '4 / 5' }).isChecked(), await field(at, 'textbox', 'A word about it').inputValue()], [true, 'Quick'], 'what was begun is still there')
    await at.page.getByRole('button', { name: 'Send rating' }).click()
    await at.page.getByRole('radio').first().waitFor({ state: 'detached' })
    assert.equal((await d.rest('GET', '/api/v1/conversations/1/dossier', 'boss')).body.survey.rating, 4)
    await at.page.reload()
    await at.page.getByRole('button', { name: 'Make a ticket of it' }).click()
    await at.page.getByRole('button', { name: 'Make a ticket of it' }).waitFor({ state: 'detached' })
    assert.equal(await at.page.getByRole('radio').count(), 0)
    await at.page.reload()
    await at.told('ended')
    assert.deepEqual([await at.page.getByRole('radio').count(), await at.page.getByRole('button', { name: 'Make a ticket of it' }).count()], [0, 0])
    await at.says('One more thing')
    await at.keeps('One more thing')
    await at.told('Anna joined')
    await at.end.click()
    await at.page.getByRole('button', { name: 'Make a ticket of it' }).waitFor() // there is more of it now
    assert.equal(await at.page.getByRole('radio').count(), 0)
    assert.deepEqual(at.faults, [])
  }, config({ support: { assign: 'pull' } })))

  it('SS-29 SS-31 SS-34 SS-39 a saved link is an image while somebody is there and text else, opens a new window off-line, says off-line when the server does not answer and on-line within the refresh rate when it does again; the page waits for nothing', webDesk(STAFF, async (d, url) => {
    const anna = await d.comes('anna')
    await set(d, { links: { footer: { title: 'Live help', refresh: 10, online: { image: '/on.png', description: 'We are here', anchorTitle: 'Talk to us', cssClass: 'chat-on' }, offline: { display: 'text', anchorTitle: 'Away', url: 'https://shop.example.org/contact' } } } })
    const { script, inPlace } = (await d.rest('POST', '/api/v1/links/footer/script', 'boss', { kind: 'deferred' })).body
    const at = new Customer(await chromium.context.newPage())
    await at.page.clock.install()
    await using shop = await site(`<!doctype html><title>Shop</title><p>${inPlace}</p>${script}`)
    await at.page.goto(shop.url)
    const link = at.page.locator('a[data-deskbell-link]')
    await at.page.locator('a[data-state=online] img.chat-on').waitFor({ state: 'attached' })
    assert.deepEqual([await link.getAttribute('title'), await link.locator('img').getAttribute('title'), await link.locator('img').getAttribute('src')], ['Talk to us', 'We are here', '/on.png'])
    anna.actor.says("<presence type='unavailable'/>")
    await anna.all()
    await d.later(31)
    await at.page.clock.fastForward(10_000)
    await at.page.locator('a[data-state=offline]').waitFor()
    assert.deepEqual([await link.getAttribute('href'), await link.getAttribute('target'), await link.getAttribute('title'), await link.textContent()], ['https://shop.example.org/contact', '_blank', 'Away', 'Live help'])
    anna.actor.says('<presence/>')
    await anna.all()
    await d.later(31)
    await at.page.clock.fastForward(10_000)
    await at.page.locator('a[data-state=online]').waitFor()
    await at.page.route(`${url}/webchat/link*`, r => r.abort())
    await at.page.clock.fastForward(10_000)
    await at.page.locator('a[data-state=offline]').waitFor()
    await at.page.unroute(`${url}/webchat/link*`)
    await at.page.clock.fastForward(10_000)
    await at.page.locator('a[data-state=online]').waitFor()
    await at.page.route(`${url}/**`, r => r.abort())
    const bare = await chromium.context.newPage()
    await bare.route(`${url}/**`, r => r.abort())
    await bare.goto(shop.url, { waitUntil: 'load' }) // the load event comes although the server is down
    assert.equal(await bare.locator('a').textContent(), 'Live help')
  }))

  it('ST-05 SEC-W08 articles are shown before the question is put; it is put when the customer goes on', webDesk(STAFF, async (d, url) => {
    const anna = await d.comes('anna')
    for (const a of [{ title: 'Reset your password', text: '<img src=x onerror=alert(1)> Press “Forgot password”.' }, { title: 'Invoices', text: 'Monthly.' }]) assert.equal((await d.rest('POST', '/api/v1/articles', 'boss', a)).status, 201)
    await using at = await Customer.at(chromium.context, url)
    await at.anew.click()
    await at.name.fill('Zoe')
    await at.message.fill('How do I reset my password?')
    await at.send.click()
    const found = at.page.getByRole('region', { name: 'Does one of these help?' })
    await found.getByText('Reset your password').click()
    await found.getByText('Press “Forgot password”', { exact: false }).waitFor()
    await at.shot('found')
    assert.equal(await found.getByText('Invoices').count(), 0)
    await anna.readsNothing()
    await found.getByRole('button', { name: 'No, send my question' }).click()
    await at.keeps('How do I reset my password?')
    await anna.reads(BOT, /#1.*Zoe/)
    assert.deepEqual(at.faults, [])
  }, config({ support: { assign: 'pull' } })))

  it('OT-13 an agent’s question stands there until the customer accepts or declines', webDesk(STAFF, async (d, url) => {
    const anna = await d.comes('anna')
    await set(d, { roles: { agent: { title: 'Agent', base: 'agent', permissions: { 'chat.start.customer': true } } } })
    const identity = await new SignJWT({ sub: 'zoe', name: 'Zoe' }).setProtectedHeader({ alg: 'HS256' }).setAudience('shop').setExpirationTime('10m').sign(new TextEncoder().encode('a secret of the shop, 32 bytes long or more'))
    await using shop = await site(`<!doctype html><title>Shop</title><script src="${url}/widget.js" data-site="shop" data-identity="${identity}"></script>`)
    await set(d, { sites: { shop: { origins: [new URL(shop.url).origin], keys: { first: { alg: 'HS256', secret: 'a secret of the shop, 32 bytes long or more' } } } } })
    const at = new Customer(await chromium.context.newPage())
    await at.page.goto(shop.url)
    await at.page.waitForFunction(() => localStorage.length > 0)
    await d.quiet()
    anna.types(BOT, '!start Zoe May I ask you something?')
    await at.told('We would like to talk to you.')
    await at.shot('asked')
    assert.match((await at.lines()).join('\n'), /would like to talk with you: “May I ask you something\?”$/, 'the buttons say how to answer')
    await at.page.getByRole('button', { name: 'Accept' }).click()
    await at.told('Anna joined')
    assert.match((await at.lines()).join('\n'), /“May I ask you something\?”/)
    await at.says('Sure')
    await anna.reads(c(1), 'Sure')
  }, config({ support: { assign: 'pull' } })))

  it('OT-51 our own page shows the real chat behind a saved link: with nobody there it says so, else the talk is marked with the link', webDesk(STAFF, async (d, url) => {
    await set(d, { links: { footer: { title: 'Footer' } } })
    await using at = await Customer.at(chromium.context, `${url}/?link=footer`)
    await at.told('nobody is available')
    await d.comes('anna')
    await at.page.reload()
    await at.name.fill('Zoe')
    await at.message.fill('Just looking')
    await at.send.click()
    await at.keeps('Just looking')
    assert.equal((await d.rest('GET', '/api/v1/conversations/1/dossier', 'boss')).body.source.link, 'footer')
  }, config({ support: { assign: 'pull' } })))
})
