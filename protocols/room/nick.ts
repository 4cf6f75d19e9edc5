// When two nicks are the same to a human eye, and which are none. Pure.

/** What nicks are compared by: width, case, spaces and invisible characters do not tell two people apart. '' = no nick at all. */
export function nickKey(nick: string): string {
  return nick.normalize('NFKC').replace(/[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}]/gu, '').replace(/\s+/gu, ' ').trim().toLowerCase()
}
