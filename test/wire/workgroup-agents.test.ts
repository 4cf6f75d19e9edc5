// The agents' side of XEP-0142, with the stanzas that Smack sends; what Fastpath's clients want beside it; and what customers may not forge.
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { BOT, config, desk, DESK, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'

const WG = 'http://jabber.org/protocol/workgroup'
const JIVE = 'http://jivesoftware.com/protocol/workgroup'
const STAFF = { anna: 'agent', ben: 'agent', root: 'admin' } as const
const FASTPATH = config({ support: { fastpath: true } as object }, {})

/** Logs in as Smack's AgentSession does. */
async function works(d: DeskHouse, name: string, { max = 3, show = '' } = {}): Promise<Person> {
  const p = await d.comes(name)
  stands(p, show, max)
  await p.actor.hears`<presence from='${SUPPORT}'><agent-status xmlns='${WG}' jid='${SUPPORT}'/></presence>`
  await d.quiet()
  await p.actor.fence()
  return p
}
/** An underscore, as Smack writes it. */
const stands = (p: Person, show = '', max = 3): void => p.actor.says(`<presence to='${SUPPORT}'>${show === '' ? '' : `<show>${show}</show>`}<agent-status xmlns='${WG}'><max_chats>${max}</max_chats></agent-status></presence>`)
const goes = (p: Person): void => p.actor.says(`<presence to='${SUPPORT}' type='unavailable'><agent-status xmlns='${WG}'/></presence>`)
const joins = async (d: DeskHouse, name: string, inside = ''): Promise<Person> => {
  const p = await d.comes(name)
  p.actor.says(`<iq type='set' id='join' to='${SUPPORT}'><join-queue xmlns='${WG}'>${inside}</join-queue></iq>`)
  await p.actor.hears`<iq type='result' id='join'/>`
  return p
}
const set = (p: Person, id: string, what: string): void => p.actor.says(`<iq type='set' id='${id}' to='${SUPPORT}'>${what}</iq>`)
const offered = async (p: Person): Promise<Xml> => {
  const iq = await p.actor.hears`<iq type='set' from='${SUPPORT}'><offer xmlns='${WG}'/></iq>`
  p.actor.sends`<iq type='result' id='${iq.attrs['id']}' to='${SUPPORT}'/>`
  return iq.getChild('offer', WG)!
}
const isForbidden = (p: Person, id: string): Promise<Xml> => p.actor.hears`<iq type='error' id='${id}'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`

describe('an agent in a workgroup client', () => {
  it('XEP-0142 is offered a customer with id, timeout and what is known; accepts; and is invited with the offer', desk(STAFF, async d => {
    const anna = await works(d, 'anna')
    const zoe = await joins(d, 'zoe', `<x xmlns='jabber:x:data' type='submit'><field var='username'><value>Zoe Z.</value></field><field var='question'><value>help!</value></field><field var='password'><value>secret</value></field></x>`)
    const offer = await offered(anna)
    assert.equal(offer.attrs['jid'], 'zoe@localhost/zoe-pc')
    assert.equal(offer.getChildText('timeout'), '20')
    const known = Object.fromEntries(offer.getChild('metadata', JIVE)!.getChildren('value').map(v => [v.attrs['name'], v.getText()]))
    assert.deepEqual(known, { username: 'Zoe Z.', question: 'help!' })
    set(anna, 'acc', `<offer-accept xmlns='${WG}' id='${offer.attrs['id']}' jid='zoe@localhost/zoe-pc'/>`)
    await anna.actor.hears`<iq type='result' id='acc' from='${SUPPORT}'/>`
    const room = `zoe-z-1@${DESK}`
    await anna.actor.hears`<message from='${room}'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='${SUPPORT}'/></x><offer xmlns='${WG}' jid='zoe@localhost/zoe-pc'/></message>`
    anna.actor.sends`<presence to='${room}/Anna'><x xmlns='http://jabber.org/protocol/muc'/></presence>`
    await anna.actor.hears`<message type='groupchat' from='${room}/Zoe Z.'><body>help!</body></message>`
    await zoe.actor.hears`<message from='w1@${DESK}'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='${SUPPORT}'/></x></message>`
    zoe.actor.sends`<presence to='w1@${DESK}/Zoe'><x xmlns='http://jabber.org/protocol/muc'/></presence>`
    anna.actor.says(`<message type='groupchat' id='a1' to='${room}'><body>I am here</body></message>`)
    await zoe.actor.hears`<message type='groupchat' from='w1@${DESK}/Anna'><body>I am here</body></message>`
  }))

  it('XEP-0142 rejects, by the customer’s address alone too, and the next one is asked', desk(STAFF, async d => {
    const [anna, ben] = [await works(d, 'anna'), await works(d, 'ben')]
    await joins(d, 'zoe')
    const first = await offered(anna)
    set(anna, 'rej', `<offer-reject xmlns='${WG}' jid='zoe@localhost/zoe-pc'/>`)
    await anna.actor.hears`<iq type='result' id='rej'/>`
    const second = await offered(ben)
    assert.notEqual(second.attrs['id'], first.attrs['id'])
    set(ben, 'acc', `<offer-accept xmlns='${WG}' jid='zoe@localhost/zoe-pc'/>`)
    await ben.actor.hears`<iq type='result' id='acc'/>`
    await ben.actor.hears`<message><x xmlns='http://jabber.org/protocol/muc#user'><invite from='${SUPPORT}'/></x><offer xmlns='${WG}' jid='zoe@localhost/zoe-pc'/></message>`
    assert.deepEqual((await anna.actor.fence()).filter(x => x.getChild('offer-revoke', WG) ?? x.getChild('offer', WG)), [])
  }))

  it('XEP-0142 an offer that lapses is revoked, and accepting it then too', desk({ anna: 'agent' }, async d => {
    const anna = await works(d, 'anna')
    await joins(d, 'zoe')
    const offer = await offered(anna)
    await d.later(21)
    await anna.actor.hears`<iq type='set' from='${SUPPORT}'><offer-revoke xmlns='${WG}' id='${offer.attrs['id']}' jid='zoe@localhost/zoe-pc'><reason>Offer timed out</reason></offer-revoke></iq>`
    set(anna, 'late', `<offer-accept xmlns='${WG}' id='${offer.attrs['id']}' jid='zoe@localhost/zoe-pc'/>`)
    await anna.actor.hears`<iq type='result' id='late'/>`
    await anna.actor.hears`<iq type='set'><offer-revoke xmlns='${WG}' id='${offer.attrs['id']}'/></iq>`
    anna.types(BOT, '!q')
    await anna.reads(BOT, /#1 \(Zoe\).*waits/)
  }))

  it('XEP-0142 a customer who departs takes the offer with him', desk({ anna: 'agent' }, async d => {
    const anna = await works(d, 'anna')
    const zoe = await joins(d, 'zoe')
    const offer = await offered(anna)
    set(zoe, 'dep', `<depart-queue xmlns='${WG}'/>`)
    await zoe.actor.hears`<message from='${SUPPORT}'><depart-queue xmlns='${WG}'/></message>`
    await anna.actor.hears`<iq type='set'><offer-revoke xmlns='${WG}' id='${offer.attrs['id']}'/></iq>`
  }))

  it('XEP-0142 is asked only while his client is available to the queue: away and dnd hold him back, leaving closes it', desk({ anna: 'agent' }, async d => {
    const anna = await works(d, 'anna', { show: 'away' })
    const zoe = await joins(d, 'zoe') // away counts as being there (C16)
    await d.quiet()
    assert.deepEqual((await anna.actor.fence()).filter(x => x.getChild('offer', WG)), [])
    stands(anna, 'chat')
    await offered(anna)
    set(zoe, 'dep', `<depart-queue xmlns='${WG}'/>`)
    await zoe.actor.hears`<message><depart-queue xmlns='${WG}'/></message>`
    for (const [i, back] of [() => stands(anna, 'dnd'), () => goes(anna)].entries()) {
      back()
      await anna.actor.fence()
      await d.later(60)
      set(zoe, `no${i}`, `<join-queue xmlns='${WG}'/>`)
      await zoe.actor.hears`<iq type='error' id='no${i}'><error><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
      stands(anna)
      await anna.actor.fence()
      await d.quiet()
      set(zoe, `yes${i}`, `<join-queue xmlns='${WG}'/>`)
      await zoe.actor.hears`<iq type='result' id='yes${i}'/>`
      set(zoe, `out${i}`, `<depart-queue xmlns='${WG}'/>`)
      await zoe.actor.hears`<iq type='result' id='out${i}'/>`
    }
  }))

  it('XEP-0142 says how many he takes, and is told how many it really is', desk(STAFF, async d => {
    const anna = await d.comes('anna')
    stands(anna, '', 2)
    await anna.actor.hears`<presence from='${SUPPORT}'><agent-status xmlns='${WG}'><current-chats>0</current-chats><max-chats>2</max-chats></agent-status></presence>`
    anna.actor.says(`<presence to='${SUPPORT}'><agent-status xmlns='${WG}'><max-chats>90</max-chats></agent-status></presence>`)
    await anna.actor.hears`<presence from='${SUPPORT}'><agent-status xmlns='${WG}'><max-chats>4</max-chats></agent-status></presence>`
  }))

  it('XEP-0142 hears how the queue stands, and each change', desk({ anna: 'agent' }, async d => {
    const anna = await d.comes('anna')
    stands(anna, 'away', 4)
    await anna.actor.hears`<presence from='${SUPPORT}'><notify-agents xmlns='${WG}'><available>1</available><current-chats>0</current-chats><max-chats>4</max-chats></notify-agents></presence>`
    await anna.actor.hears`<presence from='${SUPPORT}'><notify-queue xmlns='${WG}'><count>0</count><status>open</status></notify-queue></presence>`
    await joins(d, 'zoe')
    await d.later(1)
    const queue = await anna.actor.hears`<presence from='${SUPPORT}'><notify-queue xmlns='${WG}'><count>1</count></notify-queue></presence>`
    assert.match(queue.getChild('notify-queue')!.getChildText('oldest')!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    await anna.actor.hears`<presence from='${SUPPORT}'><notify-queue-details xmlns='${WG}'><user jid='zoe@localhost/zoe-pc'><position>0</position></user></notify-queue-details></presence>`
    goes(anna)
    await d.later(1)
    await anna.actor.fence()
    const zoe = await d.comes('zoe')
    set(zoe, 'dep', `<depart-queue xmlns='${WG}'/>`)
    await d.later(2)
    assert.deepEqual((await anna.actor.fence()).filter(x => x.getChild('notify-queue', WG)), [])
  }))

  it('XEP-0142 asks who serves the queue with him', desk(STAFF, async d => {
    const anna = await works(d, 'anna')
    anna.actor.says(`<iq type='get' id='who' to='${SUPPORT}'><agent-status-request xmlns='${WG}'/></iq>`)
    const answer = await anna.actor.hears`<iq type='result' id='who'><agent-status-request xmlns='${WG}'><agent jid='ben@localhost'/></agent-status-request></iq>`
    assert.equal(answer.getChild('agent-status-request')!.getChildren('agent').length, 1)
  }))

  it('XEP-0142 gives a conversation to a colleague, asks one in, and gives it to a queue, as Fastpath’s clients do', desk(STAFF, async d => {
    const anna = await works(d, 'anna')
    await joins(d, 'zoe')
    set(anna, 'acc', `<offer-accept xmlns='${WG}' id='${(await offered(anna)).attrs['id']}'/>`)
    await anna.actor.hears`<message><offer xmlns='${WG}'/></message>`
    const ben = await works(d, 'ben')
    const hand = (p: Person, id: string, name: string, type: string, invitee: string, n = 1): void => set(p, id, `<${name} xmlns='${WG}' type='${type}'><session xmlns='${JIVE}' id='${n}' workgroup='${SUPPORT}'/><invitee>${invitee}</invitee><reason>you know this</reason></${name}>`)
    hand(ben, 't0', 'transfer', 'user', 'ben@localhost')
    await ben.actor.hears`<iq type='error' id='t0'/>`
    hand(anna, 'i1', 'invite', 'user', 'ben@localhost')
    await anna.actor.hears`<iq type='result' id='i1'/>`
    const asked = await offered(ben)
    assert.equal(asked.getChild('invite')?.getChildText('inviter'), 'anna@localhost')
    set(ben, 'no', `<offer-reject xmlns='${WG}' id='${asked.attrs['id']}'/>`)
    await ben.actor.hears`<iq type='result' id='no'/>`
    hand(anna, 't1', 'transfer', 'user', 'ben@localhost')
    await anna.actor.hears`<iq type='result' id='t1'/>`
    const given = await offered(ben)
    assert.equal(given.getChild('transfer')?.getChild('session', JIVE)?.attrs['id'], '1')
    set(ben, 'yes', `<offer-accept xmlns='${WG}' id='${given.attrs['id']}'/>`)
    await ben.actor.hears`<message><x xmlns='http://jabber.org/protocol/muc#user'><invite from='${SUPPORT}'/></x><offer xmlns='${WG}' jid='zoe@localhost/zoe-pc'/></message>`
    hand(ben, 't2', 'transfer', 'queue', `${SUPPORT}/support`)
    await ben.actor.hears`<iq type='result' id='t2'/>`
  }))

  it('XEP-0142 in two clients: who logs in later is given the open offer too, and both lose it together', desk({ anna: 'agent' }, async d => {
    const anna = await works(d, 'anna')
    const zoe = await joins(d, 'zoe')
    const offer = await offered(anna)
    const laptop = await d.house.actor('anna', 'anna@localhost/laptop')
    await laptop.comesOnline()
    laptop.says(`<presence to='${SUPPORT}'><agent-status xmlns='${WG}'/></presence>`)
    await laptop.hears`<iq type='set' from='${SUPPORT}'><offer xmlns='${WG}' id='${offer.attrs['id']}'/></iq>`
    set(zoe, 'dep', `<depart-queue xmlns='${WG}'/>`)
    for (const a of [laptop, anna.actor]) await a.hears`<iq type='set'><offer-revoke xmlns='${WG}' id='${offer.attrs['id']}'/></iq>`
  }))
})

describe('a queue that speaks as Fastpath does', () => {
  it('XEP-0142 counts from 1, with its session, its form, its dates and its queue’s name', desk(STAFF, async d => {
    const anna = await d.comes('anna')
    stands(anna, 'away')
    await d.quiet()
    const zoe = await joins(d, 'zoe', `<queue-notifications/><metadata xmlns='${JIVE}'><value name='question'>how?</value></metadata>`)
    await zoe.actor.hears`<message from='${SUPPORT}'><queue-status xmlns='${WG}'><position>1</position><session xmlns='${JIVE}' id='1' workgroup='${SUPPORT}'/></queue-status></message>`
    await d.later(1)
    const queue = await anna.actor.hears`<presence from='${SUPPORT}/support'><notify-queue xmlns='${WG}'><count>1</count></notify-queue></presence>`
    assert.match(queue.getChild('notify-queue')!.getChildText('oldest')!, /^\d{8}T\d\d:\d\d:\d\d$/)
    anna.types(BOT, '!take')
    await zoe.actor.hears`<message from='w1@${DESK}'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='${SUPPORT}'/></x><workgroup xmlns='${JIVE}' jid='${SUPPORT}'/><session xmlns='${JIVE}' id='1'/></message>`
    await anna.actor.hears`<message><x xmlns='http://jabber.org/protocol/muc#user'><invite from='${SUPPORT}'/></x><offer xmlns='${WG}' jid='zoe@localhost/zoe-pc'/><session xmlns='${JIVE}' id='1'/><user xmlns='${JIVE}' id='zoe@localhost/zoe-pc'/></message>`
    assert.equal((await d.rest('PATCH', '/api/v1/settings', 'root', { fields: { plan: { label: 'Plan', kind: 'text', ask: true } } })).status, 200)
    zoe.actor.says(`<iq type='get' id='form' to='${SUPPORT}'><workgroup-form xmlns='${JIVE}'/></iq>`)
    await zoe.actor.hears`<iq type='result' id='form'><workgroup-form xmlns='${JIVE}'><x xmlns='jabber:x:data' type='form'><field var='plan'/></x></workgroup-form></iq>`
  }, FASTPATH))

  it('XEP-0142 no other queue does', desk(STAFF, async d => {
    const zoe = await d.comes('zoe')
    zoe.actor.says(`<iq type='get' id='form' to='${SUPPORT}'><workgroup-form xmlns='${JIVE}'/></iq>`)
    await zoe.actor.hears`<iq type='error' id='form'><error><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
  }))
})

describe('what only agents and the desk may say', () => {
  it('SEC-R08 is refused to customers, and changes nothing', desk(STAFF, async d => {
    const anna = await works(d, 'anna')
    const zoe = await joins(d, 'zoe')
    const yan = await d.comes('yan')
    const { attrs: { id } } = await offered(anna)
    const forged = [
      `<offer-accept xmlns='${WG}' id='${id}' jid='zoe@localhost/zoe-pc'/>`, `<offer-reject xmlns='${WG}' id='${id}' jid='zoe@localhost/zoe-pc'/>`,
      `<transfer xmlns='${WG}' type='user'><session xmlns='${JIVE}' id='1'/><invitee>yan@localhost</invitee></transfer>`, `<invite xmlns='${WG}' type='user'><session xmlns='${JIVE}' id='1'/><invitee>yan@localhost</invitee></invite>`,
      `<offer xmlns='${WG}' jid='zoe@localhost/zoe-pc'/>`, `<offer-revoke xmlns='${WG}' jid='zoe@localhost/zoe-pc'/>`, `<queue-status xmlns='${WG}'><position>0</position></queue-status>`, `<notify-queue xmlns='${WG}'><status>closed</status></notify-queue>`,
    ]
    for (const [i, words] of forged.entries()) for (const p of [yan, zoe]) {
      set(p, `f${i}`, words)
      await isForbidden(p, `f${i}`)
    }
    yan.actor.says(`<iq type='get' id='who' to='${SUPPORT}'><agent-status-request xmlns='${WG}'/></iq>`)
    await isForbidden(yan, 'who')
    yan.actor.says(`<presence to='${SUPPORT}'><agent-status xmlns='${WG}'><max-chats>3</max-chats></agent-status></presence>`)
    await yan.actor.hears`<presence type='error' from='${SUPPORT}'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`
    anna.types(BOT, '!q')
    await anna.reads(BOT, /#1 \(Zoe\).*offered to Anna/)
    set(anna, 'acc', `<offer-accept xmlns='${WG}' id='${id}'/>`)
    await zoe.actor.hears`<message from='w1@${DESK}'><x xmlns='http://jabber.org/protocol/muc#user'><invite/></x></message>`
  }))

  it('SEC-R08 is refused to agents who may not', desk(STAFF, async d => {
    const anna = await works(d, 'anna')
    await joins(d, 'zoe')
    const { attrs: { id } } = await offered(anna)
    assert.ok((await d.rest('PATCH', '/api/v1/roles/agent', 'root', { permissions: { 'chat.serve': false } })).status < 300)
    set(anna, 'acc', `<offer-accept xmlns='${WG}' id='${id}'/>`)
    await isForbidden(anna, 'acc')
  }))
})
