// The command line for a desk: queues, sites, settings and canned replies, on a store without a server.
import assert from 'node:assert/strict'
import { readConfig } from '../../../config/load.ts'
import { perform } from '../../../app/admin.ts'
import type { Office, Outcome } from '../../../app/office.ts'
import { openSqlite } from '../../../server/store/sqlite/sqlite.ts'
import { MovedClock } from '../../harness/clock.ts'

describe('app/commands/desk', () => {
  let office: Office
  beforeEach(async () => {
    const loaded = readConfig('hosts: { a.example: {} }\ncomponents: { help.a.example: { helpdesk: { queues: { support: { assign: round-robin } } } } }', '/etc/deskbell.yaml')
    assert.ok(loaded.ok)
    office = { config: loaded.config, stores: await openSqlite({ file: ':memory:' }), clock: new MovedClock(), running: false }
  })
  afterEach(() => office.stores.close())
  const run = (...words: string[]): Promise<Outcome> => perform(words, office)
  async function good(...words: string[]): Promise<readonly string[]> {
    const { code, lines } = await run(...words)
    assert.equal(code, 0, lines.join('\n'))
    return lines
  }
  async function bad(code: number, words: RegExp, ...args: string[]): Promise<void> {
    const outcome = await run(...args)
    assert.equal(outcome.code, code, outcome.lines.join('\n'))
    assert.match(outcome.lines.join('\n'), words)
    assert.equal(outcome.lines.length, 1)
  }

  it('queues are added, shown, changed and removed; those of the config file stay', async () => {
    await good('queue', 'add', 'sales', 'name=Our Sales', 'agents=anna@a.example, ben@a.example', 'limit=5')
    assert.deepEqual(await good('queue', 'list'), ['sales\tOur Sales', 'support\t\tconfig file'])
    assert.ok((await good('queue', 'show', 'sales')).includes('agents=anna@a.example, ben@a.example'))
    await good('queue', 'set', 'sales', 'assign=round-robin', 'name=')
    assert.deepEqual((await good('queue', 'show', 'sales')).filter(l => /^(name|assign|limit)/.test(l)), ['assign=round-robin', 'limit=5'])
    await bad(1, /config file gives it/, 'queue', 'set', 'support', 'assign=pull')
    await bad(1, /config file gives it/, 'queue', 'remove', 'support')
    await good('queue', 'remove', 'sales')
    await bad(1, /there is no queue sales/, 'queue', 'show', 'sales')
    await bad(2, /write key=value/, 'queue', 'add', 'x', 'nonsense=1')
    await bad(2, /limit: write a whole number/, 'queue', 'add', 'x', 'limit=many')
    await bad(1, /give a number from 0 to 100000/, 'queue', 'add', 'x', 'limit=-1')
    await bad(2, /usage/, 'queue', 'fly')
  })

  it('sites, departments and settings are changed with the same words', async () => {
    await good('department', 'add', 'help', 'queues=support')
    await good('department', 'set', 'help', 'survey=on', 'mailAtEnd=off')
    assert.deepEqual((await good('department', 'show', 'help')).filter(l => /^(survey|mailAtEnd|ticketAtEnd)/.test(l)), ['survey=on', 'mailAtEnd=off', 'ticketAtEnd=inherit'])
    await bad(2, /survey: write one of inherit, on, off/, 'department', 'set', 'help', 'survey=maybe')
    await good('site', 'add', 'shop', 'title=Shop', 'queue=support', 'departments=help', 'origins=https://shop.example')
    assert.ok((await good('site', 'show', 'shop')).includes('origins=https://shop.example'))
    await bad(1, /there is no department nope/, 'site', 'set', 'shop', 'departments=nope')
    await good('setting', 'set', 'system.requestInterval=7', 'handOff.closed.after=60')
    const all = await good('setting', 'list')
    assert.ok(all.includes('system.requestInterval=7') && all.includes('handOff.closed.after=60') && all.includes('system.enabled=false'))
    await bad(1, /from 5 to 15/, 'setting', 'set', 'system.requestInterval=16')
  })

  it('SEC-A13 what the command line changes stands in the audit with how it was before, and no secret', async () => {
    await good('setting', 'set', 'handOff.closed.after=60', 'translation.apiKey=hush-hush', 'tickets.authorization=Bearer hush-hush')
    await good('queue', 'add', 'sales', 'limit=5')
    await good('canned', 'add', 'hi1', 'Hi, your password?')
    await good('user', 'add', 'anna@a.example', '--password', 'hush-hush', '--role', 'agent')
    await bad(1, /from 5 to 15/, 'setting', 'set', 'system.requestInterval=16')
    const audit = (await office.stores.documents.range<{ by: string; what: string; on: string; changes?: { at: string; before: unknown; after: unknown }[] }>('desk-audit', 'help.a.example', { limit: 100 })).map(d => d.value)
    assert.deepEqual(audit.map(a => [a.by, a.what, a.on]), [
      ['command line', 'setting set', 'handOff.closed.after=60'], ['command line', 'queue add', 'sales limit=5'], ['command line', 'canned add', 'hi1 Hi, your password?'], ['command line', 'user add', 'anna@a.example agent'],
    ])
    assert.deepEqual(audit[0]?.changes?.find(c => c.at.endsWith('closed/after')), { at: '/settings/handOff/closed/after', before: 120, after: 60 })
    assert.ok(audit[1]?.changes?.some(c => c.at === '/settings/queues/sales/limit' && c.after === 5))
    assert.ok(!JSON.stringify(audit).includes('hush'))
  })

  it('webhooks are added with a secret that is printed once, changed, given another secret and removed', async () => {
    const [made = '', secret = ''] = await good('webhook', 'add', 'https://example.org/hook', 'conversation.closed', 'conversation.opened')
    const id = /^webhook (\w{12}) added$/.exec(made)?.[1] ?? ''
    assert.match(secret, /^secret: \S{43}$/)
    assert.deepEqual(await good('webhook', 'list'), [`${id}\thttps://example.org/hook\tconversation.closed,conversation.opened`])
    await good('webhook', 'set', id, 'types=*', 'disabled=true')
    assert.deepEqual(await good('webhook', 'list'), [`${id}\thttps://example.org/hook\t*\tdisabled`])
    assert.notEqual((await good('webhook', 'rotate', id))[1], secret)
    await bad(1, /url: it is no http or https address/, 'webhook', 'set', id, 'url=ftp://x')
    await bad(1, /url: /, 'webhook', 'add', 'http://127.0.0.1/hook')
    await bad(1, /types: /, 'webhook', 'add', 'https://example.org/other', 'conversation.sometimes')
    await bad(1, /there is no webhook nope/, 'webhook', 'remove', 'nope')
    await bad(2, /usage/, 'webhook', 'set', id, 'disabled=perhaps')
    await bad(2, /usage/, 'webhook', 'set', id, 'colour=red')
    await good('webhook', 'remove', id)
    assert.deepEqual(await good('webhook', 'list'), [])
    const audit = (await office.stores.documents.range<{ what: string; on: string }>('desk-audit', 'help.a.example', { limit: 100 })).map(d => d.value)
    assert.deepEqual(audit.map(a => a.what), ['webhook add', 'webhook set', 'webhook rotate', 'webhook remove'])
    assert.ok(!JSON.stringify(audit).includes(secret.slice(8)))
  })

  it('OM-14 canned replies are kept for everybody or a queue', async () => {
    await good('canned', 'add', 'hi1', 'Hi %VISITOR%', '--title', 'Hello')
    await good('canned', 'set', 'hi1', 'Hello %VISITOR%')
    assert.deepEqual(await good('canned', 'list'), ['hi1\tHello\t\tHello %VISITOR%'])
    await bad(1, /taken/, 'canned', 'add', 'HI1', 'again')
    await bad(1, /is a command/, 'canned', 'add', 'close', 'x')
    await good('canned', 'remove', 'hi1')
    assert.deepEqual(await good('canned', 'list'), [])
  })
})
