// What the plugins for personal data (XEP-0163 and those beside it) offer each other.
import { Token, type Account, type Element, type Jid, type StanzaError } from '../server/api.ts'
import type { NodeConfig } from './pubsub/config.ts'

/** An item of a node, with its payload. */
export interface PersonalItem { readonly id: string; readonly payload: Element | undefined }

/** An account's own nodes, for what the server does on its behalf. */
export interface PersonalNodes {
  /** As if the owner published it; `config` is for a node that is not there yet. */
  publish(account: Account, node: string, item: { readonly id: string; readonly payload: Element }, config: Partial<NodeConfig>): Promise<StanzaError | undefined>
  retract(account: Account, node: string, id: string): Promise<StanzaError | undefined>
  /** An empty node, if there is none of that name; whoever publishes first may set it up otherwise. */
  make(account: Account, node: string, config: Partial<NodeConfig>): Promise<void>
  has(account: Account, node: string): Promise<boolean>
  /** Whether the node is there and for nobody but those that its owner names. */
  isClosed(account: Account, node: string): Promise<boolean>
  /** Every item, or those of these ids, the oldest first; none if there is no such node, or if `reader` may not see it. */
  items(account: Account, node: string, ask?: { readonly ids?: readonly string[]; readonly reader?: Jid }): Promise<readonly PersonalItem[]>
  last(account: Account, node: string, reader?: Jid): Promise<PersonalItem | undefined>
  /** Hears when something was published to the node or removed from it. */
  watch(node: string, listener: (account: Account) => void): void
  /** Fills a node that is asked for and not there, with what older clients left elsewhere. */
  seed(node: string, fill: (account: Account) => Promise<void>): void
}
export const PERSONAL_NODES = new Token<PersonalNodes>('personal nodes')

type Answer = Element | StanzaError | undefined

/** What disco tells of the nodes of an account (XEP-0060 section 5). */
export interface NodeDisco {
  info(account: Account, query: Element, from: Jid): Promise<Answer>
  items(account: Account, query: Element, from: Jid): Promise<Answer>
}
export const NODE_DISCO = new Token<NodeDisco>('nodes of accounts')

/** An element of private XML storage (XEP-0049) that somebody else keeps; by its name, as `{namespace}name`. */
export interface Vault {
  get(account: Account): Promise<Element>
  set(account: Account, element: Element): Promise<StanzaError | undefined>
}
export const VAULTS = new Token<Map<string, Vault>>('vaults of private XML')

/** The photo of a vCard (XEP-0054), kept elsewhere. */
export interface Photos {
  /** The `<PHOTO/>` that `reader` may see. */
  get(account: Account, reader: Jid): Promise<Element | undefined>
  /** Takes what a vCard says; false: it could not, and the vCard keeps it. */
  set(account: Account, photo: Element | undefined): Promise<boolean>
}
export const PHOTOS = new Token<Photos>('photos of vCards')
