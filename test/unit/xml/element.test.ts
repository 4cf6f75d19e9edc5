import assert from 'node:assert/strict'
import { el, Element, escape, escapeText } from '../../../server/xml/element.ts'
import { parseFrame } from '../../../server/xml/parser.ts'
import { plain } from './reading.ts'

describe('an element', () => {
  const message = el('message', 'jabber:client', { to: 'ben@desk.example' }, el('body', 'jabber:client', {}, 'a'), 'b', el('x', 'urn:x', {}, el('y', 'urn:x'), el('body', 'jabber:client')))

  it('is written within the namespace around it', () => {
    assert.equal(message.write('jabber:client'), "<message to='ben@desk.example'><body>a</body>b<x xmlns='urn:x'><y/><body xmlns='jabber:client'/></x></message>")
    assert.equal(message.write('jabber:server'), "<message xmlns='jabber:client' to='ben@desk.example'><body>a</body>b<x xmlns='urn:x'><y/><body xmlns='jabber:client'/></x></message>")
    assert.equal(message.write('jabber:client').startsWith('<message to'), true)
    assert.equal(String(message), message.write(''))
  })

  it('with no namespace says so inside another', () => {
    assert.equal(el('a', 'u', {}, el('b', ''), el('c', '', {}, el('d', 'u'))).toString(), "<a xmlns='u'><b xmlns=''/><c xmlns=''><d xmlns='u'/></c></a>")
    assert.equal(el('b', '').toString(), '<b/>')
  })

  it('finds its children, in its own namespace unless another is named', () => {
    assert.equal(message.child('body')?.text, 'a')
    assert.equal(message.child('x'), undefined)
    assert.equal(message.child('x', 'urn:x')?.child('y')?.name, 'y')
    assert.equal(message.text, 'b')
    assert.deepEqual(message.elements.map(e => e.name), ['body', 'x'])
    assert.equal(message.elements, message.elements)
    assert.equal(el('a', 'u', {}, 'x', el('b', 'u'), 'y').text, 'xy')
    assert.equal(el('a', 'u').text, '')
    assert.ok(message.is('message', 'jabber:client') && !message.is('message', 'urn:x') && !message.is('iq', 'jabber:client'))
  })

  it('may stand in several places, written before or not', () => {
    const shared = el('s', 'urn:s', { a: '1' }, el('t', 'urn:t'))
    const one = el('one', 'urn:s', {}, shared)
    const two = el('two', 'urn:2', {}, shared)
    assert.equal(one.toString(), "<one xmlns='urn:s'><s a='1'><t xmlns='urn:t'/></s></one>")
    assert.equal(shared.toString(), "<s xmlns='urn:s' a='1'><t xmlns='urn:t'/></s>")
    assert.equal(two.toString(), "<two xmlns='urn:2'><s xmlns='urn:s' a='1'><t xmlns='urn:t'/></s></two>")
    assert.equal(el('three', 'urn:s', {}, shared).toString(), "<three xmlns='urn:s'><s a='1'><t xmlns='urn:t'/></s></three>")
  })

  it('SEC-X28 escapes what it was given, so that none of it becomes markup', () => {
    const evil = `'/><presence to="v@x"/>&<![CDATA[`
    const e = el('a', evil, { b: evil }, evil)
    assert.equal(e.toString().split('<').length, 3) // its start tag and its end tag
    assert.deepEqual(plain(parseFrame(e.toString())), plain(e))
  })

  it('keeps space as it is, in attributes and in text', () => {
    const e = el('a', 'u\tv', { b: ' \t\n\r\r\n ' }, ' \t\n\r\r\n ')
    assert.equal(e.toString(), "<a xmlns='u&#9;v' b=' &#9;&#10;&#13;&#13;&#10; '> \t\n&#13;&#13;\n </a>")
    assert.deepEqual(plain(parseFrame(e.toString())), plain(e))
  })

  it('never writes what XML forbids', () => {
    assert.equal(escape("\0\x08\x0b\x1f\ufffe\uffff\ud83dx\u{1f600}\ude00"), '\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdx\u{1f600}\ufffd')
    assert.equal(escapeText("\0\x08\x0b\x1f\ufffe\uffff\ud83dx\u{1f600}\ude00"), '\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdx\u{1f600}\ufffd')
    assert.equal(escapeText(']]>'), ']]&gt;')
    assert.equal(escape('plain, \u00e9 and \u{1f600}\x7f'), 'plain, \u00e9 and \u{1f600}\x7f')
    for (let c = 0; c < 0x10000; c++) {
      const s = `a${String.fromCharCode(c)}b`
      assert.equal(parseFrame(`<a b='${escape(s)}'>${escapeText(s)}</a>`).attrs['b'], parseFrame(`<a>${escapeText(s)}</a>`).text)
    }
  })

  it('of our own making has names that XML allows', () => {
    for (const name of ['', 'a b', '<a', '1a', 'a/', "a'", 'p:a', ':', 'a\n']) assert.throws(() => el(name, 'u'), TypeError, name)
    for (const name of ['', 'a b', "a='", '1', 'a:b:c', ':a', 'a:', '-']) assert.throws(() => el('a', 'u', { [name]: 'x' }), TypeError, name)
    assert.throws(() => el('a', 'u', { xmlns: 'v' }), TypeError)
    assert.throws(() => el('a', 'u', { 'p:b': 'c' }), TypeError)
    assert.equal(el('a', '', { 'p:b': 'c', 'xmlns:p': 'u' }).toString(), "<a p:b='c' xmlns:p='u'/>")
    assert.equal(el('\u00e9l\u00e9ment', '', { 'xml:lang': 'de', _a: '1' }).toString(), "<\u00e9l\u00e9ment xml:lang='de' _a='1'/>")
  })

  it('takes its parts as they are when made the quick way', () => {
    const children = ['a']
    assert.equal(new Element('m', '', {}, children).children, children)
    assert.deepEqual(new Element('m', '').children, [])
  })
})
