// How fast another server is read: what only time shows.
import assert from 'node:assert/strict'
import { Papers, Town } from '../wire/s2s-houses.ts'
import { logsIn } from '../wire/s2s-stranger.ts'

describe('another server that floods', () => {
  it('SEC-C17 is read at 100 KiB a second after the first MiB, and nobody else waits for it', async () => {
    using papers = new Papers()
    const theirs = papers.make('b.test', ['b.test'])
    await using us = await Town.open('a.test', papers.make('a.test'), `{ ca: ${theirs.certificate}, targets: { b.test: "127.0.0.1:1" } }`)
    const anna = await us.actor('anna'), carl = await us.actor('carl')
    for (const a of [anna, carl]) await a.comesOnline()
    const talk = await logsIn(us.port, 'b.test', 'a.test', theirs)
    const begun = performance.now()
    for (let i = 0; i < 14; i++) talk.says(`<message from='ben@b.test' to='anna@a.test' id='${i}'><body>${'x'.repeat(100 * 1024)}</body></message>`)
    for (let i = 0; i < 10; i++) await anna.receives`<message id='${i}'/>`
    const asked = performance.now()
    await carl.fence()
    assert.ok(performance.now() - asked < 200, 'a local ping is answered at once')
    for (let i = 10; i < 14; i++) await anna.receives`<message id='${i}'/>`
    const took = performance.now() - begun
    assert.ok(took > 2_500 && took < 8_000, `1.4 MiB took ${Math.round(took)} ms`)
    talk.leaves()
  })
})
