// `deskbell queue|department|brand|site|link|role|field|event|setting|canned|webhook …`: what an admin changes at a desk at run time.
import { CannedBook } from '../../components/helpdesk/canned-book.ts'
import { fixedBy } from '../../components/helpdesk/config.ts'
import { Audit, differences, SECRET } from '../../components/helpdesk/records/audit.ts'
import { schema } from '../../components/helpdesk/settings/check.ts'
import { Rulebook, type Changed } from '../../components/helpdesk/settings/rulebook.ts'
import { branch, merge, type Json, type Tree } from '../../components/helpdesk/settings/tree.ts'
import { get, leavesOf, partOf, readWords, writeValue } from '../../components/helpdesk/settings/words.ts'
import { Fetcher } from '../../components/helpdesk/webhooks/fetcher.ts'
import { HookBook, type HookNews } from '../../components/helpdesk/webhooks/hook-book.ts'
import { SECTIONS, type Section } from '../../schemas/desk-settings.ts'
import { done, failed, misused, type Desk, type Office, type Outcome, type Verb } from '../office.ts'
import { isOutcome } from './words.ts'

/** The words after the options: `--desk DOMAIN` names the desk where there are several. */
interface Asked { readonly desk: Desk; readonly words: readonly string[]; readonly options: Readonly<Record<string, string>> }
const SINGULAR = Object.fromEntries(SECTIONS.map(s => [s.slice(0, -1), s])) as Readonly<Record<string, Section>> // each is a plural in s

export const deskVerbs: readonly (readonly [string, Verb])[] = [...Object.keys(SINGULAR).map(one => [one, section(one)] as const), ['setting', setting] as const, ['canned', canned] as const, ['webhook', webhook] as const].map(([name, verb]) => [name, noted(name, verb)] as const)

/** What is done to accounts stands in the audit of every desk; only the address and a role are named. */
export const notedEverywhere = (name: string, verb: Verb): Verb => async (args, office) => {
  const outcome = await verb(args, office)
  const [what = '', ...words] = args
  if (outcome.code !== 0 || what === 'list') return outcome
  const on = words.filter((w, i) => !w.startsWith('-') && !/^--(password|name)$/.test(words[i - 1] ?? '')).slice(0, 2).join(' ')
  for (const [domain, config] of office.config.components) if (config.kind === 'helpdesk') await (office.desks?.get(domain) ?? await kept(office, domain, config)).note({ what: `${name} ${what}`, on })
  return outcome
}

/** What is changed stands in the audit. */
function noted(name: string, verb: Verb): Verb { return async (args, office) => {
  if (!['add', 'set', 'remove', 'rotate'].includes(args[0] ?? '')) return verb(args, office)
  const asked = await ask(args, office, ['title', 'group', 'queue'])
  if (isOutcome(asked)) return verb(args, office) // it says what is wrong
  const shown = async (): Promise<Json> => { await asked.desk.rules.reread(); return { settings: asked.desk.rules.shown().settings } }
  const before = await shown()
  const outcome = await verb(args, office)
  if (outcome.code !== 0) return outcome
  const changes = differences(before, await shown())
  await asked.desk.note({ what: `${name} ${args[0]}`, on: asked.words.slice(1).filter(w => !(/^[\w.]+=/.test(w) && SECRET.test(w))).join(' '), ...(changes.length > 0 ? { changes } : {}) })
  return outcome
} }

function section(one: string): Verb {
  const name = SINGULAR[one]! // the table above has it
  const usage = `usage: deskbell ${one} list | show NAME | add NAME [key=value …] | set NAME key=value … | remove NAME [--desk DOMAIN]; keys: ${leavesOf(partOf(one)).map(l => l.key).join(', ')}`
  return async (args, office) => {
    const asked = await ask(args, office, [])
    if (isOutcome(asked)) return asked
    const { desk: { rules }, words: [verb, id, ...rest] } = asked
    const all = rules.now[name] as unknown as Readonly<Record<string, Tree>> // settings are JSON
    if (verb === 'list' && id === undefined) return done(...Object.keys(all).sort().map(k => [k, String(all[k]?.['name'] ?? all[k]?.['title'] ?? all[k]?.['label'] ?? ''), rules.isFixed(`/${name}/${k}`) ? 'config file' : ''].join('\t').trimEnd()))
    if (id === undefined) return misused(usage)
    const there = all[id]
    if (verb !== 'add' && !there) return failed(`there is no ${one} ${id}: deskbell ${one} list shows those there are`)
    switch (verb) {
      case 'show': return rest.length > 0 ? misused(usage) : done(...leavesOf(partOf(one)).flatMap(l => { const v = get(there, l.key); return v === undefined ? [] : [`${l.key}=${writeValue(v)}`] }))
      case 'add': case 'set': {
        if (verb === 'add' && there) return failed(`there is a ${one} ${id} already: deskbell ${one} set ${id} key=value changes it`)
        if (verb === 'set' && rest.length === 0) return misused(usage)
        const read = readWords(partOf(one), rest)
        if ('wrong' in read) return misused(read.wrong)
        return told(await rules.change(branch(`/${name}/${id}`, read.patch), 'command line'), `${one} ${id} ${verb === 'add' ? 'added' : 'changed'}`)
      }
      case 'remove': return rest.length > 0 ? misused(usage) : told(await rules.change(branch(`/${name}/${id}`, null), 'command line'), `${one} ${id} removed`)
      default: return misused(usage)
    }
  }
}

async function setting(args: readonly string[], office: Office): Promise<Outcome> {
  const asked = await ask(args, office, [])
  if (isOutcome(asked)) return asked
  const { desk: { rules }, words: [verb, ...rest] } = asked
  const groups = Object.entries(schema.properties ?? {}).filter(([k]) => !(SECTIONS as readonly string[]).includes(k))
  const shown = rules.shown().settings
  if (verb === 'list' && rest.length === 0) return done(...groups.flatMap(([g, part]) => leavesOf(part).map(l => { const v = get(shown[g], l.key); return `${g}.${l.key}=${writeValue(v)}${rules.isFixed(`/${g}/${l.key.replaceAll('.', '/')}`) ? '\tconfig file' : ''}` })))
  if (verb !== 'set' || rest.length === 0) return misused('usage: deskbell setting list | set group.key=value … [--desk DOMAIN]')
  let patch: Tree = {}
  for (const word of rest) {
    const [group = ''] = word.split('.')
    const part = groups.find(([g]) => g === group)?.[1]
    if (!part) return misused(`${word}: write group.key=value; the groups are ${groups.map(([g]) => g).join(', ')}`)
    const read = readWords(part, [word.slice(group.length + 1)])
    if ('wrong' in read) return misused(`${group}.${read.wrong}`)
    patch = merge2(patch, group, read.patch)
  }
  return told(await rules.change(patch, 'command line'), 'changed')
}

async function canned(args: readonly string[], office: Office): Promise<Outcome> {
  const usage = 'usage: deskbell canned list | add SHORT-CUT TEXT [--title T] [--group G] [--queue Q] | set SHORT-CUT TEXT | remove SHORT-CUT [--desk DOMAIN]'
  const asked = await ask(args, office, ['title', 'group', 'queue'])
  if (isOutcome(asked)) return asked
  const { desk, words: [verb, word, text, ...more], options } = asked
  const book = desk.canned
  const all = book.list(undefined)
  if (verb === 'list' && word === undefined) return done(...all.map(c => [c.shortcut, c.title, c.group ?? '', c.text.replaceAll('\n', '\\n')].join('\t')))
  if (word === undefined || more.length > 0) return misused(usage)
  const found = all.filter(c => c.shortcut === word.toLowerCase() && (options['queue'] === undefined || c.queues?.includes(options['queue'])))
  const [one] = found
  if (verb !== 'add' && (!one || found.length > 1)) return failed(`${word} names ${one ? 'several canned replies: say which with --queue' : 'no canned reply'}: deskbell canned list shows them`)
  switch (verb) {
    case 'add': case 'set': {
      if (text === undefined) return misused(usage)
      const { id, ...old } = verb === 'set' && one ? one : { id: undefined }
      const kept = await book.put({ title: word, ...old, shortcut: word, text, ...(options['title'] === undefined ? {} : { title: options['title'] }), ...(options['group'] === undefined ? {} : { group: options['group'] }), ...(options['queue'] === undefined ? {} : { queues: [options['queue']] }) }, id)
      return 'wrong' in kept ? failed(kept.wrong) : done(`canned reply ${kept.shortcut} ${verb === 'add' ? 'added' : 'changed'}`)
    }
    case 'remove': if (one) await book.remove(one.id); return text === undefined ? done(`canned reply ${word} removed`) : misused(usage)
    default: return misused(usage)
  }
}

async function webhook(args: readonly string[], office: Office): Promise<Outcome> {
  const usage = 'usage: deskbell webhook list | add ADDRESS [TYPE …] | set ID [url=ADDRESS] [types=TYPE,TYPE] [disabled=true|false] | rotate ID | remove ID [--desk DOMAIN]'
  const asked = await ask(args, office, [])
  if (isOutcome(asked)) return asked
  const { desk: { hooks: { book, wrong } }, words: [verb, word, ...rest] } = asked
  if (verb === 'list' && word === undefined) return done(...book.list().map(h => [h.id, h.url, h.types.join(','), h.disabled === true ? 'disabled' : ''].join('\t').trimEnd()))
  if (word === undefined || verb === undefined) return misused(usage)
  const keep = async (news: HookNews, id: string | undefined, how: string): Promise<Outcome> => {
    const put = await book.put(news, id, wrong)
    return 'wrong' in put ? failed(put.wrong) : done(`webhook ${put.id} ${how}`, ...(id === undefined || news.rotate === true ? [`secret: ${put.secrets[0]}`] : []))
  }
  if (verb === 'add') return keep({ url: word, ...(rest.length > 0 ? { types: rest } : {}) }, undefined, 'added')
  if (!book.get(word)) return failed(`there is no webhook ${word}: deskbell webhook list shows those there are`)
  switch (verb) {
    case 'set': {
      const given = Object.fromEntries(rest.map(w => /^(url|types|disabled)=(.*)$/.exec(w)?.slice(1) ?? ['', '']))
      if (rest.length === 0 || '' in given || !['true', 'false', undefined].includes(given['disabled'])) return misused(usage)
      const { url, types, disabled } = given
      return keep({ ...(url === undefined ? {} : { url }), ...(types === undefined ? {} : { types: types.split(',') }), ...(disabled === undefined ? {} : { disabled: disabled === 'true' }) }, word, 'changed')
    }
    case 'rotate': return rest.length > 0 ? misused(usage) : keep({ rotate: true }, word, 'has a new secret')
    case 'remove': if (rest.length > 0) return misused(usage); await book.remove(word); return done(`webhook ${word} removed`)
    default: return misused(usage)
  }
}

/** Takes the options off, and finds the desk: the running one's own memory, or what its store holds. */
async function ask(args: readonly string[], office: Office, known: readonly string[]): Promise<Asked | Outcome> {
  const words: string[] = []
  const options: Record<string, string> = {}
  for (let i = 0; i < args.length; i++) {
    const m = /^--([a-z]+)(?:=([\s\S]*))?$/.exec(args[i] ?? '')
    if (!m) { words.push(args[i] ?? ''); continue }
    const value = m[2] ?? args[++i]
    if (value === undefined || ![...known, 'desk'].includes(m[1] ?? '')) return misused(`--${m[1]}: ${value === undefined ? 'a value must follow' : `no such option: use ${[...known, 'desk'].map(k => `--${k}`).join(', ')}`}`)
    options[m[1] ?? ''] = value
  }
  const domains = [...office.config.components].flatMap(([domain, x]) => x.kind === 'helpdesk' ? [domain] : [])
  const domain = options['desk'] ?? (domains.length === 1 ? domains[0] : undefined)
  const config = domain === undefined ? undefined : office.config.components.get(domain)
  if (domain === undefined || config?.kind !== 'helpdesk') return failed(domains.length === 0 ? 'the config has no helpdesk: add one to components' : `which desk? give --desk ${domains.join(' or --desk ')}`)
  return { words, options, desk: office.desks?.get(domain) ?? await kept(office, domain, config) }
}

/** A desk that does not run: what its store holds. */
async function kept({ stores, clock }: Office, domain: string, config: Parameters<typeof fixedBy>[0]): Promise<Desk> {
  const { documents } = stores
  const book = new HookBook(documents, domain)
  await book.open()
  const fetcher = new Fetcher({ clock, allow: config.allow ?? [] })
  const audit = new Audit({ link: { stores }, domain, get now() { return clock.now() } })
  await audit.open()
  return {
    rules: await Rulebook.open({ documents, desk: domain, clock, given: fixedBy(config) }), canned: await CannedBook.open(documents, domain), hooks: { book, wrong: url => fetcher.wrong(url) },
    note: deed => audit.note({ by: 'command line', ...deed }),
  }
}

function told(outcome: Changed, text: string): Outcome {
  switch (outcome.is) {
    case 'done': return done(text)
    case 'conflict': return failed('somebody else has changed the settings meanwhile: try again')
    case 'wrong': case 'refused': return failed(outcome.faults.map(f => `${f.pointer.slice(1).replaceAll('/', '.')}: ${f.because}`).join('; '))
  }
}
const merge2 = (tree: Tree, group: string, patch: Tree): Tree => merge(tree, { [group]: patch }) as Tree // trees merged make one
