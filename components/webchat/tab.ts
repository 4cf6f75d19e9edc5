// One page that shows the widget: what it was told so far, and what it must be told again.
import type { FromBridge, LineView } from '../../schemas/webchat.ts'

/** How a page is reached: a WebSocket, or a session that polls. */
export interface Door {
  /** The browser's network address. */
  readonly address: string
  tell(m: FromBridge): void
  /** Ends the connection; the page comes back by itself and goes on where it was. */
  close(): void
}

/** Fetches the lines after `seq`; undefined where they could not be had. */
export type Fetch = (conversation: number, after: number) => Promise<{ complete: boolean; lines: readonly LineView[] } | undefined>

/** A page's place in the conversation: lines go out in the order of their seq, each once, gaps are fetched. */
export class Tab {
  readonly door: Door
  conversation = 0
  seq = 0 // of the last line told
  readonly #fetch: Fetch
  #fetching = false
  #again = false
  constructor(door: Door, fetch: Fetch) { this.door = door; this.#fetch = fetch }

  /** From here on the page shows `conversation`, and has its lines up to `seq`. */
  goTo(conversation: number, seq: number): void {
    this.conversation = conversation
    this.seq = seq
  }

  /** A line that was just written, or fetched. */
  line(l: LineView): void {
    if (l.conversation < this.conversation) return
    if (l.conversation > this.conversation) this.goTo(l.conversation, 0)
    if (l.seq <= this.seq) return
    if (l.seq > this.seq + 1) return void this.fill()
    this.seq = l.seq
    this.door.tell({ type: 'line', ...l })
  }

  /** Fetches what is missing. */
  async fill(): Promise<void> {
    this.#again = true
    if (this.#fetching) return
    this.#fetching = true
    while (this.#again) {
      this.#again = false
      const { conversation, seq } = this
      const page = conversation ? await this.#fetch(conversation, seq) : undefined
      if (!page) break
      if (conversation !== this.conversation) { this.#again = true; continue }
      for (const l of page.lines) if (l.conversation === conversation && l.seq === this.seq + 1) this.line(l) // a gap in the record itself is not asked for again
      if (!page.complete && this.seq > seq) this.#again = true
    }
    this.#fetching = false
  }
}
