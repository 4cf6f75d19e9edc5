// An agent that is a program: connects to the server as a component (XEP-0114), and to the desk like any agent with a chat client.
import { component, jid } from '@xmpp/component'
import { createElement as xml } from 'ltx'
import { nobody, think } from './brain.js'

const NS_DISCO = 'http://jabber.org/protocol/disco#info'
const DESK_SPEAKS = '✱ ' // so begins whatever the desk itself says
const NOBODY = /is closed now\.$|^Too many wait in / // it could not be handed over, and is still ours

/**
 * Connects and serves until `stop()`. `domain` and `password` are the component's, `name` stands before the @ of the bot's
 * address, `desk` is the domain of the helpdesk, `people` the queue to which the bot hands what it cannot answer.
 */
export async function start({ service, domain, password, name = 'helper', desk, people = 'support', log = () => {} }) {
  const me = `${name}@${domain}/bot`
  const bot = `desk@${desk}`
  const answered = new Map() // conversation → lines answered so far
  const xmpp = component({ service, domain, password })
  xmpp.timeout = 30_000 // ms for each answer of the server; unless told otherwise the library waits two seconds

  // send() rejects while the server is away; what matters is said again when it is back.
  const send = element => xmpp.send(element).catch(error => log(`not sent: ${error.message}`))
  const write = (to, text) => send(xml('message', { from: me, to, type: 'chat', id: crypto.randomUUID() }, xml('body', {}, text)))

  // Being there: the desk offers conversations to agents whose presence it sees.
  const greet = () => send(xml('presence', { from: me, to: bot }, xml('status', {}, 'I am a program')))

  function presence(stanza) {
    const { from, to, type } = stanza.attrs
    if (jid(from).bare().toString() !== bot) return
    if (type === 'subscribe') send(xml('presence', { from: jid(to).bare().toString(), to: bot, type: 'subscribed' }))
    if (type === 'subscribe' || type === 'probe') greet()
  }

  function message(stanza) {
    const from = jid(stanza.attrs.from)
    const body = stanza.getChildText('body')
    if (stanza.attrs.type === 'error') { log(`refused: ${stanza}`); return }
    if (from.domain !== desk || !body) return
    const text = body.startsWith(DESK_SPEAKS) ? body.slice(DESK_SPEAKS.length) : body
    log(`${from.local}: ${body}`)
    if (from.local === 'desk') {
      const offer = /#(\d+).*!a\b/s.exec(text) // an offer, a transfer or an invitation holds its number and !a
      if (offer) write(bot, `!a ${offer[1]}`)
      return
    }
    const window = from.bare().toString()
    if (!/^c\d+$/.test(from.local)) return // an internal chat
    if (text !== body) { if (NOBODY.test(text)) write(window, nobody()); return } // the desk's own words
    const before = answered.get(window) ?? 0
    answered.set(window, before + 1)
    const lines = think(text, { answered: before, people })
    for (const line of lines) write(window, line)
    if (lines.some(line => line.startsWith('!'))) answered.delete(window) // it is no longer ours
  }

  xmpp.on('error', error => log(`error: ${error.message}`)) // without a listener the process would end
  xmpp.on('stanza', stanza => {
    if (stanza.is('presence')) presence(stanza)
    else if (stanza.is('message')) message(stanza)
  })
  // Questions are answered here: the library itself refuses what nobody handles.
  xmpp.iqCallee.get(NS_DISCO, 'query', () => xml('query', { xmlns: NS_DISCO }, xml('identity', { category: 'client', type: 'bot', name })))
  xmpp.iqCallee.get('urn:xmpp:ping', 'ping', () => true)

  xmpp.on('online', () => {
    log(`online as ${me}`)
    send(xml('presence', { from: jid(me).bare().toString(), to: bot, type: 'subscribe' }))
    greet()
  })
  await xmpp.start()
  return {
    async stop() {
      await send(xml('presence', { from: me, to: bot, type: 'unavailable' }))
      await xmpp.stop()
    },
  }
}
