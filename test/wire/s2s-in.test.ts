// What another server may do on a stream that it opens to us, and what ends it.
import assert from 'node:assert/strict'
import type { Actor } from '../harness/scene.ts'
import { Papers, Town, type Paper } from './s2s-houses.ts'
import { dials, EXTERNAL, header, logsIn, Stranger, Talk } from './s2s-stranger.ts'

const HOUR = 3_600_000

describe('a stream from another server', () => {
  const papers = new Papers()
  const ours = papers.make('a.test'), theirs = papers.make('b.test', ['b.test'])
  const expired = papers.make('expired', ['b.test'], Date.now() - 2 * HOUR, Date.now() - HOUR)
  const early = papers.make('early', ['b.test'], Date.now() + 24 * HOUR, Date.now() + 48 * HOUR)
  const wrong = papers.make('wrong', ['c.test']), wide = papers.make('wide', ['*.test'])
  const unknown = papers.make('unknown', ['b.test'])
  const ca = papers.bundle('ca.pem', [theirs, expired, early, wrong, wide])
  let us!: Town
  let anna!: Actor
  before(async () => {
    us = await Town.open('a.test', ours, `{ ca: ${ca}, block: [blocked.test], targets: { b.test: "127.0.0.1:1" } }`, 'limits: { connections: { new-per-address: { rate: unlimited, burst: unlimited } } }')
    anna = await us.actor('anna')
    await anna.comesOnline()
  })
  after(async () => { await us[Symbol.asyncDispose](); papers[Symbol.dispose]() })

  const ends = async (talk: Talk, condition: string): Promise<void> => {
    await talk.reads(new RegExp(`<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>.*</stream:error></stream:stream>`))
    await talk.closes()
  }

  it('RFC-X2 is answered with a header that names both, and must begin with TLS', async () => {
    const talk = await Talk.to(us.port)
    talk.says(header('b.test', 'a.test'))
    const [answer] = await talk.reads(/<stream:stream[^>]*>/)
    for (const part of ["from='a.test'", "to='b.test'", "xmlns='jabber:server'", "version='1.0'"]) assert.ok(answer.includes(part), answer)
    await talk.reads(/<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required\/><\/starttls><\/stream:features>/)
    talk.says(`<message from='x@b.test' to='anna@a.test'><body>in the clear</body></message>`)
    await ends(talk, 'not-authorized')
    await anna.receivesNothing()
  })

  it('SEC-X18 RFC-S1 ends where the domain asked for is not ours', async () => {
    const talk = await Talk.to(us.port)
    talk.says(header('b.test', 'elsewhere.test'))
    await talk.reads(/<stream:stream[^>]*from='a.test'[^>]*>/)
    await ends(talk, 'host-unknown')
  })

  it('SEC-X17 RFC-S4 ends where there is no version, and so no TLS', async () => {
    const talk = await Talk.to(us.port)
    talk.says(header('b.test', 'a.test').replace(" version='1.0'>", '>'))
    await ends(talk, 'unsupported-version')
  })

  it('SEC-C08 ends where a stranger claims a domain of ours, a component\'s too', async () => {
    for (const domain of ['a.test', 'rooms.a.test', 'bot.a.test']) {
      const talk = await Talk.to(us.port)
      talk.says(header(domain, 'a.test'))
      await ends(talk, 'invalid-from')
    }
  })

  it('SEC-C14 ends for a domain that is blocked, and for those below it', async () => {
    for (const domain of ['blocked.test', 'rooms.blocked.test']) {
      const talk = await Talk.to(us.port)
      talk.says(header(domain, 'a.test'))
      await ends(talk, 'policy-violation')
    }
  })

  const bad: readonly (readonly [string, Paper | undefined])[] = [['none', undefined], ['self-signed', unknown], ['expired', expired], ['not valid yet', early], ['for another name', wrong], ['for *.test', wide]]
  for (const [what, paper] of bad) {
    it(`SEC-C13 SEC-T25 ends where the certificate is ${what}: neither EXTERNAL nor dialback is offered`, async () => {
      const talk = await dials(us.port, 'b.test', 'a.test', paper)
      await talk.reads(/^<\?xml[^>]*><stream:stream[^>]*>/)
      await ends(talk, 'not-authorized')
    })
  }

  it('RFC-X4 offers EXTERNAL to a certificate that speaks for the domain, and takes its stanzas then', async () => {
    const talk = await logsIn(us.port, 'b.test', 'a.test', theirs)
    talk.says(`<message from='ben@b.test/x' to='anna@a.test' type='chat' id='1'><body>hello</body></message>`)
    await anna.receives`<message from='ben@b.test/x' to='anna@a.test' type='chat' id='1'><body>hello</body></message>`
    talk.leaves()
  })

  it('SEC-X20 RFC-S22 takes no stanza before it is proved whose it is', async () => {
    const talk = await dials(us.port, 'b.test', 'a.test', theirs)
    await talk.reads(/<\/stream:features>/)
    talk.says(`<message from='ben@b.test/x' to='anna@a.test'><body>too early</body></message>`)
    await ends(talk, 'not-authorized')
    await anna.receivesNothing()
  })

  it('RFC-X8 takes the authorization identity of the certificate, or none, and no other', async () => {
    for (const text of ['', '=', btoa('b.test')]) (await logsIn(us.port, 'b.test', 'a.test', theirs, EXTERNAL.replace('=</', `${text}</`))).leaves()
    for (const [text, condition] of [[btoa('c.test'), 'invalid-authzid'], [btoa('a.test'), 'invalid-authzid'], [btoa('ben@b.test'), 'invalid-authzid'], ['!', 'incorrect-encoding']] as const) {
      const talk = await dials(us.port, 'b.test', 'a.test', theirs)
      await talk.reads(/<\/stream:features>/)
      talk.says(EXTERNAL.replace('=</', `${text}</`))
      await talk.reads(new RegExp(`<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><${condition}/></failure>`))
      talk.leaves()
    }
  })

  it('RFC-A5 refuses a mechanism that was not offered', async () => {
    const talk = await dials(us.port, 'b.test', 'a.test', theirs)
    await talk.reads(/<\/stream:features>/)
    talk.says(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGIAcA==</auth>`)
    await talk.reads(/<failure[^>]*><invalid-mechanism\/><\/failure>/)
    talk.leaves()
  })

  it('RFC-A14 ends where the domain changes after the proof', async () => {
    const talk = await dials(us.port, 'b.test', 'a.test', theirs)
    await talk.reads(/<\/stream:features>/)
    talk.says(EXTERNAL)
    await talk.reads(/<success[^>]*>/)
    talk.says(header('c.test', 'a.test'))
    await ends(talk, 'invalid-from')
  })

  const stanzas: readonly (readonly [string, string, string])[] = [
    ['has no to', `<message from='ben@b.test'><body>x</body></message>`, 'improper-addressing'],
    ['has no from', `<message to='anna@a.test'><body>x</body></message>`, 'improper-addressing'],
    ['has an empty to', `<message from='ben@b.test' to=''><body>x</body></message>`, 'improper-addressing'],
    ['has a to that is no address', `<message from='ben@b.test' to='@a.test'><body>x</body></message>`, 'improper-addressing'],
    ['is from a domain that was not proved', `<message from='carl@c.test' to='anna@a.test'><body>x</body></message>`, 'invalid-from'],
    ['is from a domain of ours', `<message from='boss@a.test' to='anna@a.test'><body>x</body></message>`, 'invalid-from'],
    ['is from below the domain that was proved', `<message from='x@rooms.b.test' to='anna@a.test'><body>x</body></message>`, 'invalid-from'],
    ['is to a domain that is not ours', `<message from='ben@b.test' to='x@elsewhere.test'><body>x</body></message>`, 'host-unknown'],
    ['is of another kind of stream', `<message xmlns='jabber:client' from='ben@b.test' to='anna@a.test'><body>x</body></message>`, 'invalid-namespace'],
    ['is none', `<hello xmlns='urn:example'/>`, 'unsupported-stanza-type'],
  ]
  for (const [what, text, condition] of stanzas) {
    it(`RFC-X1 SEC-C12 ends with ${condition} where a stanza ${what}, and relays nothing`, async () => {
      const talk = await logsIn(us.port, 'b.test', 'a.test', theirs)
      talk.says(text)
      await ends(talk, condition)
      await anna.receivesNothing()
    })
  }

  it('RFC-J6 lives on where an address is one by the old rules only: one user must not end it for all', async () => {
    const talk = await logsIn(us.port, 'b.test', 'a.test', theirs)
    talk.says(`<message from='☃@b.test' to='anna@a.test'><body>snow</body></message><message from='ben@b.test/x' to='☃@a.test' id='s'><body>snow</body></message>`)
    talk.says(`<message from='ben@b.test/x' to='anna@a.test' id='2'><body>still here</body></message>`)
    await anna.receives`<message from='ben@b.test/x' id='2'><body>still here</body></message>`
    talk.leaves()
  })

  it('SEC-C17 ends where a stanza is too big', async () => {
    const talk = await logsIn(us.port, 'b.test', 'a.test', theirs)
    talk.says(`<message from='ben@b.test' to='anna@a.test'><body>${'x'.repeat(513 * 1024)}</body></message>`)
    await ends(talk, 'policy-violation')
    await anna.receivesNothing()
  })

  it('SEC-C09 heeds no answer to what it never asked', async () => {
    const talk = await dials(us.port, 'b.test', 'a.test', theirs)
    await talk.reads(/<\/stream:features>/)
    talk.says(`<db:result from='b.test' to='a.test' type='valid'/><db:verify from='b.test' to='a.test' id='x' type='valid'/>`)
    talk.says(`<message from='ben@b.test' to='anna@a.test'><body>x</body></message>`)
    await ends(talk, 'not-authorized')
    await anna.receivesNothing()
  })

  it('RFC-X5 a certificate that speaks for the domain is proof enough for dialback, for that domain alone', async () => {
    const talk = await dials(us.port, 'b.test', 'a.test', theirs)
    await talk.reads(/<\/stream:features>/)
    talk.says(`<db:result from='b.test' to='a.test'>any</db:result>`)
    await talk.reads(/<db:result from='a.test' to='b.test' type='valid'\/>/)
    talk.says(`<db:result from='c.test' to='a.test'>any</db:result>`)
    await talk.reads(/<db:result from='a.test' to='c.test' type='error'><error type='auth'><not-authorized /)
    talk.says(`<db:result from='b.test' to='nowhere.test'>any</db:result>`)
    await talk.reads(/<db:result from='nowhere.test' to='b.test' type='error'><error type='cancel'><item-not-found /)
    talk.says(`<message from='ben@b.test/x' to='anna@a.test' id='3'><body>proved</body></message>`)
    await anna.receives`<message from='ben@b.test/x' id='3'/>`
    talk.says(`<message from='ben@b.test/x' to='x@rooms.a.test' id='4'><body>this pair is not</body></message>`)
    await ends(talk, 'invalid-from')
  })

  it('RFC-X5 XEP-0220 carries several pairs on one stream, each proved by the domain it is from, and no others', async () => {
    await using b = await Stranger.listens('b.test', unknown)
    await using c = await Stranger.listens('c.test', unknown)
    await using town = await Town.open('a.test', ours, `{ ca: ${ca}, dialback: [b.test, c.test], targets: { b.test: "127.0.0.1:${b.port}", c.test: "127.0.0.1:${c.port}" } }`)
    const anna = await town.actor('anna')
    await anna.comesOnline()
    const talk = await dials(town.port, 'b.test', 'a.test', unknown)
    await talk.reads(/<\/stream:features>/)
    const writes = (from: string, id: string): void => talk.says(`<message from='x@${from}' to='anna@a.test' id='${id}'><body>hello</body></message>`)
    for (const server of [b, c]) {
      talk.says(`<db:result from='${server.domain}' to='a.test'>key-${server.domain}</db:result>`)
      const asked = await server.secured(`<dialback xmlns='urn:xmpp:features:dialback'/>`)
      const [, id] = await asked.reads(new RegExp(`<db:verify from='a.test' to='${server.domain}' id='([^']+)'>key-${server.domain}</db:verify>`))
      asked.says(`<db:verify from='${server.domain}' to='a.test' id='${id}' type='valid'/>`)
      await talk.reads(new RegExp(`<db:result from='a.test' to='${server.domain}' type='valid'/>`))
      writes(server.domain, server.domain)
      await anna.hears`<message from='x@${server.domain}' id='${server.domain}'/>`
    }
    writes('b.test', 'again')
    await anna.hears`<message from='x@b.test' id='again'/>`
    talk.says(`<db:result from='d.test' to='a.test'>key</db:result>`)
    await talk.reads(/<db:result from='a.test' to='d.test' type='error'><error type='auth'><not-authorized /)
    writes('d.test', 'none')
    await ends(talk, 'invalid-from')
    await anna.receivesNothing()
  })

  it('XEP-0198 acknowledges what it has taken', async () => {
    const talk = await logsIn(us.port, 'b.test', 'a.test', theirs)
    talk.says(`<enable xmlns='urn:xmpp:sm:3'/>`)
    await talk.reads(/<enabled xmlns='urn:xmpp:sm:3'\/>/)
    talk.says(`<message from='ben@b.test/x' to='anna@a.test' id='5'><body>one</body></message><presence from='ben@b.test/x' to='anna@a.test'/><r xmlns='urn:xmpp:sm:3'/>`)
    await talk.reads(/<a xmlns='urn:xmpp:sm:3' h='2'\/>/)
    await anna.hears`<message id='5'/>`
    await anna.fence()
    talk.leaves()
  })

  it('RFC-S8 is closed when the peer closes it', async () => {
    const talk = await logsIn(us.port, 'b.test', 'a.test', theirs)
    talk.says('</stream:stream>')
    await talk.reads(/<\/stream:stream>/)
    await talk.closes()
  })

  it('RFC-E2 RFC-E12 answers a probe of a stranger as it would for nobody', async () => {
    await using b = await Stranger.listens('b.test', theirs)
    await using town = await Town.open('a.test', ours, `{ ca: ${ca}, targets: { b.test: "127.0.0.1:${b.port}" } }`)
    await (await town.actor('anna')).comesOnline()
    const talk = await logsIn(town.port, 'b.test', 'a.test', theirs)
    for (const who of ['anna', 'nobody']) talk.says(`<presence type='probe' id='p-${who}' from='ben@b.test' to='${who}@a.test'/>`)
    const back = await b.accepts()
    for (const who of ['anna', 'nobody']) await back.reads(new RegExp(`<presence type='unsubscribed' to='ben@b.test' from='${who}@a.test' id='p-${who}'/>`))
    talk.leaves()
  })

  it('RFC-N9 answers what is asked of the server itself over a stream of its own', async () => {
    await using b = await Stranger.listens('b.test', theirs)
    await using town = await Town.open('a.test', ours, `{ ca: ${ca}, targets: { b.test: "127.0.0.1:${b.port}" } }`)
    const talk = await logsIn(town.port, 'b.test', 'a.test', theirs)
    talk.says(`<iq type='get' id='p' from='ben@b.test/x' to='a.test'><ping xmlns='urn:xmpp:ping'/></iq><iq type='get' id='q' from='ben@b.test/x' to='a.test'><what xmlns='urn:example'/></iq>`)
    const back = await b.accepts()
    await back.reads(/<iq type='result' to='ben@b.test\/x' from='a.test' id='p'[^>]*\/>/)
    await back.reads(/<iq type='error' to='ben@b.test\/x' from='a.test' id='q'[^>]*><error type='cancel'><service-unavailable /)
    assert.equal(talk.rest, '', 'nothing comes back on the stream that asked')
    talk.leaves()
  })
})
