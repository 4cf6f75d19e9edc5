// Translation at the desk: by the service the settings name, when an agent asks for it and beneath customers' lines (shell).
import type { Bare } from '../facts.ts'
import type { Ground } from '../ground.ts'
import type { Line } from '../lines.ts'
import type { Fetcher } from '../webhooks/fetcher.ts'
import { isLanguage, metered, type Metered, type Usage } from './metered.ts'
import type { Translated, Translator } from './port.ts'
import { translatorOf, type TranslationSetting } from './services.ts'

const LINK = /^https?:\/\/\S+$/i

type Under = Pick<Ground, 'rules' | 'operators' | 'link' | 'domain' | 'secret'>

/** Text into other languages, counted; another service as soon as the settings name one. */
export class Translation implements Translator {
  readonly #o: Under
  readonly #errands: () => Fetcher
  #made: { readonly setting: object; readonly fetcher: object; readonly metered: Metered } | undefined
  constructor(ground: Under, errands: () => Fetcher) { this.#o = ground; this.#errands = errands }

  /** Whether a service is chosen. */
  get on(): boolean { return this.#o.rules.now.translation.method !== 'none' }

  translate(text: string, to: string, from?: string): Promise<Translated> { return this.#now.translate(text, to, from) }
  /** The newest months first. */
  usage(months: number): Promise<Usage[]> { return this.#now.usage(months) }

  /** The language an operator reads: the first of his own, else the one of the settings. */
  languageOf(jid: Bare): string {
    const own = this.#o.operators.record(jid).languages?.find(isLanguage)
    return own ?? this.#o.rules.now.translation.language
  }
  /** Whether he reads this language as it stands. */
  reads(jid: Bare, language: string): boolean {
    const own = (this.#o.operators.record(jid).languages ?? []).filter(isLanguage)
    return (own.length > 0 ? own : [this.languageOf(jid)]).some(l => isSame(l, language))
  }

  get #now(): Metered {
    const { rules: { now: { translation: setting } }, link: { stores: { documents }, clock }, domain: desk } = this.#o
    const fetcher = this.#errands()
    if (this.#made?.setting !== setting || this.#made.fetcher !== fetcher) {
      const service = settingOf({ ...setting, apiKey: this.#o.secret(setting.apiKey), clientSecret: this.#o.secret(setting.clientSecret) })
      const translator: Translator = typeof service === 'string' ? { translate: async () => ({ is: 'refused', because: service }) } : translatorOf(service, { fetcher, clock })
      this.#made = { setting, fetcher, metered: metered(translator, { documents, desk, clock, on: typeof service !== 'string' && service.method !== 'none' }) }
    }
    return this.#made.metered
  }
}

/** The service as its adapter takes it, or what is missing. */
function settingOf(s: Ground['rules']['now']['translation']): TranslationSetting | string {
  const lacks = (name: string): string => `Not translated: translation.${name} is not set.`
  switch (s.method) {
    case 'none': return { method: 'none' }
    case 'libretranslate': return s.url ? { method: 'libre', url: s.url, ...(s.apiKey ? { key: s.apiKey } : {}) } : lacks('url')
    case 'google': return s.apiKey ? { method: 'google', key: s.apiKey } : lacks('apiKey')
    case 'microsoft':
      if (!s.clientId) return lacks('clientId')
      if (!s.clientSecret) return lacks('clientSecret')
      return s.tenant ? { method: 'microsoft', clientId: s.clientId, secret: s.clientSecret, tenant: s.tenant } : lacks('tenant')
  }
}

/** As an operator reads it: `de → en: Hello`. */
export const translatedLine = (t: Extract<Translated, { is: 'translated' }>, to: string): string => `${t.from === undefined ? '' : `${t.from} → `}${to}: ${t.text}`
/** A customer's public line with words in it: the address of a file is nobody else's business. */
export const isWords = (l: Line): boolean => l.by === 'customer' && l.as === 'public' && l.chat === undefined && l.file === undefined && !LINK.test(l.body.trim())
const isSame = (a: string, b: string): boolean => a.split('-')[0]?.toLowerCase() === b.split('-')[0]?.toLowerCase()
