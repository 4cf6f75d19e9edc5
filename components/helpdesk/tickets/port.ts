// Where tickets are kept: the built-in store, or a system of the admin's (interface).

/** What a conversation leaves in a ticket. `key` is unique: the same article a second time replaces the first. */
export interface Article { readonly key: string; readonly at: number; readonly by: string; readonly conversation: number; readonly body: string }
export interface Ticket { readonly number: number; readonly subject: string; readonly queue: string; readonly customer: string; readonly opened: number; /** absent: open */ readonly status?: string; /** the customer's */ readonly email?: string; /** of its head */ readonly version?: number; readonly articles: readonly Article[] }

/** What is split off a ticket: which articles, under which subject. */
export interface SplitOff { readonly articles: readonly string[]; readonly subject: string; readonly key: string; readonly at: number }

export interface Tickets {
  /** Makes a ticket with this article, or gives the one that a call with the same key made. */
  open(ticket: Pick<Ticket, 'subject' | 'queue' | 'customer' | 'email'>, article: Article): Promise<number>
  /** Adds the article, once. */
  append(number: number, article: Article): Promise<'ok' | 'missing'>
  get(number: number): Promise<Ticket | undefined>
  /** Changes what stands at its head, if it still is at version `expected`; gives the new version. */
  change(number: number, news: { readonly subject?: string; readonly status?: string }, expected?: number): Promise<number | 'missing' | 'conflict'>
  /** Puts the articles of one into another, and nothing is left of it but where they went. */
  merge(number: number, into: number): Promise<'ok' | 'missing'>
  /** Puts some articles of a ticket, named by their keys, into a new one; the same `key` again is the same split. `unknown`: it has not all of them; `all`: one must stay; `elsewhere`: another system keeps them. */
  split(number: number, off: SplitOff): Promise<number | 'missing' | 'unknown' | 'all' | 'elsewhere'>
  /** The tickets that hold something of a conversation. */
  of(conversation: number): Promise<Ticket[]>
  /** Removes the desk's own copies of what was said in a conversation, and from the same tickets what belongs to none and `names` the person; gives how many articles went. */
  forget(conversation: number, names?: (text: string) => boolean): Promise<number>
  /** What belongs to no conversation and is about a person: all of a ticket whose customer `names` fits, else the articles and the subjects that it fits; of a ticket that holds some conversation too (`about`), articles alone. Counts it, and removes it if so told. */
  about(names: (text: string, about?: number) => boolean, remove: boolean): Promise<number>
  /** After a start: ends what was begun. */
  resume(): Promise<void>
  /** The newest first, without their articles. */
  list(page: { before?: number | undefined; limit: number }): Promise<Omit<Ticket, 'articles'>[]>
}
