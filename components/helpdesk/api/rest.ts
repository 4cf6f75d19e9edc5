// REST for operators and admins (shell).
import type { HttpRouter } from '../../../server/api.ts'
import type { Office } from '../office.ts'
export function rest(_http: HttpRouter, _office: Office): void {}
