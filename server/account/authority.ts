// Who says, in the store's place, that somebody is who he claims to be: a directory, an issuer of tokens.
import type { AccountRecord, Role, Stores } from '../ports/store.ts'

/** Somebody who has proved who he is. */
export interface Identified {
  readonly local: string // prepared
  /** His shown name; absent: the account keeps the one that it has. */
  readonly name?: string
  /** His role; null: none; absent: the account keeps the one that it has. */
  readonly role?: Role | null
}

/** 'unavailable': it cannot be asked now. It has logged why. */
export type Finding = Identified | 'refused' | 'expired' | 'unavailable'

export interface Authority {
  readonly name: string
  /** It makes an account for whoever logs in for the first time. */
  readonly enrols: boolean
  /** All passwords of the host are its affair: none in the store lets in, and no mechanism that needs the store's keys is offered. */
  readonly keepsPasswords: boolean
  /** Looks at a password of `local` (prepared); undefined: it is none of its affair. */
  password?(local: string, password: string): Promise<Finding> | undefined
  /** Looks at a bearer token (RFC 6750, RFC 7628). */
  bearer?(token: string): Promise<Finding>
}

const DEPARTED = 'departed' // the collection of those whom nobody lets in again but an admin who makes the account anew

/** Removes an account; one that an authority made does not come back by logging in again. */
export async function removeAccount(stores: Pick<Stores, 'accounts' | 'documents'>, { host, local, authority }: AccountRecord): Promise<'ok' | 'missing'> {
  if (authority !== undefined) await stores.documents.put(DEPARTED, host, local, true)
  return stores.accounts.remove(host, local)
}

export const hasDeparted = async ({ documents }: Pick<Stores, 'documents'>, host: string, local: string): Promise<boolean> =>
  await documents.get(DEPARTED, host, local) !== undefined
