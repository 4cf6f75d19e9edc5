// A process that writes to a store and says each acknowledgement on its standard output, while strace looks on.
import { writeSync } from 'node:fs'
import { openSqlite } from '../../server/store/sqlite/sqlite.ts'

const [file = '', count = '0'] = process.argv.slice(2)
const s = await openSqlite({ file })
for (let i = 0; i < Number(count); i += 2) {
  await Promise.all([i, i + 1].map(async n => { // two at a time: they are committed together
    await s.archive.append({ owner: 'a@x', id: String(n), at: n, with: 'b@x', stanza: `<message>${'x'.repeat(n * 150)}</message>` })
    writeSync(1, `ack ${n}\n`)
  }))
}
await s.close() // the journal goes into the file
writeSync(1, 'closed\n')
