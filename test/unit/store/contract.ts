// What every store has to keep to: each adapter of the Stores port runs this suite.
import assert from 'node:assert/strict'
import type { AccountRecord, ArchiveRow, RosterItem, Stores } from '../../../server/ports/store.ts'
import { StoreError } from '../../../server/ports/store.ts'

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
const account = (local: string, more: Partial<AccountRecord> = {}): AccountRecord => ({ host: 'example.org', local, created: 1, credentials: {}, ...more })
const contact = (jid: string, version: number, more: Partial<RosterItem> = {}): RosterItem => ({ jid, groups: [], subscription: 'both', version, ...more })
const pad = (n: number): string => String(n).padStart(6, '0')
const ids = (rows: readonly { id: string }[]): string[] => rows.map(row => row.id)

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
      }).timeout(30_000)

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

    describe('archive', () => {
      const owner = 'mam@example.org'
      const row = (i: number): ArchiveRow => ({ owner, id: pad(i), at: 1000 + i * 10, with: i % 3 ? 'ann@example.org/phone' : 'bob@example.org', stanza: `<message><body>${i}</body></message>` })
      before(() => Promise.all(range(60).map(i => s.archive.append(row(i)))))

      it('gives rows as they were, oldest first, and tells whether that is all', async () => {
        assert.deepEqual(await s.archive.query({ owner, limit: 3 }), { rows: [row(0), row(1), row(2)], complete: false })
        assert.deepEqual(await s.archive.query({ owner, limit: 60 }), { rows: range(60).map(row), complete: true })
        assert.deepEqual(await s.archive.query({ owner: 'nobody@example.org', limit: 3 }), { rows: [], complete: true })
        assert.deepEqual(await s.archive.query({ owner, limit: 0 }), { rows: [], complete: false })
      })

      it('gives the newest page, still oldest first', async () => {
        assert.deepEqual(await s.archive.query({ owner, limit: 2, last: true }), { rows: [row(58), row(59)], complete: false })
        assert.deepEqual(await s.archive.query({ owner, limit: 2, last: true, beforeId: pad(2) }), { rows: [row(0), row(1)], complete: true })
        assert.deepEqual(await s.archive.query({ owner, limit: 2, last: true, beforeId: pad(10) }), { rows: [row(8), row(9)], complete: false })
      })

      it('pages after and before an id, both outside', async () => {
        assert.deepEqual(ids((await s.archive.query({ owner, limit: 2, afterId: pad(4) })).rows), [pad(5), pad(6)])
        assert.deepEqual(await s.archive.query({ owner, limit: 9, afterId: pad(57) }), { rows: [row(58), row(59)], complete: true })
        assert.deepEqual(ids((await s.archive.query({ owner, limit: 9, afterId: pad(4), beforeId: pad(7) })).rows), [pad(5), pad(6)])
      })

      it('walks from end to end without a gap or a repetition', async () => {
        const seen: string[] = []
        for (let complete = false; !complete;) {
          const afterId = seen.at(-1)
          const page = await s.archive.query(afterId === undefined ? { owner, limit: 7 } : { owner, limit: 7, afterId })
          seen.push(...ids(page.rows))
          complete = page.complete
        }
        assert.deepEqual(seen, range(60).map(pad))
      })

      it('finds one side by bare JID on any resource, by full JID on that one', async () => {
        const count = (peer: string): Promise<number> => s.archive.count({ owner, with: peer })
        assert.deepEqual([await count('ann@example.org'), await count('ann@example.org/phone'), await count('ann@example.org/desk'), await count('bob@example.org'), await count('bob@example.org/x')], [40, 40, 0, 20, 0])
        assert.deepEqual(ids((await s.archive.query({ owner, with: 'bob@example.org', limit: 2, afterId: pad(3) })).rows), [pad(6), pad(9)])
      })

      it('cuts at start and end, both inside', async () => {
        const between = async (start?: number, end?: number): Promise<string[]> =>
          ids((await s.archive.query({ owner, limit: 100, ...start === undefined ? {} : { start }, ...end === undefined ? {} : { end } })).rows)
        assert.deepEqual(await between(1030, 1050), [pad(3), pad(4), pad(5)])
        assert.deepEqual(await between(1031, 1049), [pad(4)])
        assert.deepEqual(await between(1581), [pad(59)])
        assert.deepEqual(await between(undefined, 1009), [pad(0)])
        assert.deepEqual([await between(1591), await between(undefined, 999), await between(1050, 1030)], [[], [], []])
        assert.equal((await between(0, 9999)).length, 60)
        assert.equal(await s.archive.count({ owner, start: 1100, end: 1190, with: 'ann@example.org' }), 7)
        assert.deepEqual(await s.archive.query({ owner, limit: 2, last: true, start: 1100, end: 1195 }), { rows: [row(18), row(19)], complete: false })
      })

      it('keeps all conditions of a query at once', async () => {
        const all = range(60).map(row)
        for (const peer of [undefined, 'ann@example.org', 'bob@example.org']) for (const start of [undefined, 1200]) for (const end of [undefined, 1400]) {
          for (const after of [undefined, 10, 30]) for (const before of [undefined, 35]) for (const last of [false, true]) {
            const want = all.filter(r => (peer === undefined || r.with.startsWith(peer)) && r.at >= (start ?? 0) && r.at <= (end ?? Infinity)
              && (after === undefined || r.id > pad(after)) && (before === undefined || r.id < pad(before)))
            const q = {
              owner, limit: 4, last, ...peer === undefined ? {} : { with: peer }, ...start === undefined ? {} : { start }, ...end === undefined ? {} : { end },
              ...after === undefined ? {} : { afterId: pad(after) }, ...before === undefined ? {} : { beforeId: pad(before) },
            }
            assert.deepEqual(await s.archive.query(q), { rows: last ? want.slice(-4) : want.slice(0, 4), complete: want.length <= 4 }, JSON.stringify(q))
          }
        }
      })

      it('SEC-K24 misses no row when the clock was set back by an hour, at midnight', async () => {
        const o = 'clock@example.org'
        const [minute, midnight] = [60_000, 20_000 * 86_400_000]
        const rows = range(240).map((i): ArchiveRow => {
          const at = midnight - 110 * minute + (i < 120 ? i : i - 60) * minute
          return { owner: o, id: pad(i), at, with: i < 120 ? 'early@b/r' : 'late@b/r', stanza: '<message/>' }
        })
        await Promise.all(rows.map(row => s.archive.append(row)))
        for (const peer of [undefined, 'early@b', 'late@b']) for (const start of [undefined, midnight - 30 * minute, midnight]) for (const end of [undefined, midnight - 10 * minute, midnight + 5 * minute]) {
          const want = rows.filter(r => (peer === undefined || r.with === `${peer}/r`) && r.at >= (start ?? 0) && r.at <= (end ?? Infinity))
          const q = { owner: o, ...peer === undefined ? {} : { with: peer }, ...start === undefined ? {} : { start }, ...end === undefined ? {} : { end } }
          assert.deepEqual([ids((await s.archive.query({ ...q, limit: 999 })).rows), await s.archive.count(q)], [ids(want), want.length], JSON.stringify(q))
        }
      })

      it('cuts rows of one instant by their time, wherever ids fall', async () => {
        const o = 'burst@example.org'
        const at = [5, 5, 5, 7, 7, 9]
        await Promise.all(['0190aaaa-0001', '0190aaaa-0002', '0190aaab', '0190b', 'zz', 'zzz~'].map((id, i) => s.archive.append({ owner: o, id, at: at[i] ?? 0, with: 'a@b', stanza: '<message/>' })))
        const n = (start: number, end: number): Promise<number> => s.archive.count({ owner: o, start, end })
        assert.deepEqual([await n(5, 5), await n(6, 6), await n(7, 7), await n(8, 9), await n(0, 4), await n(5, 9)], [3, 0, 2, 1, 0, 6])
      })

      it('finds by ids, in the order of ids', async () => {
        assert.deepEqual(await s.archive.query({ owner, ids: [pad(9), 'none', pad(2)], limit: 10 }), { rows: [row(2), row(9)], complete: true })
        assert.equal(await s.archive.count({ owner, ids: [pad(1), pad(2), 'none'] }), 2)
        assert.deepEqual(await s.archive.query({ owner, ids: [], limit: 10 }), { rows: [], complete: true })
      })

      it('leaves a row as it is when its id comes again, and keeps owners apart', async () => {
        await s.archive.append({ ...row(5), stanza: '<message>other</message>' })
        await s.archive.append({ ...row(5), owner: 'else@example.org', stanza: '<message>else</message>' })
        assert.deepEqual((await s.archive.query({ owner, ids: [pad(5)], limit: 1 })).rows, [row(5)])
        assert.equal((await s.archive.query({ owner: 'else@example.org', limit: 9 })).rows[0]?.stanza, '<message>else</message>')
        assert.deepEqual([await s.archive.has(owner, pad(5)), await s.archive.has(owner, 'no'), await s.archive.has('x@y', pad(5))], [true, false, false])
      })

      it('knows the oldest and the newest row', async () => {
        assert.deepEqual(await s.archive.ends(owner), { first: row(0), last: row(59) })
        assert.deepEqual(await s.archive.ends('nobody@example.org'), {})
      })

      it('forgets what is older than a time, and says how much', async () => {
        const o = 'old@example.org'
        await Promise.all(range(2500).map(i => s.archive.append({ owner: o, id: pad(i), at: i, with: 'a@b', stanza: '<message/>' })))
        assert.equal(await s.archive.expire(o, 2400), 2400)
        assert.equal((await s.archive.ends(o)).first?.at, 2400)
        assert.equal(await s.archive.expire(o, 2400), 0)
        assert.equal(await s.archive.count({ owner }), 60)
      }).timeout(30_000)
    })

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
