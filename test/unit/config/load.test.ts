// The config file: what is shipped, what stands where nothing is said, and the words for each fault.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig, readConfig, type Config } from '../../../config/load.ts'
import { schema } from '../../../config/faults.ts'
import { resolve, type Schema } from '../../../config/fill.ts'
import { defaultLimits } from '../../../server/ports/limits.ts'

const root = join(import.meta.dirname, '../../..')
const file = join(root, 'config/deskbell.yaml')

function good(text: string): Config {
  const loaded = readConfig(text, '/etc/deskbell/deskbell.yaml')
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.faults.join('\n'))
  return loaded.config
}

function faults(text: string): readonly string[] {
  const loaded = readConfig(text, 'x.yaml')
  assert.ok(!loaded.ok, 'there is a fault')
  return loaded.faults
}

const host = 'hosts: { a.example: {} }\n'

describe('config/load', () => {
  it('the shipped file is whole: the ports, the host and the desk of the contract', () => {
    const loaded = loadConfig(file)
    assert.ok(loaded.ok)
    const { config } = loaded
    assert.equal(config.data, join(root, 'data'))
    assert.deepEqual([config.listen.c2s?.port, config.listen.c2sTls?.port, config.listen.s2s, config.listen.component, config.listen.http?.port],
      [5222, 5223, undefined, { port: 5275, address: '127.0.0.1' }, 5280])
    assert.deepEqual([...config.hosts.keys()], ['localhost'])
    assert.deepEqual(config.hosts.get('localhost')?.plugins, { mam: { keep: 365 * 86_400_000 } })
    const desk = config.components.get('help.localhost')
    assert.ok(desk?.kind === 'helpdesk' && desk.enabled)
    assert.deepEqual([desk.queues.get('support')?.assign, desk.queues.get('billing')?.assign, desk.queues.get('support')?.agents], ['round-robin', 'pull', 'all'])
    assert.deepEqual(config.components.get('web.localhost'), { kind: 'webchat', desk: 'help.localhost', queue: 'support', origins: ['https://shop.example.org'] })
  })

  it('where the file says nothing, the limits are those that the server knows', () => {
    assert.deepEqual(good(host).limits, defaultLimits)
  })

  it('SEC-A16 a limit of 0 means none allowed, unlimited means no limit, and the others keep their defaults', () => {
    const { limits } = good(`${host}limits: { stanza: { c2s: 0, s2s: unlimited }, deadlines: { auth: 5, idle: 2m }, upload: { agent: 1GiB } }`)
    assert.deepEqual(limits.stanza, { ...defaultLimits.stanza, c2s: 0, s2s: Infinity })
    assert.deepEqual(limits.deadlines, { ...defaultLimits.deadlines, auth: 5000, idle: 120_000 })
    assert.equal(limits.upload.agent, 1024 ** 3)
  })

  it('limits: unlimited lifts every limit and leaves what is no limit as it was', () => {
    const { limits } = good(`${host}limits: unlimited`)
    assert.deepEqual([limits.stanza.c2s, limits.readRate.c2s.rate, limits.connections.newPerAddress.burst, limits.authFailures.perStream], [Infinity, Infinity, Infinity, Infinity])
    assert.deepEqual(limits.bosh, defaultLimits.bosh)
    assert.equal(limits.streamManagement.resume, defaultLimits.streamManagement.resume)
  })

  it('strangers make accounts never, at once, or when an admin lets them in', () => {
    for (const [text, registration] of [['', false], ['registration: true', true], ['registration: approval', 'approval']] as const) assert.equal(good(`hosts: { a.example: { ${text} } }\n`).hosts.get('a.example')!.registration, registration)
  })

  it('clients may be told where to come back to', () => {
    const { listen } = good(`${host}listen: { c2s: { port: 5222, location: "xmpp1.example.org:5222" } }`)
    assert.equal(listen.c2s?.location, 'xmpp1.example.org:5222')
  })

  it('secrets of a desk are named with their places; a file is looked for beside the config', () => {
    const desk = good(`${host}components: { help.a.example: { helpdesk: { secrets: { kb: "env:KB_TOKEN", tickets: "file:secrets/zammad" } } } }\n`).components.get('help.a.example')
    assert.ok(desk?.kind === 'helpdesk')
    assert.deepEqual([...desk.secrets], [['kb', 'env:KB_TOKEN'], ['tickets', 'file:/etc/deskbell/secrets/zammad']])
    assert.match(faults(`${host}components: { help.a.example: { helpdesk: { secrets: { kb: hush } } } }\n`).join(), /helpdesk\.secrets\.kb: .*env:NAME or file:PATH/)
  })

  it('plugins are given what the file says of them', () => {
    const { plugins } = good('hosts: { a.example: { plugins: { disco: { contact: { abuse: ["mailto:abuse@a.example"] } }, outage: { addresses: ["https://status.example/a.json"] }, csi: { hold: 20 } } } }\n').hosts.get('a.example')!
    assert.deepEqual([plugins['disco'], plugins['outage'], plugins['csi']], [{ contact: { abuse: ['mailto:abuse@a.example'], admin: [], feedback: [], sales: [], security: [], status: [], support: [] } }, { addresses: ['https://status.example/a.json'] }, { hold: 20 }])
  })

  it('a directory and an issuer have their defaults, and no host has them by itself', () => {
    const { plugins } = good('hosts: { a.example: { plugins: { ldap: { url: "ldap://d.example", base: o=x }, jwt: { issuer: "https://i.example", audience: x, roles: { agent: desk } } } } }\n').hosts.get('a.example')!
    assert.deepEqual(plugins['ldap'], { url: 'ldap://d.example', startTls: true, timeout: 5_000, connections: 4, base: 'o=x', create: true, recheck: 300_000 })
    assert.deepEqual(plugins['jwt'], { issuer: 'https://i.example', audience: 'x', user: 'sub', roles: { claim: 'groups', agent: 'desk' }, tolerance: 60_000, password: true, create: true, session: 86_400_000 })
    assert.deepEqual(good(host).hosts.get('a.example')!.plugins, {})
  })

  it('SEC-C04 a desk is off, its queues are pulled by all, and a component listens on this machine only, unless the file says otherwise', () => {
    const config = good(`${host}listen: { component: { port: 1 } }\ncomponents: { d.example: { helpdesk: { queues: { q: } } } }`)
    const desk = config.components.get('d.example')
    assert.ok(desk?.kind === 'helpdesk')
    assert.equal(desk.enabled, false)
    assert.deepEqual(desk.queues.get('q'), { agents: 'all', assign: 'pull', accept: 'ask', view: 'contact' })
    assert.equal(config.listen.component?.address, '127.0.0.1')
    assert.equal(config.data, '/etc/data', 'paths are relative to the file')
  })

  const wrong: [title: string, text: string, ...lines: string[]][] = [
    ['an unknown key is told with the one that was meant', `stroe: sqlite\n${host}`, 'x.yaml: stroe: unknown key: did you mean store?'],
    ['a store that is not built yet', `store: mongodb://db\n${host}`, 'x.yaml: store: MongoDB is not built yet: use store: sqlite'],
    ['a bus that is not built yet', `bus: nats://n\n${host}`, 'x.yaml: bus: NATS is not built yet: use bus: local'],
    ['a port out of range', `listen: { c2s: { port: 70000 } }\n${host}`, 'x.yaml: listen.c2s.port: cannot be 70000: give a port from 0 to 65535'],
    ['two listeners on one port', `listen: { c2s: { port: 7 }, http: { port: 7, address: "::1" } }\n${host}`, 'x.yaml: listen.http.port: 7 is taken by listen.c2s already: give another port'],
    ['no hosts', 'data: x', 'x.yaml: hosts: is missing: give a map of at least one domain'],
    ['a host that is no domain', 'hosts: { a@b: {} }', 'x.yaml: hosts.a@b: is no domain: give one such as chat.example.org'],
    ['a plugin that nobody knows', 'hosts: { a.example: { plugins: { mamm: {} } } }', 'x.yaml: hosts.a.example.plugins.mamm: unknown key: did you mean mam?'],
    ['a plugin set to what it cannot be', 'hosts: { a.example: { plugins: { ping: 3 } } }', 'x.yaml: hosts.a.example.plugins.ping: cannot be 3: give false, or {}'],
    ['a kind that nobody knows', `${host}components: { c.example: { mucc: {} } }`, 'x.yaml: components.c.example.mucc: unknown key: did you mean muc?'],
    ['a component of two kinds', `${host}components: { c.example: { muc: {}, helpdesk: {} } }`,
      'x.yaml: components.c.example: cannot be a map of muc, helpdesk: give a map of exactly one kind: muc, helpdesk, webchat, pubsub, upload or external'],
    ['a component on a host\'s domain', `${host}components: { a.example: { muc: {} } }`, 'x.yaml: components.a.example: is one of the hosts already: give the component a domain of its own, such as x.a.example'],
    ['an external component without a secret', `${host}components: { b.example: { external: {} } }`,
      'x.yaml: components.b.example.external.secret: is missing: give a text (in quotes if it is made of digits)'],
    ['a webchat for a desk that is not there', `${host}components: { h.example: { helpdesk: {} }, w.example: { webchat: { desk: hh.example, queue: q } } }`,
      'x.yaml: components.w.example.webchat.desk: no helpdesk has the domain hh.example: did you mean h.example?'],
    ['a webchat for a queue that is not there', `${host}components: { h.example: { helpdesk: { queues: { support: {} } } }, w.example: { webchat: { desk: h.example, queue: suport } } }`,
      'x.yaml: components.w.example.webchat.queue: h.example has no queue suport: did you mean support?'],
    ['an origin with a slash', `${host}components: { h.example: { helpdesk: { queues: { q: {} } } }, w.example: { webchat: { desk: h.example, queue: q, origins: ["https://x.example/"] } } }`,
      'x.yaml: components.w.example.webchat.origins: "https://x.example/" is not as a browser says it: write https://x.example'],
    ['an agent who is no JID', `${host}components: { h.example: { helpdesk: { queues: { q: { agents: [anna] } } } } }`,
      'x.yaml: components.h.example.helpdesk.queues.q.agents: "anna" is no bare JID: give one such as anna@example.org'],
    ['further certificates that are not there', `${host}tls: { certificate: /none.pem, key: /none.key, more: [{ certificate: /more.pem, key: /more.key }] }`,
      ...['certificate: /none.pem', 'key: /none.key', 'more.0.certificate: /more.pem', 'more.0.key: /more.key'].map(at => `x.yaml: tls.${at} is not there: give a PEM file that deskbell may read, or leave out tls for a self-signed certificate`)],
    ['a directory of which nobody knows where users are', 'hosts: { a.example: { plugins: { ldap: { url: "ldaps://d.example" } } } }',
      'x.yaml: hosts.a.example.plugins.ldap.base: either it or user-dn is needed: say below which entry users are, or where a user\'s entry is'],
    ['a directory with a filter that is none, a name without a password and a file that is not there', 'hosts: { a.example: { plugins: { ldap: { url: "ldaps://d.example", base: o=x, filter: "(&(uid=%u)", bind-dn: cn=r, ca: /none.pem } } } }',
      'x.yaml: hosts.a.example.plugins.ldap.bind-password: is missing: give the password to bind-dn: without one the directory would take us for nobody',
      'x.yaml: hosts.a.example.plugins.ldap.filter: its brackets do not fit together: give a filter such as (&(objectClass=person)(uid=%u))',
      'x.yaml: hosts.a.example.plugins.ldap.ca: /none.pem cannot be read: give a PEM file that deskbell may read'],
    ['a directory over the network in the clear', 'hosts: { a.example: { plugins: { ldap: { url: "ldap://d.example", base: o=x, start-tls: false } } } }',
      'x.yaml: hosts.a.example.plugins.ldap.start-tls: passwords would go over the network in the clear: leave it out, or use ldaps://'],
    ['registration where a directory keeps the passwords', 'hosts: { a.example: { registration: true, plugins: { ldap: { url: "ldaps://d.example", base: o=x } } } }',
      'x.yaml: hosts.a.example.registration: the directory keeps the passwords, so nobody can choose one here: leave it out'],
    ['an issuer over the network in the clear', 'hosts: { a.example: { plugins: { jwt: { issuer: "http://i.example", audience: x } } } }',
      'x.yaml: hosts.a.example.plugins.jwt.issuer: "http://i.example" could be answered by anybody on the way: give one that begins with https://'],
    ['an algorithm that does not fit to the key', 'hosts: { a.example: { plugins: { jwt: { issuer: "https://i.example", audience: x, algorithms: [RS256, HS256] } } } }',
      'x.yaml: hosts.a.example.plugins.jwt.algorithms: HS256 and its kin need a secret: take them out: nobody shall sign with a key that everybody may read'],
    ['an issuer with keys and a secret', 'hosts: { a.example: { plugins: { jwt: { issuer: i, audience: x, keys: "https://i.example/k", secret: 01234567890123456789012345678901x } } } }',
      'x.yaml: hosts.a.example.plugins.jwt.secret: there are keys as well: leave one of them out'],
    ['a proxy that is no network', `${host}listen: { http: { port: 0, proxies: [10.0.0.0/33] } }`,
      'x.yaml: listen.http.proxies: "10.0.0.0/33" is no network: give one such as 10.0.0.0/8 or 192.0.2.7'],
    ['a certificate that is not there', `${host}tls: { certificate: /nowhere/c.pem, key: /nowhere/k.pem }`,
      'x.yaml: tls.certificate: /nowhere/c.pem is not there: give a PEM file that deskbell may read, or leave out tls for a self-signed certificate',
      'x.yaml: tls.key: /nowhere/k.pem is not there: give a PEM file that deskbell may read, or leave out tls for a self-signed certificate'],
    ['an authority for clients that is none', `${host}tls: { certificate: /nowhere/c.pem, key: /nowhere/k.pem, client-ca: /dev/null }`,
      'x.yaml: tls.client-ca: holds no certificate: give a PEM file that begins with -----BEGIN CERTIFICATE-----',
      'x.yaml: tls.certificate: /nowhere/c.pem is not there: give a PEM file that deskbell may read, or leave out tls for a self-signed certificate',
      'x.yaml: tls.key: /nowhere/k.pem is not there: give a PEM file that deskbell may read, or leave out tls for a self-signed certificate'],
    ['guests among accounts (SEC-T13)', 'hosts: { a.example: { anonymous: true } }',
      'x.yaml: hosts.a.example.anonymous: the first host has accounts, admin@ among them: give guests a host of their own, below the first, such as guests.a.example'],
    ['guests who make accounts', `${host.trimEnd().replace(/\}$/, '')}, g.example: { anonymous: true, registration: true } }`,
      'x.yaml: hosts.g.example.registration: nobody makes an account on a host for guests: leave it out'],
    ['a limit below 0 (SEC-A16)', `${host}limits: { stanza: { c2s: -1 } }`, 'x.yaml: limits.stanza.c2s: cannot be -1: give a size such as 65536 or 64KiB (0 = none allowed), or unlimited'],
    ['a limit that is empty (SEC-A16)', `${host}limits: { resources: { per-account: "" } }`,
      'x.yaml: limits.resources.per-account: cannot be "": give a whole number (0 = none allowed), or unlimited'],
    ['a key that stands twice', 'hosts: { a.example: {} }\nhosts: { b.example: {} }', 'x.yaml: line 2, column 1: Map keys must be unique: mend the YAML there'],
    ['an empty file', '', 'x.yaml: the whole file: is empty: begin with config/deskbell.yaml'],
    ['a list', '- a', 'x.yaml: the whole file: cannot be a list: give a map with at least `hosts`'],
  ]
  for (const [title, text, ...lines] of wrong) it(`refuses ${title}`, () => assert.deepEqual(faults(text), lines))

  it('tells all faults at once', () => {
    assert.equal(faults('store: mongodb://x\nlisten: { c2s: { port: x } }\nhosts: { a.example: { regstration: true } }').length, 3)
  })

  it('names a file that cannot be read', () => {
    const loaded = loadConfig('/nowhere/deskbell.yaml')
    assert.deepEqual(loaded, { ok: false, faults: ['/nowhere/deskbell.yaml: cannot be read (ENOENT): give another with --config FILE'] })
  })

  it('every key is described in the schema, and what has a default says so', () => {
    const bare: string[] = []
    const look = (part: Schema, path: string): void => {
      const whole = resolve(schema, part)
      for (const inner of [whole, ...whole.anyOf ?? []]) {
        for (const [key, sub] of Object.entries(inner.properties ?? {})) {
          const { description, default: value } = resolve(schema, sub)
          const told = description && (value === undefined || typeof value === 'object' || /Default:/.test(description))
          if (!told) bare.push(`${path}.${key}`)
          look(sub, `${path}.${key}`)
        }
        if (typeof inner.additionalProperties === 'object') look(inner.additionalProperties, `${path}.*`)
      }
    }
    look(schema, '')
    assert.deepEqual(bare, [])
  })

  it('the shipped file and the schema are what git holds: no tabs, a newline at the end', () => {
    for (const path of [file, join(root, 'schemas/config.json')]) assert.match(readFileSync(path, 'utf8'), /^[^\t]*\n$/)
  })
})
