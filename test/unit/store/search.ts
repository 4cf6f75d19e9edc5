// What every store's search has to keep to: each adapter runs this suite.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Marks, SearchDocument, SearchPage, SearchQuery } from '../../../server/ports/search.ts'
import type { Stores } from '../../../server/ports/store.ts'
import { range } from './made.ts'

const DAY = 86_400_000
const DESK = 'help.x/conversations'

/** Conversations as a desk would put them. */
const talk = (n: number, more: { text?: SearchDocument['text']; marks?: Marks; at?: number } = {}): SearchDocument => ({
  id: String(n), at: more.at ?? n * DAY, text: more.text ?? {},
  marks: { number: n, queue: 'support', agent: ['bob@x'], status: 'closed', deleted: false, ...more.marks },
})

export function searchContract(name: string, open: () => Promise<Stores>): void {
  describe(`search contract: ${name}`, () => {
    let s: Stores
    before(async () => { s = await open() })
    after(() => s.close())

    const page = async (q: Partial<SearchQuery>, space = DESK): Promise<SearchPage> => {
      const found = await s.search.find(space, { limit: 100, ...q })
      return 'wrong' in found ? assert.fail(found.wrong) : found
    }
    const ids = async (q: Partial<SearchQuery>, space = DESK): Promise<string[]> => (await page(q, space)).hits.map(h => h.id)
    const wrong = async (q: Partial<SearchQuery>): Promise<string> => { const f = await s.search.find(DESK, { limit: 10, ...q }); return 'wrong' in f ? f.wrong : '' }

    describe('what is found', () => {
      before(() => Promise.all([
        s.search.put(DESK, talk(1, { text: { heading: 'Printer on fire', names: 'Alice Åström ann@example.org', body: 'My laser printer burns. Please help quickly!' }, marks: { email: 'Ann@Example.org', customer: 'alice@x' } })),
        s.search.put(DESK, talk(2, { text: { heading: 'Invoice', names: 'Ben', notes: 'Wants a new printer', body: 'The invoice 2026-17 is wrong' }, marks: { queue: 'billing', agent: ['cleo@x', 'bob@x'], 'field.order': 'A-17' } })),
        s.search.put(DESK, talk(3, { text: { names: 'Chen 陳大文', body: '打印機壞了 printer, приве́т Ελλάδα STRASSE हिन्दी' }, marks: { agent: [], status: 'waiting', 'field.order': 17 } })),
        s.search.put(DESK, talk(4, { text: { names: 'Dora', body: 'hello again' }, marks: { deleted: true } })),
        s.search.put('other.y/conversations', talk(1, { text: { body: 'printer of others' } })),
      ]))

      it('ST-78 a search stays within its space and within what the asker may see', async () => {
        assert.deepEqual(await ids({ text: 'printer', sort: 'oldest' }), ['1', '2', '3'])
        assert.deepEqual(await ids({ text: 'printer' }, 'other.y/conversations'), ['1'])
        assert.deepEqual(await ids({ text: 'printer' }, 'nowhere'), [])
        assert.deepEqual(await ids({ within: [{ queue: 'billing' }, { agent: 'bob@x', queue: ['support'] }], sort: 'oldest', where: { deleted: false } }), ['1', '2'])
        assert.deepEqual(await ids({ within: [] }), [], 'who may see nothing finds nothing')
        assert.deepEqual(await ids({ within: [{ queue: [] }] }), [])
        assert.equal((await ids({ within: [{}] })).length, 4)
      })

      it('ST-79 all words must be there, wherever they stand; heading weighs more than names, notes and text', async () => {
        assert.deepEqual(await ids({ text: 'printer burns' }), ['1'])
        assert.deepEqual(await ids({ text: 'printer nowhere' }), [])
        assert.deepEqual((await page({ text: 'printer' })).hits.map(h => [h.id, h.weight]), [['1', 8], ['2', 2], ['3', 1]])
        assert.deepEqual(await ids({ text: 'PRINTER fire' }), ['1'])
      })

      it('ST-80 everything but the deleted, or the deleted alone', async () => {
        assert.deepEqual(await ids({ where: { deleted: false }, sort: 'newest' }), ['3', '2', '1'])
        assert.deepEqual(await ids({ where: { deleted: true } }), ['4'])
      })

      it('ST-81 by chat number', async () => assert.deepEqual([await ids({ where: { number: 2 } }), await ids({ where: { number: 99 } })], [['2'], []]))
      it('ST-81 by a string in any section, as words or together in quotes', async () => {
        assert.deepEqual([await ids({ text: '2026-17' }), await ids({ text: '"laser printer"' }), await ids({ text: '"printer laser"' }), await ids({ text: '"fire Alice"' })], [['2'], ['1'], [], []])
      })
      it('ST-81 by e-mail, in any case, exactly', async () => {
        assert.deepEqual([await ids({ where: { email: 'ann@example.ORG' } }), await ids({ where: { email: 'ann@example' } }), await ids({ text: 'ann@example.org' })], [['1'], [], ['1']])
      })
      it('ST-81 by customer name, in parts and without accents', async () => {
        assert.deepEqual([await ids({ sections: { names: 'astrom' } }), await ids({ sections: { names: 'ALICE' } }), await ids({ sections: { names: 'printer' } }), await ids({ sections: { names: '大文' } })], [['1'], ['1'], [], ['3']])
      })
      it('ST-81 by username', async () => assert.deepEqual(await ids({ where: { customer: 'alice@x' } }), ['1']))
      it('ST-81 by range of dates, both ends inside', async () => {
        assert.deepEqual(await ids({ since: 2 * DAY, until: 3 * DAY, sort: 'oldest' }), ['2', '3'])
        assert.deepEqual(await ids({ since: 2 * DAY + 1, until: 3 * DAY - 1 }), [])
        assert.deepEqual(await ids({ text: 'printer', until: 2 * DAY, sort: 'newest' }), ['2', '1'])
        assert.deepEqual(await ids({ text: 'printer', since: -Infinity, until: Infinity, sort: 'oldest' }), ['1', '2', '3'])
        assert.deepEqual(await ids({ since: 3 * DAY, until: 2 * DAY }), [])
      })
      it('ST-81 by group, one or several', async () => assert.deepEqual([await ids({ where: { queue: 'billing' } }), await ids({ where: { queue: ['billing', 'support'] }, text: 'printer', sort: 'oldest' })], [['2'], ['1', '2', '3']]))
      it('ST-81 by agent, whoever of them it was', async () => assert.deepEqual([await ids({ where: { agent: 'cleo@x' } }), await ids({ where: { agent: 'bob@x' }, sort: 'oldest' })], [['2'], ['1', '2', '4']]))
      it('ST-81 by status', async () => assert.deepEqual(await ids({ where: { status: 'waiting' } }), ['3']))
      it('ST-81 sorted older or newer', async () => assert.deepEqual([await ids({ text: 'printer', sort: 'oldest' }), await ids({ text: 'printer', sort: 'newest' })], [['1', '2', '3'], ['3', '2', '1']]))
      it('ST-81 at most so many', async () => assert.deepEqual(await ids({ text: 'printer', limit: 1 }), ['1']))
      it('ST-82 by custom fields, as many as there are', async () => {
        assert.deepEqual([await ids({ where: { 'field.order': 'a-17' } }), await ids({ where: { 'field.order': '17' } }), await ids({ where: { 'field.other': 'a-17' } }), await ids({ where: { 'field.order': 'A-17', queue: 'support' } })], [['2'], ['3'], [], []])
      })

      it('ST-81 finds words of other writings', async () => {
        for (const text of ['привет', 'ελλαδα', 'Strasse', 'हिन्दी', '打印機', '壞了', '陳']) assert.deepEqual(await ids({ text }), ['3'], text)
        assert.deepEqual(await ids({ text: '機打' }), [])
      })

      it('RULE-C27 results rank by weight, and an asked-for order takes its place', async () => {
        assert.deepEqual([await ids({ text: 'printer' }), await ids({ text: 'printer', sort: 'newest' })], [['1', '2', '3'], ['3', '2', '1']])
      })
    })

    describe('what changes', () => {
      it('finds a document by its new words and marks, and no more by the old', async () => {
        const space = 'change'
        await s.search.put(space, talk(7, { text: { body: 'before' }, marks: { status: 'active' } }))
        await s.search.put(space, talk(7, { text: { body: 'after' }, marks: { status: 'closed' } }))
        assert.deepEqual([await ids({ text: 'before' }, space), await ids({ text: 'after' }, space), await ids({ where: { status: 'active' } }, space), await ids({}, space)], [[], ['7'], [], ['7']])
        await s.search.put(space, talk(7, { text: { body: 'after' }, at: 99 * DAY }))
        assert.deepEqual((await page({ text: 'after' }, space)).hits, [{ id: '7', at: 99 * DAY, weight: 1 }])
      })

      it('SEC-W27 removes one document by its id, and nothing else', async () => {
        const space = 'erase'
        await Promise.all(range(5).map(n => s.search.put(space, talk(n, { text: { body: `same words ${n}` } }))))
        await s.search.put('erase2', talk(2, { text: { body: 'same words' } }))
        assert.deepEqual([await s.search.remove(space, '2'), await s.search.remove(space, '2'), await s.search.remove(space, '*'), await s.search.remove(space, '')], ['ok', 'missing', 'missing', 'missing'])
        assert.deepEqual([await ids({ text: 'same', sort: 'oldest' }, space), await ids({ text: 'same' }, 'erase2')], [['0', '1', '3', '4'], ['2']])
      })

      it('keeps apart many documents of one millisecond', async () => {
        const space = 'burst'
        await Promise.all(range(30).map(n => s.search.put(space, talk(n, { at: 5, text: { body: 'burst' } }))))
        assert.equal(new Set(await ids({ text: 'burst' }, space)).size, 30)
        assert.deepEqual((await page({ since: 5, until: 5, limit: 1 }, space)).hits[0]?.at, 5)
      })
    })

    describe('pages', () => {
      const space = 'pages'
      before(() => Promise.all(range(450).map(n => s.search.put(space, talk(n, { at: 1000 + (n >> 1), text: { ...n % 50 === 0 ? { heading: 'pager' } : {}, body: 'pager' }, marks: { odd: n % 2 } })))))
      for (const sort of ['weight', 'newest', 'oldest'] as const) {
        it(`ST-79 go from end to end without a gap or a repetition (${sort})`, async () => {
          const seen: string[] = []
          const weights: number[] = []
          for (let after: string | undefined; ;) {
            const p = await page({ text: 'pager', sort, limit: 35, ...(after === undefined ? {} : { after }) }, space)
            seen.push(...p.hits.map(h => h.id))
            weights.push(...p.hits.map(h => h.weight))
            if (p.next === undefined) break
            after = p.next
          }
          assert.equal(seen.length, 450)
          assert.equal(new Set(seen).size, 450)
          if (sort === 'weight') assert.deepEqual(weights.slice(0, 200), [...Array<number>(4).fill(8), ...Array<number>(196).fill(1)])
          assert.equal(seen[0], { weight: '400', newest: '449', oldest: '0' }[sort])
        })
      }

      it('ST-99 what is added meanwhile does not shift the pages', async () => {
        const first = await page({ text: 'pager', limit: 10 }, space)
        await s.search.put(space, talk(1000, { at: 9000, text: { heading: 'pager' } }))
        const second = await page({ text: 'pager', limit: 10, after: first.next ?? '' }, space)
        assert.equal(new Set([...first.hits, ...second.hits].map(h => h.id)).size, 20)
        assert.ok(!second.hits.some(h => h.id === '1000'))
        await s.search.remove(space, '1000')
      })

      it('ST-99 says nothing of more when there is none', async () => {
        assert.equal((await page({ where: { number: 3 }, limit: 1 }, space)).next, undefined)
        assert.equal((await page({ text: 'pager', where: { odd: 0 }, sort: 'newest', limit: 100, since: 1200 }, space)).next, undefined)
      })
    })

    describe('what is asked amiss', () => {
      it('SEC-A11 no text is an operator, a pattern or an error', async () => {
        const space = 'amiss'
        await s.search.put(space, talk(1, { text: { body: 'plain words NEAR here' } }))
        for (const text of ['(a+)+$', '$where', '"', '""', 'a" OR "b', 'NEAR(', 'words OR here nothing', 'words*', '-words', '^plain', 'body:words', '{marks} : x', '\u0000', '\uD800', "'); DROP TABLE search_docs; --", '_s', '_mabc', '%', '(((', 'AND', 'a AND NOT b']) {
          const found = await s.search.find(space, { text, limit: 10 })
          assert.ok('hits' in found, text)
        }
        assert.deepEqual([await ids({ text: 'words OR' }, space), await ids({ text: 'words*' }, space), await ids({ text: '!!!' }, space), await ids({ text: 'near here' }, space)], [[], ['1'], [], ['1']])
        await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async text => { assert.ok('hits' in await s.search.find(space, { text, limit: 1 }) || text.length > 16) }), { numRuns: 100 })
      })

      it('SEC-A11 too many words, too long a text, a foreign cursor or limit are refused in words', async () => {
        assert.match(await wrong({ text: Array.from({ length: 17 }, (_, i) => `w${i}`).join(' ') }), /at most 16 words/)
        assert.match(await wrong({ text: 'x'.repeat(10_000) }), /at most 1000 characters/)
        const mine = await page({ text: 'pager', limit: 1 }, 'pages')
        for (const after of ['', 'x', 'W10', Buffer.from('["weight",{}]').toString('base64url'), Buffer.from('["newest",1]').toString('base64url')]) assert.match(await wrong({ after, text: 'a' }), /^after/, after)
        assert.match(await wrong({ after: mine.next ?? '', sort: 'oldest' }), /^after/)
        for (const limit of [0, -1, 101, 1.5, NaN]) assert.match(await wrong({ limit }), /1 to 100/)
      })

      it('SEC-A11 what a customer writes cannot pass for a mark', async () => {
        const space = 'forge'
        await s.search.put(space, talk(1, { marks: { queue: 'secret' } }))
        await s.search.put(space, talk(2, { text: { heading: 'queue secret _m _h queue:secret', body: '_hqueue' } }))
        assert.deepEqual(await ids({ where: { queue: 'secret' } }, space), ['1'])
      })
    })

    describe('in an order', () => {
      const space = 'help.x/ordered'
      const MANY = 4500 // more than is looked at in one go
      const docs = Array.from({ length: MANY }, (_, i) => ({ id: String(i), at: Math.floor(i / 3), text: {}, marks: { even: i % 2 === 0 }, order: { lines: (i * 7919) % 50, idle: (i * 104_729) % 900, who: ['', 'ben@x', 'ann@x'][i % 3] ?? '' } }))
      before(async () => { await Promise.all(docs.map(d => s.search.put(space, d))) })

      /** As it should be: by the values, then by the others, then as they came. */
      const expected = (by: (d: typeof docs[number]) => number | string, descending = false, all = docs): string[] => {
        const compare = (a: typeof docs[number], b: typeof docs[number]): number => { const [x, y] = [by(a), by(b)]; return (x < y ? -1 : x > y ? 1 : 0) || a.order.idle - b.order.idle || Number(a.id) - Number(b.id) }
        return [...all].sort((a, b) => descending ? compare(b, a) : compare(a, b)).map(d => d.id)
      }
      const walk = async (q: Partial<SearchQuery>): Promise<string[]> => {
        const all: string[] = []
        for (let after: string | undefined; ;) {
          const { hits, next, total } = await page({ limit: 1000, ...q, ...(after === undefined ? {} : { after }) }, space)
          all.push(...hits.map(h => h.id))
          assert.equal(total, q.where ? MANY / 2 : MANY)
          if (next === undefined) return all
          after = next
        }
      }

      it('ST-16 by what they keep, either way, equals by something else, over all that match and page by page', async () => {
        assert.deepEqual(await walk({ sort: { by: 'lines', then: 'idle' } }), expected(d => d.order.lines))
        assert.deepEqual(await walk({ sort: { by: 'lines', then: 'idle', descending: true } }), expected(d => d.order.lines, true))
        assert.deepEqual(await walk({ where: { even: true }, sort: { by: 'lines', then: 'idle' } }), expected(d => d.order.lines, false, docs.filter(d => d.marks.even)))
      })
      it('ST-16 by names that stand for what is kept', async () => {
        const names: Readonly<Record<string, string>> = { 'ben@x': 'Aaron', 'ann@x': 'Zoe' }
        assert.deepEqual(await walk({ sort: { by: 'who', then: 'idle', names } }), expected(d => names[d.order.who] ?? ''))
      })
      it('a page goes on where the last one ended, whatever has come or gone', async () => {
        const sort = { by: 'lines', then: 'idle' }
        const first = await page({ sort, limit: 10 }, space)
        const all = expected(d => d.order.lines)
        await s.search.remove(space, all[9] ?? '')
        await s.search.put(space, { id: 'new', at: 1, text: {}, marks: {}, order: { lines: 0, idle: -1 } })
        assert.deepEqual((await page({ sort, limit: 10, after: first.next ?? '' }, space)).hits.map(h => h.id), all.slice(10, 20))
        await s.search.remove(space, 'new')
        await s.search.put(space, docs.find(d => d.id === all[9]) ?? assert.fail())
      })
      it('another query’s place, and too many at once, are refused in words', async () => {
        const { next = '' } = await page({ sort: { by: 'lines' }, limit: 1 }, space)
        for (const q of [{ sort: { by: 'idle' }, after: next }, { sort: { by: 'lines', descending: true }, after: next }, { sort: { by: 'lines' }, after: 'x' }, { sort: { by: 'lines' }, limit: 10_001 }, { sort: 'newest' as const, after: next }]) {
          const f = await s.search.find(space, { limit: 10, ...q })
          assert.ok('wrong' in f && f.wrong !== '', JSON.stringify(q))
        }
      })
      it('how many match is told where it is asked', async () => {
        assert.deepEqual([(await page({ sort: 'newest', limit: 1, count: true, where: { even: false } }, space)).total, (await page({ sort: 'newest', limit: 1 }, space)).total], [MANY / 2, undefined])
      })
    })
  })
}
