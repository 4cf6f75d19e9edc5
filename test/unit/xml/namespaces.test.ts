import assert from 'node:assert/strict'
import { el } from '../../../server/xml/element.ts'
import { parseFrame, UNLIMITED } from '../../../server/xml/parser.ts'
import { inside, plain, read } from './reading.ts'

const stanza = (text: string): string => {
  const r = inside(text)
  assert.equal(r.error, undefined)
  return r.elements[0]!.write('jabber:client')
}

describe('namespaces', () => {
  it('RFC-S24 are those of each stanza where the header declares no content namespace', () => {
    const r = read("<stream xmlns='http://etherx.jabber.org/streams' version='1.0'><message xmlns='jabber:client'><body>a</body></message><message/></stream>")
    assert.ok(r.elements[0]!.is('message', 'jabber:client'))
    assert.equal(r.elements[0]!.child('body')?.text, 'a')
    assert.equal(r.elements[1]!.ns, 'http://etherx.jabber.org/streams')
    assert.ok(r.closed)
  })

  it('RFC-S25 of prefixes from the header are declared anew where they are used', () => {
    const r = read("<s:stream xmlns:s='u' xmlns='jabber:client' xmlns:x='urn:x' xmlns:y='urn:y'><message><x:a y:b='c'><x:d/></x:a></message>")
    assert.equal(r.elements[0]!.write('jabber:client'), "<message><a xmlns='urn:x' y:b='c' xmlns:y='urn:y'><d/></a></message>")
  })

  it('RFC-S6 of a server\u2019s or component\u2019s stream are read as the one for clients, by inheritance and no further', () => {
    for (const home of ['jabber:server', 'jabber:component:accept']) {
      const header = `<s:stream xmlns:s='u' xmlns='${home}'>`
      const r = read(`${header}<message><body>a</body><f xmlns='urn:f'><message xmlns='${home}'><body/></message><message xmlns='jabber:client'/></f></message>`, { home })
      assert.equal(r.error, undefined)
      const [message] = r.elements
      assert.ok(message!.is('message', 'jabber:client'))
      assert.equal(message!.child('body')?.text, 'a')
      const inner = message!.child('f', 'urn:f')!.elements
      assert.deepEqual(inner.map(e => e.ns), [home, 'jabber:client'])
      assert.equal(inner[0]!.elements[0]!.ns, home)
      assert.deepEqual(r.info?.defaultNs, home)
    }
  })

  it('are those in scope, and those of before at the end of an element', () => {
    const e = parseFrame("<a xmlns='u' xmlns:p='v'><p:b xmlns:p='w' xmlns='x'><p:c/><d/></p:b><p:e/><f/><g xmlns=''><h/></g></a>")
    const names = (at: typeof e): string[] => [`${at.ns} ${at.name}`, ...at.elements.flatMap(names)]
    assert.deepEqual(names(e), ['u a', 'w b', 'w c', 'x d', 'v e', 'u f', ' g', ' h'])
  })

  it('may be declared behind where the tag uses them', () => {
    assert.deepEqual(plain(parseFrame("<p:a p:b='c' xmlns:p='u'/>")), { name: '{u}a', attrs: { '{u}b': 'c' }, children: [] })
  })

  it('RFC-S19 keep the prefix of an attribute, and its meaning wherever the element goes', () => {
    const a = parseFrame("<m xmlns='u' xmlns:p='v'><n p:x='1' xml:lang='de' y='2'/></m>").elements[0]!
    assert.equal(a.write('other'), "<n xmlns='u' p:x='1' xml:lang='de' y='2' xmlns:p='v'/>")
    assert.deepEqual(plain(parseFrame(el('z', 'w', {}, a).toString()).elements[0]!), plain(a))
  })

  it('of XML itself need no declaration, and may not be a default one', () => {
    const text = "<xml:a xml:b='c'><d xmlns='u'/><e/></xml:a>"
    const e = parseFrame(text)
    assert.equal(e.toString(), text)
    assert.deepEqual(plain(parseFrame(el('m', 'u', {}, e).toString()).elements[0]!), plain(e))
  })

  it('SEC-X24 with odd characters come out as they went in, and change no other', () => {
    for (const ns of ['a b', 'a&#9;b', 'a&#10;b', "it&apos;s", 'say &quot;x&quot;', '&lt;x xmlns=', 'a&amp;b', "u' xmlns:x='v"]) {
      const text = `<m xmlns='u'><n xmlns="${ns}"/><o/></m>`
      const e = parseFrame(text)
      assert.deepEqual(plain(parseFrame(e.toString())), plain(e))
      assert.equal(e.elements[1]!.ns, 'u')
    }
    assert.throws(() => parseFrame("<m xmlns='\u0001'/>"), { condition: 'not-well-formed' })
  })

  it('SEC-X23 of the stream, inside a stanza, are of an element like any other', () => {
    assert.equal(
      stanza('<message><stream:stream><stream:error/></stream:stream></message>'),
      "<message><stream xmlns='http://etherx.jabber.org/streams'><error/></stream></message>",
    )
  })

  it('SEC-X36 names of JavaScript\u2019s own are names like any other', () => {
    const e = parseFrame("<__proto__ __proto__='a' constructor='b' hasOwnProperty='c' toString='d'><constructor/></__proto__>")
    assert.deepEqual(Object.entries(e.attrs), [['__proto__', 'a'], ['constructor', 'b'], ['hasOwnProperty', 'c'], ['toString', 'd']])
    assert.equal(e.toString(), "<__proto__ __proto__='a' constructor='b' hasOwnProperty='c' toString='d'><constructor/></__proto__>")
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
    const none = parseFrame("<a b='c'/>")
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'valueOf']) assert.equal(none.attrs[name], undefined)
    assert.equal(parseFrame('<a/>').attrs['constructor'], undefined)
    assert.throws(() => parseFrame("<a __proto__='1' __proto__='2'/>"), { condition: 'not-well-formed' })
    const prefixes = parseFrame("<__proto__:a xmlns:__proto__='u' __proto__:b='c' xmlns:constructor='v' constructor:d='e'/>")
    assert.deepEqual(plain(prefixes), { name: '{u}a', attrs: { '{u}b': 'c', '{v}d': 'e' }, children: [] })
    assert.throws(() => parseFrame('<constructor:a/>'), { condition: 'not-well-formed' })
  })
})

describe('a frame', () => {
  it('is one whole element', () => {
    const open = parseFrame("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='desk.example' version='1.0'/>")
    assert.ok(open.is('open', 'urn:ietf:params:xml:ns:xmpp-framing'))
    assert.equal(parseFrame("<message xmlns='jabber:client'><body>a</body></message>").child('body')?.text, 'a')
    assert.equal(parseFrame(Buffer.from("<?xml version='1.0'?><a/>\n")).name, 'a')
    assert.equal(parseFrame('<stream:features xmlns:stream="http://etherx.jabber.org/streams"/>').name, 'features')
  })

  it('is nothing else', () => {
    for (const text of ['', '<a>', '<a/><b/>', '<a/>x', '<a', '<a></a', '</a>', '<a/><!--', '<a><b></b>', '<?xml version="1.0"?>', '<a/><']) {
      assert.throws(() => parseFrame(text), /XmlError/, text)
    }
    assert.throws(() => parseFrame(' <a/>'), { condition: 'bad-format' })
    assert.throws(() => parseFrame("<x:message xmlns:x='jabber:client'/>"), { condition: 'bad-namespace-prefix' })
    assert.throws(() => parseFrame("<open xmlns='u'/>", { ...UNLIMITED, bytes: 16 }), { condition: 'policy-violation' })
  })
})
