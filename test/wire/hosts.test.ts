// Two hosts of one server with a user of the same name and password: nothing that one was given is worth anything at the other.
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { compose } from '../../app/compose.ts'
import { readConfig } from '../../config/load.ts'
import { silent } from '../../server/ports/log.ts'
import { makeCredentials } from '../../server/stream/sasl/credentials.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { MovedClock } from '../harness/clock.ts'
import { Actor } from '../harness/scene.ts'
import { Papers } from './s2s-houses.ts'
import { agent, authenticate, bind, FAST, hashed, header, PHONE, plain, SASL, SASL2, SM, tokenOf } from './sasl2-client.ts'

const HERE = 'a.example', THERE = 'b.example'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const NONE = 'HT-SHA-256-NONE'

interface Doors { /** A connection to one of the hosts, over TLS, its stream open. */ at(host: string): Promise<Actor> }

const hosts = (play: (d: Doors) => Promise<void>) => async (): Promise<void> => {
  using papers = new Papers()
  const { certificate, key } = papers.make('both', [HERE, THERE])
  const read = readConfig(`data: /nonexistent\ntls: { certificate: ${certificate}, key: ${key} }\nlisten: { c2s-tls: { port: 0, address: 127.0.0.1 } }\nhosts: { ${HERE}: {}, ${THERE}: {} }`, 'hosts.yaml')
  assert.ok(read.ok, JSON.stringify(read))
  const stores = await openSqlite({ file: ':memory:' })
  const credentials = await makeCredentials('pw', { iterations: 4096 })
  for (const host of [HERE, THERE]) await stores.accounts.create({ host, local: 'sam', created: 1, credentials })
  const actors: Actor[] = []
  try {
    await using program = await compose(read.config, { stores, clock: new MovedClock(), log: silent })
    await play({
      at: async host => {
        const actor = new Actor(`sam at ${host}`, `sam@${host}/x`)
        actors.push(actor)
        await actor.opensTls(program.ports['c2s-tls']!, { servername: host, ALPNProtocols: ['xmpp-client'] })
        return actor
      },
    })
    for (const a of actors) a.leaves()
  } finally { await stores.close() }
}

/** Logs in by SASL2 at a host; gives what it is answered. */
async function entersAt(host: string, actor: Actor, ...more: readonly string[]): Promise<Xml> {
  actor.says(header(undefined, host))
  await actor.next()
  actor.says(authenticate('PLAIN', plain('sam'), ...more))
  return await actor.receives`<success xmlns='${SASL2}'/>`
}

describe('two hosts of one server', () => {
  it('SEC-S05 a session of one is not resumed by the same name at the other, in either profile, and goes on', hosts(async ({ at }) => {
    const sam = await at(HERE)
    await sam.logsIn()
    await sam.binds()
    sam.says(`<enable xmlns='${SM}' resume='true'/>`)
    const { id } = (await sam.receives`<enabled xmlns='${SM}' resume='true'/>`).attrs as { id: string }
    const resume = `<resume xmlns='${SM}' previd='${id}' h='0'/>`
    const classic = await at(THERE)
    await classic.logsIn()
    classic.says(resume)
    await classic.receives`<failed xmlns='${SM}'><item-not-found xmlns='${STANZAS}'/></failed>`
    const success = await entersAt(THERE, await at(THERE), resume)
    assert.ok(success.getChild('failed', SM)?.getChild('item-not-found', STANZAS), String(success))
    assert.equal(success.getChild('resumed', SM), undefined)
    assert.deepEqual((await sam.fence()).filter(x => x.name !== 'r'), [])
  }))

  it('SEC-T24 a token of one lets nobody in at the other', hosts(async ({ at }) => {
    const secret = tokenOf(await entersAt(HERE, await at(HERE), agent(PHONE), bind(), `<request-token xmlns='${FAST}' mechanism='${NONE}'/>`))!
    const shows = async (host: string): Promise<Xml> => {
      const phone = await at(host)
      phone.says(header(undefined, host))
      await phone.next()
      phone.says(authenticate(NONE, hashed('sam', secret), agent(PHONE), bind(), `<fast xmlns='${FAST}'/>`))
      return await phone.next()
    }
    const refused = await shows(THERE)
    assert.ok(refused.name === 'failure' && refused.getChild('not-authorized', SASL), String(refused))
    assert.equal((await shows(HERE)).name, 'success')
  }))
})
