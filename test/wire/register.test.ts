import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Element as Xml } from 'ltx'
import { compose } from '../../app/compose.ts'
import { readConfig } from '../../config/load.ts'
import { silent } from '../../server/ports/log.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { MovedClock } from '../harness/clock.ts'
import { tempFolder } from '../harness/folder.ts'
import { Actor, House, scene } from '../harness/scene.ts'
import { arrives, befriend } from '../harness/friends.ts'

const cast = { romeo: 'romeo@localhost/orchard', phone: 'romeo@localhost/phone', juliet: 'juliet@localhost/balcony' }
const NS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const HEADER = `<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>`

/** A connection that has not logged in. */
async function stranger(house: { readonly port: number }): Promise<Actor> {
  const a = new Actor('stranger', 'new@localhost/home')
  await a.opens(house.port)
  a.says(HEADER)
  return a
}
const wishes = (a: Actor, name: string, password: string): void => a.sends`<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>${name}</username><password>${password}</password></query></iq>`

describe('XEP-0077 In-Band Registration', () => {
  it('makes an account that can log in', async () => {
    await using house = await House.open()
    const a = await stranger(house)
    await a.receives`<stream:features xmlns:stream='http://etherx.jabber.org/streams'><register xmlns='http://jabber.org/features/iq-register'/></stream:features>`
    a.sends`<iq type='get' id='g'><query xmlns='jabber:iq:register'/></iq>`
    await a.receives`<iq type='result' id='g'><query xmlns='jabber:iq:register'><username/><password/></query></iq>`
    wishes(a, 'New', 'pw')
    await a.receives`<iq type='result' id='r'/>`
    const b = new Actor('new', 'new@localhost/home')
    await b.connects(house.port)
    await b.receivesNothing()
    a.leaves()
    b.leaves()
  })

  it('waits for an admin where the config says so: no login before, a list for admins, who let in or refuse', async () => {
    await using house = await House.open({ pluginOptions: { approvals: { on: true } } })
    await house.account('root', { role: 'admin' })
    const root = await house.actor('root', 'root@localhost/pc')
    await root.comesOnline()
    const a = await stranger(house)
    await a.next()
    a.sends`<iq type='get' id='g'><query xmlns='jabber:iq:register'/></iq>`
    assert.match(String(await a.receives`<iq type='result' id='g'/>`), /when an admin has let you in/)
    for (const name of ['new', 'spam']) { wishes(a, name, 'pw'); await a.receives`<iq type='result' id='r'/>` }
    wishes(a, 'NEW', 'pw')
    await a.receives`<iq type='error' id='r'><error><conflict xmlns='${NS}'/></error></iq>`
    await root.hears`<message from='localhost'><subject>A new account</subject></message>`
    const b = new Actor('new', 'new@localhost/home')
    await assert.rejects(b.connects(house.port), /account-disabled/)
    b.leaves()

    const NODE = 'urn:deskbell:admin#registrations'
    const run = async (who: Actor, inside = '', session = ''): Promise<Xml> => {
      who.says(`<iq type='set' id='c' to='localhost'><command xmlns='http://jabber.org/protocol/commands' node='${NODE}'${session && ` sessionid='${session}'`}>${inside}</command></iq>`)
      return who.hears`<iq id='c'/>`
    }
    const settle = async (name: string, what: string): Promise<Xml> => {
      const asked = (await run(root)).getChild('command')!
      return run(root, `<x xmlns='jabber:x:data' type='submit'><field var='accounts'><value>${name}</value></field><field var='answer'><value>${what}</value></field></x>`, String(asked.attrs['sessionid']))
    }
    const offered = (await run(root)).getChild('command')!.getChild('x')!.getChildren('field').find(f => f.attrs['var'] === 'accounts')!.getChildren('option').map(o => o.getChildText('value'))
    assert.deepEqual(offered, ['new', 'spam'])
    assert.match(String(await settle('new', 'allow')), /One account is let in/)
    assert.match(String(await settle('spam', 'refuse')), /One account is refused/)
    assert.match(String(await run(root)), /Nobody waits/)
    const c = new Actor('new', 'new@localhost/home')
    await c.connects(house.port)
    assert.equal(await house.stores.accounts.find('localhost', 'spam'), undefined)
    assert.equal((await run(c)).attrs['type'], 'error')
    wishes(a, 'gone', 'pw')
    await a.receives`<iq type='result' id='r'/>`
    await house.stores.accounts.remove('localhost', 'gone') // by other ways: its name is free again
    await house.clock.advance(3_600_000)
    wishes(a, 'gone', 'pw')
    await a.receives`<iq type='result' id='r'/>`
    for (const x of [a, c]) x.leaves()
  })

  it('SEC-T33 where an admin is to let people in and the plugin for that is turned off, nobody makes an account', async () => {
    const folder = tempFolder('register')
    const read = readConfig(`data: ${folder}\nrequire-tls: false\nlisten: { c2s: { port: 0, address: 127.0.0.1 } }\nhosts: { localhost: { registration: approval, plugins: { approvals: false } } }`, join(folder, 'x.yaml'))
    assert.ok(read.ok, JSON.stringify(read))
    const stores = await openSqlite({ file: ':memory:' })
    try {
      await using program = await compose(read.config, { stores, clock: new MovedClock(), log: silent })
      const a = await stranger({ port: program.ports['c2s']! })
      await a.next()
      wishes(a, 'new', 'pw')
      await a.receives`<iq type='error' id='r'><error><not-allowed xmlns='${NS}'/></error></iq>`
      assert.equal(await stores.accounts.find('localhost', 'new'), undefined)
      a.leaves()
    } finally {
      await stores.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('SEC-T33 refuses a name that is taken, is none, and an empty password', async () => {
    await using house = await House.open()
    await house.account('romeo')
    const a = await stranger(house)
    await a.next()
    for (const [name, password, condition] of [['ROMEO', 'pw', 'conflict'], ['', 'pw', 'not-acceptable'], ['a b', 'pw', 'not-acceptable'], ['x/y@z', 'pw', 'not-acceptable'], ['new', '', 'not-acceptable']] as const) {
      wishes(a, name, password)
      const answer = await a.receives`<iq type='error' id='r'/>`
      assert.ok(answer.getChild('error')!.getChild(condition, NS), String(answer))
    }
    a.leaves()
  })

  it('RFC-J6 SEC-T33 refuses a name that other servers would read as another one, and says which', async () => {
    await using house = await House.open()
    const a = await stranger(house)
    await a.next()
    for (const [name, other] of [['straße', 'strasse'], ['Straße', 'strasse'], ['γιώργος', 'γιώργοσ']] as const) {
      wishes(a, name, 'pw')
      const error = (await a.receives`<iq type='error' id='r'><error type='modify'><not-acceptable xmlns='${NS}'/></error></iq>`).getChild('error')!
      assert.ok(error.getChildText('text')!.includes(`"${other}"`), String(error))
    }
    assert.deepEqual(await house.stores.accounts.list('localhost', { limit: 10 }), [])
    wishes(a, 'müller', 'pw')
    await a.receives`<iq type='result' id='r'/>`
    a.leaves()
  })

  it('SEC-T33 makes ten accounts a minute for one address, no more', async () => {
    await using house = await House.open()
    const a = await stranger(house)
    await a.next()
    const taken: string[] = []
    for (let i = 0; i < 12; i++) {
      wishes(a, 'admin' , '') // each try counts
      taken.push(String((await a.next()).getChild('error')!.getChild('resource-constraint', NS) !== undefined))
    }
    assert.deepEqual(taken, [...Array<string>(10).fill('false'), 'true', 'true'])
    a.leaves()
  })

  it('SEC-T33 is not there where it is not switched on', async () => {
    const { plugins } = await import('../../plugins/index.ts')
    await using house = await House.open({ plugins: plugins.filter(p => p.name !== 'register') })
    const a = await stranger(house)
    const features = await a.next()
    assert.equal(features.getChild('register', 'http://jabber.org/features/iq-register'), undefined)
    a.leaves()
  })

  it('changes one\'s password; the other sessions end, the new one counts', scene(cast, async ({ romeo, phone, juliet }, house) => {
    for (const to of ['', ` to='localhost'`]) {
      romeo.says(`<iq type='get' id='g'${to}><query xmlns='jabber:iq:register'/></iq>`)
      await romeo.receives`<iq type='result' id='g'><query xmlns='jabber:iq:register'><registered/><username>romeo</username></query></iq>`
    }
    wishes(romeo, 'romeo', 'another')
    await phone.isCutOff()
    await romeo.receives`<iq type='result' id='r'/>`
    await assert.rejects(house.actor('again', 'romeo@localhost/again'), /not-authorized/)
    await juliet.receivesNothing()
  }))

  it('changes nobody else\'s', scene(cast, async ({ romeo, juliet }) => {
    wishes(romeo, 'juliet', 'mine')
    await romeo.receives`<iq type='error' id='r'><error type='cancel'><not-allowed xmlns='${NS}'/></error></iq>`
    romeo.sends`<iq type='set' id='o' to='${juliet.bare}'><query xmlns='jabber:iq:register'><remove/></query></iq>`
    await romeo.receives`<iq type='error' id='o'/>`
    await juliet.receivesNothing()
  }))

  it('who makes an account of the same name later sees nothing of the old one\'s friends', scene(cast, async ({ romeo, phone, juliet }, house) => {
    await arrives(romeo, phone, juliet)
    await befriend(romeo, juliet)
    romeo.sends`<iq type='set' id='rm'><query xmlns='jabber:iq:register'><remove/></query></iq>`
    await romeo.isCutOff()
    await juliet.hears`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${romeo.bare}' subscription='none'/></query></iq>`
    await juliet.fence()
    const impostor = await house.actor('impostor', 'romeo@localhost/den')
    await impostor.comesOnline()
    impostor.sends`<presence to='${juliet.bare}' type='probe'/>`
    await juliet.comesOnline('<presence><show>away</show></presence>')
    await impostor.receivesNothing()
    await juliet.receivesNothing()
  }))

  it('removes one\'s account, and all its sessions end', scene(cast, async ({ romeo, phone, juliet }, house) => {
    romeo.sends`<iq type='set' id='rm'><query xmlns='jabber:iq:register'><remove/></query></iq>`
    await romeo.receives`<iq type='result' id='rm'/>`
    await romeo.isCutOff()
    await phone.isCutOff()
    assert.equal(await house.stores.accounts.find('localhost', 'romeo'), undefined)
    juliet.sends`<message to='romeo@localhost' type='chat' id='m'><body>x</body></message>`
    await juliet.receives`<message type='error' id='m'/>`
  }))
})
