// Translation services over HTTP: LibreTranslate and what speaks like it, Google, Microsoft (adapters).
import type { Clock } from '../../../server/api.ts'
import type { Errand, Fetcher } from '../webhooks/fetcher.ts'
import type { Translated, Translator } from './port.ts'

export type TranslationSetting =
  | { readonly method: 'none' }
  | { readonly method: 'libre'; readonly url: string; readonly key?: string }
  | { readonly method: 'google'; readonly key: string; readonly url?: string }
  | { readonly method: 'microsoft'; readonly clientId: string; readonly secret: string; readonly tenant: string; readonly url?: string; readonly tokenUrl?: string }

const GOOGLE = 'https://translation.googleapis.com/language/translate/v2'
const MICROSOFT = 'https://api.cognitive.microsofttranslator.com/translate?api-version=3.0'
const SCOPE = 'https://cognitiveservices.azure.com/.default'
const MOST = 256 * 1024 // bytes of an answer
const EARLY = 60_000 // ms before its end a token is renewed

export function translatorOf(s: TranslationSetting, { fetcher, clock }: { fetcher: Fetcher; clock: Clock }): Translator {
  const ask = (url: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> =>
    json(fetcher, { method: 'POST', url, body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers }, most: MOST })
  switch (s.method) {
    case 'none': return { translate: async () => ({ is: 'refused', because: 'Not translated: translation is switched off. An administrator can choose a service.' }) }
    case 'libre': return safe(async (text, to, from) => {
      const got = await ask(`${s.url.replace(/\/+$/, '')}/translate`, { q: text, source: from ?? 'auto', target: to, format: 'text', ...(s.key === undefined ? {} : { api_key: s.key }) })
      return translated(at(got, 'translatedText'), from ?? at(got, 'detectedLanguage', 'language'))
    })
    case 'google': return safe(async (text, to, from) => {
      const got = await ask(s.url ?? GOOGLE, { q: text, target: to, format: 'text', ...(from === undefined ? {} : { source: from }) }, { 'X-Goog-Api-Key': s.key })
      return translated(at(got, 'data', 'translations', 0, 'translatedText'), from ?? at(got, 'data', 'translations', 0, 'detectedSourceLanguage'))
    })
    case 'microsoft': {
      let token: { text: string; until: number } | undefined
      const login = async (): Promise<string> => {
        if (token && token.until > clock.now()) return token.text
        const got = await json(fetcher, {
          method: 'POST', url: s.tokenUrl ?? `https://login.microsoftonline.com/${encodeURIComponent(s.tenant)}/oauth2/v2.0/token`,
          headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({ grant_type: 'client_credentials', client_id: s.clientId, client_secret: s.secret, scope: SCOPE }).toString(),
        })
        const text = at(got, 'access_token')
        if (typeof text !== 'string') throw new Error('the service gave no token')
        token = { text, until: clock.now() + Number(at(got, 'expires_in') ?? 0) * 1000 - EARLY }
        return text
      }
      return safe(async (text, to, from) => {
        const url = new URL(s.url ?? MICROSOFT)
        url.searchParams.set('to', to)
        if (from !== undefined) url.searchParams.set('from', from)
        const got = await ask(url.href, [{ Text: text }], { Authorization: `Bearer ${await login()}` })
        return translated(at(got, 0, 'translations', 0, 'text'), from ?? at(got, 0, 'detectedLanguage', 'language'))
      })
    }
  }
}

const safe = (work: (text: string, to: string, from?: string) => Promise<Translated>): Translator => ({
  translate: async (text, to, from) => {
    try { return await work(text, to, from) } catch (e) {
      return { is: 'failed', because: `Not translated: ${e instanceof Error ? e.message : String(e)}.` }
    }
  },
})

async function json(fetcher: Fetcher, errand: Errand): Promise<unknown> {
  const got = await fetcher.fetch(errand)
  if (got.is !== 'answer') throw new Error(`the service cannot be reached (${got.why})`)
  if (got.status !== 200) throw new Error(`the service answered ${got.status}`)
  try { return JSON.parse(got.body) } catch { throw new Error('the service’s answer is no JSON') }
}

function translated(text: unknown, from: unknown): Translated {
  if (typeof text !== 'string') throw new Error('the service gave no translation')
  return { is: 'translated', text, ...(typeof from === 'string' ? { from } : {}) }
}

/** What stands at this place of an answer, undefined if there is no such place. */
function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value
  for (const step of path) here = here !== null && typeof here === 'object' && Object.hasOwn(here, step) ? (here as Record<string | number, unknown>)[step] : undefined // an object that has it
  return here
}
