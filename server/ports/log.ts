// What the house tells its admin: structured lines without bodies or secrets. pino fits it as it is.

type Write = (fields: object, text: string) => void
export interface Log { debug: Write; info: Write; warn: Write; error: Write }

/** For tests that do not look at the log. */
export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
