// The example receiver hears what happens at the desk of a real server, and believes nobody else.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { freePorts } from '../harness/ports.ts'
import { RealHouse } from './house.ts'
import { Program } from './program.ts'

const RECEIVER = join(import.meta.dirname, '../../examples/webhook')

describe('the example receiver of webhooks', function () {
  this.timeout(300_000)
  let house: RealHouse, receiver: Program, at: string, secret: string

  before(async () => {
    const [own] = await freePorts(1)
    at = `http://127.0.0.1:${own}/`
    house = await RealHouse.start(`
  help.localhost:
    helpdesk: { enabled: true, allow: [127.0.0.0/8], queues: { support: { agents: all, assign: pull } } }`, { 'anna@localhost': 'agent', 'zoe@localhost': undefined })
    const made = await house.asks('POST', '/webhooks', { url: at, types: ['*'] })
    assert.equal(made.status, 201);
    ({ secret } = await made.json() as { secret: string })
    receiver = await Program.start(process.execPath, ['main.js'], /listening/, { cwd: RECEIVER, env: { SECRET: secret, PORT: String(own) } })
  })
  after(async () => {
    await receiver?.[Symbol.asyncDispose]()
    await house?.[Symbol.asyncDispose]()
  })

  it('hears of a conversation from its beginning to its end', async () => {
    const anna = await house.person('anna@localhost/desk')
    await anna.actor.fence()
    const zoe = await house.person('zoe@localhost/one')
    zoe.types('support@help.localhost', 'hello')
    await receiver.says(/conversation\.opened #1 .*"queue":"support"/)
    anna.types('desk@help.localhost', '!take 1')
    await receiver.says(/conversation\.assigned #1 .*"owner":"anna@localhost"/)
    anna.types('c1@help.localhost', '!close')
    await receiver.says(/conversation\.closed #1/)
  })

  it('SEC-A09 tells a happening once, however often it comes, and nothing that is not signed', async () => {
    const body = JSON.stringify({ id: 'c9-1-0', type: 'conversation.opened', at: '2026-11-20T10:00:00.000Z', conversation: 9, data: { queue: 'twice' } })
    const sends = async (how: (t: number) => string): Promise<number> => {
      const t = Math.floor(Date.now() / 1000)
      return (await fetch(at, { method: 'POST', headers: { 'deskbell-signature': how(t) }, body })).status
    }
    const sign = (key: string) => (t: number): string => `t=${t},v1=${createHmac('sha256', key).update(`${t}.${body}`).digest('hex')}`
    assert.deepEqual([await sends(sign('guessed')), await sends(() => ''), await sends(t => sign(secret)(t - 301)), await sends(sign(secret)), await sends(sign(secret))], [401, 401, 401, 204, 204])
    assert.equal((await fetch(at)).status, 405)
    await receiver.says(/conversation\.opened #9/)
    receiver.forgets()
    assert.equal(await sends(sign(secret)), 204)
    const other = await house.person('zoe@localhost/two')
    other.types('support@help.localhost', 'again') // what is told next comes next
    await receiver.says(/^(?![\s\S]*#9)[\s\S]*conversation\.opened #2/)
  })
})
