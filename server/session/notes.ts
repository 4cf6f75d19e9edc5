// What plugins remember on a session, an account or a passage, under typed names.

/** A typed name for something that a plugin keeps. Made once, at the top of the plugin's file. */
export class Note<T> {
  readonly name: string
  readonly initial: T
  constructor(name: string, initial: T) { this.name = name; this.initial = initial }
}
export const note = <T>(name: string, initial: T): Note<T> => new Note(name, initial)

export class Notes {
  #kept: Map<Note<unknown>, unknown> | undefined // most carry none
  get<T>(n: Note<T>): T { const kept = this.#kept; return kept !== undefined && kept.has(n as Note<unknown>) ? (kept.get(n as Note<unknown>) as T) : n.initial } // the cast undoes Note<T> → Note<unknown>
  set<T>(n: Note<T>, value: T): void { (this.#kept ??= new Map()).set(n as Note<unknown>, value) }
}
