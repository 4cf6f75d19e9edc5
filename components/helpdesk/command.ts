// What the table of actions says of each: its words, its fields, who may. Pure.

import type { Scope } from './api/scopes.ts'
import type { Permission } from './permissions.ts'

export interface Field {
  readonly name: string
  /** `target` = an operator or `group:queue`; `text` takes the rest of the line. */
  readonly kind: 'target' | 'operator' | 'queue' | 'number' | 'text' | 'word' | 'choice'
  readonly label: string
  readonly required?: boolean
  readonly choices?: readonly string[]
}
/** `H`: which action carries it out. */
export interface Entry<H extends string = string> {
  readonly word: string
  readonly aliases: readonly string[]
  readonly handler: H
  readonly permission: Permission
  /** What a token must reach over REST; absent: conversations:write. */
  readonly scope?: Scope
  /** `open`: one of the caller's conversations; `pending`: one that waits for his answer; `any`: named, or the one he is in; `none`: the desk. */
  readonly about: 'open' | 'pending' | 'any' | 'none'
  readonly fields: readonly Field[]
  /** Its text may have several lines (C25). */
  readonly lines?: true
  readonly label: string
  readonly help: string
}
