// Who guesses passwords learns nothing, and keeps nobody out.
import assert from 'node:assert/strict'
import net from 'node:net'
import { tokenKeeper } from '../../app/tokens.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import { Actor, House } from '../harness/scene.ts'
import { finish } from '../unit/sasl/client.ts'
import { authenticate, inHouse, plain, SASL } from './sasl2-client.ts'

const HEADER = "<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"

describe('who guesses a password', () => {
  it('SEC-T18 is told the same of somebody who is here as of nobody, by every mechanism, step by step, and over REST', inHouse(async (house, door) => {
    const heard: Record<string, string[]> = { romeo: [], nobody: [] }
    for (const local of ['romeo', 'nobody']) {
      const say = (text: string): void => { heard[local]!.push(text.replaceAll(local, 'NAME').replace(/r=[^,]+,s=[^,]+/g, 'r,s').replace(/id=['"][^'"]*['"]/g, 'id')) }
      const c = await door({ from: '' })
      c.says(authenticate('PLAIN', plain(local, 'wrong')))
      say(String(await c.next()))
      for (const hash of ['sha-1', 'sha-256', 'sha-512'] as const) {
        const bare = `n=${local},r=fyko+d2lbbFgONRv9qkxdawL`
        c.says(`<auth xmlns='${SASL}' mechanism='SCRAM-${hash.toUpperCase()}'>${btoa(`n,,${bare}`)}</auth>`)
        const challenge = atob((await c.receives`<challenge xmlns='${SASL}'/>`).getText())
        const { final } = finish(hash, bare, challenge, Buffer.from('n,,'), 'wrong')
        say(challenge.replace(/s=([^,]+)/, (_, s: string) => `s=${s.length} characters`).replace(/r=[^,]+/, ''))
        c.says(`<response xmlns='${SASL}'>${btoa(final)}</response>`)
        say(String(await c.next()))
      }
      const keeper = tokenKeeper(house.stores, 'localhost', house.clock, 4096)
      say(String(await keeper.signIn(`${local}@localhost`, 'wrong')))
    }
    assert.deepEqual(heard['romeo'], heard['nobody'])
    assert.equal(heard['romeo']!.length, 8)
  }))

  it('SEC-T21 from fifty addresses does not lock the account: from a clean one its owner comes in at once', async () => {
    const free = { rate: Infinity, burst: Infinity }
    await using house = await House.open({ limits: { connections: { ...defaultLimits.connections, newPerAddress: free } } })
    await house.account('romeo')
    const guesses = async (from: string): Promise<void> => {
      const socket = net.connect({ port: house.port, host: '127.0.0.1', localAddress: from })
      socket.on('error', () => {})
      let said = ''
      const until = (text: RegExp, count: number): Promise<void> => new Promise((ok, no) => {
        const look = (): void => { if ((said.match(text)?.length ?? 0) >= count) { socket.off('data', hear); socket.off('close', gone); ok() } }
        const hear = (part: Buffer): void => { said += String(part); look() }
        const gone = (): void => no(new Error(`${from} was cut off: ${said}`))
        socket.on('data', hear).once('close', gone)
        look()
      })
      socket.write(HEADER)
      await until(/<\/stream:features>/g, 1)
      for (let i = 1; i <= 4; i++) {
        socket.write(`<auth xmlns='${SASL}' mechanism='PLAIN'>${btoa(`\0romeo\0guess ${i}`)}</auth>`)
        await until(/<not-authorized\/>/g, i)
      }
      socket.destroy()
    }
    for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 10 }, (_, i) => guesses(`127.0.1.${round * 10 + i + 1}`)))
    const owner = new Actor('romeo', 'romeo@localhost/orchard')
    await owner.connects(house.port)
    await owner.comesOnline()
    assert.equal((await house.stores.accounts.find('localhost', 'romeo'))?.disabled, undefined)
    owner.leaves()
  })
})
