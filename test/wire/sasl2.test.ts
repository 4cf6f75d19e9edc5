// SASL2 with what it carries: Bind 2, stream management, client states and carbons; and sessions that end when their account changes.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { accountChanged } from '../../server/host/keeping.ts'
import { Jid } from '../../server/stanza/jid.ts'
import { StoreError, type Stores } from '../../server/ports/store.ts'
import { silent } from '../../server/ports/log.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { makeCredentials } from '../../server/stream/sasl/credentials.ts'
import { Actor, type House } from '../harness/scene.ts'
import { agent, authenticate, bind, BIND2, type Client, ETHERX, FAST, hashed, header, identifier, inHouse, LAPTOP, login, PHONE, plain, SASL, SASL2, SM, STREAMS, tokenOf } from './sasl2-client.ts'

const CARBONS = 'urn:xmpp:carbons:2'
const MAM = 'urn:xmpp:mam:2'
const CB = 'urn:xmpp:sasl-cb:0'
const ROMEO = Jid.parse('romeo@localhost')
const PING = "<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"

async function changes(house: House, what: 'password' | 'disabled' | 'removed'): Promise<void> {
  const { accounts } = house.stores
  const record = await accounts.find('localhost', 'romeo')
  const news = what === 'removed' ? undefined : what === 'disabled' ? { ...record!, disabled: true } : { ...record!, credentials: await makeCredentials('new', { iterations: 4096 }) }
  if (news) await accounts.update(news)
  else await accounts.remove('localhost', 'romeo')
  accountChanged(house.host, ROMEO, news, what)
}

describe('SASL2', () => {
  it('XEP-0388 stands among the features with the mechanisms of the classic list and what can be asked for inline', inHouse(async (_, door) => {
    const c = await door()
    assert.deepEqual(c.mechanisms(SASL2), c.mechanisms(SASL))
    assert.ok(c.mechanisms(SASL2).includes('SCRAM-SHA-512-PLUS'))
    assert.deepEqual(c.mechanisms(SASL2).filter(m => /MD5|ANONYMOUS|EXTERNAL|^HT-/.test(m)), []) // SEC-T13
    const inline = c.features.getChild('authentication', SASL2)!.getChild('inline')!
    assert.ok(inline.getChild('sm', SM))
    assert.deepEqual(inline.getChild('bind', BIND2)!.getChild('inline')!.getChildren('feature').map(f => f.attrs['var']), [CARBONS, 'urn:xmpp:csi:0', SM])
    assert.deepEqual(c.features.getChild('sasl-channel-binding', CB)!.getChildren('channel-binding').map(b => b.attrs['type']).sort(), ['tls-exporter', 'tls-server-end-point'])
  }))

  it('XEP-0388 is neither offered nor taken without TLS', inHouse(async house => {
    const a = new Actor('a', 'romeo@localhost/x')
    await a.opens(house.port)
    a.says(header())
    assert.equal((await a.next()).getChild('authentication', SASL2), undefined)
    a.says(login(bind()))
    await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'/>`
    await a.isCutOff()
  }))

  it('XEP-0388 logs in without a new stream; features follow, and the old way to bind is still there', inHouse(async (_, door) => {
    const c = await door({ from: 'romeo@localhost' })
    const { answer, verifier } = await c.scram()
    assert.equal(answer.name, 'success')
    assert.equal(atob(answer.getChildText('additional-data')!), verifier)
    assert.equal(identifier(answer), 'romeo@localhost')
    const features = await c.next()
    assert.ok(features.getChild('bind', 'urn:ietf:params:xml:ns:xmpp-bind'))
    assert.equal(features.getChild('authentication', SASL2), undefined)
    await c.binds()
    await c.fence()
  }))

  for (const type of ['tls-exporter', 'tls-server-end-point']) {
    it(`SEC-T09 SEC-T10 binds to the channel with ${type}, and to no other`, inHouse(async (_, door) => {
      const gs2 = `p=${type},,`
      const dataOf = (c: Awaited<ReturnType<typeof door>>): Buffer => type === 'tls-exporter' ? c.exporter : createHash('sha256').update(c.socket.getPeerX509Certificate()!.raw).digest()
      const good = await door()
      assert.equal((await good.scram([], { gs2, cbind: Buffer.concat([Buffer.from(gs2), dataOf(good)]), mechanism: 'SCRAM-SHA-256-PLUS' })).answer.name, 'success')
      const bad = await door()
      const { answer } = await bad.scram([], { gs2, cbind: Buffer.concat([Buffer.from(gs2), Buffer.alloc(32, 1)]), mechanism: 'SCRAM-SHA-256-PLUS' })
      assert.ok(answer.getChild('not-authorized', SASL))
    }))
  }

  it('SEC-T11 SEC-T12 XEP-0474 signs what was offered, and a client that says that it saw no -PLUS is refused', inHouse(async (_, door) => {
    const c = await door()
    const { challenge } = await c.scram()
    const types = c.features.getChild('sasl-channel-binding', CB)!.getChildren('channel-binding').map(b => b.attrs['type'] as string)
    const lists = [c.mechanisms(SASL2), types].map(l => [...l].sort().join('\x1E')).join('\x1F')
    assert.equal(/,h=([^,]+)/.exec(challenge)?.[1], createHash('sha256').update(lists).digest('base64'))
    const d = await door()
    assert.ok((await d.scram([], { gs2: 'y,,' })).answer.getChild('not-authorized', SASL))
  }))

  it('RFC-A4 RFC-A7 a wrong password is told as one, nothing that was asked for beside it happens, and the next try counts', inHouse(async (house, door) => {
    const c = await door()
    c.says(authenticate('PLAIN', plain('romeo', 'wrong'), agent(PHONE), bind()))
    await c.failsWith('not-authorized')
    assert.equal(house.host.accounts.online(ROMEO)?.resources.size ?? 0, 0)
    c.says(authenticate('PLAIN', plain('nobody', 'wrong')))
    await c.failsWith('not-authorized')
    c.says(login(bind()))
    await c.succeeds()
  }))

  it('SEC-T19 after five failures the stream ends', inHouse(async (_, door) => {
    const c = await door()
    for (let i = 0; i < 5; i++) { c.says(authenticate('PLAIN', plain('romeo', 'wrong'))); await c.failsWith('not-authorized') }
    await c.ends('policy-violation')
  }))

  it('SEC-T14 SEC-T15 nobody logs in as somebody else, and what cannot be read is told apart', inHouse(async (_, door) => {
    const c = await door({ from: 'juliet@localhost' })
    c.says(login())
    await c.failsWith('invalid-authzid')
    const d = await door()
    d.says(authenticate('PLAIN', plain('romeo', 'pw', 'juliet@localhost')))
    await d.failsWith('invalid-authzid')
    d.says(authenticate('PLAIN', 'no base64!'))
    await d.failsWith('incorrect-encoding')
    d.says(authenticate('CRAM-MD5', undefined))
    await d.failsWith('invalid-mechanism')
    d.says(`<response xmlns='${SASL2}'/>`)
    await d.failsWith('malformed-request')
  }))

  it('RFC 6120 section 4.9.3.9 a stream from another domain is refused', inHouse(async (_, door) => {
    const c = await door({ from: 'romeo@elsewhere.example' })
    assert.ok(c.features.getChild('invalid-from'))
    await c.isCutOff()
  }))

  it('RFC-A3 RFC-A13 gives up when told so, and asks where nothing came with the first word', inHouse(async (_, door) => {
    const c = await door()
    c.says(authenticate('PLAIN', undefined))
    await c.receives`<challenge xmlns='${SASL2}'/>`
    c.says(`<abort xmlns='${SASL2}'/>`)
    await c.failsWith('aborted')
    c.says(authenticate('PLAIN', undefined))
    await c.receives`<challenge xmlns='${SASL2}'/>`
    c.says(`<response xmlns='${SASL2}'>${plain('romeo')}</response>`)
    await c.succeeds()
  }))

  for (const [what, said] of [['a stanza', PING], ['a second login', login()], ['a classic login', `<auth xmlns='${SASL}' mechanism='PLAIN'>${plain('romeo')}</auth>`]] as const) {
    it(`SEC-T27 ${what} while a login is under way ends the stream`, inHouse(async (_, door) => {
      const c = await door()
      c.says(authenticate('PLAIN', undefined))
      await c.receives`<challenge xmlns='${SASL2}'/>`
      c.says(said)
      await c.ends('policy-violation')
    }))
  }

  it('SEC-T27 nobody logs in twice', inHouse(async (house, door) => {
    const c = await door()
    c.says(login() + login())
    await c.succeeds()
    await c.next()
    await c.ends('policy-violation')
    assert.equal(house.devices.streams.size, 0)
  }))

  it('SEC-T26 a store that fails is no success', async () => {
    const real = await openSqlite({ file: ':memory:' })
    let broken = false
    const stores: Stores = { ...real, accounts: { ...real.accounts, find: (...a) => broken ? Promise.reject(new StoreError('gone')) : real.accounts.find(...a) } }
    await inHouse(async (_, door) => {
      broken = true
      const c = await door()
      c.says(login(bind()))
      await c.failsWith('temporary-auth-failure')
      broken = false
      c.says(login(bind()))
      await c.succeeds()
    }, { stores })()
  })
})

describe('Bind 2', () => {
  it('XEP-0386 gives the session with the success, the state of the archive with it, and features that do not ask to bind', inHouse(async (house, door) => {
    const juliet = await house.actor('juliet', 'juliet@localhost/balcony')
    juliet.sends`<message to='romeo@localhost' type='chat' id='m1'><body>art thou there?</body></message>`
    await juliet.fence()
    const c = await door()
    c.says(login(agent(PHONE), bind('<tag>Psi</tag>')))
    const success = await c.succeeds()
    assert.match(identifier(success), /^romeo@localhost\/Psi\/[\w-]{12}$/)
    const { first } = await house.stores.archive.ends('romeo@localhost')
    assert.equal(success.getChild('bound', BIND2)!.getChild('metadata', MAM)!.getChild('end')!.attrs['id'], first!.id)
    const features = await c.next()
    assert.equal(features.name, 'stream:features')
    assert.equal(features.getChild('bind', 'urn:ietf:params:xml:ns:xmpp-bind'), undefined)
    await c.fence()
  }))

  it('XEP-0386 the same client has the same address again, another one another, and its id is told to nobody', inHouse(async (house, door) => {
    const jids: string[] = []
    for (const id of [PHONE, PHONE, LAPTOP]) {
      const c = await door()
      c.says(login(agent(id), bind('<tag>Psi</tag>')))
      jids.push(identifier(await c.succeeds()))
      c.leaves()
    }
    assert.equal(jids[0], jids[1])
    assert.notEqual(jids[0], jids[2])
    assert.ok(!jids.join().includes(PHONE.slice(0, 8)))
    const c = await door()
    c.says(login(bind('<tag> \t </tag>')))
    assert.match(identifier(await c.succeeds()), /^romeo@localhost\/[\w-]{12}$/)
    assert.ok(house)
  }))

  it('XEP-0386 ends an earlier session of the same client, whatever it calls itself, and no other', inHouse(async (_, door) => {
    const [first, other, second] = [await door(), await door(), await door()]
    first.says(login(agent(PHONE), bind('<tag>old</tag>'))); await first.succeeds(); await first.next()
    other.says(login(agent(LAPTOP), bind('<tag>old</tag>'))); await other.succeeds(); await other.next()
    second.says(login(agent(PHONE), bind('<tag>new</tag>'))); await second.succeeds()
    await first.ends('conflict')
    await other.fence()
  }))

  it('XEP-0280 XEP-0352 XEP-0198 turns on in one go what is asked for', inHouse(async (house, door) => {
    const c = await door()
    c.says(login(bind(`<enable xmlns='${CARBONS}'/>`, `<enable xmlns='${SM}' resume='true'/>`, "<inactive xmlns='urn:xmpp:csi:0'/>")))
    const enabled = (await c.succeeds()).getChild('bound', BIND2)!.getChild('enabled', SM)!
    assert.equal(enabled.attrs['resume'], 'true')
    assert.equal((await c.next()).getChild('sm', SM), undefined)
    const [device] = house.host.accounts.online(ROMEO)!.resources.values()
    assert.ok(device!.flags.includes('inactive'))
    const juliet = await house.actor('juliet', 'juliet@localhost/balcony')
    const desk = await house.actor('romeo', 'romeo@localhost/desk')
    desk.sends`<message to='${juliet.jid}' type='chat' id='m1'><body>hark</body></message>`
    await c.receives`<message from='romeo@localhost' type='chat'><sent xmlns='${CARBONS}'/></message>`
    c.says(`<r xmlns='${SM}'/>`)
    await c.hears`<a xmlns='${SM}' h='0'/>`
  }))

  it('XEP-0160 what waits and is in the archive is not sent as well; what is not in it is', inHouse(async (house, door) => {
    const juliet = await house.actor('juliet', 'juliet@localhost/balcony')
    juliet.sends`<message to='romeo@localhost' type='chat' id='m1'><body>kept</body></message>`
    await juliet.fence()
    const c = await door()
    c.says(login(bind())); await c.succeeds(); await c.next()
    c.says('<presence/>')
    assert.deepEqual((await c.fence()).filter(x => x.name === 'message'), [])
    c.says(`<iq type='set' id='prefs'><prefs xmlns='${MAM}' default='never'><always/><never/></prefs></iq>`)
    await c.hears`<iq type='result' id='prefs'/>`
    c.says('</stream:stream>')
    await c.isCutOff()
    juliet.sends`<message to='romeo@localhost' type='chat' id='m2'><body>not kept</body></message>`
    await juliet.fence()
    const d = await door()
    d.says(login(bind())); await d.succeeds(); await d.next()
    d.says('<presence/>')
    await d.hears`<message type='chat' id='m2'><body>not kept</body></message>`
  }))

  it('SEC-S14 an account with too many sessions logs in and has none', inHouse(async (_, door) => {
    const c = await door()
    c.says(login(bind()))
    const success = await c.succeeds()
    assert.equal(identifier(success), 'romeo@localhost')
    assert.equal(success.getChild('bound', BIND2), undefined)
  }, { limits: { resources: { perAccount: 0, hibernated: 0 } } }))
})

describe('resumption inline', () => {
  const ENABLE = `<enable xmlns='${SM}' resume='true'/>`

  it('XEP-0198 section 8.2 the session goes on at once, without features, and <bind/> is ignored', inHouse(async (house, door) => {
    const juliet = await house.actor('juliet', 'juliet@localhost/balcony')
    const c = await door()
    c.says(login(agent(PHONE), bind(ENABLE)))
    const success = await c.succeeds()
    const jid = identifier(success)
    const id = success.getChild('bound', BIND2)!.getChild('enabled', SM)!.attrs['id'] as string
    await c.next()
    c.says(PING); await c.next()
    c.leaves()
    juliet.sends`<message to='${jid}' type='chat' id='m1'><body>missed?</body></message>`
    await juliet.fence()
    const d = await door()
    d.says(login(agent(PHONE), `<resume xmlns='${SM}' previd='${id}' h='1'/>`, bind(ENABLE)))
    const again = await d.succeeds()
    assert.equal(identifier(again), jid)
    assert.equal(again.getChild('resumed', SM)!.attrs['h'], '1')
    assert.equal(again.getChild('bound', BIND2), undefined)
    await d.receives`<message id='m1'><body>missed?</body></message>`
    assert.equal(house.host.accounts.online(ROMEO)!.resources.size, 1)
  }))

  it('SEC-S05 SEC-S10 a session that is not there or somebody else’s is told, and a new one bound', inHouse(async (_, door) => {
    const juliet = await door({ jid: 'juliet@localhost/x' })
    juliet.says(authenticate('PLAIN', plain('juliet'), bind(ENABLE)))
    const id = (await juliet.succeeds()).getChild('bound', BIND2)!.getChild('enabled', SM)!.attrs['id'] as string
    await juliet.next()
    const c = await door()
    c.says(login(`<resume xmlns='${SM}' previd='${id}' h='0'/>`, bind(ENABLE)))
    const success = await c.succeeds()
    assert.ok(success.getChild('failed', SM)!.getChild('item-not-found'))
    assert.ok(success.getChild('bound', BIND2)!.getChild('enabled', SM))
    assert.match(identifier(success), /^romeo@localhost\/./)
    await juliet.fence()
  }))

  it('SEC-S02 an h that was never sent ends the stream', inHouse(async (_, door) => {
    const c = await door()
    c.says(login(bind(ENABLE)))
    const id = (await c.succeeds()).getChild('bound', BIND2)!.getChild('enabled', SM)!.attrs['id'] as string
    const d = await door()
    d.says(login(`<resume xmlns='${SM}' previd='${id}' h='77'/>`))
    await d.ends('undefined-condition')
  }))
})

describe('an account that changes', () => {
  interface Sessions { readonly bound: Client; readonly unbound: Client; readonly classic: Actor }
  /** One session of each kind, and one that sleeps. */
  async function everywhere(house: House, door: () => Promise<Client>): Promise<Sessions> {
    const [bound, unbound, asleep] = [await door(), await door(), await door()]
    bound.says(login(bind())); await bound.succeeds(); await bound.next()
    unbound.says(login()); await unbound.succeeds(); await unbound.next()
    const classic = new Actor('classic', 'romeo@localhost/y')
    await classic.opens(house.port)
    await classic.logsIn()
    asleep.says(login(bind(`<enable xmlns='${SM}' resume='true'/>`)))
    await asleep.succeeds(); await asleep.next()
    asleep.leaves()
    while ([...house.host.accounts.online(ROMEO)!.resources.values()].every(r => r.attached)) await new Promise(ok => setImmediate(ok))
    return { bound, unbound, classic }
  }
  for (const [what, condition] of [['password', 'reset'], ['disabled', 'not-authorized'], ['removed', 'not-authorized']] as const) {
    it(`SEC-T22 ${what}: sessions end, those without a resource too, and those that sleep are not resumed`, inHouse(async (house, door) => {
      const { bound, unbound, classic } = await everywhere(house, door)
      await changes(house, what)
      for (const c of [bound, unbound]) await c.ends(condition)
      await classic.isCutOff()
      assert.equal(house.devices.resumable, 0)
      assert.equal(house.host.unbound.size, 0)
    }))
  }

  for (const [what, condition] of [['<username>romeo</username><password>new</password>', 'reset'], ['<remove/>', 'not-authorized']] as const) {
    it(`SEC-T22 by its owner (${what}): what is open elsewhere ends at once, tokens are worth nothing`, inHouse(async (house, door) => {
      const here = await door()
      here.says(login(agent(PHONE), bind(), `<request-token xmlns='${FAST}' mechanism='HT-SHA-256-NONE'/>`))
      const token = tokenOf(await here.succeeds())!
      await here.next()
      const { bound, unbound, classic } = await everywhere(house, door)
      here.says(`<iq type='set' id='r'><query xmlns='jabber:iq:register'>${what}</query></iq>`)
      await here.receives`<iq type='result' id='r'/>`
      for (const c of [bound, unbound]) await c.ends(condition)
      await classic.isCutOff()
      assert.deepEqual([house.devices.resumable, house.host.unbound.size], [0, 0])
      if (condition === 'reset') await here.receivesNothing() // who changed it stays
      else await here.ends(condition)
      const again = await door()
      again.says(authenticate('HT-SHA-256-NONE', hashed('romeo', token), agent(PHONE), bind(), `<fast xmlns='${FAST}'/>`))
      assert.equal((await again.next()).name, 'failure')
    }))
  }

  it('SEC-T22 a login that was under way with the old password fails', inHouse(async (house, door) => {
    const c = await door()
    await house.host.accounts.at(ROMEO)
    c.says(authenticate('PLAIN', undefined))
    await c.receives`<challenge xmlns='${SASL2}'/>`
    await changes(house, 'password')
    c.says(`<response xmlns='${SASL2}'>${plain('romeo', 'pw')}</response>`)
    await c.failsWith('not-authorized')
    c.says(authenticate('PLAIN', plain('romeo', 'new')))
    await c.succeeds()
  }))

  it('SEC-T22 SEC-S16 a session that slept over a restart does not go on if the password was changed meanwhile', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    const kept = Object.create(stores, { close: { value: async () => {} } }) as Stores
    let id = ''
    await inHouse(async (house, door) => {
      const c = await door()
      c.says(login(bind(`<enable xmlns='${SM}' resume='true'/>`)))
      id = (await c.succeeds()).getChild('bound', BIND2)!.getChild('enabled', SM)!.attrs['id'] as string
      await c.next()
      await house.devices.shutDown(stores, silent)
    }, { stores: kept })()
    const record = await stores.accounts.find('localhost', 'romeo')
    await stores.accounts.update({ ...record!, credentials: await makeCredentials('new', { iterations: 4096 }) })
    await inHouse(async (house, door) => {
      assert.equal(house.devices.resumable, 0)
      const c = await door()
      c.says(authenticate('PLAIN', plain('romeo', 'new'), `<resume xmlns='${SM}' previd='${id}' h='0'/>`))
      assert.ok((await c.succeeds()).getChild('failed', SM)!.getChild('item-not-found'))
    }, { stores })()
  })

  it('SEC-T22 RFC 6120 section 7.1 one who logged in before the password was changed cannot bind after it', inHouse(async (house) => {
    const a = new Actor('a', 'romeo@localhost/y')
    await a.opens(house.port)
    await a.logsIn()
    const record = { ...(await house.stores.accounts.find('localhost', 'romeo'))!, credentials: await makeCredentials('new', { iterations: 4096 }) }
    await house.stores.accounts.update(record)
    house.host.accounts.refresh(ROMEO, record) // as if it had come from another node
    a.says("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    await a.receives`<stream:error xmlns:stream='${ETHERX}' xmlns='${ETHERX}'><not-authorized xmlns='${STREAMS}'/></stream:error>`
    await a.isCutOff()
  }))
})
