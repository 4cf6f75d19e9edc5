// A real SMTP server on this machine that keeps what it is given.
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

export interface Received { readonly from: string; readonly to: readonly string[]; readonly headers: ReadonlyMap<string, string>; readonly headerLines: readonly string[]; readonly raw: string; readonly user: string | undefined }

export class MailSink {
  readonly mails: Received[] = []
  /** Answers to the next mails instead of taking them. */
  readonly answers: { code: number; text: string }[] = []
  readonly #server: SMTPServer
  readonly #waiting: { count: number; done: () => void }[] = []

  constructor(options: { tls?: { cert: string; key: string }; password?: string } = {}) {
    this.#server = new SMTPServer({
      authOptional: options.password === undefined, disableReverseLookup: true, logger: false,
      ...(options.tls ? options.tls : { disabledCommands: ['STARTTLS'] }),
      onAuth: (auth, _, done) => auth.password === options.password ? done(null, { user: auth.username ?? '' }) : done(new Error('no')),
      onData: (stream, session, done) => {
        const chunks: Buffer[] = []
        stream.on('data', (c: Buffer) => chunks.push(c))
        stream.on('end', () => {
          const answer = this.answers.shift()
          if (answer) return done(Object.assign(new Error(answer.text), { responseCode: answer.code }))
          this.#keep(Buffer.concat(chunks).toString(), session.envelope.mailFrom ? session.envelope.mailFrom.address : '', session.envelope.rcptTo.map(r => r.address), typeof session.user === 'string' ? session.user : undefined)
          done()
        })
      },
    })
    this.#server.on('error', () => {}) // a client that goes in the middle is the client's affair
  }

  listen(): Promise<number> {
    return new Promise(done => {
      const server = this.#server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port)) // a TCP socket has such an address
    })
  }

  /** Resolves when so many have come. */
  arrived(count: number): Promise<readonly Received[]> {
    if (this.mails.length >= count) return Promise.resolve(this.mails)
    return new Promise(done => { this.#waiting.push({ count, done: () => done(this.mails) }) })
  }

  close(): Promise<void> { return new Promise(done => { this.#server.close(() => done()) }) }

  #keep(raw: string, from: string, to: string[], user: string | undefined): void {
    const headerLines = (raw.split('\r\n\r\n')[0] ?? '').replace(/\r\n[ \t]+/g, ' ').split('\r\n')
    const headers = new Map(headerLines.map(l => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 1).trim()]))
    this.mails.push({ from, to, headers, headerLines, raw, user })
    for (const w of this.#waiting) if (this.mails.length >= w.count) w.done()
  }
}
