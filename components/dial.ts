// XEP-0114, the component's end: a component of ours beside any XMPP server that speaks it.
import net from 'node:net'
import { createHash } from 'node:crypto'
import { Asking, isStanza, Jid, Lane, Parser, readStanza, Unreadable, XmlError, type AnyStanza, type Component, type Link, type Receiver } from '../server/api.ts'

const NS_ACCEPT = 'jabber:component:accept'
const NS_STREAM = 'http://etherx.jabber.org/streams'

export interface DialOptions {
  readonly domain: string
  readonly secret: string
  readonly host: string
  readonly port: number
  /** What the component is given of the world; `privileges` are absent, for this wire grants none. */
  readonly world: Omit<Link, 'send' | 'ask' | 'domain' | 'privileges'>
  /** Told when the connection ended, with the reason if it was refused. */
  readonly onEnd?: (why: string | undefined) => void
}

/** Connects, proves the secret, starts the component; rejects with the server's words if it refuses. Disposing stops the component and hangs up. */
export function dial(component: Component, options: DialOptions): Promise<AsyncDisposable> {
  const { domain, secret, world } = options
  return new Promise((ready, failed) => {
    const socket = net.connect({ host: options.host, port: options.port, noDelay: true })
    let receiver: Receiver | undefined
    let refusal: string | undefined
    const send = (s: AnyStanza): void => { socket.write(s.write()) }
    const asking = new Asking({ clock: world.clock, send })
    const lane = new Lane<AnyStanza>(
      s => { if (!asking.takes(s)) return receiver?.receive(s) },
      err => world.log.error({ err, domain }, 'a component met a bug'),
    )
    const parser: Parser = new Parser({
      open: header => { socket.write(`<handshake>${createHash('sha1').update((header.attrs['id'] ?? '') + secret).digest('hex')}</handshake>`) },
      element(e) {
        if (e.name === 'error' && e.ns === NS_STREAM) { refusal = e.elements[0]?.name ?? 'error'; return }
        if (receiver) { if (isStanza(e)) stanza(e); return }
        if (e.name !== 'handshake') return
        parser.pause()
        void Promise.resolve(component.start({ ...world, domain, send, ask: iq => asking.ask(iq) })).then(r => {
          receiver = r
          ready({ async [Symbol.asyncDispose]() { lane.close(); await r.stop?.(); socket.end('</stream:stream>'); socket.destroySoon() } })
          parser.resume()
        }, failed)
      },
      close: () => { socket.end('</stream:stream>') },
    }, { home: NS_ACCEPT })
    const stanza = (e: Parameters<typeof readStanza>[0]): void => {
      const s = readStanza(e)
      if (!(s instanceof Unreadable)) lane.push(s)
      else if (s.reply?.to && s.reply.to.domain !== domain) send(s.reply.readdress({ from: Jid.parse(domain) } as never)) // the same head for all kinds
    }
    socket.on('connect', () => { socket.write(`<?xml version='1.0'?><stream:stream xmlns='${NS_ACCEPT}' xmlns:stream='${NS_STREAM}' to='${domain}'>`) })
    socket.on('data', (b: Buffer) => {
      try { parser.write(b) } catch (e) {
        if (!(e instanceof XmlError)) throw e
        refusal = e.message
        socket.destroy()
      }
    })
    socket.on('error', (e: Error) => { refusal ??= e.message })
    socket.on('close', () => {
      failed(new Error(`${domain}: the server at ${options.host}:${options.port} ended the connection${refusal ? ` (${refusal})` : ''}`))
      options.onEnd?.(refusal)
    })
  })
}
