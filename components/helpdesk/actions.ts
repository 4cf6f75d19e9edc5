// What each command does: one implementation for the text command, the ad-hoc command and the REST call (shell).
import { randomUUID } from 'node:crypto'
import { file } from './acts/file.ts'
import { takingQueue } from './acts/handing-on.ts'
import { help } from './acts/help.ts'
import { listActs } from './acts/lists.ts'
import { MARK_ACTS } from './acts/marks.ts'
import { ROOM_ACTS } from './acts/rooms.ts'
import { START_ACTS } from './acts/start.ts'
import { stepActs } from './acts/steps.ts'
import { THREAD_ACTS } from './acts/threads.ts'
import { asked, colleague, isAnswer, label, mayAnswer, meant, mine, no, notYours, owned, queueOf, refused, told, visible, yes, type Act, type Answer, type Call } from './answers.ts'
import { capacityOf, colour, isAskable, isReceiving, takesFrom, type Intake } from './availability.ts'
import type { CommandEntry, Handler } from './commands.ts'
import { queueName } from './config.ts'
import { departmentsOf } from './entrance.ts'
import { isOver, isQueued, roleOf } from './conversation.ts'
import { inLine } from './dispatch.ts'
import { Refused, type Bare, type Event, type Present, type State } from './facts.ts'
import type { Office } from './office.ts'
import { filled, replies, repliesList } from './replies.ts'
import { mayRead } from './records/access.ts'
import { cardLines, RECORD_ACTS } from './records/acts.ts'
import { CARD_ACTS } from './records/card-acts.ts'
import { BAN_ACTS } from './intake/ban-acts.ts'
import { ARTICLE_ACTS } from './intake/article-acts.ts'
import { KNOWLEDGE_ACTS } from './intake/kb-acts.ts'
import { duration, short } from './sentences.ts'
import { TICKET_ACTS } from './tickets/ticket-acts.ts'
import { HOOK_ACTS } from './webhooks/hook-acts.ts'
import { queueMeant } from './words.ts'

export { because, visible, type Answer, type Call } from './answers.ts'

/** Checks the permission and carries out. The one door for every way in. */
export async function act(o: Office, command: CommandEntry, call: Call): Promise<Answer> {
  if (!o.operators.may(call.by, command.permission)) return notYours('You may not do that.')
  if (!o.config.enabled && command.handler !== 'help') return no('The chat is turned off.')
  return ACTS[command.handler](o, call)
}

// Each action

const ACTS: Readonly<Record<Handler, Act>> = {
  ...MARK_ACTS,
  ...stepActs(act),
  ...listActs(act),
  ...START_ACTS,
  ...KNOWLEDGE_ACTS,
  ...ARTICLE_ACTS,
  ...CARD_ACTS,
  ...TICKET_ACTS,
  ...HOOK_ACTS,
  ...BAN_ACTS,
  ...THREAD_ACTS,
  ...ROOM_ACTS,

  ...RECORD_ACTS,

  help,
  file,

  queue(o, c) {
    const queues = new Set([...o.config.queues.keys()].filter(q => o.operators.may(c.by, 'chat.view.others', q) || o.operators.of(q).includes(c.by)))
    const line = o.line().filter(r => queues.has(r.queue) && (r.only === undefined || r.only.includes(c.by) || o.operators.may(c.by, 'chat.view.others', r.queue))).sort(inLine)
    if (line.length === 0) return yes('Nobody waits.')
    return yes(line.map(r => {
      const s = o.book.states.get(r.n)
      const asked = s?.is === 'offered' ? `, offered to ${o.operators.name(s.offer.to)}` : ''
      return `#${r.n}${label(o, r.n)} · ${queueName(o.config, r.queue)} · waits ${duration(o.now - r.place.since)}${asked}`
    }).join('\n'))
  },

  mine(o, c) {
    const lines = [...o.book.states].flatMap(([n, s]) => {
      if (s.is === 'absent') return []
      const role = roleOf(s, c.by)
      return role === undefined ? [] : [`#${n}${label(o, n)} · ${queueName(o.config, s.queue)} · ${role === 'owner' ? (s.is === 'ended' ? 'ended' : 'yours') : role}`]
    })
    return yes(lines.length > 0 ? lines.join('\n') : 'You have no conversations.')
  },

  async done(o, c) {
    const past = await o.past(c.by, 20)
    return yes(past.length > 0 ? past.map(p => `#${p.number} (${p.customer}) · ${queueName(o.config, p.queue)}`).join('\n') : 'You have no past conversations.')
  },

  board(o) {
    const lines = o.operators.all().filter(p => p.role !== 'admin' || o.operators.operator(p.jid).devices.length > 0).map(p => {
      const op = o.operators.operator(p.jid)
      const queues = o.operators.queuesOf(p.jid)
      const active = queues.filter(q => isReceiving(op, q)).length
      return `${o.operators.name(p.jid)}: ${STATE[colour(op)]} · ${o.serves(p.jid)} of ${capacityOf(op)} chats · ${active} of ${queues.length} queues`
    })
    return yes(lines.length > 0 ? lines.join('\n') : 'There are no agents.')
  },

  async accept(o, c) {
    const n = meant(o, c, asked(c.by), 'Nothing is offered to you.', true)
    if (isAnswer(n)) return n
    const lacks = mayAnswer(o, n, c.by)
    if (lacks) return lacks
    const outcome = await o.book.give(n, { do: 'accept', by: c.by })
    return told(o, n, outcome, `#${n}${label(o, n)}: accepted.`)
  },
  async decline(o, c) {
    const n = meant(o, c, asked(c.by), 'Nothing is offered to you.', true)
    if (isAnswer(n)) return n
    const outcome = await o.book.give(n, { do: 'decline', by: c.by })
    return outcome instanceof Refused || outcome.length > 0 ? told(o, n, outcome, `#${n}${label(o, n)}: passed on.`) : no(`#${n} is not offered to you.`)
  },

  async take(o, c) {
    let n = c.n
    if (n === undefined) {
      const queues = o.operators.queuesOf(c.by)
      const here = c.here === undefined ? undefined : o.book.states.get(c.here)
      if (here && (isQueued(here) || (here.is === 'active' && here.owner !== c.by))) n = c.here
      else n = o.line().filter(r => (r.only?.includes(c.by) ?? queues.includes(r.queue)) && isFor(c.by, o.book.states.get(r.n))).sort(inLine)[0]?.n
      if (n === undefined) return no('Nobody waits.')
    }
    const s = o.book.states.get(n)
    if (!s || s.is === 'absent') return no(`There is no open conversation #${n}.`)
    const force = o.operators.may(c.by, 'chat.take.others', s.queue)
    if (!force && !o.eligible(s).includes(c.by) && roleOf(s, c.by) === undefined) return notYours(`You do not serve ${queueName(o.config, s.queue)}.`)
    if (isQueued(s) && o.operators.isBot(c.by) && o.operators.isHandedOver(s)) return notYours('A program has handed it over: it waits for people.')
    // Who is asked has his seat already: taking is accepting.
    const mine = asked(c.by)(s) || (s.is === 'active' && s.owner === c.by) || isOver(s)
    const outcome = mine ? await o.book.give(n, { do: 'take', by: c.by, seat: randomUUID(), force: false }) : await o.book.withSeat(n, c.by, o.room(c.by, s.queue), seat => ({ do: 'take', by: c.by, seat, force }))
    const now = o.book.states.get(n)
    if (outcome instanceof Refused && isQueued(s) && now?.is === 'active') return no(`${o.operators.name(now.owner)} was quicker.`)
    return told(o, n, outcome, `#${n}${label(o, n)} is yours.`)
  },

  async transfer(o, c) {
    const n = meant(o, c, s => s.is === 'active' && s.owner === c.by, 'You serve no conversation.')
    if (isAnswer(n)) return n
    const force = o.operators.may(c.by, 'chat.act.others', queueOf(o, n))
    const { to = '', comment } = c.args
    const note = comment ? { body: comment, name: o.operators.name(c.by) } : undefined
    const queue = takingQueue(o, n, c.by, to, queueOf(o, n))
    if (isAnswer(queue)) return queue
    let outcome: readonly Event[] | Refused
    let done: string
    if (queue !== undefined) {
      outcome = await o.book.give(n, { do: 'requeue', by: c.by, queue, force })
      if (note && !(outcome instanceof Refused)) await o.book.give(n, { do: 'say', by: c.by, as: 'internal', force: true }, note)
      done = `#${n}${label(o, n)} waits in ${queueName(o.config, queue)} now.`
    } else {
      const who = colleague(o, to)
      if (isAnswer(who)) return who
      if (!o.operators.may(who, 'chat.with.customers')) return no(`${o.operators.name(who)} may not chat with customers.`)
      const op = o.operators.operator(who)
      const s = o.book.states.get(n)
      if (s?.is === 'active' && (s.owner === c.by || force) && s.owner !== who && !isAskable(op)) return no(`${o.operators.name(who)} is not available.`)
      outcome = await o.book.withSeat(n, who, o.room(who, s && s.is !== 'absent' ? s.queue : ''), id => ({ do: 'transfer', by: c.by, to: who, id, until: o.now + o.rules.now.distribution.transfer * 1000, force, line: note !== undefined }), note)
      if (!(outcome instanceof Refused) && o.operators.may(c.by, 'transfer.force')) {
        outcome = await o.book.give(n, { do: 'accept', by: who }) // RULE-C4: nobody is asked
        done = `#${n}${label(o, n)} is with ${o.operators.name(who)} now.`
      } else done = `#${n}${label(o, n)} is offered to ${o.operators.name(who)}; it stays yours until it is accepted.`
    }
    return told(o, n, outcome, done)
  },

  async invite(o, c) {
    const n = meant(o, c, mine(c.by), 'You serve no conversation.')
    if (isAnswer(n)) return n
    const who = colleague(o, c.args['who'] ?? '')
    if (isAnswer(who)) return who
    if (who === c.by) return no('That is you.')
    if (!o.operators.may(c.by, 'chat.with.agents')) return notYours('You may not chat with agents.')
    if (isCrowded(o, n)) return no('No more people may speak in this conversation.')
    if (!o.operators.may(who, 'chat.with.agents')) return no(`${o.operators.name(who)} may not chat with agents.`)
    if (!isAskable(o.operators.operator(who))) return no(`${o.operators.name(who)} is not available.`)
    const outcome = await o.book.give(n, { do: 'invite', by: c.by, who, id: randomUUID().slice(0, 8), until: o.now + o.rules.now.distribution.invitation * 1000, force: o.operators.may(c.by, 'chat.act.others', queueOf(o, n)) })
    return told(o, n, outcome, `${o.operators.name(who)} is asked.`)
  },

  observe: (o, c) => step(o, c, 'observe'),
  join: (o, c) => step(o, c, 'join'),
  async leave(o, c) {
    const n = meant(o, c, mine(c.by), 'You are in no conversation.')
    return isAnswer(n) ? n : told(o, n, await o.book.give(n, { do: 'leave', by: c.by }), `You have left #${n}.`)
  },

  coach: (o, c) => speak(o, c, 'coaching', ''),
  note: (o, c) => speak(o, c, 'internal', 'Noted.'),
  say: (o, c) => speak(o, c, 'public', ''),

  end: (o, c) => finish(o, c, 'end'),
  close: (o, c) => finish(o, c, 'close'),
  async ticket(o, c) {
    const n = meant(o, c, s => owned(c.by)(s) || s.crew[c.by] === 'participant', 'You serve no conversation.')
    if (isAnswer(n)) return n
    const number = c.args['ticket'] === undefined ? undefined : Number(c.args['ticket'].replace('#', ''))
    const outcome = await o.file(n, c.by, number)
    return outcome instanceof Refused ? refused(o, outcome) : yes(`#${n} stands in ticket ${outcome}, and is closed.`, n)
  },

  async who(o, c) {
    const n = meant(o, c, s => mine(c.by)(s) || owned(c.by)(s), 'You are in no conversation; give a number.')
    if (isAnswer(n)) return n
    const s = o.book.states.get(n) ?? await o.book.state(n)
    const sees = s.is === 'closed' ? s.deleted === undefined && mayRead(o, c.by, s) : visible(o, c.by, n)
    if (s.is === 'absent' || !sees) return no(`There is no conversation #${n}.`)
    const customer = await o.customers.byId(s.customer)
    return yes([
      `#${n} ${customer?.name ?? 'Customer'}${customer ? ` <${customer.jid}>` : ''} · ${queueName(o.config, s.queue)} · ${s.is}`,
      ...(customer?.page ? [`from ${customer.page}`] : []),
      s.is === 'closed' ? `lasted ${duration(s.at - s.opened)}` : `open for ${duration(o.now - s.opened)}`,
      ...(s.is === 'active' || s.is === 'ended' ? [`served by ${o.operators.name(s.owner)}`] : []),
      ...(customer ? await cardLines(o, c.by, customer) : []),
      ...Object.entries(s.crew).map(([jid, role]) => `${o.operators.name(jid)}: ${role}`),
      ...await unread(o, n, s),
    ].join('\n'), n)
  },

  canned(o, c) {
    const n = c.n ?? c.here
    return yes(repliesList(o, c.by, n, c.args['words'] ?? ''), n)
  },
  reply(o, c) {
    const n = meant(o, c, mine(c.by), 'You serve no conversation.')
    if (isAnswer(n)) return n
    const found = replies(o, c.by, n).get((c.args['shortcut'] ?? '').toLowerCase())
    return found ? speak(o, { ...c, n, args: { text: filled(o, c.by, n, found) } }, 'public', '') : no('There is no such canned reply.')
  },

  on: (o, c) => receiving(o, c, true),
  off: (o, c) => receiving(o, c, false),
  async invisible(o, c) {
    const to = c.args['to']?.toLowerCase()
    await setIntake(o, c.by, { invisible: to === 'all' ? 'all' : to === 'cust' ? 'customers' : 'no' })
    return yes(to === 'off' ? 'You are visible.' : `You are invisible to ${to === 'all' ? 'all' : 'customers'}.`)
  },
  async max(o, c) {
    const max = Number((c.args['number'] ?? '').replace('#', ''))
    if (!Number.isInteger(max) || max < 0 || max > 1000) return no('A number from 0 to 1000, please.')
    await setIntake(o, c.by, { max })
    const most = capacityOf(o.operators.operator(c.by))
    return yes(most < max ? `You serve at most ${most} at once: an administrator has set that.` : `You serve at most ${max} at once.`)
  },
  async view(o, c) {
    const view = c.args['as']?.toLowerCase() === 'room' ? 'room' : 'contact'
    await o.operators.change(c.by, { view })
    o.onView(c.by)
    return yes(`Your conversations are shown as ${view}s.`)
  },
}

const STATE = { green: 'available', yellow: 'away', red: 'not available', black: 'not here' } as const

/** Nobody is asked about it, or he is. */
const isFor = (who: Bare, s: State | undefined): boolean => s?.is === 'waiting' || (s?.is === 'offered' && s.offer.to === who)

/** What was said before anybody serves it: who is asked can read it first (OT-17). */
async function unread(o: Office, n: number, s: Present): Promise<string[]> {
  return isQueued(s) ? (await o.lines.after(n, 0, 50)).filter(l => l.seq <= s.lines && l.as === 'public' && l.by !== 'desk').map(l => `${l.name}: ${l.body}`) : []
}

/** RULE-C2: whether as many speak in public as may; who watches or coaches does not count. */
function isCrowded(o: Office, n: number, but?: Bare): boolean {
  const s = o.book.states.get(n)
  if (!s || s.is === 'absent') return false
  const most = departmentsOf(o.rules.now, s.queue).find(d => d.maxPublic > 0)?.maxPublic ?? o.rules.now.conversation.maxPublic
  const speaking = 1 + (s.is === 'active' ? 1 : 0) + Object.entries(s.crew).filter(([jid, role]) => role === 'participant' && jid !== but).length
  return most > 0 && speaking >= most
}

async function step(o: Office, c: Call, to: 'observe' | 'join'): Promise<Answer> {
  const n = meant(o, c, s => s.crew[c.by] !== undefined || s.invitations.some(i => i.who === c.by), 'Nobody has invited you; give a number.')
  if (isAnswer(n)) return n
  if (to === 'join' && isCrowded(o, n, c.by)) return no('No more people may speak in this conversation; `!obs` to watch.')
  const outcome = await o.book.give(n, { do: to, by: c.by, force: o.operators.may(c.by, 'chat.view.others', queueOf(o, n)) })
  return told(o, n, outcome, to === 'observe' ? `You are watching #${n}${label(o, n)}; the customer does not know.` : `You take part in #${n}${label(o, n)}.`)
}

async function speak(o: Office, c: Call, as: 'public' | 'coaching' | 'internal', done: string): Promise<Answer> {
  const n = meant(o, c, mine(c.by), 'You are in no conversation.')
  if (isAnswer(n)) return n
  const body = c.args['text'] ?? ''
  if (c.id !== undefined && (await o.book.sent(n, c.by, c.id))?.body === body) return yes('', n)
  const outcome = await o.book.give(n, { do: 'say', by: c.by, as, force: o.operators.may(c.by, 'chat.coach', queueOf(o, n)) }, { body, name: o.operators.name(c.by), id: c.id })
  return told(o, n, outcome, done)
}

async function finish(o: Office, c: Call, how: 'end' | 'close'): Promise<Answer> {
  const n = meant(o, c, how === 'close' ? owned(c.by) : s => s.is === 'active' && s.owner === c.by, 'You serve no conversation.')
  if (isAnswer(n)) return n
  const name = label(o, n)
  const outcome = await o.book.give(n, { do: how, by: c.by, force: o.operators.may(c.by, 'chat.act.others', queueOf(o, n)) })
  return told(o, n, outcome, how === 'end' ? `#${n}${name} has ended; it stays on your list until !close.` : `#${n}${name} is closed.`)
}

async function receiving(o: Office, c: Call, on: boolean): Promise<Answer> {
  let { queue, who } = c.args
  if (queue !== undefined) queue = queueMeant(queue) ?? queue.toLowerCase()
  if (queue !== undefined && !o.hasQueue(queue) && who === undefined) { who = queue; queue = undefined }
  if (queue !== undefined && !o.hasQueue(queue)) return no(`There is no queue “${short(queue, 40)}”.`)
  const whom = who === undefined ? c.by : colleague(o, who)
  if (isAnswer(whom)) return who === c.args['queue'] && whom.text.startsWith('There is no') ? no(`There is no queue and no colleague “${short(who ?? '', 40)}”. Queues: ${[...o.config.queues.keys()].join(', ')}.`) : whom
  if (whom !== c.by && !o.operators.may(c.by, 'status.others')) return notYours('You may not change that for others.')
  const now = o.operators.operator(whom)
  const all = [...o.config.queues.keys()]
  const off = new Set(all.filter(q => !takesFrom(now, q)))
  for (const q of queue === undefined ? all : [queue]) { if (on) off.delete(q); else off.add(q) }
  await setIntake(o, whom, { off: off.size === all.length && all.length > 0 ? 'all' : [...off] })
  const where = queue === undefined ? '' : ` from ${queueName(o.config, queue)}`
  return yes(`${whom === c.by ? 'You receive' : `${o.operators.name(whom)} receives`} ${on ? 'customers' : 'no new customers'}${where}.`)
}

async function setIntake(o: Office, jid: Bare, news: Partial<Intake>): Promise<void> {
  await o.operators.change(jid, { intake: { ...o.operators.record(jid).intake, ...news } })
  o.operatorChanged(jid)
}
