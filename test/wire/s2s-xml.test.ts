// XML that no server may send, on a stream from another one: how it ends, and that nothing of it gets through.
import assert from 'node:assert/strict'
import type { Actor } from '../harness/scene.ts'
import { Papers, Town } from './s2s-houses.ts'
import { header, logsIn, Talk } from './s2s-stranger.ts'

describe('XML from another server', () => {
  const papers = new Papers()
  const ours = papers.make('a.test'), theirs = papers.make('b.test', ['b.test'])
  let us!: Town
  let anna!: Actor
  before(async () => {
    us = await Town.open('a.test', ours, `{ ca: ${theirs.certificate}, targets: { b.test: "127.0.0.1:1" } }`, 'limits: { connections: { new-per-address: { rate: unlimited, burst: unlimited } } }')
    anna = await us.actor('anna')
    await anna.comesOnline()
  })
  after(async () => { await us[Symbol.asyncDispose](); papers[Symbol.dispose]() })

  const ends = async (talk: Talk, condition: string): Promise<void> => {
    await talk.reads(new RegExp(`<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>.*</stream:error></stream:stream>`))
    await talk.closes()
  }
  const message = (inside: string): string => `<message from='ben@b.test/x' to='anna@a.test' type='chat'>${inside}</message>`

  const headers: readonly (readonly [string, string, string])[] = [
    ['SEC-X16 RFC-S2 no XML', 'hello', 'bad-format'],
    ['RFC-S2 an end without a start', '</stream:stream>', 'not-well-formed'],
    ['SEC-X15 RFC-S5 another stream namespace', header('b.test', 'a.test').replace('etherx.jabber.org/streams', 'example.org'), 'invalid-namespace'],
    ['RFC-S5 the content namespace of clients', header('b.test', 'a.test').replace("xmlns='jabber:server'", "xmlns='jabber:client'"), 'invalid-namespace'],
    ['RFC-S5 another prefix', header('b.test', 'a.test').replaceAll('stream:stream', 'x:stream').replace('xmlns:stream', 'xmlns:x'), 'bad-namespace-prefix'],
    ['SEC-X01 RFC-S9 a document type', '<!DOCTYPE x [<!ENTITY a "b">]>', 'restricted-xml'],
    ['SEC-X03 RFC-S9 a comment', '<!-- x -->', 'restricted-xml'],
    ['SEC-X33 SEC-X34 a header without end', `<stream:stream a='${'x'.repeat(20_000)}`, 'policy-violation'],
  ]
  for (const [what, text, condition] of headers) {
    it(`${what} in place of a header: ${condition}, after a header of ours`, async () => {
      const talk = await Talk.to(us.port)
      talk.says(text)
      await talk.reads(/<stream:stream[^>]*from='a.test'[^>]*>/)
      await ends(talk, condition)
    })
  }

  const insides: readonly (readonly [string, string, string])[] = [
    ['SEC-X13 RFC-S2 tags that cross', message('<body><b></body></b>'), 'not-well-formed'],
    ['SEC-X14 RFC-S2 a prefix that nothing declares', message('<x:body>x</x:body>'), 'not-well-formed'],
    ['SEC-X11 an attribute twice', `<message from='ben@b.test/x' to='anna@a.test' to='ben@b.test'/>`, 'not-well-formed'],
    ['SEC-X05 RFC-S9 an entity of its own', message('<body>&boom;</body>'), 'restricted-xml|not-well-formed'],
    ['SEC-X03 RFC-S9 a comment', message('<body>x<!-- y --></body>'), 'restricted-xml'],
    ['SEC-X04 RFC-S9 a processing instruction', message(`<body><?x <presence to='anna@a.test'/> ?></body>`), 'restricted-xml'],
    ['RFC-S23 a prefix on the content namespace', `<s:message xmlns:s='jabber:server' from='ben@b.test/x' to='anna@a.test'><s:body>x</s:body></s:message>`, 'bad-namespace-prefix'],
    ['SEC-X21 RFC-S13 an element that is none of ours', `<message xmlns='urn:example' from='ben@b.test/x' to='anna@a.test'/>`, 'unsupported-stanza-type'],
    ['SEC-X29 65 levels', message('<a xmlns="u">'.repeat(64) + '</a>'.repeat(64)), 'policy-violation'],
    ['SEC-X30 2001 elements', message('<a xmlns="u"/>'.repeat(2000)), 'policy-violation'],
    ['SEC-X30 65 attributes', message(`<a xmlns='u' ${Array.from({ length: 65 }, (_, i) => `a${i}='x'`).join(' ')}/>`), 'policy-violation'],
    ['SEC-X06 a character that XML has not', message('<body>&#1;</body>'), 'not-well-formed'],
    ['SEC-X07 a control character', message('<body>\u0008</body>'), 'not-well-formed'],
    ['SEC-X12 an attribute twice by two prefixes', message(`<a xmlns='u' xmlns:p='v' xmlns:q='v' p:x='1' q:x='2'/>`), 'not-well-formed'],
    ['SEC-X35 a stanza of one byte too many', message(`<body>${'x'.repeat(512 * 1024 - message('<body></body>').length + 1)}</body>`), 'policy-violation'],
    ['SEC-X21 text between stanzas', 'hello', 'bad-format'],
    ['SEC-X19 a second header', header('b.test', 'a.test').replace(/^<\?xml[^>]*>/, ''), 'bad-format'],
  ]
  for (const [what, text, condition] of insides) {
    it(`${what}: ${condition}, and nothing is relayed`, async () => {
      const talk = await logsIn(us.port, 'b.test', 'a.test', theirs)
      talk.says(text)
      await ends(talk, `(?:${condition})`)
      await anna.receivesNothing()
    })
  }

  it('SEC-T04 RFC-T2 forgets what was sent in the clear behind starttls', async () => {
    const talk = await Talk.to(us.port)
    talk.says(header('b.test', 'a.test'))
    await talk.reads(/<\/stream:features>/)
    talk.says(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>${header('b.test', 'a.test')}${message('<body>injected</body>')}`)
    await talk.reads(/<proceed[^>]*>/)
    assert.equal(talk.rest, '')
    talk.leaves()
    await anna.receivesNothing()
  })

  it('RFC-T3 refuses TLS within TLS, and closes', async () => {
    const talk = await logsIn(us.port, 'b.test', 'a.test', theirs)
    talk.says(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`)
    await talk.reads(/<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'\/><\/stream:stream>/)
    await talk.closes()
  })

  it('SEC-X35 a stanza of as many bytes as there may be arrives', async () => {
    const talk = await logsIn(us.port, 'b.test', 'a.test', theirs)
    const body = 'x'.repeat(512 * 1024 - message('<body></body>').length)
    talk.says(message(`<body>${body}</body>`))
    await anna.receives`<message from='ben@b.test/x'><body>${body}</body></message>`
    talk.leaves()
  })

  it('SEC-X08 RFC-S10 ends where it is no UTF-8', async () => {
    for (const bytes of [[0xc0, 0xbc], [0xed, 0xa0, 0x80], [0xf5], [0x80]]) {
      const talk = await logsIn(us.port, 'b.test', 'a.test', theirs)
      talk.says(Buffer.concat([Buffer.from(message('<body>').replace('</message>', '')), Buffer.from(bytes), Buffer.from('</body></message>')]))
      await ends(talk, 'unsupported-encoding')
    }
    await anna.receivesNothing()
  })

  it('RFC-S26 half a stanza has no effect', async () => {
    const talk = await logsIn(us.port, 'b.test', 'a.test', theirs)
    talk.says(message('<body>half').replace('</message>', ''))
    talk.leaves()
    await anna.receivesNothing()
  })

  it('SEC-X09 RFC-S11 takes space between stanzas, and a stanza byte by byte', async () => {
    const talk = await logsIn(us.port, 'b.test', 'a.test', theirs)
    talk.says('  \n\n ')
    for (const c of message(`<body id='1'>é😀&amp;</body>`)) talk.says(c)
    await anna.receives`<message from='ben@b.test/x'><body>é😀&</body></message>`
    talk.leaves()
  })
})
