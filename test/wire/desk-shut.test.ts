// What must not get across the counter: internal words to customers, customers' pens in others' lines, one server's crowd.
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { defaultLimits } from '../../server/ports/limits.ts'
import { Actor } from '../harness/scene.ts'
import { BOT, c, config, desk, DESK, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { deskWith, talk, TEAM } from '../harness/talks.ts'

const SM = 'urn:xmpp:sm:3'
const MAM = 'urn:xmpp:mam:2'
const REPLACE = 'urn:xmpp:message-correct:0'
const CALM = { quality: { idleWarning: 0, idleCritical: 0 } }
const SECRETS = ['NOTE-one', 'COACH-two', 'NOTE-three', 'COACH-four', 'TASK-five', 'RES-six']

describe('what is said among agents', () => {
  it('SEC-U10 never reaches the customer: live, after a resumption, in his archive, in the lines he asks for, in the transcript, in the copy of his data', deskWith(CALM, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    zoe.actor.says(`<enable xmlns='${SM}' resume='true'/>`)
    const id = String((await zoe.actor.hears`<enabled xmlns='${SM}' resume='true'/>`).attrs['id'])
    const mia = await d.comes('mia')
    mia.types(BOT, '!obs 1')
    await mia.reads(BOT, /You are watching/)
    const says = async (who: Person, line: string, to: string, answer: RegExp): Promise<void> => { who.types(to, line); await who.reads(to, answer) }
    await says(anna, '!n NOTE-one', c(1), /Noted/)
    mia.types(c(1), '!c COACH-two')
    await anna.sees(/COACH-two/)
    anna.types(c(1), 'one moment')
    await zoe.reads(SUPPORT, 'one moment')
    const live = (await zoe.actor.fence()).map(String)

    zoe.actor.leaves() // and while he is away
    while ([...d.house.host.accounts.online((await import('../../server/api.ts')).Jid.parse('zoe@localhost'))!.resources.values()].every(r => r.attached)) await new Promise(ok => setImmediate(ok))
    await says(anna, '!n NOTE-three', c(1), /Noted/)
    mia.types(c(1), '!c COACH-four')
    await anna.sees(/COACH-four/)
    await says(anna, '!task TASK-five', c(1), /Task/)
    await says(anna, '!res RES-six', c(1), /The resolution is kept/)
    anna.types(c(1), 'still there?')
    await d.quiet()
    const back = new Actor('zoe again', 'zoe@localhost/zoe-pc')
    await back.opens(d.house.port)
    await back.logsIn()
    back.says(`<resume xmlns='${SM}' previd='${id}' h='0'/>`)
    await back.hears`<resumed xmlns='${SM}'/>`
    await back.hears`<message><body>still there?</body></message>`
    back.says(`<iq type='set' id='mam'><query xmlns='${MAM}'><set xmlns='http://jabber.org/protocol/rsm'><max>100</max></set></query></iq><iq type='get' id='lines' to='${SUPPORT}'><lines xmlns='urn:deskbell:desk:0' conversation='1'/></iq>`)
    const kept: string[] = []
    for (let ends = 0; ends < 2;) { const x: Xml = await back.next(); kept.push(String(x)); if (['mam', 'lines'].includes(String(x.attrs['id']))) ends++ }
    back.leaves()
    assert.ok(kept.some(x => x.includes('still there?')))
    const papers = await Promise.all(['txt', 'html'].map(async kind => {
      const answer = await fetch(`${await d.url()}/api/v1/conversations/1/transcript.${kind}`, { headers: { authorization: `Bearer ${(await d.address('mia')).token}` } })
      return answer.ok ? answer.text() : ''
    }))
    assert.ok(papers.filter(p => p.includes('still there?')).length >= 2, papers.map(p => p.slice(0, 80)).join('\n'))
    const { id: whom } = (await d.rest('GET', '/api/v1/conversations/1/customer', 'mia')).body
    const { body: copy } = await d.rest('POST', `/api/v1/customers/${whom}/export`, 'adam', {})
    const own = await (await fetch(`${await d.url()}${copy.link}`)).text() // what the law has him be given
    assert.ok(own.includes('still there?'), own.slice(0, 200))
    for (const seen of [...live, ...kept, ...papers, own]) for (const secret of SECRETS) assert.ok(!seen.includes(secret), `${secret} in ${seen}`)
    const internal = JSON.stringify((await d.rest('GET', '/api/v1/conversations/1/lines', 'mia')).body)
    for (const secret of SECRETS.filter(s => !s.startsWith('TASK'))) assert.ok(internal.includes(secret), `${secret} was said at all`)
  }))
})

describe('a line that was said', () => {
  it('SEC-M09 is changed or taken back by nobody else: what a customer sends to that end stands as his own words, or not at all', deskWith(CALM, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    anna.types(c(1), 'we refund you 10', 'a-line')
    const { stanza } = await zoe.reads(SUPPORT, 'we refund you 10')
    for (const id of ['a-line', String(stanza.attrs['id'])]) {
      zoe.actor.sends`<message type='chat' to='${SUPPORT}' id='f-${id}'><body>we refund you 1000 ${id}</body><replace xmlns='${REPLACE}' id='${id}'/></message>`
      const { stanza: told } = await anna.reads(c(1), `we refund you 1000 ${id}`)
      assert.notEqual(told.getChild('replace', REPLACE)?.attrs['id'], 'a-line')
      zoe.actor.sends`<message type='chat' to='${SUPPORT}' id='r-${id}'><retract xmlns='urn:xmpp:message-retract:1' id='${id}'/><body>This was taken back.</body></message>`
    }
    await d.quiet()
    const { lines } = (await d.rest('GET', '/api/v1/conversations/1/lines', 'mia')).body as { lines: { text: string; by: string }[] }
    const refunds = lines.filter(l => l.text.startsWith('we refund'))
    assert.deepEqual(refunds.map(l => [l.text, l.by]), [['we refund you 10', 'agent'], ...['a-line', String(stanza.attrs['id'])].map(id => [`we refund you 1000 ${id}`, 'customer'])])
  }))
})

describe('the people of another server', () => {
  const FAR = 'web.localhost' // which this house does not know as its own here
  const LIMITS = { ...defaultLimits.visitor, chatsPerDomain: 3 }
  const crowd = (play: (d: DeskHouse, far: Actor, anna: Person) => Promise<void>) => desk({ anna: 'agent' }, async d => {
    Object.assign(d.house.limits, { visitor: LIMITS })
    const far = await d.house.component(FAR, 'secret')
    d.house.router.has = (has => (domain: string) => domain !== FAR && has.call(d.house.router, domain))(d.house.router.has) // as if it came over federation
    await play(d, far, await d.comes('anna'))
  }, config({ support: {} }, { capacity: 20 }))

  it('SEC-C19 begin so many conversations an hour together, whatever they are called, and by whatever way; those of others are not concerned', crowd(async (d, far, anna) => {
    const writes = (i: number, what: string): void => far.sends`<message from='p${i}@${FAR}/x' to='${SUPPORT}' type='chat' id='m${i}'><body>${what}</body></message>`
    for (let i = 1; i <= 3; i++) { writes(i, 'hello'); await anna.reads(BOT, new RegExp(`#${i}\\b`)) }
    writes(4, 'hello')
    await far.hears`<message xmlns='jabber:component:accept' type='error' id='m4' to='p4@${FAR}/x'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
    far.says(`<iq from='p5@${FAR}/x' to='${SUPPORT}' type='set' id='j5'><join-queue xmlns='http://jabber.org/protocol/workgroup'/></iq>`)
    await far.hears`<iq xmlns='jabber:component:accept' type='error' id='j5'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    far.says(`<iq from='p6@${FAR}/x' to='${DESK}' type='set' id='o6'><open xmlns='urn:deskbell:desk:0' queue='support' name='P'><body>hello</body></open></iq>`)
    await far.hears`<iq xmlns='jabber:component:accept' type='error' id='o6'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
    writes(1, 'and more') // one that goes on is no new one
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await anna.reads(BOT, /#4\b/)
    await d.later(3_600)
    writes(7, 'hello')
    await anna.reads(BOT, /#5\b/)
  }))
})
