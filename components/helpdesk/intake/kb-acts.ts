// `!kb`: what is known about something, articles and resolutions, and what an agent is shown when he gets a conversation (ST-02, ST-49, ST-50) (shell).
import { no, yes, type Act } from '../answers.ts'
import type { Commit } from '../book.ts'
import type { View } from '../ground.ts'
import type { Office } from '../office.ts'
import { readWanted } from '../records/finding.ts'
import { short } from '../sentences.ts'
import type { OperatorView } from '../views/operators.ts'
import type { KnowledgeHandler } from './kb-commands.ts'
import { wordsOf, type Found } from './knowledge.ts'

const SHOWN = 5
const HINTS = 3

const listed = (found: readonly Found[]): string[] => found.map((f, i) => `${i + 1}. ${f.title}${f.url === undefined ? '' : ` ${f.url}`}${f.text === '' ? '' : `\n   ${short(f.text, 200)}`}`)
const opening = async (o: Office, n: number): Promise<string> => (await o.lines.after(n, 0, 5)).find(l => l.by === 'customer')?.body ?? ''

export const KNOWLEDGE_ACTS = {
  async kb(o, c) {
    const n = c.n ?? c.here
    const words = c.args['words'] ?? (n === undefined ? '' : await opening(o, n))
    if (words.trim() === '') return no('About what? `!kb words`.')
    const found = await o.knowledge.suggest(words, { open: false, limit: SHOWN })
    const wanted = readWanted(new URLSearchParams({ q: wordsOf(words)[0] ?? words, limit: '20' }), () => undefined, () => false)
    const conversations = 'wrong' in wanted ? wanted : await o.records.find(c.by, wanted)
    const resolutions: string[] = []
    if (!('wrong' in conversations)) {
      const asked = wordsOf(words)
      for (const { number } of conversations.items) for (const r of (await o.dossiers.get(number)).resolutions) if (asked.some(w => r.text.toLowerCase().includes(w))) resolutions.push(`Resolved in #${number}: ${short(r.text, 200)}`)
    }
    const all = [...listed(found), ...resolutions.slice(0, SHOWN)]
    return yes(all.length > 0 ? all.join('\n') : 'Nothing is known about that.')
  },
} satisfies Record<KnowledgeHandler, Act>

/** Who gets a conversation from the queue is shown what may help, once he has read what it is about. */
export class Hints implements View {
  readonly #office: Office
  readonly #operators: OperatorView
  constructor(office: Office, operators: OperatorView) { this.#office = office; this.#operators = operators }

  onCommit({ n, before, after }: Commit): void {
    if (after.is !== 'active' || (before.is !== 'waiting' && before.is !== 'offered')) return
    const { owner, queue } = after
    this.#office.later(async () => {
      const found = await this.#office.knowledge.suggest(await opening(this.#office, n), { queue, open: false, limit: HINTS })
      if (found.length > 0) this.#operators.bot(owner, `#${n}: this may help\n${listed(found).join('\n')}`, false)
    })
  }
}
