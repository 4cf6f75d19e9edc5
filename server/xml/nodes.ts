// The children of all elements that are open, in one stack. Pure.
import { NO_CHILDREN, type Element, type Node } from './element.ts'

export class Nodes {
  // Never cut short, for that costs an array each time; what is above the top is undefined, so that nothing is kept alive.
  readonly #stack: (Node | undefined)[] = []
  #top = 0

  /** Where the children of an element that begins now will begin. */
  get top(): number {
    return this.#top
  }

  add(node: Element | string): void {
    if (this.#top === this.#stack.length) this.#stack.push(node)
    else this.#stack[this.#top] = node
    this.#top++
  }

  /** Adds text to an element whose children begin at `first`: one node with the text right before. */
  addText(text: string, first: number): void {
    const last = this.#top - 1
    if (last >= first && typeof this.#stack[last] === 'string') this.#stack[last] += text
    else if (text !== '') this.add(text)
  }

  /** Removes the children from `first` on. */
  take(first: number): readonly Node[] {
    const top = this.#top
    if (top === first) return NO_CHILDREN
    const stack = this.#stack
    this.#top = first
    if (top === first + 1) {
      const only = stack[first]! // below the top all are set
      stack[first] = undefined
      return [only]
    }
    const taken = stack.slice(first, top) as Node[] // likewise
    for (let i = first; i < top; i++) stack[i] = undefined
    return taken
  }
}
