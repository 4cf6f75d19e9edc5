// REST for translation: who translates, and how much was translated (shell).
import { ok, whole, type Door, type Route } from '../api/door.ts'
import { count, list, shape, text } from '../api/shapes.ts'

const MOST = 120 // months
const USAGE = shape({ month: { ...text, description: '2026-11, in UTC' }, requests: count, characters: count })

export function translationRoutes({ office: o }: Door): readonly Route[] {
  return [{
    method: 'GET', path: '/translation', id: 'translation', scope: 'settings:read', needs: 'settings.view', summary: 'Who translates, and the requests and characters of each month, the newest first; attempts that failed count too',
    query: { months: { type: 'integer', minimum: 1, maximum: MOST, description: 'How many months with any; 12 unless told otherwise.' } },
    answer: shape({ method: text, language: text, usage: list(USAGE) }),
    async handle(r) {
      const { method, language } = o.rules.now.translation
      return ok({ method, language, usage: await o.translation.usage(Math.max(1, whole(r.query.get('months'), 12, MOST))) })
    },
  }]
}
