// Translation at the desk: by the service the settings name, when an agent asks for it and beneath customers' lines (shell).
import type { Commit } from '../book.ts'
import type { Bare, Present } from '../facts.ts'
import type { Line } from '../lines.ts'
import type { Office, View } from '../office.ts'
import { operatorsIn } from '../policy.ts'
import type { OperatorView } from '../views/operators.ts'
import { isLanguage, metered, type Metered, type Usage } from './metered.ts'
import type { Translated, Translator } from './port.ts'
import { translatorOf, type TranslationSetting } from './services.ts'

const MOST_WAITING = 20 // errands of one conversation; what comes beyond goes untranslated
const MOST_BEFORE = 10 // lines said before he came that an agent gets translated
const LINK = /^https?:\/\/\S+$/i

/** Text into other languages, counted; another service as soon as the settings name one. */
export class Translation implements Translator {
  readonly #o: Office
  #made: { readonly setting: object; readonly fetcher: object; readonly metered: Metered } | undefined
  constructor(office: Office) { this.#o = office }

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
    const { rules: { now: { translation: setting } }, records: { fetcher }, link: { stores: { documents }, clock }, domain: desk } = this.#o
    if (this.#made?.setting !== setting || this.#made.fetcher !== fetcher) {
      const service = settingOf(setting)
      const translator: Translator = typeof service === 'string' ? { translate: async () => ({ is: 'refused', because: service }) } : translatorOf(service, { fetcher, clock })
      this.#made = { setting, fetcher, metered: metered(translator, { documents, desk, clock, on: typeof service !== 'string' && service.method !== 'none' }) }
    }
    return this.#made.metered
  }
}

/** The service as its adapter takes it, or what is missing. */
function settingOf(s: Office['rules']['now']['translation']): TranslationSetting | string {
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

/** As an operator reads it: `de → en: Hello`. */
export const translatedLine = (t: Extract<Translated, { is: 'translated' }>, to: string): string => `${t.from === undefined ? '' : `${t.from} → `}${to}: ${t.text}`
/** A customer's public line with words in it: the address of a file is nobody else's business. */
export const isWords = (l: Line): boolean => l.by === 'customer' && l.as === 'public' && l.chat === undefined && !LINK.test(l.body.trim())
const isSame = (a: string, b: string): boolean => a.split('-')[0]?.toLowerCase() === b.split('-')[0]?.toLowerCase()
