import assert from 'node:assert/strict'
import { parseFrame, Parser, UNLIMITED, XmlError } from '../../../server/xml/parser.ts'
import { condition, HEADER, inside, read } from './reading.ts'

const message = (inner: string): string => `<message to='ben@desk.example'><body>${inner}</body></message>`
const attribute = (value: string): string => `<message to='${value}'/>`

describe('the parser refuses', () => {
  it('SEC-X01 a document type, before and after the header', () => {
    const doctype = "<!DOCTYPE x [<!ENTITY a 'b'>]>"
    assert.equal(read(doctype + HEADER).error?.condition, 'restricted-xml')
    assert.equal(read(`<?xml version='1.0'?>${doctype}${HEADER}`).error?.condition, 'restricted-xml')
    assert.equal(condition(doctype), 'restricted-xml')
    assert.equal(condition(message(doctype)), 'restricted-xml')
  })

  it('SEC-X02 entities that grow, at the first that is declared, and in text from a store too', () => {
    const laughs = `<!DOCTYPE l [<!ENTITY a 'ha'>${Array.from({ length: 20 }, (_, i) => `<!ENTITY b${i} '&a;&a;&a;'>`).join('')}]><l>&b19;</l>`
    assert.equal(read(laughs).error?.condition, 'restricted-xml')
    assert.throws(() => parseFrame(laughs), { condition: 'restricted-xml' })
  })

  it('SEC-X03 RFC-S9 comments between stanzas and within', () => {
    for (const text of ['<!-- a -->', message('<!-- a -->'), message('a<!---->b')]) assert.equal(condition(text), 'restricted-xml')
  })

  it('SEC-X04 RFC-S9 a processing instruction, and nothing of the stanza around it arrives', () => {
    const r = inside(message("<?x <presence to='v@desk.example'/> ?>"))
    assert.equal(r.error?.condition, 'restricted-xml')
    assert.deepEqual(r.elements, [])
    assert.equal(condition('<?x y?>'), 'restricted-xml')
    assert.equal(read('<?php 1 ?>').error?.condition, 'restricted-xml')
  })

  it('SEC-X05 RFC-S9 references to other entities than the five', () => {
    for (const text of [message('&foo;'), attribute('&foo;'), message('&nbsp;'), message('&AMP;')]) assert.equal(condition(text), 'restricted-xml')
    assert.equal(read("<stream:stream to='&foo;' xmlns:stream='s'>").error?.condition, 'restricted-xml')
    for (const bad of ['&', '&;', '& ;', '&a b;', '&#;', '&#x;', '&#xg;', '&#1a;', '&#-1;', '&#X41;', '&amp', '&<']) {
      assert.equal(condition(message(bad)), 'not-well-formed', bad)
      if (bad !== '&<') assert.equal(condition(attribute(bad)), 'not-well-formed', bad)
    }
  })

  it('SEC-X06 references to what is no character', () => {
    for (const bad of ['&#0;', '&#x1;', '&#xD800;', '&#xDFFF;', '&#xFFFE;', '&#xFFFF;', '&#x110000;', '&#99999999999999999999;', '&#11;']) {
      assert.equal(condition(message(bad)), 'not-well-formed', bad)
      assert.equal(condition(attribute(bad)), 'not-well-formed', bad)
    }
  })

  it('SEC-X06 a million references, at the limit of bytes', () => {
    const { error } = inside(message('&#65;'.repeat(1_000_000)))
    assert.equal(error?.condition, 'policy-violation')
    assert.equal(error.exceeded, 'bytes')
  })

  it('SEC-X07 control characters and non-characters, in text, CDATA, attributes and names', () => {
    const codes = [...Array.from({ length: 32 }, (_, c) => c).filter(c => c !== 9 && c !== 10 && c !== 13), 0xfffe, 0xffff]
    for (const c of codes.map(code => String.fromCharCode(code))) {
      for (const text of [message(`a${c}b`), attribute(`a${c}b`), message(`<![CDATA[${c}]]>`), `<a${c}/>`, `<a b${c}='c'/>`, `<a>x</a${c}>`, c]) {
        const r = inside(text)
        assert.deepEqual(r.elements, [])
        assert.match(r.error?.condition ?? '', /^not-well-formed$|^bad-format$/, JSON.stringify(text))
      }
    }
  })

  it('SEC-X08 RFC-S10 bytes that are not UTF-8, wherever they stand', () => {
    const bad = [[0xc0, 0xbc], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0x80], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xff], [0xf4, 0x90, 0x80, 0x80], [0xe0, 0x80, 0x80]]
    for (const bytes of bad) {
      for (const [before, after] of [['<message><body>a', 'b</body></message>'], ["<message to='", "'/>"], ['<message><![CDATA[', ']]></message>'], ['<m', '/>'], ["<m n", "='v'/>"], ['<m\u00e9>a</m', '>']] as const) {
        const r = inside(Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]))
        assert.deepEqual(r.elements, [])
        assert.match(r.error?.condition ?? '', /^unsupported-encoding$|^not-well-formed$/, `${before} ${bytes.join(' ')}`)
      }
    }
  })

  it('SEC-X08 a tail that is cut off right before the end tag', () => {
    const r = inside(Buffer.concat([Buffer.from('<message><body>'), Buffer.from([0xf0, 0x9f, 0x98]), Buffer.from('</body></message>')]))
    assert.equal(r.error?.condition, 'unsupported-encoding')
  })

  it('SEC-X10 RFC-S10 UTF-16, and any encoding declared other than UTF-8', () => {
    assert.equal(read(Buffer.from([0xff, 0xfe, 0x3c, 0])).error?.condition, 'unsupported-encoding')
    assert.equal(read(Buffer.from([0xfe, 0xff, 0, 0x3c])).error?.condition, 'unsupported-encoding')
    assert.equal(read(Buffer.from(`<?xml version='1.0'?>${HEADER}`, 'utf16le')).error?.condition, 'not-well-formed')
    for (const name of ['ISO-8859-1', 'UTF-16', 'us-ascii', 'utf8']) {
      assert.equal(read(`<?xml version='1.0' encoding='${name}'?>${HEADER}`).error?.condition, 'unsupported-encoding', name)
    }
  })

  it('RFC-S10 U+FEFF at the start, which is no byte order mark but a character', () => {
    assert.equal(read(`\ufeff${HEADER}`).error?.condition, 'bad-format')
  })

  it('SEC-X11 an attribute given twice', () => {
    const r = inside("<message to='a' to='b'/>")
    assert.equal(r.error?.condition, 'not-well-formed')
    assert.deepEqual(r.elements, [])
    const many = Array.from({ length: 20 }, (_, i) => ` a${i}='x'`).join('')
    for (const again of ['a0', 'a7', 'a8', 'a19']) assert.equal(condition(`<m${many} ${again}='y'/>`), 'not-well-formed', again)
    assert.equal(condition("<m xml:lang='a' xml:lang='b'/>"), 'not-well-formed')
    assert.equal(condition("<m xmlns='u' xmlns='u'/>"), 'not-well-formed')
    assert.equal(condition("<m xmlns:p='u' xmlns:p='u'/>"), 'not-well-formed')
  })

  it('SEC-X12 an attribute given twice by two prefixes of one namespace', () => {
    assert.equal(condition("<m xmlns:a='u' xmlns:b='u' a:x='1' b:x='2'/>"), 'not-well-formed')
    assert.equal(condition("<m xmlns:a='u' xmlns:b='v' a:x='1' b:x='2' x='3'/>"), undefined)
  })

  it('SEC-X13 what is not well-formed', () => {
    const wrong = [
      '<a><b></a></b>', '<a></b>', '<a></a', '<a b=c/>', "<a b='1'c='2'/>", "<a b='<'/>", '<a>&</a>', '<a>]]></a>', '< a/>', '<1a/>', '<a"/>', '<"a/>',
      '<a b/>', '<a b=/>', "<a b ='x' c/>", '<a / >', '<a /b/>', '<a//>', '<a></ a>', '<a></a b>', "<a></a b='c'>", '<a></>', '<>', '</>', '<-a/>', '<.a/>',
      '<a:/>', '<:a/>', '<a:b:c/>', "<a :b='c'/>", "<a b:='c'/>", '<a>]]]></a>', "<a 'b'/>", "<a ='b'/>", '<a><b/', '<a><![CDATA[x]]</a>', '<a =/>', "<a\u00d7='x'/>", '<\u0300a/>',
    ]
    for (const text of wrong) {
      const r = inside(`${text}<iq/>`)
      assert.ok(r.error?.condition === 'not-well-formed' || (r.error === undefined && r.elements.length === 0), text)
    }
    for (const text of wrong.filter(t => !/<\/a$|CDATA/.test(t))) assert.equal(condition(`${text}<iq/>`), 'not-well-formed', text)
  })

  it('SEC-X13 a second root, and whatever else comes behind the end of the stream', () => {
    for (const more of [HEADER, '<a/>', 'x', '</stream:stream>', '<![CDATA[x]]>']) {
      const r = inside(`</stream:stream>${more}`)
      assert.ok(r.closed)
      assert.equal(r.error?.condition, 'not-well-formed', more)
    }
    assert.equal(condition('</stream:stream> \r\n\t'), undefined)
    assert.equal(read('</stream:stream>').error?.condition, 'not-well-formed')
    assert.equal(condition('</message>'), 'not-well-formed')
  })

  it('SEC-X14 RFC-S2 prefixes that are not bound, or bound as none may be', () => {
    const wrong = [
      '<p:m/>', "<m p:a='x'/>", '<m><p:a/></m>', "<m><a xmlns:p='u'/><p:b/></m>", "<m xmlns:xml='u'/>", "<m xmlns:p=''/>", "<m xmlns:xmlns='u'/>", "<xmlns:m/>",
      "<m xmlns:p='http://www.w3.org/XML/1998/namespace'/>", "<m xmlns='http://www.w3.org/XML/1998/namespace'/>",
      "<m xmlns:p='http://www.w3.org/2000/xmlns/'/>", "<m xmlns='http://www.w3.org/2000/xmlns/'/>", "<m xmlns:xmlns='http://www.w3.org/2000/xmlns/'/>",
    ]
    for (const text of wrong) assert.equal(condition(text), 'not-well-formed', text)
    assert.equal(read("<stream:stream to='a' xmlns='jabber:client'>").error?.condition, 'not-well-formed')
    assert.equal(condition("<m xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='de'/>"), undefined)
  })

  it('SEC-X15 RFC-S5 nothing about the header itself: it says how that was written', () => {
    assert.deepEqual(inside('').info, { prefix: 'stream', defaultNs: 'jabber:client' })
    const foreign = read("<s:stream xmlns:s='urn:wrong' xmlns='urn:worse'>")
    assert.equal(foreign.header?.ns, 'urn:wrong')
    assert.deepEqual(foreign.info, { prefix: 's', defaultNs: 'urn:worse' })
    assert.deepEqual(read("<s:stream xmlns:s='http://etherx.jabber.org/streams'>").info, { prefix: 's', defaultNs: undefined })
    assert.deepEqual(read("<stream xmlns='http://etherx.jabber.org/streams'>").info, { prefix: '', defaultNs: 'http://etherx.jabber.org/streams' })
  })

  it('SEC-X15 stanzas of another kind of stream', () => {
    assert.equal(read("<s:stream xmlns:s='s' xmlns='jabber:server'><message xmlns='jabber:client'/>", { home: 'jabber:server' }).error?.condition, 'invalid-namespace')
    assert.equal(inside("<message xmlns='jabber:server'/>").elements[0]?.ns, 'jabber:server')
  })

  it('SEC-X16 text before the header, and a peer that speaks HTTP', () => {
    for (const text of ['hello', 'GET / HTTP/1.1\r\n', ` x${HEADER}`, '&amp;', '\u00e9']) assert.equal(read(text).error?.condition, 'bad-format', text)
    assert.equal(read(`<![CDATA[x]]>${HEADER}`).error?.condition, 'not-well-formed')
  })

  it('SEC-X21 text between stanzas', () => {
    for (const text of ['x', '<iq/>x', '&#32;', '<![CDATA[ ]]>', ' \n .']) assert.equal(condition(text), 'bad-format', text)
  })

  it('RFC-S11 an XML declaration anywhere but at the very start, and a wrong one', () => {
    for (const text of [` <?xml version='1.0'?>${HEADER}`, `<?xml version='1.0'?><?xml version='1.0'?>${HEADER}`, `${HEADER}<?xml version='1.0'?>`, `${HEADER}<m><?xml version='1.0'?></m>`, "<?XML version='1.0'?>"]) {
      assert.equal(read(text).error?.condition, 'restricted-xml', text)
    }
    for (const text of [
      '<?xml ?>', "<?xml version='2.0'?>", "<?xml version=\"1.0'?>", "<?xml encoding='UTF-8'?>", "<?xml version='1.0' encoding='UTF-8\"?>", "<?xml version='1.0' standalone='maybe'?>",
      "<?xml version='1.0'encoding='UTF-8'?>", "<?xml standalone='yes' version='1.0'?>", "<?xml version='1.0' x='y'?>", "<?xml version='1.0'>", "<?xml version='1.0' encoding=''?>",
    ]) {
      assert.equal(read(text + HEADER).error?.condition, 'not-well-formed', text)
    }
  })

  it('RFC-S23 a prefix on the content namespace', () => {
    for (const text of ["<x:message xmlns:x='jabber:client'/>", "<message xmlns:x='jabber:client'><x:body>a</x:body></message>"]) {
      const r = inside(text)
      assert.equal(r.error?.condition, 'bad-namespace-prefix', text)
      assert.deepEqual(r.elements, [])
    }
    assert.equal(condition("<message><fwd xmlns='urn:xmpp:forward:0' xmlns:c='jabber:client'><c:message/></fwd></message>"), undefined)
  })

  it('half a surrogate pair in decoded text', () => {
    assert.throws(() => parseFrame("<a>\ud83d</a>"), { condition: 'not-well-formed' })
    assert.throws(() => new Parser({ open() {}, element() {}, close() {} }).writeText('\ude00'), { condition: 'not-well-formed' })
  })

  it('all that comes after its first error', () => {
    const seen: string[] = []
    const parser = new Parser({ open() { seen.push('open') }, element(e) { seen.push(e.name) }, close() { seen.push('close') } }, { limits: UNLIMITED })
    parser.writeText(`${HEADER}<iq/>`)
    assert.throws(() => parser.writeText('<a/>x<b/>'), XmlError)
    assert.throws(() => parser.writeText('<c/></stream:stream>'), { condition: 'bad-format' })
    parser.resume()
    assert.deepEqual(seen, ['open', 'iq', 'a'])
  })

  it('nothing with the words of the peer in its message, which is logged', () => {
    for (const text of ['<secret', '<a secret', "<a b='secret", '<a>&secret;', 'secret', '<a></secret>', '<secret:a/>']) {
      const { error } = inside(`${text}<`)
      assert.ok(error !== undefined, text)
      assert.doesNotMatch(error.message, /secret/)
    }
  })
})
