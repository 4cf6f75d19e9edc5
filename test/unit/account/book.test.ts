import assert from 'node:assert/strict'
import { Book, type Draft } from '../../../server/account/book.ts'
import { refuse } from '../../../server/stanza/errors.ts'
import type { RosterItem, RosterStore } from '../../../server/ports/store.ts'

/** A store whose commits happen when the test says so. */
class SlowStore implements RosterStore {
  readonly written: { version: number; items: readonly RosterItem[] }[] = []
  readonly forgotten: string[] = []
  readonly #waiting: { go: () => void; fail: (e: Error) => void }[] = []
  load(): Promise<{ version: number; items: RosterItem[] }> { return Promise.resolve({ version: 0, items: [] }) }
  async put(_: string, version: number, items: readonly RosterItem[]): Promise<void> {
    await new Promise<void>((go, fail) => this.#waiting.push({ go, fail }))
    this.written.push({ version, items })
  }
  forget(_: string, jid: string): Promise<void> { this.forgotten.push(jid); return Promise.resolve() }
  async commit(): Promise<void> { this.#waiting.shift()!.go(); await turn() }
  async fail(): Promise<void> { this.#waiting.shift()!.fail(new Error('disk full')); await turn() }
  get waits(): number { return this.#waiting.length }
}
const turn = (): Promise<void> => new Promise(ok => setImmediate(ok))
const item = (jid: string, more: Partial<Draft> = {}): Draft => ({ jid, groups: [], subscription: 'none', ...more })
const open = (store = new SlowStore()): { book: Book; store: SlowStore; failures: unknown[] } => {
  const failures: unknown[] = []
  return { book: new Book('me@localhost', { version: 0, items: [] }, store, e => failures.push(e)), store, failures }
}

describe('a roster in memory', () => {
  it('shows a change only when it is committed, and tells of it then', async () => {
    const { book, store } = open()
    const told: string[] = []
    void book.amend(() => ({ put: [item('a@x', { subscription: 'from' })], then: done => { told.push(`${done[0]!.jid} ${done[0]!.version} ${book.isWatcher('a@x')}`) } }))
    assert.deepEqual([book.version, book.items.size, book.watchers.length, told.length], [0, 0, 0, 0])
    await store.commit()
    assert.deepEqual(told, ['a@x 1 true'])
    assert.deepEqual(book.watchers.map(String), ['a@x'])
  })

  it('decides on a change only when the one before it is committed', async () => {
    const { book, store } = open()
    void book.amend(() => ({ put: [item('a@x')] }))
    let seen: boolean | undefined
    const second = book.amend(() => { seen = book.items.has('a@x'); return undefined })
    assert.equal(seen, undefined)
    await store.commit()
    await second
    assert.equal(seen, true)
    assert.equal(book.busy, undefined)
  })

  it('has changed nothing when the store could not write, and goes on', async () => {
    const { book, store, failures } = open()
    const first = book.amend(() => ({ put: [item('a@x')], then: () => assert.fail('told of what is not there') }))
    const second = book.amend(() => ({ put: [item('b@x')] }))
    await store.fail()
    assert.deepEqual(await first, refuse('internal-server-error'))
    await store.commit()
    assert.equal(await second, undefined)
    assert.deepEqual([...book.items.keys()], ['b@x'])
    assert.equal(book.version, 1)
    assert.equal(failures.length, 1)
  })

  it('needs no promise for what changes nothing', () => {
    const { book } = open()
    assert.equal(book.amend(() => undefined), undefined)
    assert.deepEqual(book.amend(() => refuse('item-not-found')), refuse('item-not-found'))
    let told = false
    assert.equal(book.amend(() => ({ then: () => { told = true } })), undefined)
    assert.ok(told)
  })

  it('makes no new version for what no client sees', async () => {
    const { book, store } = open()
    void book.amend(() => ({ put: [item('a@x', { listed: false, request: '<presence/>' })] }))
    await store.commit()
    assert.equal(book.version, 0)
    assert.deepEqual(book.listed, [])
  })

  it('gives each item of one change a version of its own', async () => {
    const { book, store } = open()
    void book.amend(() => ({ put: [item('a@x'), item('b@x')] }))
    await store.commit()
    assert.deepEqual(book.listed.map(i => i.version), [1, 2])
  })

  it('does not remember every contact that was ever removed', async () => {
    const { book, store } = open()
    for (let i = 0; i < 300; i++) {
      const jid = `c${i}@help.localhost`
      void book.amend(() => ({ put: [item(jid)] }))
      await store.commit()
      void book.amend(() => ({ put: [item(jid, { removed: true, listed: false })] }))
      await store.commit()
    }
    assert.equal(book.items.size < 260, true)
    assert.equal(book.floor > 0, true)
    assert.equal([...book.items.values()].every(i => i.version > book.floor), true)
    const again = new Book('me@localhost', { version: book.version, items: store.written.flatMap(w => w.items).filter(i => i.jid === '').slice(-1) }, store, () => {})
    assert.equal(again.floor, book.floor)
  })

  it('lets what follows a change come back to the same roster', async () => {
    const { book, store } = open()
    let inner: unknown = 'not yet'
    void book.amend(() => ({ put: [item('a@x')], then: async () => { inner = await book.amend(() => ({ put: [item('b@x')] })) } }))
    await store.commit()
    assert.equal(store.waits, 1)
    await store.commit()
    assert.equal(inner, undefined)
    assert.deepEqual([...book.items.keys()], ['a@x', 'b@x'])
  })
})
