// The files that browsers fetch: the widget's script, and the demo page.
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { HttpRequest, HttpResponse } from '../../server/api.ts'

const WEB = new URL('../../web/', import.meta.url)
const TYPES: Readonly<Record<string, string>> = { html: 'text/html', css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' }

/** What the demo page tells agents: the domain they log in at, the ports, and whether the certificate is our own. */
export interface About { readonly hosts: readonly string[]; readonly ports: Readonly<Record<string, number>>; readonly selfSigned: boolean }

interface Kept { readonly at: number; readonly bytes: Uint8Array; readonly etag: string }

export class Pages {
  readonly #kept = new Map<string, Kept>()

  /** Any page on the web may load it. */
  async widget(request: HttpRequest): Promise<HttpResponse> {
    const answer = await this.#file('dist/widget.js', request, { 'cache-control': 'public, max-age=300', 'cross-origin-resource-policy': 'cross-origin', 'access-control-allow-origin': '*' })
    return answer ?? { status: 503, body: 'The widget is not built. Run: npm run prepare\n' }
  }

  /** The script of saved links; any page may load it. */
  async link(request: HttpRequest): Promise<HttpResponse> {
    return await this.#file('site/link.js', request, { 'cache-control': 'public, max-age=300', 'cross-origin-resource-policy': 'cross-origin', 'access-control-allow-origin': '*' }) ?? { status: 404 }
  }

  async site(name: string, request: HttpRequest): Promise<HttpResponse> {
    const self = request.origin
    const policy = `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ${self.replace(/^http/, 'ws')}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
    return await this.#file(`site/${name}`, request, { 'content-security-policy': policy, 'cache-control': 'no-cache' }) ?? { status: 404 }
  }

  /** `name` is one of ours, never the browser's. Undefined: there is no such file. */
  async #file(name: string, request: HttpRequest, headers: Record<string, string>): Promise<HttpResponse | undefined> {
    const url = new URL(name, WEB)
    const at = (await stat(url).catch(() => undefined))?.mtimeMs
    if (at === undefined) return undefined
    let kept = this.#kept.get(name)
    if (kept?.at !== at) {
      const bytes = await readFile(url)
      kept = { at, bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` }
      this.#kept.set(name, kept)
    }
    const all = { ...headers, etag: kept.etag, 'content-type': `${TYPES[name.split('.').pop()!] ?? 'application/octet-stream'}; charset=utf-8` } // split gives one part at least
    if (request.headers['if-none-match'] === kept.etag) return { status: 304, headers: all }
    return { status: 200, headers: all, body: kept.bytes }
  }
}
