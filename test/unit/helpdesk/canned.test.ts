// Canned replies: short-cuts, whose they are, placeholders in one pass, preview.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { cannedFor, cannedIn, cannedList, expand, readCanned, type Canned } from '../../../components/helpdesk/canned.ts'

const hi: Canned = { shortcut: 'hi1', title: 'Hello', text: 'Hi %VISITOR%, I am %OPERATOR%.' }
const mine = cannedFor([hi], { operator: 'bob@x' })
const alice = { visitor: 'Alice', operator: 'Bob' }
const commands = new Set(['a', 'close'])
const read = (c: Canned): Canned | { wrong: string } => readCanned(c, w => commands.has(w))

describe('canned replies', () => {
  it('OM-13 a short-cut alone on a line stands for its text, in any case, with the command sign or without', () => {
    for (const typed of ['hi1', 'HI1', ' hi1 ', 'hi1\n', '!hi1', '/hi1', '//hi1']) assert.deepEqual(cannedIn(typed, mine), { is: 'send', canned: hi }, JSON.stringify(typed))
    for (const typed of ['hi12', 'say hi1', 'hi1 there', 'hi 1', '', 'text\nhi1']) assert.equal(cannedIn(typed, mine), undefined, JSON.stringify(typed))
  })

  it('OM-14 what is stored is checked, and the words say what to write', () => {
    assert.deepEqual(read({ ...hi, shortcut: 'Grüße-2' }), { ...hi, shortcut: 'grüße-2' })
    const wrong = (c: Partial<Canned>): string => { const r = read({ ...hi, ...c }); return 'wrong' in r ? r.wrong : '' }
    for (const shortcut of ['', 'two words', '!hi', 'x'.repeat(33), 'a/b']) assert.match(wrong({ shortcut }), /^shortcut:.*hi1/, shortcut)
    assert.match(wrong({ shortcut: 'Close' }), /is a command/)
    assert.match(wrong({ title: ' ' }), /^title/)
    assert.match(wrong({ text: '' }), /^text/)
    assert.match(wrong({ text: 'x'.repeat(4001) }), /4000/)
  })

  it('OM-15 %VISITOR% becomes the visitor’s name', () => {
    assert.equal(expand('Hi %VISITOR%', alice), 'Hi Alice')
    assert.equal(expand('%visitor%%VISITOR%', alice), 'AliceAlice')
  })

  it('OM-16 %OPERATOR% becomes the operator’s name, and fields come in by their names', () => {
    assert.equal(expand(hi.text, alice), 'Hi Alice, I am Bob.')
    assert.equal(expand('%ORDER NUMBER% %order_number% %Order-Number% %EMAIL%', { ...alice, fields: { 'Order number': '17', email: '' } }), '17 17 17 ')
    assert.equal(expand('100% of %NOTHING%, 5%, % VISITOR%', alice), '100% of %NOTHING%, 5%, % VISITOR%', 'what is no placeholder stays')
  })

  it('OM-17 nobody is shown the short-cut: with more lines behind it, it is held back from the customer', () => {
    const found = cannedIn('hi1\nand more', mine)
    assert.equal(found?.is, 'refused')
    assert.match(found?.is === 'refused' ? found.because : '', /line of its own.*!say/)
  })

  it('ST-45 replies are listed by group and found by words; one’s own come before the queue’s, the queue’s before everybody’s', () => {
    const all: Canned[] = [
      hi,
      { shortcut: 'hi1', title: 'Billing hello', text: 'Money?', queues: ['billing'] },
      { shortcut: 'hi1', title: 'My hello', text: 'Yo', owner: 'bob@x' },
      { shortcut: 'bye', title: 'Bye', text: 'Goodbye, money well spent', group: 'Ends' },
      { shortcut: 'iban', title: 'Account', text: 'DE00', queues: ['billing'] },
    ]
    const titles = (operator: string, queue?: string): string[] => cannedList(cannedFor(all, { operator, queue }).values()).map(c => c.title)
    assert.deepEqual(titles('bob@x', 'billing'), ['My hello', 'Account', 'Bye'])
    assert.deepEqual(titles('ann@x', 'billing'), ['Billing hello', 'Account', 'Bye'])
    assert.deepEqual(titles('ann@x', 'support'), ['Hello', 'Bye'])
    assert.deepEqual(cannedFor(all.toReversed(), { operator: 'bob@x', queue: 'billing' }).get('hi1')?.title, 'My hello', 'in whatever order they are stored')
    assert.deepEqual(cannedList(all, 'MONEY good').map(c => c.shortcut), ['bye'])
  })

  it('RULE-C5 the short-cut alone sends, `!c?` shows the text to the agent only', () => {
    assert.deepEqual(cannedIn('hi1', mine), { is: 'send', canned: hi })
    for (const typed of ['!c? hi1', '/c? HI1', '!C?  hi1 ', '!c? !hi1']) assert.deepEqual(cannedIn(typed, mine), { is: 'preview', canned: hi }, typed)
    assert.deepEqual(cannedIn('!c? h', mine), { is: 'refused', because: 'Which one? hi1' })
    assert.deepEqual(cannedIn('!c? nope', mine), { is: 'refused', because: 'There is no such canned reply.' })
    assert.equal(cannedIn('!c hi1', mine), undefined, 'coaching is another thing')
  })

  it('SEC-W09 what a customer writes is put in once and never read as a template', () => {
    for (const visitor of ['{{7*7}}', '${7*7}', '<%=1%>', '%OPERATOR%', '%VISITOR%', '$&', '$1', "{{constructor.constructor('x')()}}"]) {
      assert.equal(expand('Hi %VISITOR%!', { visitor, operator: 'Bob' }), `Hi ${visitor}!`)
      assert.equal(expand('%A%%VISITOR%', { visitor: 'V', operator: 'Bob', fields: { a: visitor } }), `${visitor}V`)
    }
    assert.equal(expand('%__PROTO__% %CONSTRUCTOR% %TOSTRING%', alice), '%__PROTO__% %CONSTRUCTOR% %TOSTRING%')
    fc.assert(fc.property(fc.string(), fc.string(), (visitor, operator) => { assert.equal(expand('%VISITOR%|%OPERATOR%', { visitor, operator }), `${visitor}|${operator}`) }))
  })

  it('SEC-W09 a field cannot take the place of a name', () => {
    assert.equal(expand('%OPERATOR%', { ...alice, fields: { operator: 'The Boss', OPERATOR: 'x' } }), 'Bob')
  })
})
