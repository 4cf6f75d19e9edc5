// Federation with Debian's Prosody, a peer with a domain and a certificate of its own.
import { needs } from '../harness/machine.ts'
import { prosody } from './s2s-peers.ts'
import { federates } from './s2s-scenes.ts'

describe('federation with Prosody', function () {
  this.timeout(60_000)
  before(needs('prosody'))
  federates({ domain: 'prosody.test', address: '127.0.0.2', ours: 'a.test', findsAll: true, start: prosody })
})
