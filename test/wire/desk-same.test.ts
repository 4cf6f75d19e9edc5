// One action, three ways: by text, by a form, by REST the same is done, the same is said, and the same is refused. Made from the table of commands.
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import type { Field } from '../../components/helpdesk/command.ts'
import { COMMANDS, type CommandEntry } from '../../components/helpdesk/commands.ts'
import { ARTICLE_COMMANDS } from '../../components/helpdesk/intake/article-commands.ts'
import { GRANTED } from '../../components/helpdesk/permissions.ts'
import { TICKET_COMMANDS } from '../../components/helpdesk/tickets/ticket-commands.ts'
import { HOOK_COMMANDS } from '../../components/helpdesk/webhooks/hook-commands.ts'
import { BOT, c, config, DESK, DeskHouse, SUPPORT, type Person } from '../harness/desk.ts'
import { until } from '../harness/patience.ts'

const NS = 'http://jabber.org/protocol/commands'
const DATA = 'jabber:x:data'
const STAFF = { anna: 'agent', ben: 'agent', mia: 'manager', adam: 'admin' } as const
/** Who may do it at all; everybody else is anna. */
const BY: Readonly<Record<string, keyof typeof STAFF>> = {
  delete: 'mia', take: 'mia', ban: 'mia', unban: 'mia', bans: 'mia', merge: 'mia', split: 'mia', addarticle: 'mia', editarticle: 'mia', delarticle: 'mia', hooks: 'adam', addhook: 'adam', edithook: 'adam', delhook: 'adam', export: 'adam', erase: 'adam', banaddress: 'mia', liftban: 'mia',
}
const HOOK = 'https://example.org/hook'
const VALUES: Readonly<Record<string, string>> = {
  shortcut: 'hi1', number: '2', queue: 'billing', text: 'some words', words: 'hello', comment: 'take care', macro: 'wrap', time: '1d',
  ticket: '1', into: '2', status: 'closed', subject: 'Another matter', articles: '2', title: 'Valves', article: 'Pumps', value: 'Gaskets', url: 'https://example.org/other', hook: HOOK, whom: '192.0.2.0/24',
}
/** What is done with tickets, articles and webhooks finds some. */
const STORED: ReadonlySet<string> = new Set([...TICKET_COMMANDS, ...ARTICLE_COMMANDS, ...HOOK_COMMANDS].map(k => k.word))

type Way = 'rest' | 'form' | 'text'
interface Result { readonly said: string; readonly done: unknown }

/** What is filled in though it need not be. */
const ALSO: readonly string[] = ['macro', 'value']
const isFilled = (f: Field): boolean => f.required === true || ALSO.includes(f.name)
/** Where another value than that is right. */
const OWN: Readonly<Record<string, Readonly<Record<string, string>>>> = { card: { value: 'zoe@example.org' } }
const args = (k: CommandEntry): Record<string, string> => Object.fromEntries(k.fields.filter(isFilled).map(f => [f.name, OWN[k.word]?.[f.name] ?? valueOf(f)]))
const valueOf = (f: Field): string => VALUES[f.name] ?? (f.kind === 'operator' || f.kind === 'target' ? 'ben' : f.kind === 'choice' ? f.choices?.[0] ?? '' : f.kind === 'queue' ? 'billing' : f.kind === 'number' ? '1' : 'words')
/** What differs from one run to the next. */
const plain = (text: string): string => text.split('\n').filter(l => !l.includes('!history')).join('\n') // a typed command stands in the history itself
  .replace(/\b\d+:\d\d(:\d\d)?\b/g, 'TIME').replace(/\/(?:exports\/|file\/#)\S+/g, 'URL').replace(/(?<=this once: )\S+/g, 'SECRET').replace(/\b(?:[0-9a-f]{6}|[0-9a-f]{8}|[0-9a-f]{12})\b/g, 'ID').trim()

async function scene(k: CommandEntry): Promise<{ d: DeskHouse; people: Readonly<Record<keyof typeof STAFF, Person>>; zoe: Person }> {
  const d = await DeskHouse.open(STAFF, config(undefined, { upload: { service: 'upload.localhost', base: () => 'http://localhost' } }))
  try {
    await d.rest('POST', '/api/v1/canned', 'mia', { shortcut: 'hi1', text: 'Hi %VISITOR%' })
    await d.rest('POST', '/api/v1/macros', 'mia', { id: 'wrap', title: 'Wrap up', steps: ['!label done', 'hi1', '!n all is well', '!end'] })
    if (k.word === 'liftban') assert.equal((await d.rest('POST', '/api/v1/bans', 'mia', { address: '192.0.2.0/24' })).status, 201)
    if (STORED.has(k.word)) {
      const first = await d.rest('POST', '/api/v1/tickets', 'mia', { subject: 'Pump', body: 'first', queue: 'support', customer: 'hello' })
      await d.later(60) // articles stand in the order of their moments
      const made = [
        first, await d.rest('POST', '/api/v1/tickets/1/articles', 'mia', { body: 'second' }), await d.rest('POST', '/api/v1/tickets', 'mia', { subject: 'Valve', body: 'other', queue: 'support' }),
        await d.rest('POST', '/api/v1/articles', 'mia', { title: 'Pumps', text: 'hello, press the button' }), await d.rest('POST', '/api/v1/webhooks', 'adam', { url: HOOK, types: ['conversation.closed'] }),
      ]
      assert.deepEqual(made.map(m => m.status), [201, 201, 201, 201, 201])
    }
    const people = { anna: await d.comes('anna'), ben: await d.comes('ben', '<presence><show>away</show></presence>'), mia: await d.comes('mia', '<presence><show>away</show></presence>') }
    const adam = BY[k.word] === 'adam' ? await d.comes('adam', '<presence><show>away</show></presence>') : people.mia // who is not needed need not come
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await people.anna.reads(BOT, /New chat #1/)
    if (k.about !== 'pending') {
      people.anna.types(BOT, '!a')
      await people.anna.reads(c(1), 'hello')
      await people.anna.reads(BOT, /accepted/)
    }
    await d.quiet()
    for (const p of [...Object.values(people), adam, zoe]) await p.all()
    return { d, people: { ...people, adam }, zoe }
  } catch (error) { await d[Symbol.asyncDispose](); throw error }
}

/** Without what differs from one run to the next. */
const masked = (x: unknown): string => JSON.stringify(x).replace(/"(?:at|opened)":\d+|"secrets":\[[^\]]*\]|"key":"[^"]*"/g, '…').replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, 'THEN').replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=")[0-9a-f]{12}(?=")|(?<=hooks\/)[0-9a-f]{12}|(?<=bans\/)[^"]+/g, 'ID')
/** What has happened to the conversation, and what the desk keeps of who acted. */
async function state(d: DeskHouse, by: string): Promise<unknown> {
  const { events } = await d.house.stores.events.load<{ type: string; as?: string; by?: string }>(`${DESK}/c1`)
  const { documents } = d.house.stores
  const kept = await Promise.all([['desk-tickets', DESK], ...[1, 2, 3].map(n => ['desk-ticket-articles', `${DESK}/${n}`] as const), ['desk-articles', DESK], ['desk-hooks', DESK]].map(async ([collection = '', owner = '']) => (await documents.range(collection, owner, { limit: 99 })).map(x => masked(x.value)).sort()))
  const deeds = (await documents.range<{ by: string; what: string; on: string; detail?: unknown }>('desk-audit', DESK, { limit: 99 })).filter(x => x.value.what !== 'denied').map(x => masked([x.value.by, x.value.what, x.value.on, x.value.detail]))
  return { kept, deeds, events: events.filter(e => e.as !== 'command').map(e => [e.type, e.as, e.type === 'said' ? e.by : undefined]), record: (await d.house.stores.documents.get('desk-operators', DESK, `${by}@localhost`))?.value }
}

let ids = 0
async function byForm(p: Person, to: string, k: CommandEntry): Promise<string> {
  const ask = async (inside: string): Promise<Xml> => {
    const id = `s${++ids}`
    p.actor.says(`<iq type='set' id='${id}' to='${to}'><command xmlns='${NS}' node='urn:deskbell:desk:command#${k.word}'>${inside}</command></iq>`)
    const others: Xml[] = []
    try { for (;;) { const x = await p.actor.next(() => `!${k.word} should be answered`); if (x.name === 'iq' && x.attrs['id'] === id) return x; others.push(x) } } finally { p.actor.unreads(others) }
  }
  let answer = await ask('')
  if (answer.getChild('command')?.attrs['status'] === 'executing') answer = await ask(`<x xmlns='${DATA}' type='submit'>${Object.entries(args(k)).map(([f, v]) => `<field var='${f}'><value>${v}</value></field>`).join('')}</x>`)
  const note = answer.getChild('command')?.getChild('note')
  return note ? `${note.attrs['type'] === 'error' ? 'refused' : 'done'}: ${note.getText() === 'Done.' ? '' : note.getText()}` : `refused: ${answer.getChild('error')?.getChildText('text') ?? ''}`
}
async function byRest(d: DeskHouse, who: string, k: CommandEntry): Promise<string> {
  const { status, body } = await d.rest('POST', `/api/v1${k.about === 'none' ? '' : '/conversations/1'}/commands/${k.word}`, who, args(k))
  return status === 200 ? `done: ${body.text}` : `refused: ${body.title}`
}
async function byText(p: Person, at: string, k: CommandEntry, expected: string): Promise<string> {
  const words = expected.replace(/^\w+: ?/, '')
  const typed = [`!${k.word}`, ...k.fields.filter(isFilled).map(f => { const v = args(k)[f.name] ?? ''; return f.kind === 'word' && v.includes(' ') ? `"${v}"` : v })].join(' ')
  p.types(at, typed)
  if (words === '') return expected
  for (;;) { const { text } = await p.reads(at, /^✱ /); if (plain(text.slice(2)) === plain(words)) return expected }
}

async function run(k: CommandEntry, way: Way, expected?: Result): Promise<Result> {
  const { d, people, zoe } = await scene(k)
  await using _ = d
  const by = BY[k.word] ?? 'anna'
  const at = k.about === 'none' || k.about === 'pending' ? BOT : c(1)
  // First somebody to whom it does not belong.
  if (k.about === 'open' || k.about === 'pending') {
    const before = await state(d, 'ben')
    const said = way === 'rest' ? await byRest(d, 'ben', k) : way === 'form' ? await byForm(people.ben, at === BOT ? BOT : c(1), k) : (people.ben.types(at, [`!${k.word}`, ...Object.values(args(k))].join(' ')), await people.ben.reads(at, /^✱ /), 'refused: ')
    assert.match(said, /^refused/, `${way}: ${said}`)
    assert.deepEqual(await state(d, 'ben'), before, `${way}: refused, nothing may have happened`)
    assert.deepEqual(await zoe.all(), [])
  }
  // Then somebody whose role lacks the permission: the same words.
  if (!(GRANTED.agent as readonly string[]).includes(k.permission)) {
    const before = await state(d, 'ben')
    const typed = [`!${k.word}`, ...Object.values(args(k))].join(' ')
    const said = way === 'rest' ? await byRest(d, 'ben', k) : way === 'form' ? await byForm(people.ben, at, k) : (people.ben.types(at === BOT ? BOT : c(1), typed), `refused: ${(await people.ben.reads(at, /^✱ /)).text.slice(2)}`)
    if (k.about === 'none') assert.equal(said, 'refused: You may not do that.', way)
    assert.match(said, /^refused/, `${way}: ${said}`)
    assert.deepEqual(await state(d, 'ben'), before, `${way}: refused, nothing may have happened`)
  }
  const said = way === 'rest' ? await byRest(d, by, k) : way === 'form' ? await byForm(people[by], at === BOT ? BOT : c(1), k) : await byText(people[by], at, k, expected?.said ?? '')
  let done = await state(d, by)
  if (expected) await until(async () => { await people[by].all(); done = await state(d, by); return JSON.stringify(done) === JSON.stringify(expected.done) }, () => `${way}: ${JSON.stringify(done)} and not ${JSON.stringify(expected.done)}`)
  return { said: plain(said), done }
}

describe('every action', () => {
  for (const k of COMMANDS) {
    it(`!${k.word} (${k.label}) is one and the same by text, by form and by REST`, async () => {
      const rest = await run(k, 'rest')
      for (const way of ['form', 'text'] as const) assert.deepEqual(await run(k, way, rest), rest, way)
    })
  }
})
