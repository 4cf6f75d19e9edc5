// Walks through what the store gives by the page.
import type { AccountRecord, AccountStore, DocumentStore, Stored } from '../ports/store.ts'

const PAGE = 500

/** All accounts of a host, in the order of their names; who comes or goes meanwhile may be among them or not. */
export async function* everyAccount(accounts: Pick<AccountStore, 'list'>, host: string): AsyncIterable<AccountRecord> {
  for (let after = ''; ;) {
    const page = await accounts.list(host, { ...(after && { after }), limit: PAGE })
    yield* page
    const last = page.at(-1)
    if (!last || page.length < PAGE) return
    after = last.local
  }
}

/** All documents of an owner in a collection, in the order of their ids; what is written or removed meanwhile may be among them or not. */
export async function* everyDocument<T>(documents: Pick<DocumentStore, 'range'>, collection: string, owner: string): AsyncIterable<Stored<T>> {
  for (let after: string | undefined; ;) {
    const page = await documents.range<T>(collection, owner, { limit: PAGE, ...(after !== undefined && { after }) })
    yield* page
    const last = page.at(-1)
    if (!last || page.length < PAGE) return
    after = last.id
  }
}
