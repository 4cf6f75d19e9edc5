// Queues as workgroups of XEP-0142: what a customer's client of that kind says and hears.
import assert from 'node:assert/strict'
import { BOT, c, config, desk, DESK, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'

const WG = 'http://jabber.org/protocol/workgroup'
const JIVE = 'http://jivesoftware.com/protocol/workgroup'
const STAFF = { anna: 'agent', maya: 'manager' } as const
const ROOM = `w1@${DESK}`
const pull = (more = {}, desk = {}) => config({ support: { assign: 'pull', ...more }, billing: {} }, desk)

const joins = (p: Person, id: string, inside = '<queue-notifications/>'): void => p.actor.says(`<iq type='set' id='${id}' to='${SUPPORT}'><join-queue xmlns='${WG}'>${inside}</join-queue></iq>`)
const refused = async (p: Person, id: string, type: string, condition: string): Promise<void> => {
  for (;;) {
    const x = await p.actor.next(() => `${id} should be refused with ${condition}`)
    if (x.attrs['id'] !== id) continue
    assert.equal(x.attrs['type'], 'error', String(x))
    assert.equal(x.getChild('error')?.attrs['type'], type, String(x))
    assert.ok(x.getChild('error')?.getChild(condition), String(x))
    return
  }
}
const enters = async (p: Person, room = ROOM): Promise<void> => {
  p.actor.sends`<presence to='${room}/whatever'><x xmlns='http://jabber.org/protocol/muc'/></presence>`
  await p.actor.hears`<presence from='${room}/Zoe'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>`
}
/** Zoe's conversation #1 in her room, served by Anna in a contact window. */
async function talk(d: DeskHouse): Promise<{ anna: Person; zoe: Person }> {
  const anna = await d.comes('anna')
  const zoe = await d.comes('zoe')
  joins(zoe, 'j')
  await zoe.actor.hears`<iq type='result' id='j' from='${SUPPORT}'/>`
  anna.types(BOT, '!take')
  await zoe.actor.hears`<message from='${ROOM}'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='${SUPPORT}'/></x></message>`
  await enters(zoe)
  await anna.reads(c(1), /^✱ #1 Zoe/)
  await d.quiet()
  for (const p of [anna, zoe]) await p.actor.fence()
  return { anna, zoe }
}

describe('a customer in a workgroup client', () => {
  it('XEP-0142 joins, hears his place counted from 0, and is invited in the workgroup’s name', desk(STAFF, async d => {
    const anna = await d.comes('anna')
    const [zoe, yan] = [await d.comes('zoe'), await d.comes('yan')]
    joins(zoe, 'j')
    await zoe.actor.receives`<iq type='result' id='j' from='${SUPPORT}'/>`
    await zoe.actor.receives`<message from='${SUPPORT}'><queue-status xmlns='${WG}'><position>0</position></queue-status></message>`
    joins(yan, 'j')
    await d.later(1)
    await yan.actor.receives`<iq type='result' id='j'/>`
    await yan.actor.receives`<message from='${SUPPORT}'><queue-status xmlns='${WG}'><position>1</position></queue-status></message>`
    anna.types(BOT, '!take 1')
    const invited = await zoe.actor.receives`<message from='${ROOM}' to='zoe@localhost/zoe-pc'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='${SUPPORT}'/></x></message>`
    assert.equal(invited.getChild('session', JIVE), undefined)
    await d.later(1)
    await yan.actor.hears`<message from='${SUPPORT}'><queue-status xmlns='${WG}'><position>0</position></queue-status></message>`
    await d.later(30)
    await zoe.actor.receivesNothing()
  }, pull()))

  it('XEP-0142 who does not ask for notifications hears none, and polls', desk(STAFF, async d => {
    await d.comes('anna')
    const zoe = await d.comes('zoe')
    joins(zoe, 'j', '')
    await zoe.actor.receives`<iq type='result' id='j'/>`
    await d.later(20)
    await zoe.actor.receivesNothing()
    zoe.actor.says(`<iq type='get' id='q' to='${SUPPORT}'><queue-status xmlns='${WG}'/></iq>`)
    await zoe.actor.receives`<iq type='result' id='q'><queue-status xmlns='${WG}'><position>0</position></queue-status></iq>`
    const yan = await d.comes('yan')
    yan.actor.says(`<iq type='get' id='q' to='${SUPPORT}'><queue-status xmlns='${WG}'/></iq>`)
    await refused(yan, 'q', 'auth', 'not-authorized')
  }, pull()))

  it('XEP-0142 joins once: again is a conflict, from another device too', desk(STAFF, async d => {
    await d.comes('anna')
    const zoe = await d.comes('zoe')
    joins(zoe, 'j')
    joins(zoe, 'k')
    await refused(zoe, 'k', 'cancel', 'conflict')
    const phone = await d.house.actor('zoe', 'zoe@localhost/phone')
    phone.says(`<iq type='set' id='m' to='${SUPPORT}'><join-queue xmlns='${WG}'/></iq>`)
    await phone.hears`<iq type='error' id='m'><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
  }, pull()))

  it('XEP-0142 is refused: nobody here 503, no such queue 404, an operator or a banned one 401', desk({ ...STAFF, root: 'admin' }, async d => {
    const zoe = await d.comes('zoe')
    joins(zoe, 'j')
    await refused(zoe, 'j', 'cancel', 'service-unavailable')
    zoe.actor.says(`<iq type='set' id='n' to='nothing@${DESK}'><join-queue xmlns='${WG}'/></iq>`)
    await refused(zoe, 'n', 'cancel', 'item-not-found')
    const anna = await d.comes('anna')
    joins(anna, 'a')
    await refused(anna, 'a', 'auth', 'not-authorized')
    assert.ok((await d.rest('PATCH', '/api/v1/roles/customer', 'root', { permissions: { 'chat.with.agents': false } })).status < 300)
    joins(zoe, 'b')
    await refused(zoe, 'b', 'auth', 'not-authorized')
  }, pull()))

  it('XEP-0142 fills in the form where one is asked: 406 without it, wrong, and then he stands in the queue', desk({ ...STAFF, root: 'admin' }, async d => {
    const anna = await d.comes('anna')
    const zoe = await d.comes('zoe')
    assert.equal((await d.rest('PATCH', '/api/v1/settings', 'root', { fields: { plan: { label: 'Plan', kind: 'choice', choices: ['Gold', 'Silver'], ask: true, required: true } } })).status, 200)
    joins(zoe, 'j')
    await refused(zoe, 'j', 'modify', 'not-acceptable')
    zoe.actor.says(`<iq type='get' id='f' to='${SUPPORT}'><join-queue xmlns='${WG}'/></iq>`)
    await zoe.actor.hears`<iq type='result' id='f'><join-queue xmlns='${WG}'><x xmlns='jabber:x:data' type='form'><field var='plan' type='list-single' label='Plan'><required/><option><value>Gold</value></option></field></x></join-queue></iq>`
    joins(zoe, 'k', `<x xmlns='jabber:x:data' type='submit'><field var='plan'><value>Tin</value></field></x>`)
    await refused(zoe, 'k', 'modify', 'not-acceptable')
    joins(zoe, 'l', `<x xmlns='jabber:iq:data' type='submit'><field var='plan'><value>Gold</value></field><field var='question'><value>where is it?</value></field></x>`)
    await zoe.actor.hears`<iq type='result' id='l'/>`
    anna.types(BOT, '!take')
    await anna.reads(c(1), 'where is it?')
    anna.types(c(1), '!dossier')
    await anna.sees(/Gold/)
  }, pull()))

  it('XEP-0142 departs: a result, a message, and the place is free', desk(STAFF, async d => {
    const anna = await d.comes('anna')
    const zoe = await d.comes('zoe')
    const depart = (id: string): void => zoe.actor.says(`<iq type='set' id='${id}' to='${SUPPORT}'><depart-queue xmlns='${WG}'/></iq>`)
    depart('d0')
    await refused(zoe, 'd0', 'cancel', 'item-not-found')
    joins(zoe, 'j')
    await zoe.actor.hears`<iq type='result' id='j'/>`
    depart('d1')
    await zoe.actor.hears`<iq type='result' id='d1'/>`
    await zoe.actor.hears`<message from='${SUPPORT}' to='zoe@localhost/zoe-pc'><depart-queue xmlns='${WG}'/></message>`
    anna.types(BOT, '!q')
    await anna.reads(BOT, /Nobody waits/)
    joins(zoe, 'j2')
    await zoe.actor.hears`<iq type='result' id='j2'/>`
  }, pull()))

  it('XEP-0142 loses his place ten minutes after his client is gone, if it has shown its presence', desk(STAFF, async d => {
    const anna = await d.comes('anna')
    const zoe = await d.comes('zoe')
    zoe.actor.sends`<presence to='${SUPPORT}'/>`
    await zoe.actor.hears`<presence from='${SUPPORT}'/>`
    joins(zoe, 'j')
    await zoe.actor.hears`<iq type='result' id='j'/>`
    zoe.actor.sends`<presence type='unavailable'/>`
    await zoe.actor.fence()
    await d.later(598)
    anna.types(BOT, '!q')
    await anna.reads(BOT, /#1 .Zoe.* waits/)
    await d.later(4)
    anna.types(BOT, '!q')
    await anna.reads(BOT, /Nobody waits/)
  }, pull()))

  it('XEP-0142 is taken out of the queue by who may, and by nobody else', desk(STAFF, async d => {
    const [anna, maya] = [await d.comes('anna'), await d.comes('maya')]
    const [zoe, yan] = [await d.comes('zoe'), await d.comes('yan')]
    joins(zoe, 'j')
    await zoe.actor.hears`<iq type='result' id='j'/>`
    const out = `<depart-queue xmlns='${WG}'><jid>zoe@localhost/zoe-pc</jid></depart-queue>`
    for (const p of [yan, anna]) {
      p.actor.says(`<iq type='set' id='d' to='${SUPPORT}'>${out}</iq>`)
      await refused(p, 'd', 'auth', 'not-authorized')
    }
    maya.actor.says(`<iq type='set' id='d' to='${SUPPORT}'>${out}</iq>`)
    await maya.actor.hears`<iq type='result' id='d'/>`
    await zoe.actor.hears`<message from='${SUPPORT}'><depart-queue xmlns='${WG}'/></message>`
  }, pull()))
})

describe('the room of a workgroup’s customer', () => {
  it('XEP-0142 carries what is said to him and by him, and nothing internal', desk(STAFF, async d => {
    const { anna, zoe } = await talk(d)
    anna.types(c(1), 'which printer?')
    await zoe.actor.hears`<message type='groupchat' from='${ROOM}/Anna'><body>which printer?</body></message>`
    zoe.actor.says(`<message type='groupchat' id='z1' to='${ROOM}'><body>the red one</body><origin-id xmlns='urn:xmpp:sid:0' id='z1'/></message>`)
    await zoe.actor.hears`<message type='groupchat' id='z1' from='${ROOM}/Zoe'><body>the red one</body><origin-id xmlns='urn:xmpp:sid:0' id='z1'/></message>`
    await anna.reads(c(1), 'the red one')
    zoe.actor.says(`<message type='groupchat' to='${ROOM}'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`)
    await anna.actor.hears`<message from='${c(1)}/desk'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`
    anna.types(c(1), '!n she is angry')
    await d.quiet()
    assert.deepEqual((await zoe.actor.fence()).map(String).filter(x => x.includes('angry')), [])
    assert.deepEqual((await zoe.actor.fence()).filter(x => x.attrs['from'] === `${SUPPORT}/desk`), [])
  }, pull()))

  it('XEP-0142 shows nobody who watches, lets nobody else in, and goes when the conversation is closed', desk(STAFF, async d => {
    const { anna, zoe } = await talk(d)
    const [maya, yan] = [await d.comes('maya'), await d.comes('yan')]
    maya.types(BOT, '!obs 1')
    await maya.reads(BOT, /You are watching/)
    for (const p of [yan, maya, anna]) {
      p.actor.sends`<presence id='in' to='${ROOM}/Spy'><x xmlns='http://jabber.org/protocol/muc'/></presence>`
      await p.actor.hears`<presence type='error' from='${ROOM}/Spy'/>`
    }
    await zoe.actor.receivesNothing()
    anna.types(c(1), '!close')
    await zoe.actor.hears`<presence type='unavailable' from='${ROOM}/Zoe'><x xmlns='http://jabber.org/protocol/muc#user'><destroy/></x></presence>`
  }, pull()))

  it('XEP-0142 tells the agent when the customer leaves it and when he comes back', desk(STAFF, async d => {
    const { anna, zoe } = await talk(d)
    zoe.actor.sends`<presence type='unavailable' to='${ROOM}/Zoe'/>`
    await anna.reads(c(1), /^✱ .*(left|gone|away)/i)
    await zoe.actor.fence()
    await enters(zoe)
    await anna.reads(c(1), /^✱ .*back/i)
  }, pull()))

  it('XEP-0142 is there again after a restart, with what was said', desk(STAFF, async d => {
    const { anna, zoe } = await talk(d)
    anna.types(c(1), 'which printer?')
    await zoe.actor.hears`<message type='groupchat' from='${ROOM}/Anna'><body>which printer?</body></message>`
    await d.restart()
    await d.later(0)
    await zoe.actor.hears`<message from='${ROOM}'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='${SUPPORT}'/></x></message>`
    zoe.actor.sends`<presence to='${ROOM}/Zoe'><x xmlns='http://jabber.org/protocol/muc'/></presence>`
    await zoe.actor.hears`<message type='groupchat' from='${ROOM}/Anna'><body>which printer?</body><delay xmlns='urn:xmpp:delay'/></message>`
  }, pull()))

  it('XEP-0142 who writes to the queue as plain clients do is answered there', desk(STAFF, async d => {
    const { anna, zoe } = await talk(d)
    zoe.types(SUPPORT, 'I am here now')
    await anna.reads(c(1), 'I am here now')
    anna.types(c(1), 'so am I')
    await zoe.reads(SUPPORT, 'so am I')
  }, pull()))
})

describe('a queue that is asked what it is', () => {
  it('XEP-0142 says that it is a workgroup, and whether it is ready', desk(STAFF, async d => {
    const zoe = await d.comes('zoe')
    const asks = async (status: string): Promise<void> => {
      zoe.actor.sends`<iq type='get' id='i' to='${SUPPORT}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
      await zoe.actor.hears`<iq type='result' id='i'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='collaboration' type='workgroup' name='Support'/><feature var='${WG}'/><x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE'><value>${WG}#workgroupinfo</value></field><field var='workgroup#description'><value>Support</value></field><field var='workgroup#online'><value>${status}</value></field></x></query></iq>`
    }
    await asks('closed')
    await d.comes('anna')
    await asks('ready')
    zoe.actor.sends`<iq type='get' id='d' to='${DESK}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await zoe.actor.hears`<iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='collaboration' type='workgroup'/><feature var='${WG}'/></query></iq>`
  }))

  it('XEP-0142 tells who sends it presence how it stands, and when that changes', desk(STAFF, async d => {
    const zoe = await d.comes('zoe')
    zoe.actor.sends`<presence to='${SUPPORT}'/>`
    await zoe.actor.receives`<presence type='unavailable' from='${SUPPORT}'/>`
    const anna = await d.comes('anna')
    await zoe.actor.receives`<presence from='${SUPPORT}'><status>Support</status></presence>`
    zoe.actor.sends`<presence type='unavailable' to='${SUPPORT}'/>`
    await zoe.actor.fence()
    anna.actor.sends`<presence type='unavailable'/>`
    await anna.actor.fence()
    await d.quiet()
    await zoe.actor.receivesNothing()
  }))
})
