// Translations beneath customers' lines, for agents who do not read their language (SS-21; shell).
import type { Commit } from '../book.ts'
import type { Bare, Present } from '../facts.ts'
import type { Line } from '../lines.ts'
import type { Office } from '../office.ts'
import type { View } from '../ground.ts'
import { operatorsIn } from '../policy.ts'
import type { OperatorView } from '../views/operators.ts'
import { isWords, translatedLine } from './translation.ts'

const MOST_WAITING = 20 // errands of one conversation; what comes beyond goes untranslated
const MOST_BEFORE = 10 // lines said before he came that an agent gets translated

/** SS-21: the customer's public lines reach each agent in the conversation with the translation beneath, unless he reads that language. */
export class Translations implements View {
  readonly #o: Office
  readonly #operators: OperatorView
  readonly #turns = new Map<number, { waiting: number; turn: Promise<void> }>()
  /** Conversations whose agents know that it does not work. */
  readonly #told = new Set<number>()
  #stopped = false
  constructor(office: Office, operators: OperatorView) { this.#o = office; this.#operators = operators }

  onCommit({ n, before, after, lines }: Commit): void {
    if (after.is === 'absent' || after.is === 'closed') { this.#told.delete(n); return }
    if (!this.#o.translation.on) return
    const here = new Set(operatorsIn(before))
    const [old, fresh] = [operatorsIn(after).filter(j => here.has(j)), operatorsIn(after).filter(j => !here.has(j))]
    const said = lines.filter(isWords)
    if (old.length > 0 && said.length > 0) this.#next(n, () => this.#spread(n, after, said, old))
    if (fresh.length > 0) this.#next(n, async () => this.#spread(n, after, (await this.#o.lines.all(n, after.lines)).filter(isWords).slice(-MOST_BEFORE), fresh))
  }

  /** What is under way ends unheard. */
  stop(): void { this.#stopped = true }

  /** One after the other, as the lines came; nobody waits for it. */
  #next(n: number, work: () => Promise<void>): void {
    const now = this.#turns.get(n) ?? { waiting: 0, turn: Promise.resolve() }
    if (now.waiting >= MOST_WAITING) return
    now.waiting++
    now.turn = now.turn.then(() => this.#stopped ? undefined : work())
      .catch((error: unknown) => { if (!this.#stopped) this.#o.link.log.warn({ err: error, conversation: n }, 'lines were not translated') })
      .finally(() => { if (--now.waiting === 0) this.#turns.delete(n) })
    this.#turns.set(n, now)
  }

  async #spread(n: number, s: Present, lines: readonly Line[], readers: readonly Bare[]): Promise<void> {
    const { translation } = this.#o
    const spoken = this.#o.customerOf(s)?.language
    const foreign = readers.filter(jid => spoken === undefined || !translation.reads(jid, spoken))
    for (const to of new Set(foreign.map(jid => translation.languageOf(jid)))) {
      const these = foreign.filter(jid => translation.languageOf(jid) === to)
      for (const line of lines) {
        const t = await translation.translate(line.body, to)
        if (this.#stopped) return
        if (t.is === 'translated') {
          this.#told.delete(n)
          if (t.text.trim() === line.body.trim()) continue
          for (const jid of these) if (t.from === undefined || !translation.reads(jid, t.from)) this.#operators.window(jid, s).notice(n, jid, translatedLine(t, to))
        } else {
          if (!this.#told.has(n)) for (const jid of these) this.#operators.window(jid, s).notice(n, jid, t.because)
          this.#told.add(n)
          break
        }
      }
    }
  }
}
