// REST for signing in: a name and a password give a token that is soon over; one's own tokens listed and ended (shell).
import { isLoopback, Jid, neighbourhood, type HttpRequest, type HttpResponse, type TokenKeeper, type TokenView } from '../../../server/api.ts'
import { created, Door, gone, nothing, object, ok, page, problem, time, type Caller, type Route } from './door.ts'
import { Failures } from './failures.ts'
import { AREAS, oddScope, SCOPES } from './scopes.ts'
import { list, maybe, moment, paged, PAGED, sent, shape, text, yesNo } from './shapes.ts'

const LIFE = 12 * 3600 // seconds, unless told otherwise
const LONGEST = 24 * 3600
const SHORTEST = 60
const LONG = 1023 // characters of a name or a password
const LABEL = 80
const LATER = '30' // seconds until one may try again where passwords cannot be looked at
const AT_ONCE = 32 // passwords looked at in the same moment: each takes a thread of the pool for milliseconds

const WORDS = list({ enum: [...AREAS, ...SCOPES] })
const SCOPED = { ...maybe(WORDS), description: 'null: all that the account may do. A word without its colon stands for all that begin with it.' }
const TOKEN = shape({ id: text, label: maybe(text), created: moment, expires: maybe(moment), scopes: SCOPED, session: { ...yesNo, description: 'Begun with a password; over with the next one.' }, current: { ...yesNo, description: 'The one that asks.' } })

interface Wish { readonly name: string; readonly password: string; readonly scopes: readonly string[] | undefined; readonly seconds: number; readonly label: string | undefined }

export function tokenRoutes(door: Door): readonly Route[] {
  const o = door.office
  const keyring = (): TokenKeeper | undefined => o.link.privileges?.tokens
  const shown = (t: TokenView, who: Caller): object => ({ id: t.id, label: t.label ?? null, created: time(t.created), expires: time(t.expires), scopes: t.scopes ?? null, session: t.session, current: t.id === who.token })
  const signIns = new SignIns(door)
  o.records.keeping.daily.push(async () => { await keyring()?.sweep() })
  const end = async (who: Caller, id: string): Promise<HttpResponse> => await keyring()?.end(who.jid, id) ? gone() : nothing()
  return [
    {
      method: 'POST', path: '/tokens', id: 'signIn', open: true, status: 201, summary: 'Signs in: a token for a name and a password, shown this once', answer: shape({ token: { ...maybe(text), description: 'null where a request with the same Idempotency-Key is answered again.' }, id: text, jid: text, role: maybe(text), expires: moment, scopes: SCOPED }), refuses: [401, 403, 404, 429, 503],
      body: sent({
        name: { ...text, minLength: 1, maxLength: LONG, description: 'The account: anna, or anna@example.org.' }, password: { ...text, minLength: 1, maxLength: LONG }, scopes: { ...WORDS, minItems: 1, maxItems: 100 },
        seconds: { type: 'integer', minimum: SHORTEST, maximum: LONGEST, default: LIFE, description: 'How long the token holds; an hour at most where a directory or an issuer knows the passwords.' }, label: { ...text, minLength: 1, maxLength: LABEL, description: 'What stands in the list for it, a device say.' },
      }, 'name', 'password'),
      handle: r => signIns.take(r, keyring()),
    },
    {
      method: 'GET', path: '/tokens', id: 'tokens', scope: 'tokens:read', summary: 'One’s own tokens that are not over, without their text', query: PAGED, answer: paged(TOKEN),
      async handle(r, who) {
        const p = page(await keyring()?.list(who.jid) ?? [], t => t.id, r)
        return ok({ items: p.items.map(t => shown(t, who)), next: p.next })
      },
    },
    { method: 'DELETE', path: '/tokens/current', id: 'signOut', summary: 'Signs out: the token that asks is over', answer: {}, status: 204, handle: (_, who) => end(who, who.token ?? '') },
    { method: 'DELETE', path: '/tokens/{id}', id: 'endToken', scope: 'tokens:write', summary: 'Ends one of one’s own tokens, at once', answer: {}, status: 204, handle: (r, who) => end(who, r.params['id'] ?? '') },
  ]
}

/** Looks at passwords, so many from one address and for one account (SEC-A07). What is wrong is never said: neither words nor time tell which names there are. */
class SignIns {
  readonly #door: Door
  readonly #failures = new Failures()
  #now = 0 // looked at in this moment
  constructor(door: Door) { this.#door = door }

  async take(r: HttpRequest, keyring: TokenKeeper | undefined): Promise<HttpResponse> {
    const { office } = this.#door
    const { accounts } = office.link.privileges ?? {}
    if (!keyring || !accounts) return problem(404, 'Nobody signs in here: the desk runs beside its server.')
    if (!r.secure && !isLoopback(r.remote)) return problem(403, 'A password is taken over https only.')
    const wish = read(r)
    if ('status' in wish) return wish
    const jid = Jid.tryParse(wish.name.includes('@') ? wish.name : `${wish.name}@${accounts.domain}`)
    const name = jid?.bare ?? wish.name.toLowerCase()
    const { adminPerUser, adminPerAddress, adminWindow: window } = office.link.limits.authFailures
    const now = office.now
    const [byName, byAddress] = [`name ${name}`, `address ${neighbourhood(r.remote)}`]
    const far = this.#failures.spend(byAddress, { most: adminPerAddress, window }, now)
    const wait = far || this.#failures.spend(byName, { most: adminPerUser, window }, now)
    if (wait > 0 && far === 0) this.#failures.forgive(byAddress)
    if (wait > 0) return this.#tooMany(r, name, wait)
    if (this.#now >= AT_ONCE) { this.#failures.forgive(byName); this.#failures.forgive(byAddress); return problem(503, 'Too many sign in at this moment.', {}, { 'retry-after': '1' }) }
    this.#now++
    const who = await keyring.signIn(name, wish.password).finally(() => { this.#now-- })
    if (who === 'unavailable') {
      this.#failures.forgive(byName)
      this.#failures.forgive(byAddress)
      return problem(503, 'Passwords cannot be looked at now. Please try again later.', {}, { 'retry-after': LATER })
    }
    if (!who) return problem(401, 'Name or password is wrong.', {}, { 'www-authenticate': 'Bearer' })
    this.#failures.forgive(byAddress)
    this.#failures.forget(byName)
    if (!office.operators.has(who.jid)) return problem(403, 'This account serves at no desk.')
    const caller: Caller = { jid: who.jid, role: who.role, scopes: wish.scopes }
    return this.#door.once(r, caller, async () => {
      const expires = office.now + Math.min(wish.seconds * 1000, who.longest ?? Infinity)
      const { id, text: token } = await keyring.begin(who, { expires, ...(wish.scopes && { scopes: wish.scopes }), ...(wish.label !== undefined && { label: wish.label }) })
      await office.records.audit.note({ by: who.jid, from: r.remote, what: 'signIn', on: id.slice(0, 12) })
      return created(`/tokens/${id}`, { token, id, jid: who.jid, role: who.role ?? null, expires: time(expires), scopes: wish.scopes ?? null })
    })
  }

  readonly #told = new Map<string, number>() // when it was written down that an address is refused
  /** Once for each address and quarter of an hour: a flood does not fill the audit. */
  async #tooMany(r: HttpRequest, name: string, wait: number): Promise<HttpResponse> {
    const { office } = this.#door
    const at = neighbourhood(r.remote)
    const { adminWindow: window } = office.link.limits.authFailures
    if ((this.#told.get(at) ?? -Infinity) <= office.now - window) {
      if (this.#told.size > 1000) this.#told.clear()
      this.#told.set(at, office.now)
      office.link.log.warn({ remote: r.remote }, 'too many failed logins over REST')
      await office.records.audit.note({ by: 'nobody', from: r.remote, what: 'signInRefused', on: name })
    }
    return problem(429, 'There were too many failed logins. Please try again later.', {}, { 'retry-after': String(Math.ceil(wait / 1000)) })
  }
}

/** JSON from outside: each value is looked at. */
function read(r: HttpRequest): Wish | HttpResponse {
  const { name, password, scopes, seconds = LIFE, label, ...rest } = object(r) ?? {}
  const faults: { pointer: string; detail: string }[] = Object.keys(rest).map(k => ({ pointer: `/${k}`, detail: 'is nothing that signs in' }))
  const wrong = (k: string, detail: string): void => { faults.push({ pointer: `/${k}`, detail }) }
  for (const [k, v] of [['name', name], ['password', password]] as const) if (typeof v !== 'string' || v === '' || v.length > LONG) wrong(k, 'a text is needed')
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < SHORTEST || seconds > LONGEST) wrong('seconds', `must be a whole number from ${SHORTEST} to ${LONGEST}`)
  if (label !== undefined && (typeof label !== 'string' || label.trim() === '' || label.length > LABEL || /\p{Cc}/u.test(label))) wrong('label', `must be one line of at most ${LABEL} characters`)
  const odd = scopes === undefined ? undefined : Array.isArray(scopes) && scopes.length > 0 && scopes.length <= 100 && scopes.every(s => typeof s === 'string') ? oddScope(scopes) : 'must be a list of scopes'
  if (odd !== undefined) wrong('scopes', odd)
  if (faults.length > 0) return problem(422, faults.map(f => `${f.pointer}: ${f.detail}`).join('; '), { errors: faults })
  return { name: name as string, password: password as string, scopes: scopes as string[] | undefined, seconds: seconds as number, label: label as string | undefined } // each was looked at
}
