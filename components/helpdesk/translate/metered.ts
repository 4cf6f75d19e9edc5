// Counts what is translated: every attempt and its characters, month by month, before it is made (shell).
import type { Clock, DocumentStore } from '../../../server/api.ts'
import type { Translator } from './port.ts'

/** `month`: `2026-11`, in UTC. */
export interface Usage { readonly month: string; readonly requests: number; readonly characters: number }
type Count = Omit<Usage, 'month'>

const COLLECTION = 'desk-translations'
const MOST = 5000 // characters
const LANGUAGE = /^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/i

/** Whether it is written as BCP 47 has languages. */
export const isLanguage = (text: string): boolean => LANGUAGE.test(text)

export interface Metered extends Translator {
  /** The newest months first. */
  usage(months: number): Promise<Usage[]>
}

/** What is refused (no such language, too long a text, translation switched off) is never sent, and not counted. */
export function metered(translator: Translator, { documents, desk, clock, on }: { documents: DocumentStore; desk: string; clock: Clock; /** Whether a service is chosen. */ on: boolean }): Metered {
  async function count(characters: number): Promise<void> {
    const month = new Date(clock.now()).toISOString().slice(0, 7)
    for (;;) {
      const old = await documents.get<Count>(COLLECTION, desk, month)
      const next: Count = { requests: (old?.value.requests ?? 0) + 1, characters: (old?.value.characters ?? 0) + characters }
      if (await documents.put(COLLECTION, desk, month, next, old?.version ?? 0) !== 'conflict') return
    }
  }
  return {
    translate: async (text, to, from) => {
      if (![to, ...from === undefined ? [] : [from]].every(isLanguage)) return { is: 'refused', because: 'Not translated: this is no language. Write such as en, de or pt-BR.' }
      if (text.trim() === '') return { is: 'translated', text }
      if (text.length > MOST) return { is: 'refused', because: `Not translated: a text may have at most ${MOST} characters.` }
      if (on) await count([...text].length)
      return translator.translate(text, to, from)
    },
    usage: async months => (await documents.range<Count>(COLLECTION, desk, { limit: months, reverse: true })).map(d => ({ month: d.id, ...d.value })),
  }
}
