// Federation with Debian's ejabberd, a peer with a domain and a certificate of its own.
import { needs } from '../harness/machine.ts'
import { ejabberd } from './s2s-peers.ts'
import { federates } from './s2s-scenes.ts'

describe('federation with ejabberd', function () {
  this.timeout(60_000)
  before(needs('ejabberdctl'))
  // It asks the machine where a domain is, and the machine knows one of ours without a DNS.
  federates({ domain: 'ejabberd.test', address: '127.0.0.3', ours: 'localhost', start: ejabberd })
})
