// The sites of a desk as bridges need them, and visitors whose site has signed who they are (SEC-W04, SEC-W05) (shell).
import { createHash } from 'node:crypto'
import { el, Jid, refuse, Stanza, type Element, type StanzaError } from '../../../server/api.ts'
import type { SiteSetting } from '../../../schemas/desk-settings.ts'
import { Presented } from '../identity/presented.ts'
import { readIdentity, type SiteKey } from '../identity/token.ts'
import type { Office } from '../office.ts'
import { noStore, NS } from '../stanzas.ts'

const BRIDGES = 20 // told of changes

export class Sites {
  readonly #office: Office
  readonly #presented: Presented
  readonly #bridges = new Set<string>()
  constructor(office: Office) {
    this.#office = office
    this.#presented = new Presented(office.link.stores.documents, office.domain)
    office.records.keeping.daily.push(() => this.#presented.sweep(office.now))
    office.onRules.push(() => { for (const to of this.#bridges) office.link.send(Stanza.of('message', { type: 'normal', from: Jid.parse(office.domain), to: Jid.parse(to) }, [this.list(), noStore()])) })
  }

  /** Who asks for the list is a bridge, and hears of each change. */
  ask(from: Jid): Element {
    if (this.#bridges.size < BRIDGES) this.#bridges.add(from.full)
    return this.list()
  }
  list(): Element {
    return el('sites', NS.desk, {}, ...Object.entries(this.#office.rules.now.sites).map(([key, s]) => el('site', NS.desk, { key }, ...s.origins.map(o => el('origin', NS.desk, {}, o)))))
  }

  /**
   * Believes a token that the site has signed, shown by the visitor `from`: from then on he is the one address that this
   * person has at this bridge. Whatever is wrong, who sent it hears no more than that it is.
   */
  async identify(from: Jid, q: Element): Promise<Element | StanzaError> {
    const key = q.attrs['site'] ?? ''
    const sites = this.#office.rules.now.sites
    const site = Object.hasOwn(sites, key) ? sites[key] : undefined
    const { now, link } = this.#office
    const identity = await readIdentity(q.text, { audience: key, keys: site ? keysOf(site) : [], now, limits: link.limits.visitor })
    if ('wrong' in identity) { link.log.info({ site: key, why: identity.wrong }, 'a visitor’s identity was not believed'); return refuse('not-authorized') }
    if (!await this.#presented.by(from.bare, key, q.text, identity)) { link.log.warn({ site: key }, 'an identity token was shown by a second visitor'); return refuse('not-authorized') }
    const local = `i${createHash('sha256').update(`${key}\0${identity.subject}`).digest('hex').slice(0, 32)}`
    const jid = Jid.of(local, from.domain)
    const old = await this.#office.customers.byJid(jid.bare)
    const { name = old?.name ?? identity.subject } = identity
    await this.#office.customers.meet(jid.bare, { name, bridged: true, verified: true, ...(identity.email === undefined ? {} : { email: identity.email }), ...(Object.keys(identity.fields).length > 0 ? { claims: identity.fields } : {}) })
    return el('identity', NS.desk, { jid: jid.bare, name })
  }
}

const keysOf = (s: SiteSetting): SiteKey[] => Object.values(s.keys).flatMap((k): SiteKey[] => k.alg === 'HS256' ? k.secret === undefined ? [] : [{ alg: k.alg, secret: k.secret }] : k.publicKey === undefined ? [] : [{ alg: k.alg, publicKey: k.publicKey }])
