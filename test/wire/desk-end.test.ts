// The end of a talk: ending, closing, closing by itself, and what the customer may still do.
import assert from 'node:assert/strict'
import { BOT, c, config, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { BOTH, deskWith, serves, talk, TEAM } from '../harness/talks.ts'
import { MailSink } from '../unit/helpdesk/mail-sink.ts'

const BILLING = 'billing@help.localhost'
const CALM = { quality: { idleWarning: 0, idleCritical: 0 } }
const dossier = async (d: DeskHouse) => (await d.rest('GET', '/api/v1/conversations/1/dossier', 'mia')).body
const state = async (d: DeskHouse): Promise<string> => (await d.rest('GET', '/api/v1/conversations/1', 'mia')).body.state
const says = async (p: Person, line: string, answer: RegExp, to = SUPPORT): Promise<string> => { p.types(to, line); return (await p.reads(to, answer)).text }

describe('the end', () => {
  it('ST-35 RULE-C9 ending stops the talk, tells the customer, and leaves it on the agent’s list', deskWith(CALM, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    await says(anna, '!end', /stays on your list/, c(1))
    await zoe.reads(SUPPORT, '✱ The chat has ended.')
    await says(anna, 'one more', /has ended/, c(1))
    await zoe.readsNothing()
    assert.equal(await state(d), 'ended')
    await says(anna, '!mine', /#1 \(Zoe\).*ended/, BOT)
  }))
  it('ST-52 OT-47 RULE-C9 RULE-C28 ST-99 closing an active chat ends it for all at once, and archives it; the help gives the advice', deskWith(CALM, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    await says(anna, '!help close', /close.*better say goodbye first/, BOT)
    await says(anna, '!close', /is closed/, c(1))
    await zoe.reads(SUPPORT, '✱ The chat has ended.')
    assert.equal(await state(d), 'closed')
    await says(anna, '!mine', /no conversations/, BOT)
    await says(anna, 'one more', /over/, c(1))
  }))
  it('a chat in which both are silent closes by itself, where the settings say after how long', deskWith({ ...CALM, conversation: { autoClose: 600 } }, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    await d.later(3600)
    assert.equal(await state(d), 'active') // the customer waits for an answer
    anna.types(c(1), 'yes?')
    await zoe.reads(SUPPORT, 'yes?')
    await d.later(599)
    assert.equal(await state(d), 'active')
    await d.later(1)
    await zoe.reads(SUPPORT, '✱ The chat has ended.')
    assert.equal(await state(d), 'closed')
  }))
})

describe('after the end', () => {
  it('OT-14 RULE-C17 a customer who closes may have it mailed and made a ticket of, once each', async () => {
    const sink = new MailSink()
    const port = await sink.listen()
    try {
      await deskWith(CALM, TEAM, async d => {
        const { anna, zoe } = await talk(d)
        anna.types(c(1), '!c a secret')
        await anna.actor.fence()
        await says(zoe, '!end', /“!mail you@example.org” sends it to you; “!ticket” makes a ticket of it/)
        await says(zoe, '!mail nonsense', /no mail address/)
        await says(zoe, '!mail zoe@example.org', /on its way/)
        const [mail] = await sink.arrived(1)
        assert.deepEqual(mail?.to, ['zoe@example.org'])
        assert.match(mail?.raw ?? '', /hello/)
        assert.doesNotMatch(mail?.raw ?? '', /secret/)
        await says(zoe, '!ticket', /It is ticket 1/)
        await says(zoe, '!ticket', /It is ticket 1/)
        assert.equal((await d.rest('GET', '/api/v1/tickets', 'anna')).body.tickets.length, 1)
        assert.equal((await dossier(d)).items[0].ref, '1')
        zoe.types(SUPPORT, 'one more thing') // anything else goes on with the talk
        await anna.reads(c(1), 'one more thing')
      }, config(BOTH, { mail: { host: '127.0.0.1', port, tls: 'none', from: 'desk@example.org', name: 'Desk' } }))()
    } finally { await sink.close() }
  })
  it('RULE-C17 what the settings do not offer is not possible, nor is it when the agent has closed', deskWith({ ...CALM, conversation: { ticketAtEnd: false } }, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    zoe.types(SUPPORT, '!end')
    await zoe.reads(SUPPORT, '✱ You have ended the chat.')
    await d.quiet()
    await zoe.readsNothing()
    await anna.reads(c(1), /Zoe has ended/)
    await says(zoe, '!ticket', /not possible/)
    await anna.readsNothing()
    assert.equal((await d.rest('GET', '/api/v1/tickets', 'anna')).body.tickets.length, 0)
  }))
  it('ST-58 RULE-C17 a survey follows the end: one answer from 1 to 5, with its date', deskWith({ ...CALM, conversation: { survey: true } }, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    anna.types(c(1), '!close')
    await zoe.reads(SUPPORT, /“!rate 5” .* says how it was/)
    await says(zoe, '!rate 6', /From 1 to 5/)
    await says(zoe, '!rate 4 very kind', /Thank you/)
    await says(zoe, '!rate 1', /told us already/)
    const { survey } = await dossier(d)
    assert.deepEqual([survey.rating, survey.text], [4, 'very kind'])
    assert.ok(Date.parse(survey.at) > 0)
  }))
  it('RULE-C17 a department says otherwise than the desk: its customers are offered what it says, those of others what the desk says', deskWith({ ...CALM, conversation: { survey: false, ticketAtEnd: true }, departments: { money: { queues: ['billing'] } } }, TEAM, async d => {
    assert.equal((await d.rest('PATCH', '/api/v1/departments/money', 'adam', { survey: 'on', ticketAtEnd: 'off' })).status, 200)
    assert.equal((await d.rest('PATCH', '/api/v1/departments/money', 'adam', { survey: 'sometimes' })).status, 422)
    const anna = await d.comes('anna')
    const zoe = await serves(d, anna, 1, 'zoe')
    const yan = await serves(d, anna, 2, 'yan', 'hello', BILLING)
    await says(zoe, '!end', /^✱ If you like: “!ticket” makes a ticket of it\.$/)
    yan.types(BILLING, '!end')
    await yan.reads(BILLING, /^✱ If you like: “!rate 5” \(1 to 5, and a word if you like\) says how it was\.$/)
    yan.types(BILLING, '!ticket')
    await yan.reads(BILLING, /not possible/)
    yan.types(BILLING, 'one more thing')
    await anna.reads(c(2), 'one more thing')
    assert.equal((await d.rest('PATCH', '/api/v1/departments/money', 'adam', { survey: null, ticketAtEnd: 'inherit' })).status, 200)
    yan.types(BILLING, '!end')
    await yan.reads(BILLING, /^✱ If you like: “!ticket” makes a ticket of it\.$/)
  }))
  it('OT-14 ST-58 a bridge is told what is offered, and asks for it', deskWith({ ...CALM, conversation: { survey: true } }, TEAM, async d => {
    const bridge = await d.house.component('web.localhost', 'secret')
    const asks = async (payload: string): Promise<string> => {
      bridge.says(`<iq type='set' id='q' from='v1@web.localhost' to='help.localhost'>${payload}</iq>`)
      for (;;) { const x = await bridge.next(); if (x.attrs['id'] === 'q') return String(x) }
    }
    const anna = await d.comes('anna')
    const ns = "xmlns='urn:deskbell:desk:0'"
    assert.match(await asks(`<open ${ns} queue='support' id='x' name='Paul'><body>hi</body></open>`), /type="result"/)
    anna.types(BOT, '!take 1')
    await anna.reads(c(1), 'hi')
    await asks(`<end ${ns} conversation='1'/>`)
    assert.match(await asks(`<survey ${ns} conversation='1' rating='5'>nice</survey>`), /type="result"/)
    assert.match(await asks(`<keep ${ns} conversation='1' as='ticket'/>`), /It is ticket 1/)
    assert.match(await asks(`<survey ${ns} conversation='1' rating='5'/>`), /told us already/)
    assert.equal((await dossier(d)).survey.rating, 5)
    bridge.sends`<iq type='get' id='n' from='v1@web.localhost' to='help.localhost'><conversation xmlns='urn:deskbell:desk:0'/></iq>`
    for (;;) { const x = await bridge.next(); if (x.attrs['id'] === 'n') { assert.match(String(x), /after="survey ticket"/); break } }
  }))
})
