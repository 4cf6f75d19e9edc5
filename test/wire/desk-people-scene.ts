// Operators and an admin who changes what they may do: what scenes of them share.
import assert from 'node:assert/strict'
import type { DeskHouse } from '../harness/desk.ts'

export type Json = Awaited<ReturnType<DeskHouse['rest']>>['body'] // of any shape
export const API = '/api/v1'
export const STAFF = { anna: 'agent', ben: 'agent', mia: 'manager', boss: 'admin' } as const

export async function ask(d: DeskHouse, method: string, path: string, body?: unknown, who = 'boss', status = 200): Promise<Json> { // JSON
  const answer = await d.rest(method, API + path, who, body)
  assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`)
  return answer.body
}
export const permit = (d: DeskHouse, role: string, permissions: Record<string, boolean>): Promise<unknown> => ask(d, 'PATCH', '/settings', { roles: { [role]: { permissions } } })
