// The short numbers of archive owners and of those they write with, known to the writer by heart.
import type { Prepare } from './calls.ts'

const DAY = 86_400_000 // ms
const MOST = 50_000 // names kept in memory; beyond, all are forgotten and learned again

interface Peer { readonly no: number; first: string; until: number }
interface Owner { readonly no: number; readonly peers: Map<string, Peer> }

/** The part of a Peer that a statement gives. */
const PEER = 'SELECT no, first, until FROM peers WHERE owner = ? AND peer = ?'

/**
 * Rows of the archive bear numbers instead of names: an index over numbers costs half as much. Beside each pair stands
 * the first id and, in whole days, the time up to which there are rows: they bound the search for one side's rows.
 */
export class Names {
  readonly #sql: Prepare
  readonly #owners = new Map<string, Owner>()
  #kept = 0

  constructor(sql: Prepare) { this.#sql = sql }

  /** The numbers for a row that is about to be written; makes them, and moves the pair's bounds. */
  of(owner: string, peer: string, id: string, at: number): { owner: number; peer: number } {
    const o = this.#owners.get(owner) ?? this.#owner(owner)
    const p = o.peers.get(peer) ?? this.#peer(o, peer, id, at)
    if (at >= p.until || id < p.first) {
      const first = id < p.first ? id : p.first
      const until = Math.max(p.until, nextDay(at))
      this.#sql('UPDATE peers SET first = ?, until = ? WHERE no = ?').run(first, until, p.no)
      p.first = first
      p.until = until
    }
    return { owner: o.no, peer: p.no }
  }

  /** To be called when a transaction was undone or names were removed: what is known may be no more. */
  forget(): void {
    this.#owners.clear()
    this.#kept = 0
  }

  #owner(owner: string): Owner {
    if (this.#kept >= MOST) this.forget()
    this.#sql('INSERT INTO owners (owner) VALUES (?) ON CONFLICT DO NOTHING').run(owner)
    const o = { no: Number(this.#sql('SELECT no FROM owners WHERE owner = ?').get(owner)?.['no']), peers: new Map<string, Peer>() }
    this.#owners.set(owner, o)
    this.#kept++
    return o
  }

  #peer(o: Owner, peer: string, id: string, at: number): Peer {
    this.#sql('INSERT INTO peers (owner, peer, first, until) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING').run(o.no, peer, id, nextDay(at))
    const p = this.#sql(PEER).get(o.no, peer) as unknown as Peer // columns of a strict table, and the row is there
    o.peers.set(peer, p)
    this.#kept++
    return p
  }
}

const nextDay = (at: number): number => (Math.floor(at / DAY) + 1) * DAY
