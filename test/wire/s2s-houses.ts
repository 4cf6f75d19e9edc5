// Whole programs that federate with each other on this machine, each with a domain and a certificate of its own.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig, type Config } from '../../config/load.ts'
import { compose, type House as Running } from '../../app/compose.ts'
import { makeCertificate } from '../../server/net/self-signed.ts'
import type { TestClock } from '../../server/ports/clock.ts'
import { silent } from '../../server/ports/log.ts'
import type { Stores } from '../../server/ports/store.ts'
import { makeCredentials } from '../../server/stream/sasl/credentials.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { MovedClock } from '../harness/clock.ts'
import { tempFolder } from '../harness/folder.ts'
import { Actor } from '../harness/scene.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR // longer than any run: suites make their papers before the first test begins

/** Certificates in a folder of their own. */
export class Papers implements Disposable {
  readonly folder = tempFolder('s2s')

  /** A self-signed certificate for these names: the paths of its files, and what stands in them. */
  make(name: string, names: readonly string[] = [name, `rooms.${name}`, `help.${name}`], from = Date.now() - HOUR, to = Date.now() + DAY): Paper {
    const { certificate, key } = makeCertificate(names, from, to)
    const paper = { certificate: join(this.folder, `${name}.pem`), key: join(this.folder, `${name}.key`), pem: certificate, secret: key }
    writeFileSync(paper.certificate, certificate)
    writeFileSync(paper.key, key)
    return paper
  }

  /** A file that holds them all. */
  bundle(name: string, papers: readonly Paper[]): string {
    const path = join(this.folder, name)
    writeFileSync(path, papers.map(p => p.pem).join(''))
    return path
  }

  [Symbol.dispose](): void { if (process.env['KEEP']) return; rmSync(this.folder, { recursive: true, force: true }) }
}
export interface Paper { readonly certificate: string; readonly key: string; readonly pem: string; readonly secret: string }

let credentials: ReturnType<typeof makeCredentials> | undefined // one password, 'pw', for everybody

/** A program with one host, rooms and a desk. */
export class Town implements AsyncDisposable {
  readonly domain: string
  readonly stores: Stores
  readonly house: Running
  readonly clock: TestClock
  readonly #actors: Actor[] = []
  readonly #config: (s2s: string) => Config
  #moved = false

  private constructor(domain: string, stores: Stores, house: Running, clock: TestClock, config: (s2s: string) => Config) { this.domain = domain; this.stores = stores; this.house = house; this.clock = clock; this.#config = config }

  /** Ends it, and starts it on what it has stored; its people go before, unless `alone` is false. */
  async again(paper: Paper, s2s: string, alone = true): Promise<Town> {
    if (alone) await this.#close()
    else await this.house[Symbol.asyncDispose]()
    this.#moved = true
    return Town.open(this.domain, paper, s2s, '', 0, this.stores)
  }

  /** `s2s` is the config's text of that name, `more` what stands beside it; `port` is the one that it listens on, 0 for any. */
  static async open(domain: string, paper: Paper, s2s: string, more = '', port = 0, kept?: Stores, support = '{ agents: all, assign: round-robin }'): Promise<Town> {
    const text = (says: string): Config => {
      const loaded = readConfig(`
data: /nonexistent
tls: { certificate: ${paper.certificate}, key: ${paper.key} }
require-tls: false
listen: { c2s: { port: 0, address: 127.0.0.1 }, s2s: { port: ${port}, address: 127.0.0.1 }, s2s-tls: { port: 0, address: 127.0.0.1 } }
hosts: { ${domain}: {} }
components:
  rooms.${domain}: { muc: {} }
  help.${domain}: { helpdesk: { enabled: true, queues: { support: ${support} } } }
  bot.${domain}: { external: { secret: s } }
s2s: ${says}
${more}`, 'town.yaml')
      if (!loaded.ok) throw new Error(loaded.faults.join('\n'))
      return loaded.config
    }
    const stores = kept ?? await openSqlite({ file: ':memory:' })
    const clock = new MovedClock()
    return new Town(domain, stores, await compose(text(s2s), { stores, clock, log: silent }), clock, text)
  }

  /** Reads its config again, with other words on s2s; gives the keys that wait for the next start. */
  rereads(s2s: string): Promise<readonly string[]> { return this.house.reload(this.#config(s2s)) }

  get port(): number { return this.house.ports['s2s']! }
  get tlsPort(): number { return this.house.ports['s2s-tls']! }
  get c2s(): number { return this.house.ports['c2s']! }

  /** Somebody with an account here, online. */
  async actor(local: string, role?: 'agent'): Promise<Actor> {
    if (!(await this.stores.accounts.find(this.domain, local))) {
      credentials ??= makeCredentials('pw', { iterations: 4096 })
      await this.stores.accounts.create({ host: this.domain, local, created: this.clock.now(), credentials: await credentials, ...(role && { role }) })
      await this.house.accountChanged(`${local}@${this.domain}`, 'made')
    }
    const actor = new Actor(local, `${local}@${this.domain}/x`)
    this.#actors.push(actor)
    await actor.connects(this.c2s)
    return actor
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#moved) return
    await this.#close()
    await this.stores.close()
  }

  async #close(): Promise<void> {
    for (const a of this.#actors) a.leaves()
    await this.house[Symbol.asyncDispose]()
  }
}
