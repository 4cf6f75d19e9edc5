// What suites of the widget in a real Chromium begin with: the browser, a web site of one page, settings of the desk.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContext } from 'playwright-core'
import type { DeskHouse } from '../harness/desk.ts'
import { needs } from '../harness/machine.ts'
import { built, CHROMIUM, launch } from './browser.ts'

/** A Chromium for the suite, and a context of its own for each test; to be called in `describe`. */
export function inChromium(): { readonly browser: Browser; readonly context: BrowserContext } {
  let browser: Browser
  let context: BrowserContext
  before(needs('chromium', CHROMIUM !== undefined))
  before(async () => { await built(); browser = await launch() })
  after(async () => { await browser?.close() })
  beforeEach(async () => { context = await browser.newContext() })
  afterEach(async () => { await context.close() })
  return { get browser() { return browser }, get context() { return context } }
}

/** A web site of one page; a function makes it anew for each visit. */
export async function site(html: string | (() => string)): Promise<AsyncDisposable & { readonly url: string; readonly origin: string }> {
  const server = createServer((_, r) => { r.setHeader('content-type', 'text/html; charset=utf-8'); r.end(typeof html === 'string' ? html : html()) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url: `${origin}/`, origin, [Symbol.asyncDispose]: () => new Promise<void>(done => { server.close(() => done()); server.closeAllConnections() }) }
}

/** The admin `boss` changes settings; until pages hear of it. */
export async function set(d: DeskHouse, body: unknown): Promise<void> {
  const r = await d.rest('PATCH', '/api/v1/settings', 'boss', body)
  assert.equal(r.status, 200, JSON.stringify(r.body))
  await d.quiet()
  await d.later(1)
}
