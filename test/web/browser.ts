// A real Chromium, and what a customer does in it.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core'
import { find } from '../harness/machine.ts'
import { PATIENCE } from '../harness/patience.ts'

/** The command that stands for Chromium here. */
export const CHROMIUM = find('chromium') ?? find('chromium-browser') ?? find('google-chrome')

const WEB = fileURLToPath(new URL('../../web/', import.meta.url))

/** Builds the widget where its sources are newer than what is built. */
export async function built(): Promise<void> {
  const script = `${WEB}dist/widget.js`
  if (existsSync(script) && newest(`${WEB}widget`) <= statSync(script).mtimeMs) return
  const { build } = await import('vite')
  await build({ configFile: `${WEB}vite.config.ts`, logLevel: 'error' })
}

const newest = (folder: string): number => Math.max(...readdirSync(folder).map(name => statSync(`${folder}/${name}`).mtimeMs))

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'], timeout: PATIENCE })

/** A customer at a page with the widget. Everything is found by role and accessible name, as a screen reader finds it. */
export class Customer implements AsyncDisposable {
  readonly page: Page
  readonly faults: string[] = [] // what the page complained of
  constructor(page: Page) {
    this.page = page
    page.on('pageerror', e => this.faults.push(String(e)))
    page.on('console', m => { if (m.type() === 'error' && !/WebSocket|ERR_|Failed to load/.test(m.text())) this.faults.push(m.text()) })
    page.on('dialog', d => { this.faults.push(`dialog ${d.message()}`); void d.dismiss() })
    page.setDefaultTimeout(PATIENCE)
  }

  static async at(context: BrowserContext, url: string): Promise<Customer> {
    const customer = new Customer(await context.newPage())
    await customer.page.goto(url)
    return customer
  }

  get anew(): Locator { return this.page.getByRole('button', { name: 'New conversation' }) }
  get name(): Locator { return this.page.getByRole('textbox', { name: 'Your name' }) }
  get message(): Locator { return this.page.getByRole('textbox', { name: 'Message' }) }
  get send(): Locator { return this.page.getByRole('button', { name: 'Send' }) }
  get end(): Locator { return this.page.getByRole('button', { name: 'End chat' }) }
  get log(): Locator { return this.page.getByRole('log', { name: 'Conversation' }) }
  get status(): Locator { return this.page.getByRole('status') }

  async begins(text: string, name = 'Alice'): Promise<void> {
    await this.anew.click()
    await this.name.fill(name)
    await this.message.fill(text)
    await this.send.click()
    await this.keeps(text)
  }

  async says(text: string): Promise<void> {
    await this.message.fill(text)
    await this.page.keyboard.press('Enter')
  }

  /** Waits until the line is in the record, so not "Waiting to be sent". */
  async keeps(text: string): Promise<void> {
    await this.log.locator('.line.mine:not(.unsent):not(.failed) .text').getByText(text, { exact: true }).first().waitFor()
  }

  async hears(text: string): Promise<void> { await this.log.getByText(text, { exact: true }).waitFor() }

  async told(text: string): Promise<void> { await this.status.filter({ hasText: text }).waitFor() }

  /** The lines of the conversation, as they stand there. */
  async lines(): Promise<string[]> { return this.log.locator('.text').allTextContents() }

  /** Keeps a picture of the page where the environment's SHOTS says. */
  async shot(name: string): Promise<void> {
    const folder = process.env['SHOTS']
    if (folder) await this.page.screenshot({ path: `${folder}/${name}.png` })
  }

  async [Symbol.asyncDispose](): Promise<void> { await this.page.close() }
}
