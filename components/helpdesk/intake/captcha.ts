// A captcha service over HTTP, as Turnstile, hCaptcha and reCAPTCHA speak: POST `secret` and `response`, answered by `success` (adapter).
import type { Fetcher } from '../webhooks/fetcher.ts'

export type Verdict = { readonly is: 'human' } | { readonly is: 'refused' } | { readonly is: 'failed'; readonly why: string }

/** Asks the service about a token. Who the visitor is, his address too, is nobody else's business and is not sent. */
export async function verdict(token: string, { url, secret }: { readonly url: string; readonly secret: string }, fetcher: Fetcher): Promise<Verdict> {
  const got = await fetcher.fetch({ method: 'POST', url, headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ secret, response: token }).toString() })
  if (got.is !== 'answer') return { is: 'failed', why: got.why }
  if (got.status !== 200) return { is: 'failed', why: `it answered ${got.status}` }
  let said: unknown
  try { said = JSON.parse(got.body) } catch { return { is: 'failed', why: 'its answer is no JSON' } }
  return said !== null && typeof said === 'object' && 'success' in said && said.success === true ? { is: 'human' } : { is: 'refused' }
}
