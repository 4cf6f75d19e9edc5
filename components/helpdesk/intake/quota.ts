// How many conversations an hour the people of one other server may begin, whatever they call themselves (SEC-C19).
import { refuse, type Jid, type Link, type StanzaError } from '../../../server/api.ts'

const HOUR = 3_600_000 // ms
const MOST = 10_000 // domains

type Under = Pick<Link, 'limits' | 'clock' | 'domain' | 'privileges'>

export class Quota {
  readonly #link: Under
  readonly #of = new Map<string, { since: number; count: number }>() // the oldest first
  constructor(link: Under) { this.#link = link }

  /** Counts one more of `from`; a refusal where that is too many. Whoever is served here is not counted. */
  begins(from: Jid): StanzaError | undefined {
    const most = this.#link.limits.visitor.chatsPerDomain
    if (most === Infinity || this.#isOurs(from.domain)) return undefined
    const now = this.#link.clock.now()
    const kept = this.#of.get(from.domain)
    const hour = kept && now - kept.since < HOUR ? kept : { since: now, count: 0 }
    if (hour !== kept) {
      this.#of.delete(from.domain)
      for (const [domain, { since }] of this.#of) { if (now - since < HOUR && this.#of.size < MOST) break; this.#of.delete(domain) }
      this.#of.set(from.domain, hour)
    }
    if (hour.count >= most) return refuse('resource-constraint', 'Too many new conversations from your server: please try again later.')
    hour.count++
    return undefined
  }

  /** Served here; beside another server, which does not say whom it serves, its domain and all below. */
  #isOurs(domain: string): boolean {
    const { privileges } = this.#link
    if (privileges?.serves) return privileges.serves(domain)
    const around = this.#link.domain.slice(this.#link.domain.indexOf('.') + 1)
    return domain === around || domain.endsWith(`.${around}`)
  }
}
