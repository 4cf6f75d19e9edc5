// A client of BOSH that says its bodies itself, and a house that serves it.
import assert from 'node:assert/strict'
import { parse, type Element as Xml } from 'ltx'
import { serveBosh } from '../../server/net/bosh/bosh.ts'
import { HttpRouter, listenHttp, type HttpListening } from '../../server/net/http.ts'
import { wallClock } from '../../server/ports/clock.ts'
import { defaultLimits, type Limits } from '../../server/ports/limits.ts'
import { silent } from '../../server/ports/log.ts'
import { ClientStream, type ClientWorld } from '../../server/stream/c2s.ts'
import { House } from '../harness/scene.ts'

export const NS = 'http://jabber.org/protocol/httpbind'
export const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
export const BIND = 'urn:ietf:params:xml:ns:xmpp-bind'
export const X = "xmlns:xmpp='urn:xmpp:xbosh'"
export const everywhere = { ...defaultLimits.connections, perAddress: Infinity, unauthenticatedPerAddress: Infinity, unauthenticated: Infinity, newPerAddress: { rate: Infinity, burst: Infinity } }
export const roomy: Limits = { ...defaultLimits, connections: everywhere }

/** A house that speaks BOSH, too; its clock moves waits, polling and silence. */
export async function withBosh(play: (port: number, house: House) => Promise<void>, limits: Limits = roomy, proxies: string[] = []): Promise<void> {
  await using house = await House.open({ limits: { connections: everywhere } })
  const clients: ClientWorld = {
    limits: roomy, network: wallClock, log: silent, hosts: new Map([['localhost', house.host]]), requireTls: () => false,
    secret: Buffer.alloc(32, 7), iterations: 4096, devices: house.devices,
  }
  const router = new HttpRouter()
  serveBosh(router, { path: '/http-bind', limits, clock: house.clock, serve: t => { new ClientStream(t, clients) } })
  await using web: HttpListening = await listenHttp({ port: 0, address: '127.0.0.1', proxies, router, limits: { ...limits, connections: everywhere }, clock: wallClock, log: silent })
  await play(web.port, house)
}

export interface Said { readonly status: number; readonly body: Xml; readonly text: string }

export class Browser {
  readonly #url: string
  rid = 1573741820
  sid: string | undefined

  constructor(port: number) { this.#url = `http://127.0.0.1:${port}/http-bind` }

  async raw(text: string, more: RequestInit = {}): Promise<Said> {
    const answer = await fetch(this.#url, { method: 'POST', headers: { 'content-type': 'text/xml; charset=utf-8' }, body: text, ...more })
    const said = await answer.text()
    return { status: answer.status, text: said, body: parse(said.startsWith('<') ? said : '<none/>') }
  }

  /** The next request, with these attributes and payloads. */
  asks(inner = '', attrs = ''): Promise<Said> { return this.asksAs(++this.rid, inner, attrs) }
  asksAs(rid: number | string, inner = '', attrs = '', more: RequestInit = {}): Promise<Said> {
    return this.raw(`<body xmlns='${NS}' ${X} rid='${rid}' ${this.sid ? `sid='${this.sid}'` : ''} ${attrs}>${inner}</body>`, more)
  }

  async opens(attrs = "ver='1.6' wait='60' hold='1'"): Promise<Said> {
    const said = await this.asks('', `to='localhost' xml:lang='en' xmpp:version='1.0' ${attrs}`)
    this.sid = said.body.attrs['sid']
    return said
  }

  async logsIn(local: string, resource = 'web'): Promise<void> {
    const success = await this.asks(`<auth xmlns='${SASL}' mechanism='PLAIN'>${btoa(`\0${local}\0pw`)}</auth>`)
    assert.ok(success.body.getChild('success', SASL), success.text)
    const features = await this.asks('', "to='localhost' xmpp:restart='true'")
    assert.match(features.text, /<bind /)
    const bound = await this.asks(`<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='${BIND}'><resource>${resource}</resource></bind></iq>`)
    assert.match(bound.text, new RegExp(`${local}@localhost/${resource}`))
  }
}

export const conditionOf = ({ body }: Said): string => `${body.attrs['type']} ${body.attrs['condition']}`

/** Resolves when the server has taken in what was sent before. */
export async function settled(house: House): Promise<void> {
  const other = await house.actor('fence', `fence${Math.random().toString(36).slice(2)}@localhost/x`)
  await other.fence()
  other.leaves()
}

/** A house, juliet on a socket, and romeo in a browser, logged in. */
export const talk = (play: (romeo: Browser, juliet: Awaited<ReturnType<House['actor']>>, house: House) => Promise<void>, limits?: Limits) => () => withBosh(async (port, house) => {
  await house.account('romeo')
  const juliet = await house.actor('juliet', 'juliet@localhost/balcony')
  await juliet.comesOnline()
  const romeo = new Browser(port)
  await romeo.opens()
  await romeo.logsIn('romeo')
  await play(romeo, juliet, house)
}, limits)
