import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { Jid, prepareLocal } from '../../../server/stanza/jid.ts'
import { Stanza } from '../../../server/stanza/stanza.ts'

interface JidVectors { valid: { jid: string; local: string; domain: string; resource: string }[]; invalid: string[] }
const vectors = JSON.parse(readFileSync(new URL('vectors/jids-jxmpp.json', import.meta.url), 'utf8')) as JidVectors // our own file

const show = (text: string): string => JSON.stringify(text)

describe('Jid', () => {
  it('RFC-J1 is split at the first slash, then at the first @ left of it', () => {
    const parts = (text: string): string[] => { const j = Jid.parse(text); return [j.local, j.domain, j.resource] }
    assert.deepEqual(parts('juliet@example.com/foo@bar'), ['juliet', 'example.com', 'foo@bar'])
    assert.deepEqual(parts('juliet@example.com/a/b'), ['juliet', 'example.com', 'a/b'])
    assert.deepEqual(parts('a.example.com/b@example.net'), ['', 'a.example.com', 'b@example.net'])
    assert.equal(Jid.tryParse('juliet＠example.com')?.local, undefined)
  })

  describe('RFC-J1 known addresses', () => {
    for (const { jid, local, domain, resource } of vectors.valid) {
      // The list is one of stringprep; RFC 7622 section 3.5 keeps ς apart from σ.
      const expected = jid.startsWith('ς') ? 'ς' : local
      it(`${show(jid)} is one`, () => {
        const parsed = Jid.parse(jid)
        assert.deepEqual([parsed.local, parsed.domain, parsed.resource], [expected, domain, resource])
      })
    }
    for (const text of vectors.invalid) {
      it(`${show(text)} is none`, () => {
        assert.equal(Jid.tryParse(text), undefined)
        assert.throws(() => Jid.parse(text), TypeError)
      })
    }
  })

  it('RFC-J2 has parts of 1 to 1023 octets after preparation', () => {
    const long = 'a'.repeat(1023)
    for (const text of [`${long}@b`, long, `a@b/${long}`]) {
      assert.equal(Jid.tryParse(text)?.full, text)
    }
    for (const text of [`${long}a@b`, `${long}a`, `a@b/${long}a`, `${'é'.repeat(512)}@b`, `a@b/${'é'.repeat(512)}`]) {
      assert.equal(Jid.tryParse(text), undefined, text.slice(0, 20))
    }
    assert.equal(Jid.parse(`${'é'.normalize('NFD').repeat(511)}@b`).local, 'é'.repeat(511)) // 1,533 octets before, 1,022 after
    for (const text of ['', '@b', 'a@', 'a@b/', '/c', '@']) assert.equal(Jid.tryParse(text), undefined, show(text))
  })

  it('RFC-J3 has a localpart of one case and none of the characters that XMPP keeps for itself', () => {
    assert.equal(Jid.parse('JuLiet@example.com').local, 'juliet')
    assert.equal(Jid.parse('ＪＵＬＩＥＴ@example.com').local, 'juliet')
    for (const c of [...`"&':<> `, '＠', '／', '＆', '\u007f', '\u00a0', '♚', 'Ⅳ', 'ﬁ', '\u200b', '\ufffd']) {
      assert.equal(Jid.tryParse(`ju${c}liet@example.com`), undefined, show(c))
    }
    assert.equal(Jid.parse('o!#$%()*+,-.;=?[\\]^_`{|}~x@example.com').local, 'o!#$%()*+,-.;=?[\\]^_`{|}~x')
  })

  it('RFC-J4 keeps the case of a resource, and makes any space an ordinary one', () => {
    assert.equal(Jid.parse('a@b/Desk Top').resource, 'Desk Top')
    assert.equal(Jid.parse('a@b/Desk\u00a0Top').resource, 'Desk Top')
    assert.equal(Jid.parse('a@b/e\u0301').resource, 'é')
    assert.equal(Jid.parse('a@b/ａ').resource, 'ａ')
    for (const c of ['\t', '\n', '\u0000', '\u007f', '\u0085', '\u200b', '\u061c', '\ue000', '\ud800']) {
      assert.equal(Jid.tryParse(`a@b/x${c}y`), undefined, show(c))
      assert.throws(() => Jid.parse('a@b').withResource(`x${c}y`), TypeError)
    }
  })

  it('RFC-J6 SEC-X37 spellings that are equal by PRECIS are one address', () => {
    for (const text of ['Böb@Bücher.Example.', 'bo\u0308b@xn--bcher-kva.example', 'ＢÖＢ@bücher。example']) {
      assert.equal(Jid.parse(text).full, 'böb@bücher.example', text)
    }
  })

  it('RFC-J6 a prepared address stays as it is when it is read again', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), fc.domain(), fc.string({ unit: 'grapheme' }), (local, domain, resource) => {
      const jid = Jid.tryParse(`${local}@${domain}/${resource}`)
      if (!jid) return
      assert.equal(Jid.parse(jid.full).full, jid.full)
      const rebuilt = Jid.of(jid.local, jid.domain, jid.resource)
      assert.deepEqual([rebuilt.local, rebuilt.domain, rebuilt.resource, rebuilt.bare], [jid.local, jid.domain, jid.resource, jid.bare])
    }))
  })

  it('is built from parts, each prepared', () => {
    assert.equal(Jid.of('Anna', 'Example.org', 'Phone').full, 'anna@example.org/Phone')
    assert.equal(Jid.of('', 'example.org').full, 'example.org')
    for (const [local, domain, resource] of [['a@b', 'c', ''], ['a', '', ''], ['a', 'b/c', ''], ['a', 'b', '\n']] as const) {
      assert.throws(() => Jid.of(local, domain, resource), TypeError)
    }
  })

  it('gives its bare address and its other resources without being read again', () => {
    const jid = Jid.parse('anna@example.org/Phone')
    assert.equal(jid.isBare, false)
    assert.equal(jid.bare, 'anna@example.org')
    assert.equal(jid.toBare().full, 'anna@example.org')
    assert.equal(jid.toBare().isBare, true)
    assert.equal(jid.toBare(), jid.toBare())
    assert.equal(jid.toBare().toBare(), jid.toBare())
    assert.equal(jid.withResource('Desk').full, 'anna@example.org/Desk')
    assert.equal(jid.withResource('').full, 'anna@example.org')
    assert.equal(`${jid}`, jid.full)
  })

  it('SEC-E14 answers the same for addresses it has forgotten', () => {
    const first = Jid.parse('First@example.org')
    for (let i = 0; i < 20_000; i++) Jid.parse(`u${i}@example.org`)
    assert.equal(Jid.parse('First@example.org').full, first.full)
    assert.equal(Jid.parse('u19999@example.org').local, 'u19999')
  })

  it('cannot break out of the attribute that it is written into', () => {
    const jid = Jid.parse(`juliet@example.com/<a b='c' d="e">&`)
    const heads = ['to', 'from'].map(side => Stanza.of('message', { type: 'chat', [side]: jid }).write())
    assert.deepEqual(heads, ['to', 'from'].map(side => `<message type='chat' ${side}='juliet@example.com/&lt;a b=&apos;c&apos; d=&quot;e&quot;&gt;&amp;'/>`))
    assert.equal(jid.toBare().quoted, 'juliet@example.com')
  })

  it('RFC-J3 prepares a bare account name', () => {
    assert.equal(prepareLocal('Anna'), 'anna')
    assert.equal(prepareLocal('anna@example.org'), undefined)
    assert.equal(prepareLocal(''), undefined)
  })
})
