// An agent in an XMPP client of the plainest kind: text in, text out, over RFC 7395.
import { parse, type Element } from 'ltx' // on purpose not our own parser
import { WebSocket } from 'ws'
import { PATIENCE } from '../harness/patience.ts'

export class Agent implements Disposable {
  readonly heard: { from: string; body: string }[] = [] // not asked for yet
  readonly jid: string
  #ws: WebSocket
  #waiting: (() => void) | undefined
  #ids = 0

  private constructor(ws: WebSocket, jid: string) {
    this.#ws = ws
    this.jid = jid
  }

  /** Logs in, fetches the roster and is available to everybody. */
  static async arrives(url: string, local: string, password: string): Promise<Agent> {
    const ws = new WebSocket(`${url.replace(/^http/, 'ws')}/xmpp-websocket`, ['xmpp'])
    const agent = new Agent(ws, `${local}@localhost`)
    const frames: Element[] = []
    let next: ((e: Element) => void) | undefined
    ws.on('message', data => {
      const e = parse(String(data))
      if (e.name === 'message') agent.#take(e)
      else if (next && !(e.name === 'iq' && e.attrs['type'] === 'set') && e.name !== 'presence') { const n = next; next = undefined; n(e) }
      else frames.push(e)
    })
    const hears = (name: string): Promise<Element> => new Promise((ready, failed) => {
      const late = setTimeout(() => failed(new Error(`no ${name} in time`)), PATIENCE)
      const take = (e: Element): void => { if (e.name !== name) { next = take; return } clearTimeout(late); ready(e) }
      next = take
    })
    await new Promise((ready, failed) => { ws.once('open', ready); ws.once('error', failed) })
    const says = (xml: string): void => ws.send(xml)
    const open = `<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>`
    says(open)
    await hears('stream:features')
    says(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${Buffer.from(`\0${local}\0${password}`).toString('base64')}</auth>`)
    await hears('success')
    says(open)
    await hears('stream:features')
    says(`<iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>test</resource></bind></iq>`)
    await hears('iq')
    says(`<iq xmlns='jabber:client' type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>`)
    await hears('iq')
    says(`<presence xmlns='jabber:client'/>`)
    says(`<iq xmlns='jabber:client' type='get' id='here'><ping xmlns='urn:xmpp:ping'/></iq>`)
    await hears('iq') // the server takes them in order: now others find the agent available
    return agent
  }

  #take(e: Element): void {
    const body = e.getChildText('body')
    if (body === null || e.attrs['type'] === 'error') return
    this.heard.push({ from: String(e.attrs['from']), body })
    this.#waiting?.()
  }

  says(to: string, text: string): void {
    const escaped = text.replace(/[&<>'"]/g, c => `&#${c.charCodeAt(0)};`)
    this.#ws.send(`<message xmlns='jabber:client' type='chat' to='${to}' id='a${++this.#ids}-${Date.now()}'><body>${escaped}</body></message>`)
  }

  types(to: string, state: 'composing' | 'paused'): void {
    this.#ws.send(`<message xmlns='jabber:client' type='chat' to='${to}'><${state} xmlns='http://jabber.org/protocol/chatstates'/></message>`)
  }

  /** The next message whose text fits; those before it stay. */
  async hears(text: string | RegExp): Promise<{ from: string; body: string }> {
    for (;;) {
      const i = this.heard.findIndex(m => typeof text === 'string' ? m.body === text : text.test(m.body))
      if (i >= 0) return this.heard.splice(i, 1)[0]! // just found
      await new Promise<void>((ready, failed) => {
        const late = setTimeout(() => failed(new Error(`${this.jid} heard no ${String(text)}, but ${JSON.stringify(this.heard)}`)), PATIENCE)
        this.#waiting = () => { clearTimeout(late); ready() }
      })
    }
  }

  [Symbol.dispose](): void { this.#ws.terminate() }
}
