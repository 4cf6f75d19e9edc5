// A web server on this machine that keeps what webhooks tell it, and answers as it is told.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Heard { readonly path: string; readonly method: string; readonly headers: IncomingHttpHeaders; readonly body: string }

export class HookSink {
  readonly heard: Heard[] = []
  /** Answers the next requests; 204 where there is none. */
  readonly answers: ((response: ServerResponse) => void)[] = []
  /** Answers every request, before `answers`, where it gives an answer. */
  always: ((heard: Heard, response: ServerResponse) => boolean) | undefined
  connections = 0
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (c: Buffer) => chunks.push(c))
    request.on('end', () => {
      const heard = { path: request.url ?? '', method: request.method ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() }
      this.heard.push(heard)
      if (this.always?.(heard, response) === true) return
      const answer = this.answers.shift()
      if (answer) answer(response)
      else response.writeHead(204).end()
    })
  }).on('connection', () => { this.connections++ })

  listen(): Promise<number> {
    return new Promise(done => { this.#server.listen(0, '127.0.0.1', () => done((this.#server.address() as AddressInfo).port)) }) // a TCP socket has such an address
  }
  close(): Promise<void> { return new Promise(done => { this.#server.close(() => done()); this.#server.closeAllConnections() }) }
}
export const status = (code: number, headers: Record<string, string> = {}) => (r: ServerResponse): void => { r.writeHead(code, headers).end() }
