// `!file`: where an agent whose client cannot upload does it with a browser (ST-47; shell).
import { isAnswer, label, meant, no, notYours, yes, type Act } from '../answers.ts'
import { mayWrite } from '../states.ts'

export const file: Act = (o, c) => {
  const n = meant(o, c, s => s.is === 'active' && mayWrite(s, c.by), 'You serve no conversation.')
  if (isAnswer(n)) return n
  const s = o.book.states.get(n)
  if (!s || s.is === 'absent' || s.is === 'ended' || s.is === 'closed') return no('The conversation is over.')
  if (!mayWrite(s, c.by)) return notYours('You do not speak in this conversation.')
  if (!o.handing || o.storage?.base() === undefined) return no('There is no place for files here: the administrator has to set up file upload.')
  const { link, lasts } = o.handing.link(n, c.by)
  return { ...yes(`Upload a file for #${n}${label(o, n)} here, once, within ${lasts}: ${link}`, n), link }
}
