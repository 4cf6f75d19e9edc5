// A real server for the examples of this repository: its folder and config, accounts, REST as its admin, people in clients.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Person } from '../harness/desk.ts'
import { tempFolder } from '../harness/folder.ts'
import { freePorts } from '../harness/ports.ts'
import { Actor } from '../harness/scene.ts'
import { deskbell, Program } from './program.ts'

/** JIDs, and the role that each has. */
export type Accounts = Readonly<Record<string, 'agent' | undefined>>

export class RealHouse implements AsyncDisposable {
  readonly #folder = tempFolder('example')
  readonly #file = join(this.#folder, 'deskbell.yaml')
  readonly #open: Actor[] = []
  readonly #ports: readonly [c2s: number, component: number, http: number]
  #server: Program | undefined
  #token = ''

  private constructor(ports: readonly number[]) {
    const [c2s = 0, component = 0, http = 0] = ports
    this.#ports = [c2s, component, http]
  }

  /** Starts one; `components`: YAML. */
  static async start(components: string, accounts: Accounts): Promise<RealHouse> {
    const house = new RealHouse(await freePorts(3))
    try { await house.#moveIn(components, accounts) } catch (error) { await house[Symbol.asyncDispose](); throw error }
    return house
  }

  get componentPort(): number { return this.#ports[1] }

  async #moveIn(components: string, accounts: Accounts): Promise<void> {
    const [c2s, component, http] = this.#ports.map(port => `{ port: ${port}, address: 127.0.0.1 }`)
    writeFileSync(this.#file, `
data: ${this.#folder}/data
listen: { c2s: ${c2s}, component: ${component}, http: ${http} }
require-tls: false
hosts: { localhost: {} }
components:
${components}
`)
    this.#server = await Program.deskbell('start', this.#file)
    for (const [jid, role] of Object.entries(accounts)) await deskbell('user', 'add', jid, '--password', 'pw', ...(role ? ['--role', role] : []), '--config', this.#file)
    this.#token = /token: (\S+)/.exec(await deskbell('token', 'add', 'admin@localhost', '--config', this.#file))?.[1] ?? ''
  }

  /** Asks the REST interface as the admin. */
  asks(method: string, path: string, body: object): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#ports[2]}/api/v1${path}`, { method, headers: { 'authorization': `Bearer ${this.#token}`, 'content-type': 'application/json' }, body: JSON.stringify(body) })
  }

  /** Somebody logs in, as `jid` with a resource. */
  async person(jid: string): Promise<Person> {
    const actor = new Actor(jid.split('@')[0]!, jid)
    this.#open.push(actor)
    await actor.connects(this.#ports[0])
    actor.says(`<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>`)
    return new Person(actor)
  }

  /** Power is cut, and comes back. */
  async fallsAndRises(): Promise<void> {
    await this.#server?.isKilled()
    this.#server = await Program.deskbell('start', this.#file)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const a of this.#open) a.leaves()
    await this.#server?.[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
