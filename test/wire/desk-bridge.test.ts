// What a bridge says to the desk and hears of it (schemas/desk-namespace.md).
import assert from 'node:assert/strict'
import type { Element as Xml } from 'ltx'
import { ask, inside, NS_DESK as NS } from '../harness/bridge.ts'
import { BOT, c, config, desk } from '../harness/desk.ts'
import { ONE } from '../harness/talks.ts'

const condition = (x: Xml): string => { assert.equal(x.attrs['type'], 'error', String(x)); return String(x.getChild('error')?.children.map(e => typeof e === 'string' ? '' : e.name).find(n => n !== 'text')) }
const open = (id: string, body = 'hello', name = 'Alice'): string => `<open xmlns='${NS}' queue='support' id='${id}' name='${name}'><body>${body}</body></open>`
const say = (n: number, id: string, text: string): string => `<say xmlns='${NS}' conversation='${n}' id='${id}'>${text}</say>`
const lines = (n: number, after: number): string => `<lines xmlns='${NS}' conversation='${n}' after='${after}'/>`
const texts = (x: Xml): string[] => inside(x, 'lines').getChildren('line').map(l => `${l.attrs['seq']} ${l.attrs['who']} ${l.attrs['name']}: ${l.getText()}`)

describe('a bridge', () => {
  it('ST-71 learns whether a queue is open', desk(ONE, async d => {
    const web = await d.comes('web')
    const asked = `<availability xmlns='${NS}' queue='support'/>`
    assert.equal(inside(await ask(web, 'get', asked), 'availability').attrs['open'], 'false')
    assert.equal(condition(await ask(web, 'set', open('a1'))), 'service-unavailable')
    await d.comes('anna')
    await d.quiet()
    assert.equal(inside(await ask(web, 'get', asked), 'availability').attrs['open'], 'true')
    assert.equal(condition(await ask(web, 'get', `<availability xmlns='${NS}' queue='nope'/>`)), 'item-not-found')
  }))

  it('begins one conversation for one customer, whatever is sent twice', desk(ONE, async d => {
    const anna = await d.comes('anna')
    const web = await d.comes('web')
    const first = inside(await ask(web, 'set', open('a1')), 'conversation')
    assert.deepEqual([first.attrs['number'], first.attrs['seq']], ['1', '1'])
    assert.equal(inside(await ask(web, 'set', open('a1')), 'conversation').attrs['seq'], '1')
    assert.equal(inside(await ask(web, 'set', open('a2', 'more')), 'conversation').attrs['number'], '1')
    await anna.reads(BOT, /New chat #1: Alice/)
    anna.types(BOT, '!a')
    await anna.reads(c(1), 'hello')
    await anna.reads(c(1), 'more')
    const said = inside(await ask(web, 'set', say(1, 'b1', 'third')), 'said')
    assert.deepEqual(inside(await ask(web, 'set', say(1, 'b1', 'third')), 'said').attrs['seq'], said.attrs['seq'])
    await anna.reads(c(1), 'third')
    anna.types(c(1), '!c not for her')
    anna.types(c(1), 'hi Alice')
    await web.actor.hears`<message from='${c(1)}/desk'><line xmlns='${NS}' who='agent' name='Anna' seq='5'>hi Alice</line></message>`
    assert.deepEqual(texts(await ask(web, 'get', lines(1, 0))), ['1 customer Alice: hello', '2 customer Alice: more', '3 desk Helpdesk: Anna joined.', '4 customer Alice: third', '5 agent Anna: hi Alice'])
    assert.deepEqual(texts(await ask(web, 'get', lines(1, 4))), ['5 agent Anna: hi Alice'])
  }))

  it('hears how its conversation goes on, and never who is only asked', desk({ anna: 'agent', ben: 'agent' }, async d => {
    const anna = await d.comes('anna')
    const web = await d.comes('web')
    await ask(web, 'set', open('a1'))
    await web.actor.hears`<message from='${c(1)}/desk'><conversation xmlns='${NS}' number='1' state='offered' position='0'/></message>`
    await anna.reads(BOT, /#1/)
    anna.types(BOT, '!a')
    const active = await web.actor.hears`<message><conversation xmlns='${NS}' number='1' state='active' agent='Anna' can='say end'/></message>`
    assert.equal(active.getChild('no-store', 'urn:xmpp:hints')?.name, 'no-store')
    await ask(web, 'set', `<end xmlns='${NS}' conversation='1'/>`)
    await web.actor.hears`<message><conversation xmlns='${NS}' number='1' state='ended' can='say'/></message>`
    await anna.reads(c(1), /Alice has ended/)
    assert.equal(inside(await ask(web, 'set', say(1, 'c1', 'wait')), 'said').attrs['conversation'], '1')
    await web.actor.hears`<message><conversation xmlns='${NS}' number='1' state='active'/></message>`
    anna.types(c(1), '!close')
    await web.actor.hears`<message><conversation xmlns='${NS}' number='1' state='closed'/></message>`
    assert.equal(inside(await ask(web, 'set', say(1, 'c2', 'again')), 'said').attrs['conversation'], '2')
    assert.equal(inside(await ask(web, 'set', say(1, 'c2', 'again')), 'said').attrs['conversation'], '2')
    assert.equal(inside(await ask(web, 'get', `<conversation xmlns='${NS}'/>`), 'conversation').attrs['number'], '2')
  }))

  it('is refused what is wrong or not its own, in words', desk(ONE, async d => {
    await d.comes('anna')
    const [web, eve] = [await d.comes('web'), await d.comes('eve')]
    assert.equal(condition(await ask(web, 'set', open('a1', 'hello', ''))), 'not-acceptable')
    assert.equal(condition(await ask(web, 'set', open('a1', '  '))), 'not-acceptable')
    assert.equal(condition(await ask(web, 'set', open('a1', 'x'.repeat(4001)))), 'not-acceptable')
    await ask(web, 'set', open('a1', '🔥'.repeat(4000)))
    for (const text of [say(1, 'x', 'mine?'), say(99, 'x', 'nobody’s'), say(0, 'x', 'none'), `<end xmlns='${NS}' conversation='1'/>`]) assert.equal(condition(await ask(eve, 'set', text)), 'item-not-found')
    assert.equal(condition(await ask(eve, 'get', lines(1, 0))), 'item-not-found')
    assert.equal(condition(await ask(eve, 'get', `<conversation xmlns='${NS}'/>`)), 'item-not-found')
    assert.equal(condition(await ask(eve, 'set', `<nonsense xmlns='${NS}'/>`)), 'feature-not-implemented')
  }))

  it('keeps a customer’s place for ten minutes when his page is gone', desk(ONE, async d => {
    const anna = await d.comes('anna')
    const web = await d.comes('web')
    await ask(web, 'set', open('a1'))
    await ask(web, 'set', `<gone xmlns='${NS}' conversation='1'/>`)
    await d.later(500)
    await ask(web, 'set', `<back xmlns='${NS}' conversation='1'/>`)
    await d.later(200)
    assert.equal(inside(await ask(web, 'get', `<conversation xmlns='${NS}'/>`), 'conversation').attrs['state'] === 'closed', false)
    await ask(web, 'set', `<gone xmlns='${NS}' conversation='1'/>`)
    await d.later(601)
    assert.equal(inside(await ask(web, 'get', `<conversation xmlns='${NS}'/>`), 'conversation').attrs['state'], 'closed')
    await anna.all()
  }, config({ support: { assign: 'pull' } })))

  it('finds everything again after the desk was restarted', desk(ONE, async d => {
    const anna = await d.comes('anna')
    const web = await d.comes('web')
    await ask(web, 'set', open('a1'))
    await anna.reads(BOT, /#1/)
    anna.types(BOT, '!a')
    await anna.reads(c(1), 'hello')
    await d.restart()
    await d.quiet()
    assert.equal(inside(await ask(web, 'set', open('a1')), 'conversation').attrs['seq'], '2')
    assert.equal(inside(await ask(web, 'set', say(1, 'b1', 'still there?')), 'said').attrs['seq'], '3')
    await anna.reads(c(1), 'still there?')
    assert.deepEqual(texts(await ask(web, 'get', lines(1, 0))).length, 3)
  }))
})
