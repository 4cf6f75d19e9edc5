// The form before a chat: which custom fields a customer is asked for, and whether what he filled in fits (ST-56). Pure.

import type { DeskSettings, FieldSetting } from '../../../schemas/desk-settings.ts'

export type Filled = Readonly<Record<string, string>>
const MOST = 2000 // characters in one answer

/** The fields asked for before the chat; `departments` = those the customer may choose, or has chosen. */
export const asked = (s: DeskSettings, departments: readonly string[]): readonly (readonly [string, FieldSetting])[] =>
  Object.entries(s.fields).filter(([, f]) => f.ask && (f.departments.length === 0 || f.departments.some(d => departments.includes(d))))

/** What is kept of the answers, or what is wrong with one. Fields that nobody asked for are left out. */
export function fill(asking: readonly (readonly [string, FieldSetting])[], given: Filled): { readonly fields: Filled } | { readonly wrong: string } {
  const fields: Record<string, string> = {}
  for (const [name, f] of asking) {
    const text = (Object.hasOwn(given, name) ? given[name] ?? '' : '').trim()
    if (text === '') { if (f.required) return { wrong: `${f.label}: please fill this in.` }; continue }
    if ([...text].length > MOST) return { wrong: `${f.label}: at most ${MOST} characters.` }
    const wrong = misfit(f, text)
    if (wrong !== undefined) return { wrong: `${f.label}: ${wrong}` }
    fields[name] = text
  }
  return { fields }
}

function misfit(f: FieldSetting, text: string): string | undefined {
  switch (f.kind) {
    case 'text': return /\n/.test(text) ? 'one line, please.' : undefined
    case 'lines': return undefined
    case 'number': return /^[+-]?\d{1,15}([.,]\d{1,6})?$/.test(text) ? undefined : 'a number, please.'
    case 'yes-no': return text === 'yes' || text === 'no' ? undefined : 'yes or no, please.'
    case 'choice': return f.choices.includes(text) ? undefined : `one of ${f.choices.join(', ')}, please.`
  }
}
