// What a room answers beside XEP-0045, with the help of stores and sessions: its archive, its vCard, its commands, moderation.
import { el, errorReply, refuse, resultOf, type Element, type Iq, type Link, type StanzaError } from '../../server/api.ts'
import { NS_COMMANDS, type Commands } from '../../protocols/commands.ts'
import { isRetractable, NS_FASTEN, NS_MODERATE, readModeration } from '../../protocols/retraction.ts'
import { isLogged } from '../../protocols/room/config.ts'
import type { Outcome } from '../../protocols/room/floor.ts'
import { DISCO_INFO, DISCO_ITEMS } from '../../protocols/room/names.ts'
import type { Room } from '../../protocols/room/room.ts'
import { NS_MAM, RoomArchive } from './archive.ts'
import { NS_VCARD, type Cards } from './cards.ts'
import { hatCommands } from './hats.ts'
import type { Keep } from './keep.ts'

/** Where the commands of a room in memory are remembered. */
interface Seat { commands?: Commands }

export class Beside<P extends Seat> {
  readonly #link: Link
  readonly #keep: Keep
  readonly #cards: Cards
  readonly #archive: RoomArchive
  readonly #act: (local: string, place: P, room: Room, outcome: Outcome) => void | Promise<void>
  /** `act` carries out what a room has decided. */
  constructor(link: Link, keep: Keep, cards: Cards, act: (local: string, place: P, room: Room, outcome: Outcome) => void | Promise<void>) {
    this.#link = link
    this.#keep = keep
    this.#cards = cards
    this.#archive = new RoomArchive(link)
    this.#act = act
  }

  /** What a room answers that needs more than its own memory; undefined: it answers itself. */
  answer(local: string, place: P, room: Room, iq: Iq): Promise<void> | undefined {
    const query = iq.payload[0]! // a get or set has one
    switch (query.ns) {
      case NS_MAM: return this.#archive.answer(room, iq)
      case NS_MODERATE: case NS_FASTEN: return iq.type === 'set' ? this.#moderate(local, place, room, iq) : undefined
      case NS_VCARD: return iq.type === 'get' ? this.#card(local, room, iq) : this.#newCard(local, place, room, iq)
      case NS_COMMANDS: return iq.type === 'set' ? this.#say(iq, this.#commands(local, place, room).run(query, iq.from!)) : undefined
      case DISCO_INFO: case DISCO_ITEMS: {
        const { node } = query.attrs
        if (iq.type !== 'get' || node === undefined || !isCommandNode(node)) return undefined
        const commands = this.#commands(local, place, room)
        return this.#say(iq, (query.ns === DISCO_INFO ? commands.info(node, iq.from!) : commands.items(room.jid, iq.from!)) ?? refuse('item-not-found'))
      }
      default: return undefined
    }
  }

  #commands(local: string, place: P, room: Room): Commands {
    return place.commands ??= hatCommands(this.#link.clock, room, outcome => this.#act(local, place, room, outcome))
  }

  async #say(iq: Iq, answer: Element | StanzaError | Promise<Element | StanzaError>): Promise<void> {
    const done = await answer
    if ('condition' in done) this.#refuse(iq, done)
    else this.#link.send(resultOf(iq, done))
  }

  async #card(local: string, room: Room, iq: Iq): Promise<void> {
    return this.#say(iq, (room.hasCard ? await this.#cards.get(local) : undefined) ?? el('vCard', NS_VCARD)) // none is an empty one (XEP-0054 section 3.1)
  }

  async #newCard(local: string, place: P, room: Room, iq: Iq): Promise<void> {
    if (room.affiliation(iq.from!) !== 'owner') return this.#refuse(iq, refuse('forbidden', 'Only owners set the picture of a room.'))
    const hashes = await this.#cards.set(local, iq.payload[0]!, room.config.persistent) // a set has one
    if (hashes && 'condition' in hashes) return this.#refuse(iq, hashes)
    await this.#act(local, place, room, room.setCard(hashes, this.#link.clock.now()))
    this.#link.send(resultOf(iq))
  }

  /** A moderator takes back a line of somebody (XEP-0425). */
  async #moderate(local: string, place: P, room: Room, iq: Iq): Promise<void> {
    const asked = readModeration(iq.payload[0]!) // a set has one
    const isModerator = (): boolean => room.occupantBy(iq.from!)?.role === 'moderator'
    if (!isModerator()) return this.#refuse(iq, refuse('forbidden', 'Only moderators take back what others said.'))
    if (!asked) return this.#refuse(iq, refuse('bad-request', 'Say which line shall be taken back.'))
    const { id, reason } = asked
    const line = room.remembered(id) ?? (isLogged(room.config) ? await this.#keep.find(local, id) : undefined)
    if (!line || !isRetractable(line)) return this.#refuse(iq, refuse('item-not-found', 'There is no such line.'))
    if (!isModerator()) return this.#refuse(iq, refuse('forbidden')) // no more, since the archive was asked
    await this.#act(local, place, room, room.moderate(room.occupantBy(iq.from!)!.nick, id, reason, this.#link.clock.now())) // a moderator is in
    this.#link.send(resultOf(iq))
  }

  #refuse(iq: Iq, error: StanzaError): void {
    const reply = errorReply(iq, error)
    if (reply) this.#link.send(reply)
  }
}

const isCommandNode = (node: string): boolean => node === NS_COMMANDS || node.startsWith('urn:xmpp:hats:commands:')
