// How calls travel to the store's thread: what is taken apart there is what was put together here.
import assert from 'node:assert/strict'
import { Packer, unpack, type Arg, type Call, type CallName } from '../../../server/store/sqlite/protocol.ts'

const travel = (packer: Packer): Call[] => {
  const calls: Call[] = []
  unpack(structuredClone(packer.take()), calls)
  return calls
}

describe('calls on their way to the store', () => {
  it('arrive as they were made: texts, numbers, nothing, and what two calls in a row end with', () => {
    const packer = new Packer()
    const calls: [CallName, Arg[]][] = [
      ['archive.append', ['a@x', 'id1', 1_780_000_000_000, 'b@x', '<message/>']],
      ['archive.append', ['b@x', 'id2', 1_780_000_000_000, 'a@x', '<message/>']], // the same once more
      ['archive.append', ['<message/>', '', 0.5, '<message/>', 'ß🌙']], // in other places
      ['documents.get', ['o', 'c', 'ß🌙']],
      ['documents.put', ['o', 'c', 'i', '{}', undefined]],
      ['documents.put', ['o', 'c', 'i', '{}', undefined]],
      ['rosters.forget', []],
      ['archive.expire', ['o', -1, Infinity]],
      ['archive.expire', ['Infinity', -3, Infinity]],
    ]
    for (const [name, args] of calls) packer.add(name, args)
    assert.deepEqual(travel(packer), calls.map(([name, args]) => ({ name, args })))
  })

  it('begin anew with each group, and may be any number', () => {
    const packer = new Packer()
    for (const count of [3, 20_000, 1]) {
      const calls = Array.from({ length: count }, (_, n) => ({ name: 'offline.push' as const, args: [`o${n}`, n, n % 3 ? 'again' : `text ${n}`] }))
      for (const { name, args } of calls) packer.add(name, args)
      assert.deepEqual(travel(packer), calls)
    }
    assert.deepEqual(travel(packer), [])
  })
})
