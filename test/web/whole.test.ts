// The main job, end to end: a customer in Chromium, an agent in an XMPP client, and the program between them.
import assert from 'node:assert/strict'
import type { Browser, BrowserContext } from 'playwright-core'
import { needs } from '../harness/machine.ts'
import { Agent } from './agent.ts'
import { built, CHROMIUM, Customer, launch } from './browser.ts'
import { Program } from './program.ts'

const BOT = 'desk@help.localhost/desk'

describe('a customer on a web page and an agent in an XMPP client', function () {
  this.timeout(60_000)
  before(needs('chromium', CHROMIUM !== undefined))

  let browser: Browser
  let program: Program
  let context: BrowserContext
  let password: string
  before(async () => {
    await built()
    browser = await launch()
    program = await Program.start()
    password = await program.agent('anna', 'Anna')
  })
  after(async () => {
    await browser?.close()
    await program?.[Symbol.asyncDispose]()
  })
  beforeEach(async () => { context = await browser.newContext() })
  afterEach(async () => { await context.close() })

  it('ST-71 with no agent there the widget says so', async () => {
    const c = await Customer.at(context, program.url)
    await c.anew.click()
    await c.told('nobody is available right now')
  })

  it('ST-74 OM-30 the customer waits, Anna takes it with !a, they talk, and the customer ends it', async () => {
    using anna = await Agent.arrives(program.url, 'anna', password)
    const c = await Customer.at(context, program.url)
    await c.begins('Where is my order?')
    await c.told('People ahead of you: 0')
    await anna.hears(/#\d+/)
    anna.says(BOT, '!a')
    await c.told('Anna joined')
    const { from } = await anna.hears(/Where is my order\?/)
    anna.says(from, 'Let me look:\nhttps://example.org/4711 🚚')
    await c.log.getByText('Let me look:').waitFor()
    const long = 'ä👍'.repeat(2000)
    await c.says(long)
    await anna.hears(long)
    anna.types(from, 'composing')
    await c.page.getByText('Anna is typing…').waitFor()
    anna.says(from, '!nosuchcommand')
    await anna.hears(/^✱/)
    anna.says(from, 'It comes tomorrow.')
    await c.hears('It comes tomorrow.')
    assert.ok(!(await c.lines()).some(l => l.includes('!nosuch')))
    await c.end.click()
    await c.told('ended')
    await c.says('One more thing')
    await anna.hears('One more thing')
    anna.says(from, '!close')
    await c.told('closed')
    assert.deepEqual(c.faults, [])
  })

  it('SEC-W23 K01 killed in the middle and started again, the conversation goes on where it was, every line once', async () => {
    let anna = await Agent.arrives(program.url, 'anna', password)
    const c = await Customer.at(context, program.url)
    await c.begins('before the crash')
    await anna.hears(/#\d+/)
    anna.says(BOT, '!a')
    await c.told('Anna joined')
    const { from } = await anna.hears(/before the crash/)
    anna.says(from, 'I am here.')
    await c.hears('I am here.')
    await program.kill()
    await c.told('Connection lost, trying again…')
    await c.says('said in the dark')
    anna[Symbol.dispose]()
    await program.again()
    await c.keeps('said in the dark')
    await c.told('Anna joined')
    anna = await Agent.arrives(program.url, 'anna', password)
    await anna.hears('said in the dark')
    anna.says(from, 'Still here.')
    await c.hears('Still here.')
    const said = await c.lines()
    for (const line of ['before the crash', 'I am here.', 'said in the dark', 'Still here.']) assert.equal(said.filter(l => l === line).length, 1, line)
    const tab = await Customer.at(context, program.url)
    await tab.hears('Still here.')
    assert.deepEqual(await tab.lines(), await c.lines())
    await c.end.click()
    await tab.told('ended')
    anna[Symbol.dispose]()
  })

  it('OT-40 OT-43 ST-64 C4 the customer hears nothing of observer, coaching and offers of transfer, and is told of who joins and takes over', async () => {
    const [bensOwn, cleosOwn] = [await program.agent('ben', 'Ben'), await program.agent('cleo', 'Cleo')]
    using anna = await Agent.arrives(program.url, 'anna', password)
    const c = await Customer.at(context, program.url)
    await c.begins('I need a second opinion')
    await anna.hears(/#\d+/)
    anna.says(BOT, '!a')
    const { from } = await anna.hears(/I need a second opinion/)
    await c.told('Anna joined')
    using ben = await Agent.arrives(program.url, 'ben', bensOwn)
    using cleo = await Agent.arrives(program.url, 'cleo', cleosOwn)
    anna.says(from, '!i ben')
    await ben.hears(/!a/)
    ben.says(BOT, '!a')
    await ben.hears(/!obs/)
    const number = /c(\d+)@/.exec(from)![1]!
    ben.says(BOT, `!obs ${number}`)
    await anna.hears(/Ben/)
    ben.says(from, 'plain text of an observer')
    await ben.hears(/^✱/)
    ben.says(from, '!c offer a refund')
    await anna.hears('Ben (coaching): offer a refund')
    anna.says(from, 'You get your money back.')
    await c.hears('You get your money back.')
    const before = await c.lines()
    assert.ok(!before.some(l => /Ben|observer|refund/.test(l)), before.join(' | '))
    ben.says(BOT, `!join ${number}`)
    await c.log.getByText(/Ben joined/).waitFor()
    anna.says(from, '!t cleo she wants more')
    await cleo.hears(/!a/)
    await c.says('Hello Ben')
    await ben.hears('Hello Ben')
    assert.ok(!(await c.lines()).some(l => /Cleo/.test(l)))
    cleo.says(BOT, '!a')
    await c.told('Cleo joined')
    cleo.says(from, 'I am Cleo.')
    await c.hears('I am Cleo.')
    assert.ok(!(await c.lines()).some(l => /wants more/.test(l)))
    cleo.says(from, '!close')
    await c.told('closed')
  })
})
