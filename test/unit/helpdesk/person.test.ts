// Who is meant by words: what goes with an erasure, and what stays because it is about somebody else.
import assert from 'node:assert/strict'
import { isNamed, type Person } from '../../../components/helpdesk/records/person.ts'

const lea: Person = { customer: { id: 'x', jid: 'lea@localhost', name: 'Lea Stone', bridged: false }, numbers: new Set([7]), names: ['Lea Stone'], emails: ['lea@ex.org'], said: ['my printer smells of smoke'] }

describe('words about a person', () => {
  it('SEC-W27 are those with the address, wherever it stands in a line', () => {
    for (const text of ['lea@localhost', 'write to LEA@ex.org.', 'Ask <lea@ex.org>, please', 'xmpp:lea@localhost?message', '- lea@ex.org', '_lea@ex.org_', 'lea@localhost/phone']) assert.ok(isNamed(lea, text, 3), text)
  })

  it('SEC-W27 are not those with an address in which hers is a part', () => {
    for (const text of ['#4 waits: azalea@localhost', 'lea@ex.org.uk asks', 'mary-lea@ex.org', 'o.lea@localhost', 'lea@localhosts', 'lea@ex.org-shop.com', 'x+lea@ex.org']) assert.ok(!isNamed(lea, text), text)
    assert.ok(isNamed(lea, 'azalea@localhost, then lea@localhost', 3))
  })
})
