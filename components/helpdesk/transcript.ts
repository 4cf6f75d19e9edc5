// The public lines of a conversation as plain text, for tickets and mails. Pure.

export interface PublicLine { readonly shown: number; readonly at: number; readonly who: 'customer' | 'agent' | 'desk'; readonly name: string; readonly body: string }

/** One paragraph a line, in their order: `[2026-11-20 10:15:03Z] Alice: text`; further lines of one message are indented. */
export function transcript(head: { readonly number: number; readonly queue: string; readonly customer: string }, lines: readonly PublicLine[]): string {
  const text = [...lines].sort((a, b) => a.shown - b.shown).map(l => {
    const body = l.body.replaceAll('\n', '\n    ')
    return l.who === 'desk' ? `[${stamp(l.at)}] * ${body}` : `[${stamp(l.at)}] ${l.name}: ${body}`
  })
  return [`Conversation #${head.number} with ${head.customer}, ${head.queue}`, '', ...text, ''].join('\n')
}

const stamp = (at: number): string => new Date(at).toISOString().replace('T', ' ').replace(/\.\d+Z$/, 'Z')
