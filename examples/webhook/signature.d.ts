/** Whether a header signs this body with one of these secrets, not more than five minutes ago or ahead; `now` in ms since 1970. */
export function isSigned(header: string, secrets: readonly string[], now: number, body: string): boolean
