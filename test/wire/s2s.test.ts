// Two whole programs that federate: what people on both see of each other.
import assert from 'node:assert/strict'
import type { Actor } from '../harness/scene.ts'
import { Papers, Town } from './s2s-houses.ts'

describe('federation', () => {
  const papers = new Papers()
  const [pa, pb] = [papers.make('a.test'), papers.make('b.test')]
  const ca = papers.bundle('both.pem', [pa, pb])
  after(() => papers[Symbol.dispose]())

  /** Two towns that trust each other's certificates; ports are only known once one of them listens. */
  async function towns(play: (a: Town, b: Town) => Promise<void>, more: { a?: string; b?: string; direct?: boolean } = {}): Promise<void> {
    const targets = (domain: string, place: string): string => `targets: { ${[domain, `rooms.${domain}`, `help.${domain}`].map(d => `${d}: "${place}"`).join(', ')} }`
    const port = await freePort()
    await using b = await Town.open('b.test', pb, `{ ca: ${ca}, ${targets('a.test', `127.0.0.1:${port}`)}${more.b ?? ''} }`)
    const place = more.direct ? `tls://127.0.0.1:${b.tlsPort}` : `127.0.0.1:${b.port}`
    await using a = await Town.open('a.test', pa, `{ ca: ${ca}, ${targets('b.test', place)}${more.a ?? ''} }`, '', port)
    await play(a, b)
  }

  it('RFC-X4 RFC-X6 two people on two servers talk, in order, over streams whose certificates prove both', () => towns(async (a, b) => {
    const anna = await a.actor('anna'), ben = await b.actor('ben')
    await ben.comesOnline()
    await anna.comesOnline()
    for (let i = 0; i < 50; i++) anna.sends`<message to='ben@b.test' type='chat' id='${i}'><body>${i}</body></message>`
    for (let i = 0; i < 50; i++) await ben.receives`<message from='anna@a.test/x' to='ben@b.test' type='chat' id='${i}'><body>${i}</body></message>`
    ben.sends`<message to='anna@a.test/x' type='chat' id='back'><body>so many</body></message>`
    await anna.receives`<message from='ben@b.test/x' id='back'><body>so many</body></message>`
  }))
})

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer()
  await new Promise<void>(ok => server.listen(0, '127.0.0.1', ok))
  const { port } = server.address() as { port: number }
  await new Promise(ok => server.close(ok))
  return port
}
void assert; void (undefined as Actor | undefined)
