import assert from 'node:assert/strict'
import { LIMITS, parseFrame, Parser, UNLIMITED, type Limits } from '../../../server/xml/parser.ts'
import { HEADER, inside, read, type Reading } from './reading.ts'

const nested = (levels: number): string => '<a>'.repeat(levels) + '</a>'.repeat(levels)
const exceeds = (r: Reading, limit: keyof Limits): void => {
  assert.equal(r.error?.condition, 'policy-violation')
  assert.equal(r.error.exceeded, limit)
  assert.deepEqual(r.elements, [])
}
const accepted = (r: Reading): void => {
  assert.equal(r.error, undefined)
  assert.equal(r.elements.length, 1)
}

describe('the limits of a stanza', () => {
  it('SEC-X29 hold on how deep elements nest', () => {
    accepted(inside(nested(64)))
    exceeds(inside(nested(65)), 'depth')
    exceeds(inside('<a>'.repeat(20_000)), 'depth')
    accepted(inside(`<a>${'<b/>'.repeat(3)}</a>`, { limits: { depth: 2 } }))
    exceeds(inside('<a><b><c/></b></a>', { limits: { depth: 2 } }), 'depth')
  })

  it('SEC-X29 leave no tree that is too deep to be walked, even when lifted', () => {
    exceeds(inside(nested(20_000), { limits: UNLIMITED }), 'depth')
    const r = inside(nested(1_500), { limits: UNLIMITED })
    accepted(r)
    assert.equal(r.elements[0]!.write('jabber:client'), nested(1_500).replace('<a></a>', '<a/>'))
  })

  it('SEC-X30 hold on elements, attributes, declarations and what an attribute is long', () => {
    const attrs = (n: number): string => Array.from({ length: n }, (_, i) => ` a${i}='x'`).join('')
    const declarations = (n: number): string => Array.from({ length: n }, (_, i) => ` xmlns:a${i}='u'`).join('')
    accepted(inside(`<m>${'<a/>'.repeat(1_999)}</m>`))
    exceeds(inside(`<m>${'<a/>'.repeat(2_000)}</m>`), 'elements')
    accepted(inside(`<m${attrs(64)}/>`))
    exceeds(inside(`<m${attrs(65)}/>`), 'attributes')
    accepted(inside(`<m${declarations(32)}${attrs(64)}/>`))
    exceeds(inside(`<m${declarations(33)}/>`), 'namespaces')
    accepted(inside(`<m a='${'x'.repeat(8_192)}'/>`))
    exceeds(inside(`<m a='${'x'.repeat(8_193)}'/>`), 'attributeBytes')
    exceeds(inside(`<m a='${'\u00e9'.repeat(4_097)}'/>`), 'attributeBytes')
    exceeds(inside(`<m xmlns='${'x'.repeat(16_384)}'/>`), 'attributeBytes')
  })

  it('SEC-X30 count anew for each stanza', () => {
    const r = inside(`<m>${'<a/>'.repeat(1_500)}</m>`.repeat(5))
    assert.equal(r.error, undefined)
    assert.equal(r.elements.length, 5)
  })

  it('SEC-X31 end a flood of small elements', () => {
    exceeds(inside(`<m>${'<a/>'.repeat(65_536)}</m>`), 'elements')
  })

  it('SEC-X32 cost no more for an attribute that comes byte by byte', () => {
    const text = `<m a='${'x'.repeat(262_144 - 9)}'/>`
    accepted(inside(text, { limits: { attributeBytes: Infinity } }, 1))
    accepted(inside(`<m><![CDATA[${'x]]'.repeat(70_000)}]]></m>`, { limits: { attributeBytes: Infinity } }, 1))
    accepted(inside(`<m>${'x&amp;'.repeat(40_000)}</m>`, {}, 1))
  })

  it('SEC-X33 end what never ends, at the byte behind the limit', () => {
    for (const [start, endless] of [["<message to='", 'x'], ['<m>&', 'x'], ['<m>', 'x'], ['<m ', ' '], ['<', 'x'], ['<m></m', ' '], ['<m><![CDATA[', ']'], ["<m xmlns:p='u' p:", 'x']] as const) {
      for (const step of [1, 7, 1_000, Infinity]) {
        const limits = { bytes: 5_000, attributeBytes: Infinity }
        const open = inside(start + endless.repeat(5_000 - start.length), { limits }, step)
        assert.equal(open.error, undefined, start)
        exceeds(inside(start + endless.repeat(5_001 - start.length), { limits }, step), 'bytes')
      }
    }
    exceeds(inside(`<message to='${'x'.repeat(8_193)}`), 'attributeBytes')
    exceeds(inside(`<message to='${'x'.repeat(8_193)}`, {}, 1), 'attributeBytes')
    exceeds(read(`<stream:stream to='${'x'.repeat(10_000)}`, { limits: { bytes: 10_000, attributeBytes: Infinity } }), 'bytes')
    exceeds(read(`<?xml version='1.0' ${' '.repeat(10_000)}`, { limits: { bytes: 10_000 } }), 'bytes')
  })

  it('SEC-X34 are smaller before authentication and larger after it', () => {
    const before = { bytes: 10_000, elements: 64 }
    const of = (bytes: number): string => `<auth>${'x'.repeat(bytes - 13)}</auth>`
    accepted(inside(of(10_000), { limits: before }))
    exceeds(inside(of(10_001), { limits: before }), 'bytes')
    exceeds(inside(`<m>${'<a/>'.repeat(64)}</m>`, { limits: before }), 'elements')

    const names: string[] = []
    const parser = new Parser({ open() {}, element(e) { names.push(e.name); parser.setLimits(LIMITS) }, close() {} }, { limits: before })
    parser.writeText(`${HEADER}<auth/>${of(20_000)}`)
    assert.deepEqual(names, ['auth', 'auth'])
  })

  it('SEC-X35 RFC-S12 are in bytes, from < to >, exactly, however it is cut', () => {
    for (const filler of ['x', '\u00e9', '\u20ac', '\u{1f600}', '&amp;']) {
      const size = Buffer.byteLength(filler)
      const text = `<message><body>${filler.repeat(1_200 / size)}</body></message>`
      const bytes = Buffer.byteLength(text)
      for (const step of [1, 3, 64, 1_230, Infinity]) {
        accepted(inside(text, { limits: { bytes } }, step))
        exceeds(inside(text, { limits: { bytes: bytes - 1 } }, step), 'bytes')
        accepted(inside(`${' '.repeat(2_000)}${text}${' '.repeat(2_000)}`, { limits: { bytes } }, step))
      }
    }
  })

  it('SEC-X35 RFC-S12 do not add up over stanzas', () => {
    for (const step of [1, 5, 100, Infinity]) {
      const r = inside(`<m>${'x'.repeat(993)}</m>\n`.repeat(50), { limits: { bytes: 1_000 } }, step)
      assert.equal(r.error, undefined)
      assert.equal(r.elements.length, 50)
    }
  })

  it('SEC-X22 RFC-S11 leave the space between stanzas alone', () => {
    const r = inside(`${' \n'.repeat(500_000)}<m/>`, { limits: { bytes: 500 } }, 1_000)
    accepted(r)
  })

  it('hold on what a stanza would be with its namespaces declared where they have to be', () => {
    const long = 'u'.repeat(8_000)
    const header = `<s:stream xmlns:s='s' xmlns='jabber:client' xmlns:p='${long}'>`
    for (const text of [
      `<m>${'<p:a/>'.repeat(1_000)}</m>`,
      `<m>${"<p:a xmlns='u'/>".repeat(1_000)}</m>`,
      `<m>${"<a p:b='c'/>".repeat(1_000)}</m>`,
      `<m xmlns='${long}'><q:a xmlns:q='u'>${'<a/>'.repeat(1_000)}</q:a></m>`,
    ]) {
      exceeds(read(header + text), 'bytes')
      exceeds(read(header + text, {}, 100), 'bytes')
    }
    for (const text of [`<m>${'<p:a/>'.repeat(30)}</m>`, `<p:m>${'<p:a/>'.repeat(1_000)}</p:m>`, `<m>${"<a xmlns:q='urn:q' q:b='c'/>".repeat(1_000)}</m>`]) {
      const r = read(header + text)
      accepted(r)
      assert.ok(Buffer.byteLength(String(r.elements[0])) < 2 * LIMITS.bytes)
    }
  })

  it('mean nothing at all by 0, and no end by Infinity', () => {
    exceeds(inside('<m/>', { limits: { elements: 0 } }), 'elements')
    exceeds(inside('<m/>', { limits: { depth: 0 } }), 'depth')
    exceeds(read('<m/>', { limits: { bytes: 0 } }), 'bytes')
    exceeds(read("<m a='b'/>", { limits: { attributes: 0 } }), 'attributes')
    exceeds(read("<m xmlns='b'/>", { limits: { namespaces: 0 } }), 'namespaces')
    exceeds(read("<m a='b'/>", { limits: { attributeBytes: 0 } }), 'attributeBytes')
    const big = `<m a='${'x'.repeat(600_000)}'>${'<a/>'.repeat(5_000)}</m>`
    accepted(inside(big, { limits: UNLIMITED }))
    assert.equal(parseFrame(big, UNLIMITED).elements.length, 5_000)
  })
})
