// What every store has to keep to: each adapter of the Stores port runs this suite.
import assert from 'node:assert/strict'
import type { AccountRecord, RosterItem, Stores } from '../../../server/ports/store.ts'
import { StoreError } from '../../../server/ports/store.ts'
import { archiveContract } from './contract-archive.ts'
import { ids, pad, range } from './made.ts'

const account = (local: string, more: Partial<AccountRecord> = {}): AccountRecord => ({ host: 'example.org', local, created: 1, credentials: {}, ...more })
const contact = (jid: string, version: number, more: Partial<RosterItem> = {}): RosterItem => ({ jid, groups: [], subscription: 'both', version, ...more })

/** Describes `name`; `open` gives an empty store, once. */
export function storesContract(name: string, open: () => Promise<Stores>): void {
  describe(`store contract: ${name}`, () => {
    let s: Stores
    before(async () => { s = await open() })
    after(() => s.close())

    describe('accounts', () => {
      it('finds what was created, with all its fields', async () => {
        const keys = { salt: 'c2FsdA==', iterations: 4096, storedKey: 'a2V5', serverKey: 'c2Vy' }
        const record = account('ann', { host: 'one.example', name: 'Änn “A” \u{1F600}', role: 'agent', disabled: true, created: 1_700_000_000_123, credentials: { 'sha-1': keys, 'sha-512': keys } })
        assert.equal(await s.accounts.create(record), 'ok')
        assert.deepEqual(await s.accounts.find('one.example', 'ann'), record)
        assert.equal(await s.accounts.find('one.example', 'anna'), undefined)
        assert.equal(await s.accounts.find('two.example', 'ann'), undefined)
      })

      it('creates a name once on a host, however many try at the same time', async () => {
        const results = await Promise.all(range(50).map(i => s.accounts.create(account('once', { name: `${i}` }))))
        assert.deepEqual(results.filter(r => r === 'ok'), ['ok'])
        assert.equal((await s.accounts.find('example.org', 'once'))?.name, String(results.indexOf('ok')))
        assert.equal(await s.accounts.create(account('once', { host: 'other.example' })), 'ok')
      })

      it('replaces a record whole, and only one that is there', async () => {
        await s.accounts.create(account('bob', { role: 'admin', name: 'Bob' }))
        assert.equal(await s.accounts.update(account('bob', { created: 9 })), 'ok')
        assert.deepEqual(await s.accounts.find('example.org', 'bob'), account('bob', { created: 9 }))
        assert.equal(await s.accounts.update(account('nobody')), 'missing')
        assert.equal(await s.accounts.find('example.org', 'nobody'), undefined)
      })

      it('lists a host in the order of names, page by page', async () => {
        const names = range(7).map(i => `u${i}`)
        await Promise.all(names.toReversed().map(local => s.accounts.create(account(local, { host: 'list.example' }))))
        const page = (after?: string): Promise<string[]> =>
          s.accounts.list('list.example', after === undefined ? { limit: 3 } : { after, limit: 3 }).then(l => l.map(a => a.local))
        assert.deepEqual([await page(), await page('u2'), await page('u5'), await page('u6')], [['u0', 'u1', 'u2'], ['u3', 'u4', 'u5'], ['u6'], []])
      })

      it('removes an account with roster, archive, offline messages and documents, and nobody else’s', async () => {
        for (const local of ['gone', 'kept']) {
          const owner = `${local}@wipe.example`
          await s.accounts.create(account(local, { host: 'wipe.example' }))
          await Promise.all([
            s.rosters.put(owner, 3, [contact('x@y', 3)]), s.offline.push(owner, 1, '<message/>', 9),
            s.documents.put('vcard', owner, 'v', 1), s.documents.put('pep', owner, 'p', 2),
            ...range(2300).map(i => s.archive.append({ owner, id: pad(i), at: i, with: 'x@y', stanza: '<message/>' })),
          ])
        }
        const all = async (owner: string): Promise<unknown> => [
          (await s.rosters.load(owner)).items.length, (await s.rosters.load(owner)).version, (await s.offline.list(owner)).length,
          await s.archive.count({ owner }), (await s.documents.get('vcard', owner, 'v'))?.value, (await s.documents.get('pep', owner, 'p'))?.value,
        ]
        assert.equal(await s.accounts.remove('wipe.example', 'gone'), 'ok')
        assert.equal(await s.accounts.find('wipe.example', 'gone'), undefined)
        assert.deepEqual(await all('gone@wipe.example'), [0, 0, 0, 0, undefined, undefined])
        assert.deepEqual(await all('kept@wipe.example'), [1, 3, 1, 2300, 1, 2])
        assert.equal(await s.accounts.remove('wipe.example', 'gone'), 'missing')
      }).timeout(300_000)

      it('leaves what bears the name of an account that is not there', async () => {
        await s.archive.append({ owner: 'room@wipe2.example', id: '1', at: 1, with: 'a@b', stanza: '<message/>' })
        assert.equal(await s.accounts.remove('wipe2.example', 'room'), 'missing')
        assert.equal(await s.archive.count({ owner: 'room@wipe2.example' }), 1)
      })
    })

    describe('rosters', () => {
      it('is empty at version 0 for who has none', async () => {
        assert.deepEqual(await s.rosters.load('none@example.org'), { version: 0, items: [] })
      })

      it('writes items and version together, item by item, with all their fields', async () => {
        const full = contact('b@example.org', 2, { name: 'B', groups: ['Friends', 'Wörk'], subscription: 'to', ask: true, approved: true, request: '<presence type="subscribe"/>', listed: false, injected: 'help.example.org', removed: true })
        await s.rosters.put('r@example.org', 1, [contact('a@example.org', 1), contact('b@example.org', 1)])
        await s.rosters.put('r@example.org', 2, [full])
        const roster = await s.rosters.load('r@example.org')
        assert.equal(roster.version, 2)
        assert.deepEqual(roster.items.toSorted((a, b) => a.jid < b.jid ? -1 : 1), [contact('a@example.org', 1), full])
      })

      it('sets a version without items', async () => {
        await s.rosters.put('v@example.org', 7, [])
        assert.deepEqual(await s.rosters.load('v@example.org'), { version: 7, items: [] })
      })

      it('forgets one item altogether', async () => {
        await s.rosters.put('f@example.org', 1, [contact('a@b', 1), contact('c@d', 1)])
        await s.rosters.forget('f@example.org', 'a@b')
        await s.rosters.forget('f@example.org', 'never@there')
        assert.deepEqual(await s.rosters.load('f@example.org'), { version: 1, items: [contact('c@d', 1)] })
      })
    })

    archiveContract(() => s)

    describe('offline', () => {
      it('lists in the order of arrival and clears up to one of them', async () => {
        const owner = 'off@example.org'
        await Promise.all(range(5).map(i => s.offline.push(owner, 100 + i, `<message>${i}</message>`, 10)))
        const list = await s.offline.list(owner)
        assert.deepEqual(list.map(r => [r.at, r.stanza]), range(5).map(i => [100 + i, `<message>${i}</message>`]))
        assert.deepEqual(list.map(r => r.id), list.map(r => r.id).toSorted((a, b) => a - b))
        await s.offline.push(owner, 105, '<message>5</message>', 10)
        await s.offline.clear(owner, list[4]?.id ?? 0)
        assert.deepEqual((await s.offline.list(owner)).map(r => r.at), [105])
      })

      it('removes the ones that are named, of this owner alone', async () => {
        for (const owner of ['one@example.org', 'two@example.org']) for (const at of [1, 2, 3]) await s.offline.push(owner, at, '<message/>', 9)
        const [first, , third] = await s.offline.list('one@example.org')
        assert.equal(await s.offline.remove('one@example.org', [first?.id ?? 0, third?.id ?? 0, 999_999]), 2)
        assert.equal(await s.offline.remove('two@example.org', [first?.id ?? 0]), 0)
        assert.deepEqual((await s.offline.list('one@example.org')).map(r => r.at), [2])
        assert.equal((await s.offline.list('two@example.org')).length, 3)
      })

      it('is full at its limit for that owner alone, and takes more after a clear', async () => {
        const push = (owner: string): Promise<string> => s.offline.push(owner, 1, '<message/>', 3)
        assert.deepEqual(await Promise.all(range(5).map(() => push('few@example.org'))), ['ok', 'ok', 'ok', 'full', 'full'])
        assert.equal(await push('other@example.org'), 'ok')
        const list = await s.offline.list('few@example.org')
        assert.equal(list.length, 3)
        await s.offline.clear('few@example.org', list[0]?.id ?? 0)
        assert.deepEqual([await push('few@example.org'), await push('few@example.org')], ['ok', 'full'])
      })
    })

    describe('documents', () => {
      it('gives back any JSON value with its version, and nothing for what is not there', async () => {
        for (const [i, value] of [{ a: [1, null, { b: 'ü\u0000\ud800' }] }, 'text', 0, false, null, []].entries()) {
          assert.equal(await s.documents.put('any', 'o', `v${i}`, value), 1)
          assert.deepEqual(await s.documents.get('any', 'o', `v${i}`), { id: `v${i}`, version: 1, value })
        }
        assert.equal(await s.documents.get('any', 'o', 'none'), undefined)
        assert.equal(await s.documents.get('any', 'other', 'v0'), undefined)
        assert.equal(await s.documents.get('other', 'o', 'v0'), undefined)
      })

      it('counts versions and writes only over the one expected', async () => {
        const put = (value: number, expected?: number): Promise<number | 'conflict'> => s.documents.put('cas', 'o', 'd', value, expected)
        assert.equal(await put(1, 1), 'conflict')
        assert.equal(await put(1, 0), 1)
        assert.equal(await put(2, 0), 'conflict')
        assert.equal(await put(2, 1), 2)
        assert.equal(await put(3, 1), 'conflict')
        assert.equal(await put(4), 3)
        assert.deepEqual(await s.documents.get('cas', 'o', 'd'), { id: 'd', version: 3, value: 4 })
      })

      it('removes only the version expected', async () => {
        await s.documents.put('rm', 'o', 'd', 1)
        await s.documents.put('rm', 'o', 'd', 2)
        assert.equal(await s.documents.remove('rm', 'o', 'd', 1), 'conflict')
        assert.equal(await s.documents.remove('rm', 'o', 'd', 2), 'ok')
        assert.equal(await s.documents.remove('rm', 'o', 'd', 2), 'missing')
        assert.equal(await s.documents.remove('rm', 'o', 'd'), 'missing')
        assert.equal(await s.documents.put('rm', 'o', 'd', 3, 0), 1)
        assert.equal(await s.documents.remove('rm', 'o', 'd'), 'ok')
      })

      it('gives a unique key to one of many', async () => {
        const results = await Promise.all(range(200).map(i => s.documents.put('key', 'o', 'k', i, 0)))
        assert.equal(results.filter(r => r === 1).length, 1)
        assert.equal((await s.documents.get('key', 'o', 'k'))?.value, results.indexOf(1))
      })

      it('lets one of many change a version, then one of many the next', async () => {
        await s.documents.put('race', 'o', 'k', 0)
        for (const version of [1, 2, 3]) {
          const results = await Promise.all(range(100).map(i => s.documents.put('race', 'o', 'k', i, version)))
          assert.deepEqual(results.filter(r => r !== 'conflict'), [version + 1])
        }
      })

      it('gives a range in the order of ids, between after and before, both outside', async () => {
        const all = ['B', 'a', 'b', 'c-1', 'c-10', 'c-2', 'd', 'é', '中']
        await Promise.all([...all.toReversed().map(id => s.documents.put('range', 'o', id, id)), s.documents.put('range', 'o2', 'bb', 0), s.documents.put('range2', 'o', 'bb', 0)])
        const get = async (page: Parameters<Stores['documents']['range']>[2]): Promise<string[]> => ids(await s.documents.range('range', 'o', page))
        assert.deepEqual(await get({ limit: 99 }), all)
        assert.deepEqual(await get({ limit: 99, reverse: true }), all.toReversed())
        assert.deepEqual(await get({ limit: 2 }), ['B', 'a'])
        assert.deepEqual(await get({ limit: 2, reverse: true }), ['中', 'é'])
        assert.deepEqual(await get({ limit: 99, after: 'b', before: 'd' }), ['c-1', 'c-10', 'c-2'])
        assert.deepEqual(await get({ limit: 2, after: 'b', before: 'd', reverse: true }), ['c-2', 'c-10'])
        assert.deepEqual(await get({ limit: 2, after: 'c' }), ['c-1', 'c-10'])
        assert.deepEqual(await get({ limit: 99, after: '中' }), [])
        assert.deepEqual((await s.documents.range('range', 'o', { limit: 1 }))[0], { id: 'B', version: 1, value: 'B' })
      })
    })

    describe('events', () => {
      it('keeps commits in order and counts them', async () => {
        assert.deepEqual(await s.events.load('e/none'), { version: 0, events: [] })
        assert.equal(await s.events.append('e/1', 0, [{ n: 1 }, { n: 2 }]), 'ok')
        assert.equal(await s.events.append('e/1', 1, []), 'ok')
        assert.equal(await s.events.append('e/1', 2, [{ n: 3 }]), 'ok')
        assert.deepEqual(await s.events.load('e/1'), { version: 3, events: [{ n: 1 }, { n: 2 }, { n: 3 }] })
      })

      it('appends only after the version expected', async () => {
        assert.equal(await s.events.append('e/2', 1, ['too early']), 'conflict')
        assert.equal(await s.events.append('e/2', 0, ['a']), 'ok')
        assert.equal(await s.events.append('e/2', 0, ['again']), 'conflict')
        assert.equal(await s.events.append('e/2', 2, ['too early']), 'conflict')
        assert.deepEqual(await s.events.load('e/2'), { version: 1, events: ['a'] })
      })

      it('lets exactly one of 1000 parallel appends to one version win', async () => {
        await s.events.append('e/race', 0, ['first'])
        const results = await Promise.all(range(1000).map(i => s.events.append('e/race', 1, [i])))
        assert.equal(results.filter(r => r === 'ok').length, 1)
        assert.deepEqual(await s.events.load('e/race'), { version: 2, events: ['first', results.indexOf('ok')] })
      })

      it('finds the streams whose newest commit is live, by prefix', async () => {
        await s.events.append('l/a', 0, [1], { live: true })
        await s.events.append('l/b', 0, [1], { live: true })
        await s.events.append('l/b', 1, [2])
        await s.events.append('l/c', 0, [1], { live: false })
        await s.events.append('l/c', 1, [2], { live: true })
        await s.events.append('l/é', 0, [1], { live: true })
        await s.events.append('l2/a', 0, [1], { live: true })
        await s.events.append('l', 0, [1], { live: true })
        assert.deepEqual((await s.events.live('l/')).toSorted(), ['l/a', 'l/c', 'l/é'])
        assert.deepEqual(await s.events.live('l/zz'), [])
        assert.equal(await s.events.append('l/a', 7, [2], { live: false }), 'conflict')
        assert.ok((await s.events.live('l/')).includes('l/a'), 'a refused append changes nothing')
      })

      it('keeps what is still to do until it is done', async () => {
        await s.events.append('t/a', 0, [1], { todo: [{ mail: 1 }, 'push'] })
        await s.events.append('t/a', 1, [2])
        await s.events.append('t/a', 2, [3], { todo: ['third'] })
        await s.events.append('t/b', 0, [1], { todo: [] })
        await s.events.append('t2/a', 0, [1], { todo: ['other'] })
        assert.deepEqual(await s.events.undone('t/'), [{ stream: 't/a', version: 1, todo: [{ mail: 1 }, 'push'] }, { stream: 't/a', version: 3, todo: ['third'] }])
        await s.events.done('t/a', 1)
        await s.events.done('t/a', 1)
        assert.deepEqual((await s.events.undone('t/')).map(c => c.version), [3])
        await s.events.done('t/a', 3)
        assert.deepEqual(await s.events.undone('t/'), [])
        assert.deepEqual((await s.events.load('t/a')).events, [1, 2, 3])
      })
    })

    describe('all together', () => {
      it('shows a read what was written before it, without waiting for the write', async () => {
        const writes: Promise<unknown>[] = []
        for (const i of range(50)) {
          writes.push(s.documents.put('ryw', 'o', 'd', i), s.events.append('ryw', i, [i]), s.archive.append({ owner: 'ryw@x', id: pad(i), at: i, with: 'a@b', stanza: '<message/>' }))
          const [document, stream, count] = await Promise.all([s.documents.get('ryw', 'o', 'd'), s.events.load('ryw'), s.archive.count({ owner: 'ryw@x' })])
          assert.deepEqual([document?.value, stream.version, count], [i, i + 1, i + 1])
        }
        await Promise.all(writes)
      })

      it('answers writes in the order in which they were made', async () => {
        const order: number[] = []
        await Promise.all(range(3000).map(i => (i % 2 ? s.archive.append({ owner: 'fifo@x', id: pad(i), at: i, with: 'a@b', stanza: '<message/>' }) : s.documents.put('fifo', 'o', 'd', i)).then(() => order.push(i))))
        assert.deepEqual(order, range(3000))
      })

      it('fails a bad row alone: its group is written', async () => {
        const bad = { owner: 'bad@x', id: 'bad', at: 1, with: 'a@b', stanza: undefined as unknown as string } // what no caller should do
        const results = await Promise.allSettled(range(100).map(i => i === 50 ? s.archive.append(bad) : s.archive.append({ ...bad, id: pad(i), stanza: '<message/>' })))
        assert.deepEqual(results.flatMap((r, i) => r.status === 'rejected' ? [i] : []), [50])
        assert.ok(results[50]?.status === 'rejected' && results[50].reason instanceof StoreError)
        assert.equal(await s.archive.count({ owner: 'bad@x' }), 99)
      })

      it('undoes the whole of a write that fails halfway', async () => {
        await s.rosters.put('half@x', 1, [contact('a@b', 1)])
        const broken = { ...contact('', 2), jid: null as unknown as string } // what no caller should do
        await assert.rejects(s.rosters.put('half@x', 2, [contact('a@b', 2), broken]), StoreError)
        assert.deepEqual(await s.rosters.load('half@x'), { version: 1, items: [contact('a@b', 1)] })
      })
    })
  })

  describe(`store contract: ${name}, closing`, () => {
    it('finishes what was asked before close, and refuses what comes after', async () => {
      const s = await open()
      const before = [s.documents.put('c', 'o', 'd', 1), s.documents.get('c', 'o', 'd'), s.events.append('s', 0, [1])]
      const closed = s.close()
      assert.deepEqual(await Promise.all(before), [1, { id: 'd', version: 1, value: 1 }, 'ok'])
      await closed
      await assert.rejects(s.documents.put('c', 'o', 'd', 1), StoreError)
      await assert.rejects(s.documents.get('c', 'o', 'd'), StoreError)
      await s.close()
    })
  })
}
