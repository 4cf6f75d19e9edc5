// What operators type, and whom they mean.
import assert from 'node:assert/strict'
import { COMMANDS, commandNamed } from '../../components/helpdesk/commands.ts'
import { rightsOf, type Permission } from '../../components/helpdesk/permissions.ts'
import { helpText, match, parse, queueMeant } from '../../components/helpdesk/words.ts'

type To = 'bot' | 'conversation'
const read = (body: string, to: To = 'conversation'): string => {
  const p = parse(body, to)
  if (p.is === 'text') return `text ${JSON.stringify(p.text)}`
  if (p.is === 'refused') return 'refused'
  return [p.command.handler, ...(p.n === undefined ? [] : [`#${p.n}`]), ...Object.entries(p.args).map(([k, v]) => `${k}=${v}`)].join(' ')
}

describe('a line typed by an operator', () => {
  const table: readonly [string, string, To?][] = [
    // aliases, case, blanks
    ['!a', 'accept'], ['/a', 'accept'], ['//a', 'accept'], [' /a', 'accept'], ['!A ', 'accept'], ['!accept', 'accept'],
    ['!t cleo', 'transfer to=cleo'], ['/T cleo', 'transfer to=cleo'], ['//t cleo please help', 'transfer to=cleo comment=please help'],
    ['!t group:billing', 'transfer to=group:billing'], ['!t "Anna Smith" hi', 'transfer to=Anna Smith comment=hi'],
    ['!pause', 'off'], ['!resume support', 'on queue=support'], ['!VIEW Room', 'view as=Room'],
    // numbers
    ['!a 12', 'accept #12'], ['!a #12', 'accept #12'], ['!take 12', 'take #12', 'bot'], ['!t 12 bob', 'transfer #12 to=bob', 'bot'], ['!i 12 ben', 'invite #12 who=ben'],
    ['!c 12 words', 'coach text=12 words'], ['!c 12 words', 'coach #12 text=words', 'bot'], ['!ticket 12', 'ticket ticket=12'], ['!ticket 12', 'ticket ticket=12', 'bot'], ['!ticket #3 12', 'ticket #3 ticket=12', 'bot'],
    ['!end 12', 'end #12'], ['!obs', 'observe'],
    // several lines
    ['!c one\ntwo', 'coach text=one\ntwo'], ['!say one\n!two', 'say text=one\n!two'], ['!t bob\nmore', 'refused'], ['!a\n', 'accept'], ['!n\nlater', 'note text=\nlater'],
    // text
    ['hello', 'text "hello"'], ['/me waves', 'text "/me waves"'], ['/Me waves', 'text "/Me waves"'], ['!!bang', 'text "!bang"'], ['!', 'text "!"'], ['! a', 'text "! a"'], ['!1', 'text "!1"'],
    ['/usr/bin/env', 'text "/usr/bin/env"'], ['//host/share x', 'text "//host/share x"'], ['/ a', 'text "/ a"'], ['100 !a', 'text "100 !a"'], ['  two blanks', 'text "  two blanks"'], ['look\n!a', 'text "look\\n!a"'],
    // held back
    ['!tt bob', 'refused'], ['/x', 'refused'], ['//Unknown', 'refused'], ['!Hello, world', 'refused'], ['!über', 'refused'], ['!me x', 'refused'], ['!averyverylongwordthatisnone', 'refused'], ['!a/b', 'refused'],
    // arguments that do not fit
    ['!t', 'refused'], ['!view sideways', 'refused'], ['!max many', 'refused'], ['!c', 'refused'], ['!a x', 'refused'], ['!i ben now', 'refused'],
  ]
  for (const [body, meant, to] of table) it(`RULE-C25 ${JSON.stringify(body)}${to ? ` to the ${to}` : ''} is ${meant}`, () => assert.equal(read(body, to), meant))

  it('gets a help that lists every command, and every command has one name of its own', () => {
    const help = helpText(COMMANDS)
    for (const c of COMMANDS) {
      assert.ok(help.includes(`!${c.word}`))
      for (const w of [c.word, ...c.aliases]) assert.equal(commandNamed(w), c)
    }
  })
})

describe('a name', () => {
  const people = [
    { jid: 'anna@localhost', name: 'Anna Smith' }, { jid: 'ben@localhost', name: 'Ben' }, { jid: 'benno@localhost' }, { jid: 'cleo@partner.example', name: 'Chloë' }, { jid: 'anne@localhost', name: 'Anne' },
  ]
  const who = (asked: string): string => { const m = match(asked, people); return m.is === 'one' ? m.it.jid : m.is === 'several' ? m.all.map(p => p.jid).join(' ') : 'nobody' }
  const table: readonly [string, string][] = [
    ['ben', 'ben@localhost'], ['BEN', 'ben@localhost'], ['benno', 'benno@localhost'], ['benn', 'benno@localhost'], ['ann', 'anna@localhost anne@localhost'], ['Anna Smith', 'anna@localhost'], ['smi', 'anna@localhost'],
    ['cleo@partner.example', 'cleo@partner.example'], ['Chloë', 'cleo@partner.example'], ['Chloe\u0308', 'cleo@partner.example'], ['zoe', 'nobody'], ['', 'nobody'],
  ]
  for (const [asked, found] of table) it(`${JSON.stringify(asked)} means ${found}`, () => assert.equal(who(asked), found))
  it('of a queue stands behind group:', () => assert.deepEqual(['group:Billing', 'queue:billing', 'billing'].map(queueMeant), ['billing', 'billing', undefined]))
})

describe('a permission', () => {
  const may = (role: string, what: Permission, permissions: Record<string, boolean> = {}): boolean => rightsOf({ agent: { title: '', base: 'agent', permissions } }).get(role)?.has(what) === true

  it('RULE-C8 to act on others’ conversations is a manager’s, not an agent’s', () => {
    for (const p of ['chat.view.others', 'chat.take.others', 'chat.coach', 'status.others'] as const) assert.deepEqual([may('agent', p), may('manager', p)], [false, true])
  })
  it('ST-67 to transfer is an agent’s by default, and can be denied', () => {
    assert.equal(may('agent', 'chat.transfer'), true)
    assert.equal(may('agent', 'chat.transfer', { 'chat.transfer': false }), false)
    assert.equal(may('nobody', 'chat.serve'), false)
  })
})
