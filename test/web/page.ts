// A page as the bridge sees it: JSON over a WebSocket or over POST, each message held to the schema.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { WebSocket } from 'ws'
import { PATIENCE } from '../harness/patience.ts'
import { isFromBridge } from '../../components/webchat/messages.ts'
import type { FromBridge, FromBrowser, PollRequest } from '../../schemas/webchat.ts'

type Of<T extends FromBridge['type']> = Extract<FromBridge, { type: T }>

export class Page implements Disposable {
  readonly heard: FromBridge[] = [] // not asked for yet
  readonly ws: WebSocket
  readonly closed: Promise<number>
  #waiting: (() => void) | undefined

  private constructor(ws: WebSocket) {
    this.ws = ws
    this.closed = new Promise(done => ws.once('close', done))
    ws.on('message', data => {
      const m = JSON.parse(String(data)) as FromBridge
      assert.ok(isFromBridge(m), `not in the schema: ${String(data)}`)
      this.heard.push(m)
      this.#waiting?.()
    })
    void this.closed.then(() => this.#waiting?.())
  }

  /** Connects from a page of `origin`; rejects with the status where it may not. */
  static async open(url: string, { origin = url, site = 'default', headers = {}, autoPong = true }: { origin?: string | undefined; site?: string; headers?: Record<string, string>; autoPong?: boolean } = {}): Promise<Page> {
    const ws = new WebSocket(`${url.replace(/^http/, 'ws')}/webchat/socket?site=${site}`, { ...(origin !== '' && { origin }), headers, autoPong })
    return new Promise((ready, failed) => {
      const page = new Page(ws)
      ws.once('open', () => ready(page))
      ws.once('unexpected-response', (_, r) => { failed(new Error(`status ${r.statusCode}`)); r.resume() })
      ws.on('error', failed)
    })
  }

  /** Connects and says hello. */
  static async hello(url: string, m: { token?: string; conversation?: number; after?: number } = {}): Promise<{ page: Page; token: string; welcome: Of<'welcome'> }> {
    const page = await Page.open(url)
    page.say({ type: 'hello', ...m })
    const welcome = await page.hears('welcome')
    return { page, welcome, token: welcome.token ?? m.token! }
  }

  say(m: FromBrowser): void { this.ws.send(JSON.stringify(m)) }

  /** The next message of that type that fits; those before it stay for others. */
  async hears<T extends FromBridge['type']>(type: T, fits: (m: Of<T>) => boolean = () => true): Promise<Of<T>> {
    for (;;) {
      const i = this.heard.findIndex(m => m.type === type && fits(m as Of<T>))
      if (i >= 0) return this.heard.splice(i, 1)[0] as Of<T> // just looked
      if (this.ws.readyState > WebSocket.OPEN) throw new Error(`closed before it heard ${type}; heard ${JSON.stringify(this.heard)}`)
      await new Promise<void>((ready, failed) => {
        const late = setTimeout(() => failed(new Error(`heard no ${type} in time; heard ${JSON.stringify(this.heard)}`)), PATIENCE)
        this.#waiting = () => { clearTimeout(late); ready() }
      })
    }
  }

  /** What it was told up to now: proved by a ping, not by waiting. */
  async all(): Promise<FromBridge[]> {
    this.say({ type: 'ping' })
    await this.hears('pong')
    return this.heard.splice(0)
  }

  async begin(text = 'Hello?', name = 'Alice'): Promise<number> {
    const id = newId()
    this.say({ type: 'open', id, name, text })
    const said = await this.hears('said', m => m.id === id)
    await this.hears('line', m => m.conversation === said.conversation && m.id === id)
    return said.conversation
  }

  [Symbol.dispose](): void { this.ws.terminate() }
}

export const newId = (): string => randomBytes(12).toString('hex')

/** One POST to the poll door. */
export async function post(url: string, body: PollRequest | string | object, headers: Record<string, string> = { origin: url }): Promise<{ status: number; headers: Headers; session: string; messages: FromBridge[]; next: number | undefined }> {
  const r = await fetch(`${url}/webchat/poll?site=default`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } })
  const text = await r.text()
  const { session = '', messages = [], next } = JSON.parse(text || '{}') as { session?: string; messages?: FromBridge[]; next?: number }
  for (const m of messages) assert.ok(isFromBridge(m), `not in the schema: ${JSON.stringify(m)}`)
  return { status: r.status, headers: r.headers, session, messages, next }
}
