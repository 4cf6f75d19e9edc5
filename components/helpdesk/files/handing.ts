// Files for agents whose client cannot upload: a link that is good once, for a little while, for one agent and one conversation, and the page behind it (ST-47; shell).
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { HttpRequest, HttpResponse, HttpRouter } from '../../../server/api.ts'
import { because } from '../answers.ts'
import { object, problem } from '../api/door.ts'
import { Refused, type Bare, type Present } from '../facts.ts'
import type { Office } from '../office.ts'
import { mayWrite } from '../states.ts'
import type { FileFacts, UploadLinks } from './links.ts'
import type { Seal } from './seal.ts'

const LIFE = 600_000 // ms
const USED = 'desk-file-links'
const PAGE = 200
const WEB = new URL('../../../web/file/', import.meta.url)
const FILES = { '': ['index.html', 'text/html'], 'file.js': ['file.js', 'text/javascript'], 'file.css': ['file.css', 'text/css'] } as const
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const PATH = '/file/'

interface Link { readonly n: number; readonly by: Bare; readonly once: string }
/** A file that was given a place under a link. */
interface Promised { readonly once: string; readonly url: string; readonly name: string; readonly size: number; readonly type?: string }

export class Handing implements UploadLinks {
  readonly #o: Office
  readonly #seal: Seal
  readonly #base: () => string | undefined
  constructor(office: Office, seal: Seal, base: () => string | undefined) {
    this.#o = office
    this.#seal = seal
    this.#base = base
    office.records.keeping.daily.push(() => this.#sweep())
  }

  /** Where this agent can upload one file for this conversation; the secret stands in the fragment, which no server and no log sees. */
  link(n: number, by: Bare): { readonly link: string; readonly lasts: string } {
    return { link: `${this.#base() ?? ''}${PATH}#${this.#seal.close('link', this.#o.now + LIFE, { n, by, once: randomBytes(9).toString('base64url') } satisfies Link)}`, lasts: `${LIFE / 60_000} minutes` }
  }

  serve(http: HttpRouter): void {
    for (const [path, [file, type]] of Object.entries(FILES)) {
      http.on('GET', PATH + path, 'open', async () => ({ status: 200, headers: { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': POLICY, 'cache-control': 'no-cache' }, body: await readFile(new URL(file, WEB)) }))
    }
    http.on('POST', `${PATH}about`, 'open', r => this.#with(r, (l, s) => this.#about(l, s)))
    http.on('POST', `${PATH}slot`, 'open', r => this.#with(r, (l, _, body) => this.#slot(l, body)))
    http.on('POST', `${PATH}done`, 'open', r => this.#with(r, (l, _, body) => this.#done(l, body)))
  }

  /** What a request asks under a link that still holds. */
  async #with(r: HttpRequest, then: (l: Link, s: Present, body: Readonly<Record<string, unknown>>) => Promise<HttpResponse> | HttpResponse): Promise<HttpResponse> {
    const body = object(r) ?? {}
    const link = typeof body['link'] === 'string' ? this.#seal.read<Link>('link', body['link'], this.#o.now) : undefined
    if (!link || await this.#o.link.stores.documents.get(USED, this.#o.domain, link.once)) return problem(410, 'This link is over. Type !file for another one.')
    const s = await this.#o.book.state(link.n)
    if (s.is === 'absent' || !mayWrite(s, link.by) || !this.#o.operators.may(link.by, 'chat.with.customers')) return problem(403, 'You do not speak in this conversation any more.')
    return then(link, s, body)
  }

  #about({ n, by, until }: Link & { readonly until?: number }, s: Present): HttpResponse {
    const most = this.#o.link.limits.upload.agent
    return { status: 200, body: { conversation: n, customer: this.#o.customerOf(s)?.name ?? 'Customer', agent: this.#o.operators.name(by), most: Number.isFinite(most) ? most : null, until: until === undefined ? null : new Date(until).toISOString() } }
  }

  async #slot({ by, once }: Link, { name, size, type }: Readonly<Record<string, unknown>>): Promise<HttpResponse> {
    if (typeof name !== 'string' || name === '' || name.length > 500 || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 1 || (type !== undefined && typeof type !== 'string')) return problem(422, 'name, size and type of the file, please.')
    const kind = type === '' || type === undefined ? undefined : type.slice(0, 150)
    const slot = await this.#o.storage?.slot({ jid: by, as: 'agent' }, { name, size, type: kind })
    if (!slot || 'wrong' in slot) return problem(409, slot?.wrong ?? 'There is no place for files here.')
    const file = this.#seal.close('file', this.#o.now + LIFE, { once, url: slot.get, name, size, ...(kind === undefined ? {} : { type: kind }) } satisfies Promised)
    return { status: 200, body: { put: slot.put, headers: slot.headers, file } }
  }

  /** The file is there: it goes to the customer as a line of the agent, and the link is over. */
  async #done({ n, by, once }: Link, { file }: Readonly<Record<string, unknown>>): Promise<HttpResponse> {
    const promised = typeof file === 'string' ? this.#seal.read<Promised>('file', file, this.#o.now) : undefined
    if (!promised || promised.once !== once) return problem(422, 'This is no file of this link.')
    const there = await this.#o.storage?.file(promised.url)
    if (there === 'not there') return problem(409, 'The file did not arrive whole.')
    const { documents } = this.#o.link.stores
    const mark = await documents.put(USED, this.#o.domain, once, this.#o.now, 0)
    if (mark === 'conflict') return problem(410, 'This link is over. Type !file for another one.')
    const { name, size, type } = promised
    const facts: FileFacts = typeof there === 'object' ? there : { name, size, ...(type === undefined ? {} : { type }) }
    const outcome = await this.#o.book.give(n, { do: 'say', by, as: 'public' }, { body: promised.url, name: this.#o.operators.name(by), id: `file-${once}`, file: facts })
    if (!(outcome instanceof Refused)) return { status: 200, body: { text: `${facts.name} is sent.` } }
    await documents.remove(USED, this.#o.domain, once, mark)
    return problem(409, because(this.#o, outcome))
  }

  async #sweep(): Promise<void> {
    const { documents } = this.#o.link.stores
    for (let after: string | undefined; ;) {
      const page = await documents.range<number>(USED, this.#o.domain, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const d of page) if (d.value < this.#o.now - LIFE) await documents.remove(USED, this.#o.domain, d.id)
      after = page.at(-1)?.id
      if (page.length < PAGE) return
    }
  }
}
