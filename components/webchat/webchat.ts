// The web bridge: visitors of web pages, as customers of a desk. Browsers speak JSON (schemas/webchat.json), the desk XMPP.
import { resultOf, errorReply, el, refuse, type Component, type HttpRequest, type Link } from '../../server/api.ts'
import { Bridge } from './bridge.ts'
import { Pages, type About } from './pages.ts'
import { Polling } from './poll.ts'
import { DEFAULT } from './sites.ts'
import { SocketDoor } from './socket.ts'

const NS_DISCO_INFO = 'http://jabber.org/protocol/disco#info'

export interface WebchatOptions {
  /** The desk's domain, and its queue in which visitors wait. */
  readonly desk: string
  readonly queue: string
  /** Web sites besides our own that may show the widget: scheme://host[:port], exactly as a browser writes it. */
  readonly origins: readonly string[]
}

/** `about`: what the demo page tells agents; asked each time the page is. */
export function webchat(options: WebchatOptions, about: () => About = () => ({ hosts: [], ports: {}, selfSigned: true })): Component {
  return {
    name: 'webchat',
    async start(link) {
      const bridge = new Bridge(link, { desk: options.desk, queue: options.queue, origins: options.origins, limits: link.limits })
      await bridge.start()
      const stop = link.http ? serve(link, bridge, about) : () => {}
      return {
        receive(s) {
          if (s.kind === 'iq' && (s.type === 'get' || s.type === 'set')) {
            const info = s.to?.isBare && !s.to.local && s.type === 'get' && s.child('query', NS_DISCO_INFO)
            const answer = info
              ? resultOf(s, el('query', NS_DISCO_INFO, {}, el('identity', NS_DISCO_INFO, { category: 'gateway', type: 'http', name: 'Web chat' }), el('feature', NS_DISCO_INFO, { var: NS_DISCO_INFO })))
              : errorReply(s, refuse('service-unavailable'))
            if (answer) link.send(answer)
          } else bridge.receive(s)
        },
        async stop() { stop(); bridge.stop() },
      }
    },
  }
}

/** Answers browsers; what it gives back lets go of those who are connected. */
function serve(link: Link, bridge: Bridge, about: () => About): () => void {
  const http = link.http! // the caller has looked
  const network = link.network ?? link.clock
  const pages = new Pages()
  const polling = new Polling(bridge, network)
  const perAddress = new Map<string, number>()
  const sockets = new Set<SocketDoor>()
  const may = (origin: string | undefined, r: HttpRequest): boolean => bridge.sites.may(r.query.get('site'), origin, r.origin)

  http.upgrade('/webchat/socket', {
    protocols: [],
    mayConnect: (origin, r) => may(origin, r) && (perAddress.get(r.remote) ?? 0) < link.limits.connections.perAddress,
    handler(ws, r) {
      perAddress.set(r.remote, (perAddress.get(r.remote) ?? 0) + 1)
      const door = new SocketDoor(ws, r, bridge, network, () => {
        sockets.delete(door)
        const left = perAddress.get(r.remote)! - 1 // counted above
        if (left > 0) perAddress.set(r.remote, left)
        else perAddress.delete(r.remote)
      })
      sockets.add(door)
    },
  })
  http.on('POST', '/webchat/poll', r => may(r.headers.origin, r) ? { who: undefined } : { status: 403, body: { messages: [] } }, r => polling.answer(r), { cors: may })
  http.on('GET', '/widget.js', 'open', r => pages.widget(r))
  http.on('GET', '/link.js', 'open', r => pages.link(r))
  http.on('GET', '/webchat/link', 'open', async r => {
    const [link, page] = [r.query.get('link') ?? '', r.query.get('page')?.slice(0, 1000)]
    const found = link === '' || link.length > 63 ? undefined : await bridge.link(r.query.get('site') ?? DEFAULT, link, page)
    return { status: found ? 200 : 404, headers: { 'cache-control': 'no-store', 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' }, body: found ?? {} }
  }, { cors: () => true })
  http.on('GET', '/', 'open', r => pages.site('index.html', r))
  for (const name of ['style.css', 'site.js', 'icon.svg']) http.on('GET', `/site/${name}`, 'open', r => pages.site(name, r))
  http.on('GET', '/site/about.json', 'open', () => ({ status: 200, body: about() }))
  return () => { polling.stop(); for (const door of sockets) door.close() }
}
