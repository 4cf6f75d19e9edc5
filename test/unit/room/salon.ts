// A room on a table: people send text, and what each of them is sent comes back as text.
import assert from 'node:assert/strict'
import { isStanza, Jid, parseFrame, readStanza, Unreadable, type AnyStanza, type Element } from '../../../server/api.ts'
import type { RoomConfig } from '../../../protocols/room/config.ts'
import type { Fact, Outcome, RoomHost } from '../../../protocols/room/floor.ts'
import { newRecord, Room } from '../../../protocols/room/room.ts'

export const ROOM = Jid.parse('tea@rooms.localhost')
export const START = Date.UTC(2026, 0, 1, 12)

export const lax = { users: 200, history: 20 }

export class Salon {
  now = START
  readonly room: Room
  facts: readonly Fact[] = []
  #ids = 0

  constructor(config: Partial<RoomConfig> = {}, host: Partial<RoomHost> = {}, fresh = false) {
    const whole: RoomHost = { newId: () => `id${++this.#ids}`, bounds: lax, rates: { occupant: Infinity, room: Infinity }, ...host }
    this.room = new Room(ROOM, newRecord('secret', config, 'olga@localhost'), whole, this.now, fresh)
  }

  /** What `who` (local/device@…: 'anna/phone' is anna@localhost/phone) sends; `to` is a nick or '' for the room. */
  send(who: string, to: string, xml: string): Heard {
    const e = parseFrame(xml.replace(/^<\w+/, start => `${start} xmlns='jabber:client' to='${address(to)}'`))
    assert.ok(isStanza(e))
    const stanza = readStanza(e, device(who))
    assert.ok(!(stanza instanceof Unreadable), 'a test sends what can be read')
    return this.take(this.room.receive(stanza, this.now))
  }

  take(outcome: Outcome): Heard {
    this.facts = outcome.facts
    return new Heard(outcome.out)
  }

  joins(who: string, nick: string, inside = ''): Heard {
    return this.send(who, nick, `<presence id='j'><x xmlns='http://jabber.org/protocol/muc'>${inside}</x></presence>`)
  }

  says(who: string, text: string): Heard { return this.send(who, '', `<message type='groupchat' id='m-${text}'><body>${text}</body></message>`) }

  admin(who: string, item: string, type = 'set'): Heard {
    return this.send(who, '', `<iq type='${type}' id='a'><query xmlns='http://jabber.org/protocol/muc#admin'>${item}</query></iq>`)
  }

  configures(who: string, fields: Record<string, string>): Heard {
    const written = Object.entries(fields).map(([k, v]) => `<field var='muc#roomconfig_${k}'><value>${v}</value></field>`).join('')
    return this.send(who, '', `<iq type='set' id='c'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>${written}</x></query></iq>`)
  }
}

/** What went out, by whom it is for. */
export class Heard {
  readonly all: readonly AnyStanza[]
  constructor(all: readonly AnyStanza[]) { this.all = all }

  by(who: string): AnyStanza[] { const { full } = device(who); return this.all.filter(s => s.to?.full === full) }

  /** What `who` heard, one short word each: the sender's nick, what it is, the codes in it. */
  brief(who: string): string[] { return this.by(who).map(brief) }

  /** The one stanza that `who` heard. */
  one(who: string): AnyStanza {
    const heard = this.by(who)
    assert.equal(heard.length, 1, `${who} should hear one stanza, not: ${heard.map(String).join(' ')}`)
    return heard[0]!
  }

  /** The condition of the one error that `who` heard. */
  error(who: string): string | undefined {
    const s = this.one(who)
    assert.equal(s.type, 'error', s.write())
    return s.child('error')?.elements[0]?.name
  }

  text(who: string): string { return this.by(who).map(s => s.write()).join('') }
}

export const device = (who: string): Jid => {
  const [local, resource] = who.split('/') as [string, string | undefined] // split gives one at least
  return local.includes('@') ? Jid.parse(who) : Jid.parse(`${local}@localhost/${resource ?? 'home'}`)
}

export const userOf = (s: AnyStanza): Element | undefined => s.child('x', 'http://jabber.org/protocol/muc#user')
export const itemOf = (s: AnyStanza): Readonly<Record<string, string>> => userOf(s)?.child('item')?.attrs ?? {}
export const codesOf = (s: AnyStanza): string[] => userOf(s)?.elements.filter(e => e.name === 'status').map(e => e.attrs['code'] ?? '') ?? []

function brief(s: AnyStanza): string {
  const who = s.from?.resource || 'room'
  if (s.type === 'error') return `error ${s.child('error')?.elements[0]?.name ?? ''}`
  if (s.kind === 'presence') return [who, s.type === 'unavailable' ? 'gone' : itemOf(s)['role'], ...codesOf(s)].join(' ')
  if (s.kind === 'message') return [who, s.child('body') ? `says ${s.child('body')!.text}` : s.child('subject') ? `subject ${s.child('subject')!.text}` : 'tells', ...codesOf(s)].join(' ').trim()
  return `iq ${s.type}`
}

const address = (nick: string): string => (nick === '' ? ROOM.full : `${ROOM.full}/${nick}`).replace(/['&<]/g, c => `&#${c.charCodeAt(0)};`)
