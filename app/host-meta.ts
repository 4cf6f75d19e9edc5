// /.well-known/host-meta: where a browser client finds our WebSocket and our BOSH (XEP-0156).
import type { HttpRequest, HttpRouter, RouteOptions } from '../server/net/http.ts'

// XEP-0156 section 5: any page may read it, and it says so whoever asks: caches and testers ask without an origin.
const PUBLIC: RouteOptions = { cors: () => true }
const ANYONE = { 'access-control-allow-origin': '*' }

/** Adds both forms of the document; the paths are those on our own port. */
export function serveHostMeta(http: HttpRouter, paths: { readonly websocket: string; readonly bosh: string }): void {
  const linksOf = ({ origin }: HttpRequest): readonly { rel: string; href: string }[] => [
    { rel: 'urn:xmpp:alt-connections:websocket', href: `${origin.replace(/^http/, 'ws')}${paths.websocket}` },
    { rel: 'urn:xmpp:alt-connections:xbosh', href: `${origin}${paths.bosh}` },
  ]
  http.on('GET', '/.well-known/host-meta', 'open', request => ({
    status: 200,
    headers: { ...ANYONE, 'content-type': 'application/xrd+xml; charset=utf-8' },
    body: `<?xml version='1.0' encoding='utf-8'?><XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>${linksOf(request).map(({ rel, href }) => `<Link rel='${rel}' href='${href}'/>`).join('')}</XRD>`,
  }), PUBLIC)
  http.on('GET', '/.well-known/host-meta.json', 'open', request => ({ status: 200, headers: ANYONE, body: { links: linksOf(request) } }), PUBLIC)
}
