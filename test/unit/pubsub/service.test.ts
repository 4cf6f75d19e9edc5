import assert from 'node:assert/strict'
import { PERSONAL } from '../../../protocols/pubsub/config.ts'
import type { World } from '../../../protocols/pubsub/nodes.ts'
import { Pubsub } from '../../../protocols/pubsub/service.ts'
import { Shelf } from '../../../protocols/pubsub/shelf.ts'
import { el, form, Jid, StanzaError, type Element } from '../../../server/api.ts'
import { openSqlite } from '../../../server/store/sqlite/sqlite.ts'
import { StoreError, type DocumentStore, type Stores } from '../../../server/ports/store.ts'

const romeo = Jid.parse('romeo@localhost/x')
const payload = (text: string): Element => el('x', 'urn:x', {}, text)

/** A service over a store in memory whose writes can be made to fail. */
class Stage implements AsyncDisposable {
  readonly told: string[] = []
  stores!: Stores
  service!: Pubsub
  fails: (collection: string, id: string) => boolean = () => false
  #ids = 0

  static async open(config: Partial<typeof PERSONAL> = {}): Promise<Stage> {
    const stage = new Stage()
    stage.stores = await openSqlite({ file: ':memory:' })
    stage.service = await stage.again(config)
    return stage
  }

  again(config: Partial<typeof PERSONAL> = {}): Promise<Pubsub> {
    const { documents } = this.stores
    const guard = (collection: string, id: string): void => { if (this.fails(collection, id)) throw new StoreError('full') }
    const store: DocumentStore = {
      get: (...a) => documents.get(...a), range: (...a) => documents.range(...a),
      put: async (...a) => { guard(a[0], a[2]); return await documents.put(...a) },
      remove: async (...a) => { guard(a[0], a[2]); return await documents.remove(...a) },
    }
    const world: World = {
      owner: romeo.bare, defaults: { ...PERSONAL, maxItems: 'max', ...config },
      limits: () => ({ models: new Set(['open', 'presence', 'whitelist']), items: 3, itemBytes: 1000, nodes: 10, subscriptions: 10, answer: 100 }),
      mayCreate: who => who.bare === romeo.bare, standing: jid => ({ jid, watches: false, groups: [] }),
      now: () => 1000, newId: () => `made${++this.#ids}`,
      notify: (node, event) => { this.told.push(`${node.name} ${event.elements[0]!.toString().replace(/ xmlns='[^']*'/g, '')}`) },
      asks: () => {}, changed: () => {},
    }
    return Pubsub.open(new Shelf(store, romeo.bare, 'pep'), world)
  }

  async ids(service = this.service): Promise<string[]> { return (await service.all('n')).map(i => `${i.id}=${i.payload?.text}`) }
  async [Symbol.asyncDispose](): Promise<void> { await this.stores.close() }
}

describe('the nodes of a service', () => {
  it('an item that the store could not keep is not there, and nobody hears of it', async () => {
    await using s = await Stage.open()
    await s.service.publish('n', romeo, { id: 'a', payload: payload('1') })
    s.fails = c => c === 'pep-item'
    await assert.rejects(s.service.publish('n', romeo, { id: 'a', payload: payload('2') }))
    await assert.rejects(s.service.publish('n', romeo, { id: 'b', payload: payload('3') }))
    s.fails = () => false
    assert.deepEqual(await s.ids(), ['a=1'])
    assert.equal(s.told.length, 1)
    await s.service.publish('n', romeo, { id: 'c', payload: payload('4') })
    assert.deepEqual(await s.ids(), ['a=1', 'c=4'])
    assert.deepEqual(await s.ids(await s.again()), ['a=1', 'c=4'])
  })

  it('a removal that fails leaves the item, a deletion that fails in its midst leaves the node', async () => {
    await using s = await Stage.open()
    for (const id of ['a', 'b']) await s.service.publish('n', romeo, { id, payload: payload(id) })
    s.fails = (c, id) => c === 'pep-item' && id.endsWith('b')
    await assert.rejects(s.service.retract('n', romeo, 'b', true))
    await assert.rejects(s.service.remove('n', romeo))
    assert.ok(s.service.has('n'))
    s.fails = () => false
    assert.equal(await s.service.remove('n', romeo), undefined)
    await s.service.create('n', romeo)
    assert.deepEqual(await s.ids(), [], 'a node of the same name begins empty')
    assert.deepEqual(await s.ids(await s.again()), [])
  })

  it('changes asked for at once are made one after the other', async () => {
    await using s = await Stage.open()
    const done = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(id => s.service.publish('n', romeo, { id, payload: payload(id) })))
    assert.ok(done.every(d => !(d instanceof StanzaError)))
    assert.deepEqual(await s.ids(), ['c=c', 'd=d', 'e=e'])
    assert.deepEqual(s.told.map(t => /id='(.)'/.exec(t)![1]), ['a', 'b', 'c', 'd', 'e'])
    assert.deepEqual(await s.ids(await s.again()), ['c=c', 'd=d', 'e=e'], 'the oldest are off the shelf, too')
  })

  it('two nodes whose names begin alike keep their items apart', async () => {
    await using s = await Stage.open()
    for (const node of ['n', 'n ', 'n-', 'nn', 'N']) await s.service.publish(node, romeo, { id: 'a', payload: payload(node) })
    const again = await s.again()
    for (const node of ['n', 'n ', 'n-', 'nn', 'N']) assert.deepEqual((await again.all(node)).map(i => i.payload?.text), [node])
  })

  it('an answer that would be too long carries the newest items, and says how many there are', async () => {
    await using s = await Stage.open()
    for (const id of ['a', 'b', 'c']) await s.service.publish('n', romeo, { id, payload: payload('x'.repeat(40)) })
    const answer = await s.service.items('n', romeo, { ids: [] })
    assert.ok(!(answer instanceof StanzaError))
    assert.deepEqual(answer.child('items')!.elements.map(e => e.attrs['id']), ['c'])
    assert.equal(answer.child('set', 'http://jabber.org/protocol/rsm')!.child('count')!.text, '3')
  })

  it('a node that keeps nothing remembers the last item while the server runs', async () => {
    await using s = await Stage.open({ persist: false })
    await s.service.publish('n', romeo, { id: 'a', payload: payload('1') })
    await s.service.publish('n', romeo, { id: 'b', payload: payload('2') })
    assert.equal((await s.service.last('n'))?.payload?.text, '2')
    assert.deepEqual(await s.ids(), ['b=2'])
    assert.deepEqual(await s.ids(await s.again()), [])
  })

  it('fewer items than there are: the oldest go when the node is configured so', async () => {
    await using s = await Stage.open()
    for (const id of ['a', 'b', 'c']) await s.service.publish('n', romeo, { id, payload: payload(id) })
    assert.equal(await s.service.configure('n', romeo, form({ type: 'submit', fields: [{ var: 'pubsub#max_items', value: '1' }] })), undefined)
    assert.deepEqual(await s.ids(), ['c=c'])
    assert.deepEqual(await s.ids(await s.again()), ['c=c'])
  })
})
