// Files that customer and agents send each other, listed in the dossier: a line that is nothing but the address of a file (XEP-0066, XEP-0363; ST-47, ST-55; shell).
import { mark } from './acts/marks.ts'
import type { Commit } from './book.ts'
import { nameIn } from './files/links.ts'
import type { View } from './ground.ts'
import type { Office } from './office.ts'

/** The name of the file that a line seems to be the address of; undefined: it is no such line. */
const fileOf = (body: string): string | undefined => body.length <= 2000 && /^https?:\/\/[^\s/]+\/(?:\S*\/)?[^\s/?#]+\.[A-Za-z0-9]{1,8}(?:[?#]\S*)?$/i.test(body.trim()) ? nameIn(body.trim()) : undefined

export class Attachments implements View {
  readonly #office: Office
  constructor(office: Office) { this.#office = office }

  onCommit({ n, lines }: Commit): void {
    for (const l of lines) {
      const name = l.as === 'public' && l.by !== 'desk' ? l.file?.name ?? fileOf(l.body) : undefined
      if (name !== undefined) this.#office.later(() => mark(this.#office, n, l.by, true, 'file', (d, e) => d.files.some(f => f.url === l.body.trim()) ? 'known' : { ...d, files: [...d.files, { ...e, name, url: l.body.trim() }].slice(-500) }, ''))
    }
  }
}
