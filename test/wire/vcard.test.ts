import assert from 'node:assert/strict'
import { scene, type Actor } from '../harness/scene.ts'

const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }
const NS = 'urn:ietf:params:xml:ns:xmpp-stanzas'

const saves = async (a: Actor, what: string): Promise<void> => {
  a.says(`<iq type='set' id='save'>${what}</iq>`)
  await a.receives`<iq type='result' id='save'/>`
}

describe('XEP-0054 vcard-temp', () => {
  it('one\'s own is empty, then what one wrote, replaced as a whole', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='get' id='v'><vCard xmlns='vcard-temp'/></iq>`
    assert.equal((await romeo.receives`<iq type='result' id='v'><vCard xmlns='vcard-temp'/></iq>`).getChild('vCard')!.children.length, 0)
    await saves(romeo, `<vCard xmlns='vcard-temp'><FN>Romeo &amp; 晚安</FN><NICKNAME>R</NICKNAME></vCard>`)
    await saves(romeo, `<vCard xmlns='vcard-temp'><FN>Romeo &amp; 晚安</FN><PHOTO><TYPE>image/png</TYPE></PHOTO></vCard>`)
    romeo.sends`<iq type='get' id='v'><vCard xmlns='vcard-temp'/></iq>`
    const card = (await romeo.receives`<iq type='result' id='v'><vCard xmlns='vcard-temp'><FN>Romeo &amp; 晚安</FN><PHOTO><TYPE>image/png</TYPE></PHOTO></vCard></iq>`).getChild('vCard')!
    assert.equal(card.getChild('NICKNAME'), undefined)
  }))

  it('everybody sees it, and of one without the same as of nobody', scene(cast, async ({ romeo, juliet }) => {
    await saves(juliet, `<vCard xmlns='vcard-temp'><FN>Juliet</FN></vCard>`)
    romeo.sends`<iq type='get' id='v' to='${juliet.bare}'><vCard xmlns='vcard-temp'/></iq>`
    await romeo.receives`<iq type='result' id='v' from='${juliet.bare}'><vCard xmlns='vcard-temp'><FN>Juliet</FN></vCard></iq>`
    for (const [asker, who] of [[juliet, romeo.bare], [juliet, 'nobody@localhost']] as const) {
      asker.sends`<iq type='get' id='v' to='${who}'><vCard xmlns='vcard-temp'/></iq>`
      await asker.receives`<iq type='error' id='v' from='${who}'><error type='cancel'><service-unavailable xmlns='${NS}'/></error></iq>`
    }
  }))

  it('SEC-R13 nobody writes somebody else\'s', scene(cast, async ({ romeo, juliet }) => {
    for (const what of [`<vCard xmlns='vcard-temp'><FN>Fool</FN></vCard>`, `<query xmlns='jabber:iq:private'><x xmlns='urn:example'/></query>`]) {
      romeo.says(`<iq type='set' id='v' to='${juliet.bare}'>${what}</iq>`)
      await romeo.receives`<iq type='error' id='v'><error type='auth'><forbidden xmlns='${NS}'/></error></iq>`
    }
  }))
})

describe('XEP-0049 Private XML Storage', () => {
  it('keeps each element by name and namespace, whole', scene({ ...cast, phone: 'romeo@localhost/phone' }, async ({ romeo, phone }) => {
    await saves(romeo, `<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'><conference jid='room@rooms.localhost' name='R'><nick>R</nick></conference></storage></query>`)
    await saves(romeo, `<query xmlns='jabber:iq:private'><roster xmlns='roster:delimiter'>::</roster></query>`)
    phone.sends`<iq type='get' id='p'><query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query></iq>`
    await phone.receives`<iq type='result' id='p'><query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'><conference jid='room@rooms.localhost' name='R'><nick>R</nick></conference></storage></query></iq>`
    phone.sends`<iq type='get' id='q'><query xmlns='jabber:iq:private'><roster xmlns='roster:delimiter'/></query></iq>`
    await phone.receives`<iq type='result' id='q'><query xmlns='jabber:iq:private'><roster xmlns='roster:delimiter'>::</roster></query></iq>`
  }))

  it('what was never kept comes back empty', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='get' id='p'><query xmlns='jabber:iq:private'><storage xmlns='storage:rosternotes'/></query></iq>`
    await romeo.receives`<iq type='result' id='p'><query xmlns='jabber:iq:private'><storage xmlns='storage:rosternotes'/></query></iq>`
  }))

  for (const [type, inside, condition] of [['get', '', 'bad-request'], ['set', '', 'bad-request'], ['get', `<a xmlns='urn:a'/><b xmlns='urn:b'/>`, 'bad-request'], ['set', '<a/>', 'not-acceptable']] as const) {
    it(`refuses a ${type} of '${inside}'`, scene(cast, async ({ romeo }) => {
      romeo.says(`<iq type='${type}' id='p'><query xmlns='jabber:iq:private'>${inside}</query></iq>`)
      const answer = await romeo.receives`<iq type='error' id='p'/>`
      assert.ok(answer.getChild('error')!.getChild(condition, NS), String(answer))
    }))
  }

  it('is nobody else\'s to read', scene(cast, async ({ romeo, juliet }) => {
    romeo.sends`<iq type='get' id='p' to='${juliet.bare}'><query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query></iq>`
    await romeo.receives`<iq type='error' id='p'><error type='auth'><forbidden xmlns='${NS}'/></error></iq>`
  }))
})
