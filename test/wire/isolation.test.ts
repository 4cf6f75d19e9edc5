// Two tenants of one server: each is to the other as if it were not there.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { compose } from '../../app/compose.ts'
import { readConfig } from '../../config/load.ts'
import { silent } from '../../server/ports/log.ts'
import { makeCredentials } from '../../server/stream/sasl/credentials.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { MovedClock } from '../harness/clock.ts'
import { tempFolder } from '../harness/folder.ts'
import { Actor } from '../harness/scene.ts'

const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const INFO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const MUC = 'http://jabber.org/protocol/muc'

interface Cast { readonly anna: Actor; readonly aron: Actor; readonly ben: Actor }

/** anna and aron at a.example, ben at b.example, each with rooms; `shared.example` is for all whom their host lets in. */
const tenants = (a: string, play: (c: Cast) => Promise<void>) => async (): Promise<void> => {
  const folder = tempFolder('tenants')
  const read = readConfig(`data: ${folder}\nrequire-tls: false\nlisten: { c2s: { port: 0, address: 127.0.0.1 } }\nhosts: { a.example: { plugins: { ${a} } }, b.example: { plugins: { isolation: {} } } }\ncomponents: { rooms.a.example: { muc: {} }, rooms.b.example: { muc: {} }, shared.example: { muc: {} } }`, join(folder, 'x.yaml'))
  assert.ok(read.ok, JSON.stringify(read))
  const stores = await openSqlite({ file: ':memory:' })
  const credentials = await makeCredentials('pw', { iterations: 4096 })
  for (const [local, host] of [['anna', 'a.example'], ['aron', 'a.example'], ['ben', 'b.example']] as const) await stores.accounts.create({ host, local, created: 1, credentials })
  const actors: Actor[] = []
  try {
    await using program = await compose(read.config, { stores, clock: new MovedClock(), log: silent })
    const comes = async (jid: string): Promise<Actor> => { const actor = new Actor(jid, jid); actors.push(actor); await actor.connects(program.ports['c2s']!); await actor.comesOnline(); return actor }
    await play({ anna: await comes('anna@a.example/x'), aron: await comes('aron@a.example/x'), ben: await comes('ben@b.example/x') })
    for (const actor of actors) actor.leaves()
  } finally {
    await stores.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('tenants', () => {
  it('SEC-R12 reach nobody and nothing of each other, whether it is there or not, and see nothing of it listed', tenants('isolation: {}', async ({ anna, aron, ben }) => {
    const answers = new Set<string>()
    const asked = async (text: string, to: string): Promise<void> => {
      anna.says(text)
      const answer = await anna.receives`<${/^<(\w+)/.exec(text)![1]} type='error' id='q' from='${to}'><error type='cancel'><service-unavailable xmlns='${STANZAS}'/></error></${/^<(\w+)/.exec(text)![1]}>`
      answers.add(String(answer.getChild('error')))
    }
    for (const to of ['ben@b.example', 'ben@b.example/x', 'nobody@b.example', 'b.example', 'hall@rooms.b.example', 'rooms.b.example', 'shared.example']) {
      await asked(`<message to='${to}' type='chat' id='q'><body>hi</body></message>`, to)
      for (const ns of [INFO, ITEMS]) await asked(`<iq to='${to}' type='get' id='q'><query xmlns='${ns}'/></iq>`, to)
      await asked(`<presence to='${to}' type='subscribe' id='q'/>`, to)
    }
    await asked(`<presence to='hall@rooms.b.example/anna' id='q'><x xmlns='${MUC}'/></presence>`, 'hall@rooms.b.example/anna')
    assert.equal(answers.size, 1, [...answers].join('\n'))
    for (const who of [aron, ben]) await who.receivesNothing()
    anna.says(`<iq to='a.example' type='get' id='items'><query xmlns='${ITEMS}'/></iq>`)
    assert.deepEqual((await anna.receives`<iq type='result' id='items'/>`).getChild('query')!.getChildren('item').map(i => i.attrs['jid']), ['rooms.a.example'])
    anna.says("<message to='aron@a.example' type='chat' id='m'><body>hi</body></message>")
    await aron.receives`<message id='m' from='${anna}'/>`
    anna.says(`<presence to='hall@rooms.a.example/anna'><x xmlns='${MUC}'/></presence>`)
    await anna.hears`<presence from='hall@rooms.a.example/anna'/>`
  }))

  it('SEC-R12 one that keeps apart hears nothing from one that does not, and what it lets in it does', tenants('isolation: false', async ({ anna, ben }) => {
    for (const to of ['ben@b.example', 'ben@b.example/x']) {
      anna.says(`<message to='${to}' type='chat' id='q'><body>hi</body></message>`)
      await anna.receives`<message type='error' id='q' from='${to}'><error type='cancel'><service-unavailable xmlns='${STANZAS}'/></error></message>`
    }
    anna.says("<presence to='ben@b.example' type='subscribe' id='s'/><presence to='nobody@b.example' type='subscribe' id='s'/><presence to='ben@b.example/x'/>")
    await anna.fence()
    await ben.receivesNothing()
  }))

  it('SEC-R12 SEC-P04 one that does not keep apart does not learn either who is there', tenants('isolation: false', async ({ anna, ben }) => {
    const answers = async (to: string): Promise<string[]> => {
      for (const type of ['chat', 'normal', 'headline', 'groupchat']) anna.says(`<message to='${to}' type='${type}' id='${type}'><body>hi</body></message>`)
      for (const ns of [INFO, ITEMS]) anna.says(`<iq to='${to}' type='get' id='q'><query xmlns='${ns}'/></iq>`)
      for (const type of ['probe', 'subscribe', 'unsubscribe']) anna.says(`<presence to='${to}' type='${type}' id='p'/>`)
      return (await anna.fence()).map(x => String(x).replaceAll(to, 'TO')).filter(x => !x.includes('jabber:iq:roster'))
    }
    assert.deepEqual(await answers('ben@b.example'), await answers('nobody@b.example'))
    await ben.receivesNothing()
  }))

  it('SEC-R12 what a tenant names is open to it', tenants('isolation: { with: [shared.example] }', async ({ anna }) => {
    anna.says(`<presence to='hall@shared.example/anna'><x xmlns='${MUC}'/></presence>`)
    await anna.hears`<presence from='hall@shared.example/anna'/>`
    anna.says(`<iq to='a.example' type='get' id='items'><query xmlns='${ITEMS}'/></iq>`)
    assert.deepEqual((await anna.hears`<iq type='result' id='items'/>`).getChild('query')!.getChildren('item').map(i => i.attrs['jid']), ['rooms.a.example', 'shared.example'])
  }))
})
