// Writes the accounts and rosters of the benches straight into an empty store of deskbell: node bench/accounts.ts FOLDER
import { mkdirSync } from 'node:fs'
import { storeFile } from '../app/folder.ts'
import { openSqlite } from '../server/store/sqlite/sqlite.ts'
import { makeCredentials } from '../server/stream/sasl/credentials.ts'

const HOST = 'perf.local'
const folder = process.argv[2]
if (!folder) throw new Error('usage: node bench/accounts.ts FOLDER')
mkdirSync(folder, { recursive: true })
await using stack = new AsyncDisposableStack()
const stores = await openSqlite({ file: storeFile(folder) })
stack.defer(() => stores.close())

const credentials = await makeCredentials('pw') // one salt for all: who logs in is made to work all the same
const make = (prefix: string, n: number): Promise<unknown> =>
  Promise.all(Array.from({ length: n }, (_, i) => stores.accounts.create({ host: HOST, local: `${prefix}${i}`, created: 0, credentials })))
const befriend = (owner: string, friends: readonly string[]): Promise<void> =>
  stores.rosters.put(`${owner}@${HOST}`, 1, friends.map(f => ({ jid: `${f}@${HOST}`, groups: [], subscription: 'both' as const, version: 1 })))

await make('u', 5000)
await make('r', 1000)
await make('q', 501)
// r: a ring in which each knows the ten nearest; q: a star around q0.
await Promise.all(Array.from({ length: 1000 }, (_, i) => befriend(`r${i}`, [-5, -4, -3, -2, -1, 1, 2, 3, 4, 5].map(d => `r${(i + d + 1000) % 1000}`))))
await befriend('q0', Array.from({ length: 500 }, (_, i) => `q${i + 1}`))
await Promise.all(Array.from({ length: 500 }, (_, i) => befriend(`q${i + 1}`, ['q0'])))
