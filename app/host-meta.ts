// /.well-known/host-meta: where a browser client finds our WebSocket (XEP-0156).
import type { HttpRequest, HttpRouter, RouteOptions } from '../server/net/http.ts'

const REL = 'urn:xmpp:alt-connections:websocket'
const PUBLIC: RouteOptions = { cors: () => true } // XEP-0156 section 5: any page may read it

/** Adds both forms of the document; `path` is where the WebSocket is. */
export function serveHostMeta(http: HttpRouter, path: string): void {
  const socketOf = (request: HttpRequest): string => `${request.origin.replace(/^http/, 'ws')}${path}`
  http.on('GET', '/.well-known/host-meta', 'open', request => ({
    status: 200,
    headers: { 'content-type': 'application/xrd+xml; charset=utf-8' },
    body: `<?xml version='1.0' encoding='utf-8'?><XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'><Link rel='${REL}' href='${socketOf(request)}'/></XRD>`,
  }), PUBLIC)
  http.on('GET', '/.well-known/host-meta.json', 'open', request => ({
    status: 200,
    body: { links: [{ rel: REL, href: socketOf(request) }] },
  }), PUBLIC)
}
