// XEP-0317: the commands by which owners make a room's hats, and owners and admins give them to people.
import { el, Jid, refuse, StanzaError, type Clock, type Element, type Field, type FormValues } from '../../server/api.ts'
import { Commands, type AdHocCommand, type Question, type Stage } from '../../protocols/commands.ts'
import type { Outcome } from '../../protocols/room/floor.ts'
import type { Hat } from '../../protocols/room/hats.ts'
import { atLeast } from '../../protocols/room/ranks.ts'
import type { Room } from '../../protocols/room/room.ts'

const NODE = 'urn:xmpp:hats:commands'
const NS_DATA = 'jabber:x:data'
const MOST = 50 // hats of a room
const WEARERS = 1000 // people who wear any
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"]{1,500}$/
const TITLE = 100 // characters

/** The commands of one room; `act` carries out what they change. */
export function hatCommands(clock: Clock, room: Room, act: (outcome: Outcome) => void | Promise<void>): Commands {
  const owner = (who: Jid): boolean => room.affiliation(who) === 'owner'
  const admin = (who: Jid): boolean => atLeast(room.affiliation(who), 'admin')
  const known = (who: Jid): boolean => atLeast(room.affiliation(who), 'member') || room.occupantBy(who) !== undefined
  const ask = (title: string, fields: readonly Field[], submit: (values: FormValues) => Stage | Promise<Stage>): Question => ({ form: { type: 'form', formType: NODE, title, fields }, submit })
  const command = (node: string, name: string, may: (who: Jid) => boolean, start: () => Stage): AdHocCommand => ({ node: `${NODE}:${node}`, name, may, direct: true, start })
  const choice = (): Field => ({ var: 'hats#uri', type: 'list-single', label: 'Hat', options: [...room.hats.values()].map(h => ({ label: h.title, value: h.uri })) })
  const who: Field = { var: 'hats#jid', type: 'jid-single', label: 'Address', required: true }
  const done = async (outcome: Outcome, note: string): Promise<Stage> => { await act(outcome); return { note } }

  return new Commands(clock, [
    command('create', 'Make or change a hat', owner, () => ask('Make or change a hat', [
      { var: 'hats#title', type: 'text-single', label: 'Title', required: true },
      { var: 'hats#uri', type: 'text-single', label: 'URI, by which programs know it', required: true },
      { var: 'hats#hue', type: 'text-single', label: 'Colour, as an angle from 0 to 360' },
    ], v => {
      const hat = readHat(v)
      if (hat instanceof StanzaError) return hat
      if (!room.hats.has(hat.uri) && room.hats.size >= MOST) return refuse('resource-constraint', `A room has at most ${MOST} hats.`)
      return done(room.wardrobe(w => w.hats.set(hat.uri, hat), true, clock.now()), `There is a hat ${hat.title}.`)
    })),
    command('destroy', 'Remove a hat', owner, () => ask('Remove a hat', [choice()], v => {
      const hat = room.hats.get(one(v, 'hats#uri') || one(v, 'hat')) // example 4 of the XEP names its field so
      return hat ? done(room.wardrobe(w => w.destroy(hat.uri), true, clock.now()), `The hat ${hat.title} is gone.`) : NO_HAT
    })),
    command('list', 'The hats of this room', known, () => ({ result: table([...room.hats.values()].map(h => ({ 'hats#title': h.title, 'hats#uri': h.uri, 'hats#hue': h.hue ?? '' })), ['hats#title', 'hats#uri', 'hats#hue']) })),
    command('assign', 'Give somebody a hat', admin, () => ask('Give somebody a hat', [who, choice()], v => {
      const [jid, hat] = [Jid.tryParse(one(v, 'hats#jid'))?.toBare(), room.hats.get(one(v, 'hats#uri'))]
      if (!jid || jid.local === '') return NO_JID
      if (!hat) return NO_HAT
      if (!room.wearers.has(jid.bare) && room.wearers.size >= WEARERS) return refuse('resource-constraint', `At most ${WEARERS} people wear hats.`)
      return done(room.wardrobe(w => w.give(jid.bare, hat.uri), false, clock.now()), `${jid.bare} wears ${hat.title}.`)
    })),
    command('unassign', 'Take a hat from somebody', admin, () => ask('Take a hat from somebody', [who, choice()], v => {
      const [jid, uri] = [Jid.tryParse(one(v, 'hats#jid'))?.toBare(), one(v, 'hats#uri')]
      if (!jid) return NO_JID
      return room.wearers.get(jid.bare)?.has(uri) ? done(room.wardrobe(w => w.take(jid.bare, uri), false, clock.now()), `${jid.bare} wears it no more.`) : NO_HAT
    })),
    // It tells real addresses, which only some may know.
    command('list-assigned', 'Who wears which hat', admin, () => ({
      result: table([...room.wearers].flatMap(([jid, uris]) => [...uris].flatMap(uri => {
        const hat = room.hats.get(uri)
        return hat ? [{ 'hats#jid': jid, 'hats#uri': uri, 'hats#title': hat.title, 'hats#hue': hat.hue ?? '' }] : []
      })), ['hats#jid', 'hats#uri', 'hats#title', 'hats#hue']),
    })),
  ])
}

const NO_HAT = refuse('item-not-found', 'There is no such hat.')
const NO_JID = refuse('not-acceptable', 'Say whose: an address such as anna@example.org.')
const one = (v: FormValues, name: string): string => v.values.get(name)?.[0]?.trim() ?? ''

function readHat(v: FormValues): Hat | StanzaError {
  const [title, uri, hue] = [one(v, 'hats#title'), one(v, 'hats#uri'), one(v, 'hats#hue')]
  if (title === '' || title.length > TITLE) return refuse('not-acceptable', `A title has 1 to ${TITLE} characters.`)
  if (!URI.test(uri)) return refuse('not-acceptable', 'A URI is something like https://example.org/hats#host.')
  if (hue !== '' && !(/^\d{1,3}(\.\d{1,9})?$/.test(hue) && Number(hue) <= 360)) return refuse('not-acceptable', 'A colour is an angle from 0 to 360.')
  return { uri, title, ...(hue !== '' && { hue }) }
}

/** A result of several rows, as the XEP has it. */
function table(rows: readonly Readonly<Record<string, string>>[], columns: readonly string[]): Element {
  const field = (name: string, ...inside: Element[]): Element => el('field', NS_DATA, { var: name }, ...inside)
  return el('x', NS_DATA, { type: 'result' }, el('reported', NS_DATA, {}, ...columns.map(c => field(c))),
    ...rows.map(row => el('item', NS_DATA, {}, ...columns.map(c => field(c, el('value', NS_DATA, {}, row[c] ?? ''))))))
}
