// Finding records again by their words and by what they are: interface only, shaped for SQLite's FTS5 and MongoDB's text indexes alike.

/** Where a word stands decides what a hit weighs: heading 8, names 4, notes 2, body 1. */
export type Section = 'heading' | 'names' | 'notes' | 'body'
export type Mark = string | number | boolean
export type Marks = Readonly<Record<string, Mark | readonly Mark[]>>

/** One record as it can be found. The store keeps its words, never the record. */
export interface SearchDocument {
  /** Unique within its space. */
  readonly id: string
  /** What "newest" and a range of dates mean for it, in ms since 1970. */
  readonly at: number
  readonly text: Readonly<Partial<Record<Section, string>>>
  /** What can be filtered by: queue, agents, status, email, deleted, custom fields. Any case of letters is the same. */
  readonly marks: Marks
  /** What hits can be put in order by: numbers, and texts in the order of their characters. */
  readonly order?: Readonly<Record<string, number | string>>
}

/** By what the documents keep for it; equals by `then`, and by date. `descending` turns all of it round. */
export interface Order {
  readonly by: string
  readonly then?: string
  readonly descending?: boolean
  /** What stands for a kept text: names that change, by ids that do not. */
  readonly names?: Readonly<Record<string, string>>
}

export interface SearchQuery {
  /** Every word must stand somewhere in the record; `"in quotes"` and `ann@example.org` must stand together. */
  readonly text?: string
  /** Every word must stand in that section. */
  readonly sections?: Readonly<Partial<Record<Exclude<Section, 'body'>, string>>>
  /** All must be so; a list means any of its values, an empty one nothing. */
  readonly where?: Marks
  /** At least one of these must be so, too: what the asker may see. An empty list finds nothing. */
  readonly within?: readonly Marks[]
  /** Both inside, in ms since 1970. */
  readonly since?: number
  readonly until?: number
  /** `weight` (the default) ranks the newest 200 that match, then the 200 before them, and so on; equals by date. By an `Order` all that match are looked at for each page. */
  readonly sort?: 'weight' | 'newest' | 'oldest' | Order
  /** How many match in all shall be told. */
  readonly count?: boolean
  /** 1 to 100; by an `Order` to 10,000. */
  readonly limit: number
  /** Where the last page ended. */
  readonly after?: string
}

export interface Hit { readonly id: string; readonly at: number; readonly weight: number }
export interface SearchPage { readonly hits: readonly Hit[]; /** For `after`, if there is more. */ readonly next?: string; /** Where it was asked for. */ readonly total?: number }

export interface SearchStore {
  /** Takes the place of the document with this id. Resolves when it is durable and can be found. */
  put(space: string, document: SearchDocument): Promise<void>
  /** Nothing of its words is left in the store. */
  remove(space: string, id: string): Promise<'ok' | 'missing'>
  /** `wrong` says in words for the asker why the query cannot be followed. */
  find(space: string, query: SearchQuery): Promise<SearchPage | { readonly wrong: string }>
}
