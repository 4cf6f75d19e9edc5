// Strict base64 (RFC 4648 section 4, RFC 6120 section 13.9.1): what Node would skip or guess is refused (pure).

/** The octets, or `undefined` where `text` is not exactly what an encoder writes: foreign characters, white space, missing padding, padding bits. */
export function decodeBase64(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'base64')
  return octets.toString('base64') === text ? octets : undefined
}

/** Octets, or the UTF-8 octets of a text, as base64. */
export const encodeBase64 = (octets: Uint8Array | string): string =>
  typeof octets === 'string'
    ? Buffer.from(octets).toString('base64')
    : Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('base64')
