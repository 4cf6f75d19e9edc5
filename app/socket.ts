// The admin socket: how the command line speaks to a server that runs. One JSON line asks, one answers; only the server's own
// user may connect.
import { chmodSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { parseJson } from '../server/net/json.ts'
import { perform } from './admin.ts'
import { failed, type Office, type Outcome } from './office.ts'

const LONGEST_LINE = 1 << 20

/** Serves the office; the caller holds the store, so a socket that is there already is one that was left behind. */
export async function serveAdmin(path: string, office: Office): Promise<AsyncDisposable> {
  rmSync(path, { force: true })
  const open = new Set<Socket>()
  const server = createServer(socket => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    onLine(socket, line => void answer(line, office).then(outcome => socket.end(`${JSON.stringify(outcome)}\n`)))
  })
  const umask = process.umask(0o177) // nobody else, not even for a moment
  try {
    await new Promise<void>((ready, fail) => { server.once('error', fail); server.listen(path, ready) })
  } finally {
    process.umask(umask)
  }
  chmodSync(path, 0o600)
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>(done => server.close(() => done()))
      for (const socket of open) socket.destroy()
      await closed
      rmSync(path, { force: true })
    },
  }
}

/** Has a running server do it; `undefined` if none listens. */
export async function askServer(path: string, args: readonly string[]): Promise<Outcome | undefined> {
  const { promise, resolve } = Promise.withResolvers<Outcome | undefined>()
  const socket = connect(path)
  let asked = false
  socket.once('connect', () => { asked = true; socket.write(`${JSON.stringify({ args })}\n`) })
  socket.on('error', () => socket.destroy())
  socket.once('close', () => resolve(asked ? failed('the server went away before it answered: look whether it was done, and try again') : undefined))
  onLine(socket, line => resolve(JSON.parse(line) as Outcome)) // the server's own words
  const outcome = await promise
  socket.destroy()
  return outcome
}

async function answer(line: string, office: Office): Promise<Outcome> {
  const request = parseJson(line)
  const args = typeof request === 'object' && request !== null && 'args' in request ? request.args : undefined
  if (!Array.isArray(args) || !args.every(arg => typeof arg === 'string')) return failed('the admin socket did not understand: use the deskbell command of this version')
  return perform(args, office)
}

function onLine(socket: Socket, hear: (line: string) => void): void {
  let text = ''
  socket.setEncoding('utf8')
  socket.on('data', (part: string) => {
    text += part
    const end = text.indexOf('\n')
    if (end >= 0) { socket.removeAllListeners('data'); hear(text.slice(0, end)) } else if (text.length > LONGEST_LINE) socket.destroy()
  })
}
