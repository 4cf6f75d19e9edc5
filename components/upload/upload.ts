// HTTP File Upload (XEP-0363): users ask for a slot, put the file there, and pass its address on.
import { el, errorReply, form, problem, refuse, resultOf, Streamed, StanzaError, type Component, type Element, type HttpRequest, type HttpResponse, type Iq, type Jid, type Link, type Receiver } from '../../server/api.ts'
import type { Files } from './files.ts'
import { Ledger, type FileRecord } from './ledger.ts'
import { disposition, essence, inUrl, isAllowed, rangeOf, safeName, servedAs } from './names.ts'

const NS = 'urn:xmpp:http:upload:0'
/** Ours: what a desk of this server may ask for others (schemas/desk-namespace.md). */
const NS_DESK = 'urn:deskbell:upload:0'
const NS_PURPOSE = 'urn:xmpp:http:upload:purpose:0'
const INFO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const PATIENCE = 5 * 60_000 // ms to begin the upload (section 8)
const HOUR = 3_600_000 // ms
const FULL = 0.1 // of the room must stay free (SEC-F06)
const A_DAY = 1000 // files of a user
const SHORTEST = 60_000 // ms that an ephemeral file must have left to live

export interface UploadOptions {
  /** Types that may be uploaded, such as `image/*`; none: all. */
  readonly types: readonly string[]
  readonly name?: string
}

export interface UploadWorld {
  readonly files: () => Promise<Files>
  /** The beginning of the files' addresses: scheme, host and port; undefined while nothing listens. */
  readonly base: () => string | undefined
  /** Whose users may upload; by default those of the domains that the component's own lies below. */
  readonly serves?: (domain: string) => boolean
  /** Components that may ask for a slot in somebody's name, and look after files: desks of this server. */
  readonly trusts?: (domain: string) => boolean
  /** Whether the account that asked for a file at `since` (ms since 1970) is still there; absent: nobody can tell. */
  readonly lives?: (owner: string, since: number) => Promise<boolean>
}

/** The component of kind `upload`. */
export const upload = (options: UploadOptions, world: UploadWorld): Component => ({
  name: 'upload',
  async start(link) {
    const service = new Service(link, options, world, await world.files(), await Ledger.open(link.stores.documents, link.domain))
    await service.open()
    return service
  },
})

class Service implements Receiver {
  readonly #link: Link
  readonly #options: UploadOptions
  readonly #world: UploadWorld
  readonly #files: Files
  readonly #ledger: Ledger
  readonly #serves: (domain: string) => boolean

  constructor(link: Link, options: UploadOptions, world: UploadWorld, files: Files, ledger: Ledger) {
    this.#link = link
    this.#options = options
    this.#world = world
    this.#files = files
    this.#ledger = ledger
    this.#serves = world.serves ?? (domain => link.domain.endsWith(`.${domain}`))
  }

  async open(): Promise<void> {
    const { http } = this.#link
    const anywhere = { cors: () => true } // section 8: a web client of any site; the address is the key
    http?.on('PUT', '/upload/:id/:name', 'open', r => this.#put(r), { ...anywhere, body: 'stream' })
    http?.on('GET', '/upload/:id/:name', 'open', r => this.#get(r), anywhere)
    const { jobs, clock } = this.#link
    const { lives } = this.#world
    jobs.define('old files', async () => { for (let ids; (ids = await this.#ledger.over(clock.now())).length > 0;) for (const id of ids) await this.#remove(id) })
    jobs.define('files of nobody', async () => { if (lives) for await (const { id, value } of this.#ledger.all()) if (!await lives(value.owner, value.at)) await this.#remove(id) })
    await jobs.every('old files', HOUR)
    await jobs.every('files of nobody', 24 * HOUR)
  }

  receive(s: Parameters<Receiver['receive']>[0]): void | Promise<void> {
    if (s.kind === 'presence' || (s.kind === 'message' && s.type === 'error')) return
    if (s.kind === 'message') { this.#give(s, refuse('service-unavailable')); return }
    if (s.type !== 'get' && s.type !== 'set') return
    const answer = s.to?.local ? refuse('item-not-found') : this.#answer(s)
    if (!(answer instanceof Promise)) { this.#give(s, answer); return }
    return answer.then(a => this.#give(s, a))
  }

  #give(s: Parameters<Receiver['receive']>[0], answer: Element | StanzaError): void {
    const reply = answer instanceof StanzaError ? errorReply(s, answer) : resultOf(s as Iq, answer) // only an iq is answered otherwise
    if (reply) this.#link.send(reply)
  }

  #answer(iq: Iq): Element | StanzaError | Promise<Element | StanzaError> {
    const query = iq.payload[0]
    if (iq.type === 'set' && query?.is('remove', NS_DESK) && iq.from) return this.#looksAfter(iq.from) ? this.#removed(query) : refuse('forbidden')
    if (iq.type !== 'get' || !query || !iq.from) return refuse('service-unavailable')
    if (query.is('query', INFO)) return query.attrs['node'] === undefined ? this.#info() : refuse('item-not-found')
    if (query.is('query', ITEMS)) return query.attrs['node'] === undefined ? el('query', ITEMS) : refuse('item-not-found')
    if (query.is('request', NS)) return this.#slot(query, iq.from)
    if (query.ns === NS_DESK) return this.#looksAfter(iq.from) ? query.name === 'file' ? this.#known(query) : query.name === 'files' ? this.#counted(query) : refuse('feature-not-implemented') : refuse('forbidden')
    return refuse('service-unavailable')
  }

  #info(): Element {
    const most = this.#link.limits.upload.agent
    return el('query', INFO, {},
      el('identity', INFO, { category: 'store', type: 'file', name: this.#options.name ?? 'Files' }),
      ...[INFO, ITEMS, NS, `${NS_PURPOSE}#message`, `${NS_PURPOSE}#ephemeral`].map(f => el('feature', INFO, { var: f })),
      ...(Number.isFinite(most) ? [form({ type: 'result', formType: NS, fields: [{ var: 'max-file-size', value: String(most) }] })] : []))
  }

  /** Section 4: a place for one file. */
  async #slot(request: Element, from: Jid): Promise<Element | StanzaError> {
    const { limits, clock } = this.#link
    const { upload: { agent, agentDay, visitor, visitorDay, life } } = limits
    const other = this.#looksAfter(from) ? request.child('for', NS_DESK) : undefined
    if (!other && (!from.local || !this.#serves(from.domain))) return refuse('forbidden', 'Only users of this server may upload.') // SEC-C18
    const [largest, aDay] = other?.attrs['as'] === 'visitor' ? [visitor, visitorDay] : [agent, agentDay]
    const owners = other ? [other.attrs['jid'] ?? '', ...(other.attrs['address'] ? [this.#ledger.nameless(other.attrs['address'])] : [])] : [from.bare]
    const owner = owners[0]
    if (!owner) return refuse('bad-request', 'For whom?')
    const base = this.#world.base()
    if (!base || !this.#link.http) return refuse('service-unavailable', 'Nothing listens for files.')
    const { filename, size: said = '', 'content-type': typeSaid } = request.attrs
    const size = /^\d{1,15}$/.test(said) ? Number(said) : 0
    if (!filename || size === 0) return refuse('bad-request', 'A file name and a size are needed.')
    if (size > largest) return refuse('not-acceptable', `A file may have at most ${inWords(largest)}.`, el('file-too-large', NS, {}, el('max-file-size', NS, {}, String(largest))))
    const type = essence(typeSaid)
    if (typeSaid !== undefined && type === undefined) return refuse('bad-request', 'This is no media type.')
    if (!isAllowed(type ?? 'application/octet-stream', this.#options.types)) return refuse('not-acceptable', 'Files of this type are not taken here.')
    const now = clock.now()
    const purpose = gone(request, now, now + life)
    if (purpose instanceof StanzaError) return purpose
    if (await this.#files.free() < FULL) return refuse('service-unavailable', 'There is no room for files.')
    for (const who of owners) {
      const charged = await this.#ledger.charge(who, size, now, { bytes: aDay, files: A_DAY })
      if (charged !== 'ok') return refuse('resource-constraint', 'You have uploaded enough for today.', el('retry', NS, { stamp: new Date(charged.again).toISOString() }))
    }
    const name = safeName(filename)
    const { id, token } = await this.#ledger.grant({ owner, name, size, ...(type && { type }), at: now, until: now + PATIENCE, ...(Number.isFinite(purpose) && { gone: purpose }), state: 'open' })
    const address = `${base}/upload/${id}/${inUrl(name)}`
    return el('slot', NS, {}, el('put', NS, { url: `${address}?t=${token}` }), el('get', NS, { url: address }))
  }

  // For desks

  #looksAfter(from: Jid): boolean { return !from.local && this.#world.trusts?.(from.domain) === true }

  /** What is known of the file at this address. */
  async #known(query: Element): Promise<Element | StanzaError> {
    const found = await this.#at(query.attrs['url'] ?? '')
    if (!found || isOver(found.value, this.#link.clock.now())) return refuse('item-not-found')
    const { owner, name, size, type, state } = found.value
    return el('file', NS_DESK, { owner, name, size: String(size), state, ...(type && { type }) })
  }

  /** How many files somebody has. */
  async #counted(query: Element): Promise<Element> {
    let count = 0
    for await (const { value } of this.#ledger.all()) if (value.owner === query.attrs['owner']) count++
    return el('files', NS_DESK, { count: String(count) })
  }

  /** Lets go of files by their addresses, and of all of an owner's. */
  async #removed(query: Element): Promise<Element> {
    const ids = new Set<string>()
    for (const e of query.elements) { const found = e.is('file', NS_DESK) ? await this.#at(e.attrs['url'] ?? '') : undefined; if (found && (e.attrs['of'] ?? found.value.owner) === found.value.owner) ids.add(found.id) }
    const owner = query.attrs['owner']
    if (owner) for await (const { id, value } of this.#ledger.all()) if (value.owner === owner) ids.add(id)
    for (const id of ids) await this.#remove(id)
    return el('removed', NS_DESK, { count: String(ids.size) })
  }

  async #at(url: string): Promise<Awaited<ReturnType<Ledger['find']>>> {
    const [, id, name] = /\/upload\/([\w-]{20,80})\/([^/?#]+)$/.exec(url) ?? []
    const found = id === undefined ? undefined : await this.#ledger.find(id)
    return found && inUrl(found.value.name) === name ? found : undefined
  }

  /** Section 7. What goes wrong on the way leaves the slot as it was. */
  async #put(r: HttpRequest): Promise<HttpResponse> {
    const slot = await this.#ledger.find(r.params['id'] ?? '')
    if (!slot || slot.value.name !== r.params['name'] || !this.#ledger.opens(r.query.get('t') ?? '', slot)) return problem(403, 'This address is not for uploading.')
    const { size, type, until, state } = slot.value
    if (state !== 'open') return problem(409, 'The file is there already.')
    if (this.#link.clock.now() > until) return problem(403, 'The time for this upload is over. Ask for a new slot.')
    const { 'content-length': length, 'content-type': typeSaid } = r.headers
    if (length === undefined) return problem(411, 'Say how long the file is.')
    if (Number(length) !== size) return problem(413, `The slot is for a file of ${size} bytes.`)
    if (type !== undefined && typeSaid !== undefined && essence(typeSaid) !== type) return problem(415, `The slot is for a file of the type ${type}.`)
    const taken = await this.#ledger.move(slot, 'taken')
    if (!taken) return problem(409, 'Somebody else uploads it.')
    try {
      await this.#files.write(slot.id, size, r.stream)
    } catch (err) {
      await this.#ledger.move(taken, 'open')
      if (!r.gone.aborted) this.#link.log.error({ err }, 'upload: a file could not be kept')
      return problem(r.gone.aborted ? 400 : 500, 'The file did not arrive whole.')
    }
    if (!await this.#ledger.move(taken, 'there')) { await this.#files.remove(slot.id); return problem(409, 'The slot is gone.') }
    return { status: 201, headers: { location: `/upload/${slot.id}/${inUrl(slot.value.name)}` } }
  }

  async #get(r: HttpRequest): Promise<HttpResponse> {
    const nothing = problem(404, 'There is no such file.')
    const file = await this.#ledger.find(r.params['id'] ?? '')
    if (!file || file.value.state !== 'there' || file.value.name !== r.params['name'] || isOver(file.value, this.#link.clock.now())) return nothing
    const { size, name, type } = file.value
    const range = rangeOf(r.headers.range, size)
    if (range === 'none') return problem(416, 'The file is shorter.', {}, { 'content-range': `bytes */${size}` })
    const { first, last } = range ?? { first: 0, last: size - 1 }
    const pieces = await this.#files.read(file.id, first, last)
    if (!pieces) return nothing
    return {
      status: range ? 206 : 200,
      headers: {
        ...INERT,
        'content-type': servedAs(type),
        'content-disposition': disposition(name),
        ...(range && { 'content-range': `bytes ${first}-${last}/${size}` }),
      },
      body: new Streamed(last - first + 1, pieces),
    }
  }

  async #remove(id: string): Promise<void> {
    await this.#files.remove(id)
    await this.#ledger.forget(id)
  }
}

/** What keeps a browser from running a stranger's file as ours (SEC-F04). */
const INERT = {
  'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'cross-origin',
  'cache-control': 'private, max-age=3600',
  'accept-ranges': 'bytes',
}

/** Whole mebibytes where they are. */
const inWords = (bytes: number): string => bytes % 1_048_576 === 0 ? `${bytes / 1_048_576} MiB` : `${bytes} bytes`

const isOver = ({ gone: ends }: FileRecord, now: number): boolean => ends !== undefined && ends <= now

/** When a file is gone, by the purpose it is for (section 5). */
function gone(request: Element, now: number, usual: number): number | StanzaError {
  const purpose = request.elements.find(e => e.ns === NS_PURPOSE)
  if (!purpose || purpose.name === 'message') return usual
  if (purpose.name !== 'ephemeral') return refuse('feature-not-implemented', 'Files are kept for messages only.')
  const before = Date.parse(purpose.attrs['expire-before'] ?? '')
  if (!(before > now + SHORTEST)) return refuse('bad-request', 'It would be gone before it could be seen.')
  return Math.min(usual, before)
}
