// Where uploaded files lie: a small port, and its adapter for a folder on disk.
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'

export interface Files {
  /** Keeps what comes under `id` once all `size` bytes are there and safe; rejects, and keeps nothing, if they are not. */
  write(id: string, size: number, pieces: AsyncIterable<Uint8Array>): Promise<void>
  /** The bytes from `first` to `last`, both inside; undefined: no such file. Nothing is opened before they are read. */
  read(id: string, first: number, last: number): Promise<AsyncIterable<Uint8Array> | undefined>
  /** Is done if the file is not there, too. */
  remove(id: string): Promise<void>
  /** The part of the room that is free, 0 to 1. */
  free(): Promise<number>
}

/** Files in `folder`, made if it is not there; what an earlier run left half written is cleared away. */
export async function diskFiles(folder: string): Promise<Files> {
  const fresh = join(folder, 'incoming')
  await mkdir(fresh, { recursive: true, mode: 0o700 })
  for (const left of await readdir(fresh)) await rm(join(fresh, left), { force: true })
  const placeOf = (id: string): string => {
    if (!/^[\w-]{20,80}$/.test(id)) throw new TypeError('an id of our own is wanted')
    return join(folder, id.slice(-2), id) // the end is random: the folders fill alike
  }
  return {
    async write(id, size, pieces) {
      const place = placeOf(id)
      const draft = join(fresh, id)
      try {
        const file = await open(draft, 'wx', 0o600)
        let length = 0
        try {
          for await (const piece of pieces) {
            length += piece.length
            if (length > size) throw new Error('more came than was said')
            await file.writeFile(piece)
          }
          if (length < size) throw new Error('less came than was said')
          await file.sync()
        } finally { await file.close() }
        await mkdir(join(folder, id.slice(-2)), { recursive: true, mode: 0o700 })
        await rename(draft, place)
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
    },
    async read(id, first, last) {
      const place = placeOf(id)
      const there = await stat(place).catch(() => undefined)
      if (!there?.isFile() || last >= there.size) return undefined
      return { [Symbol.asyncIterator]: () => createReadStream(place, { start: first, end: last })[Symbol.asyncIterator]() as AsyncIterator<Uint8Array> } // no encoding: bytes
    },
    async remove(id) { await rm(placeOf(id), { force: true }) },
    async free() {
      const { bavail, blocks } = await statfs(folder)
      return blocks === 0 ? 1 : bavail / blocks
    },
  }
}
