// The desk beside Debian's Prosody: the same component, dialled over XEP-0114 by `deskbell dial`.
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { Person } from '../harness/desk.ts'
import { tempFolder } from '../harness/folder.ts'
import { needs } from '../harness/machine.ts'
import { freePorts } from '../harness/ports.ts'
import { Actor } from '../harness/scene.ts'
import { Program } from './program.ts'

const DESK = 'desk@help.prosody.local'
const SUPPORT = 'support@help.prosody.local'

describe('the desk beside Prosody', function () {
  this.timeout(300_000)
  before(needs('prosody'))
  const folder = tempFolder('dial')
  const config = join(folder, 'deskbell.yaml')
  const lua = join(folder, 'prosody.cfg.lua')
  let clients = 0, components = 0, http = 0
  let prosody: Program, desk: Program
  const open: Actor[] = []

  before(async () => {
    [clients, components, http] = (await freePorts(3)) as [number, number, number] // three were asked for
    mkdirSync(join(folder, 'prosody'))
    writeFileSync(lua, `
run_as_root = true
daemonize = false
pidfile = "${folder}/prosody.pid"
data_path = "${folder}/prosody"
interfaces = { "127.0.0.1" }
c2s_ports = { ${clients} }
c2s_direct_tls_ports = {}
component_interfaces = { "127.0.0.1" }
component_ports = { ${components} }
s2s_ports = {}
http_ports = {}
https_ports = {}
modules_enabled = { "disco", "roster", "saslauth", "ping", "presence", "message", "iq", "offline" }
modules_disabled = { "s2s", "tls", "http" }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "insecure"
insecure_open_authentication = "Yes please, I know what I'm doing!"
storage = "internal"
log = { info = "*stdout" }
VirtualHost "prosody.local"
Component "help.prosody.local"
  component_secret = "sesame"
Component "web.prosody.local"
  component_secret = "open"
`)
    writeFileSync(config, `
data: ${folder}/data
listen: { http: { port: ${http}, address: 127.0.0.1 } }
hosts: { prosody.local: {} }
components:
  help.prosody.local:
    helpdesk: { enabled: true, queues: { support: { agents: [anna@prosody.local, ben@prosody.local], assign: round-robin } } }
  web.prosody.local: { webchat: { desk: help.prosody.local, queue: support } }
dial: { port: ${components}, secrets: { help.prosody.local: sesame, web.prosody.local: open } }
`)
    prosody = await startProsody()
    desk = await Program.deskbell('dial', config)
  })
  after(async () => {
    for (const a of open) a.leaves()
    await desk?.[Symbol.asyncDispose]()
    await prosody?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  const startProsody = (): Promise<Program> => Program.start('prosody', ['-F', '--config', lua], /Activated service 'component' on (?!no ports)/)

  const person = async (jid: string): Promise<Person> => {
    const actor = new Actor(jid.split('@')[0]!, jid)
    open.push(actor)
    await actor.connects(clients)
    actor.says(`<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>`)
    return new Person(actor)
  }
  /** As a person adds the desk to the contact list, and lets it see the own presence. */
  const befriends = async (who: Person): Promise<void> => {
    who.actor.says(`<presence type='subscribe' to='${DESK}'/>`)
    await who.actor.hears`<presence type='subscribe' from='${DESK}'/>`
    who.actor.says(`<presence type='subscribed' to='${DESK}'/>`)
    await who.actor.hears`<presence from='${DESK}/desk'/>`
  }

  let anna: Person, carl: Person

  it('is found by the agents its config lists, who add it as a contact', async () => {
    anna = await person('anna@prosody.local/one')
    await befriends(anna)
    anna.types(DESK, '!help')
    await anna.reads(DESK, /!a/)
    anna.actor.says(`<iq type='get' id='d' to='${DESK}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`)
    await anna.actor.hears`<iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='http://jabber.org/protocol/commands'/></query></iq>`
  })

  it('serves nobody else as an agent', async () => {
    const eve = await person('eve@prosody.local/one')
    eve.types(DESK, '!help')
    await eve.actor.hears`<message type='error' from='${DESK}'><error><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
  })

  it('offers a customer to an agent, who takes and serves him', async () => {
    carl = await person('carl@prosody.local/one')
    carl.types(SUPPORT, 'my printer burns')
    await anna.reads(DESK, /#1\b.*!a/s)
    anna.types(DESK, '!a')
    await anna.reads('c1@help.prosody.local', /carl@prosody\.local/)
    anna.types('c1@help.prosody.local', 'step back')
    await carl.sees(/step back/)
    carl.types(SUPPORT, 'I did')
    await anna.reads('c1@help.prosody.local', 'I did')
  })

  it('goes on where it was after the desk was killed', async () => {
    await desk.isKilled()
    desk = await Program.deskbell('dial', config)
    anna.types('c1@help.prosody.local', 'still there?')
    await carl.sees(/still there\?/)
    carl.types(SUPPORT, 'yes')
    await anna.reads('c1@help.prosody.local', 'yes')
  })

  it('comes back by itself after Prosody was restarted', async () => {
    desk.forgets()
    await prosody[Symbol.asyncDispose]()
    prosody = await startProsody()
    await desk.says(/deskbell is ready/)
    anna = await person('anna@prosody.local/two')
    carl = await person('carl@prosody.local/two')
    anna.types('c1@help.prosody.local', 'back again')
    await carl.sees(/back again/)
    anna.types('c1@help.prosody.local', '!end')
    await carl.sees(/chat has ended/i)
  })

  it('serves customers on web pages', async () => {
    const origin = `http://127.0.0.1:${http}`
    assert.equal((await fetch(`${origin}/readyz`)).status, 200)
    const page = new Page(`ws://127.0.0.1:${http}/webchat/socket?site=default`, origin)
    page.says({ type: 'hello' })
    await page.hears(m => m['type'] === 'welcome' && m['open'] === true)
    page.says({ type: 'open', id: crypto.randomUUID(), name: 'Dora', text: 'my parcel is lost' })
    const offer = await anna.reads(DESK, /Dora.*!a/s)
    const [, n] = /#(\d+)/.exec(offer.text) ?? []
    anna.types(DESK, `!a ${n}`)
    await anna.reads(`c${n}@help.prosody.local`, /Dora/)
    anna.types(`c${n}@help.prosody.local`, 'it is found')
    await page.hears(m => m['type'] === 'line' && m['who'] === 'agent' && m['text'] === 'it is found')
    page.says({ type: 'say', id: crypto.randomUUID(), conversation: Number(n), text: 'thanks' })
    await anna.reads(`c${n}@help.prosody.local`, 'thanks')
    page.leaves()
  })

  it('says what is wrong where the secret is', async () => {
    const wrong = join(folder, 'wrong.yaml')
    writeFileSync(wrong, `
data: ${folder}/other
listen: {}
hosts: { prosody.local: {} }
components: { help.prosody.local: { helpdesk: { enabled: true, queues: { support: { agents: [anna@prosody.local] } } } } }
dial: { port: ${components}, secrets: { help.prosody.local: wrong } }
`)
    await assert.rejects(Program.deskbell('dial', wrong), /help\.prosody\.local: .*(not-authorized|conflict).*dial\.secrets[^]*ended with 1/)
    writeFileSync(wrong, `
data: ${folder}/other
hosts: { prosody.local: {} }
listen: {}
components: { help.prosody.local: { helpdesk: { enabled: true, queues: { support: {} } } }, web.prosody.local: { webchat: { desk: help.prosody.local, queue: support } } }
dial: { port: ${components}, secrets: { help.prosody.local: x } }
`)
    await assert.rejects(Program.deskbell('dial', wrong), /queues\.support\.agents: all is nobody[^]*dial\.secrets: has none for web\.prosody\.local[^]*ended with 2/)
  })
})

type Message = Readonly<Record<string, unknown>>

/** A customer's page, as far as the bridge knows it. */
class Page {
  readonly #socket: WebSocket
  readonly #open: Promise<void>
  readonly #heard: Message[] = []
  #wake = (): void => {}

  constructor(url: string, origin: string) {
    this.#socket = new WebSocket(url, { origin })
    this.#open = new Promise((ok, no) => { this.#socket.once('open', ok); this.#socket.once('error', no) })
    this.#socket.on('message', data => { this.#heard.push(JSON.parse(String(data)) as Message); this.#wake() })
  }

  says(message: Message): void { void this.#open.then(() => this.#socket.send(JSON.stringify(message))) }

  /** Waits for a message that fits; the suite's time is the limit. */
  async hears(fits: (m: Message) => boolean): Promise<void> {
    await this.#open
    while (!this.#heard.some(fits)) await new Promise<void>(ok => { this.#wake = ok })
  }

  leaves(): void { this.#socket.close() }
}
