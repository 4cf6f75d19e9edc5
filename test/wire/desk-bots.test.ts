// Programs that serve as agents, as a component and with an account: any number of conversations, and handed over to people once.
import assert from 'node:assert/strict'
import { BOT, c, config, DESK, desk, Person, type DeskHouse } from '../harness/desk.ts'

const STAFF = { anna: 'agent', ben: 'agent', adam: 'admin', robot: 'agent' } as const
const CALM = { quality: { idleWarning: 0, idleCritical: 0 } }
const FIRST = `first@${DESK}`

/** What both kinds do alike. */
interface Program { readonly person: Person; types(to: string, text: string, id?: string): void; goes(): Promise<void>; comes(): Promise<void> }

/** One connection, a domain of its own (XEP-0114), as examples/bot has it. */
async function component(d: DeskHouse): Promise<Program> {
  const wire = await d.house.component('web.localhost', 'secret')
  const me = 'robot@web.localhost'
  let ids = 0
  const says = async (text: string): Promise<void> => {
    const id = `f${++ids}`
    wire.says(`${text}<iq type='get' id='${id}' from='${me}/bot' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`)
    await wire.hears`<iq xmlns='jabber:component:accept' id='${id}'/>`
    await d.quiet()
  }
  const comes = (): Promise<void> => says(`<presence from='${me}' to='${BOT}' type='subscribe'/><presence from='${me}/bot' to='${BOT}'/>`)
  await comes()
  return {
    person: new Person(wire), comes, goes: () => says(`<presence from='${me}/bot' to='${BOT}' type='unavailable'/>`),
    types: (to, text, id = `b${++ids}`) => wire.says(`<message from='${me}/bot' to='${to}' type='chat' id='${id}'><body>${text}</body></message>`),
  }
}

/** An account, as any client. */
async function account(d: DeskHouse): Promise<Program> {
  const person = await d.comes('robot')
  const says = async (text: string): Promise<void> => { person.actor.says(text); await person.actor.fence(); await d.quiet() }
  return { person, types: (to, text, id) => person.types(to, text, id), goes: () => says("<presence type='unavailable'/>"), comes: () => says('<presence/>') }
}
const served = (agents: readonly string[]) => config({ first: { agents }, support: { agents: ['anna@localhost', 'ben@localhost'] } }, { capacity: 1 })
const state = async (d: DeskHouse, n: number): Promise<{ state: string; owner: string | null }> => (await d.rest('GET', `/api/v1/conversations/${n}`, 'adam')).body
const happened = async (d: DeskHouse, n: number, type: string): Promise<number> => ((await d.rest('GET', `/api/v1/conversations/${n}/history`, 'adam')).body.history as { type: string }[]).filter(e => e.type === type).length

for (const [kind, connects, jid] of [['a component', component, 'robot@web.localhost'], ['an account', account, 'robot@localhost']] as const) {
  describe(`a program that connects as ${kind}`, () => {
    const play = (agents: readonly string[], act: (d: DeskHouse, p: Program) => Promise<void>) => desk(STAFF, async d => {
      await d.rest('PATCH', '/api/v1/settings', 'adam', CALM)
      assert.equal((await d.rest('PATCH', `/api/v1/operators/${jid}`, 'adam', { bot: true })).status, 200)
      await act(d, await connects(d))
    }, served(agents))
    /** A customer's conversation #n, served by the program. */
    const serves = async (d: DeskHouse, p: Program, n: number, who: string): Promise<Person> => {
      const customer = await d.comes(who)
      customer.types(FIRST, `I am ${who}`)
      await p.person.reads(BOT, new RegExp(`New chat #${n}\\b`))
      p.types(BOT, `!a ${n}`)
      await customer.reads(FIRST, / joined\.$/)
      return customer
    }

    it('is offered and serves any number at once, where a person serves one, and a queue’s limit for each agent is for people', play([jid, 'anna@localhost'], async (d, p) => {
      assert.equal((await d.rest('PATCH', '/api/v1/queues/first', 'adam', { perAgent: 1 })).status, 200)
      const anna = await d.comes('anna')
      const first = await d.comes('guest1')
      first.types(FIRST, 'hello')
      await anna.reads(BOT, /New chat #1\b/)
      anna.types(BOT, '!a 1')
      await first.reads(FIRST, /Anna joined/)
      for (let n = 2; n <= 13; n++) await serves(d, p, n, `guest${n}`)
      for (let n = 2; n <= 13; n++) assert.deepEqual((({ state: s, owner }) => [s, owner])(await state(d, n)), ['active', jid])
      const card = (await d.rest('GET', `/api/v1/operators/${jid}`, 'adam')).body
      assert.deepEqual([card.bot, card.activeChats], [true, 12])
      p.types(c(7), 'Hello, seven')
      p.types(c(12), 'Hello, twelve')
      await d.quiet()
      assert.deepEqual([(await d.rest('GET', '/api/v1/conversations/7/lines', 'adam')).body.lines.at(-1).text, (await d.rest('GET', '/api/v1/conversations/12/lines', 'adam')).body.lines.at(-1).text], ['Hello, seven', 'Hello, twelve'])
    }))

    it('hands over to people once: it is not asked about that customer again, neither while nobody is free, nor when the person is lost', play([jid, 'anna@localhost'], async (d, p) => {
      const zoe = await serves(d, p, 1, 'zoe')
      p.types(c(1), '!t group:first')
      await p.person.reads(c(1), /First is closed now/) // no person is there
      const anna = await d.comes('anna', '<presence><show>away</show></presence>')
      p.types(c(1), '!t group:first', 'over')
      p.types(c(1), '!t group:first', 'over') // sent again, as after a lost connection
      p.types(c(1), '!t group:first', 'over-2')
      await d.quiet()
      assert.equal(await happened(d, 1, 'requeued'), 1)
      const offers = await happened(d, 1, 'offered')
      await d.later(600)
      await p.goes()
      await p.comes()
      p.types(BOT, '!take 1')
      await d.quiet()
      assert.deepEqual([(await state(d, 1)).state, await happened(d, 1, 'offered')], ['waiting', offers], 'it waits for people')
      anna.actor.sends`<presence/>`
      await anna.reads(BOT, /New chat #1\b/)
      anna.types(BOT, '!a')
      await zoe.reads(FIRST, /Anna joined/)
      await zoe.all()
      p.types(c(1), 'me again')
      await d.quiet()
      await zoe.readsNothing()
      anna.actor.sends`<presence type='unavailable'/>`
      await anna.actor.fence()
      await d.later(200)
      assert.equal((await state(d, 1)).state, 'waiting')
      assert.equal(await happened(d, 1, 'offered'), offers + 1, 'nobody but Anna was asked')
    }))

    it('whose connection is lost leaves its customers to people', play([jid, 'anna@localhost'], async (d, p) => {
      await serves(d, p, 1, 'zoe')
      await p.goes()
      await d.later(120)
      await p.comes()
      assert.equal((await state(d, 1)).state, 'waiting')
      const anna = await d.comes('anna')
      await anna.reads(BOT, /New chat #1\b/)
    }))

    it('that ended a conversation by itself has it again when the customer goes on; a new one is a new one', play([jid], async (d, p) => {
      const zoe = await serves(d, p, 1, 'zoe')
      p.types(c(1), '!end')
      await zoe.reads(FIRST, /ended/)
      zoe.types(FIRST, 'one more thing')
      await d.quiet()
      assert.deepEqual((({ state: s, owner }) => [s, owner])(await state(d, 1)), ['active', jid])
      p.types(c(1), '!t group:support')
      await p.person.reads(c(1), /Support is closed now/) // nobody is there: the customer stays with the program
      const anna = await d.comes('anna')
      p.types(c(1), '!t group:support')
      await anna.reads(BOT, /New chat #1\b/)
      anna.types(BOT, '!a')
      await zoe.reads(FIRST, /Anna joined/)
      anna.types(c(1), '!close')
      await zoe.reads(FIRST, /ended/)
      zoe.types(FIRST, 'something else')
      await p.person.reads(BOT, /New chat #2\b/)
    }))
  })
}

describe('a program', () => {
  it('is made one by an administrator, and is one no more when that is taken back', desk(STAFF, async d => {
    await d.rest('PATCH', '/api/v1/operators/robot@localhost', 'adam', { bot: true })
    assert.ok((await d.rest('GET', '/api/v1/operators/robot@localhost', 'adam')).body.maxChats > 100_000)
    assert.equal((await d.rest('PATCH', '/api/v1/operators/robot@localhost', 'robot', { bot: null })).status, 403, 'only an administrator says so')
    await d.rest('PATCH', '/api/v1/operators/robot@localhost', 'adam', { bot: null })
    assert.equal((await d.rest('GET', '/api/v1/operators/robot@localhost', 'adam')).body.maxChats, 1)
  }, served(['robot@localhost'])))
})
