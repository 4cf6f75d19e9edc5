import assert from 'node:assert/strict'
import { Parser, type ParserEvents } from '../../../server/xml/parser.ts'
import { HEADER, inside, plain, read } from './reading.ts'

/** A parser that notes what it says, and what `act` does on an element of that name. */
function noting(act: Record<string, (p: Parser) => void> = {}, more: Partial<ParserEvents> = {}): { parser: Parser; notes: string[] } {
  const notes: string[] = []
  const parser: Parser = new Parser({
    open(h) { notes.push(`open ${h.attrs['to'] ?? ''}`) },
    element(e) { notes.push(String(e.name)); act[e.name]?.(parser) },
    close() { notes.push('close') },
    ...more,
  })
  return { parser, notes }
}

const CORPUS = [
  `<?xml version='1.0' encoding="UTF-8" standalone='yes' ?>${HEADER}`,
  "\n <message to='ben@desk.example/a' from=\"anna@desk.example\" id='1&amp;2' xml:lang='de'>\r\n<body>Gr\u00fc\u00dfe \u20ac \u{1f600}&#x1F600; &lt;ok></body>\r<x xmlns='urn:x'/></message>",
  "<iq type='get'><q:query xmlns:q='urn:q' q:node='a\tb&#9;c' plain='d'><q:item/><![CDATA[<b>]]]]><![CDATA[> ]]></q:query></iq>\t",
  "<presence/><a:r xmlns:a='urn:xmpp:sm:3' a:b = 'c'  /><\u00e9l\u00e9ment na\u00efve='\u00e7a'>\u{1f469}\u200d\u{1f4bb}</\u00e9l\u00e9ment >",
  '<stream:features ><mechanisms xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><mechanism>PLAIN</mechanism></mechanisms></stream:features>',
  '</stream:stream >\n',
].join('')

describe('a stream that comes in pieces', () => {
  const whole = read(CORPUS)

  it('is read as its bytes say', () => {
    assert.equal(whole.error, undefined)
    assert.ok(whole.closed)
    assert.deepEqual(whole.elements.map(e => e.name), ['message', 'iq', 'presence', 'r', '\u00e9l\u00e9ment', 'features'])
    assert.equal(whole.elements[0]!.child('body')!.text, 'Gr\u00fc\u00dfe \u20ac \u{1f600}\u{1f600} <ok>')
    assert.deepEqual(whole.elements[0]!.children[0], '\n')
    assert.equal(whole.elements[1]!.child('query', 'urn:q')!.text, '<b>]]> ')
    assert.equal(whole.elements[1]!.child('query', 'urn:q')!.attrs['q:node'], 'a b\tc')
  })

  it('SEC-X09 is the same wherever it is cut in two', () => {
    const bytes = Buffer.from(CORPUS)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const elements: unknown[] = []
      let closed = 0
      const parser = new Parser({ open() {}, element(e) { elements.push(plain(e)) }, close() { closed++ } })
      parser.write(bytes.subarray(0, cut))
      parser.write(bytes.subarray(cut))
      assert.deepEqual(elements, whole.elements.map(plain), `cut at ${cut}`)
      assert.equal(closed, 1)
    }
  })

  it('SEC-X09 is the same in pieces of any size, from memory that is used again', () => {
    for (const size of [1, 2, 3, 4, 5, 7, 11, 16, 31, 64, 100, 333]) {
      const elements: unknown[] = []
      const parser = new Parser({ open() {}, element(e) { elements.push(plain(e)) }, close() {} })
      const piece = Buffer.alloc(size)
      const bytes = Buffer.from(CORPUS)
      for (let i = 0; i < bytes.length; i += size) parser.write(piece.subarray(0, bytes.copy(piece, 0, i, i + size)))
      assert.deepEqual(elements, whole.elements.map(plain), `pieces of ${size}`)
    }
  })

  it('is the same from bytes that are no Buffer', () => {
    const bytes = new TextEncoder().encode(`--${CORPUS}`)
    assert.deepEqual(read(bytes.subarray(2)).elements.map(plain), whole.elements.map(plain))
  })

  it('RFC-S26 has no effect for a stanza whose end never came', () => {
    const text = "<message to='ben@desk.example'><body>half</body></message>"
    for (let cut = 0; cut < text.length; cut++) assert.deepEqual(inside(text.slice(0, cut)).elements, [])
  })

  it('fails as it does in one piece, wherever it is cut', () => {
    for (const wrong of ['<a b=c/>', '<a>&#0;</a>', '<!--x-->', '<a></b>', '<a>]]></a>', '<p:a/>', 'x', '<?x?>', '<a b="<"/>', "<x:a xmlns:x='jabber:client'/>", '<![CDAT', '<a>\u0001</a>', '</b>']) {
      const expected = inside(`<iq/>${wrong}<iq/>`).error?.condition
      assert.ok(expected !== undefined)
      for (const step of [1, 2, 3, 5]) {
        const r = inside(`<iq/>${wrong}<iq/>`, {}, step)
        assert.equal(r.error?.condition, expected, wrong)
        assert.equal(r.elements.length, 1)
      }
    }
  })

  it('keeps nothing that would change with the memory it came in', () => {
    const bytes = Buffer.from(`${HEADER}<message to='somebody-with-a-long-name@desk.example' id='long-enough-not-to-be-copied'><body>${'text '.repeat(20)}</body></message>`)
    const { elements } = read(bytes)
    const before = String(elements[0])
    bytes.fill(0x78)
    assert.equal(String(elements[0]), before)
  })
})

describe('what a handler may do to the parser', () => {
  it('T04 stop: the rest of the bytes is never looked at, nor what comes later', () => {
    const { parser, notes } = noting({ starttls: p => p.stop() })
    parser.writeText(`${HEADER}<starttls/><message/><<<`)
    parser.writeText('<message/>not xml at all')
    assert.deepEqual(notes, ['open desk.example', 'starttls'])
  })

  it('T04 stop and reset at once: the rest is dropped, and what is written next is a new stream', () => {
    const { parser, notes } = noting({ starttls: p => { p.stop(); p.reset() } })
    parser.writeText(`${HEADER}<starttls/>${HEADER}<auth/><mess`)
    parser.writeText(`<?xml version='1.0'?>${HEADER}<auth/>`)
    assert.deepEqual(notes, ['open desk.example', 'starttls', 'open desk.example', 'auth'])
  })

  it('T04 stop: in one piece or byte by byte', () => {
    const { parser, notes } = noting({ starttls: p => p.stop() })
    for (const b of Buffer.from(`${HEADER}<starttls></starttls><message/>`)) parser.write(Buffer.of(b))
    assert.deepEqual(notes, ['open desk.example', 'starttls'])
  })

  it('reset: what follows in the same bytes is a new document', () => {
    const text = `${HEADER}<response/><?xml version='1.0'?>${HEADER.replace('desk', 'new')}<iq/></stream:stream>`
    for (const step of [1, 3, 1000]) {
      const { parser, notes } = noting({ response: p => p.reset() })
      const bytes = Buffer.from(text)
      for (let i = 0; i < bytes.length; i += step) parser.write(bytes.subarray(i, i + step))
      assert.deepEqual(notes, ['open desk.example', 'response', 'open new.example', 'iq', 'close'])
    }
  })

  it('reset: nothing that the old header declared holds any more', () => {
    const { parser, notes } = noting({ a: p => p.reset() })
    assert.throws(() => parser.writeText(`${HEADER}<a/><stream:stream xmlns='jabber:client'>`), { condition: 'not-well-formed' })
    assert.deepEqual(notes, ['open desk.example', 'a'])
  })

  it('reset: space that still belonged to the old stream may stand before the new declaration', () => {
    const { parser, notes } = noting({ a: p => p.reset() })
    parser.writeText(`${HEADER}<a/>\n <?xml version='1.0'?>${HEADER}`)
    assert.equal(notes.length, 3)
  })

  it('pause: nothing is said until resume, then all of it in order', () => {
    const { parser, notes } = noting({ slow: p => p.pause() })
    parser.writeText(`${HEADER}<a/><slow/><b/><slow/><c><d`)
    parser.writeText('/></c>')
    assert.deepEqual(notes, ['open desk.example', 'a', 'slow'])
    parser.resume()
    assert.deepEqual(notes.slice(3), ['b', 'slow'])
    parser.writeText('<e/>')
    parser.resume()
    assert.deepEqual(notes.slice(5), ['c', 'e'])
  })

  it('pause: after reset what waited is a new document', () => {
    const { parser, notes } = noting({ auth: p => p.pause() })
    parser.writeText(`${HEADER}<auth/><?xml version='1.0'?>${HEADER}<iq/>`)
    parser.reset()
    parser.resume()
    assert.deepEqual(notes, ['open desk.example', 'auth', 'open desk.example', 'iq'])
  })

  it('pause: resume within the handler goes on at once', () => {
    const { parser, notes } = noting({ slow: p => { p.pause(); p.resume() } })
    parser.writeText(`${HEADER}<slow/><a/>`)
    assert.deepEqual(notes.slice(1), ['slow', 'a'])
  })

  it('pause: what waits is bounded', () => {
    const { parser } = noting({ slow: p => p.pause() })
    parser.writeText(`${HEADER}<slow/>`)
    const piece = Buffer.alloc(65_536, 0x20)
    for (let i = 0; i < 16; i++) parser.write(piece)
    assert.throws(() => parser.write(piece), { condition: 'policy-violation' })
    assert.throws(() => parser.write(piece), { condition: 'policy-violation' })
  })

  it('pause: resume tells of errors as write does', () => {
    const { parser } = noting({ slow: p => p.pause() })
    parser.writeText(`${HEADER}<slow/><<`)
    assert.throws(() => parser.resume(), { condition: 'not-well-formed' })
  })

  it('pause: stop forgets what waits', () => {
    const { parser, notes } = noting({ slow: p => p.pause() })
    parser.writeText(`${HEADER}<slow/><a/>`)
    parser.stop()
    parser.resume()
    assert.deepEqual(notes.slice(1), ['slow'])
  })

  it('pause: a large piece that is paused in again and again is read in order', () => {
    const { parser, notes } = noting({ slow: p => p.pause() })
    parser.writeText(HEADER + '<slow/><a/>'.repeat(500))
    for (let i = 0; i < 500; i++) parser.resume()
    assert.deepEqual(notes.slice(1), Array.from({ length: 500 }, () => ['slow', 'a']).flat())
  })

  it('write: from within a handler it is read after the rest of what is at hand', () => {
    const { parser, notes } = noting({ a: p => p.writeText('<late/>') })
    parser.writeText(`${HEADER}<a/><b/>`)
    assert.deepEqual(notes.slice(1), ['a', 'b', 'late'])
  })

  it('throw: a bug of ours is not taken for the peer\u2019s, and the parser is done for', () => {
    const { parser, notes } = noting({ a: () => { throw new RangeError('ours') } })
    assert.throws(() => parser.writeText(`${HEADER}<a/><b/>`), RangeError)
    assert.throws(() => parser.writeText('<c/>'), RangeError)
    assert.deepEqual(notes.slice(1), ['a'])
  })

  it('an empty header opens and closes', () => {
    const { parser, notes } = noting()
    parser.writeText("<s:stream to='x' xmlns:s='u'/>")
    assert.deepEqual(notes, ['open x', 'close'])
  })
})
