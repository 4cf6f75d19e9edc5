// Guests without an account (SASL ANONYMOUS, XEP-0175) at the desk: they are the public, not customers who are logged in.
import assert from 'node:assert/strict'
import { guestPlugins } from '../../plugins/index.ts'
import { Guests } from '../../server/host/guests.ts'
import { Host } from '../../server/host/host.ts'
import { silent } from '../../server/ports/log.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { BOT, c, Person, SUPPORT, type DeskHouse } from '../harness/desk.ts'
import { Actor } from '../harness/scene.ts'
import { deskWith, TEAM } from '../harness/talks.ts'
import { header, SASL } from './sasl2-client.ts'

const GUESTS = 'guests.localhost'

/** Somebody who logs in as a guest, at a host for guests of the same server. */
async function guest(d: DeskHouse): Promise<Person> {
  const { house } = d
  const stores = await openSqlite({ file: ':memory:' })
  house.keeps({ [Symbol.asyncDispose]: () => stores.close() })
  const host = new Host(GUESTS, { router: house.router, stores, clock: house.clock, network: house.clients.network, log: silent, limits: house.limits })
  new Guests(host)
  await host.use(guestPlugins)
  ;(house.clients.hosts as Map<string, Host>).set(GUESTS, host) // the harness made one
  const a = new Actor('guest', `guest@${GUESTS}/x`)
  house.keeps({ [Symbol.asyncDispose]: async () => a.leaves() })
  await a.opens(house.port)
  a.says(header(undefined, GUESTS)); await a.next()
  a.says(`<auth xmlns='${SASL}' mechanism='ANONYMOUS'/>`)
  await a.receives`<success xmlns='${SASL}'/>`
  a.says(header(undefined, GUESTS)); await a.next()
  a.says("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
  await a.receives`<iq type='result' id='bind'/>`
  a.says('<presence/>')
  return new Person(a)
}

describe('a guest at the desk', () => {
  it('OT-05 OT-20 SS-01 is one of the public: in its list, by no number for a name, and refused where only registered users may chat', deskWith({ quality: { idleWarning: 0, idleCritical: 0 } }, TEAM, async d => {
    const anna = await d.comes('anna')
    const somebody = await guest(d)
    somebody.types(SUPPORT, 'hello')
    await anna.reads(BOT, /New chat #1: Guest, Support/)
    const kinds = async (list: string): Promise<string[]> => (await d.rest('GET', `/api/v1/lists/${list}`, 'anna')).body.rows.map((r: { user: string; kind: string }) => `${r.user} ${r.kind}`)
    assert.deepEqual([await kinds('public'), await kinds('customers')], [['Guest public'], []])
    anna.types(BOT, '!a')
    await anna.reads(c(1), 'hello')
    anna.types(c(1), 'who are you?')
    await somebody.reads(SUPPORT, 'who are you?')
    anna.types(c(1), '!close')
    await somebody.reads(SUPPORT, '✱ The chat has ended.')
    assert.equal((await d.rest('PATCH', '/api/v1/settings', 'adam', { system: { requires: 'registered' } })).status, 200)
    somebody.types(SUPPORT, 'and again')
    await somebody.reads(SUPPORT, /log in first/)
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'I am registered')
    await anna.reads(BOT, /New chat #2: Zoe/)
  }))
})
