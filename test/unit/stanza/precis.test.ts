import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { opaqueString, prepareDomain, readByStringprep, sameForStringprep, usernameCaseMapped } from '../../../server/stanza/precis.ts'

type PrecisVectors = Record<string, { profile: 'usernameCaseMapped' | 'opaqueString'; cases: { input: string; output: string | null }[] }>
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`vectors/${name}`, import.meta.url), 'utf8'))
const precis = read('precis-x-text.json') as PrecisVectors // our own file
const idna = read('idna-sample.json') as [string, string | null][] // our own file

const PROFILES = { usernameCaseMapped, opaqueString }
const show = (text: string): string => JSON.stringify(text).replace(/[^\x20-\x7E]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

describe('PRECIS', () => {
  for (const [name, { profile, cases }] of Object.entries(precis)) {
    it(`RFC-J3 RFC-J4 ${name}: ${cases.length} known answers`, () => {
      for (const { input, output } of cases) assert.equal(PROFILES[profile](input), output ?? undefined, show(input))
    })
  }

  it('RFC-J3 a name with right-to-left letters obeys the bidi rule', () => {
    for (const name of ['שלום', 'שלום1', 'שלום-שלום', 'سلام٣']) assert.equal(usernameCaseMapped(name), name)
    for (const name of ['1שלום', 'שלוםa', 'aשלום', 'שלום٣1', 'שלום-']) assert.equal(usernameCaseMapped(name), undefined, name)
  })

  it('RFC-J3 letters may be new, but not unassigned, private or half a character', () => {
    assert.equal(usernameCaseMapped('\u{1E4D0}'), '\u{1E4D0}') // Nag Mundari, Unicode 15
    for (const c of ['\u0378', '\ue000', '\ud800', '\ufdd0', '\u1100', '\u0640']) assert.equal(usernameCaseMapped(`a${c}b`), undefined, show(c))
  })

  it('RFC-J4 an opaque text may hold symbols, but nothing invisible', () => {
    assert.equal(opaqueString('♚ 🍺 Ⅳ'), '♚ 🍺 Ⅳ')
    for (const c of ['\u00ad', '\u2060', '\ufeff', '\u202e', '\ufe0f', '\ue000', '\u2028']) assert.equal(opaqueString(`a${c}b`), undefined, show(c))
  })

  it('RFC-J6 tells the names that an older peer would read as others', () => {
    for (const name of ['anna', 'müller', 'ılgaz', 'πa', 'ΐ', 'анна', '愛']) assert.equal(sameForStringprep(name), true, name)
    for (const [name, other] of [['straße', 'strasse'], ['γιώργος', 'γιώργοσ'], ['क्\u200dष', 'क्ष']] as const) {
      assert.equal(usernameCaseMapped(name), name)
      assert.equal(sameForStringprep(name), false, name)
      assert.equal(readByStringprep(name), other)
    }
  })
})

describe('a domain', () => {
  it(`RFC-J5 is mapped as in ${idna.length} known answers`, () => {
    for (const [input, output] of idna) assert.equal(prepareDomain(input), output ?? undefined, show(input))
  })

  it('RFC-J5 loses one trailing dot, its case and its A-labels', () => {
    assert.equal(prepareDomain('Example.ORG.'), 'example.org')
    assert.equal(prepareDomain('example.org。'), 'example.org')
    assert.equal(prepareDomain('XN--BCHER-KVA.example'), 'bücher.example')
    assert.equal(prepareDomain('Ｅxample.org'), 'example.org')
    assert.equal(prepareDomain('localhost'), 'localhost')
  })

  it('RFC-J5 may be an address', () => {
    for (const text of ['127.0.0.1', '[::1]', '[2001:db8::a]', '[::ffff:192.0.2.1]', '[fe80::1%eth0]']) assert.equal(prepareDomain(text), text)
    assert.equal(prepareDomain('[2001:DB8::A]'), '[2001:db8::a]')
    for (const text of ['[]', '[::g]', '[::1', '::1', '[127.0.0.1]', '[::1]:5222', '[::1%]', '[::1]x']) assert.equal(prepareDomain(text), undefined, text)
  })

  it('RFC-J5 is nothing else', () => {
    for (const text of ['', '.', '..', 'a..b', '.a', 'a.b..', '-a', 'a-', 'a b', 'a_b', 'a@b', 'a/b', 'a＠b', 'a／b', 'xn--a', 'ab--c', '♥.example', 'a\u0000', 'a:5222']) {
      assert.equal(prepareDomain(text), undefined, show(text))
    }
  })
})
