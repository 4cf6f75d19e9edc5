// A server whose memory runs out, or that one side floods: who is here is served on.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { crowding } from '../../app/memory.ts'
import { compose } from '../../app/compose.ts'
import { readConfig } from '../../config/load.ts'
import { silent } from '../../server/ports/log.ts'
import { makeCredentials } from '../../server/stream/sasl/credentials.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { MovedClock } from '../harness/clock.ts'
import { tempFolder } from '../harness/folder.ts'
import { Actor, House } from '../harness/scene.ts'

describe('memory that runs out', () => {
  it('SEC-K27 is said from 85 % of the heap on, until a fifth is free', async () => {
    const clock = new MovedClock()
    let used = 0
    const said: string[] = []
    const crowded = crowding(clock, { ...silent, warn: (_: unknown, words?: string) => { said.push(words ?? '') } } as typeof silent, () => ({ used, limit: 1000 }))
    const seen: boolean[] = []
    for (used of [500, 849, 850, 999, 820, 800, 799, 849, 850]) { await clock.advance(250); seen.push(crowded()) }
    assert.deepEqual(seen, [false, false, true, true, true, true, false, false, true])
    used = 0
    assert.equal(crowded(), true) // it does not look at each
    assert.equal(said.length, 3)
  })

  it('SEC-K27 lets nobody new in, by whatever door, and says so to whoever balances; those who are here talk on', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    const credentials = await makeCredentials('pw', { iterations: 4096 })
    for (const local of ['romeo', 'juliet']) await stores.accounts.create({ host: 'localhost', local, created: 1, credentials })
    const folder = tempFolder('crowd')
    const read = readConfig(`require-tls: false\nlisten: { c2s: { port: 0, address: 127.0.0.1 }, http: { port: 0, address: 127.0.0.1 } }\nhosts: { localhost: {} }\ndata: ${folder}`, join(folder, 'x.yaml'))
    assert.ok(read.ok)
    let used = 10
    {
      await using program = await compose(read.config, { stores, clock: new MovedClock(), log: silent, heap: () => ({ used, limit: 100 }) })
      const port = program.ports['c2s']!
      const web = `http://127.0.0.1:${program.ports['http']}`
      const ready = async (): Promise<number> => (await fetch(`${web}/readyz`)).status
      const [romeo, juliet] = [new Actor('romeo', 'romeo@localhost/x'), new Actor('juliet', 'juliet@localhost/x')]
      for (const a of [romeo, juliet]) { await a.connects(port); await a.comesOnline() }
      assert.equal(await ready(), 200)
      used = 90
      while (await ready() === 200) await new Promise(ok => setImmediate(ok))
      const late = new Actor('late', 'romeo@localhost/y')
      await late.opens(port)
      await late.isCutOff()
      const bosh = await fetch(`${web}/http-bind`, { method: 'POST', headers: { 'content-type': 'text/xml' }, body: "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' to='localhost' ver='1.6' wait='1' hold='1'/>" })
      assert.ok(!(await bosh.text()).includes('mechanism'))
      romeo.says("<message to='juliet@localhost' type='chat' id='m'><body>still here</body></message>")
      await juliet.hears`<message id='m'><body>still here</body></message>`
      used = 10
      while (await ready() !== 200) await new Promise(ok => setImmediate(ok))
      const later = new Actor('later', 'romeo@localhost/z')
      await later.connects(port)
      for (const a of [romeo, juliet, later]) a.leaves()
    }
    await stores.close()
    rmSync(folder, { recursive: true })
  })
})

describe('a component that floods', () => {
  it('SEC-C06 is read no faster than its words are dealt with, and nobody else waits for it', async () => {
    await using house = await House.open({ externals: { 'bot.localhost': 'secret' } })
    const [romeo, juliet] = [await house.actor('romeo', 'romeo@localhost/x'), await house.actor('juliet', 'juliet@localhost/x')]
    await romeo.comesOnline()
    await juliet.comesOnline()
    const bot = await house.component('bot.localhost', 'secret')
    const flood = `<message from='b@bot.localhost' to='juliet@localhost/x' type='chat'><body>${'x'.repeat(8000)}</body></message>`.repeat(100)
    for (let i = 0; i < 32; i++) bot.says(flood) // 25 MB: a dozen turns at least
    bot.says("<iq from='bot.localhost' to='localhost' type='get' id='end'><ping xmlns='urn:xmpp:ping'/></iq>")
    let over = false
    const end = (async () => { for (;;) if ((await bot.next()).attrs['id'] === 'end') { over = true; return } })()
    let answered = 0
    const counted = (async () => { for (let n = 0; n < 3200; n++) await juliet.next() })()
    while (!over) { await romeo.receivesNothing(); answered++ }
    assert.ok(answered >= 3, `${answered} pings were answered meanwhile`)
    await Promise.all([end, counted])
    await juliet.receivesNothing() // all of it came, once
  })
})
