// Files that customer and agents send each other, listed in the dossier: a line that is nothing but the address of a file (XEP-0066, XEP-0363; ST-47, ST-55; shell).
import { mark } from './acts/marks.ts'
import type { Commit } from './book.ts'
import type { View } from './ground.ts'
import type { Office } from './office.ts'

/** The name of the file that a line is the address of; undefined: it is no such line. */
export function fileOf(body: string): string | undefined {
  const m = /^https?:\/\/[^\s/]+\/(?:\S*\/)?([^\s/?#]+\.[A-Za-z0-9]{1,8})(?:[?#]\S*)?$/i.exec(body.trim())
  if (!m?.[1] || body.length > 2000) return undefined
  try { return decodeURIComponent(m[1]).slice(0, 120) } catch { return m[1].slice(0, 120) }
}

export class Attachments implements View {
  readonly #office: Office
  constructor(office: Office) { this.#office = office }

  onCommit({ n, lines }: Commit): void {
    for (const l of lines) {
      const name = l.as === 'public' && l.by !== 'desk' ? fileOf(l.body) : undefined
      if (name !== undefined) this.#office.later(() => mark(this.#office, n, l.by, true, 'file', (d, e) => d.files.some(f => f.url === l.body.trim()) ? 'known' : { ...d, files: [...d.files, { ...e, name, url: l.body.trim() }].slice(-500) }, ''))
    }
  }
}
