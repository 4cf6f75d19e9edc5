// Files in a real Chromium: from the customer's widget, to it, and from the page that !file opens for an agent.
import assert from 'node:assert/strict'
import type { Locator } from 'playwright-core'
import { BOT, c, type DeskHouse, type Person } from '../harness/desk.ts'
import { filesDesk, type Files } from '../harness/files.ts'
import { TEAM } from '../harness/talks.ts'
import { bridged } from '../harness/web.ts'
import { Customer } from './browser.ts'
import { inChromium } from './site.ts'

const ON = { conversation: { customerFiles: true }, quality: { idleWarning: 0, idleCritical: 0 } }
const CAT = { name: 'cat & dog.png', mimeType: 'image/png', buffer: Buffer.from('meow!') }

describe('files on a page', function () {
  this.timeout(300_000)
  const chromium = inChromium()

  interface Scene { readonly d: DeskHouse; readonly f: Files; readonly anna: Person; readonly at: Customer; readonly clip: Locator }
  /** Anna serves a customer on our own page. */
  const talk = (settings: object, play: (s: Scene) => Promise<void>): (() => Promise<void>) => filesDesk(settings, TEAM, (d, f) => bridged(d, async url => {
    const anna = await d.comes('anna')
    await using at = await Customer.at(chromium.context, url)
    const clip = at.page.getByRole('button', { name: 'Attach a file' })
    await at.anew.click()
    assert.equal(await clip.count(), 0) // there is no conversation yet
    await at.name.fill('Zoe')
    await at.message.fill('my pump')
    await at.send.click()
    await anna.reads(BOT, /New chat #1/)
    anna.types(BOT, '!a')
    await anna.reads(c(1), 'my pump')
    await at.told('Anna joined')
    await play({ d, f, anna, at, clip })
    assert.deepEqual(at.faults, [])
  }))
  async function chooses(at: Customer, clip: Locator, ...files: (typeof CAT)[]): Promise<void> {
    const chooser = at.page.waitForEvent('filechooser')
    await clip.click()
    await (await chooser).setFiles(files)
  }
  /** A file is dropped on the log. */
  async function drops(at: Customer): Promise<void> {
    const dataTransfer = await at.page.evaluateHandle("(() => { const d = new DataTransfer(); d.items.add(new File(['woof'], 'dog.png', { type: 'image/png' })); return d })()")
    for (const type of ['dragover', 'drop']) await at.log.dispatchEvent(type, { dataTransfer })
  }
  const link = (at: Customer, name: string): Locator => at.log.getByRole('link', { name })

  it('ST-55 SS-08 a customer attaches files by the button, reached by keyboard too; the agent gets links, and the log shows files', talk(ON, async ({ anna, at, clip }) => {
    await chooses(at, clip, CAT, { ...CAT, name: 'b.txt', mimeType: 'text/plain' })
    for (const name of ['cat%20%26%20dog.png', 'b.txt']) {
      const { text, stanza } = await anna.reads(c(1), new RegExp(`${name}$`))
      assert.equal(stanza.getChild('x', 'jabber:x:oob')?.getChildText('url'), text)
      assert.equal(await (await fetch(text)).text(), 'meow!')
    }
    await link(at, 'cat & dog.png').waitFor()
    await link(at, 'b.txt').waitFor()
    assert.equal(await at.page.getByRole('button', { name: 'Cancel' }).count(), 0)
    await at.shot('files')
    await clip.focus()
    const chooser = at.page.waitForEvent('filechooser')
    await at.page.keyboard.press('Enter')
    await (await chooser).setFiles([{ ...CAT, name: 'third.png' }])
    await anna.reads(c(1), /third\.png$/)
    await at.page.reload()
    await link(at, 'third.png').waitFor() // from the record
  }))

  it('ST-47 a file of an agent is shown as one, by name; a link is a link', talk(ON, async ({ anna, at }) => {
    const url = 'https://up.example.org/x/offer%20one.pdf'
    anna.actor.sends`<message type='chat' to='${c(1)}' id='f'><body>${url}</body><x xmlns='jabber:x:oob'><url>${url}</url></x></message>`
    await link(at, 'offer one.pdf').waitFor()
    assert.deepEqual([await link(at, 'offer one.pdf').getAttribute('href'), await link(at, 'offer one.pdf').getAttribute('rel')], [url, 'noopener noreferrer nofollow'])
    anna.types(c(1), 'https://shop.example.org/pump.html')
    await link(at, 'https://shop.example.org/pump.html').waitFor()
  }))

  it('SEC-W08 SEC-F03 a name is text, whatever it holds: on its way, in the log, in the address, and in a link that an agent sends', talk(ON, async ({ anna, at, clip }) => {
    const name = `<img src=x onerror=alert(1)>'"&lt;\u202egnp.png`
    await chooses(at, clip, { ...CAT, name })
    const { text } = await anna.reads(c(1), /\.png$/)
    assert.match(text, /^http:\/\/[\w.:]+\/upload\/[\w-]+\/[\w%.~-]+$/)
    await at.log.getByRole('link', { name: /\.png/ }).waitFor()
    const url = 'https://up.example.org/x/%3Cimg%20src=x%20onerror=alert(1)%3E.png'
    anna.actor.sends`<message type='chat' to='${c(1)}' id='f'><body>${url}</body><x xmlns='jabber:x:oob'><url>${url}</url></x></message>`
    await link(at, '<img src=x onerror=alert(1)>.png').waitFor()
    assert.equal(await at.log.locator('img').count(), 0)
    const got = await fetch(text)
    assert.match(got.headers.get('content-disposition') ?? '', /^attachment; filename="[^"\r\n]*"; filename\*=UTF-8''[\w%.~-]+$/)
  }))

  it('a file that is dropped on the chat goes, too', talk(ON, async ({ anna, at }) => {
    await drops(at)
    assert.equal(await (await fetch((await anna.reads(c(1), /dog\.png$/)).text)).text(), 'woof')
    await at.says('one dog')
    assert.match((await anna.reads(c(1), /dog$|\.png$/)).text, /^one dog$/, 'while it is dragged it is not sent')
    await link(at, 'dog.png').waitFor()
  }))

  it('SS-08 without the setting there is no button, and what is dropped goes nowhere', talk({ ...ON, conversation: {} }, async ({ anna, at, clip }) => {
    assert.equal(await clip.count(), 0)
    await drops(at)
    await at.says('still here')
    await anna.reads(c(1), 'still here')
  }))

  it('a file that is not taken is said to be refused, and why; it can be let go, and other lines go on', talk(ON, async ({ anna, at, clip }) => {
    await chooses(at, clip, { ...CAT, name: 'page.html', mimeType: 'text/html' })
    await at.log.getByText('Not sent. Files of this type are not taken here.').waitFor()
    await at.shot('refused')
    await at.says('what now?')
    await anna.reads(c(1), 'what now?')
    await at.page.getByRole('button', { name: 'Cancel' }).click()
    await at.log.getByText('page.html').waitFor({ state: 'detached' })
    assert.ok((await anna.all()).every(t => !t.includes('page.html')))
  }))

  it('while it goes one sees how much has gone, may write on, and may cancel', talk(ON, async ({ d, anna, at, clip }) => {
    let go: () => void = () => {}
    const held = new Promise<void>(done => { go = done })
    await at.page.route('**/upload/**', async route => { await held; await route.continue().catch(() => {}) })
    await chooses(at, clip, CAT)
    await at.log.getByRole('progressbar', { name: 'cat & dog.png' }).waitFor()
    await at.says('a picture is coming')
    await anna.reads(c(1), 'a picture is coming')
    await at.shot('sending')
    await at.page.getByRole('button', { name: 'Cancel' }).click()
    await at.log.getByRole('progressbar').waitFor({ state: 'detached' })
    go()
    await at.says('no, it is not')
    await anna.reads(c(1), 'no, it is not')
    await d.quiet()
    assert.ok((await anna.all()).every(t => !t.includes('cat')))
  }))

  it('without a connection it waits, and goes when there is one again', talk(ON, async ({ anna, at, clip }) => {
    await chromium.context.setOffline(true)
    await at.told('Connection lost')
    await chooses(at, clip, CAT)
    await at.log.getByText('Waiting to be sent').waitFor()
    await chromium.context.setOffline(false)
    await anna.reads(c(1), /dog\.png$/)
    await link(at, 'cat & dog.png').waitFor()
  }))

  it('what the server could not keep can be tried again', talk(ON, async ({ anna, at, clip }) => {
    let fails = true
    await at.page.route('**/upload/**', route => fails ? route.fulfill({ status: 500, headers: { 'access-control-allow-origin': '*' }, body: '{}' }) : route.continue())
    await chooses(at, clip, CAT)
    await at.log.getByText('Not sent. The file could not be sent.').waitFor()
    fails = false
    await at.page.getByRole('button', { name: 'Try again' }).click()
    await anna.reads(c(1), /dog\.png$/)
    await link(at, 'cat & dog.png').waitFor()
  }))

  it('ST-47 an agent uploads on the page behind !file, once; it goes to the customer in the agent’s name', talk(ON, async ({ anna, at, f }) => {
    anna.types(c(1), '!file')
    const url = /http\S+/.exec((await anna.reads(c(1), /Upload a file/)).text)?.[0] ?? ''
    assert.ok(url.startsWith(`${f.url}/file/#`))
    await using agent = await Customer.at(chromium.context, url)
    await agent.told('To Zoe, in conversation #1, as Anna.')
    await agent.page.getByLabel('File').setInputFiles({ name: 'offer.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7') })
    await agent.page.getByRole('button', { name: 'Upload' }).click()
    await agent.told('offer.pdf is sent.')
    await link(at, 'offer.pdf').waitFor()
    await at.log.getByText('Anna').first().waitFor()
    await agent.page.reload()
    await agent.told('This link is over.')
    assert.deepEqual(agent.faults, [])
  }))
})
