import assert from 'node:assert/strict'
import { capsHash } from '../../../protocols/caps.ts'
import { capsOf, Interests } from '../../../protocols/pubsub/interests.ts'
import { el, Jid, refuse, Stanza, type Element, type Iq } from '../../../server/api.ts'

const INFO = 'http://jabber.org/protocol/disco#info'
const NS = 'http://jabber.org/protocol/caps'
const romeo = Jid.parse('romeo@localhost/x')
const host = Jid.parse('localhost')

const feature = (name: string): Element => el('feature', INFO, { var: name })
const identity = el('identity', INFO, { category: 'client', type: 'pc', name: 'test' })
const info = (...children: Element[]): Element => el('query', INFO, {}, ...children)
const soundInfo = info(identity, feature(INFO), feature('urn:a+notify'), feature('urn:b+notify'), feature('urn:c'))
const presence = (attrs: Record<string, string>) => Stanza.of('presence', { type: 'available' }, [el('c', NS, attrs)])

/** Interests that ask a client who answers with this. */
function asking(answer: Element | undefined): { interests: Interests; asked: Iq[] } {
  const asked: Iq[] = []
  const interests = new Interests(iq => {
    asked.push(iq)
    return Promise.resolve(answer ? Stanza.of('iq', { type: 'result' }, [answer]) : Stanza.of('iq', { type: 'error' }, [refuse('service-unavailable').toElement()]))
  })
  return { interests, asked }
}

describe('SEC-P12 what clients are interested in', () => {
  const ver = capsHash(soundInfo)
  const caps = capsOf(presence({ hash: 'sha-1', node: 'urn:test', ver }))!

  it('stands in the features that end in +notify; a client is asked under its node and hash', async () => {
    const { interests, asked } = asking(soundInfo)
    assert.deepEqual([...await interests.learn(caps, romeo, host)], ['urn:a', 'urn:b'])
    assert.equal(asked[0]!.to, romeo)
    assert.equal(asked[0]!.payload[0]!.attrs['node'], `urn:test#${ver}`)
  })

  it('is known of all others of the kind when the answer fits the hash', async () => {
    const { interests, asked } = asking(soundInfo)
    await interests.learn(caps, romeo, host)
    assert.deepEqual([...interests.of(capsOf(presence({ hash: 'sha-1', node: 'urn:other', ver }))!)!], ['urn:a', 'urn:b'])
    await interests.learn(caps, romeo, host)
    assert.equal(asked.length, 1)
  })

  for (const [what, told, attrs] of [
    ['an answer that does not fit the hash', info(identity, feature('urn:x+notify')), { hash: 'sha-1', ver }],
    ['an algorithm that we do not compute', soundInfo, { hash: 'md5', ver }],
    ['a kind of old, without a hash', soundInfo, { ver: '1.0' }],
    ['a feature that stands twice', info(identity, feature('urn:a+notify'), feature('urn:a+notify')), undefined],
    ['an identity that stands twice', info(identity, identity, feature('urn:a+notify')), undefined],
    ['two forms of one type', info(identity, ...[1, 2].map(() => el('x', 'jabber:x:data', { type: 'result' }, el('field', 'jabber:x:data', { var: 'FORM_TYPE', type: 'hidden' }, el('value', 'jabber:x:data', {}, 'urn:f'))))), undefined],
  ] as const) {
    it(`${what} counts for that client alone`, async () => {
      const { interests, asked } = asking(told)
      const c = capsOf(presence({ node: 'urn:test', ...(attrs ?? { hash: 'sha-1', ver: capsHash(told) }) }))!
      await interests.learn(c, romeo, host)
      assert.equal(interests.of(c), undefined)
      await interests.learn(c, romeo, host)
      assert.equal(asked.length, 2)
    })
  }

  it('one that refuses is interested in nothing', async () => assert.equal((await asking(undefined).interests.learn(caps, romeo, host)).size, 0))

  it('is no more than a hundred nodes', async () => {
    const many = info(identity, ...Array.from({ length: 500 }, (_, i) => feature(`urn:${i}+notify`)), feature(`${'x'.repeat(1000)}+notify`))
    assert.equal((await asking(many).interests.learn(caps, romeo, host)).size, 100)
  })

  it('a presence without what is needed has none', () => {
    assert.equal(capsOf(Stanza.of('presence', { type: 'available' })), undefined)
    assert.equal(capsOf(presence({ node: 'urn:test' })), undefined)
  })
})
