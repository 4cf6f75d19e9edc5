// What docs/deskbell.doap claims is what disco and the streams answer, and the other way round.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { parse, type Element as Xml } from 'ltx'
import { muc } from '../../components/muc/muc.ts'
import { upload } from '../../components/upload/upload.ts'
import { tlsDoor } from '../harness/doors.ts'
import { Actor, House } from '../harness/scene.ts'

/** What a XEP's section on discovery has an entity answer: the host, an account, a service, or a stream's features. */
const SHOWN: Readonly<Record<string, string>> = {
  '0012': 'jabber:iq:last', '0030': 'http://jabber.org/protocol/disco#info', '0045': 'http://jabber.org/protocol/muc', '0049': 'jabber:iq:private',
  '0050': 'http://jabber.org/protocol/commands', '0054': 'vcard-temp', '0059': 'http://jabber.org/protocol/rsm', '0060': 'http://jabber.org/protocol/pubsub',
  '0077': 'http://jabber.org/features/iq-register', '0092': 'jabber:iq:version', '0115': 'http://jabber.org/protocol/caps', '0160': 'msgoffline',
  '0163': 'http://jabber.org/protocol/pubsub#publish', '0191': 'urn:xmpp:blocking', '0198': 'urn:xmpp:sm:3', '0199': 'urn:xmpp:ping', '0202': 'urn:xmpp:time',
  '0215': 'urn:xmpp:extdisco:2', '0280': 'urn:xmpp:carbons:2', '0313': 'urn:xmpp:mam:2', '0317': 'urn:xmpp:hats:0', '0352': 'urn:xmpp:csi:0', '0357': 'urn:xmpp:push:0', '0359': 'urn:xmpp:sid:0',
  '0363': 'urn:xmpp:http:upload:0', '0377': 'urn:xmpp:reporting:1', '0386': 'urn:xmpp:bind:0', '0388': 'urn:xmpp:sasl:2', '0398': 'urn:xmpp:pep-vcard-conversion:0', '0402': 'urn:xmpp:bookmarks:1#compat',
  '0421': 'urn:xmpp:occupant-id:0', '0424': 'urn:xmpp:message-retract:1', '0425': 'urn:xmpp:message-moderate:1', '0431': 'urn:xmpp:fulltext:0', '0433': 'urn:xmpp:channel-search:0:search', '0440': 'urn:xmpp:sasl-cb:0', '0445': 'urn:xmpp:ibr-token:0', '0478': 'urn:xmpp:stream-limits:0', '0484': 'urn:xmpp:fast:0', '0490': 'urn:xmpp:mds:server-assist:0',
}

/** The XEPs that are claimed. */
function claimed(): Set<string> {
  const doap = parse(readFileSync(new URL('../../docs/deskbell.doap', import.meta.url), 'utf8').replace(/^<\?xml.*\?>\s*/, ''))
  const xeps = doap.getChild('Project')!.getChildren('implements').map(i => i.getChild('SupportedXep')?.getChild('xep')?.attrs['rdf:resource'] as string | undefined)
  return new Set(xeps.flatMap(url => /xep-(\d{4})/.exec(url ?? '')?.[1] ?? []))
}

async function answered(): Promise<Set<string>> {
  await using house = await House.open({ pluginOptions: { extdisco: { services: [{ type: 'stun', host: 'stun.example' }] }, invites: { register: 'admins' } } })
  const files = { async write() {}, async read() { return undefined }, async remove() {}, async free() { return 1 } }
  await using _rooms = await house.mount('rooms.localhost', muc())
  await using _files = await house.mount('upload.localhost', upload({ types: [] }, { files: async () => files, base: () => undefined }))
  const seen = new Set<string>()
  const all = (features: Xml): void => { for (const f of features.getChildElements()) seen.add(f.attrs['xmlns'] as string) }
  const romeo = new Actor('romeo', 'romeo@localhost/orchard')
  await house.account('romeo')
  await romeo.opens(house.port)
  const header = "<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
  romeo.says(header)
  all(await romeo.next())
  const secure = new Actor('secure', 'romeo@localhost/grove') // what is offered over TLS alone
  await secure.opensTls(await tlsDoor(house, 'direct'), { ALPNProtocols: ['xmpp-client'] })
  secure.says(header)
  const offered = await secure.next()
  all(offered)
  all(offered.getChild('authentication')!.getChild('inline')!)
  secure.leaves()
  romeo.says(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${btoa('\0romeo\0pw')}</auth>`)
  await romeo.next()
  romeo.says(header)
  all(await romeo.next())
  await romeo.binds()
  for (const to of ['localhost', 'romeo@localhost', 'rooms.localhost', 'upload.localhost']) {
    romeo.sends`<iq type='get' id='d' to='${to}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
    for (const f of (await romeo.hears`<iq type='result' id='d'/>`).getChild('query')!.getChildren('feature')) seen.add(f.attrs['var'] as string)
  }
  romeo.says("<presence to='hall@rooms.localhost/R'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
  await romeo.hears`<message type='groupchat' from='hall@rooms.localhost'/>`
  romeo.sends`<iq type='get' id='d' to='hall@rooms.localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
  for (const f of (await romeo.hears`<iq type='result' id='d'/>`).getChild('query')!.getChildren('feature')) seen.add(f.attrs['var'] as string)
  romeo.leaves()
  return seen
}

describe('what is claimed', () => {
  let xeps: Set<string>
  let seen: Set<string>
  before(async () => { xeps = claimed(); seen = await answered() })

  it('is answered by disco or stands among the stream features', () => {
    assert.deepEqual([...xeps].filter(x => SHOWN[x] !== undefined && !seen.has(SHOWN[x])).map(x => `XEP-${x} ${SHOWN[x]}`), [])
  })

  it('is all that is answered', () => {
    assert.deepEqual(Object.entries(SHOWN).filter(([x, ns]) => seen.has(ns) && !xeps.has(x)).map(([x, ns]) => `XEP-${x} ${ns}`), [])
  })

  it('names what every feature of ours is from', () => {
    const OURS = /^(?:http:\/\/jabber\.org\/protocol\/(?:disco|pubsub|muc|commands|caps|rsm|xdata)|urn:ietf:|urn:xmpp:(?:features|mam|bookmarks|mds|carbons|http:upload|sasl|stream-limits|sm|message|occupant|fulltext)|muc_|jabber:(?:x:data|iq:register))/
    const known = new Set(Object.values(SHOWN))
    assert.deepEqual([...seen].filter(f => !known.has(f) && !OURS.test(f)), [])
  })
})
