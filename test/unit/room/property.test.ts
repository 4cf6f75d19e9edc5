// Whatever people do in a room: each sees who is there, nobody outside hears anything, and addresses stay hidden.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { AnyStanza } from '../../../server/api.ts'
import { codesOf, device, itemOf, Salon, type Heard } from './salon.ts'

const PEOPLE = ['olga', 'anna', 'ben', 'cleo/desk', 'cleo/phone'] as const
const NICKS = ['Olga', 'Anna', 'ben', 'BEN', 'Cleo'] as const
const who = fc.constantFrom(...PEOPLE)
const nick = fc.constantFrom(...NICKS)
const local = (p: string): string => p.split('/')[0]! // split gives one at least

const deed = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('join' as const), who, nick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), who, nick }) },
  fc.record({ do: fc.constant('rename' as const), who, nick }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('say' as const), who, nick }) },
  fc.record({ do: fc.constant('whisper' as const), who, nick }),
  fc.record({ do: fc.constant('role' as const), who, nick, role: fc.constantFrom('none', 'visitor', 'participant', 'moderator') }),
  fc.record({ do: fc.constant('affiliation' as const), who, nick, whom: who, affiliation: fc.constantFrom('outcast', 'none', 'member', 'admin', 'owner') }),
  fc.record({ do: fc.constant('ask' as const), who, nick }),
  fc.record({ do: fc.constant('lost' as const), who, nick }),
  fc.record({ do: fc.constant('moderate' as const), who, nick, on: fc.boolean() }),
  fc.record({ do: fc.constant('close' as const), who, nick, on: fc.boolean() }),
)
type Deed = typeof deed extends fc.Arbitrary<infer D> ? D : never

function act(s: Salon, d: Deed): Heard {
  switch (d.do) {
    case 'join': return s.joins(d.who, d.nick)
    case 'leave': return s.send(d.who, d.nick, `<presence type='unavailable'/>`)
    case 'rename': return s.send(d.who, d.nick, '<presence/>')
    case 'say': return s.says(d.who, 'x')
    case 'whisper': return s.send(d.who, d.nick, `<message type='chat'><body>x</body></message>`)
    case 'role': return s.admin(d.who, `<item nick='${d.nick}' role='${d.role}'/>`)
    case 'affiliation': return s.admin(d.who, `<item jid='${local(d.whom)}@localhost' affiliation='${d.affiliation}'/>`)
    case 'ask': return s.send(d.who, d.nick, `<iq type='get' id='q'><query xmlns='jabber:iq:version'/></iq>`)
    case 'lost': return s.send(d.who, d.nick, `<presence type='error'/>`)
    case 'moderate': return s.configures(d.who, { moderatedroom: d.on ? '1' : '0' })
    case 'close': return s.configures(d.who, { membersonly: d.on ? '1' : '0' })
  }
}

/** What one device believes of the room, from what it was sent. */
class Belief {
  readonly there = new Map<string, string>() // nick → role
  inside = false

  learns(s: AnyStanza): void {
    if (s.kind !== 'presence' || s.type === 'error') return
    const name = s.from?.resource ?? ''
    const own = codesOf(s).includes('110')
    if (s.type === 'unavailable') {
      this.there.delete(name)
      if (own && itemOf(s)['nick'] === undefined) { this.inside = false; this.there.clear() }
    } else {
      if (own) this.inside = true
      this.there.set(name, itemOf(s)['role'] ?? '')
    }
  }
}

describe('a room, whatever is done in it', () => {
  it('SEC-U08 shows each who is there and with which role, tells nothing outside, and hides addresses', () => {
    fc.assert(fc.property(fc.array(deed, { maxLength: 40 }), deeds => {
      const s = new Salon()
      s.now += 1000
      const beliefs = new Map<string, Belief>(PEOPLE.map(p => [device(p).full, new Belief()]))
      for (const d of deeds) {
        s.now += 1000
        const before = new Map(PEOPLE.map(p => [device(p).full, s.room.occupantBy(device(p))?.role]))
        const { all } = act(s, d)
        for (const x of all) {
          const to = x.to!.full
          const wasIn = beliefs.get(to)?.inside // until it hears that it is put out, in the midst of a turn
          beliefs.get(to)?.learns(x)
          const answer = x.kind === 'iq' || x.type === 'error'
          const farewell = x.kind === 'presence' && x.type === 'unavailable' && codesOf(x).includes('110')
          if (!answer && !farewell) assert.ok(wasIn || s.room.occupantBy(x.to!), `${to} is not in and hears ${x.write()}`)
          const moderates = before.get(to) === 'moderator' || s.room.occupantBy(x.to!)?.role === 'moderator'
          if (!moderates) for (const other of PEOPLE) if (local(other) !== x.to!.local) assert.ok(!x.write().includes(`${local(other)}@localhost`), `${to} learns who ${other} is: ${x.write()}`)
        }
        for (const p of PEOPLE) {
          const belief = beliefs.get(device(p).full)! // made above
          assert.equal(belief.inside, s.room.occupantBy(device(p)) !== undefined, `${p} after ${JSON.stringify(d)}`)
          if (!belief.inside) continue
          assert.deepEqual([...belief.there].sort(), [...s.room.occupants].map(o => [o.nick, o.role]).sort(), `${p} after ${JSON.stringify(d)}`)
        }
      }
    }), { numRuns: 300 })
  })
})
