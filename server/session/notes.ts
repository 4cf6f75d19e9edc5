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
  #kept: unknown[] | undefined // a note, its value, a note, its value: most carry none, the others so few that looking through them is quicker than a hash
  get<T>(n: Note<T>): T {
    const at = this.#at(n)
    return at < 0 ? n.initial : this.#kept![at + 1] as T // it was found there, and set() saw to the type
  }
  /** The names of what was set from false to true: all that is worth keeping over a restart. */
  get flags(): string[] { return [...flags.values()].filter(n => this.get(n) === true).map(n => n.name) }
  /** Sets them again. */
  recall(names: readonly string[]): void {
    for (const name of names) { const n = flags.get(name); if (n) this.set(n, true) }
  }

  set<T>(n: Note<T>, value: T): void {
    const at = this.#at(n)
    if (at < 0) this.#kept = this.#kept ? [...this.#kept, n, value] : [n, value] // no longer than it has to be
    else this.#kept![at + 1] = value // it was found there
  }

  #at(n: object): number {
    const kept = this.#kept
    if (kept !== undefined) for (let i = 0; i < kept.length; i += 2) if (kept[i] === n) return i
    return -1
  }
}
