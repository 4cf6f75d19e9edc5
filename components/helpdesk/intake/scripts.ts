// The pieces of HTML with which a site shows the chat: the widget's snippet, and the scripts of saved links (SS-25 to SS-35, OT-48 to OT-52, RULE-C30). Pure.

export type Kind = 'normal' | 'deferred' | 'in-place'

export interface Wanted {
  /** scheme://host[:port] under which pages reach us. */
  readonly host: string
  readonly site: string
  readonly kind: Kind
  /** A saved link; absent: the widget with its own button. */
  readonly link?: string | undefined
  /** What stands in the link until the script has run, and where scripts do not run. */
  readonly title?: string | undefined
  /** Words of the widget in other words. */
  readonly texts?: Readonly<Record<string, string>> | undefined
  /** The page, as far as it is known: for the warning about its protocol. */
  readonly page?: string | undefined
}
export interface Snippet {
  /** For `<head>` (normal), or right before `</body>` (deferred); empty for a link without a script. */
  readonly script: string
  /** Where the link shall stand. */
  readonly inPlace: string
  readonly where: 'head' | 'end of body' | 'in place'
  readonly warnings: readonly string[]
}

/** The HTML that shows the chat. */
export function snippet(w: Wanted): Snippet {
  const attrs = [`data-site="${attr(w.site)}"`, ...(w.link === undefined ? [] : [`data-link="${attr(w.link)}"`]), ...(w.texts && Object.keys(w.texts).length > 0 ? [`data-texts="${attr(JSON.stringify(w.texts))}"`] : [])].join(' ')
  const tag = (file: string, defer: boolean): string => `<script src="${attr(w.host)}/${file}" ${attrs}${defer ? ' defer' : ''}></script>`
  const address = `${w.host}/?${new URLSearchParams({ site: w.site, ...(w.link === undefined ? {} : { link: w.link }) }).toString()}`
  const inPlace = w.link === undefined ? '' : `<a href="${attr(address)}" data-deskbell-link="${attr(w.link)}" target="_blank" rel="noopener">${attr(w.title ?? 'Live chat')}</a>`
  const scripts = (defer: boolean): string => w.link === undefined ? tag('widget.js', defer) : `${tag('link.js', defer)}\n${tag('widget.js', true)}`
  const warnings = w.host.startsWith('http:') && /^https:/i.test(w.page ?? '') ? [`The page is loaded by https and the chat by http: browsers block mixed content. Give the brand a host that begins with https.`] : []
  switch (w.kind) {
    case 'normal': return { script: scripts(false), inPlace, where: 'head', warnings }
    case 'deferred': return { script: scripts(true), inPlace, where: 'end of body', warnings }
    case 'in-place': return { script: '', inPlace: inPlace || `<a href="${attr(address)}" target="_blank" rel="noopener">${attr(w.title ?? 'Live chat')}</a>`, where: 'in place', warnings }
  }
}

const attr = (s: string): string => s.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
