import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { defaultLimits } from '../../server/ports/limits.ts'
import type { DocumentStore, Stores } from '../../server/ports/store.ts'
import { Jid } from '../../server/stanza/jid.ts'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'
import { befriend } from '../harness/friends.ts'
import { items, NS, publish, withCaps } from '../harness/pubsub.ts'
import { scene, type Actor } from '../harness/scene.ts'

const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }
const DATA = 'urn:xmpp:avatar:data'
const META = 'urn:xmpp:avatar:metadata'
const UPDATE = 'vcard-temp:x:update'
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
const image = (n: number): { base64: string; id: string } => {
  const bytes = Buffer.concat([PNG, Buffer.from([n])])
  return { base64: bytes.toString('base64'), id: createHash('sha1').update(bytes).digest('hex') }
}
const open = `<field var='pubsub#access_model'><value>open</value></field>`
const info = (id: string): string => `<metadata xmlns='${META}'><info id='${id}' bytes='17' type='image/png'/></metadata>`

async function shows(a: Actor, { base64, id }: { base64: string; id: string }, options?: string): Promise<void> {
  publish(a, DATA, id, `<data xmlns='${DATA}'>${base64}</data>`, options)
  await a.hears`<iq type='result' id='pub'/>`
  publish(a, META, id, info(id), options)
  await a.hears`<iq type='result' id='pub'/>`
}

async function writes(a: Actor, card: string): Promise<void> {
  a.says(`<iq type='set' id='set'><vCard xmlns='vcard-temp'>${card}</vCard></iq>`)
  await a.hears`<iq type='result' id='set'/>`
}
const photo = (base64: string): string => `<PHOTO><TYPE>image/png</TYPE><BINVAL>${base64.slice(0, 8)}\n${base64.slice(8)}</BINVAL></PHOTO>`

async function hash(a: Actor, from: Actor): Promise<string | undefined> {
  const p = await a.hears`<presence from='${from}'><x xmlns='${UPDATE}'/></presence>`
  return p.getChild('x', UPDATE)!.getChildText('photo') ?? undefined
}

describe('XEP-0398 one avatar, in nodes and vCards', () => {
  it('the account says so', scene(cast, async ({ romeo }) => {
    romeo.sends`<iq type='get' id='i' to='${romeo.bare}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    await romeo.receives`<iq type='result' id='i'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:pep-vcard-conversion:0'/></query></iq>`
  }))

  it('a published avatar is the photo of the vCard, beside what else it says', scene(cast, async ({ romeo, juliet }) => {
    const one = image(1)
    await writes(romeo, '<FN>Romeo</FN>')
    await shows(romeo, one, open)
    for (const a of [romeo, juliet]) {
      a.sends`<iq type='get' id='v' to='${romeo.bare}'><vCard xmlns='vcard-temp'/></iq>`
      await a.hears`<iq type='result' id='v'><vCard xmlns='vcard-temp'><FN>Romeo</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>${one.base64}</BINVAL></PHOTO></vCard></iq>`
    }
  }))

  it('an avatar for friends is not in the vCard that strangers see', scene(cast, async ({ romeo, juliet }) => {
    await writes(romeo, '<FN>Romeo</FN>')
    await shows(romeo, image(1))
    juliet.sends`<iq type='get' id='v' to='${romeo.bare}'><vCard xmlns='vcard-temp'/></iq>`
    assert.equal((await juliet.hears`<iq type='result' id='v'/>`).getChild('vCard')!.getChild('PHOTO'), undefined)
    await romeo.comesOnline()
    await juliet.comesOnline()
    await befriend(romeo, juliet)
    juliet.sends`<iq type='get' id='v' to='${romeo.bare}'><vCard xmlns='vcard-temp'/></iq>`
    await juliet.hears`<iq type='result' id='v'><vCard xmlns='vcard-temp'><PHOTO/></vCard></iq>`
  }))

  it('metadata whose image is elsewhere, or is not what its hash says, make no photo', scene(cast, async ({ romeo }) => {
    const [one, other] = [image(1), image(2)]
    publish(romeo, META, one.id, `<metadata xmlns='${META}'><info id='${one.id}' bytes='1' type='image/png' url='https://example.org/a.png'/></metadata>`)
    await romeo.hears`<iq type='result' id='pub'/>`
    await shows(romeo, { base64: other.base64, id: one.id })
    romeo.sends`<iq type='get' id='v'><vCard xmlns='vcard-temp'/></iq>`
    assert.equal((await romeo.hears`<iq type='result' id='v'/>`).getChild('vCard')!.getChild('PHOTO'), undefined)
    await romeo.comesOnline('<presence/>')
    romeo.sends`<presence/>`
    assert.equal((await romeo.hears`<presence from='${romeo}'/>`).getChild('x', UPDATE), undefined)
  }))

  it('the photo of a vCard is published, everybody who listens hears of it', scene({ ...cast, phone: 'romeo@localhost/phone' }, async ({ romeo, juliet, phone }) => {
    const one = image(1)
    await withCaps(phone, META)
    await writes(romeo, `<FN>Romeo</FN>${photo(one.base64)}`)
    await phone.hears`<message from='${romeo.bare}'><event xmlns='${NS}#event'><items node='${META}'><item id='${one.id}'><metadata xmlns='${META}'><info id='${one.id}' type='image/png' bytes='17'/></metadata></item></items></event></message>`
    items(juliet, DATA, romeo.bare)
    await juliet.hears`<iq type='result' id='items'><pubsub xmlns='${NS}'><items node='${DATA}'><item id='${one.id}'><data xmlns='${DATA}'>${one.base64}</data></item></items></pubsub></iq>`
    juliet.sends`<iq type='get' id='v' to='${romeo.bare}'><vCard xmlns='vcard-temp'/></iq>`
    await juliet.hears`<iq type='result' id='v'><vCard xmlns='vcard-temp'><FN>Romeo</FN><PHOTO><BINVAL>${one.base64}</BINVAL></PHOTO></vCard></iq>`
    await writes(romeo, `<FN>Romeo M.</FN>${photo(one.base64)}`)
    assert.deepEqual((await phone.fence()).filter(x => x.name === 'message'), [], 'the same photo is no news')
    await writes(romeo, '<FN>Romeo</FN>')
    const gone = await phone.hears`<message from='${romeo.bare}'><event xmlns='${NS}#event'><items node='${META}'><item><metadata xmlns='${META}'/></item></items></event></message>`
    assert.ok(!String(gone).includes('<info'))
  }))

  it('a photo too big for a node stays in the vCard, and its hash is the one in presence', scene(cast, async ({ romeo, juliet }) => {
    const one = image(1)
    await writes(romeo, photo(one.base64))
    juliet.sends`<iq type='get' id='v' to='${romeo.bare}'><vCard xmlns='vcard-temp'/></iq>`
    await juliet.hears`<iq type='result' id='v'><vCard xmlns='vcard-temp'><PHOTO/></vCard></iq>`
    romeo.sends`<presence/>`
    assert.equal(await hash(romeo, romeo), one.id)
  }, { limits: { pubsub: { ...defaultLimits.pubsub, itemBytes: 50 } } }))

  it('XEP-0153 the hash stands in the presence that friends get, in place of an older one', scene(cast, async ({ romeo, juliet }) => {
    const one = image(1)
    await shows(romeo, one)
    await romeo.comesOnline()
    await juliet.comesOnline()
    await befriend(romeo, juliet)
    const said = { '': one.id, [`<x xmlns='${UPDATE}'/>`]: one.id, [`<x xmlns='${UPDATE}'><photo>${image(2).id}</photo></x>`]: one.id, [`<x xmlns='${UPDATE}'><photo/></x>`]: '' }
    for (const [x, expected] of Object.entries(said)) {
      romeo.says(`<presence><status>s</status>${x}</presence>`)
      assert.equal(await hash(juliet, romeo), expected, x)
    }
  }))

  it('XEP-0153 … and in directed presence, such as that which enters a room', scene(cast, async ({ romeo, juliet }) => {
    const one = image(1)
    await shows(romeo, one)
    romeo.sends`<presence to='${juliet}'/>`
    assert.equal(await hash(juliet, romeo), one.id)
    romeo.sends`<presence to='${juliet}' type='unavailable'/>`
    assert.equal((await juliet.hears`<presence type='unavailable'/>`).getChild('x', UPDATE), undefined)
  }))

  it('XEP-0153 of an avatar that is closed to others, presence says nothing', scene(cast, async ({ romeo }) => {
    await shows(romeo, image(1), `<field var='pubsub#access_model'><value>whitelist</value></field>`)
    romeo.sends`<presence/>`
    assert.equal((await romeo.hears`<presence from='${romeo}'/>`).getChild('x', UPDATE), undefined)
  }))

  it('XEP-0153 a new avatar is shown at once, and its end', scene(cast, async ({ romeo, juliet }) => {
    await romeo.comesOnline('<presence><status>here</status></presence>')
    await juliet.comesOnline()
    await befriend(romeo, juliet)
    await shows(romeo, image(1))
    const p = await juliet.hears`<presence from='${romeo}'><status>here</status><x xmlns='${UPDATE}'><photo>${image(1).id}</photo></x></presence>`
    assert.equal(p.getChildren('x', UPDATE).length, 1)
    publish(romeo, META, 'current', `<metadata xmlns='${META}'/>`)
    await romeo.hears`<iq type='result' id='pub'/>`
    assert.equal(await hash(juliet, romeo), '')
  }))

  it('SEC-P13 who goes while his hash is looked up was never there', async () => {
    const real = await openSqlite({ file: ':memory:' })
    const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const slow: DocumentStore = {
      get: async (collection, owner, id) => { if (collection === 'avatar') { asked.resolve(); await gate.promise } return await real.documents.get(collection, owner, id) },
      put: (...a) => real.documents.put(...a), remove: (...a) => real.documents.remove(...a), range: (...a) => real.documents.range(...a),
    }
    const stores = new Proxy<Stores>(real, { get: (t, key) => { const v: unknown = key === 'documents' ? slow : Reflect.get(t, key, t); return typeof v === 'function' ? v.bind(t) as unknown : v } })
    await scene({ romeo: 'romeo@localhost/orchard' }, async ({ romeo }, house) => {
      const seen: string[] = []
      await using _ = await house.mount('x.localhost', { name: 'watcher', start: () => ({ receive: s => { if (s.kind === 'presence') seen.push(s.type) } }) })
      await house.privileges('x.localhost').inject(romeo.bare, [{ jid: 'friend@x.localhost', groups: [], subscription: 'both' }])
      romeo.sends`<presence/>`
      await asked.promise
      romeo.leaves()
      const account = house.host.accounts.online(Jid.parse(romeo.bare))!
      while (account.resources.size) await new Promise(ok => setImmediate(ok))
      gate.resolve()
      const again = await house.actor('again', 'romeo@localhost/again')
      await again.fence()
      assert.deepEqual(seen, [])
    }, { stores })()
  })

  it('presence of one without an avatar is as he sent it', scene(cast, async ({ romeo }) => {
    romeo.sends`<presence><x xmlns='${UPDATE}'/></presence>`
    assert.equal((await romeo.hears`<presence from='${romeo}'/>`).getChild('x', UPDATE)!.getChild('photo'), undefined)
    romeo.sends`<presence/>`
    assert.equal((await romeo.hears`<presence from='${romeo}'/>`).getChild('x', UPDATE), undefined)
  }))

  it('the hash is known again when the server has forgotten the account', scene(cast, async ({ romeo }, house) => {
    await shows(romeo, image(1))
    romeo.leaves()
    house.host.accounts.refresh(Jid.parse(romeo.bare), undefined)
    const again = await house.actor('again', 'romeo@localhost/again')
    again.sends`<presence/>`
    assert.equal(await hash(again, again), image(1).id)
  }))
})
