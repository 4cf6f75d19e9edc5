// /invite/: the page that an invitation's link opens in a browser (XEP-0379 section 3.3). What it is about stands in the fragment, which no server sees.
import { readFile } from 'node:fs/promises'
import type { HttpRouter } from '../server/net/http.ts'

const WEB = new URL('../web/invite/', import.meta.url)
const FILES = { '': ['index.html', 'text/html'], 'invite.js': ['invite.js', 'text/javascript'], 'invite.css': ['invite.css', 'text/css'] } as const
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export const LANDING_PATH = '/invite/'

export function serveLanding(http: HttpRouter): void {
  for (const [path, [file, type]] of Object.entries(FILES)) {
    http.on('GET', LANDING_PATH + path, 'open', async () => ({
      status: 200,
      headers: { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': POLICY, 'cache-control': 'no-cache' },
      body: await readFile(new URL(file, WEB)),
    }))
  }
}
