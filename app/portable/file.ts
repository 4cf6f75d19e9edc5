// A file of XEP-0227 read user by user, what it includes too (section 4), and no more of it in memory than one host.
import { createReadStream } from 'node:fs'
import { readFile, realpath } from 'node:fs/promises'
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import { parseFrame, Parser, UNLIMITED, XmlError } from '../../server/xml/parser.ts'
import type { Element } from '../../server/xml/element.ts'
import { NS, NS_XINCLUDE } from './names.ts'

/** What is wrong with the file, for people. */
export class BadFile extends Error {}

/** Every user with the host it stands in. Throws BadFile. */
export async function* usersIn(path: string): AsyncIterable<{ readonly host: string; readonly user: Element }> {
  const folder = dirname(path)
  for await (const e of childrenOf(path)) {
    const host = e.is('include', NS_XINCLUDE) ? await included(e, folder, folder) : { element: e, folder }
    if (!host.element.is('host', NS)) continue
    const name = host.element.attrs['jid'] ?? ''
    for (const u of host.element.elements) {
      const user = u.is('include', NS_XINCLUDE) ? (await included(u, host.folder, folder)).element : u
      if (user.is('user', NS)) yield { host: name, user }
    }
  }
}

async function* childrenOf(path: string): AsyncIterable<Element> {
  const ready: Element[] = []
  let root: Element | undefined
  const parser = new Parser({ open(e) { root = e }, element(e) { ready.push(e) }, close() {} }, { limits: UNLIMITED })
  const checked = (): void => { if (root && !root.is('server-data', NS)) throw new BadFile(`${path}: begins with <${root.name} xmlns='${root.ns}'>, not with <server-data xmlns='${NS}'>: give a file of XEP-0227`) }
  let closed = false
  try {
    for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
      parser.write(piece)
      checked()
      yield* ready.splice(0)
    }
    closed = parser.complete
  } catch (e) { throw explained(e, path) }
  if (!closed) throw new BadFile(`${path}: ends too early: give the whole file`)
}

/** SEC-A15: never from outside the folder of the file that is imported. */
async function included(e: Element, from: string, root: string): Promise<{ element: Element; folder: string }> {
  const { href = '', parse, xpointer } = e.attrs
  const path = resolve(from, decoded(href))
  const outside = new BadFile(`${href || 'an include without href'}: only whole files beside the imported one or below are included`)
  if (!href || parse !== undefined || xpointer !== undefined || /^[a-z][a-z0-9+.-]*:/i.test(href) || leaves(root, path)) throw outside
  try {
    if (leaves(await realpath(root), await realpath(path))) throw outside // a link leads there
    const text = (await readFile(path, 'utf8')).replace(/^\uFEFF?\s*(<\?xml[^>]*\?>)?\s*/, '').trimEnd()
    return { element: parseFrame(text, UNLIMITED), folder: dirname(path) }
  } catch (error) { throw explained(error, path) }
}

const leaves = (root: string, path: string): boolean => /^\.\.(?:$|[\\/])/.test(relative(root, path)) || isAbsolute(relative(root, path))
const decoded = (href: string): string => { try { return decodeURIComponent(href) } catch { return href } }

function explained(e: unknown, path: string): unknown {
  if (e instanceof XmlError) return new BadFile(`${path}: ${e.message}: mend the XML (comments, processing instructions and a DOCTYPE have to be taken out)`)
  const { code } = e as NodeJS.ErrnoException
  return code ? new BadFile(`${path}: ${code === 'ENOENT' ? 'there is no such file' : code}: give a file that the server may read`) : e
}
