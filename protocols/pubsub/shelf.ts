// Where nodes and their items are kept: two collections of documents, under the address that the service has.
import type { DocumentStore } from '../../server/api.ts'
import type { Entry, NodeRecord } from './node.ts'

const APART = '\u001f' // between node and item; XML has no such character
const BEYOND = '\u0020'
const PAGE = 100

type Item = Omit<Entry, 'id'> & { readonly payload: string }

export class Shelf {
  readonly #documents: DocumentStore
  readonly #owner: string
  readonly #nodes: string
  readonly #items: string

  /** `prefix` names the collections: <prefix>-node and <prefix>-item. */
  constructor(documents: DocumentStore, owner: string, prefix: string) {
    this.#documents = documents
    this.#owner = owner
    this.#nodes = `${prefix}-node`
    this.#items = `${prefix}-item`
  }

  async nodes(): Promise<(readonly [string, NodeRecord])[]> {
    return (await this.#all<NodeRecord>(this.#nodes)).map(({ id, value }) => [id, value] as const)
  }

  /** The items of a node, in the order of their publication. */
  async entries(node: string): Promise<Entry[]> {
    const all = await this.#all<Item>(this.#items, node)
    return all.map(({ id, value: { order, at, publisher, size } }) => ({ id: id.slice(node.length + 1), order, at, publisher, size })).sort((a, b) => a.order - b.order)
  }

  /** The payloads of some items as text, by id; '' for an item without one. */
  async payloads(node: string, ids: readonly string[], ofAll: number): Promise<Map<string, string>> {
    const few = ids.length * 2 < ofAll
    const found = few
      ? (await Promise.all(ids.map(id => this.#documents.get<Item>(this.#items, this.#owner, key(node, id))))).filter(d => d !== undefined)
      : await this.#all<Item>(this.#items, node)
    return new Map(found.map(({ id, value }) => [id.slice(node.length + 1), value.payload]))
  }

  async putNode(name: string, record: NodeRecord): Promise<void> { await this.#documents.put(this.#nodes, this.#owner, name, record) }

  async putItem(node: string, { id, ...rest }: Entry, payload: string): Promise<void> {
    await this.#documents.put<Item>(this.#items, this.#owner, key(node, id), { ...rest, payload })
  }

  async dropItems(node: string, ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map(id => this.#documents.remove(this.#items, this.#owner, key(node, id))))
  }

  /** The items first: none shall be there when a node of the same name is made again. */
  async dropNode(name: string, ids: readonly string[]): Promise<void> {
    await this.dropItems(name, ids)
    await this.#documents.remove(this.#nodes, this.#owner, name)
  }

  async #all<T>(collection: string, node?: string): Promise<{ id: string; value: T }[]> {
    const found: { id: string; value: T }[] = []
    let after = node === undefined ? undefined : node + APART
    for (;;) {
      const page = await this.#documents.range<T>(collection, this.#owner, { limit: PAGE, ...(after !== undefined && { after }), ...(node !== undefined && { before: node + BEYOND }) })
      found.push(...page)
      if (page.length < PAGE) return found
      after = page.at(-1)!.id
    }
  }
}

const key = (node: string, id: string): string => node + APART + id
