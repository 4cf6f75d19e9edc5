// Ports for programs that must be told theirs before they start: below those that the kernel gives to whoever asks for any.
import net from 'node:net'

const FIRST = 20_000
const COUNT = 12_000
let next = Math.floor(Math.random() * COUNT) // another run beside this one begins elsewhere

/** Ports on which nobody listens; no other test of this run is given them, and no connection takes them before they are listened for. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = FIRST + next++ % COUNT
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

export const freePort = async (): Promise<number> => (await freePorts(1))[0]! // one was asked for

const isFree = (port: number): Promise<boolean> => new Promise(done => {
  const server = net.createServer()
  server.once('error', () => done(false))
  server.listen(port, '0.0.0.0', () => server.close(() => done(true)))
})
