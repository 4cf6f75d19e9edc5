// Agents among themselves: talks of two or more, kept, about a chat or a ticket.
import assert from 'node:assert/strict'
import { BOT, c, type DeskHouse, type Person } from '../harness/desk.ts'
import { deskWith, talk, TEAM } from '../harness/talks.ts'

const CALM = { quality: { idleWarning: 0, idleCritical: 0 } }
const FOUR = { ...TEAM, cleo: 'agent' } as const
const IM = (n: number): string => `im${n}@help.localhost`
const says = async (p: Person, line: string, answer: RegExp, to = BOT): Promise<string> => { p.types(to, line); return (await p.reads(to, answer)).text }
const threads = async (d: DeskHouse, who: string) => (await d.rest('GET', '/api/v1/threads', who)).body.items
/** What was said to this account while it was away, from its archive (XEP-0313). */
async function archive(p: Person, with_: string): Promise<string> {
  p.actor.says(`<iq type='set' id='mam'><query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='with'><value>${with_}</value></field></x></query></iq>`)
  const found: string[] = []
  for (;;) { const x = await p.actor.next(); if (x.attrs['id'] === 'mam') return found.join('\n'); found.push(String(x)) }
}

describe('agents among themselves', () => {
  it('FP-07 OM-27 OT-06 OT-08 OT-09 ST-87 one asks with a first line, the other reads who and what, and both can write after the acceptance', deskWith(CALM, TEAM, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    await says(anna, '!im ben have you a minute?', /im1@help.localhost: Ben/)
    await ben.reads(IM(1), /^✱ Anna wants to talk with you: “have you a minute\?” — write back or !a/)
    await says(anna, '!ims', /Ben \(asked\)/)
    anna.types(IM(1), 'hello?')
    await anna.reads(IM(1), /nobody has accepted yet/)
    await ben.readsNothing()
    ben.types(IM(1), '!a')
    await ben.reads(IM(1), 'have you a minute?')
    await ben.reads(IM(1), 'hello?')
    await anna.reads(IM(1), /Ben has accepted/)
    ben.types(IM(1), 'yes')
    await anna.reads(IM(1), 'yes')
    anna.types(IM(1), 'fine')
    await ben.reads(IM(1), 'fine')
  }))
  it('ST-51 ST-86 ST-109 started from a chat or a ticket it bears the tag, and the link leads there; started bare it bears none', deskWith(CALM, TEAM, async d => {
    const { anna } = await talk(d)
    const ben = await d.comes('ben')
    await says(anna, '!im ben look at this', /Related #1/, c(1))
    await ben.reads(IM(1), /\(Related #1\)/)
    await says(anna, '!newticket Fire', /Ticket 1/, c(1))
    await says(anna, '!im ben ticket:1 and this', /Related ticket 1/)
    await ben.reads(IM(2), /\(Related ticket 1\)/)
    await says(anna, '!im ben lunch?', /im3@help.localhost: Ben\./)
    assert.doesNotMatch((await ben.reads(IM(3), /lunch/)).text, /Related/)
    const all = await threads(d, 'ben')
    assert.deepEqual(all.map((t: { number: number }) => t.number), [3, 2, 1])
    for (const t of all) if (t.related) assert.equal((await d.rest('GET', t.related.href, 'anna')).status, 200)
    assert.equal(all[0].related, null)
    const { status, body } = await d.rest('POST', '/api/v1/conversations/1/commands/im', 'anna', { who: 'mia', text: 'you too' })
    assert.deepEqual([status, /Related #1/.test(body.text)], [200, true])
  }))
  it('ST-108 RULE-C8 who is asked about a chat reads that one, and no other', deskWith(CALM, TEAM, async d => {
    const { anna } = await talk(d)
    const ben = await d.comes('ben')
    const reads = async (n: number): Promise<number> => (await d.rest('GET', `/api/v1/conversations/${n}/lines`, 'ben')).status
    assert.equal(await reads(1), 404)
    await says(anna, '!im ben look', /Related #1/, c(1))
    await ben.reads(IM(1), /!review to read it/)
    ben.types(IM(1), '!a')
    await anna.reads(IM(1), /accepted/)
    assert.equal(await reads(1), 200)
    await says(ben, '!review', /Zoe: hello/, IM(1))
    assert.equal((await d.rest('POST', '/api/v1/conversations/1/commands/close', 'ben', {})).status, 403)
    const yan = await d.comes('yan')
    yan.types('billing@help.localhost', 'other')
    await anna.reads(BOT, /#2/)
    await says(anna, '!take 2', /yours/)
    assert.equal(await reads(2), 404)
    await says(ben, '!im anna #2 what is that?', /no conversation #2/)
  }))
  it('ST-83 OM-28 they are internal and kept, the newest on top, with date, time and who', deskWith(CALM, FOUR, async d => {
    const [anna, ben] = [await d.comes('anna'), await d.comes('ben')]
    assert.equal((await d.rest('POST', '/api/v1/threads', 'anna', { who: ['ben'], text: 'one' })).status, 200)
    await d.later(60)
    assert.equal((await d.rest('POST', '/api/v1/threads', 'anna', { who: ['cleo'], text: 'two' })).status, 200)
    await d.later(60)
    ben.types(IM(1), 'three')
    await anna.reads(IM(1), 'three')
    await d.restart()
    await d.quiet()
    const all = await threads(d, 'anna')
    assert.deepEqual(all.map((t: { number: number; lastBy: string; lines: number }) => [t.number, t.lastBy, t.lines]), [[1, 'ben@localhost', 2], [2, 'anna@localhost', 1]])
    assert.ok(Date.parse(all[0].last) > Date.parse(all[1].last))
    assert.deepEqual((await d.rest('GET', '/api/v1/threads/1/lines', 'ben')).body.lines.map((l: { text: string }) => l.text), ['one', 'three'])
    for (const path of ['threads/2/lines']) assert.equal((await d.rest('GET', `/api/v1/${path}`, 'ben')).status, 404)
    assert.deepEqual((await threads(d, 'mia')), [])
    await says(anna, '!ims', /im1@help.localhost · \d{4}-\d\d-\d\d \d\d:\d\d · Ben/)
  }))
  it('ST-84 RULE-C26 several at once; logged-in colleagues are listed first, offline ones may be chosen', deskWith(CALM, FOUR, async d => {
    const [anna, mia] = [await d.comes('anna'), await d.comes('mia')]
    assert.match(await says(anna, '!colleagues', /Mia/), /^✱ Mia: logged in\nAdam: offline\nBen: offline\nCleo: offline$/)
    await says(anna, '!im mia,cleo all together', /Mia, Cleo/)
    await mia.reads(IM(1), /wants to talk with you and Cleo/)
    mia.types(IM(1), 'I am in')
    await anna.reads(IM(1), 'Mia: I am in')
    const cleo = await d.comes('cleo')
    await cleo.reads(IM(1), /wants to talk with you and Mia/)
    cleo.types(IM(1), '!a')
    await cleo.reads(IM(1), 'Mia: I am in')
    anna.types(IM(1), 'good')
    for (const p of [mia, cleo]) await p.reads(IM(1), 'Anna: good')
  }))
  it('ST-85 who was offline reads it when he is back', deskWith(CALM, TEAM, async d => {
    const anna = await d.comes('anna')
    await says(anna, '!im ben for later', /Ben/)
    await d.quiet()
    const ben = await d.comes('ben')
    await ben.reads(IM(1), /for later/)
    assert.match(await archive(ben, IM(1)), /for later/)
  }))
  it('ST-88 who has passed, or has said nothing, may come in later', deskWith(CALM, FOUR, async d => {
    const [anna, ben, cleo] = [await d.comes('anna'), await d.comes('ben'), await d.comes('cleo')]
    await says(anna, '!im ben,cleo hello', /Ben, Cleo/)
    await ben.reads(IM(1), /hello/)
    ben.types(IM(1), '!r')
    await anna.reads(IM(1), /Ben has passed/)
    cleo.types(IM(1), 'here')
    await anna.reads(IM(1), 'Cleo: here')
    await ben.all()
    await d.later(3600)
    ben.types(IM(1), 'so am I')
    await ben.reads(IM(1), 'Cleo: here')
    for (const p of [anna, cleo]) await p.reads(IM(1), 'Ben: so am I')
  }))
  it('FP-22 who may not chat with agents neither asks nor is asked', deskWith({ ...CALM, roles: { agent: { title: 'Normal', base: 'agent', permissions: { 'chat.with.agents': false } } } }, TEAM, async d => {
    const [anna, mia] = [await d.comes('anna'), await d.comes('mia')]
    await says(anna, '!im mia hello', /You may not do that/)
    await says(mia, '!im anna hello', /Anna may not chat with agents/)
    assert.equal((await d.rest('GET', '/api/v1/threads', 'anna')).status, 403)
  }))
})
