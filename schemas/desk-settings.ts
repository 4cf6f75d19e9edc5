// The shape of schemas/desk-settings.json as types: the settings of a desk with their defaults filled in (pure).

type Names<T> = Readonly<Record<string, T>>
export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun'

/** When a department is open: see components/helpdesk/hours. */
export interface HoursSetting { readonly zone: string; readonly week: Readonly<Partial<Record<Weekday, readonly string[]>>>; readonly holidays?: Names<readonly string[]> }

export interface RoleSetting { readonly title: string; readonly base: 'agent' | 'manager' | 'admin'; readonly permissions: Names<boolean> }

export interface QueueSetting {
  readonly name?: string
  readonly agents: 'all' | readonly string[]
  readonly assign: 'round-robin' | 'pull' | 'inherit'
  readonly accept: 'ask' | 'automatic'
  readonly view: 'contact' | 'room'
  /** Workgroup clients are answered as Fastpath does it. */
  readonly fastpath: boolean
  /** 0 = no limit of its own. */
  readonly perAgent: number
  readonly limit: number
  /** Days that closed ones are kept; 0 = as the desk says. */
  readonly keep: number
  /** Empty: none. */
  readonly overflow: string
  readonly hours?: HoursSetting
  readonly queueText?: string
  readonly priority: number
  readonly skills: readonly string[]
}

/** What follows the end of a talk, where a department says otherwise than the desk. */
type Step = 'inherit' | 'on' | 'off'

export interface DepartmentSetting {
  readonly name?: string
  readonly queues: readonly string[]
  readonly hours?: HoursSetting
  readonly queueText?: string
  readonly perAgent: number
  readonly limit: number
  /** 0 = as the desk says. */
  readonly maxPublic: number
  readonly offline: readonly string[]
  readonly rooms: readonly string[]
  readonly survey: Step
  readonly mailAtEnd: Step
  readonly ticketAtEnd: Step
}
/** What visitors of pages prove before they are let in. */
export type ProofKind = 'none' | 'work' | 'captcha'
export interface BrandSetting { readonly name?: string; readonly sites: readonly string[]; readonly host: string; readonly proof: ProofKind | 'inherit'; readonly customerFiles: 'inherit' | 'on' | 'off' }
export interface SiteSetting { readonly title?: string; readonly proof: ProofKind | 'inherit'; readonly customerFiles: 'inherit' | 'on' | 'off'; readonly requires: 'registered' | 'inherit'; readonly queue?: string; readonly departments: readonly string[]; readonly origins: readonly string[]; readonly texts: Names<string>; /** What the site signs its visitors' identities with; two while one is replaced. */ readonly keys: Names<{ readonly alg: 'HS256' | 'ES256' | 'RS256' | 'EdDSA'; readonly secret?: string; readonly publicKey?: string }> }
export interface LinkFace { readonly display: 'image' | 'text'; readonly image: string; readonly description: string; readonly anchorTitle: string; readonly url: string; readonly target?: string; readonly cssClass: string }
export interface LinkSetting { readonly title: string; readonly refresh: number; readonly departments: readonly string[]; readonly online: LinkFace; readonly offline: LinkFace }
export interface FieldSetting { readonly label: string; readonly kind: 'text' | 'lines' | 'number' | 'yes-no' | 'choice'; readonly choices: readonly string[]; readonly ask: boolean; readonly required: boolean; readonly departments: readonly string[] }
export interface EventSetting { readonly title: string; readonly commands: readonly string[]; readonly queues: readonly string[] }
/** Steps are lines as agents type them. */
export interface MacroSetting { readonly title: string; readonly steps: readonly string[]; readonly queues: readonly string[] }
export interface HandOff { readonly enabled: boolean; /** seconds */ readonly after: number }

/** Spans are seconds, those of `retention` days. */
export interface DeskSettings {
  readonly system: { readonly enabled: boolean; readonly requires: 'all' | 'registered'; readonly ownWorkspaces: boolean; readonly requestInterval: number; readonly messageInterval: number }
  readonly distribution: { readonly assign: 'pull' | 'round-robin'; readonly capacity: number; readonly offersAway: boolean; readonly accountManager: boolean; readonly lastAgent: boolean; readonly offer: number; readonly transfer: number; readonly invitation: number; readonly rest: number }
  readonly routing: { readonly departments: boolean; readonly urls: boolean; readonly agents: boolean; readonly generic: boolean; readonly rules: readonly { readonly address: string; readonly operators: readonly string[] }[] }
  readonly handOff: { readonly noReply: HandOff; readonly noFollowUp: HandOff; readonly closed: HandOff & { readonly pushGrace: number } }
  readonly quality: Readonly<Record<'inQueueSound' | 'idleSound' | 'idleWarning' | 'idleWarningSound' | 'idleCritical' | 'idleCriticalSound' | 'durationWarning' | 'durationCritical', number>>
  readonly conversation: {
    readonly aliasOnInvitations: boolean; readonly customerFiles: boolean; readonly fileTypes: readonly string[]; readonly userComment: boolean; readonly showNumber: boolean; readonly selectionText: string; readonly queueText: string
    readonly maxPublic: number; readonly autoClose: number; readonly survey: boolean; readonly mailAtEnd: boolean; readonly ticketAtEnd: boolean
  }
  readonly hours: { readonly closeOutside: boolean; readonly default?: HoursSetting }
  readonly offline: { readonly operators: readonly string[] }
  readonly proof: { readonly kind: ProofKind; /** bits */ readonly difficulty: number; readonly url?: string; readonly secret?: string; readonly siteKey: string }
  readonly translation: { readonly method: 'none' | 'google' | 'microsoft' | 'libretranslate'; readonly apiKey?: string; readonly clientId?: string; readonly clientSecret?: string; readonly tenant?: string; readonly url?: string; readonly language: string }
  /** Paths and bodies hold `{{subject}}` and the like: see components/helpdesk/tickets/rest.ts. */
  readonly tickets: { readonly kind: 'builtin' | 'rest' | 'mail'; readonly mailTo: string; readonly url?: string; readonly authorization?: string; readonly createPath: string; readonly createBody: string; readonly appendPath: string; readonly appendBody: string; readonly showPath: string; readonly findPath: string; readonly numberAt: string }
  /** Where else answers stand; `url` and `body` hold {{question}}, {{queue}} and {{limit}}. Empty `url`: nowhere. */
  readonly knowledge: { readonly url: string; readonly method: 'GET' | 'POST'; readonly body: string; readonly authorization?: string; readonly headers: string; readonly timeout: number; /** KiB */ readonly size: number; readonly itemsAt: string; readonly titleAt: string; readonly textAt: string; readonly urlAt: string; readonly customers: boolean }
  readonly retention: { readonly purgeAfter: number; readonly conversations: number }
  readonly roster: { readonly colleagues: boolean; readonly queues: boolean }
  readonly roles: Names<RoleSetting>
  readonly queues: Names<QueueSetting>
  readonly departments: Names<DepartmentSetting>
  readonly brands: Names<BrandSetting>
  readonly sites: Names<SiteSetting>
  readonly links: Names<LinkSetting>
  readonly fields: Names<FieldSetting>
  readonly events: Names<EventSetting>
  readonly macros: Names<MacroSetting>
}

/** The groups of settings that stand alone, and the maps of things that are added and deleted. */
export const SECTIONS = ['queues', 'departments', 'brands', 'sites', 'links', 'roles', 'fields', 'events', 'macros'] as const
export type Section = typeof SECTIONS[number]
