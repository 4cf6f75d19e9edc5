// Who wants to hear of one thing.

/** Listeners that are told one after the other. */
export class Listeners {
  readonly #all = new Set<() => void>()

  /** Disposing what is given ends it. */
  add(listener: () => void): Disposable {
    this.#all.add(listener)
    return { [Symbol.dispose]: () => { this.#all.delete(listener) } }
  }

  tell(): void { for (const l of this.#all) l() }
}
