// XEP-0398: one avatar, whether a client keeps it in nodes (XEP-0084) or in its vCard (XEP-0153); its hash stands in presence.
import { createHash } from 'node:crypto'
import { PERSONAL_NODES, PHOTOS, type PersonalNodes } from '../protocols/personal.ts'
import { el, note, plugin, type Account, type Element, type Host, type Jid, type Presence, type Resource } from '../server/api.ts'

const DATA = 'urn:xmpp:avatar:data'
const METADATA = 'urn:xmpp:avatar:metadata'
const VCARD = 'vcard-temp'
const UPDATE = 'vcard-temp:x:update'
const COLLECTION = 'avatar'
const PUBLIC = { access: 'open' } as const // as everybody sees a vCard
const HASH = /^[0-9a-f]{40}$/

const shown = note<string | undefined>('avatar hash', undefined) // on an account: '' for none; undefined until it is read
const looking = note<Promise<void> | undefined>('avatar looked at', undefined) // on an account: a new one, not known yet
const dressed = note('hash in presence is ours', false) // on a device

interface Info { readonly id: string; readonly type: string }

/** XEP-0398 User Avatar to vCard-Based Avatars Conversion, in both directions. */
export const avatars = plugin('avatars', host => {
  const nodes = host.service(PERSONAL_NODES)
  if (!nodes) return
  host.accountFeature('urn:xmpp:pep-vcard-conversion:0')
  const gallery = new Gallery(host, nodes)
  host.provide(PHOTOS, { get: (account, reader) => gallery.photo(account, reader), set: (account, photo) => gallery.take(account, photo) })
  for (const node of [METADATA, DATA]) nodes.watch(node, account => gallery.watch(account))
  host.on('out:mark', p => {
    const { stanza, sender } = p
    if (stanza.kind !== 'presence' || stanza.type !== 'available' || !sender) return
    const hash = p.account.get(looking) ? undefined : p.account.get(shown)
    return hash === undefined ? gallery.hash(p.account).then(known => dress(stanza, known, sender)) : dress(stanza, hash, sender)
  })
})

/** Presence with the hash, unless the client says that it shows none (section 4). */
function dress(p: Presence, hash: string, device: Resource): Presence | undefined {
  const x = p.child('x', UPDATE)
  if (x?.child('photo')?.text === '') { device.set(dressed, false); return undefined }
  if (hash === '' && !device.get(dressed)) return undefined
  device.set(dressed, true)
  return x?.child('photo')?.text === hash ? undefined : p.without('x', UPDATE).with(el('x', UPDATE, {}, el('photo', UPDATE, {}, ...(hash ? [hash] : []))))
}

class Gallery {
  readonly #host: Host
  readonly #nodes: PersonalNodes
  constructor(host: Host, nodes: PersonalNodes) { this.#host = host; this.#nodes = nodes }

  /** The account's avatar as somebody may see it, for a vCard. */
  async photo(account: Account, reader: Jid): Promise<Element | undefined> {
    const info = await this.#current(account, reader)
    const text = info && await this.#data(account, info, reader)
    return text ? el('PHOTO', VCARD, {}, el('TYPE', VCARD, {}, info.type), el('BINVAL', VCARD, {}, text)) : undefined
  }

  /** A vCard was written, with a photo or without one. False: the vCard must keep it. */
  async take(account: Account, photo: Element | undefined): Promise<boolean> {
    const bytes = Buffer.from(photo?.child('BINVAL')?.text ?? '', 'base64')
    const now = await this.#current(account)
    if (!bytes.length) {
      if (now) await this.#publish(account)
      else await this.#show(account, '')
      return photo === undefined
    }
    const id = sha1(bytes)
    if (now?.id === id && await this.#data(account, now)) return true
    const refused = await this.#nodes.publish(account, DATA, { id, payload: el('data', DATA, {}, bytes.toString('base64')) }, PUBLIC)
    if (!refused) {
      await this.#publish(account, { id, type: photo?.child('TYPE')?.text.trim() || kindOf(bytes), bytes: bytes.length })
      return true
    }
    if (now) await this.#publish(account) // too big for a node: the vCard alone has it
    await this.#show(account, id)
    return false
  }

  /** The node has changed: the hash may be another. Presence that is sent now waits for it. */
  watch(account: Account): void {
    const before = account.get(looking) ?? Promise.resolve()
    const now: Promise<void> = before.then(() => this.#look(account)).catch((error: unknown) => { this.#host.bug(error); return false }).then(changed => {
      if (account.get(looking) === now) account.set(looking, undefined)
      if (changed) this.#tell(account)
    })
    account.set(looking, now)
  }

  /** True if the hash is another now. */
  async #look(account: Account): Promise<boolean> {
    const info = await this.#nodes.isClosed(account, METADATA) ? undefined : await this.#current(account) // what is hidden is not hinted at
    const data = info && await this.#data(account, info)
    return (info ? data !== undefined : await this.#nodes.has(account, METADATA)) && await this.#keep(account, info?.id ?? '')
  }

  /** The hash of the avatar, '' for none. */
  async hash(account: Account): Promise<string> {
    await account.get(looking)
    return await this.#kept(account)
  }

  async #kept(account: Account): Promise<string> {
    const kept = await this.#host.stores.documents.get<string>(COLLECTION, account.jid.bare, '')
    const known = account.get(shown) ?? kept?.value ?? ''
    account.set(shown, known)
    return known
  }

  async #show(account: Account, hash: string): Promise<void> { if (await this.#keep(account, hash)) this.#tell(account) }

  /** True if the hash was another. */
  async #keep(account: Account, hash: string): Promise<boolean> {
    if (hash === await this.#kept(account)) return false
    account.set(shown, hash)
    await this.#host.stores.documents.put(COLLECTION, account.jid.bare, '', hash)
    return true
  }

  /** Whoever sees presence sees the new hash in it. */
  #tell(account: Account): void {
    for (const device of account.available) {
      const done = device.presence && this.#host.fromDevice(device.presence, device)
      if (done) done.catch((error: unknown) => this.#host.bug(error))
    }
  }

  /** What the newest metadata say, of the image that the server has itself. */
  async #current(account: Account, reader?: Jid): Promise<Info | undefined> {
    const last = await this.#nodes.last(account, METADATA, reader)
    const infos = last?.payload?.elements.filter(e => e.is('info', METADATA) && e.attrs['url'] === undefined) ?? []
    const info = infos.find(e => HASH.test(e.attrs['id'] ?? ''))
    return info && { id: info.attrs['id']!, type: info.attrs['type'] ?? 'image/png' } // looked at above
  }

  /** The image in base64, if it is what its id says. */
  async #data(account: Account, { id }: Info, reader?: Jid): Promise<string | undefined> {
    const [item] = await this.#nodes.items(account, DATA, { ids: [id], ...(reader && { reader }) })
    const bytes = Buffer.from(item?.payload?.text ?? '', 'base64')
    return bytes.length && sha1(bytes) === id ? bytes.toString('base64') : undefined
  }

  async #publish(account: Account, info?: Info & { readonly bytes: number }): Promise<void> {
    const inside = info ? [el('info', METADATA, { id: info.id, type: info.type, bytes: String(info.bytes) })] : []
    await this.#nodes.publish(account, METADATA, { id: info?.id ?? 'current', payload: el('metadata', METADATA, {}, ...inside) }, PUBLIC)
  }
}

const sha1 = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex')

/** COMPAT: vCards whose photo has no type. */
function kindOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xFF && bytes[1] === 0xD8) return 'image/jpeg'
  return bytes[0] === 0x47 && bytes[1] === 0x49 ? 'image/gif' : 'image/png'
}
