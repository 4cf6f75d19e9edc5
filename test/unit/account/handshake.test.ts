import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Host } from '../../../server/host/host.ts'
import { Router } from '../../../server/route/router.ts'
import { Resource } from '../../../server/session/account.ts'
import { openSqlite } from '../../../server/store/sqlite/sqlite.ts'
import { wallClock } from '../../../server/ports/clock.ts'
import { silent } from '../../../server/ports/log.ts'
import { defaultLimits } from '../../../server/ports/limits.ts'
import { StoreError, type RosterItem, type RosterStore, type Stores } from '../../../server/ports/store.ts'
import { Jid } from '../../../server/stanza/jid.ts'
import { Stanza, type AnyStanza, type Iq, type Presence } from '../../../server/stanza/stanza.ts'
import { el } from '../../../server/xml/element.ts'
import { stateOf } from '../../../server/account/subscription.ts'
import { MovedClock } from '../../harness/clock.ts'

/** A device that keeps what it is given. */
class Ear extends Resource {
  override sift(): void {}
  readonly heard: AnyStanza[] = []
  deliver(s: AnyStanza): void { this.heard.push(s) }
  hold(commit: Promise<unknown>): void { void commit.catch(() => {}) }
  end(): void {}
}

/** Rosters in a Map; fails where `fails` says so. */
class Shelf implements RosterStore {
  readonly rosters = new Map<string, { version: number; items: Map<string, RosterItem> }>()
  fails: () => boolean = () => false
  async load(owner: string): Promise<{ version: number; items: RosterItem[] }> {
    const r = this.rosters.get(owner)
    return { version: r?.version ?? 0, items: [...r?.items.values() ?? []] }
  }
  async put(owner: string, version: number, items: readonly RosterItem[]): Promise<void> {
    await Promise.resolve()
    if (this.fails()) throw new StoreError('disk full')
    let r = this.rosters.get(owner)
    if (!r) this.rosters.set(owner, r = { version, items: new Map() })
    r.version = version
    for (const i of items) r.items.set(i.jid, i)
  }
  async forget(owner: string, jid: string): Promise<void> {
    await Promise.resolve()
    if (this.fails()) throw new StoreError('disk full')
    this.rosters.get(owner)?.items.delete(jid)
  }
}

const TYPES = ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'remove', 'name'] as const
type Deed = { readonly who: 0 | 1; readonly what: (typeof TYPES)[number] }
const deeds = fc.array(fc.record({ who: fc.constantFrom(0 as const, 1 as const), what: fc.constantFrom(...TYPES) }), { maxLength: 24 })

describe('two accounts and their subscriptions', () => {
  let real: Stores
  before(async () => {
    real = await openSqlite({ file: ':memory:' })
    for (const local of ['a', 'b']) await real.accounts.create({ host: 'localhost', local, created: 0, credentials: {} })
  })
  after(() => real.close())

  async function open(shelf: Shelf): Promise<{ host: Host; ears: readonly [Ear, Ear] }> {
    const stores: Stores = Object.assign(Object.create(real) as Stores, { rosters: shelf }) // the rest is the real one's
    const host = new Host('localhost', { router: new Router(), stores, clock: new MovedClock(), network: wallClock, log: silent, limits: defaultLimits })
    const ears: Ear[] = []
    for (const local of ['a', 'b']) {
      const account = (await host.accounts.at(Jid.parse(`${local}@localhost`)))! // made above
      const ear = new Ear(Jid.parse(`${local}@localhost/x`), account)
      account.add(ear)
      await host.fromDevice(Stanza.of('iq', { type: 'get', id: 'r', from: ear.jid }, [el('query', 'jabber:iq:roster')]) as Iq, ear)
      await host.fromDevice(Stanza.of('presence', { type: 'available', from: ear.jid }), ear)
      ears.push(ear)
    }
    return { host, ears: ears as unknown as [Ear, Ear] } // there are two
  }

  async function act(host: Host, ears: readonly [Ear, Ear], { who, what }: Deed): Promise<void> {
    const ear = ears[who], other = ears[1 - who as 0 | 1].account.jid
    if (what === 'remove' || what === 'name') {
      const item = el('item', 'jabber:iq:roster', { jid: other.bare, ...(what === 'remove' ? { subscription: 'remove' } : { name: 'x' }) })
      await host.fromDevice(Stanza.of('iq', { type: 'set', id: 's', from: ear.jid }, [el('query', 'jabber:iq:roster', {}, item)]) as Iq, ear)
    } else await host.fromDevice(Stanza.of('presence', { type: what, from: ear.jid, to: other }) as Presence, ear)
  }
  const settle = async (): Promise<void> => { for (let i = 0; i < 4; i++) await new Promise(ok => setImmediate(ok)) }

  it('always agree on who sees whom, and the store holds what they believe', async () => {
    await fc.assert(fc.asyncProperty(deeds, fc.boolean(), async (all, hurried) => {
      const shelf = new Shelf()
      const { host, ears } = await open(shelf)
      if (hurried) { // each device in its order, the two at once
        const lanes = [0, 1].map(async who => { for (const d of all) if (d.who === who) await act(host, ears, d) })
        await Promise.all(lanes)
      } else for (const d of all) { await act(host, ears, d); await settle() }
      await settle()
      const [a, b] = ears.map(e => host.rosters.of(e.account)) as [ReturnType<typeof host.rosters.of>, ReturnType<typeof host.rosters.of>] // there are two
      // a request that crosses a cancellation on its way leaves the two apart, by the tables themselves (RFC 6121 appendix A)
      if (!hurried) {
        assert.equal(a.isWatched('b@localhost'), b.isWatcher('a@localhost'), 'a sees b')
        assert.equal(b.isWatched('a@localhost'), a.isWatcher('b@localhost'), 'b sees a')
      }
      for (const [book, owner] of [[a, 'a@localhost'], [b, 'b@localhost']] as const) {
        const kept = shelf.rosters.get(owner)
        assert.deepEqual([...book.items.values()], [...kept?.items.values() ?? []])
        if (kept) assert.equal(book.version, kept.version)
      }
    }), { numRuns: 300 })
  })

  it('what a device was pushed is what its roster says, change by change', async () => {
    await fc.assert(fc.asyncProperty(deeds, async all => {
      const { host, ears } = await open(new Shelf())
      for (const d of all) { await act(host, ears, d); await settle() }
      for (const ear of ears) {
        const pushed = new Map<string, string>()
        const versions: number[] = []
        for (const s of ear.heard) {
          const query = s.kind === 'iq' && s.type === 'set' ? s.payload[0] : undefined
          const item = query?.child('item')
          if (!query || !item) continue
          versions.push(Number(query.attrs['ver']!.split('-')[1]))
          if (item.attrs['subscription'] === 'remove') pushed.delete(item.attrs['jid']!)
          else pushed.set(item.attrs['jid']!, `${item.attrs['subscription']} ${item.attrs['ask'] ?? ''} ${item.attrs['approved'] ?? ''} ${item.attrs['name'] ?? ''}`)
        }
        assert.deepEqual(versions, [...new Set(versions)].sort((x, y) => x - y), 'every push has a version of its own, in order')
        const listed = new Map(host.rosters.of(ear.account).listed.map(i => [i.jid, `${i.subscription} ${i.ask ? 'subscribe' : ''} ${i.approved ?? ''} ${i.name ?? ''}`]))
        assert.deepEqual(pushed, listed)
      }
    }), { numRuns: 200 })
  })

  it('who may see the other has heard that he is there, who may not has heard that he is gone', async () => {
    await fc.assert(fc.asyncProperty(deeds, async all => {
      const { host, ears } = await open(new Shelf())
      for (const d of all) { await act(host, ears, d); await settle() }
      for (const who of [0, 1] as const) {
        const ear = ears[who], other = ears[1 - who as 0 | 1].jid
        const last = ear.heard.findLast(s => s.kind === 'presence' && s.from?.full === other.full)?.type
        assert.equal(last === 'available', host.rosters.of(ear.account).isWatched(other.bare), `${ear.jid.full} heard ${last}`)
      }
    }), { numRuns: 300 })
  })

  it('a store that fails now and then leaves no half of a change', async () => {
    await fc.assert(fc.asyncProperty(deeds, fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), async (all, failures) => {
      const shelf = new Shelf()
      const { host, ears } = await open(shelf)
      let i = 0
      shelf.fails = () => failures[i++ % failures.length]!
      for (const d of all) { await act(host, ears, d); await settle() }
      for (const ear of ears) {
        const owner = ear.account.jid.bare
        assert.deepEqual([...host.rosters.of(ear.account).items.values()], [...shelf.rosters.get(owner)?.items.values() ?? []])
        for (const item of host.rosters.of(ear.account).items.values()) assert.ok(stateOf(item))
      }
    }), { numRuns: 100 })
  })
})
