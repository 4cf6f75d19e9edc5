// XEP-0227: accounts written from one store and read into another, and what other servers write.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { perform } from '../../../app/admin.ts'
import type { Office } from '../../../app/office.ts'
import { readConfig } from '../../../config/load.ts'
import { Shelf } from '../../../protocols/pubsub/shelf.ts'
import { PERSONAL } from '../../../protocols/pubsub/config.ts'
import { openSqlite, type SqliteStores } from '../../../server/store/sqlite/sqlite.ts'
import { makeCredentials, verifyPassword } from '../../../server/stream/sasl/credentials.ts'
import { MovedClock } from '../../harness/clock.ts'
import { tempFolder } from '../../harness/folder.ts'

const folder = tempFolder('pie')
after(() => rmSync(folder, { recursive: true, force: true }))

describe('app: export and import', () => {
  const clock = new MovedClock()
  const open: SqliteStores[] = []
  afterEach(async () => { for (const s of open.splice(0)) await s.close() })

  async function office(hosts = 'a.example: { scram-iterations: 4096 }'): Promise<Office & { made: string[] }> {
    const loaded = readConfig(`hosts: { ${hosts} }`, '/etc/deskbell.yaml')
    assert.ok(loaded.ok)
    const stores = await openSqlite({ file: ':memory:' })
    open.push(stores)
    const made: string[] = []
    return { config: loaded.config, stores, clock, running: true, made, changed: async (jid, what) => void made.push(`${jid} ${what}`) }
  }
  async function good(o: Office, ...words: string[]): Promise<readonly string[]> {
    const { code, lines } = await perform(words, o)
    assert.equal(code, 0, lines.join('\n'))
    return lines
  }
  const message = (from: string, to: string, body: string): string => `<message xmlns='jabber:client' from='${from}' to='${to}' type='chat'><body>${body}</body></message>`

  it('what was exported comes back the same in another store, and written again is the same file', async () => {
    const one = await office()
    const { stores } = one
    const anna = 'anna@a.example'
    await stores.accounts.create({ host: 'a.example', local: 'anna', created: 1_700_000_000_000, credentials: await makeCredentials('pw ü', { iterations: 4096 }), role: 'agent', name: 'Anna <A>' })
    await stores.accounts.create({ host: 'a.example', local: 'ben', created: 1_700_000_000_000, credentials: await makeCredentials('x', { iterations: 4096 }), disabled: true })
    await stores.rosters.put(anna, 7, [
      { jid: 'ben@a.example', name: 'B & B', groups: ['Work', 'x'], subscription: 'both', version: 5 },
      { jid: 'carl@b.example', groups: [], subscription: 'none', ask: true, approved: true, version: 6 },
      { jid: 'dora@b.example', groups: [], subscription: 'none', listed: false, request: "<presence xmlns='jabber:client' type='subscribe' from='dora@b.example' to='anna@a.example'><status>hello</status></presence>", version: 7 },
      { jid: 'desk@help.a.example', groups: ['Helpdesk'], subscription: 'both', injected: 'help.a.example', version: 7 },
    ])
    await stores.documents.put('vcard', anna, '', "<vCard xmlns='vcard-temp'><FN>Anna</FN></vCard>")
    await stores.documents.put('private', anna, '{x:y}z', "<z xmlns='x:y'>kept</z>")
    await stores.documents.put('blocklist', anna, '', ['spam@b.example'])
    const shelf = new Shelf(stores.documents, anna, 'pep')
    await shelf.putNode('urn:xmpp:bookmarks:1', { config: { ...PERSONAL, access: 'whitelist', maxItems: 'max' }, created: 5, affiliations: [], subscriptions: [] })
    for (const [i, id] of ['r1@rooms.a.example', 'r2@rooms.a.example'].entries()) await shelf.putItem('urn:xmpp:bookmarks:1', { id, order: i + 1, at: 5, publisher: anna, size: 9 }, "<conference xmlns='urn:xmpp:bookmarks:1' autojoin='true'/>")
    await stores.offline.push(anna, 1_700_000_001_000, message('ben@a.example/x', anna, 'waits'), 10)
    for (let i = 0; i < 1200; i++) await stores.archive.append({ owner: anna, id: `01hh5k80${String(i).padStart(4, '0')}abcdefghijkl`, at: 1_700_000_000_000 + i, with: 'ben@a.example/x', stanza: message('ben@a.example/x', anna, `line ${i}`) })

    const file = join(folder, 'one.xml')
    await good(one, 'export', file)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.ok(!readFileSync(file, 'utf8').includes('desk@help'), 'what the desk put in is the desk’s')

    const two = await office()
    assert.deepEqual(await good(two, 'import', file), ['2 accounts imported'])
    assert.deepEqual(two.made, ['anna@a.example made', 'ben@a.example made'])
    const account = await two.stores.accounts.find('a.example', 'anna')
    assert.deepEqual([account?.role, account?.name, account?.created, await verifyPassword(account?.credentials, 'pw ü')], ['agent', 'Anna <A>', 1_700_000_000_000, true])
    assert.equal((await two.stores.accounts.find('a.example', 'ben'))?.disabled, true)
    const { items } = await two.stores.rosters.load(anna)
    assert.deepEqual(items.map(i => [i.jid, i.subscription, i.name, i.groups.join(), i.ask, i.approved, i.listed, i.request !== undefined]).sort(), [
      ['ben@a.example', 'both', 'B & B', 'Work,x', undefined, undefined, undefined, false],
      ['carl@b.example', 'none', undefined, '', true, true, undefined, false],
      ['dora@b.example', 'none', undefined, '', undefined, undefined, false, true],
    ])
    assert.equal(await two.stores.archive.count({ owner: anna }), 1200)
    assert.deepEqual((await two.stores.archive.query({ owner: anna, limit: 1, last: true })).rows, (await stores.archive.query({ owner: anna, limit: 1, last: true })).rows)
    const again = join(folder, 'two.xml')
    await good(two, 'export', again)
    const plain = (path: string): string => readFileSync(path, 'utf8').replace(/ version='\d+'/g, '')
    assert.equal(plain(again), plain(file))
  })

  it('an import that is done again changes nothing of those who are there', async () => {
    const o = await office()
    const file = join(folder, 'again.xml')
    writeFileSync(file, `<server-data xmlns='urn:xmpp:pie:0'><host jid='a.example'><user name='anna' password='one'/></host></server-data>`)
    await good(o, 'import', file)
    await good(o, 'user', 'passwd', 'anna@a.example', '--password', 'two')
    assert.deepEqual(await good(o, 'import', file), ['0 accounts imported, 1 were there already and stay as they are'])
    assert.ok(await verifyPassword((await o.stores.accounts.find('a.example', 'anna'))?.credentials, 'two'))
  })

  it('reads what Prosody writes: keys of SCRAM-SHA-1, a file for each host and user, an archive with ids of its own', async () => {
    const { 'sha-1': keys } = await makeCredentials('secret', { iterations: 10_000 })
    assert.ok(keys)
    mkdirSync(join(folder, 'a.example'))
    writeFileSync(join(folder, 'main.xml'), `<?xml version='1.0' encoding='UTF-8'?>\n<server-data xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='a.example.xml'/></server-data>\n`)
    writeFileSync(join(folder, 'a.example.xml'), `<?xml version='1.0'?><host xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude' jid='a.example'><xi:include href='a.example/juliet.xml'/></host>`)
    writeFileSync(join(folder, 'a.example/juliet.xml'), `<user name='juliet' xmlns='urn:xmpp:pie:0'>
      <scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'><iter-count>10000</iter-count><salt>${keys.salt}</salt><server-key>${keys.serverKey}</server-key><stored-key>${keys.storedKey}</stored-key></scram-credentials>
      <query xmlns='jabber:iq:roster' version='3'><item jid='romeo@m.example' subscription='both' name='Romeo'><group>Friends</group></item></query>
      <presence xmlns='jabber:client' type='subscribe' from='paris@m.example'/>
      <archive xmlns='urn:xmpp:pie:0#mam'>
        <result xmlns='urn:xmpp:mam:2' id='zz-9'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2023-01-02T00:00:00Z'/>${message('juliet@a.example/b', 'romeo@m.example', 'second')}</forwarded></result>
        <result xmlns='urn:xmpp:mam:2' id='aa-1'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2023-01-01T00:00:00Z'/>${message('romeo@m.example/o', 'juliet@a.example', 'first')}</forwarded></result>
      </archive>
      <tune xmlns='urn:x'/>
    </user>`)
    const o = await office()
    assert.deepEqual(await good(o, 'import', join(folder, 'main.xml')), ['1 accounts imported', "juliet@a.example: not taken over: <tune xmlns='urn:x'>"])
    const account = await o.stores.accounts.find('a.example', 'juliet')
    assert.ok(await verifyPassword(account?.credentials, 'secret'))
    assert.deepEqual((await o.stores.rosters.load('juliet@a.example')).items.map(i => [i.jid, i.listed ?? true]).sort(), [['paris@m.example', false], ['romeo@m.example', true]])
    const { rows } = await o.stores.archive.query({ owner: 'juliet@a.example', limit: 10 })
    assert.deepEqual(rows.map(r => [r.with, /<body>(.*)<\/body>/.exec(r.stanza)?.[1]]), [['romeo@m.example/o', 'first'], ['romeo@m.example', 'second']])
  })

  const bad: [title: string, text: string, line: RegExp][] = [
    ['that is no XEP-0227', `<html/>`, /begins with <html.*give a file of XEP-0227/],
    ['that is cut off', `<server-data xmlns='urn:xmpp:pie:0'><host jid='a.example'>`, /ends too early/],
    ['that is not XML', `<server-data xmlns='urn:xmpp:pie:0'><host jid=a></server-data>`, /mend the XML/],
    ['that includes what lies outside of its folder (SEC-A15)', `<server-data xmlns='urn:xmpp:pie:0'><include xmlns='http://www.w3.org/2001/XInclude' href='../../etc/passwd'/></server-data>`, /only whole files beside/],
  ]
  for (const [title, text, line] of bad) {
    it(`refuses a file ${title}`, async () => {
      const o = await office()
      const file = join(folder, 'bad.xml')
      writeFileSync(file, text)
      const { code, lines } = await perform(['import', file], o)
      assert.equal(code, 1)
      assert.match(lines[0] ?? '', line)
    })
  }

  it('SEC-A15 an import follows no name and no link out of its folder, and no entity grows it', async () => {
    const o = await office()
    const outside = join(folder, 'outside.xml')
    writeFileSync(outside, `<host xmlns='urn:xmpp:pie:0' jid='a.example'><user name='smuggled' password='pw'/></host>`)
    const within = join(folder, 'within')
    mkdirSync(within, { recursive: true })
    symlinkSync(outside, join(within, 'link.xml'))
    const include = (href: string): string => `<server-data xmlns='urn:xmpp:pie:0'><include xmlns='http://www.w3.org/2001/XInclude' href='${href}'/></server-data>`
    const bomb = `<!DOCTYPE x [<!ENTITY a "${'x'.repeat(1000)}"><!ENTITY b "${'&a;'.repeat(1000)}"><!ENTITY c "${'&b;'.repeat(1000)}">]><server-data xmlns='urn:xmpp:pie:0'><host jid='a.example'><user name='big' password='&c;'/></host></server-data>`
    for (const [name, text] of [['up', include('../outside.xml')], ['absolute', include(outside)], ['url', include(`file://${outside}`)], ['deep', include('a/../../outside.xml')], ['escaped', include('..%2foutside.xml')], ['link', include('link.xml')], ['self', include('self.xml')], ['bomb', bomb], ['entity', `<!DOCTYPE x [<!ENTITY e SYSTEM "file://${outside}">]><server-data xmlns='urn:xmpp:pie:0'>&e;</server-data>`]] as const) {
      const file = join(within, `${name}.xml`)
      writeFileSync(file, text)
      const { code, lines } = await perform(['import', file], o)
      assert.equal(code, name === 'self' ? 0 : 1, `${name}: ${lines.join()}`) // itself is no host
    }
    assert.deepEqual(await o.stores.accounts.list('a.example', { limit: 10 }), [])
  })

  it('takes an account without a password where a directory keeps them', async () => {
    const o = await office('a.example: { plugins: { ldap: { url: "ldaps://d.example", base: o=x } } }')
    const file = join(folder, 'directory.xml')
    writeFileSync(file, "<server-data xmlns='urn:xmpp:pie:0'><host jid='a.example'><user name='anna'><query xmlns='jabber:iq:roster'><item jid='ben@b.example'/></query></user></host></server-data>")
    assert.deepEqual(await good(o, 'import', file), ['1 accounts imported'])
    const anna = await o.stores.accounts.find('a.example', 'anna')
    assert.deepEqual([anna?.credentials, anna?.authority], [{}, 'ldap'])
    assert.deepEqual((await o.stores.rosters.load('anna@a.example')).items.map(i => i.jid), ['ben@b.example'])
  })

  it('names hosts and accounts that it cannot take, and takes the others', async () => {
    const o = await office()
    const file = join(folder, 'some.xml')
    writeFileSync(file, `<server-data xmlns='urn:xmpp:pie:0'><host jid='b.example'><user name='x' password='y'/></host><host jid='a.example'><user name='no password'/><user name='nokey'/><user name='good' password='pw'/></host></server-data>`)
    const lines = await good(o, 'import', file)
    assert.equal(lines[0], '1 accounts imported')
    assert.match(lines.join('\n'), /no password is no name|no password@a.example/)
    assert.match(lines.join('\n'), /nokey@a\.example has no password and no keys/)
    assert.match(lines.join('\n'), /b\.example is no host of ours/)
    chmodSync(file, 0o600)
  })
})
