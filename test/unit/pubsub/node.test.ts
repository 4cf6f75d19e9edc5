import assert from 'node:assert/strict'
import { PERSONAL, type AccessModel } from '../../../protocols/pubsub/config.ts'
import { added, affiliated, affiliationOf, AFFILIATIONS, cut, isSubscribed, mayPublish, mayRetract, readBar, without, type Affiliation, type NodeState, type Standing } from '../../../protocols/pubsub/node.ts'
import { pageOf } from '../../../protocols/pubsub/page.ts'
import { Jid } from '../../../server/api.ts'

const node = (config: Partial<typeof PERSONAL> = {}, more: Partial<NodeState['record']> = {}): NodeState =>
  ({ name: 'n', entries: [], record: { config: { ...PERSONAL, ...config }, created: 0, affiliations: [], subscriptions: [], ...more } })
const who = (more: Partial<Standing> = {}): Standing => ({ jid: Jid.parse('juliet@localhost/x'), watches: false, groups: [], ...more })
const entry = (id: string, publisher = 'romeo@localhost') => ({ id, at: 1, publisher, size: 1 })

describe('SEC-B03 who reads a node', () => {
  const watcher = who({ watches: true })
  const table: Record<AccessModel, [stranger: string | undefined, watcher: string | undefined]> = {
    open: [undefined, undefined],
    presence: ['not-authorized presence-subscription-required', undefined],
    roster: ['not-authorized not-in-roster-group', 'not-authorized not-in-roster-group'],
    authorize: ['not-authorized not-subscribed', 'not-authorized not-subscribed'],
    whitelist: ['not-allowed closed-node', 'not-allowed closed-node'],
  }
  const said = (n: NodeState, s: Standing, a: Affiliation): string | undefined => { const bar = readBar(n, s, a); return bar && [bar.condition, bar.detail?.name].filter(Boolean).join(' ') }
  for (const [access, expected] of Object.entries(table)) {
    it(`${access}: by who belongs to it not, by affiliation always or never`, () => {
      const n = node({ access: access as AccessModel })
      assert.deepEqual([said(n, who(), 'none'), said(n, watcher, 'none')], expected)
      for (const a of ['owner', 'publisher', 'member'] as const) assert.equal(said(n, who(), a), undefined)
      for (const a of ['outcast', 'publish-only'] as const) assert.equal(said(n, watcher, a), 'forbidden')
    })
  }
  it('roster: who sees the presence and is in one of the groups', () => {
    const n = node({ access: 'roster', groups: ['Friends', 'Kin'] })
    assert.equal(readBar(n, who({ watches: true, groups: ['Kin'] }), 'none'), undefined)
    assert.ok(readBar(n, who({ watches: false, groups: ['Kin'] }), 'none'))
  })
})

describe('SEC-B04 who publishes and removes', () => {
  it('the table of XEP-0060 section 4.1', () => {
    const may = AFFILIATIONS.filter(a => mayPublish(node({ access: 'open' }), who(), a))
    assert.deepEqual(may, ['owner', 'publisher', 'publish-only'])
    assert.deepEqual(AFFILIATIONS.filter(a => mayPublish(node({ publish: 'open' }), who(), a)), ['owner', 'publisher', 'publish-only', 'member', 'none'])
  })
  it('subscribers, where they may, as long as they may read', () => {
    const n = node({ publish: 'subscribers', access: 'presence' }, { subscriptions: ['juliet@localhost'] })
    assert.ok(mayPublish(n, who({ watches: true }), 'none'))
    assert.ok(!mayPublish(n, who(), 'none'))
    assert.ok(!mayPublish(n, { ...who({ watches: true }), jid: Jid.parse('julie@localhost/x') }, 'none'))
  })
  it('items go by owners, publishers and those who wrote them', () => {
    const e = { ...entry('a', 'juliet@localhost'), order: 1 }
    assert.deepEqual(AFFILIATIONS.filter(a => mayRetract(e, 'romeo@localhost', a)), ['owner', 'publisher'])
    assert.deepEqual(AFFILIATIONS.filter(a => mayRetract(e, 'juliet@localhost', a)), ['owner', 'publisher', 'publish-only', 'member', 'none'])
  })
  it('the owner of the service owns every node, and stays', () => {
    assert.equal(affiliationOf(node(), 'romeo@localhost', 'romeo@localhost'), 'owner')
    assert.equal(affiliated(node(), [['romeo@localhost', 'none']], 'romeo@localhost'), undefined)
  })
  it('where there is none, the last owner stays', () => {
    const n = node({}, { affiliations: [['romeo@localhost', 'owner']] })
    assert.equal(affiliated(n, [['romeo@localhost', 'none']], undefined), undefined)
    assert.deepEqual(affiliated(n, [['juliet@localhost', 'owner'], ['romeo@localhost', 'none']], undefined)!.record.affiliations, [['juliet@localhost', 'owner']])
  })
  it('a subscription of one device is one of the account, of a longer name it is not', () => {
    assert.ok(isSubscribed(node({}, { subscriptions: ['juliet@localhost/balcony'] }), Jid.parse('juliet@localhost/x')))
    assert.ok(!isSubscribed(node({}, { subscriptions: ['juliet@localhost.example'] }), Jid.parse('juliet@localhost')))
  })
})

describe('SEC-B02 the items of a node', () => {
  const fill = (ids: readonly string[], most: number): NodeState => ids.reduce((n, id) => added(n, entry(id), most).node, node())
  it('stand in the order of their publication; one of the same id moves to the end', () => {
    const n = fill(['a', 'b', 'c', 'a'], 9)
    assert.deepEqual(n.entries.map(e => e.id), ['b', 'c', 'a'])
    assert.ok(n.entries.every((e, i, all) => i === 0 || e.order > all[i - 1]!.order))
  })
  it('the oldest goes when there is one too many', () => {
    const n = fill(Array.from({ length: 256 }, (_, i) => `${i}`), 256)
    const { node: after, gone } = added(n, entry('new'), 256)
    assert.deepEqual([after.entries.length, after.entries.at(-1)!.id, gone.map(e => e.id)], [256, 'new', ['0']])
    assert.deepEqual(added(n, entry('7'), 256).gone, [])
  })
  it('where none may be kept, none is', () => assert.deepEqual(fill(['a'], 0).entries, []))
  it('are cut and taken out', () => {
    const n = fill(['a', 'b', 'c'], 9)
    assert.deepEqual(cut(n.entries, 2).gone.map(e => e.id), ['a'])
    assert.deepEqual(without(n, 'b').entries.map(e => e.id), ['a', 'c'])
  })
})

describe('pages of a list', () => {
  const all = ['a', 'b', 'c', 'd']
  const page = (p: { max: number; after?: string; before?: string; last?: boolean }) => pageOf(all, x => x, { last: false, ...p })
  it('from the start, after, before, from the end', () => {
    assert.deepEqual(page({ max: 2 }), { items: ['a', 'b'], index: 0 })
    assert.deepEqual(page({ max: 2, after: 'b' }), { items: ['c', 'd'], index: 2 })
    assert.deepEqual(page({ max: 2, before: 'd', last: true }), { items: ['b', 'c'], index: 1 })
    assert.deepEqual(page({ max: 3, last: true }), { items: ['b', 'c', 'd'], index: 1 })
    assert.deepEqual(page({ max: 9, after: 'a', before: 'c' }), { items: ['b'], index: 1 })
    assert.deepEqual(page({ max: 0 })!.items, [])
    assert.deepEqual(page({ max: 2, after: 'd' })!.items, [])
    assert.deepEqual(page({ max: 2, after: 'c', before: 'b' })!.items, [])
  })
  it('an item that is not there is not found', () => {
    assert.equal(page({ max: 2, after: 'z' }), undefined)
    assert.equal(page({ max: 2, before: 'z', last: true }), undefined)
  })
})
