import { scene } from '../harness/scene.ts'

const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }

describe('subscriptions', () => {
  it('RFC-P5 RFC-P6 RFC-P8 a request that is approved: who is told what, in which order', scene(cast, async ({ romeo, juliet }) => {
    for (const a of [romeo, juliet]) {
      a.sends`<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>`
      await a.receives`<iq type='result' id='r'><query xmlns='jabber:iq:roster'/></iq>`
      a.sends`<presence id='here'/>`
      await a.receives`<presence from='${a}' to='${a.bare}' id='here'/>`
    }
    romeo.sends`<presence to='${juliet.bare}' type='subscribe' id='s1'><status>It is I</status></presence>`
    await juliet.receives`<presence type='subscribe' from='${romeo.bare}' to='${juliet.bare}' id='s1'><status>It is I</status></presence>`
    await romeo.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${juliet.bare}' subscription='none' ask='subscribe'/></query></iq>`
    juliet.sends`<presence to='${romeo.bare}' type='subscribed' id='s2'/>`
    await juliet.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${romeo.bare}' subscription='from'/></query></iq>`
    await romeo.receives`<presence type='subscribed' from='${juliet.bare}' to='${romeo.bare}' id='s2'/>`
    await romeo.receives`<iq type='set'><query xmlns='jabber:iq:roster'><item jid='${juliet.bare}' subscription='to'/></query></iq>`
    await romeo.receives`<presence from='${juliet}' to='${romeo.bare}' id='here'/>`
    await romeo.receivesNothing()
    await juliet.receivesNothing()
  }))
})
