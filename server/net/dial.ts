// Opens a TCP connection to the first of several addresses that answers (RFC 8305, without the part that asks DNS).
import net, { isIP } from 'node:net'
import type { Clock } from '../ports/clock.ts'

const STAGGER = 250 // ms before the next address is tried beside the one that has not answered

/** Resolves with a socket, or with the reason why there is none. `timeout`: milliseconds for all of them together. */
export function dialTcp(addresses: readonly string[], port: number, timeout: number, clock: Clock): Promise<net.Socket | string> {
  return new Promise(resolve => {
    const tried = new Set<net.Socket>()
    let left = addresses.length
    let reason = 'no address'
    let stagger: Disposable | undefined
    const late = clock.alarm(clock.now() + timeout, () => finish('it did not answer'))
    const finish = (result: net.Socket | string): void => {
      late[Symbol.dispose]()
      stagger?.[Symbol.dispose]()
      for (const s of tried) if (s !== result) s.destroy()
      tried.clear()
      left = -1
      resolve(result)
    }
    const next = (i: number): void => {
      stagger?.[Symbol.dispose]()
      const address = addresses[i]
      if (left < 0 || address === undefined) return
      const socket = net.connect({ host: address, port, family: isIP(address), noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 })
      tried.add(socket)
      socket.once('connect', () => { if (left >= 0) finish(socket) })
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (!tried.delete(socket) || left < 0) return // it was taken: its owner hears the end
        reason = WORDS[error.code ?? ''] ?? error.code ?? 'it cannot be reached'
        if (--left === 0) finish(reason)
        else if (started === i) next(++started)
      })
      stagger = clock.alarm(clock.now() + STAGGER, () => { if (started === i) next(++started) })
    }
    let started = 0
    if (left === 0) finish(reason)
    else next(0)
  })
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there', EHOSTUNREACH: 'no way leads there', ENETUNREACH: 'no way leads there', ETIMEDOUT: 'it did not answer', ECONNRESET: 'it closed the connection',
}
