// One write out: what a connection is sent in one turn of the event loop goes out together.

/** Gathers what one turn of the event loop sends and writes it once. */
export class Outbox {
  static #dirty: Outbox[] = []
  static #scheduled = false
  readonly #write: (text: string) => void
  #text = ''
  constructor(write: (text: string) => void) { this.#write = write }

  /** Characters that wait. */
  get length(): number { return this.#text.length }

  send(text: string): void {
    if (this.#text === '') Outbox.#enlist(this)
    this.#text += text
  }

  /** Writes now what waits. */
  flush(): void {
    const text = this.#text
    if (text === '') return
    this.#text = ''
    this.#write(text)
  }

  static #enlist(box: Outbox): void {
    Outbox.#dirty.push(box)
    if (Outbox.#scheduled) return
    Outbox.#scheduled = true
    setImmediate(() => {
      Outbox.#scheduled = false
      const boxes = Outbox.#dirty
      Outbox.#dirty = []
      for (const b of boxes) b.flush()
    })
  }
}
