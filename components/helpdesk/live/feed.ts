// One stream of server-sent events (HTML, "Server-sent events"): what waits for a slow reader is bounded, and the last event says why it ends.

/** Why a stream ends: too much waited; the right went; the token is over; there is nothing to see any more; nothing was heard of one who counts as here; the server stops; something broke here. */
export type Ending = 'slow' | 'forbidden' | 'token' | 'gone' | 'silent' | 'stopping' | 'broken'

const WORDS: Readonly<Record<Ending, string>> = {
  slow: 'You read too slowly: connect again with Last-Event-ID.', forbidden: 'You may not see this any more.', token: 'This token is over.', gone: 'There is nothing here any more.', silent: 'Nothing was heard of you: connect again, and ask something within each two minutes.',
  stopping: 'The server stops: connect again with Last-Event-ID.', broken: 'Something broke here: connect again with Last-Event-ID.',
}
const AGAIN = 3000 // ms until a reader connects again

/** One event as it is written; without an id the reader keeps the one before. */
export const written = (event: string, data: object, id?: string): string => `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

export class Feed {
  readonly #most: number
  readonly #waiting: string[] = []
  #size = 0
  #end: Ending | 'left' | undefined
  #wake: () => void = () => {}
  /** Called once, when nothing more is written. */
  onOver: () => void = () => {}
  /** Called once, as soon as it is to end: a reader who hangs has not read the last event yet. */
  onEnd: () => void = () => {}

  /** `most`: characters that may wait; a single event may be longer. */
  constructor(most: number) { this.#most = most }

  get isOpen(): boolean { return this.#end === undefined }

  send(event: string, data: object, id?: string): void {
    if (!this.isOpen) return
    const text = written(event, data, id)
    if (this.#size > 0 && this.#size + text.length > this.#most) { this.end('slow'); return }
    this.#waiting.push(text)
    this.#size += text.length
    this.#wake()
  }

  /** A comment, so that both sides and all between them see that the line lives; not needed while something waits. `id`: up to where the reader knows all. */
  beat(id?: string): void {
    if (!this.isOpen || this.#waiting.length > 0) return
    this.#waiting.push(id === undefined ? ':\n\n' : `:\nid: ${id}\n\n`)
    this.#wake()
  }

  /** The last event; what waits is dropped for who reads too slowly, and for who may not see it any more. */
  end(why: Ending): void {
    if (!this.isOpen) return
    this.#ends(why)
    if (why !== 'stopping') this.#waiting.length = 0
    this.#wake()
  }

  /** The reader is gone. */
  left(): void {
    this.#ends('left')
    this.#wake()
    this.onOver()
  }
  #ends(why: Ending | 'left'): void {
    if (!this.isOpen) return
    this.#end = why
    this.onEnd()
  }

  /** The whole: what `first` gives, then what is sent. */
  async *pieces(first: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.from(`retry: ${AGAIN}\n\n`)
      for await (const text of first) {
        if (!this.isOpen) break
        yield Buffer.from(text)
      }
      for (;;) {
        if (this.isOpen && this.#waiting.length === 0) await new Promise<void>(done => { this.#wake = done })
        const text = this.#waiting.splice(0).join('')
        this.#size = 0
        if (text !== '') yield Buffer.from(text)
        if (this.#end === 'left') return
        if (this.#end !== undefined && this.#waiting.length === 0) {
          yield Buffer.from(written('end', { reason: this.#end, title: WORDS[this.#end] }))
          return
        }
      }
    } finally { this.#ends('left'); this.onOver() }
  }
}
