// A DNS server that knows what a test tells it, and nothing else.
import dgram from 'node:dgram'

const TYPES = { A: 1, AAAA: 28, SRV: 33 } as const

const name = (text: string): Buffer => Buffer.concat([...text.split('.').filter(l => l).map(l => Buffer.from([l.length, ...Buffer.from(l)])), Buffer.of(0)])
const number = (...values: number[]): Buffer => Buffer.concat(values.map(v => Buffer.of(v >> 8, v & 255)))
/** What stands in a record. */
export const srv = (priority: number, weight: number, port: number, target: string): Buffer => Buffer.concat([number(priority, weight, port), name(target)])
export const a = (address: string): Buffer => Buffer.from(address.split('.').map(Number))

export class Zone implements AsyncDisposable {
  readonly #socket: dgram.Socket
  /** What it was asked: `name TYPE`. */
  readonly asked: string[] = []
  private constructor(socket: dgram.Socket) { this.#socket = socket }

  /** Answers on a free port of 127.0.0.1 with these records, by `name TYPE`; a name that has none does not exist. */
  static async serve(records: Readonly<Record<string, readonly Buffer[]>>): Promise<Zone> {
    const socket = dgram.createSocket('udp4')
    const zone = new Zone(socket)
    socket.on('message', (query, from) => {
      const labels: string[] = []
      let p = 12
      for (; query[p]; p += query[p]! + 1) labels.push(query.toString('latin1', p + 1, p + 1 + query[p]!)) // the loop asks whether it is there
      const type = query.readUInt16BE(p + 1)
      const host = labels.join('.').toLowerCase()
      const kind = Object.entries(TYPES).find(([, n]) => n === type)?.[0] ?? '?'
      zone.asked.push(`${host} ${kind}`)
      const found = records[`${host} ${kind}`] ?? []
      const exists = Object.keys(records).some(key => key.split(' ')[0] === host)
      const answers = found.map(data => Buffer.concat([number(0xc00c, type, 1, 0, 60, data.length), data]))
      socket.send(Buffer.concat([query.subarray(0, 2), number(exists ? 0x8180 : 0x8183, 1, found.length, 0, 0), query.subarray(12, p + 5), ...answers]), from.port, from.address)
    })
    await new Promise<void>(ok => { socket.bind(0, '127.0.0.1', ok) })
    return zone
  }

  get port(): number { return this.#socket.address().port }
  #over: Promise<void> | undefined
  [Symbol.asyncDispose](): Promise<void> { return this.#over ??= new Promise<void>(ok => { this.#socket.close(ok) }) }
}
