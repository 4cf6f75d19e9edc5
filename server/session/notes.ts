// What plugins remember on a session, an account or a passage, under typed names.

/** A typed name for something that a plugin keeps. Made once, at the top of the plugin's file. */
export class Note<T> {
  readonly name: string
  readonly initial: T
  constructor(name: string, initial: T) { this.name = name; this.initial = initial }
}
export function note<T>(name: string, initial: T): Note<T> {
  const made = new Note(name, initial)
  if (initial === false) flags.set(name, made as Note<unknown>) // the cast undoes Note<T> → Note<unknown>
  return made
}

const flags = new Map<string, Note<unknown>>() // those of type boolean, by name

export class Notes {
  #kept: Map<Note<unknown>, unknown> | undefined // most carry none
  get<T>(n: Note<T>): T { const kept = this.#kept; return kept !== undefined && kept.has(n as Note<unknown>) ? (kept.get(n as Note<unknown>) as T) : n.initial } // the cast undoes Note<T> → Note<unknown>
  /** The names of what was set from false to true: all that is worth keeping over a restart. */
  get flags(): string[] { return [...this.#kept ?? []].filter(([n, value]) => value === true && flags.get(n.name) === n).map(([n]) => n.name) }
  /** Sets them again. */
  recall(names: readonly string[]): void {
    for (const name of names) { const n = flags.get(name); if (n) this.set(n, true) }
  }

  set<T>(n: Note<T>, value: T): void { (this.#kept ??= new Map()).set(n as Note<unknown>, value) }
}
