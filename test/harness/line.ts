// A line between a client and a server that is as bad as a test wants it: slow, in small pieces, broken, or silent.
import net from 'node:net'

/** One direction of one connection: what waits is passed on in its order. */
class Way {
  readonly #line: Line
  readonly #from: net.Socket
  readonly #to: net.Socket
  #waiting: Buffer[] = []
  #busy = false
  #held = false
  constructor(line: Line, from: net.Socket, to: net.Socket) {
    this.#line = line
    this.#from = from
    this.#to = to
    from.on('data', (data: Buffer) => { this.#waiting.push(data); this.#next() })
  }

  hold(): void { this.#held = true }
  letGo(): void { this.#held = false; this.#next() }

  #next(): void {
    if (this.#busy || this.#held || this.#waiting.length === 0) return
    this.#busy = true
    const late = this.#line.delay()
    if (late > 0) setTimeout(() => this.#pass(), late)
    else this.#pass()
  }

  #pass(): void {
    this.#busy = false
    const data = this.#waiting[0]
    if (this.#held || !data || this.#from.destroyed || this.#to.destroyed) return
    const size = Math.min(data.length, this.#line.piece(), Math.max(0, this.#line.left))
    if (size < data.length) this.#waiting[0] = data.subarray(size)
    else this.#waiting.shift()
    this.#line.left -= size
    if (size > 0) this.#to.write(data.subarray(0, size))
    if (this.#line.left > 0) this.#next()
    else if (this.#line.silent) this.#line.falls()
    else this.#to.end(() => { this.#from.destroy(); this.#to.destroy() })
  }
}

/** Passes on what it hears until so many bytes went either way; then it is dead, and what was on its way is lost; or silent, and both ends go on thinking that it lives. */
export class Line implements AsyncDisposable {
  readonly #server: net.Server
  readonly #open = new Set<net.Socket>()
  readonly #ways = new Set<Way>()
  /** Bytes that pass before the next break. */
  left = Infinity
  /** It falls silent where it would break. */
  silent = false
  /** Milliseconds that the next piece is on its way: latency, and what loss costs TCP. */
  delay: () => number = () => 0
  /** Bytes that go together. */
  piece: () => number = () => Infinity
  /** Told when it falls silent. */
  onSilence: () => void = () => {}
  private constructor(server: net.Server) { this.#server = server }

  static async to(port: number): Promise<Line> {
    const line: Line = new Line(net.createServer(near => {
      const far = net.connect(port, '127.0.0.1')
      const both = [near, far]
      const ways = [new Way(line, near, far), new Way(line, far, near)]
      for (const way of ways) line.#ways.add(way)
      for (const s of both) {
        s.setNoDelay(true)
        s.on('error', () => {})
        line.#open.add(s)
        s.on('close', () => { line.#open.delete(s); for (const other of both) other.destroy(); for (const way of ways) line.#ways.delete(way) })
      }
    }))
    await new Promise<void>(ok => { line.#server.listen(0, '127.0.0.1', ok) })
    return line
  }

  get port(): number { return (this.#server.address() as net.AddressInfo).port }

  /** Falls silent, for all who use it now; told by its ways. */
  falls(): void {
    for (const way of this.#ways) way.hold()
    this.onSilence()
  }

  /** What fell silent speaks again: what was under way comes late. */
  recovers(): void { for (const way of [...this.#ways]) way.letGo() }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const s of this.#open) s.destroy()
    await new Promise(ok => this.#server.close(ok))
  }
}
