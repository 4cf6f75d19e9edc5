// What archives and pages do without a server: ids, what is read out of a query, what is worth keeping.
import assert from 'node:assert/strict'
import { archived, ArchiveIds, readAsk, readStamp, withoutForgedIds } from '../../../protocols/archive.ts'
import { wants, type Prefs } from '../../../protocols/archive-prefs.ts'
import { isWorthKeeping } from '../../../protocols/keeping.ts'
import { pageSet, readPage } from '../../../protocols/paging.ts'
import { Jid, parseFrame, readStanza, StanzaError, type AnyStanza } from '../../../server/api.ts'

const stanza = (text: string): AnyStanza => readStanza(parseFrame(text)) as AnyStanza // all below can be read

describe('the ids of an archive', () => {
  it('sort by time, and in the order in which they were given within a millisecond', () => {
    const ids = new ArchiveIds(() => 'zzz')
    const times = [5, 5, 5, 6, 1_700_000_000_000, 1_700_000_000_000, 32 ** 8 - 1, 32 ** 8]
    const given = times.map(t => ids.next(t).id)
    assert.deepEqual([...given].sort(), given)
    assert.equal(new Set(given).size, given.length)
  })

  it('messages of one millisecond are told a microsecond apart, in their order', () => {
    const ids = new ArchiveIds(() => 'abcdefghijkl')
    const told = [5, 5, 5, 6].map(now => {
      const { id, at } = ids.next(now)
      return /stamp='([^']*)'/.exec(archived({ owner: 'a@b', id, at, with: 'c@d', stanza: '<message/>' }, undefined).write(''))?.[1]
    })
    assert.deepEqual(told, ['1970-01-01T00:00:00.005Z', '1970-01-01T00:00:00.005001Z', '1970-01-01T00:00:00.005002Z', '1970-01-01T00:00:00.006Z'])
  })

  it('go on where the clock goes back, with times that never do', () => {
    const ids = new ArchiveIds(() => '')
    const given = [1000, 990, 980, 1001].map(t => ids.next(t))
    assert.deepEqual(given.map(g => g.at), [1000, 1000, 1000, 1001])
    assert.deepEqual(given.map(g => g.id), given.map(g => g.id).sort())
  })

  it('stay in order past all that one millisecond can hold', () => {
    const ids = new ArchiveIds(() => '')
    let last = ids.next(7)
    for (let i = 0; i < 32 ** 3 + 10; i++) {
      const next = ids.next(7)
      if (!(next.id > last.id && next.at >= last.at)) assert.fail(`${next.id} after ${last.id}`)
      last = next
    }
    assert.equal(last.at, 8)
  })
})

describe('a page', () => {
  const set = (inner: string): ReturnType<typeof readPage> => readPage(parseFrame(`<set xmlns='http://jabber.org/protocol/rsm'>${inner}</set>`), 50)

  it('is read as it is asked for, and is never longer than it may be', () => {
    assert.deepEqual(readPage(undefined, 50), { max: 50, last: false })
    assert.deepEqual(set('<max>10</max><after>x</after>'), { max: 10, after: 'x', last: false })
    assert.deepEqual(set('<max>51</max><before>y</before>'), { max: 50, before: 'y', last: true })
    assert.deepEqual(set('<before/>'), { max: 50, last: true })
    assert.deepEqual(set('<after/>'), { max: 50, last: false })
    assert.deepEqual(set('<max> 0 </max>'), { max: 0, last: false })
  })

  it('is refused where max is no number, and by index', () => {
    for (const max of ['-1', 'abc', '1.5', '', '1e3', '99999999999999999']) assert.equal((set(`<max>${max}</max>`) as StanzaError).condition, 'bad-request', max)
    assert.equal((set('<max>1</max><index>3</index>') as StanzaError).condition, 'feature-not-implemented')
  })

  it('is told without ids where it is empty', () => {
    assert.equal(String(pageSet({ count: 3 })), `<set xmlns='http://jabber.org/protocol/rsm'><count>3</count></set>`)
    assert.equal(String(pageSet({ first: 'a', last: 'b', index: 0 })), `<set xmlns='http://jabber.org/protocol/rsm'><first index='0'>a</first><last>b</last></set>`)
  })
})

describe('a query', () => {
  const ask = (inner: string, attrs = ''): ReturnType<typeof readAsk> => readAsk(parseFrame(`<query xmlns='urn:xmpp:mam:2' ${attrs}>${inner}</query>`), 100)
  const filled = (fields: string, type = 'submit', ns = 'urn:xmpp:mam:2'): string => `<x xmlns='jabber:x:data' type='${type}'><field var='FORM_TYPE' type='hidden'><value>${ns}</value></field>${fields}</x>`
  const field = (name: string, ...values: string[]): string => `<field var='${name}'>${values.map(v => `<value>${v}</value>`).join('')}</field>`
  const condition = (a: ReturnType<typeof readAsk>): string => a instanceof StanzaError ? a.condition : 'taken'

  it('is read whole, addresses prepared, ids once', () => {
    assert.deepEqual(ask(filled(field('with', 'Juliet@Capulet.LIT') + field('start', '2010-06-07T00:00:00Z') + field('end', '2010-06-07T01:00:00+01:00') + field('ids', 'a', 'b', 'a')) + '<flip-page/>', `queryid='q'`), {
      queryId: 'q', page: { max: 100, last: false }, flipped: true, with: 'juliet@capulet.lit', start: 1275868800000, end: 1275868800000, ids: ['a', 'b'],
    })
    assert.equal(condition(ask(filled(field('with', '') + field('start', '')))), 'taken')
  })

  it('is refused where it is no form of archives, or says what nobody knows', () => {
    assert.equal(condition(ask(filled('', 'submit', 'urn:example:other'))), 'bad-request')
    assert.equal(condition(ask(filled('', 'cancel'))), 'bad-request')
    assert.equal(condition(ask(filled(field('with', 'a@@b')))), 'bad-request')
    assert.equal(condition(ask(filled(field('start', 'yesterday')))), 'bad-request')
    assert.equal(condition(ask(filled(field('{urn:example}text', 'x')))), 'feature-not-implemented')
    assert.equal(condition(ask('', `node='n'`)), 'feature-not-implemented')
  })

  it('reads times of XEP-0082 and no others', () => {
    assert.equal(readStamp('2010-07-10T23:08:25.123Z'), 1278803305123)
    assert.equal(readStamp(undefined), undefined)
    for (const text of ['2010-07-10', '20100710T23:08:25', '2010-13-40T00:00:00Z', '1278803305', 'now', '2010-07-10 23:08:25Z']) assert.ok(Number.isNaN(readStamp(text)), text)
  })
})

describe('a message', () => {
  it('loses every id that was forged in a name, however it is written, and no other', () => {
    const s = stanza(`<message xmlns='jabber:client'><body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='a@b' id='1'/><stanza-id xmlns='urn:xmpp:sid:0' by='c@d' id='2'/><stanza-id xmlns='urn:xmpp:sid:0' by='A@B' id='3'/><stanza-id xmlns='urn:xmpp:sid:0' by='a@b/r' id='4'/><origin-id xmlns='urn:xmpp:sid:0' id='5'/></message>`)
    assert.deepEqual(withoutForgedIds(s, 'a@b').payload.map(e => e.attrs['id']), [undefined, '2', '4', '5'])
    assert.equal(withoutForgedIds(s, 'e@f'), s)
  })

  const rows: readonly [boolean, string, string][] = [
    [true, 'a body', `<message xmlns='jabber:client' type='chat'><body>x</body></message>`],
    [true, 'a body without a type', `<message xmlns='jabber:client'><body/></message>`],
    [false, 'a subject alone', `<message xmlns='jabber:client'><subject>x</subject></message>`],
    [false, 'a groupchat line', `<message xmlns='jabber:client' type='groupchat'><body>x</body></message>`],
    [false, 'a headline', `<message xmlns='jabber:client' type='headline'><body>x</body></message>`],
    [false, 'an error', `<message xmlns='jabber:client' type='error'><body>x</body></message>`],
    [false, 'a body that is to leave no trace', `<message xmlns='jabber:client'><body>x</body><no-store xmlns='urn:xmpp:hints'/></message>`],
    [false, 'what is to be stored and not to be stored', `<message xmlns='jabber:client'><store xmlns='urn:xmpp:hints'/><body>x</body><no-permanent-store xmlns='urn:xmpp:hints'/></message>`],
    [false, 'an invitation', `<message xmlns='jabber:client'><body>come</body><x xmlns='jabber:x:conference' jid='r@c'/></message>`],
    [false, 'an invitation by a room', `<message xmlns='jabber:client'><x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b'/></x><body>come</body></message>`],
    [true, 'a line whispered in a room', `<message xmlns='jabber:client' type='chat'><x xmlns='http://jabber.org/protocol/muc#user'/><body>pst</body></message>`],
    [false, 'a request for a receipt alone', `<message xmlns='jabber:client' type='chat'><request xmlns='urn:xmpp:receipts'/></message>`],
    [true, 'a receipt', `<message xmlns='jabber:client' type='chat'><received xmlns='urn:xmpp:receipts' id='1'/></message>`],
    [true, 'a reaction', `<message xmlns='jabber:client' type='chat'><reactions xmlns='urn:xmpp:reactions:0' id='1'/></message>`],
    [true, 'a retraction', `<message xmlns='jabber:client' type='chat'><retract xmlns='urn:xmpp:message-retract:1' id='1'/></message>`],
    [true, 'an encrypted text', `<message xmlns='jabber:client' type='chat'><encrypted xmlns='urn:xmpp:omemo:2'/></message>`],
    [false, 'typing', `<message xmlns='jabber:client' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`],
  ]
  for (const [kept, what, text] of rows) it(`${kept ? 'is kept' : 'is not kept'}: ${what}`, () => assert.equal(isWorthKeeping(stanza(text)), kept))
})

describe('preferences', () => {
  const prefs: Prefs = { fallback: 'roster', always: ['a@b', 'never@b/but-here'], never: ['never@b', 'a@b/secret'] }
  const rows: readonly [string, boolean][] = [['a@b', true], ['a@b/x', true], ['a@b/secret', false], ['never@b', false], ['never@b/x', false], ['never@b/but-here', true], ['friend@b/x', true], ['stranger@b', false]]
  for (const [jid, kept] of rows) it(`${kept ? 'keep' : 'do not keep'} what is said with ${jid}`, () => assert.equal(wants(prefs, Jid.parse(jid), bare => bare === 'friend@b'), kept))
})
