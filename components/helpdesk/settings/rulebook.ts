// The settings of a desk: one versioned document of what admins changed, between the defaults and what the config file fixes (shell).
import type { Clock, DocumentStore, Log } from '../../../server/api.ts'
import type { DeskSettings } from '../../../schemas/desk-settings.ts'
import { check, schema, resolved, type Fault, type Shape } from './check.ts'
import { at, branch, isTree, leaves, merge, same, type Json, type Tree } from './tree.ts'

/** What is kept: the changes alone. */
interface Kept { readonly changes: Tree; readonly by: string; readonly at: number }

export type Changed =
  | { readonly is: 'done'; readonly version: number }
  /** The document is no more at the version that was expected. */
  | { readonly is: 'conflict'; readonly version: number }
  | { readonly is: 'wrong'; readonly faults: readonly Fault[] }
  /** The config file gives it, or what is under way forbids it. */
  | { readonly is: 'refused'; readonly faults: readonly Fault[] }

const COLLECTION = 'desk-settings'
const TRIES = 5
/** One queue, department and the like. */
const ENTRY = /^\/(?:queues|departments|brands|sites|links|roles|fields|events|macros)\/[^/]+$/

export interface RulebookOptions { readonly documents: DocumentStore; readonly desk: string; readonly clock: Clock; readonly log?: Log; /** what the config file says, as settings */ readonly given?: Tree }

interface Mended { readonly settings: DeskSettings; readonly fitting: Tree }

export class Rulebook {
  readonly #o: RulebookOptions
  readonly #given: Tree
  #kept: Tree = {}
  /** Of what is kept, that which is in force: all of it that fits to the config file and the schema. */
  #fitting: Tree = {}
  #version = 0
  #now: DeskSettings
  #turn: Promise<unknown> = Promise.resolve()
  /** Told after a change is kept and in force; the one who changed it waits for them. */
  readonly onChange: ((before: DeskSettings, after: DeskSettings) => void | Promise<void>)[] = []
  /** What is under way and forbids a change. */
  guard: (before: DeskSettings, after: DeskSettings) => readonly Fault[] = () => []

  private constructor(o: RulebookOptions) {
    this.#o = o
    this.#given = o.given ?? {}
    this.#now = this.#mended({}).settings
  }

  static async open(o: RulebookOptions): Promise<Rulebook> {
    const book = new Rulebook(o)
    await book.#read()
    return book
  }

  get now(): DeskSettings { return this.#now }
  /** 0 = nobody has changed anything yet. */
  get version(): number { return this.#version }
  /** The pointers of what the config file gives. */
  get fixed(): readonly string[] { return leaves(this.#given).map(l => l.pointer).filter(p => p !== '') }
  isFixed(pointer: string): boolean { return this.fixed.some(f => f === pointer || f.startsWith(`${pointer}/`)) }

  /** For people and programs: everything in force, but for secrets; those that are set are named. */
  shown(): { readonly settings: Tree; readonly secrets: readonly string[] } {
    const secrets: string[] = []
    return { settings: blank(this.#now as unknown as Tree, schema, '', secrets) as Tree, secrets } // settings are JSON
  }

  /** Merges `patch` (RFC 7396) into the settings, if they still are at version `expected`. */
  change(patch: Tree, by: string, expected?: number): Promise<Changed> {
    return this.edit(changes => merge(changes, patch) as Tree, by, expected, this.#touches(patch)) // merging into a tree gives one
  }

  /** Replaces the changes by what `work` makes of them. `touched`: what the config file forbids of it. */
  edit(work: (changes: Tree) => Tree, by: string, expected?: number, touched: readonly Fault[] = []): Promise<Changed> {
    return this.#inTurn(async () => {
      if (touched.length > 0) return { is: 'refused', faults: touched }
      for (let tries = 1; ; tries++) {
        if (expected !== undefined && expected !== this.#version) return { is: 'conflict', version: this.#version }
        const next = work(this.#kept)
        let fitting = next
        let checked = check(this.#whole(next))
        // What did not fit before hinders nobody from changing something else: it stays as it is, out of force.
        if ('faults' in checked && !same(this.#fitting, this.#kept)) checked = check(this.#whole(fitting = work(this.#fitting)))
        if ('faults' in checked) return { is: 'wrong', faults: checked.faults }
        const forbidden = this.guard(this.#now, checked.settings)
        if (forbidden.length > 0) return { is: 'refused', faults: forbidden }
        if (same(next, this.#kept)) return { is: 'done', version: this.#version }
        const put = await this.#o.documents.put<Kept>(COLLECTION, this.#o.desk, 'settings', { changes: next, by, at: this.#o.clock.now() }, this.#version)
        if (put !== 'conflict') { await this.#adopt(next, put, { settings: checked.settings, fitting }); return { is: 'done', version: put } }
        if (tries >= TRIES) return { is: 'conflict', version: this.#version }
        await this.#read()
      }
    })
  }

  /** Looks again at the store: somebody else has changed it. */
  reread(): Promise<void> { return this.#inTurn(() => this.#read()) }

  async #read(): Promise<void> {
    const found = await this.#o.documents.get<Kept>(COLLECTION, this.#o.desk, 'settings')
    if (!found || found.version === this.#version) return
    await this.#adopt(found.value.changes, found.version, this.#mended(found.value.changes))
  }

  async #adopt(changes: Tree, version: number, { settings: now, fitting }: Mended): Promise<void> {
    const before = this.#now
    this.#kept = changes
    this.#fitting = fitting
    this.#version = version
    this.#now = now
    // It is kept: what follows from it must not make it look as if it were not.
    for (const f of this.onChange) try { await f(before, now) } catch (err) { this.#o.log?.error({ err, desk: this.#o.desk }, 'what follows from a change of settings met a bug') }
  }

  /** The settings that these changes make; what does not fit to the config file any more is left out, and logged. */
  #mended(changes: Tree): Mended {
    let left = changes
    for (;;) {
      const checked = check(this.#whole(left))
      if ('settings' in checked) return { settings: checked.settings, fitting: left }
      const before = left
      for (const f of checked.faults) {
        this.#o.log?.warn({ setting: f.pointer, because: f.because, desk: this.#o.desk }, 'a setting is left out: it does not fit any more')
        for (let pointer = f.pointer; pointer !== '' && same(left, before); pointer = pointer.slice(0, pointer.lastIndexOf('/'))) if (at(left, pointer) !== undefined) left = merge(left, branch(pointer, null)) as Tree // a tree stays one
      }
      if (same(left, before)) {
        if (Object.keys(left).length === 0) throw new Error(`the config file gives no settings for ${this.#o.desk}: ${checked.faults.map(f => `${f.pointer} ${f.because}`).join(', ')}`)
        left = {}
      }
    }
  }
  #whole(changes: Tree): Tree { return merge(changes, this.#given) as Tree } // both are trees

  #touches(patch: Tree): Fault[] {
    return leaves(patch).flatMap(({ pointer, value }) => {
      const given = at(this.#given, pointer)
      const within = this.fixed.find(f => pointer.startsWith(`${f}/`) && !isTree(at(this.#given, f)))
      if (within === undefined && (given === undefined || (value !== null && same(given, value)) || (isTree(value) && isTree(given)) || (value === null && isTree(given) && !ENTRY.test(pointer)))) return []
      return [{ pointer, because: 'the config file gives it: change it there' }]
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work)
    this.#turn = turn.catch(() => {})
    return turn
  }
}

/** A copy without secrets. */
function blank(value: Json, part: Shape, pointer: string, secrets: string[]): Json {
  const shape = resolved(part)
  if (shape['x-secret']) { secrets.push(pointer); return null }
  if (!isTree(value)) return value
  const inside = (key: string): Shape => shape.properties?.[key] ?? (typeof shape.additionalProperties === 'object' ? shape.additionalProperties : {})
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, blank(v, inside(k), `${pointer}/${k}`, secrets)]))
}
