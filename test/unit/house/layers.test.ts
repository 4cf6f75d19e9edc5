// The house holds to its own plan: who may import whom, first lines that say what a file is for, no forgotten length.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../../..')
const ROOMS = ['schemas', 'server', 'protocols', 'plugins', 'components', 'config', 'app', 'web'] as const

/** What a room may import, by the beginning of the imported path; a room's own files come on top where the plan says so. */
const MAY: Record<string, (from: string, to: string) => boolean> = {
  schemas: (_, to) => to.startsWith('schemas/'),
  server: (from, to) => to.startsWith('schemas/') || (to.startsWith('server/') && floorOf(to) <= floorOf(from)),
  protocols: (from, to) => to === 'server/api.ts' || sameFolder('protocols', from, to) || to.startsWith('protocols/'),
  plugins: (from, to) => to === 'server/api.ts' || to.startsWith('protocols/') || (from === 'plugins/index.ts' && to.startsWith('plugins/')),
  components: (from, to) => to === 'server/api.ts' || to.startsWith('protocols/') || to.startsWith('schemas/') || sameFolder('components', from, to),
  config: (_, to) => to.startsWith('schemas/') || to.startsWith('config/'),
  app: () => true,
  web: (_, to) => to.startsWith('web/') || to.startsWith('schemas/'),
}

/** The floors of `server/`, from the ground up; a file imports from its own floor or below. */
const FLOORS = [['xml'], ['stanza'], ['net'], ['ports'], ['store', 'bus', 'jobs', 'session'], ['route'], ['component', 'account'], ['host'], ['stream'], ['api.ts']]
const floorOf = (file: string): number => {
  const part = file.split('/')[1] ?? ''
  if (part === 'stream' && file.includes('/sasl/')) return 3 // machines without a socket: they know a JID and the ports
  return FLOORS.findIndex(f => f.includes(part))
}
const sameFolder = (room: string, from: string, to: string): boolean => to.startsWith(`${room}/`) && from.split('/')[1] === to.split('/')[1]

const files = ROOMS.flatMap(room => readdirSync(join(ROOT, room), { recursive: true, withFileTypes: true })
  .filter(e => e.isFile() && e.name.endsWith('.ts') && !e.parentPath.includes('node_modules') && !e.parentPath.includes('/dist'))
  .map(e => relative(ROOT, join(e.parentPath, e.name))))

const importsOf = (file: string): { to: string; type: boolean }[] =>
  [...readFileSync(join(ROOT, file), 'utf8').matchAll(/^(?:import|export)\s(type\s)?[^'"]*?from\s+'(\.[^']+)'/gm)]
    .map(m => ({ to: relative(ROOT, resolve(ROOT, dirname(file), m[2]!)), type: m[1] !== undefined })) // the pattern has a second group

/** The groups of files that reach each other; who imports nothing that is left is peeled off first. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const rest = new Map([...graph].map(([from, to]) => [from, new Set(to)]))
  const reach = (from: string): Set<string> => {
    const seen = new Set<string>()
    for (const next of [...rest.get(from) ?? []]) walk(next, seen)
    return seen
  }
  const walk = (at: string, seen: Set<string>): void => { if (!seen.has(at)) { seen.add(at); for (const next of rest.get(at) ?? []) walk(next, seen) } }
  for (let before = -1; before !== rest.size;) {
    before = rest.size
    for (const [from, to] of [...rest]) if (![...to].some(t => rest.has(t))) rest.delete(from)
  }
  const found: string[][] = []
  for (const from of rest.keys()) {
    if (found.some(c => c.includes(from))) continue
    const mine = reach(from)
    if (mine.has(from)) found.push([from, ...[...mine].filter(x => reach(x).has(from) && x !== from)])
  }
  return found
}

describe('the house', () => {
  it('has rooms to look at', () => assert.ok(files.length > 50, `${files.length} files`))

  it('lets no import run upwards', () => {
    const wrong = files.flatMap(from => importsOf(from)
      // the ports speak in types of what stands above them: a type is no dependency of the running house
      .filter(({ to, type }) => !MAY[from.split('/')[0]!]!(from, to) && !(type && from.startsWith('server/') && to.startsWith('server/')))
      .map(({ to }) => `${from} imports ${to}`))
    assert.deepEqual(wrong, [])
  })

  it('has no circle of imports in any folder, types counted', () => {
    const folders = [...ROOMS, 'test', 'bench']
    const all = new Set(folders.flatMap(room => readdirSync(join(ROOT, room), { recursive: true, withFileTypes: true })
      .filter(e => e.isFile() && /\.tsx?$/.test(e.name) && !e.parentPath.includes('node_modules') && !e.parentPath.includes('/dist'))
      .map(e => relative(ROOT, join(e.parentPath, e.name)))))
    const graph = new Map([...all].map(from => [from, [...readFileSync(join(ROOT, from), 'utf8').matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']+)'/g)]
      .map(m => relative(ROOT, resolve(ROOT, dirname(from), m[1]!))).filter(to => all.has(to))])) // the pattern has a group
    assert.deepEqual(circles(graph), [])
    assert.deepEqual(circles(new Map([['a', ['b']], ['b', ['c']], ['c', ['b']]])), [['b', 'c']], 'a circle would be seen')
  })

  it('says in the first line of each file what it is for', () => {
    const mute = files.filter(f => !/^(\/\/|\/\*\*|#!)/.test(readFileSync(join(ROOT, f), 'utf8')))
    assert.deepEqual(mute, [])
  })

  it('leaves the clock and the dice out of files that call themselves pure', () => {
    const impure = files.filter(f => {
      const text = readFileSync(join(ROOT, f), 'utf8')
      return /\(pure\)|\bpure\b/i.test(text.split('\n')[0] ?? '') && /\b(Date\.now|Math\.random|new Date\(\)|setTimeout|randomBytes|randomUUID|await |Promise\.)/.test(text)
    })
    assert.deepEqual(impure, [])
  })

  it('keeps clocks behind their port', () => {
    const own = files.filter(f => !f.startsWith('web/') && !f.startsWith('app/') && f !== 'server/ports/clock.ts' && /\b(Date\.now\(|setTimeout\(|setInterval\()/.test(readFileSync(join(ROOT, f), 'utf8')))
    assert.deepEqual(own, [])
  })
})
