// The bridge's small parts: buckets, origins, and a page's place in a conversation.
import assert from 'node:assert/strict'
import { Bucket, Buckets } from '../../../components/webchat/limits.ts'
import { mayAsk } from '../../../components/webchat/origin.ts'
import { Tab, type Fetch } from '../../../components/webchat/tab.ts'
import type { FromBridge, LineView } from '../../../schemas/webchat.ts'

const line = (seq: number, conversation = 1): LineView => ({ conversation, seq, at: 't', who: 'agent', text: `line ${seq}` })

describe('a token bucket', () => {
  it('gives its burst at once and its rate after, and says how long to wait', () => {
    const b = new Bucket({ rate: 2, burst: 3 }, 0)
    assert.deepEqual([1, 2, 3, 4].map(() => b.take(1, 0)), [0, 0, 0, 500])
    assert.equal(b.take(1, 500), 0)
    assert.equal(b.take(1, 500), 500)
    assert.equal(b.take(1, 100), 500, 'time that runs back gives nothing')
  })
  it('0 is none, Infinity is no limit', () => {
    assert.equal(new Bucket({ rate: 0, burst: 0 }, 0).take(1, 9e9), Infinity)
    const free = new Bucket({ rate: Infinity, burst: Infinity }, 0)
    for (let i = 0; i < 1000; i++) assert.equal(free.take(1e9, 0), 0)
    assert.equal(free.spend(1e9, 0), 0)
  })
  it('a debt is paid at the rate', () => {
    const b = new Bucket({ rate: 100, burst: 100 }, 0)
    assert.equal(b.spend(300, 0), 2000)
    assert.equal(b.spend(0, 1000), 1000)
  })
  it('each key has its own, and the number kept is bounded', () => {
    const all = new Buckets({ rate: 0.001, burst: 1 })
    assert.equal(all.take('a', 0), 0)
    assert.ok(all.take('a', 0) > 0)
    assert.equal(all.take('b', 0), 0)
    for (let i = 0; i < 20_000; i++) assert.equal(all.take(`k${i}`, 0), 0)
  })
})

describe('who may ask', () => {
  it('SEC-H03 our own origin, its https face, and those listed; exactly', () => {
    const own = 'http://help.example:8080'
    const listed = ['https://shop.example.org']
    for (const o of [own, 'https://help.example:8080', ...listed]) assert.ok(mayAsk(o, own, listed), o)
    for (const o of [undefined, '', 'null', 'http://help.example', 'http://HELP.example:8080', 'https://shop.example.org.evil', 'http://shop.example.org']) assert.ok(!mayAsk(o, own, listed), o)
    assert.ok(!mayAsk('http://help.example', 'https://help.example', []), 'not down to http')
  })
})

describe('a page’s place', () => {
  const page = (record: LineView[], size = 2) => {
    const told: FromBridge[] = []
    let fetches = 0
    const fetch: Fetch = async (conversation, after) => {
      if (++fetches > 50) throw new Error('asks without end')
      const rest = record.filter(l => l.conversation === conversation && l.seq > after)
      return { complete: rest.length <= size, lines: rest.slice(0, size) }
    }
    const tab = new Tab({ address: '', tell: m => void told.push(m), close() {} }, fetch)
    return { tab, seqs: () => told.map(m => m.type === 'line' ? m.seq : 0), fetches: () => fetches }
  }

  it('fetches page by page, in order', async () => {
    const { tab, seqs } = page([1, 2, 3, 4, 5].map(n => line(n)))
    tab.goTo(1, 0)
    await tab.fill()
    assert.deepEqual(seqs(), [1, 2, 3, 4, 5])
  })
  it('lines that come while it fetches are told once', async () => {
    const record = [1, 2, 3].map(n => line(n))
    const { tab, seqs } = page(record)
    tab.goTo(1, 0)
    const filled = tab.fill()
    record.push(line(4))
    tab.line(line(4))
    tab.line(line(2))
    await filled
    assert.deepEqual(seqs(), [1, 2, 3, 4])
  })
  it('a gap in the record ends the asking', async () => {
    const { tab, seqs } = page([line(1), line(3)], 10)
    tab.goTo(1, 0)
    await tab.fill()
    assert.deepEqual(seqs(), [1])
  })
  it('goes on to a newer conversation, never back', async () => {
    const { tab, seqs } = page([])
    tab.goTo(1, 3)
    tab.line(line(1, 2))
    tab.line(line(4, 1))
    assert.deepEqual(seqs(), [1])
  })
})
