// The verbs of the command line on a store: what they change, what they print, what they refuse.
import assert from 'node:assert/strict'
import { readConfig } from '../../../config/load.ts'
import { perform } from '../../../app/admin.ts'
import type { Office, Outcome } from '../../../app/office.ts'
import { tokenReader } from '../../../app/tokens.ts'
import { openSqlite } from '../../../server/store/sqlite/sqlite.ts'
import { verifyPassword } from '../../../server/stream/sasl/credentials.ts'
import { MovedClock } from '../../harness/clock.ts'

describe('app/admin', () => {
  let office: Office
  let changes: string[]
  const clock = new MovedClock()

  beforeEach(async () => {
    const loaded = readConfig('hosts: { a.example: { scram-iterations: 4096 }, b.example: {} }', '/etc/deskbell.yaml')
    assert.ok(loaded.ok)
    const stores = await openSqlite({ file: ':memory:' })
    changes = []
    office = { config: loaded.config, stores, clock, running: true, changed: async (jid, what) => { changes.push(`${jid} ${what}`) } }
  })
  afterEach(() => office.stores.close())

  const run = (words: string): Promise<Outcome> => perform(words.split(' '), office)
  async function good(words: string): Promise<readonly string[]> {
    const { code, lines } = await run(words)
    assert.equal(code, 0, lines.join('\n'))
    return lines
  }

  it('adds an account without a password: prints one, with which the account can be entered', async () => {
    const lines = await good('user add Anna@a.example --role agent')
    const password = /^password: (\S{20,})$/.exec(lines.at(-1) ?? '')?.[1] ?? ''
    const record = await office.stores.accounts.find('a.example', 'anna')
    assert.equal(record?.role, 'agent')
    assert.equal(record.credentials['sha-256']?.iterations, 4096)
    assert.ok(await verifyPassword(record.credentials, password))
    assert.deepEqual(changes, ['anna@a.example made'])
  })

  it('without a role an account is a plain user, and a given password is not printed', async () => {
    const { lines } = await perform(['user', 'add', 'carl@a.example', '--password', 'so secret', '--name', 'Carl the Great'], office)
    assert.doesNotMatch(lines.join('\n'), /secret|password/)
    const record = await office.stores.accounts.find('a.example', 'carl')
    assert.deepEqual([record?.role, record?.name], [undefined, 'Carl the Great'])
  })

  it('RFC-J6 adds nobody whose name other servers would read as another one', async () => {
    const { code, lines } = await run('user add straße@a.example --password one')
    assert.equal(code, 2)
    assert.match(lines.join('\n'), /straße@a\.example: .*"strasse"/)
    assert.deepEqual(await good('user list'), [])
  })

  it('changes a password, a role and the list, and tells the running house', async () => {
    await good('user add anna@a.example --password one')
    await good('user passwd anna@a.example --password two')
    await good('user role anna@a.example manager')
    const record = await office.stores.accounts.find('a.example', 'anna')
    assert.deepEqual([await verifyPassword(record?.credentials, 'one'), await verifyPassword(record?.credentials, 'two')], [false, true])
    assert.deepEqual(await good('user list'), ['anna@a.example\tmanager'])
    await good('user role anna@a.example none')
    assert.deepEqual(await good('user list'), ['anna@a.example\t-'])
    assert.deepEqual(changes.slice(1), ['anna@a.example password', 'anna@a.example role', 'anna@a.example role'])
  })

  it('removes an account with its tokens', async () => {
    await good('user add anna@a.example --password one --role agent')
    const text = (await good('token add anna@a.example'))[0]?.replace('token: ', '') ?? ''
    await good('user remove anna@a.example')
    await good('user add anna@a.example --password one --role admin')
    assert.equal(await tokenReader(office.stores, 'a.example', clock)(text), undefined)
    assert.deepEqual(await good('token list'), [])
  })

  it('who is removed is gone from the subscriptions of others, with the server running or not', async () => {
    const { rosters } = office.stores
    await good('user add anna@a.example --password one')
    await good('user add ben@b.example --password one')
    await rosters.put('anna@a.example', 1, [{ jid: 'ben@b.example', groups: [], subscription: 'both', version: 1 }])
    await rosters.put('ben@b.example', 4, [{ jid: 'anna@a.example', name: 'Anna', groups: ['x'], subscription: 'both', version: 4 }])
    const told: string[] = []
    await perform(['user', 'remove', 'anna@a.example'], { ...office, farewell: async jid => { told.push(`${jid} ${(await office.stores.accounts.find('a.example', 'anna')) ? 'is there yet' : 'is gone'}`) } })
    assert.deepEqual(told, ['anna@a.example is there yet'])
    await good('user add anna@a.example --password one')
    await rosters.put('anna@a.example', 1, [{ jid: 'ben@b.example', groups: [], subscription: 'both', version: 1 }])
    await good('user remove anna@a.example')
    const { version, items } = await rosters.load('ben@b.example')
    assert.deepEqual([version, items], [5, [{ jid: 'anna@a.example', name: 'Anna', groups: ['x'], subscription: 'none', version: 5 }]])
  })

  it('SEC-A06 a token is printed once, kept as a hash, ends when it should, and can be removed', async () => {
    await good('user add anna@a.example --password one --role agent')
    const text = /^token: (\S+)$/.exec((await good('token add anna@a.example --scope tickets:read --scope canned --expires 2d'))[0] ?? '')?.[1] ?? ''
    const read = tokenReader(office.stores, 'a.example', clock)
    const { id: _, ...who } = await read(text) ?? { id: '' }
    assert.deepEqual(who, { jid: 'anna@a.example', role: 'agent', scopes: ['tickets:read', 'canned'] })
    assert.equal(await read(`${text}x`), undefined)
    const kept = JSON.stringify(await office.stores.documents.range('token', 'a.example', { limit: 10 }))
    assert.ok(!kept.includes(text) && !(await good('token list')).join().includes(text))
    await clock.advance(2 * 86_400_000)
    assert.equal(await read(text), undefined)
    const id = (await good('token list'))[0]?.split('\t')[0] ?? ''
    await good(`token remove ${id}`)
    assert.deepEqual(await good('token list'), [])
  })

  it('a token speaks for the role its account has now', async () => {
    await good('user add anna@a.example --password one --role admin')
    const text = (await good('token add anna@a.example'))[0]?.replace('token: ', '') ?? ''
    await good('user role anna@a.example none')
    const { id: _, ...who } = await tokenReader(office.stores, 'a.example', clock)(text) ?? { id: '' }
    assert.deepEqual(who, { jid: 'anna@a.example' })
  })

  const refusals: [words: string, code: number, line: RegExp][] = [
    ['user', 2, /^usage: deskbell user/],
    ['user add', 2, /^usage: deskbell user add JID/],
    ['user add anna', 2, /anna is no account: write it like anna@a\.example/],
    ['user add anna@a.example/phone', 2, /no account/],
    ['user add anna@c.example', 2, /c\.example is no host of ours.*a\.example, b\.example/],
    ['user add anna@a.example --role boss', 2, /boss is no role: use agent, manager, admin or none/],
    ['user add anna@a.example --rôle agent', 2, /usage:/],
    ['user passwd nobody@a.example', 1, /there is no account nobody@a\.example/],
    ['user remove nobody@a.example', 1, /there is no account/],
    ['user role nobody@a.example agent', 1, /there is no account/],
    ['token add nobody@a.example', 1, /there is no account/],
    ['token add nobody@a.example --expires soon', 2, /soon is no span of time: write one such as 90d/],
    ['token add nobody@a.example --scope $ne', 2, /no scope/],
    ['token add nobody@a.example --scope tickets:read --scope tickets:reed', 2, /"tickets:reed" is no scope: take some of .*tickets, tickets:read, tickets:write/],
    ['token remove 12345678', 1, /names no token/],
    ['clock advance x', 2, /usage/],
    ['clock advance 5', 1, /runs on real time: start it with deskbell start --test-clock/],
    ['queue list', 1, /add one to components/],
    ['export', 2, /^usage: deskbell export FILE/],
    ['export /nowhere/f', 1, /was not written.*folder that exists/],
    ['import /nowhere/f', 1, /there is no such file/],
    ['nonsense', 2, /no such command/],
  ]
  for (const [words, code, line] of refusals) {
    it(`refuses "${words}" with exit code ${code} and one line that names the mend`, async () => {
      const outcome = await run(words)
      assert.equal(outcome.code, code)
      assert.equal(outcome.lines.length, 1)
      assert.match(outcome.lines[0] ?? '', line)
      assert.doesNotMatch(outcome.lines[0] ?? '', /\n/)
    })
  }

  it('refuses to add whom there is, and a password that cannot be one', async () => {
    await good('user add anna@a.example --password one')
    assert.deepEqual(await run('user add ANNA@a.example'), { code: 1, lines: ['anna@a.example exists already: use deskbell user passwd or user role to change it'] })
    assert.equal((await perform(['user', 'add', 'ben@a.example', '--password', ''], office)).code, 2)
    assert.equal((await perform(['user', 'add', 'ben@a.example', '--password', 'a\u0007b'], office)).code, 2)
  })

  it('moves the test clock on', async () => {
    let moved = 0
    office = { ...office, advance: async ms => { moved += ms } }
    await good('clock advance 90.5')
    assert.equal(moved, 90_500)
  })
})
