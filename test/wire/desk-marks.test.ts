// What is noted at a conversation: notes, resolutions, labels, tasks, follow-ups, fields, history, monitoring.
import assert from 'node:assert/strict'
import { BOT, c, DESK, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { deskWith, isUrgent, talk, TEAM } from '../harness/talks.ts'

const NO_WARNINGS = { quality: { idleWarning: 0, idleCritical: 0 } }
const FIELDS = { fields: { order: { label: 'Order number', kind: 'number', ask: true }, colour: { label: 'Colour', kind: 'choice', choices: ['red', 'green'] } } }
const dossier = async (d: DeskHouse, who = 'mia') => (await d.rest('GET', '/api/v1/conversations/1/dossier', who)).body // JSON of any shape
/** Types a command into the conversation and gives the answer. */
async function does(p: Person, line: string, answer: RegExp, to = c(1)): Promise<string> {
  p.types(to, line)
  return (await p.reads(to, answer)).text
}

describe('what is noted at a conversation', () => {
  it('ST-38 ST-54 notes and resolutions are for agents alone, and a resolution is kept apart', deskWith(NO_WARNINGS, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    await does(anna, '!n she is angry', /Noted/)
    await does(anna, '!res pull the plug\nand wait', /The resolution is kept/)
    assert.equal((await dossier(d)).resolutions[0].text, 'pull the plug\nand wait')
    const lines = (await d.rest('GET', '/api/v1/conversations/1/lines', 'mia')).body.lines
    assert.deepEqual(lines.filter((l: { visibility: string }) => l.visibility === 'internal').map((l: { text: string }) => l.text), ['she is angry', 'Resolution: pull the plug\nand wait'])
    await zoe.readsNothing()
  }))
  it('ST-39 a task is added, listed and done', deskWith(NO_WARNINGS, TEAM, async d => {
    const { anna } = await talk(d)
    const id = /Task (\w+)/.exec(await does(anna, '!task call her back', /Task/))?.[1] ?? ''
    await does(anna, '!dossier', new RegExp(`Tasks: ${id} call her back`))
    await does(anna, `!taskdone ${id}`, /is done/)
    await does(anna, `!taskdone ${id}`, /done already/)
    assert.ok((await dossier(d)).tasks[0].done)
  }))
  it('ST-40 a time log keeps the minutes', deskWith(NO_WARNINGS, TEAM, async d => {
    const { anna } = await talk(d)
    await does(anna, '!time 25 on the phone with the maker', /25 min are kept/)
    await does(anna, '!time 0', /From 1/)
    const { times } = await dossier(d)
    assert.deepEqual([times.length, times[0].minutes, times[0].by], [1, 25, 'anna@localhost'])
  }))
  it('ST-41 ST-63 a new ticket is started and attached, and the conversation goes on; the link leads both ways', deskWith(NO_WARNINGS, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    await does(anna, '!newticket Printer burns', /Ticket 1 is started/)
    assert.deepEqual((await dossier(d)).items.map((i: { kind: string; ref: string }) => [i.kind, i.ref]), [['ticket', '1']])
    const ticket = (await d.rest('GET', '/api/v1/tickets/1', 'anna')).body
    assert.deepEqual([ticket.subject, ticket.articles[0].conversation], ['Printer burns', 1])
    anna.types(c(1), 'still here')
    await zoe.reads(SUPPORT, 'still here')
    await does(anna, '!close', /closed/)
    anna.types(BOT, '!newticket 1 Once more')
    await anna.reads(BOT, /Ticket 2 is started/)
  }))
  it('ST-42 an existing ticket is attached, one that is none is not', deskWith(NO_WARNINGS, TEAM, async d => {
    const { anna } = await talk(d)
    await does(anna, '!related ticket:1', /no ticket 1/)
    await does(anna, '!newticket A', /Ticket 1/)
    await does(anna, '!related https://wiki.example.org/printers', /link is attached/)
    await does(anna, '!related chat:1', /conversation 1 is attached/)
    await does(anna, '!related ticket:1', /attached already/)
  }))
  it('ST-43 files and calls are attached', deskWith(NO_WARNINGS, TEAM, async d => {
    const { anna } = await talk(d)
    await does(anna, '!addfile https://files.example.org/a%20b.pdf', /file is attached/)
    await does(anna, '!call +49-30-1234 7 was angry', /call is kept/)
    const { files, calls } = await dossier(d)
    assert.equal(files[0].name, 'a b.pdf')
    assert.deepEqual([calls[0].number, calls[0].minutes, calls[0].text], ['+49301234', 7, 'was angry'])
  }))
  it('ST-44 without manual events it says so, in these words', deskWith(NO_WARNINGS, TEAM, async d => {
    const { anna } = await talk(d)
    assert.equal(await does(anna, '!event', /./), '✱ No manual events available')
  }))
  it('ST-44 a manual event does what the admin has prepared, as if it were typed', deskWith({ ...NO_WARNINGS, events: { bye: { title: 'Say goodbye', commands: ['!label solved', 'Goodbye!', '!end'] } } }, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    await does(anna, '!event', /bye: Say goodbye/)
    await does(anna, '!event bye', /Say goodbye: done/)
    await zoe.reads(SUPPORT, 'Goodbye!')
    await zoe.reads(SUPPORT, '✱ The chat has ended.')
    assert.deepEqual((await dossier(d)).labels, ['solved'])
  }))
  it('ST-56 custom fields are filled in by the customer, by an agent and by a program', deskWith({ ...NO_WARNINGS, ...FIELDS }, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    await does(anna, '!field order x', /a number, please/)
    await does(anna, '!field order 4711', /Order number: 4711/)
    assert.deepEqual([(await dossier(d)).fields.order.value, (await dossier(d)).fields.order.by], ['4711', 'anna@localhost'])
    zoe.actor.sends`<iq type='set' id='n' to='${DESK}'><field xmlns='urn:deskbell:desk:0' conversation='1' name='colour'>red</field></iq>`
    await zoe.actor.hears`<iq type='error' id='n'/>` // nobody asks the customer for it
    zoe.actor.sends`<iq type='set' id='f' to='${DESK}'><field xmlns='urn:deskbell:desk:0' conversation='1' name='order'>5</field></iq>`
    await zoe.actor.hears`<iq type='result' id='f'/>`
    assert.deepEqual([(await dossier(d)).fields.order.value, (await dossier(d)).fields.order.by], ['5', 'customer'])
    assert.equal((await d.rest('PUT', '/api/v1/conversations/1/fields/colour', 'mia', { value: 'red' })).status, 200)
    assert.equal((await d.rest('PUT', '/api/v1/conversations/1/fields/colour', 'mia', { value: 'blue' })).status, 409)
    assert.deepEqual([(await dossier(d)).fields.colour.value, (await dossier(d)).fields.colour.app], ['red', true])
  }))
  it('ST-57 the history lists all that was done, for who may see the conversation', deskWith(NO_WARNINGS, TEAM, async d => {
    const { anna } = await talk(d)
    await does(anna, '!prio high', /priority high/)
    const ben = await d.comes('ben')
    await does(anna, '!t ben', /offered to Ben/)
    ben.types(BOT, '!a')
    await ben.reads(c(1), 'hello')
    await does(ben, '!close', /closed/)
    const { status, body } = await d.rest('GET', '/api/v1/conversations/1/history', 'anna')
    assert.equal(status, 200)
    assert.deepEqual(body.history.map((h: { type: string; by: string }) => [h.type, h.by]), [
      ['opened', 'customer'], ['offered', 'desk'], ['accepted', 'anna@localhost'], ['prioritised', 'anna@localhost'], ['transfer offered', 'anna@localhost'], ['transferred', 'ben@localhost'], ['closed', 'ben@localhost'],
    ])
    anna.types(BOT, '!history 1')
    await anna.reads(BOT, /transferred from Anna to Ben/)
  }))
  it('ST-10 ST-95 a follow-up shows, and its moment is a red alert', deskWith(NO_WARNINGS, TEAM, async d => {
    const { anna } = await talk(d)
    await does(anna, '!follow yesterday', /When\?/)
    await does(anna, '!follow 2h', /Follow-up on/)
    await does(anna, '!dossier', /active, follow-up/)
    await does(anna, '!end', /has ended/)
    await d.later(7199)
    await anna.readsNothing()
    await d.later(1)
    assert.equal(isUrgent(await anna.reads(BOT, /Follow-up due: #1 \(Zoe\)/)), true)
    await does(anna, '!follow off', /No follow-up/)
    assert.equal((await dossier(d)).followUp, null)
  }))
  it('ST-98 subject, priority, labels and pin are kept', deskWith(NO_WARNINGS, TEAM, async d => {
    const { anna } = await talk(d)
    for (const [line, answer] of [['!subject Burning printer', /Subject/], ['!label Printer', /Label: printer/], ['!label fire', /fire/], ['!label -printer', /taken away/], ['!prio urgent', /urgent/], ['!pin', /Pinned/]] as const) await does(anna, line, answer)
    const { subject, labels, priority, pinned } = await dossier(d, 'anna')
    assert.deepEqual([subject, labels, priority, pinned], ['Burning printer', ['fire'], 'urgent', true])
    await d.restart()
    assert.equal((await dossier(d)).subject, 'Burning printer')
  }))
  it('who is not in it notes nothing, and reads nothing', deskWith(NO_WARNINGS, TEAM, async d => {
    const { anna } = await talk(d)
    await does(anna, '!n secret', /Noted/)
    const ben = await d.comes('ben')
    for (const line of ['!label 1 x', '!task 1 x', '!history 1', '!dossier 1', '!mon 1 all', '!subject 1 x']) await does(ben, line, /no conversation #1|You are not in/, BOT)
    for (const path of ['dossier', 'history']) assert.equal((await d.rest('GET', `/api/v1/conversations/1/${path}`, 'ben')).status, 404)
    await does(anna, '!close', /closed/)
    for (const line of ['!label 1 x', '!task 1 x', '!history 1', '!dossier 1', '!mon 1 all', '!newticket 1 x', '!res 1 x']) await does(ben, line, /no conversation #1|You are not in/, BOT)
  }))
})

describe('put aside', () => {
  it('no clock runs until the moment, or until the customer writes', deskWith({ quality: { idleWarning: 60, idleCritical: 0 } }, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    await does(anna, '!hold 10', /put aside for 10 min/)
    await d.later(599)
    await anna.readsNothing()
    zoe.types(SUPPORT, 'are you there?')
    await anna.reads(c(1), 'are you there?')
    await d.later(60)
    await anna.reads(BOT, /Warning: #1/)
    await does(anna, '!hold', /until the customer writes/)
    await d.later(7200)
    await anna.readsNothing()
    await does(anna, '!unhold', /goes on/)
  }))
  it('SS-15 SS-17 what comes back is warned of after the full time, and not at once for what it waited before', deskWith({ quality: { idleWarning: 60, idleCritical: 120 } }, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    zoe.types(SUPPORT, 'are you there?')
    await anna.reads(c(1), 'are you there?')
    await does(anna, '!hold 10', /put aside/)
    await d.later(300)
    zoe.types(SUPPORT, 'hello?')
    await anna.reads(c(1), 'hello?')
    await d.later(59)
    await anna.readsNothing()
    await d.later(1)
    await anna.reads(BOT, /Warning: #1 \(Zoe\) waits for your answer: 1:00/)
    await d.later(60)
    await anna.reads(BOT, /Critical: #1 \(Zoe\) waits for your answer: 2:00/)
  }))
  it('SS-03 nobody loses what he put aside the moment it comes back: he has the full time from then on', deskWith({ ...NO_WARNINGS, handOff: { noFollowUp: { enabled: true, after: 90 }, closed: { enabled: false } } }, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    const owner = async (): Promise<string | null> => (await d.rest('GET', '/api/v1/conversations/1', 'mia')).body.owner
    anna.types(c(1), 'one moment')
    await zoe.reads(SUPPORT, 'one moment')
    zoe.types(SUPPORT, 'yes?')
    await anna.reads(c(1), 'yes?')
    await does(anna, '!snooze 10', /is put aside for 10 min/)
    await d.later(600)
    await anna.reads(c(1), /no longer put aside/)
    assert.equal((await dossier(d)).hold, null)
    await d.later(89)
    assert.equal(await owner(), 'anna@localhost')
    await d.later(2)
    await anna.reads(BOT, /was taken from you/)
    assert.notEqual(await owner(), 'anna@localhost')
  }))
})

describe('monitoring', () => {
  it('OT-45 OT-46 one is told of nothing, of what the customer does, or of all; once, and nobody else is', deskWith(NO_WARNINGS, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    const [ben, mia] = [await d.comes('ben'), await d.comes('mia', '<presence><show>dnd</show></presence>')]
    const both = async (n: number): Promise<void> => {
      zoe.types(SUPPORT, `from zoe ${n}`)
      await anna.reads(c(1), `from zoe ${n}`)
      anna.types(c(1), `from anna ${n}`)
      await zoe.reads(SUPPORT, `from anna ${n}`)
      await d.quiet()
    }
    await both(1)
    await mia.readsNothing()
    mia.types(BOT, '!mon 1')
    await mia.reads(BOT, /what the customer does/)
    await both(2)
    assert.deepEqual(await mia.all(), ['desk: ✱ #1 Zoe: from zoe 2'])
    mia.types(BOT, '!mon 1')
    await mia.reads(BOT, /all that happens/)
    await both(3)
    assert.deepEqual(await mia.all(), ['desk: ✱ #1 Zoe: from zoe 3', 'desk: ✱ #1 Anna: from anna 3'])
    mia.types(BOT, '!mon 1')
    await mia.reads(BOT, /nothing/)
    await both(4)
    for (const p of [mia, ben]) await p.readsNothing()
  }))
  it('OT-45 who may not see it any more is told no more', deskWith(NO_WARNINGS, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    const mia = await d.comes('mia', '<presence><show>dnd</show></presence>')
    mia.types(BOT, '!mon 1 all')
    await mia.reads(BOT, /all that happens/)
    assert.equal((await d.rest('PATCH', '/api/v1/settings', 'adam', { roles: { manager: { title: 'Manager', base: 'manager', permissions: { 'chat.view.others': false } } } })).status, 200)
    zoe.types(SUPPORT, 'a secret')
    await anna.reads(c(1), 'a secret')
    await d.quiet()
    await mia.readsNothing()
  }))
})

describe('the channel', () => {
  it('OT-35 can be changed to one that is open, and who serves it goes on', deskWith({ ...NO_WARNINGS, queues: { night: { agents: ['cleo@localhost'] } } }, { ...TEAM, cleo: 'agent' }, async d => {
    const { anna, zoe } = await talk(d)
    await does(anna, '!chan night', /Night is closed now/)
    await does(anna, '!chan nowhere', /no queue/)
    await does(anna, '!chan billing', /belongs to Billing/)
    assert.equal((await d.rest('GET', '/api/v1/conversations/1', 'mia')).body.queue, 'billing')
    anna.types(c(1), 'go on')
    await zoe.reads(SUPPORT, 'go on')
  }))
})

describe('a conversation that is handed on to a group', () => {
  const QUEUES = { night: { agents: ['cleo@localhost'] }, day: { agents: ['ben@localhost'], limit: 1, overflow: 'late' }, late: { agents: ['mia@localhost'], limit: 1 } }
  const HOURS = { hours: { closeOutside: true }, departments: { nights: { queues: ['night'] } } }
  /** `!t group:queue` by text, by a form and over REST, one after the other; each says why not. */
  async function refused(d: DeskHouse, p: Person, to: string): Promise<string[]> {
    p.types(c(1), `!t ${to} please`)
    const typed = (await p.reads(c(1), /^✱ /)).text.slice(2)
    p.actor.says(`<iq type='set' id='${to}' to='${c(1)}'><command xmlns='http://jabber.org/protocol/commands' node='urn:deskbell:desk:command#t'><x xmlns='jabber:x:data' type='submit'><field var='to'><value>${to}</value></field></x></command></iq>`)
    const note = (await p.actor.hears`<iq type='result' id='${to}'/>`).getChild('command')?.getChild('note')
    assert.equal(note?.attrs['type'], 'error')
    const { status, body } = await d.rest('POST', '/api/v1/conversations/1/commands/t', 'anna', { to })
    assert.equal(status, 409)
    assert.deepEqual((({ state, owner, queue }) => [state, owner, queue])((await d.rest('GET', '/api/v1/conversations/1', 'mia')).body), ['active', 'anna@localhost', 'support'])
    return [typed, note?.getText() ?? '', body.title]
  }

  it('OT-35 ST-68 stays with its agent where nobody receives or the hours are over, in the same words by text, form and REST', deskWith({ ...NO_WARNINGS, queues: QUEUES, ...HOURS }, { ...TEAM, cleo: 'agent' }, async d => {
    const { anna, zoe } = await talk(d)
    for (const to of ['group:night', 'department:nights']) assert.deepEqual(new Set(await refused(d, anna, to)), new Set(['Night is closed now.']))
    await d.comes('cleo')
    assert.equal((await d.rest('PATCH', '/api/v1/queues/night', 'adam', { hours: { zone: 'UTC', week: {} } })).status, 200)
    await d.quiet()
    assert.deepEqual(new Set(await refused(d, anna, 'group:night')), new Set(['Night is closed now.']))
    await zoe.readsNothing()
    assert.equal((await d.rest('PATCH', '/api/v1/settings', 'adam', { hours: { closeOutside: false } })).status, 200)
    await does(anna, '!t group:night', /waits in Night now/)
  }))

  it('OT-35 goes where a full one overflows, and stays with its agent where that is full, too', deskWith({ ...NO_WARNINGS, queues: QUEUES }, { ...TEAM, cleo: 'agent' }, async d => {
    const { anna } = await talk(d)
    for (const who of ['ben', 'mia']) await d.comes(who, '<presence><show>away</show></presence>') // there, and not asked
    const [yan, xena] = [await d.comes('yan'), await d.comes('xena')]
    yan.types(`day@${DESK}`, 'hello')
    await yan.reads(`day@${DESK}`, /ahead of you/)
    xena.types(`late@${DESK}`, 'hello')
    await xena.reads(`late@${DESK}`, /ahead of you/)
    assert.deepEqual(new Set(await refused(d, anna, 'group:day')), new Set(['Too many wait in Day now.']))
    assert.equal((await d.rest('POST', '/api/v1/conversations/3/commands/close', 'adam', {})).status, 200)
    await does(anna, '!t group:day', /waits in Late now/)
  }))
})
