// A bridge on a real HTTP port with a fake desk behind it.
import { listenHttp } from '../../server/net/http.ts'
import { mount } from '../../server/component/mount.ts'
import { Router } from '../../server/route/router.ts'
import type { Clock } from '../../server/ports/clock.ts'
import { defaultLimits, type Limits } from '../../server/ports/limits.ts'
import { silent, type Log } from '../../server/ports/log.ts'
import { paced } from '../harness/clock.ts'
import { HttpRouter, type DocumentStore, type Stored, type Stores } from '../../server/api.ts'
import { webchat } from '../../components/webchat/webchat.ts'
import { FakeDesk } from './fake-desk.ts'

export interface Stage extends AsyncDisposable { readonly desk: FakeDesk; readonly port: number; readonly url: string; readonly documents: Documents }

export interface Setting { clock?: Clock; network?: Clock; origins?: string[]; limits?: Partial<Limits>; log?: Log; port?: number; desk?: FakeDesk; documents?: Documents }

export async function stage({ clock = paced(), network = paced(), origins = [], limits = {}, log = silent, port = 0, desk = new FakeDesk(), documents = new Documents() }: Setting = {}): Promise<Stage> {
  const router = new Router()
  const http = new HttpRouter()
  const connections = { ...defaultLimits.connections, newPerAddress: { rate: Infinity, burst: Infinity } } // tests open as many as they like
  const all: Limits = { ...defaultLimits, connections, ...limits }
  const stores = { documents } as unknown as Stores // the bridge uses nothing else
  const world = { clock, network, log, stores, http, limits: all }
  const helpdesk = await mount(desk, { ...world, domain: 'help.localhost' }, router)
  const bridge = await mount(webchat({ desk: 'help.localhost', queue: 'support', origins }, () => ({ hosts: ['localhost'], ports: { c2s: 5222 }, selfSigned: true })), { ...world, domain: 'web.localhost' }, router)
  const listening = await listenHttp({ port, address: '127.0.0.1', proxies: [], router: http, limits: all, clock: paced(), log })
  return {
    desk, documents, port: listening.port, url: `http://127.0.0.1:${listening.port}`,
    async [Symbol.asyncDispose]() {
      await bridge[Symbol.asyncDispose]()
      await helpdesk[Symbol.asyncDispose]()
      await listening[Symbol.asyncDispose]()
    },
  }
}

/** Documents in memory; outlive a stage, as a store outlives a server. */
export class Documents implements DocumentStore {
  readonly rows = new Map<string, { owner: string; collection: string; id: string; version: number; value: unknown }>()

  async get<T>(collection: string, owner: string, id: string): Promise<Stored<T> | undefined> {
    return this.rows.get(`${collection}\n${owner}\n${id}`) as Stored<T> | undefined // what was put there
  }

  async put<T>(collection: string, owner: string, id: string, value: T): Promise<number> {
    const key = `${collection}\n${owner}\n${id}`
    const version = (this.rows.get(key)?.version ?? 0) + 1
    this.rows.set(key, { owner, collection, id, version, value })
    return version
  }

  async remove(collection: string, owner: string, id: string): Promise<'ok' | 'missing'> {
    return this.rows.delete(`${collection}\n${owner}\n${id}`) ? 'ok' : 'missing'
  }

  async range<T>(collection: string, owner: string, page: { after?: string; limit: number }): Promise<Stored<T>[]> {
    return [...this.rows.values()].filter(r => r.collection === collection && r.owner === owner && r.id > (page.after ?? '')).sort((a, b) => a.id < b.id ? -1 : 1).slice(0, page.limit) as unknown as Stored<T>[]
  }
}
