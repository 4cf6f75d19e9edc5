// The sites whose pages may show the widget: our own, those of the config, and those the desk's settings name.
import { Jid, type AnyStanza, type Link } from '../../server/api.ts'
import { mayAsk } from './origin.ts'
import * as form from './form.ts'

export const DEFAULT = 'default' // the site that every bridge has
const AGAIN = 5000 // ms until the desk is asked again, where it did not answer

export class Sites {
  readonly #link: Link
  readonly #desk: Jid
  readonly #listed: readonly string[]
  #origins: ReadonlyMap<string, readonly string[]> = new Map()
  #later: Disposable | undefined

  constructor(link: Link, desk: Jid, listed: readonly string[]) { this.#link = link; this.#desk = desk; this.#listed = listed }

  /** Asks the desk, until it has answered; it tells of changes by itself. */
  start(): void {
    this.#later = this.#link.clock.alarm(this.#link.clock.now(), async () => {
      const answer = await this.#link.ask(form.askSites({ from: Jid.parse(this.#link.domain), to: this.#desk }))
      const sites = answer.type === 'result' ? form.readSites(answer) : undefined
      if (sites) this.#origins = sites
      else this.#later = this.#link.clock.alarm(this.#link.clock.now() + AGAIN, () => this.start())
    })
  }
  stop(): void { this.#later?.[Symbol.dispose]() }

  /** What the desk tells of its sites. True if it was that. */
  receive(s: AnyStanza): boolean {
    const sites = s.kind === 'message' && s.from?.bare === this.#desk.bare ? form.readSites(s) : undefined
    if (sites) this.#origins = sites
    return sites !== undefined
  }

  /** Whether pages of this origin may speak for this site; `own`: the origin under which they reached us. */
  may(key: string | null, origin: string | undefined, own: string): boolean {
    const its = key === null ? undefined : this.#origins.get(key)
    if (key !== DEFAULT && its === undefined) return false
    return mayAsk(origin, own, key === DEFAULT ? [...this.#listed, ...its ?? []] : its ?? [])
  }
  /** How the desk knows the site; the bridge's own one need not stand in its settings. */
  named(key: string): string | undefined { return this.#origins.has(key) ? key : undefined }
}
