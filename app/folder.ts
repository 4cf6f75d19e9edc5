// Where things lie in the data folder.
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const LONGEST_PATH = 100 // a socket's path has at most 107 bytes

/** The file of the embedded store. */
export const storeFile = (data: string): string => join(data, 'deskbell.db')

/** Where the socket of a data folder is: in it, or in the system's folder for temporary files if its path would be too long. */
export function socketPath(data: string): string {
  const path = join(data, 'admin.sock')
  if (Buffer.byteLength(path) <= LONGEST_PATH) return path
  return join(tmpdir(), `deskbell-${createHash('sha256').update(data).digest('hex').slice(0, 16)}.sock`)
}
