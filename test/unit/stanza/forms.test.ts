import assert from 'node:assert/strict'
import { form, isTrue, NS_DATA, readForm } from '../../../server/stanza/forms.ts'
import { el, type Element } from '../../../server/xml/element.ts'

const value = (text: string): Element => el('value', NS_DATA, {}, text)
const field = (attrs: Record<string, string>, ...children: Element[]): Element => el('field', NS_DATA, attrs, ...children)
const x = (type: string, ...children: Element[]): Element => el('x', NS_DATA, { type }, ...children)

describe('a data form', () => {
  it('is written as XEP-0004 has it', () => {
    const made = form({
      type: 'form',
      formType: 'urn:x',
      title: 'Transfer',
      instructions: 'Choose somebody.\nOr a queue.',
      fields: [
        { type: 'fixed', value: 'To whom?' },
        { var: 'agent', type: 'jid-single', label: 'Agent', required: true },
        { var: 'queue', type: 'list-single', value: 'billing', options: ['support', { label: 'Billing & refunds', value: 'billing' }] },
        { var: 'note', type: 'text-multi', desc: 'Only Ben sees it', value: 'one\r\ntwo\n' },
        { var: 'quiet', type: 'boolean', value: false },
        { var: 'name', value: 'no\nbreak' },
      ],
    })
    assert.equal(made.toString(), [
      "<x xmlns='jabber:x:data' type='form'>",
      '<title>Transfer</title>',
      '<instructions>Choose somebody.</instructions><instructions>Or a queue.</instructions>',
      "<field var='FORM_TYPE' type='hidden'><value>urn:x</value></field>",
      "<field type='fixed'><value>To whom?</value></field>",
      "<field var='agent' type='jid-single' label='Agent'><required/></field>",
      "<field var='queue' type='list-single'><value>billing</value><option label='support'><value>support</value></option>",
      "<option label='Billing &amp; refunds'><value>billing</value></option></field>",
      "<field var='note' type='text-multi'><desc>Only Ben sees it</desc><value>one</value><value>two</value><value></value></field>",
      "<field var='quiet' type='boolean'><value>0</value></field>",
      "<field var='name' type='text-single'><value>no break</value></field>",
      '</x>',
    ].join(''))
  })

  it('is read back as it was made', () => {
    const read = readForm(form({ type: 'submit', formType: 'urn:x', fields: [{ var: 'a', value: ['1', '2'], type: 'list-multi' }, { var: 'b', value: true, type: 'boolean' }, { var: 'c' }] }))
    assert.equal(read?.type, 'submit')
    assert.equal(read?.formType, 'urn:x')
    assert.deepEqual([...read!.values], [['a', ['1', '2']], ['b', ['1']], ['c', []]])
    assert.equal(isTrue(read?.values.get('b')), true)
  })

  it('COMPAT Gajim: a whole form sent back is read for its values alone', () => {
    const read = readForm(x('submit',
      el('title', NS_DATA, {}, 'Transfer'), el('instructions', NS_DATA, {}, 'Choose.'),
      field({ type: 'fixed' }, value('To whom?')),
      field({ type: 'list-single', var: 'queue', label: 'Queue' }, el('required', NS_DATA), value('billing'),
        el('option', NS_DATA, { label: 'Support' }, value('support')), el('option', NS_DATA, { label: 'Billing' }, value('billing'))),
      field({ type: 'hidden', var: 'FORM_TYPE' }, value('urn:x'))))
    assert.deepEqual([...read!.values], [['queue', ['billing']]])
    assert.equal(read!.formType, 'urn:x')
  })

  it('COMPAT Pidgin: the empty value after a text of several lines is none of it', () => {
    const values = readForm(x('submit',
      field({ var: 'note' }, value('one'), value(''), value('two'), value('')),
      field({ var: 'empty' }, value('')),
      field({ var: 'blank' }, value(''), value(''))))?.values
    assert.deepEqual(values?.get('note'), ['one', '', 'two'])
    assert.deepEqual(values?.get('empty'), [''])
    assert.deepEqual(values?.get('blank'), [''])
  })

  it('has one value list for each name: the first; others\' elements are not its fields', () => {
    const values = readForm(x('submit',
      field({ var: 'a' }, value('1')), field({ var: 'a' }, value('2')), field({ var: '' }, value('3')),
      el('field', 'urn:other', { var: 'b' }, value('4')), field({ var: 'c' }, el('value', 'urn:other', {}, '5'))))?.values
    assert.deepEqual([...values!], [['a', ['1']], ['c', []]])
  })

  it('names as in any object do no harm', () => {
    const values = readForm(x('submit', field({ var: '__proto__' }, value('1')), field({ var: 'constructor' }, value('2'))))?.values
    assert.deepEqual([...values!], [['__proto__', ['1']], ['constructor', ['2']]])
  })

  it('may be a cancel, and nothing else is a form', () => {
    assert.equal(readForm(x('cancel'))?.type, 'cancel')
    assert.equal(readForm(x('sumbit')), undefined)
    assert.equal(readForm(el('x', NS_DATA)), undefined)
    assert.equal(readForm(el('x', 'urn:other', { type: 'submit' })), undefined)
    assert.equal(readForm(undefined), undefined)
  })

  it('a boolean is 1, true, 0 or false', () => {
    assert.deepEqual([['1'], ['true'], ['0'], ['false'], [' 1 '], ['yes'], [''], [], undefined].map(isTrue),
      [true, true, false, false, true, undefined, undefined, undefined, undefined])
  })
})
