// Permanent rooms of the agents: who may make them, who may enter them, and how that follows.
import assert from 'node:assert/strict'
import { muc } from '../../components/muc/muc.ts'
import { mount } from '../../server/component/mount.ts'
import { silent } from '../../server/ports/log.ts'
import { BOT, DESK, type DeskHouse, type Person, type Staff } from '../harness/desk.ts'
import { deskWith, TEAM } from '../harness/talks.ts'

const ROOMS = 'rooms.localhost'
const DEPARTMENTS = { quality: { idleWarning: 0, idleCritical: 0 }, departments: { money: { queues: ['billing'] } }, queues: { night: { agents: ['ben@localhost'] } }, brands: {} }
/** A desk beside a room service. */
const withRooms = (staff: Staff, play: (d: DeskHouse) => Promise<void>, settings: object = DEPARTMENTS): (() => Promise<void>) => deskWith(settings, staff, async d => {
  const { house } = d
  await using _rooms = await mount(muc({ makers: [DESK] }), { domain: ROOMS, clock: house.clock, log: silent, stores: house.stores, limits: house.host.limits, privileges: house.privileges(ROOMS) }, house.router)
  await play(d)
})
const says = async (p: Person, line: string, answer: RegExp, to = BOT): Promise<string> => { p.types(to, line); return (await p.reads(to, answer)).text }
const enters = (p: Person, room: string): void => p.actor.sends`<presence to='${room}@${ROOMS}/${p.actor.name}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`
const isIn = async (p: Person, room: string): Promise<void> => { enters(p, room); await p.actor.hears`<presence from='${room}@${ROOMS}/${p.actor.name}'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>` }
const isOut = async (p: Person, room: string): Promise<void> => { enters(p, room); await p.actor.hears`<presence type='error' from='${room}@${ROOMS}/${p.actor.name}'><error type='auth'><registration-required xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>` }
const listed = async (p: Person): Promise<string> => { p.actor.sends`<iq type='get' id='l' to='${ROOMS}'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`; return String(await p.actor.hears`<iq type='result' id='l'/>`) }

describe('permanent rooms', () => {
  it('ST-89 ST-90 ST-91 are made for agents, queues, departments or roles; only rooms one may enter are listed', withRooms({ ...TEAM, cleo: 'agent' }, async d => {
    const [anna, ben, mia] = [await d.comes('anna'), await d.comes('ben'), await d.comes('mia')]
    assert.match(await says(mia, '!makeroom Night queue:night', /Room Night/), /xmpp:night@rooms.localhost\?join · 1 may enter/)
    await says(mia, '!makeroom Chiefs role:manager', /Room Chiefs/)
    await says(mia, '!makeroom Money department:money', /Room Money/)
    await says(mia, '!makeroom Two anna,ben', /2 may enter/)
    await isIn(ben, 'night')
    await isOut(anna, 'night')
    await isIn(anna, 'two')
    assert.match(await listed(anna), /two@rooms/)
    assert.doesNotMatch(await listed(anna), /night@|chiefs@/)
    assert.match(await listed(mia), /chiefs@/)
    assert.doesNotMatch(await says(anna, '!rooms', /Money/), /Night|Chiefs/)
  }))
  it('ST-90 RULE-C32 membership follows later changes of queues and roles', withRooms(TEAM, async d => {
    const [anna, mia] = [await d.comes('anna'), await d.comes('mia')]
    await says(mia, '!makeroom Night queue:night', /1 may enter/)
    await isOut(anna, 'night')
    assert.equal((await d.rest('PATCH', '/api/v1/settings', 'adam', { queues: { night: { agents: ['anna@localhost'] } } })).status, 200)
    await d.quiet()
    await isIn(anna, 'night')
    const { items } = (await d.rest('GET', '/api/v1/rooms', 'mia')).body
    assert.deepEqual(items[0].access.map((a: { name: string }) => a.name), ['Anna'])
  }))
  it('ST-92 SS-36 a room shows who is in it now and who has access; rooms are active or inactive, and searched', withRooms(TEAM, async d => {
    const [anna, mia] = [await d.comes('anna'), await d.comes('mia')]
    await says(mia, '!makeroom Two anna,ben', /2 may enter/)
    await says(anna, '!rooms', /Two: inactive .* with access: Anna, Ben/)
    await isIn(anna, 'two')
    await says(anna, '!rooms two', /Two: active, anna/)
    await says(anna, '!rooms nothing', /There are none/)
    const [room] = (await d.rest('GET', '/api/v1/rooms?search=tw', 'mia')).body.items
    assert.deepEqual([room.active, room.participants, room.access.length], [true, ['anna'], 2])
    assert.deepEqual((await d.rest('GET', '/api/v1/rooms?search=x', 'mia')).body.items, [])
    anna.actor.sends`<presence type='unavailable' to='two@${ROOMS}/anna'/>`
    await anna.actor.fence()
    await d.quiet()
    await says(anna, '!rooms', /inactive/)
  }))
  it('ST-93 RULE-C18 a manager makes one of a name and several permissions, and takes them away; an agent makes none', withRooms(TEAM, async d => {
    const anna = await d.comes('anna')
    await says(anna, '!makeroom Mine anna', /You may not do that/)
    assert.equal((await d.rest('POST', '/api/v1/rooms', 'anna', { name: 'Mine', grants: ['agent:anna@localhost'] })).status, 403)
    const made = await d.rest('POST', '/api/v1/rooms', 'mia', { name: 'Ours', grants: ['agent:anna@localhost', 'role:manager'] })
    assert.deepEqual([made.status, made.body.jid, made.body.access.length], [201, 'ours@rooms.localhost', 2])
    await isIn(anna, 'ours')
    assert.equal((await d.rest('PATCH', '/api/v1/rooms/ours', 'mia', { grants: ['role:manager'] })).status, 200)
    await anna.actor.hears`<presence type='unavailable' from='ours@${ROOMS}/anna'><x xmlns='http://jabber.org/protocol/muc#user'><status code='321'/></x></presence>`
    for (const grants of [[], ['queue:nowhere'], ['shoe']]) assert.equal((await d.rest('POST', '/api/v1/rooms', 'mia', { name: 'X', grants })).status, 422)
    assert.equal((await d.rest('DELETE', '/api/v1/rooms/ours', 'mia')).status, 204)
    await d.quiet()
    assert.deepEqual((await d.rest('GET', '/api/v1/rooms', 'mia')).body.items, [])
  }))
  it('SS-37 is used like any talk: kept, and read by who comes later', withRooms(TEAM, async d => {
    const [anna, ben, mia] = [await d.comes('anna'), await d.comes('ben'), await d.comes('mia')]
    await says(mia, '!makeroom Two anna,ben', /2 may enter/)
    await isIn(anna, 'two')
    anna.actor.sends`<message type='groupchat' to='two@${ROOMS}' id='g'><body>who has the key?</body></message>`
    await anna.actor.hears`<message type='groupchat' from='two@${ROOMS}/anna'><body>who has the key?</body></message>`
    await isIn(ben, 'two')
    await ben.actor.hears`<message type='groupchat' from='two@${ROOMS}/anna'><body>who has the key?</body></message>`
  }))
})
