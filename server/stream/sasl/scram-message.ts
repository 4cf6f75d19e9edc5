// The client's two SCRAM messages, taken apart (RFC 5802 section 7). What breaks the grammar is no message (pure).

export interface ClientFirst {
  readonly flag: 'n' | 'y' | 'p'
  readonly binding: string // the name after p=, else ''
  readonly authzid: string // '' if absent
  readonly header: string // the GS2 header as sent
  readonly bare: string // the rest, as sent
  readonly user: string
  readonly nonce: string
}

export interface ClientFinal {
  readonly binding: string // base64
  readonly nonce: string
  readonly proof: string // base64
  readonly withoutProof: string // as sent
}

/** The first message; a text that says what is wrong where it is none. */
export function readClientFirst(message: string): ClientFirst | string {
  const gs2 = /^(?:([ny])|p=([A-Za-z0-9.-]+)),(?:a=([^,]*))?,/.exec(message)
  if (!gs2) return 'no GS2 header'
  const [header, flag, binding = '', a] = gs2
  const bare = message.slice(header.length)
  if (bare.startsWith('m=')) return 'extensions-not-supported'
  const parts = /^n=([^,]*),r=([^,]*)(.*)$/s.exec(bare)
  if (!parts) return 'n= and r= expected'
  const [, n = '', nonce = '', extensions = ''] = parts
  const user = saslName(n)
  const authzid = a === undefined ? '' : saslName(a)
  if (user === undefined) return 'no user name'
  if (authzid === undefined) return 'no authorization identity'
  if (!PRINTABLE.test(nonce) || nonce.length > NONCE_LIMIT) return 'no usable nonce'
  const wrong = badExtensions(extensions)
  if (wrong) return wrong
  return { flag: (flag as 'n' | 'y' | undefined) ?? 'p', binding, authzid, header, bare, user, nonce } // the expression lets only these through
}

/** The final message; a text that says what is wrong where it is none. */
export function readClientFinal(message: string): ClientFinal | string {
  const parts = /^(c=([^,]+),r=([^,]+)(.*)),p=([^,]+)$/s.exec(message)
  if (!parts) return 'c=, r= and p= expected'
  const [, withoutProof = '', binding = '', nonce = '', extensions = '', proof = ''] = parts
  return badExtensions(extensions) ?? { binding, nonce, proof, withoutProof }
}

const PRINTABLE = /^[\x21-\x2B\x2D-\x7E]+$/
const NONCE_LIMIT = 512 // characters; clients send 20 to 64
const KNOWN = 'anmrcsipve' // have their own place, and none of them twice

/** A saslname with =2C and =3D undone; `undefined` if it is empty or has another = in it. */
function saslName(text: string): string | undefined {
  if (text === '' || /=(?!2C|3D)/.test(text)) return undefined
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

// Unknown optional attributes are ignored, but they have to be attributes, each said once.
function badExtensions(text: string): string | undefined {
  if (text === '') return undefined
  let seen = KNOWN
  for (const extension of text.slice(1).split(',')) {
    const name = extension.charAt(0)
    if (name === 'm' && extension.startsWith('m=')) return 'extensions-not-supported'
    if (!/^[A-Za-z]=[^\0]+$/.test(extension)) return 'no attribute'
    if (seen.includes(name)) return 'an attribute twice or out of its place'
    seen += name
  }
  return undefined
}
