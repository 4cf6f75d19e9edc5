// Where files of conversations lie: the upload service of this server, asked in the name of who sends one (XEP-0363; shell).
import { el, Jid, Stanza, type Element, type Link } from '../../../server/api.ts'
import type { FileFacts } from './links.ts'

const NS = 'urn:xmpp:http:upload:0'
const NS_STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const NS_DESK = 'urn:deskbell:upload:0' // schemas/desk-namespace.md

/** For whom: an agent or a customer, and the network address it comes from. */
export interface Sender { readonly jid: string; readonly as: 'agent' | 'visitor'; readonly address?: string | undefined }
/** A file by its address, and whose it has to be. */
export interface Held { readonly url: string; readonly of: string }
export interface Slot { readonly put: string; readonly get: string; /** what the upload has to be sent with */ readonly headers: Readonly<Record<string, string>> }

export class Storage {
  readonly #link: Link
  readonly #service: Jid
  /** With what the addresses of files begin: scheme, host and port; undefined while nobody knows. */
  readonly base: () => string | undefined
  constructor(link: Link, service: string, base: () => string | undefined) { this.#link = link; this.#service = Jid.parse(service); this.base = base }

  async #ask(type: 'get' | 'set', payload: Element): Promise<Element | { readonly wrong: string }> {
    const answer = await this.#link.ask(Stanza.of('iq', { type, from: Jid.parse(this.#link.domain), to: this.#service, id: '' }, [payload])) // `ask` gives the id
    return answer.type === 'result' ? answer.payload[0] ?? el('nothing', NS_DESK) : { wrong: answer.child('error')?.child('text', NS_STANZAS)?.text || 'Files cannot be taken now.' }
  }

  /** A place for one file, or why there is none. */
  async slot(sender: Sender, file: { readonly name: string; readonly size: number; readonly type: string | undefined }): Promise<Slot | { readonly wrong: string }> {
    const { jid, as, address } = sender
    const answer = await this.#ask('get', el('request', NS, { filename: file.name, size: String(file.size), ...(file.type === undefined ? {} : { 'content-type': file.type }) }, el('for', NS_DESK, { jid, as, ...(address === undefined ? {} : { address }) })))
    if ('wrong' in answer) return answer
    const [put, get] = [answer.child('put'), answer.child('get')?.attrs['url']]
    const url = put?.attrs['url']
    if (!put || url === undefined || get === undefined) return { wrong: 'Files cannot be taken now.' }
    return { put: url, get, headers: Object.fromEntries(put.elements.filter(h => h.name === 'header').map(h => [h.attrs['name'] ?? '', h.text])) }
  }

  /** What lies at this address, if it is all there. A service that cannot say so is believed. */
  async file(url: string): Promise<FileFacts | 'not there' | 'unknown'> {
    const answer = await this.#ask('get', el('file', NS_DESK, { url }))
    if ('wrong' in answer || !answer.is('file', NS_DESK)) return 'unknown'
    const { name = 'file', size, type, state } = answer.attrs
    return state === 'there' ? { name, size: Number(size), ...(type === undefined ? {} : { type }) } : 'not there'
  }

  /** How many files an owner has here. */
  async count(owner: string): Promise<number> {
    const answer = await this.#ask('get', el('files', NS_DESK, { owner }))
    return 'wrong' in answer ? 0 : Number(answer.attrs['count'] ?? 0)
  }

  /** Lets go of these files, as far as each is of whom it is said to be, and of all that an owner has uploaded; gives how many went. */
  async remove(files: readonly Held[], owner?: string): Promise<number> {
    if (files.length === 0 && owner === undefined) return 0
    const answer = await this.#ask('set', el('remove', NS_DESK, owner === undefined ? {} : { owner }, ...files.map(({ url, of }) => el('file', NS_DESK, { url, of }))))
    return 'wrong' in answer ? 0 : Number(answer.attrs['count'] ?? 0)
  }
}
