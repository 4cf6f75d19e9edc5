// A conversation as it is printed, downloaded and mailed: details, custom fields, public lines (shell).
import { queueName } from '../config.ts'
import type { Present } from '../facts.ts'
import type { Ground } from '../ground.ts'
import { sideOf } from '../lines.ts'
import { mailAddress } from '../mail/letter.ts'
import type { Recorded } from '../transcripts/record.ts'
import { transcriptHtml } from '../transcripts/html.ts'
import { transcriptText } from '../transcripts/text.ts'

type Under = Pick<Ground, 'customers' | 'dossiers' | 'lines' | 'rules' | 'config' | 'operators'>

export async function recordedOf(o: Under, n: number, s: Present): Promise<Recorded> {
  const customer = await o.customers.byId(s.customer)
  const { subject, fields, labels } = await o.dossiers.get(n)
  const lines = (await o.lines.all(n, s.lines)).filter(l => l.as === 'public' && l.chat === undefined) // once more looked at where it is printed
  const named = o.rules.now.fields
  return {
    number: n, queue: queueName(o.config, s.queue), customer: customer?.name ?? 'Customer', opened: s.opened, closed: s.is === 'closed' ? s.at : undefined, subject,
    agents: [...new Set([...s.owners.map(jid => lines.find(l => l.by === jid)?.name ?? o.operators.name(jid)), ...lines.filter(l => sideOf(l.by) === 'agent').map(l => l.name)])],
    details: [...(customer?.page === undefined ? [] : [{ label: 'Page', value: customer.page }]), { label: 'Labels', value: labels.join(', '), internal: true }],
    fields: Object.entries(fields).map(([name, f]) => ({ label: named[name]?.label ?? name, value: f.value })),
    lines: lines.map(l => ({ seq: l.seq, at: l.at, as: l.as, by: sideOf(l.by), name: l.name, body: l.body })),
  }
}

/** Mails it to the customer's own address or to an operator's, and to nobody else. */
export async function mailTranscript(o: Under & Pick<Ground, 'operators' | 'mail'>, n: number, s: Present, asked: string | undefined): Promise<{ readonly to: string } | { readonly wrong: string; readonly status: 403 | 409 | 422 }> {
  const customer = await o.customers.byId(s.customer)
  const to = asked === undefined ? customer?.email : mailAddress(asked.trim())
  if (to === undefined) return asked === undefined ? { wrong: 'The customer’s mail address is not known.', status: 409 } : { wrong: 'to: this is no mail address.', status: 422 }
  const same = (other: string | undefined): boolean => other !== undefined && mailAddress(other)?.toLowerCase() === to.toLowerCase()
  if (!same(customer?.email) && !o.operators.all().some(p => same(o.operators.record(p.jid).email))) return { wrong: 'A transcript goes to the customer’s own address or to an operator’s only.', status: 403 }
  if (!o.mail) return { wrong: 'This desk sends no mails: its config names no mail server.', status: 409 }
  const recorded = await recordedOf(o, n, s)
  const posted = await o.mail.send({ kind: 'asked', to, subject: `Conversation #${n}`, text: transcriptText(recorded), html: transcriptHtml(recorded) })
  return posted.is === 'queued' ? { to } : { wrong: posted.because, status: 409 }
}
