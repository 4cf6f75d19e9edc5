// Text messages as frames of RFC 6455.
import assert from 'node:assert/strict'
import { frameOf } from '../../../server/net/websocket.ts'

describe('a text message as a frame', () => {
  for (const [length, head] of [
    [0, '8100'], [1, '8101'], [125, '817d'],
    [126, '817e007e'], [255, '817e00ff'], [256, '817e0100'], [65_535, '817effff'],
    [65_536, '817f0000000000010000'], [0x1020304, '817f0000000001020304'],
  ] as const) {
    it(`has the length ${length} in its head as section 5.2 wants`, () => {
      const frame = Buffer.from(frameOf('x'.repeat(length)), 'latin1')
      assert.equal(frame.length, head.length / 2 + length)
      assert.equal(frame.toString('hex', 0, head.length / 2), head)
    })
  }

  it('counts octets, not characters', () => {
    assert.deepEqual(Buffer.from(frameOf('ßé🌙'), 'latin1'), Buffer.from('\x81\x08\xc3\x9f\xc3\xa9\xf0\x9f\x8c\x99', 'latin1'))
  })
})
