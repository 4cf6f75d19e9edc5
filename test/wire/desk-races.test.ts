// Two things at the same moment: whichever comes first, there is one outcome, and everybody's books agree (RACES=1000 for the long run).
import assert from 'node:assert/strict'
import { BOT, c, config, DeskHouse } from '../harness/desk.ts'
import { after, Crowd, holds, TIMES } from '../harness/crowd.ts'
import { until } from '../harness/patience.ts'
import { deskWith, TEAM } from '../harness/talks.ts'

const API = '/api/v1'
type Answer = Awaited<ReturnType<DeskHouse['rest']>>
const command = (d: DeskHouse, n: number, word: string, who: string, body: object = {}): Promise<Answer> => d.rest('POST', `${API}/conversations/${n}/commands/${word}`, who, body)
const state = async (d: DeskHouse, n: number): Promise<{ state: string; owner: string | null; owners: string[]; lines: number }> => (await d.rest('GET', `${API}/conversations/${n}`, 'adam')).body
const load = async (d: DeskHouse, who: string): Promise<number> => (await d.rest('GET', `${API}/operators/${who}@localhost`, 'adam')).body.activeChats
/** Runs both so that now the one comes first, now the other. */
async function race<A, B>(i: number, a: () => Promise<A>, b: () => Promise<B>): Promise<[A, B]> {
  return i % 2 === 0 ? Promise.all([a(), after(i % 7).then(b)]) : Promise.all([after(i % 7).then(a), b()])
}

describe('at the same moment', function () {
  this.timeout(300_000 + TIMES * 500)

  it('SEC-D01 a hundred agents accept or take one conversation: one has it, the others read who was quicker', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `a${i}`)
    await using d = await DeskHouse.open({ ...Object.fromEntries(names.map(n => [n, 'agent' as const])), adam: 'admin' }, config({ support: { assign: 'pull' }, billing: {} }))
    await d.comes('a7')
    const crowd = await Crowd.of(d)
    const taken = await crowd.begins('v1')
    const offered = await crowd.begins('v2', 'hello', 'billing')
    for (const [n, word] of [[taken, 'take'], [offered, 'a']] as const) {
      const all = await Promise.all(names.map(who => command(d, n, word, who)))
      assert.equal(all.filter(a => a.status === 200).length, 1, word)
      // Who asks when it is taken already asks for what is not his to see.
      for (const a of all) if (a.status !== 200) assert.match(`${a.status} ${a.body.title}`, /^409 (A\d+ was quicker|It is offered to A7, not to you)|^404/)
      const owner = (await state(d, n)).owner
      assert.equal(owner, `${names[all.findIndex(a => a.status === 200)]}@localhost`)
    }
    await holds(d)
  })

  it('SEC-D04 an agent accepts and the customer gives up: one outcome, and no ghost on the agent’s list', deskWith({}, { anna: 'agent', adam: 'admin' }, async d => {
    const anna = await d.comes('anna')
    const crowd = await Crowd.of(d)
    for (let i = 1; i <= TIMES; i++) {
      const n = await crowd.begins(`v${i}`)
      await d.quiet()
      const [accepted] = await race(i, () => command(d, n, 'a', 'anna'), () => crowd.ends(`v${i}`, n))
      await d.quiet()
      const now = await state(d, n)
      assert.deepEqual([now.state, now.owner], accepted.status === 200 ? ['ended', 'anna@localhost'] : ['closed', null], `#${n}: ${accepted.status}`)
      if (accepted.status === 200) assert.equal((await command(d, n, 'close', 'anna')).status, 200)
      else assert.ok([404, 410].includes(accepted.status), `${accepted.status}`)
    }
    assert.equal(await load(d, 'anna'), 0)
    anna.types(BOT, '!mine')
    await anna.reads(BOT, /no conversations/)
    await holds(d)
  }))

  it('SEC-D05 an agent accepts and logs out: assigned and handed back, or never assigned; nobody waits without an agent’s clock running', deskWith({}, { anna: 'agent', ben: 'agent', adam: 'admin' }, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben', '<presence><show>dnd</show></presence>')]
    const crowd = await Crowd.of(d)
    for (let i = 1; i <= TIMES; i++) {
      const n = await crowd.begins(`v${i}`)
      await d.quiet()
      const [accepted] = await race(i, () => command(d, n, 'a', 'anna'), async () => { anna.actor.says("<presence type='unavailable'/>"); await anna.actor.fence() })
      await d.quiet()
      if (accepted.status === 200) await until(async () => (await d.rest('GET', `${API}/conversations/${n}/history`, 'adam')).body.history.some((h: { type: string }) => h.type === 'detached'), 'the clock of her absence runs')
      else assert.equal((await state(d, n)).owner, null)
      await d.later(121)
      assert.deepEqual([(await state(d, n)).state, (await state(d, n)).owner], ['waiting', null], 'two minutes later it waits for somebody')
      await crowd.ends(`v${i}`, n)
      anna.actor.says('<presence/>')
      await anna.actor.fence()
      await d.quiet()
    }
    assert.equal(await load(d, 'anna'), 0)
    void ben
    await holds(d)
  }))

  it('SEC-D06 a transfer is accepted and the owner closes: it ends closed, and nobody’s capacity is used up', deskWith({}, { ...TEAM }, async d => {
    for (const who of ['anna', 'ben'] as const) await d.comes(who)
    const crowd = await Crowd.of(d)
    for (let i = 1; i <= TIMES; i++) {
      const n = await crowd.begins(`v${i}`, 'hello', 'billing')
      await d.quiet()
      assert.equal((await command(d, n, 'take', 'anna')).status, 200)
      if (i % 3 === 0) await race(i, () => command(d, n, 't', 'anna', { to: 'ben' }), () => command(d, n, 'close', 'anna'))
      else {
        assert.equal((await command(d, n, 't', 'anna', { to: 'ben' })).status, 200)
        const [, closed] = await race(i, () => command(d, n, 'a', 'ben'), () => command(d, n, 'close', 'anna'))
        if (closed.status !== 200) assert.equal((await command(d, n, 'close', 'ben')).status, 200, 'who has it now closes it')
      }
      await d.quiet()
      assert.equal((await state(d, n)).state, 'closed')
    }
    assert.deepEqual([await load(d, 'anna'), await load(d, 'ben')], [0, 0])
    await holds(d)
  }))

  it('SEC-D08 two transfers at once: the first is offered, the second reads so', deskWith({}, { ...TEAM, cleo: 'agent' }, async d => {
    for (const who of ['anna', 'ben', 'cleo']) await d.comes(who)
    const crowd = await Crowd.of(d)
    for (let i = 1; i <= TIMES; i++) {
      const n = await crowd.begins(`v${i}`, 'hello', 'billing')
      await d.quiet()
      assert.equal((await command(d, n, 'take', 'anna')).status, 200)
      const both = await race(i, () => command(d, n, 't', 'anna', { to: 'ben' }), () => command(d, n, 't', 'anna', { to: 'cleo' }))
      assert.deepEqual(both.map(a => a.status).sort(), [200, 409])
      const winner = both[0].status === 200 ? 'ben' : 'cleo'
      assert.equal((await command(d, n, 'a', winner === 'ben' ? 'cleo' : 'ben')).status >= 400, true)
      assert.equal((await command(d, n, 'a', winner)).status, 200)
      assert.equal((await state(d, n)).owner, `${winner}@localhost`)
      assert.equal((await command(d, n, 'close', winner)).status, 200)
    }
    await holds(d)
  }))

  it('SEC-D10 the customer writes and the agent closes: what was said stands in this conversation or opens the next, and is never lost', deskWith({}, TEAM, async d => {
    await d.comes('anna')
    const crowd = await Crowd.of(d)
    for (let i = 1; i <= TIMES; i++) {
      const who = `v${i}`
      const n = await crowd.begins(who)
      await d.quiet()
      await command(d, n, 'take', 'anna')
      const [said] = await race(i, () => crowd.says(who, n, 'race', 'just a moment'), () => command(d, n, 'close', 'anna'))
      assert.equal(said.attrs['type'], 'result', String(said))
      const at = Number(said.getChild('said')?.attrs['conversation'])
      assert.deepEqual((await crowd.lines(who, at)).filter(l => l.endsWith('just a moment')).length, 1)
      if (at !== n) {
        assert.ok(!(await crowd.lines(who, n)).some(l => l.endsWith('just a moment')))
        await crowd.ends(who, at)
      }
      await d.quiet()
      assert.equal((await state(d, n)).state, 'closed')
    }
    await holds(d)
  }))

  it('SEC-D23 a silent chat is about to close by itself and the customer writes: his line is kept, in it or in the next', deskWith({ conversation: { autoClose: 60 } }, TEAM, async d => {
    await d.comes('anna')
    const crowd = await Crowd.of(d)
    for (let i = 1; i <= TIMES; i++) {
      const who = `v${i}`
      const n = await crowd.begins(who)
      await d.quiet()
      await command(d, n, 'take', 'anna')
      await command(d, n, 'say', 'anna', { text: 'anything else?' })
      await d.later(59.9)
      const [said] = await race(i, () => crowd.says(who, n, 'race', 'yes, one thing'), () => d.later(0.2))
      const at = Number(said.getChild('said')?.attrs['conversation'])
      await d.quiet()
      const now = (await state(d, n)).state
      assert.equal(now, at === n ? 'active' : 'closed', 'a line that is in it keeps it open')
      assert.equal((await crowd.lines(who, at)).filter(l => l.endsWith('yes, one thing')).length, 1)
      for (const m of new Set([n, at])) await d.rest('POST', `${API}/conversations/${m}/commands/close`, 'mia', {})
      await d.quiet()
    }
    await holds(d)
  }))

  it('SEC-D25 a manager takes over and the agent answers: both are on record, and one owns it', deskWith({}, TEAM, async d => {
    const [anna] = [await d.comes('anna'), await d.comes('mia', '<presence><show>away</show></presence>')]
    const crowd = await Crowd.of(d)
    for (let i = 1; i <= TIMES; i++) {
      const who = `v${i}`
      const n = await crowd.begins(who)
      await d.quiet()
      await command(d, n, 'take', 'anna')
      const [taken] = await race(i, () => command(d, n, 'take', 'mia'), async () => { anna.types(c(n), `answer ${n}`); await anna.actor.fence() })
      assert.equal(taken.status, 200)
      await d.quiet()
      assert.equal((await state(d, n)).owner, 'mia@localhost')
      await command(d, n, 'say', 'mia', { text: 'Mia here' })
      const read = await crowd.lines(who, n)
      assert.equal(read.filter(l => l.endsWith('Mia here')).length, 1)
      // Anna's line stands there, or she reads that it was not sent.
      if (!read.some(l => l.endsWith(`answer ${n}`))) await anna.reads(c(n), /Not sent: Mia serves this conversation|no conversation #/)
      assert.equal((await command(d, n, 'close', 'mia')).status, 200)
      await d.quiet()
    }
    await holds(d)
  }))
})
