// What outlives the page: who the browser is (all tabs), and what was typed or not sent yet (this tab).
import type { Draft, Granted, Unsent } from './talk.ts'

/** Shared by all tabs of the site. */
export interface Shared { token?: string; name?: string; live?: boolean; hidden?: boolean; granted?: Granted }
/** Of this tab. */
export interface Own { draft?: string; outbox?: Unsent[]; wish?: Draft }

export class Memory {
  readonly #key: string
  #shared: Shared = {} // where the browser keeps nothing, the page does
  constructor(key: string) { this.#key = key }

  get shared(): Shared { return read(() => localStorage, this.#key) ?? this.#shared }
  share(more: Shared): void {
    this.#shared = { ...this.shared, ...more }
    write(() => localStorage, this.#key, this.#shared)
  }

  get own(): Own { return read<Own>(() => sessionStorage, this.#key) ?? {} }
  keep(own: Own): void { write(() => sessionStorage, this.#key, own) }

  /** Rings when another tab changed what is shared. */
  watch(changed: () => void): void {
    addEventListener('storage', e => { if (e.key === this.#key) changed() })
  }
}

function read<T>(area: () => Storage, key: string): T | undefined {
  try {
    const text = area().getItem(key)
    return text ? JSON.parse(text) as T : undefined // only we write under this key
  } catch {
    return undefined // storage is refused or full of something else
  }
}

function write(area: () => Storage, key: string, value: object): void {
  try { area().setItem(key, JSON.stringify(value)) } catch { /* refused: then it lives as long as the page */ }
}
