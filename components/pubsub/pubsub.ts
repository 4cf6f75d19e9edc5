// Publish-subscribe (XEP-0060): a service of nodes at a domain of its own. What a node does is decided in protocols/pubsub.
import { randomUUID } from 'node:crypto'
import { el, errorReply, Jid, refuse, resultOf, Stanza, StanzaError, type AnyStanza, type Component, type Element, type Iq, type Link, type Message, type Receiver } from '../../server/api.ts'
import { NS_RSM } from '../../protocols/paging.ts'
import { PERSONAL, type AccessModel, type NodeConfig } from '../../protocols/pubsub/config.ts'
import { DISCO_INFO, DISCO_ITEMS, NS_OWNER, NS_PUBSUB, PUBSUB_FEATURES } from '../../protocols/pubsub/names.ts'
import { authorization, readAuthorization } from '../../protocols/pubsub/events.ts'
import { readBar, type NodeState, type Standing } from '../../protocols/pubsub/node.ts'
import type { Heading } from '../../protocols/pubsub/nodes.ts'
import { answerGet, answerOwnerGet, answerOwnerSet, answerSet, nodeInfo, nodeItems, visibleNodes, type Answer } from '../../protocols/pubsub/requests.ts'
import { Pubsub, type World } from '../../protocols/pubsub/service.ts'
import { Shelf } from '../../protocols/pubsub/shelf.ts'

const NS_PING = 'urn:xmpp:ping'
const NS_DELAY = 'urn:xmpp:delay'
const ANYWHERE: readonly AccessModel[] = ['open', 'authorize', 'whitelist']
const BY_ROSTER: readonly AccessModel[] = ['presence', 'roster'] // where the server tells of its rosters
const DEFAULTS: NodeConfig = { ...PERSONAL, access: 'open', maxItems: 'max' }
const FEATURES = [DISCO_INFO, DISCO_ITEMS, NS_PING, NS_RSM, ...PUBSUB_FEATURES, `${NS_PUBSUB}#access-open`, `${NS_PUBSUB}#collections`]
const GONE = ['gone', 'item-not-found', 'remote-server-not-found'] // who answers so will hear nothing more

export interface PubsubOptions {
  /** Whose users make nodes; by default those of the domains that the service's own lies below. */
  readonly local?: (domain: string) => boolean
  readonly name?: string
}

/** The component of kind `pubsub`. */
export const pubsub = (options: PubsubOptions = {}): Component => ({
  name: 'pubsub',
  async start(link) {
    const service = new Service(link, options)
    await service.open()
    return service
  },
})

class Service implements Receiver {
  readonly #link: Link
  readonly #jid: Jid
  readonly #options: PubsubOptions
  readonly #world: World
  #nodes!: Pubsub // open() makes it, before anything arrives
  #sent = 0
  #telling: Promise<void> = Promise.resolve()

  constructor(link: Link, options: PubsubOptions) {
    this.#link = link
    this.#jid = Jid.parse(link.domain)
    this.#options = options
    const { local = d => link.domain.endsWith(`.${d}`) } = options
    const models = new Set(link.privileges ? [...ANYWHERE, ...BY_ROSTER] : ANYWHERE)
    this.#world = {
      defaults: DEFAULTS,
      limits: () => ({ ...link.limits.pubsub, models, collections: true, answer: link.limits.stanza.c2s }),
      mayCreate: who => who.local !== '' && local(who.domain),
      standing: (who, node) => this.#standing(who, node),
      now: () => link.clock.now(),
      newId: () => randomUUID(),
      notify: (node, event, { only, at }) => this.#tell(node, event, only, at),
      asks: (to, node, subscriber) => link.send(Stanza.of('message', { type: 'normal', from: this.#jid, to, id: randomUUID() }, authorization(node, subscriber))),
      changed: () => {},
    }
  }

  async open(): Promise<void> {
    this.#nodes = await Pubsub.open(new Shelf(this.#link.stores.documents, this.#link.domain, 'pubsub'), this.#world)
  }

  receive(stanza: AnyStanza): void | Promise<void> {
    const { from, to } = stanza
    if (!from || !to) return
    if (stanza.kind === 'message') {
      return stanza.type === 'error' ? this.#bounced(stanza, from) : this.#decided(stanza, from)
    } else if (stanza.kind === 'iq' && (stanza.type === 'get' || stanza.type === 'set')) {
      const answer = to.full === this.#jid.full ? this.#answer(stanza, from) : undefined
      if (!answer) { this.#refuse(stanza, refuse('service-unavailable')); return }
      return answer.then(a => { if (a instanceof StanzaError) this.#refuse(stanza, a); else this.#link.send(a ? resultOf(stanza, a) : resultOf(stanza)) })
    }
  }

  #answer(iq: Iq, from: Jid): Promise<Answer> | undefined {
    const query = iq.payload[0]! // a get or set has one
    switch (`${iq.type} {${query.ns}}${query.name}`) {
      case `get {${NS_PUBSUB}}pubsub`: return answerGet(this.#nodes, query, from)
      case `set {${NS_PUBSUB}}pubsub`: return answerSet(this.#nodes, query, from)
      case `get {${NS_OWNER}}pubsub`: return answerOwnerGet(this.#nodes, query, from, this.#world)
      case `set {${NS_OWNER}}pubsub`: return answerOwnerSet(this.#nodes, query, from)
      case `get {${DISCO_INFO}}query`: return this.#info(query, from)
      case `get {${DISCO_ITEMS}}query`: return this.#items(query, from)
      case `get {${NS_PING}}ping`: return Promise.resolve(undefined)
      default: return undefined
    }
  }

  async #info(query: Element, from: Jid): Promise<Answer> {
    const { node } = query.attrs
    if (node !== undefined) return await nodeInfo(this.#nodes, node, from, undefined)
    return el('query', DISCO_INFO, {},
      el('identity', DISCO_INFO, { category: 'pubsub', type: 'service', name: this.#options.name ?? 'Publish-subscribe' }),
      ...FEATURES.map(f => el('feature', DISCO_INFO, { var: f })))
  }

  async #items(query: Element, from: Jid): Promise<Answer> {
    const { node } = query.attrs
    return node === undefined ? visibleNodes(this.#nodes, query, from, this.#jid) : await nodeItems(this.#nodes, query, node, from, this.#jid)
  }

  /** Sends an event to those subscribers who still may read the node. */
  #tell(node: NodeState, event: Element, only: Jid | undefined, at: number | undefined): void {
    const delay = at === undefined ? [] : [el('delay', NS_DELAY, { stamp: new Date(at).toISOString() })]
    const message: Message = Stanza.of('message', { type: node.record.config.messageType, from: this.#jid }, [event, ...delay])
    const send = (to: Jid): void => this.#link.send(message.readdress({ to, id: `e${(++this.#sent).toString(36)}` }))
    const tell = async (): Promise<void> => {
      for (const to of node.record.subscriptions.map(s => Jid.parse(s))) if (!readBar(node, await this.#standing(to, node), this.#nodes.affiliation(node, to))) send(to)
    }
    this.#telling = this.#telling.then(() => { if (only) send(only); else return tell() }).catch((error: unknown) => this.#link.log.error({ error, node: node.name }, 'subscribers are not told'))
  }

  /** By the rosters of the node's owners, where its access model asks for them. */
  async #standing(jid: Jid, node: Heading | undefined): Promise<Standing> {
    const { privileges } = this.#link
    const nobody = { jid, watches: false, groups: [] }
    if (!privileges || !node || !BY_ROSTER.includes(node.record.config.access)) return nobody
    for (const [owner, affiliation] of node.record.affiliations) {
      if (affiliation !== 'owner') continue
      const { watches, groups } = await privileges.standing(owner, jid.bare)
      if (watches) return { jid, watches, groups }
    }
    return nobody
  }

  /** An event came back (section 12.4): who is not there any more is subscribed no longer. */
  #bounced(message: Message, from: Jid): Promise<void> | undefined {
    const error = message.child('error')
    return error?.elements.some(e => GONE.includes(e.name)) ? this.#nodes.forget(from) : undefined
  }

  /** An owner says whether somebody may subscribe; other messages are for nobody. */
  async #decided(message: Message, from: Jid): Promise<void> {
    const said = readAuthorization(message)
    const refused = said ? await this.#nodes.decide(said.node, from, said.subscriber, said.allow) : refuse('service-unavailable')
    if (refused) this.#refuse(message, refused)
  }

  #refuse(stanza: AnyStanza, e: StanzaError): void {
    const reply = errorReply(stanza, e)
    if (reply) this.#link.send(reply)
  }
}
