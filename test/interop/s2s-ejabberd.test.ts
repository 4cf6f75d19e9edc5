// Federation with Debian's ejabberd, a peer with a domain and a certificate of its own.
import { needs } from '../harness/machine.ts'
import { ejabberd } from './s2s-peers.ts'
import { federates } from './s2s-scenes.ts'

describe('federation with ejabberd', function () {
  this.timeout(300_000)
  before(needs('ejabberdctl'))
  federates({ domain: 'ejabberd.test', address: '127.0.0.3', ours: 'a.test', findsAll: true, hasDirect: true, dialsDirect: true, start: ejabberd })
})
