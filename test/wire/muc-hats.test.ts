// Titles and pictures of rooms over the wire: XEP-0317 and XEP-0486.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Element as Xml } from 'ltx'
import { muc } from '../../components/muc/muc.ts'
import { BOT, desk, DESK, SUPPORT } from '../harness/desk.ts'
import { House, type Actor } from '../harness/scene.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'

const ROOM = 'class@rooms.localhost'
const HATS = 'urn:xmpp:hats:0'
const NODE = 'urn:xmpp:hats:commands'
const COMMANDS = 'http://jabber.org/protocol/commands'
const MUC_USER = 'http://jabber.org/protocol/muc#user'
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const TEACHER = 'https://example.org/hats#teacher'

const submitted = (fields: Record<string, string>): string => `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${NODE}</value></field>${Object.entries(fields).map(([k, v]) => `<field var='hats#${k}'><value>${v}</value></field>`).join('')}</x>`
const enters = async (a: Actor, nick: string): Promise<void> => {
  a.says(`<presence to='${ROOM}/${nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
  await a.hears`<message type='groupchat'><subject/></message>`
}
const lasts = async (a: Actor): Promise<void> => {
  a.says(`<iq type='set' id='conf' to='${ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_persistentroom'><value>1</value></field></x></query></iq>`)
  await a.hears`<iq type='result' id='conf'/>`
}
/** The room is as it shall be: others may come in. */
const opens = async (a: Actor): Promise<void> => {
  a.says(`<iq type='set' id='conf' to='${ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`)
  await a.hears`<iq type='result' id='conf'/>`
}
/** One step of a command; gives the answer. */
async function command(a: Actor, node: string, fields?: Record<string, string>, session = ''): Promise<Xml> {
  a.says(`<iq type='set' id='c' to='${ROOM}'><command xmlns='${COMMANDS}' node='${NODE}:${node}'${session && ` sessionid='${session}'`}>${fields ? submitted(fields) : ''}</command></iq>`)
  return a.hears`<iq id='c' from='${ROOM}'/>`
}
const roominfo = async (a: Actor, name: string): Promise<string[]> => {
  a.sends`<iq type='get' id='info' to='${ROOM}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
  const x = (await a.hears`<iq type='result' id='info'/>`).getChild('query')!.getChild('x', 'jabber:x:data')!
  return x.getChildren('field').find(f => f.attrs['var'] === name)?.getChildren('value').map(v => v.getText()) ?? []
}
const hats = (p: Xml): string[] => p.getChild('hats', HATS)?.getChildren('hat').map(h => String(h.attrs['title'])) ?? []

/** Anna's room, in which Ben is, too. */
async function gathers(): Promise<{ house: House; anna: Actor; ben: Actor }> {
  const house = await House.open({ components: { 'rooms.localhost': muc() } })
  const anna = await house.actor('anna', 'anna@localhost/home')
  await enters(anna, 'anna')
  await opens(anna)
  const ben = await house.actor('ben', 'ben@localhost/home')
  await enters(ben, 'ben')
  return { house, anna, ben }
}

describe('hats of a room', () => {
  let house: House
  let anna: Actor
  let ben: Actor
  beforeEach(async () => {
    ({ house, anna, ben } = await gathers())
    await anna.fence()
  })
  afterEach(() => house[Symbol.asyncDispose]())

  it('are made by an owner in two steps, shown in a list, and known by a hash', async () => {
    assert.deepEqual(await roominfo(ben, 'hats#hash'), [])
    const form = (await command(anna, 'create')).getChild('command', COMMANDS)!
    assert.deepEqual([form.attrs['status'], form.getChild('x')!.getChildren('field').map(f => f.attrs['var'])], ['executing', ['FORM_TYPE', 'hats#title', 'hats#uri', 'hats#hue']])
    const done = (await command(anna, 'create', { title: 'Teacher', uri: TEACHER, hue: '327.25' }, String(form.attrs['sessionid']))).getChild('command', COMMANDS)!
    assert.equal(done.attrs['status'], 'completed')
    await ben.hears`<message type='groupchat' from='${ROOM}'><x xmlns='${MUC_USER}'><status code='104'/></x></message>`
    const list = (await command(ben, 'list')).getChild('command', COMMANDS)!.getChild('x')!
    assert.deepEqual(list.getChildren('item').map(i => i.getChildren('field').map(f => [f.attrs['var'], f.getChildText('value')])), [[['hats#title', 'Teacher'], ['hats#uri', TEACHER], ['hats#hue', '327.25']]])
    const [hash] = await roominfo(ben, 'hats#hash')
    assert.match(hash!, /^[0-9a-f]{40}$/)
    await command(anna, 'create', { title: 'Pupil', uri: 'https://example.org/hats#pupil' })
    assert.notEqual((await roominfo(ben, 'hats#hash'))[0], hash)
  })

  it('are put on and taken off before the eyes of all, changed and destroyed', async () => {
    await command(anna, 'create', { title: 'Teacher', uri: TEACHER })
    await command(anna, 'assign', { jid: 'ben@localhost', uri: TEACHER })
    assert.deepEqual(hats(await anna.hears`<presence from='${ROOM}/ben'><hats xmlns='${HATS}'><hat title='Teacher' uri='${TEACHER}'/></hats></presence>`), ['Teacher'])
    await ben.hears`<presence from='${ROOM}/ben'><hats xmlns='${HATS}'><hat uri='${TEACHER}'/></hats><x xmlns='${MUC_USER}'><status code='110'/></x></presence>`
    const assigned = (await command(anna, 'list-assigned')).getChild('command', COMMANDS)!.getChild('x')!
    assert.deepEqual(assigned.getChildren('item').map(i => i.getChildren('field')[0]!.getChildText('value')), ['ben@localhost'])
    await command(anna, 'create', { title: 'Professor', uri: TEACHER })
    assert.deepEqual(hats(await anna.hears`<presence from='${ROOM}/ben'><hats xmlns='${HATS}'><hat title='Professor'/></hats></presence>`), ['Professor'])
    const carl = await house.actor('carl', 'carl@localhost/home')
    carl.says(`<presence to='${ROOM}/carl'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
    await carl.hears`<presence from='${ROOM}/ben'><hats xmlns='${HATS}'><hat title='Professor'/></hats></presence>`
    await command(anna, 'unassign', { jid: 'ben@localhost', uri: TEACHER })
    await carl.hears`<message type='groupchat'><subject/></message>`
    assert.deepEqual(hats(await carl.hears`<presence from='${ROOM}/ben'/>`), [])
    await command(anna, 'assign', { jid: 'ben@localhost', uri: TEACHER })
    assert.deepEqual(hats(await carl.hears`<presence from='${ROOM}/ben'/>`), ['Professor'])
    await command(anna, 'destroy', { uri: TEACHER })
    assert.deepEqual(hats(await carl.hears`<presence from='${ROOM}/ben'/>`), [])
  })

  it('are nobody’s to give but owners and admins, nor to be put on by oneself', async () => {
    await command(anna, 'create', { title: 'Teacher', uri: TEACHER })
    for (const node of ['create', 'destroy', 'assign', 'unassign', 'list-assigned']) {
      const x = await command(ben, node, { title: 'x', uri: TEACHER, jid: 'ben@localhost' })
      assert.ok(x.getChild('error')?.getChild('forbidden', STANZAS), String(x))
    }
    const stranger = await house.actor('eve', 'eve@localhost/x')
    assert.ok((await command(stranger, 'list')).getChild('error')?.getChild('forbidden', STANZAS))
    ben.sends`<iq type='get' id='i' to='${ROOM}'><query xmlns='http://jabber.org/protocol/disco#items' node='${COMMANDS}'/></iq>`
    assert.deepEqual((await ben.hears`<iq type='result' id='i'/>`).getChild('query')!.getChildren('item').map(i => i.attrs['node']), [`${NODE}:list`])
    await anna.fence()
    ben.says(`<presence to='${ROOM}/ben'><show>away</show><hats xmlns='${HATS}'><hat title='King' uri='urn:x:king'/></hats></presence>`)
    assert.deepEqual(hats(await anna.hears`<presence from='${ROOM}/ben'><show>away</show></presence>`), [])
    for (const [node, fields] of [['create', { title: '', uri: TEACHER }], ['create', { title: 'x', uri: 'no uri' }], ['create', { title: 'x', uri: TEACHER, hue: '400' }], ['assign', { jid: 'ben@localhost', uri: 'urn:x:none' }], ['assign', { jid: '@', uri: TEACHER }]] as const) {
      assert.equal((await command(anna, node, fields)).attrs['type'], 'error')
    }
  })

  it('of a room that lasts outlive a restart', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    const lasting = { ...stores, close: async () => {} }
    {
      await using first = await House.open({ components: { 'rooms.localhost': muc() }, stores: lasting })
      const a = await first.actor('anna', 'anna@localhost/home')
      await enters(a, 'anna')
      await lasts(a)
      await command(a, 'create', { title: 'Teacher', uri: TEACHER })
      await command(a, 'assign', { jid: 'anna@localhost', uri: TEACHER })
    }
    await using again = await House.open({ components: { 'rooms.localhost': muc() }, stores: lasting })
    const a = await again.actor('anna', 'anna@localhost/home')
    a.says(`<presence to='${ROOM}/anna'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
    assert.deepEqual(hats(await a.hears`<presence from='${ROOM}/anna'/>`), ['Teacher'])
    await stores.close()
  })

  it('tell in a conversation’s room who is the bot, the customer, in charge, and a manager', desk({ anna: 'agent', mia: 'manager' }, async d => {
    const ann = await d.comes('anna')
    ann.types(BOT, '!view room')
    await ann.reads(BOT, /shown as rooms/)
    const zoe = await d.comes('zoe')
    zoe.types(SUPPORT, 'hello')
    await ann.reads(BOT, /New chat #1/)
    ann.types(BOT, '!a')
    await zoe.reads(SUPPORT, '✱ Anna joined.')
    const room = `zoe-1@${DESK}`
    ann.actor.says(`<presence to='${room}/x'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
    assert.deepEqual(hats(await ann.actor.hears`<presence from='${room}/Helpdesk'/>`), ['Bot'])
    assert.deepEqual(hats(await ann.actor.hears`<presence from='${room}/Anna'><x xmlns='${MUC_USER}'><status code='110'/></x></presence>`), ['In charge'])
    assert.deepEqual(hats(await ann.actor.hears`<presence from='${room}/Zoe'/>`), ['Customer'])
    const mia = await d.comes('mia')
    mia.types(BOT, '!take 1')
    assert.deepEqual(hats(await ann.actor.hears`<presence from='${room}/Mia'/>`), ['In charge', 'Manager'])
  }))
})

describe('the picture of a room', () => {
  let house: House
  let anna: Actor
  let ben: Actor
  beforeEach(async () => { ({ house, anna, ben } = await gathers()) })
  afterEach(() => house[Symbol.asyncDispose]())
  const photo = (bytes: string, type = 'image/png'): string => `<PHOTO><TYPE>${type}</TYPE><BINVAL>${btoa(bytes)}</BINVAL></PHOTO>`
  const sets = async (a: Actor, inside: string): Promise<Xml> => { a.says(`<iq type='set' id='v' to='${ROOM}'><vCard xmlns='vcard-temp'>${inside}</vCard></iq>`); return a.hears`<iq id='v' from='${ROOM}'/>` }
  const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex')

  it('is set by owners, announced, known by its hash, read by anybody, and taken away by an empty card', async () => {
    ben.sends`<iq type='get' id='d' to='rooms.localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await ben.hears`<iq type='result' id='d'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='vcard-temp'/></query></iq>`
    assert.deepEqual(await roominfo(ben, 'muc#roominfo_avatarhash'), [])
    assert.equal((await sets(anna, photo('one') + photo('two', 'image/svg+xml'))).attrs['type'], 'result')
    await ben.hears`<message type='groupchat' from='${ROOM}'><x xmlns='${MUC_USER}'><status code='104'/></x></message>`
    assert.deepEqual(await roominfo(ben, 'muc#roominfo_avatarhash'), [sha1('one'), sha1('two')])
    const stranger = await house.actor('eve', 'eve@localhost/x')
    stranger.sends`<iq type='get' id='g' to='${ROOM}'><vCard xmlns='vcard-temp'/></iq>`
    await stranger.receives`<iq type='result' id='g' from='${ROOM}'><vCard xmlns='vcard-temp'><PHOTO><TYPE>image/png</TYPE><BINVAL>${btoa('one')}</BINVAL></PHOTO></vCard></iq>`
    assert.equal((await sets(anna, '')).attrs['type'], 'result')
    assert.deepEqual(await roominfo(ben, 'muc#roominfo_avatarhash'), [])
    stranger.sends`<iq type='get' id='g' to='${ROOM}'><vCard xmlns='vcard-temp'/></iq>`
    assert.equal((await stranger.receives`<iq type='result' id='g'><vCard xmlns='vcard-temp'/></iq>`).getChild('vCard')!.children.length, 0)
  })

  it('is not set by others, nor too big or no picture at all', async () => {
    assert.ok((await sets(ben, photo('x'))).getChild('error')?.getChild('forbidden', STANZAS))
    assert.ok((await sets(anna, photo('x'.repeat(70_000)))).getChild('error')?.getChild('not-acceptable', STANZAS))
    assert.ok((await sets(anna, '<PHOTO><BINVAL>?!</BINVAL></PHOTO>')).getChild('error')?.getChild('bad-request', STANZAS))
    assert.deepEqual(await roominfo(ben, 'muc#roominfo_avatarhash'), [])
  })

  it('stays when the room comes to last and the server starts anew, and goes with the room', async () => {
    const stores = await openSqlite({ file: ':memory:' })
    const lasting = { ...stores, close: async () => {} }
    {
      await using first = await House.open({ components: { 'rooms.localhost': muc() }, stores: lasting })
      const a = await first.actor('anna', 'anna@localhost/home')
      await enters(a, 'anna')
      await sets(a, photo('kept'))
      await lasts(a)
    }
    await using again = await House.open({ components: { 'rooms.localhost': muc() }, stores: lasting })
    const a = await again.actor('anna', 'anna@localhost/home')
    assert.deepEqual(await roominfo(a, 'muc#roominfo_avatarhash'), [sha1('kept')])
    a.sends`<iq type='get' id='g' to='${ROOM}'><vCard xmlns='vcard-temp'/></iq>`
    await a.receives`<iq type='result' id='g'><vCard xmlns='vcard-temp'><PHOTO><BINVAL>${btoa('kept')}</BINVAL></PHOTO></vCard></iq>`
    await enters(a, 'anna')
    a.says(`<iq type='set' id='end' to='${ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query></iq>`)
    await a.hears`<iq type='result' id='end'/>`
    await enters(a, 'anna')
    await opens(a)
    assert.deepEqual(await roominfo(a, 'muc#roominfo_avatarhash'), [])
    await stores.close()
  })

  it('goes with a room that nobody is in any more, however soon', async () => {
    const carl = await house.actor('carl', 'carl@localhost/home')
    const hall = ROOM.replace('class', 'hall')
    const join = `<presence to='${hall}/c'><x xmlns='http://jabber.org/protocol/muc'/></presence>`
    carl.says(`${join}<iq type='set' id='v' to='${hall}'><vCard xmlns='vcard-temp'>${photo('mine')}</vCard></iq><presence type='unavailable' to='${hall}/c'/>`)
    await carl.hears`<presence type='unavailable' from='${hall}/c'/>`
    const dora = await house.actor('dora', 'dora@localhost/home')
    dora.says(`${join}<iq type='set' id='conf' to='${hall}'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_persistentroom'><value>1</value></field></x></query></iq><iq type='get' id='d' to='${hall}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`)
    await dora.hears`<iq type='result' id='d'/>`
    await house.stores.documents.put('end', 'of', 'writes', 1)
    assert.deepEqual(await house.stores.documents.range('muc-cards', 'rooms.localhost', { limit: 5 }), [])
  })
})
