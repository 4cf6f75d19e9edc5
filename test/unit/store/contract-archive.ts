// What every store's archive has to keep to: a part of the contract suite.
import assert from 'node:assert/strict'
import type { ArchiveRow, Stores } from '../../../server/ports/store.ts'
import { ids, pad, range } from './made.ts'

/** Describes the archive of the store that `s` gives. */
export function archiveContract(s: () => Stores): void {
  describe('archive', () => {
    const owner = 'mam@example.org'
    const row = (i: number): ArchiveRow => ({ owner, id: pad(i), at: 1000 + i * 10, with: i % 3 ? 'ann@example.org/phone' : 'bob@example.org', stanza: `<message><body>${i}</body></message>` })
    before(() => Promise.all(range(60).map(i => s().archive.append(row(i)))))

    it('gives rows as they were, oldest first, and tells whether that is all', async () => {
      assert.deepEqual(await s().archive.query({ owner, limit: 3 }), { rows: [row(0), row(1), row(2)], complete: false })
      assert.deepEqual(await s().archive.query({ owner, limit: 60 }), { rows: range(60).map(row), complete: true })
      assert.deepEqual(await s().archive.query({ owner: 'nobody@example.org', limit: 3 }), { rows: [], complete: true })
      assert.deepEqual(await s().archive.query({ owner, limit: 0 }), { rows: [], complete: false })
    })

    it('gives the newest page, still oldest first', async () => {
      assert.deepEqual(await s().archive.query({ owner, limit: 2, last: true }), { rows: [row(58), row(59)], complete: false })
      assert.deepEqual(await s().archive.query({ owner, limit: 2, last: true, beforeId: pad(2) }), { rows: [row(0), row(1)], complete: true })
      assert.deepEqual(await s().archive.query({ owner, limit: 2, last: true, beforeId: pad(10) }), { rows: [row(8), row(9)], complete: false })
    })

    it('pages after and before an id, both outside', async () => {
      assert.deepEqual(ids((await s().archive.query({ owner, limit: 2, afterId: pad(4) })).rows), [pad(5), pad(6)])
      assert.deepEqual(await s().archive.query({ owner, limit: 9, afterId: pad(57) }), { rows: [row(58), row(59)], complete: true })
      assert.deepEqual(ids((await s().archive.query({ owner, limit: 9, afterId: pad(4), beforeId: pad(7) })).rows), [pad(5), pad(6)])
    })

    it('walks from end to end without a gap or a repetition', async () => {
      const seen: string[] = []
      for (let complete = false; !complete;) {
        const afterId = seen.at(-1)
        const page = await s().archive.query(afterId === undefined ? { owner, limit: 7 } : { owner, limit: 7, afterId })
        seen.push(...ids(page.rows))
        complete = page.complete
      }
      assert.deepEqual(seen, range(60).map(pad))
    })

    it('finds one side by bare JID on any resource, by full JID on that one', async () => {
      const count = (peer: string): Promise<number> => s().archive.count({ owner, with: peer })
      assert.deepEqual([await count('ann@example.org'), await count('ann@example.org/phone'), await count('ann@example.org/desk'), await count('bob@example.org'), await count('bob@example.org/x')], [40, 40, 0, 20, 0])
      assert.deepEqual(ids((await s().archive.query({ owner, with: 'bob@example.org', limit: 2, afterId: pad(3) })).rows), [pad(6), pad(9)])
    })

    it('cuts at start and end, both inside', async () => {
      const between = async (start?: number, end?: number): Promise<string[]> =>
        ids((await s().archive.query({ owner, limit: 100, ...start === undefined ? {} : { start }, ...end === undefined ? {} : { end } })).rows)
      assert.deepEqual(await between(1030, 1050), [pad(3), pad(4), pad(5)])
      assert.deepEqual(await between(1031, 1049), [pad(4)])
      assert.deepEqual(await between(1581), [pad(59)])
      assert.deepEqual(await between(undefined, 1009), [pad(0)])
      assert.deepEqual([await between(1591), await between(undefined, 999), await between(1050, 1030)], [[], [], []])
      assert.equal((await between(0, 9999)).length, 60)
      assert.equal(await s().archive.count({ owner, start: 1100, end: 1190, with: 'ann@example.org' }), 7)
      assert.deepEqual(await s().archive.query({ owner, limit: 2, last: true, start: 1100, end: 1195 }), { rows: [row(18), row(19)], complete: false })
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
          assert.deepEqual(await s().archive.query(q), { rows: last ? want.slice(-4) : want.slice(0, 4), complete: want.length <= 4 }, JSON.stringify(q))
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
      await Promise.all(rows.map(row => s().archive.append(row)))
      for (const peer of [undefined, 'early@b', 'late@b']) for (const start of [undefined, midnight - 30 * minute, midnight]) for (const end of [undefined, midnight - 10 * minute, midnight + 5 * minute]) {
        const want = rows.filter(r => (peer === undefined || r.with === `${peer}/r`) && r.at >= (start ?? 0) && r.at <= (end ?? Infinity))
        const q = { owner: o, ...peer === undefined ? {} : { with: peer }, ...start === undefined ? {} : { start }, ...end === undefined ? {} : { end } }
        assert.deepEqual([ids((await s().archive.query({ ...q, limit: 999 })).rows), await s().archive.count(q)], [ids(want), want.length], JSON.stringify(q))
      }
    })

    it('cuts rows of one instant by their time, wherever ids fall', async () => {
      const o = 'burst@example.org'
      const at = [5, 5, 5, 7, 7, 9]
      await Promise.all(['0190aaaa-0001', '0190aaaa-0002', '0190aaab', '0190b', 'zz', 'zzz~'].map((id, i) => s().archive.append({ owner: o, id, at: at[i] ?? 0, with: 'a@b', stanza: '<message/>' })))
      const n = (start: number, end: number): Promise<number> => s().archive.count({ owner: o, start, end })
      assert.deepEqual([await n(5, 5), await n(6, 6), await n(7, 7), await n(8, 9), await n(0, 4), await n(5, 9)], [3, 0, 2, 1, 0, 6])
    })

    it('finds by ids, in the order of ids', async () => {
      assert.deepEqual(await s().archive.query({ owner, ids: [pad(9), 'none', pad(2)], limit: 10 }), { rows: [row(2), row(9)], complete: true })
      assert.equal(await s().archive.count({ owner, ids: [pad(1), pad(2), 'none'] }), 2)
      assert.deepEqual(await s().archive.query({ owner, ids: [], limit: 10 }), { rows: [], complete: true })
    })

    it('leaves a row as it is when its id comes again, and keeps owners apart', async () => {
      await s().archive.append({ ...row(5), stanza: '<message>other</message>' })
      await s().archive.append({ ...row(5), owner: 'else@example.org', stanza: '<message>else</message>' })
      assert.deepEqual((await s().archive.query({ owner, ids: [pad(5)], limit: 1 })).rows, [row(5)])
      assert.equal((await s().archive.query({ owner: 'else@example.org', limit: 9 })).rows[0]?.stanza, '<message>else</message>')
      assert.deepEqual([await s().archive.has(owner, pad(5)), await s().archive.has(owner, 'no'), await s().archive.has('x@y', pad(5))], [true, false, false])
    })

    it('knows the oldest and the newest row', async () => {
      assert.deepEqual(await s().archive.ends(owner), { first: row(0), last: row(59) })
      assert.deepEqual(await s().archive.ends('nobody@example.org'), {})
    })

    it('finds rows by the words of their bodies, page by page and from both ends', async () => {
      const o = 'words@example.org'
      const says = (i: number): string => i % 700 === 0 ? `Größe &amp; "Ware" no ${i}` : i % 2 ? 'odd ware' : 'even'
      await Promise.all(range(12_000).map(i => s().archive.append({ owner: o, id: pad(i), at: i, with: i % 3 ? 'a@b/r' : 'c@d/r', stanza: `<message><body>${says(i)}</body><x xmlns='hidden'>ware</x></message>` })))
      const find = async (text: string, more: object = {}): Promise<(string | boolean)[]> => { const { rows, complete } = await s().archive.query({ owner: o, text, limit: 3, ...more }); return [...ids(rows), complete] }
      for (const text of ['größe', 'GROßE', 'ware große', 'größe ware no']) assert.deepEqual(await find(text), [pad(0), pad(700), pad(1400), false], text)
      assert.deepEqual(await find('"größe ware" 700'), [pad(700), true])
      assert.deepEqual(await find('"ware größe"'), [true])
      assert.deepEqual(await find('größe', { last: true }), [pad(10_500), pad(11_200), pad(11_900), false])
      assert.deepEqual(await find('größe', { afterId: pad(10_500) }), [pad(11_200), pad(11_900), true])
      assert.deepEqual(await find('größe', { last: true, beforeId: pad(1400) }), [pad(0), pad(700), true])
      assert.deepEqual(await find('größe', { with: 'c@d', start: 1000, limit: 99 }), [pad(2100), pad(4200), pad(6300), pad(8400), pad(10_500), true])
      assert.deepEqual(await Promise.all(Array.from({ length: 8 }, () => find('größe', { last: true, limit: 1 }))), Array.from({ length: 8 }, () => [pad(11_900), false]))
      assert.deepEqual([await find('hidden'), await find('amp'), await find('!?')], [[true], [true], [true]])
    }).timeout(300_000)

    it('finds rows by what is written in them, from both ends, with other conditions', async () => {
      const o = 'held@example.org'
      await Promise.all(range(5000).map(i => s().archive.append({ owner: o, id: pad(i), at: i, with: i % 2 ? 'a@b/r' : 'c@d/r', stanza: `<message id='m${i % 2500}'><body>m1 x${i}</body></message>` })))
      const find = async (holds: string, more: object = {}): Promise<(string | boolean)[]> => { const { rows, complete } = await s().archive.query({ owner: o, holds, limit: 3, ...more }); return [...ids(rows), complete] }
      assert.deepEqual(await find(" id='m1'"), [pad(1), pad(2501), true])
      assert.deepEqual(await find(" id='m1'", { last: true, limit: 1 }), [pad(2501), false])
      assert.deepEqual(await find(" id='m1'", { last: true, beforeId: pad(2501), with: 'a@b' }), [pad(1), true])
      assert.deepEqual(await find(" id='m1'", { with: 'c@d' }), [true])
      assert.deepEqual(await find(" id='m1'", { text: 'x2501' }), [pad(2501), true])
      assert.deepEqual(await find(" id='M1'"), [true])
    })

    it('puts another text in the place of a row, and nowhere else', async () => {
      const o = 'other@example.org'
      await Promise.all(range(3).map(i => s().archive.append({ ...row(i), owner: o })))
      assert.equal(await s().archive.replace(o, pad(1), '<message/>'), 'ok')
      assert.deepEqual((await s().archive.query({ owner: o, limit: 9 })).rows.map(r => r.stanza), [row(0).stanza, '<message/>', row(2).stanza])
      assert.deepEqual([await s().archive.replace(o, 'none', ''), await s().archive.replace('nobody@example.org', pad(1), '')], ['missing', 'missing'])
    })

    it('removes the rows that are named, and no others', async () => {
      const o = 'named@example.org'
      await Promise.all(range(10).map(i => s().archive.append({ ...row(i), owner: o })))
      assert.equal(await s().archive.remove(o, [pad(2), pad(7), 'none']), 2)
      assert.deepEqual(ids((await s().archive.query({ owner: o, limit: 20 })).rows), [0, 1, 3, 4, 5, 6, 8, 9].map(pad))
      assert.equal(await s().archive.remove(o, []), 0)
      assert.equal(await s().archive.has(owner, pad(2)), true)
    })

    it('forgets what is older than a time, and says how much', async () => {
      const o = 'old@example.org'
      await Promise.all(range(2500).map(i => s().archive.append({ owner: o, id: pad(i), at: i, with: 'a@b', stanza: '<message/>' })))
      assert.equal(await s().archive.expire(o, 2400), 2400)
      assert.equal((await s().archive.ends(o)).first?.at, 2400)
      assert.equal(await s().archive.expire(o, 2400), 0)
      assert.equal(await s().archive.count({ owner }), 60)
    }).timeout(300_000)
  })
}
