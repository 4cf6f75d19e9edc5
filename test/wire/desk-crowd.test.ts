// A crowd: many customers at once, few agents, and everybody served by exactly one.
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { BOT, config, DESK, DeskHouse } from '../harness/desk.ts'

const NS = 'urn:deskbell:desk:0'
const AGENTS = ['anna', 'ben', 'cleo', 'dora', 'emil']
const CUSTOMERS = 100

describe('a crowd', function () {
  this.timeout(300_000)

  it('ST-24 ST-25 of a hundred who come at once: never more than an agent can, each served by one, nobody forgotten', async () => {
    await using d = await DeskHouse.open({ ...Object.fromEntries(AGENTS.map(a => [a, 'agent' as const])), boss: 'admin' }, config({ support: { accept: 'automatic' } }))
    const agents = []
    for (const a of AGENTS) agents.push(await d.comes(a))
    const web = await d.house.component('web.localhost', 'secret')
    for (let i = 1; i <= CUSTOMERS; i++) web.sends`<iq xmlns='jabber:component:accept' type='set' id='o${i}' from='v${i}@web.localhost' to='${DESK}'><open xmlns='${NS}' queue='support' id='first-line' name='Visitor ${i}'><body>I am ${i}</body></open></iq>`
    const numbers = new Set<string>()
    while (numbers.size < CUSTOMERS) {
      const x = await web.next(() => `${CUSTOMERS} answers should come, not ${numbers.size}`)
      if (x.name === 'iq') { assert.equal(x.attrs['type'], 'result', String(x)); numbers.add(String((x.getChild('conversation', NS) as Xml).attrs['number'])) }
    }
    const isBriefed = /^✱ #\d+ Visitor/
    for (const a of agents) for (let i = 0; i < 4; i++) await a.sees(isBriefed)
    type Summary = { number: number; state: string; owner: string | null; owners: string[] }
    const all = async (): Promise<Summary[]> => (await d.rest('GET', `/api/v1/conversations?limit=${CUSTOMERS}`, 'boss')).body.conversations
    let now = await all()
    assert.equal(now.length, CUSTOMERS)
    for (const a of AGENTS) assert.equal(now.filter(c => c.state === 'active' && c.owner === `${a}@localhost`).length, 4)
    // They go home one after the other; the places that fall free are filled from the head of the line.
    for (let closed = 0; closed < CUSTOMERS;) {
      const open = now.filter(c => c.state === 'active')
      const next = Math.min(open.length, now.filter(c => c.state === 'waiting').length)
      assert.ok(open.length > 0, 'nobody is served, and customers wait')
      for (const c of open) {
        const agent = agents.find(a => `${a.actor.name}@localhost` === c.owner)
        agent?.types(BOT, `!close ${c.number}`)
        await agent?.reads(BOT, new RegExp(`#${c.number} .*is closed`))
        closed++
      }
      for (let i = 0; i < next / AGENTS.length; i++) for (const a of agents) await a.sees(isBriefed)
      now = await all()
      const numbers = now.filter(c => c.state === 'active').map(c => c.number)
      const waiting = now.filter(c => c.state === 'waiting').map(c => c.number)
      assert.ok(Math.max(0, ...numbers) < Math.min(Infinity, ...waiting), 'the line is served from its head')
      for (const a of AGENTS) assert.ok(now.filter(c => c.state === 'active' && c.owner === `${a}@localhost`).length <= 4)
    }
    assert.deepEqual([...new Set(now.map(c => `${c.state} ${c.owners.length}`))], ['closed 1'])
  })
})
