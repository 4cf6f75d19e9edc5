// What visitors of web pages prove before they are let in, where the settings ask for it: work, or a captcha (SEC-W33) (shell).
import { createHash } from 'node:crypto'
import { el, refuse, type Element, type Jid, type StanzaError } from '../../../server/api.ts'
import type { DeskSettings, ProofKind } from '../../../schemas/desk-settings.ts'
import type { Customer } from '../customers.ts'
import type { Ground } from '../ground.ts'
import { NS } from '../stanzas.ts'
import type { Fetcher } from '../webhooks/fetcher.ts'
import { verdict } from './captcha.ts'
import { Work } from './work.ts'

const LONGEST = 8192 // characters of a proof
const ONCE = 3600_000 // ms that a captcha's token is remembered: none holds longer
const MOST = 100_000 // of them

export class Proof {
  readonly #o: Pick<Ground, 'rules' | 'link' | 'secret'>
  readonly #errands: () => Fetcher
  readonly #work = new Work()
  readonly #shown = new Map<string, number>() // hashes of captcha tokens → when, the oldest first
  constructor(ground: Pick<Ground, 'rules' | 'link' | 'secret'>, errands: () => Fetcher) { this.#o = ground; this.#errands = errands }

  /** What is to be proved by `known` on a page of this site. */
  kind(site: string | undefined, known?: Customer): ProofKind { return known?.verified === true ? 'none' : proofOf(this.#o.rules.now, site) }

  /** What the visitor has to do. */
  challenge(from: Jid, site: string | undefined, known: Customer | undefined): Element {
    const { proof } = this.#o.rules.now
    switch (this.kind(site, known)) {
      case 'none': return el('challenge', NS.desk, { kind: 'none' })
      case 'captcha': return el('challenge', NS.desk, { kind: 'captcha', key: proof.siteKey })
      case 'work': return el('challenge', NS.desk, { kind: 'work', bits: String(proof.difficulty) }, this.#work.issue(from.bare, proof.difficulty, this.#o.link.clock.now()))
    }
  }

  /** Why he is not let in; undefined: he is. A proof is worth one time. */
  async lacks(from: Jid, q: Element, known: Customer | undefined, site = q.attrs['site']): Promise<StanzaError | undefined> {
    const kind = this.kind(site, known)
    if (kind === 'none') return undefined
    const given = q.child('proof')?.text ?? ''
    const believed = given === '' || given.length > LONGEST ? false : kind === 'work' ? this.#work.believes(given, from.bare, this.#o.rules.now.proof.difficulty, this.#o.link.clock.now()) : await this.#human(given)
    if (believed === 'later') return refuse('service-unavailable', 'The check whether you are a human being does not work at the moment. Please try again later.')
    return believed ? undefined : refuse('policy-violation', 'It could not be checked whether you are a human being. Please try again.')
  }

  async #human(token: string): Promise<boolean | 'later'> {
    const { url, secret: given } = this.#o.rules.now.proof
    const secret = this.#o.secret(given) || undefined
    const now = this.#o.link.clock.now()
    const id = createHash('sha256').update(token).digest('base64url')
    for (const [old, at] of this.#shown) { if (at > now - ONCE && this.#shown.size < MOST) break; this.#shown.delete(old) }
    if (this.#shown.has(id)) return false
    this.#shown.set(id, now) // before the service is asked: two at once are not two
    const said = url === undefined || secret === undefined ? { is: 'failed' as const, why: 'proof.url or proof.secret is not set' } : await verdict(token, { url, secret }, this.#errands())
    if (said.is !== 'failed') return said.is === 'human'
    this.#shown.delete(id) // it was not looked at
    this.#o.link.log.warn({ why: said.why }, 'the captcha service cannot be asked')
    return 'later'
  }
}

/** The site's own word, its brand's, the desk's. */
export function proofOf(s: DeskSettings, site: string | undefined): ProofKind {
  const own = site === undefined || !Object.hasOwn(s.sites, site) ? undefined : s.sites[site]?.proof
  if (own !== undefined && own !== 'inherit') return own
  const brand = site === undefined ? undefined : Object.values(s.brands).find(b => b.proof !== 'inherit' && b.sites.includes(site))?.proof
  return brand === undefined || brand === 'inherit' ? s.proof.kind : brand
}
