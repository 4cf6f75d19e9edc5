// Debian's OpenLDAP server beside a test: an office's directory, its people, its groups.
import { mkdirSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { Client } from 'ldapts'
import { freePorts } from '../harness/ports.ts'
import type { Paper } from '../wire/s2s-houses.ts'
import { Program } from './program.ts'

export const BASE = 'dc=example,dc=org'
export const PEOPLE = `ou=people,${BASE}`
export const GROUPS = `ou=groups,${BASE}`
/** Who may look through it. */
export const READER = { bindDn: `cn=deskbell,${BASE}`, bindPassword: 'look' }
const ROOT = `cn=root,${BASE}`

const person = (uid: string, cn: string, more = ''): string => `dn: uid=${uid.replace(',', '\\2C')},${PEOPLE}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${cn}\nsn: ${cn}\nuserPassword: ${uid}-pw\n${more}\n`
const group = (cn: string, uid: string): string => `dn: cn=${cn},${GROUPS}\nobjectClass: groupOfNames\ncn: ${cn}\nmember: uid=${uid},${PEOPLE}\n\n`

/** anna (agent), ben (admin), carl (has left), and o,neill; everybody's password is his name and -pw. */
const OFFICE = `dn: ${BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Office\ndc: example\n\n`
  + `dn: ${PEOPLE}\nobjectClass: organizationalUnit\nou: people\n\ndn: ${GROUPS}\nobjectClass: organizationalUnit\nou: groups\n\n`
  + `dn: ${READER.bindDn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: deskbell\nuserPassword: ${READER.bindPassword}\n\n`
  + person('anna', 'Anna Smith') + person('ben', 'Ben Brown') + person('carl', 'Carl Gone', 'employeeType: left\n') + person('o,neill', 'Eugene')
  + group('helpdesk', 'anna') + group('admins', 'ben')

const answers = (port: number): Promise<boolean> => new Promise(done => {
  const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); done(true) })
  socket.on('error', () => done(false))
})

export class Slapd implements AsyncDisposable {
  readonly port: number
  readonly secure: number
  readonly #folder: string
  #program: Program | undefined
  private constructor(folder: string, port: number, secure: number) { this.#folder = folder; this.port = port; this.secure = secure }

  /** Without a paper it knows no TLS. */
  static async start(folder: string, paper?: Paper): Promise<Slapd> {
    const [port, secure] = await freePorts(2) as [number, number] // two were asked for
    const slapd = new Slapd(join(folder, `slapd-${port}`), port, secure)
    mkdirSync(join(slapd.#folder, 'data'), { recursive: true })
    writeFileSync(slapd.#conf, `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
${paper ? `TLSCertificateFile ${paper.certificate}\nTLSCertificateKeyFile ${paper.key}` : ''}
database ldif
directory ${slapd.#folder}/data
suffix "${BASE}"
rootdn "${ROOT}"
rootpw root
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="${READER.bindDn}" read by self read by anonymous auth by * none
`)
    writeFileSync(join(slapd.#folder, 'office.ldif'), OFFICE)
    execFileSync('slapadd', ['-f', slapd.#conf, '-l', join(slapd.#folder, 'office.ldif')], { stdio: 'ignore' })
    await slapd.again()
    return slapd
  }

  /** Starts it, after it was ended. */
  async again(): Promise<void> {
    this.#program = await Program.start('slapd', ['-d', 'stats', '-f', this.#conf, '-h', `ldap://127.0.0.1:${this.port} ldaps://127.0.0.1:${this.secure}`], /slapd starting/)
    for (const port of [this.port, this.secure]) while (!await answers(port)); // it says so before it listens
  }

  async ends(): Promise<void> { await this.#program?.[Symbol.asyncDispose]() }

  /** Connections over TLS that were opened since it was started, but for the one that looked whether it listens. */
  get accepted(): number { return (this.#program?.said.match(new RegExp(` ACCEPT from .*:${this.secure}\\)`, 'g'))?.length ?? 0) - 1 }

  /** What its owner does to it. */
  async changes(work: (root: Client) => Promise<unknown>): Promise<void> {
    const root = new Client({ url: `ldap://127.0.0.1:${this.port}` })
    await root.bind(ROOT, 'root')
    await work(root)
    await root.unbind()
  }

  get #conf(): string { return join(this.#folder, 'slapd.conf') }
  async [Symbol.asyncDispose](): Promise<void> { await this.ends() }
}
