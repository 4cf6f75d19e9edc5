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

describe('the house', () => {
  it('has rooms to look at', () => assert.ok(files.length > 50, `${files.length} files`))

  it('lets no import run upwards', () => {
    const wrong = files.flatMap(from => importsOf(from)
      // the ports speak in types of what stands above them: a type is no dependency of the running house
      .filter(({ to, type }) => !MAY[from.split('/')[0]!]!(from, to) && !(type && from.startsWith('server/') && to.startsWith('server/')))
      .map(({ to }) => `${from} imports ${to}`))
    assert.deepEqual(wrong, [])
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
