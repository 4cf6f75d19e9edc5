// A client's side of SASL2 over TLS: what the tests of SASL2, FAST and certificates share.
import { createHmac } from 'node:crypto'
import type tls from 'node:tls'
import type { Element as Xml } from 'ltx'
import { Actor, House, type SceneOptions } from '../harness/scene.ts'
import { tlsDoor } from '../harness/doors.ts'
import { finish } from '../unit/sasl/client.ts'

export const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
export const SASL2 = 'urn:xmpp:sasl:2'
export const BIND2 = 'urn:xmpp:bind:0'
export const FAST = 'urn:xmpp:fast:0'
export const SM = 'urn:xmpp:sm:3'
export const STREAMS = 'urn:ietf:params:xml:ns:xmpp-streams'
export const ETHERX = 'http://etherx.jabber.org/streams'
export const PHONE = 'd4565fa7-4d72-4749-b3d3-740edbf87770'
export const LAPTOP = '0d1a55a0-0b0c-4b9e-8a57-2f1d2c7f3a11'

export const header = (from?: string, to = 'localhost'): string => `<?xml version='1.0'?><stream:stream ${from ? `from='${from}' ` : ''}to='${to}' xmlns='jabber:client' xmlns:stream='${ETHERX}' version='1.0'>`
export const plain = (local: string, password = 'pw', authzid = ''): string => btoa(`${authzid}\0${local}\0${password}`)
export const agent = (id: string): string => `<user-agent id='${id}'><software>Test</software></user-agent>`

/** <authenticate/> with whatever else is asked for. */
export const authenticate = (mechanism: string, initial: string | undefined, ...more: readonly string[]): string =>
  `<authenticate xmlns='${SASL2}' mechanism='${mechanism}'>${initial === undefined ? '' : `<initial-response>${initial}</initial-response>`}${more.join('')}</authenticate>`
export const bind = (...inner: readonly string[]): string => `<bind xmlns='${BIND2}'>${inner.join('')}</bind>`
export const login = (...more: readonly string[]): string => authenticate('PLAIN', plain('romeo'), ...more)

/** A connection with TLS whose stream is open. */
export class Client extends Actor {
  socket!: tls.TLSSocket
  features!: Xml

  static async at(house: House, { from, to, jid = 'romeo@localhost/x', port, tls: options }: { from?: string; to?: string; jid?: string; port?: number; tls?: tls.ConnectionOptions } = {}): Promise<Client> {
    const client = new Client(from ?? jid, jid)
    client.socket = await client.opensTls(port ?? await tlsDoor(house, 'direct'), { ALPNProtocols: ['xmpp-client'], ...options })
    client.says(header(from, to))
    client.features = await client.next()
    return client
  }

  get exporter(): Buffer { return this.socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)) }

  mechanisms(ns: string): string[] {
    return this.features.getChild(ns === SASL2 ? 'authentication' : 'mechanisms', ns)?.getChildren('mechanism').map(m => m.getText()) ?? []
  }

  /** SCRAM-SHA-256 in SASL2; gives the server's last word, and what it has to prove. */
  async scram(more: readonly string[] = [], { gs2 = 'n,,', cbind = Buffer.from(gs2), mechanism = 'SCRAM-SHA-256', password = 'pw' } = {}): Promise<{ answer: Xml; verifier: string; challenge: string }> {
    const bare = 'n=romeo,r=fyko+d2lbbFgONRv9qkxdawL'
    this.says(authenticate(mechanism, btoa(gs2 + bare), ...more))
    const asked = await this.next()
    if (asked.name !== 'challenge') return { answer: asked, verifier: '', challenge: '' }
    const challenge = atob(asked.getText())
    const { final, verifier } = finish('sha-256', bare, challenge, cbind, password)
    this.says(`<response xmlns='${SASL2}'>${btoa(final)}</response>`)
    return { answer: await this.next(), verifier, challenge }
  }

  /** The next element, which has to be <success/>. */
  async succeeds(): Promise<Xml> { return this.receives`<success xmlns='${SASL2}'/>` }
  async failsWith(condition: string): Promise<Xml> { return this.receives`<failure xmlns='${SASL2}'>${''}</failure>`.then(x => { if (!x.getChild(condition, SASL)) throw new Error(`${condition} was expected: ${String(x)}`); return x }) }
  async ends(condition: string): Promise<void> {
    const x = await this.next()
    if (x.name !== 'stream:error' || !x.getChild(condition, STREAMS)) throw new Error(`the stream should end with ${condition}: ${String(x)}`)
    await this.isCutOff()
  }
}

export const identifier = (success: Xml): string => success.getChild('authorization-identifier', SASL2)!.getText()
export const tokenOf = (success: Xml): string | undefined => success.getChild('token', FAST)?.attrs['token'] as string | undefined

/** The one message of HT-SHA-256-*. */
export function hashed(local: string, token: string, channel: Uint8Array = new Uint8Array(), side: 'Initiator' | 'Responder' = 'Initiator'): string {
  const mac = createHmac('sha256', token).update(side).update(channel).digest()
  return (side === 'Responder' ? mac : Buffer.concat([Buffer.from(`${local}\0`), mac])).toString('base64')
}

/** A house where romeo has an account, and juliet. */
export const inHouse = (play: (house: House, door: (more?: Parameters<typeof Client.at>[1]) => Promise<Client>) => Promise<void>, options: SceneOptions = {}) => async (): Promise<void> => {
  await using house = await House.open(options)
  await house.account('romeo')
  await house.account('juliet')
  const port = await tlsDoor(house, 'direct')
  const clients: Client[] = []
  try {
    await play(house, async more => { const c = await Client.at(house, { port, ...more }); clients.push(c); return c })
  } finally { for (const c of clients) c.leaves() }
}
