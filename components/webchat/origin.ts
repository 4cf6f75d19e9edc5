// Which web pages may speak to the bridge: exact origins only (pure).

/**
 * `origin` is the browser's word for the site of the page, `own` the origin under which it reached us, `listed` what the
 * config allows. Without an origin it is no page. A proxy in front may have taken off the TLS, so our own may be https, too.
 */
export function mayAsk(origin: string | undefined, own: string, listed: readonly string[]): boolean {
  if (origin === undefined) return false
  return origin === own || origin === own.replace(/^http:/, 'https:') || listed.includes(origin)
}
