import assert from 'node:assert/strict'
import fc from 'fast-check'
import { el, type Element } from '../../../server/xml/element.ts'
import { parseFrame, UNLIMITED, XmlError } from '../../../server/xml/parser.ts'
import { bySaxes, plain, read, type Plain } from './reading.ts'

const SEED = 6120

/** As ours reads a document. */
function ours(text: string): Plain | 'restricted' | undefined {
  try {
    return plain(parseFrame(text, UNLIMITED))
  } catch (e) {
    if (!(e instanceof XmlError)) throw e
    return e.condition === 'restricted-xml' ? 'restricted' : undefined
  }
}

// Bits that make right and wrong documents about equally likely.
const bit = fc.constantFrom(
  '<a>', '</a>', '<b c="d">', '</b>', '<b/>', "<p:a xmlns:p='u'>", '</p:a>', '<p:a/>', "<c xmlns='v'>", '</c>', "<c xmlns=''/>", "<d p:x='1' x='2' xmlns:p='w'/>", '<é>', '</é>',
  'text', ' ', '\n', '\r\n', '\r', '\t', '&amp;', '&lt;', '&#65;', '&#x1F600;', '&#0;', '&', ';', ']]>', ']]', '>', '<![CDATA[', '<![CDATA[x<&]]>', '😀', 'é', '\u0001', '\ufffe', '\ufeff', '\u2028', '\x7f', '\x85',
  '"', "'", '=', '/', '<', ':', "x='1'", "x = '\t1\n'", 'xml:lang="de"', '<a', '/>', "xmlns='u'", "xmlns:xml='u'", "xmlns:p=''",
)
const inTree = (inner: fc.Arbitrary<string>): fc.Arbitrary<string> => inner.map(s => `<r xmlns:p='up'>${s}</r>`)
const noise = inTree(fc.array(bit, { maxLength: 8 }).map(a => a.join('')))
const nameChar = fc.integer({ min: 0x20, max: 0x2fff }).map(c => String.fromCodePoint(c))

const character = fc.oneof(fc.constantFrom('\t', '\n', '\r', '<', '&', '>', "'", '"', ']', '\ufffd', '\u0085'), fc.integer({ min: 0x20, max: 0xd7ff }).map(c => String.fromCharCode(c)), fc.integer({ min: 0x10000, max: 0x10ffff }).map(c => String.fromCodePoint(c)))
const words = fc.array(character, { maxLength: 12 }).map(a => a.join(''))
const name = fc.constantFrom('a', 'body', 'x', 'é', '_', 'a-b.c', '__proto__', 'constructor', 'xmlns')
const ns = fc.oneof(fc.constantFrom('', 'jabber:client', 'urn:x', 'http://www.w3.org/XML/1998/namespace'), words.filter(s => s !== ''))
const attrs = fc.array(fc.tuple(fc.constantFrom('to', 'id', 'xml:lang', '__proto__', 'é'), words), { maxLength: 4 }).map(pairs => {
  const o: Record<string, string> = Object.create(null) as Record<string, string> // nothing inherited
  for (const [key, value] of pairs) o[key] = value
  return o
})
const treeOf = (namespace: fc.Arbitrary<string>): fc.Arbitrary<Element> => fc.letrec<{ e: Element }>(tie => ({
  e: fc.tuple(name, namespace, attrs, fc.array(fc.oneof({ depthSize: 'small', withCrossShrink: true }, words, tie('e')), { maxLength: 4 })).map(([n, s, a, c]) => el(n, s, a, ...c)),
})).e
const tree = treeOf(ns)

/** What both say of a text; where XMPP forbids it, it may be right or wrong XML otherwise. */
function agree(text: string): void {
  const [mine, theirs] = [ours(text), bySaxes(text)]
  if (mine === 'restricted') assert.ok(theirs === undefined || theirs === 'restricted', text)
  else assert.deepEqual(mine, theirs, text)
}

/** As it comes back: texts side by side are one, and an empty one is none. */
function merged(p: Plain): Plain {
  if (typeof p === 'string') return p
  const children: Plain[] = []
  for (const c of p.children.map(merged)) {
    if (c === '') continue
    const last = children.at(-1)
    if (typeof c === 'string' && typeof last === 'string') children[children.length - 1] = last + c
    else children.push(c)
  }
  return { ...p, children }
}

describe('the parser and saxes', () => {
  it('SEC-X13 SEC-X14 agree on what is a document, and on what it says', () => {
    fc.assert(fc.property(noise, agree), { seed: SEED, numRuns: 4_000 })
  })

  it('agree on which names there are', () => {
    fc.assert(fc.property(nameChar, nameChar, (a, b) => {
      for (const text of [`<r><${a}/></r>`, `<r><a${a}${b}/></r>`, `<r ${a}='x'/>`, `<r a${b}='x'/>`]) agree(text)
    }), { seed: SEED, numRuns: 1_000 })
  })

  it('SEC-X07 agree on every single character', () => {
    for (let c = 0; c < 0x3000; c++) {
      const s = String.fromCharCode(c)
      for (const text of [`<r>${s}</r>`, `<r a='${s}'/>`]) agree(text)
    }
  })

  it('SEC-X27 agree on every tree that we write', () => {
    const trimmed = treeOf(ns.filter(s => s.trim() === s)) // saxes takes the space off the ends of a namespace
    fc.assert(fc.property(trimmed, e => assert.deepEqual(bySaxes(e.toString()), merged(plain(e)))), { seed: SEED, numRuns: 500 })
  })
})

describe('the parser and the writer', () => {
  it('SEC-X27 SEC-X26 RFC-S19 are each other\u2019s reverse', () => {
    fc.assert(fc.property(tree, e => {
      const back = parseFrame(e.toString(), UNLIMITED)
      assert.deepEqual(plain(back), merged(plain(e)))
      assert.equal(back.toString(), parseFrame(back.toString(), UNLIMITED).toString())
    }), { seed: SEED, numRuns: 1_000 })
  })

  it('SEC-X27 are so in a stream too, in pieces of any size', () => {
    fc.assert(fc.property(fc.array(tree, { maxLength: 4 }), fc.integer({ min: 1, max: 40 }), (trees, step) => {
      const r = read(`<s xmlns='urn:none'>${trees.map(e => e.write('urn:none')).join('\n')}</s>`, { limits: UNLIMITED }, step)
      assert.equal(r.error, undefined)
      assert.deepEqual(r.elements.map(plain), trees.map(e => merged(plain(e))))
    }), { seed: SEED, numRuns: 300 })
  })

  it('SEC-X08 never let bytes through that are not UTF-8', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), bytes => {
      const text = Buffer.concat([Buffer.from('<r>'), bytes, Buffer.from('</r>')])
      let said: string | undefined
      try { said = parseFrame(text).text } catch (e) { assert.ok(e instanceof XmlError) }
      if (said !== undefined && !bytes.includes(0x26) && !bytes.includes(0x0d) && !bytes.includes(0x3c)) assert.deepEqual(Buffer.from(said), Buffer.from(bytes))
    }), { seed: SEED, numRuns: 3_000 })
  })
})
