// <script src="https://HOST/widget.js" data-site="KEY" defer></script>: puts the widget on the page that loads it.
import { Chat } from './chat.ts'
import { say } from './texts.ts'

const TAG = 'deskbell-chat'
const script = document.currentScript as HTMLScriptElement | null // a classic script's own element

/** The words that the snippet brings along. */
function reword(): void {
  try { say(JSON.parse(script?.dataset['texts'] ?? '{}') as Record<string, string>) } catch { /* not ours */ }
}

function place(): void {
  if (document.querySelector(TAG)) return // the same script twice is one widget
  const chat = document.createElement(TAG)
  chat.dataset['host'] = script ? new URL(script.src).origin : location.origin
  chat.dataset['site'] = script?.dataset['site'] || 'default'
  for (const what of ['identity', 'link'] as const) { const said = script?.dataset[what]; if (said) chat.dataset[what] = said }
  if (chat.dataset['host'] === location.origin) { // our own page shows what stands behind a saved link
    const asked = new URLSearchParams(location.search)
    for (const what of ['site', 'link'] as const) { const said = asked.get(what); if (said) chat.dataset[what] = said }
  }
  document.body.append(chat)
}

reword()
if (!customElements.get(TAG)) customElements.define(TAG, Chat)
if (document.body) place()
else addEventListener('DOMContentLoaded', place)
