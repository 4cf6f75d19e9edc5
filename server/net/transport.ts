// What a stream needs of the connection under it: text out, bytes or frames in.
import type { X509Certificate } from 'node:crypto'

/** The certificate that the other end showed, and what is wrong with it or its chain: OpenSSL's word, such as CERT_HAS_EXPIRED. */
export interface PeerCertificate { readonly certificate: X509Certificate; readonly flaw: string | undefined }

/** What a login can be bound to: the types (RFC 5929, RFC 9266), and the data of each. */
export interface Bindings { keys(): Iterable<string>; get(type: string): Uint8Array | undefined }

/** Without TLS, or where the peer cannot see its channel. */
export const NO_BINDINGS: Bindings = new Map()

export interface Transport {
  /** 'stream': one XML document over a byte stream (RFC 6120); 'frames': one element a message (RFC 7395). */
  readonly framing: 'stream' | 'frames'
  /** The peer's network address. */
  readonly remote: string
  readonly secure: boolean
  /** True where the transport itself finds out that the peer is gone, and the stream need not ask. */
  readonly selfWatched?: boolean
  /** Of the connection as it is now; none without TLS. */
  readonly bindings: Bindings
  /** The certificate that the peer showed; undefined where there is no TLS yet, or none was asked for or shown. */
  readonly peer?: PeerCertificate | undefined
  /** Bytes written that the peer has not taken yet. */
  readonly backlog: number
  /** How much the peer has taken so far, in units of its own: it changes with each piece. */
  readonly taken: number
  /** What was written and never fetched, once the connection is gone; absent where nobody can tell. */
  readonly undelivered?: readonly string[]
  /** Set once by the stream that is served: bytes of a byte stream, the text of a frame. */
  onData: (data: Uint8Array | string) => void
  /** Set once by the stream that is served: the connection is gone, for whatever reason. */
  onClose: () => void
  /** Writes text; in frames, one message. */
  write(text: string): void
  /** Stops and goes on reading. */
  pause(): void
  resume(): void
  /** Upgrades to TLS, with the certificate of `domain`; absent where that cannot be. What came in before is dropped by the caller. */
  startTls?(domain?: string): void
  /** Writes out what waits, then closes; the connection is dropped if the peer does not follow within seconds. */
  close(): void
  /** Drops the connection. */
  destroy(): void
}
