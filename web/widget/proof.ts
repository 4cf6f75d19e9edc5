// The work that a bridge asks for before a conversation begins, in small slices: the page stays quick (SEC-W33).

const SLICE = 8 // ms of work until the page has its turn
const K = new Int32Array(64)
const H = new Int32Array(8)
const W = new Int32Array(64)

// FIPS 180-4: the first bits of the roots of the first primes.
for (let n = 2, i = 0; i < 64; n++) {
  let prime = true
  for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false
  if (!prime) continue
  const bits = (root: number): number => (root - Math.floor(root)) * 2 ** 32 | 0
  if (i < 8) H[i] = bits(n ** 0.5)
  K[i++] = bits(n ** (1 / 3))
}

/** The first 32 bits of the SHA-256 of a text of at most 55 ASCII characters. */
export function first(text: string): number {
  W.fill(0, 0, 16)
  for (let i = 0; i < text.length; i++) W[i >> 2]! |= text.charCodeAt(i) << 24 - (i & 3) * 8
  W[text.length >> 2]! |= 0x80 << 24 - (text.length & 3) * 8
  W[15] = text.length * 8
  for (let i = 16; i < 64; i++) {
    const [x, y] = [W[i - 15]!, W[i - 2]!]
    W[i] = W[i - 16]! + W[i - 7]! + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3) + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10)
  }
  let a = H[0]!, b = H[1]!, c = H[2]!, d = H[3]!, e = H[4]!, f = H[5]!, g = H[6]!, h = H[7]!
  for (let i = 0; i < 64; i++) {
    const t = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g) + K[i]! + W[i]! | 0
    const u = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c) | 0
    h = g; g = f; f = e; e = d + t | 0; d = c; c = b; b = a; a = t + u | 0
  }
  return a + H[0]! >>> 0
}

/** Finds what makes the challenge's hash begin with so many zero bits; undefined where it was stopped. */
export async function solve(challenge: string, bits: number, stop: AbortSignal): Promise<string | undefined> {
  const { port1, port2 } = new MessageChannel() // a timer would sleep in a tab that nobody looks at
  let next: (() => void) | undefined
  port1.addEventListener('message', () => next?.())
  port1.start()
  try {
    for (let n = 0; !stop.aborted;) {
      for (const end = performance.now() + SLICE; performance.now() < end;) {
        for (let i = 0; i < 100; i++, n++) {
          const text = `${challenge}.${n.toString(36)}`
          if (first(text) < 2 ** (32 - bits)) return text
        }
      }
      await new Promise<void>(turn => { next = turn; port2.postMessage(0) })
    }
    return undefined
  } finally { port1.close() }
}
