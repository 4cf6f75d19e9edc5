// The life of one customer's conversation: `decide` says what a command brings about, `evolve` what that leaves behind. Pure: time comes in with the command.

import { Refused, type Active, type Bare, type Command, type DeskLine, type Event, type Invitation, type Known, type Offer, type Place, type Present, type State, type Who } from './facts.ts'
import { decideMark, evolveMark } from './marks.ts'
import { proposed, underProposal } from './proposal.ts'
import { isOver, isQueued, mayWrite, pendingOffers, roleOf } from './states.ts'

export { isOver, isQueued, ownerOf, pendingOffers, roleOf } from './states.ts'

export const initial: State = { is: 'absent' }
type Ask<D extends Command['do']> = Extract<Command, { do: D }>
type Outcome = readonly Event[] | Refused
const no = (because: string, who?: Bare): Refused => new Refused(because, who)
const notYours = (because: string, who?: Bare): Refused => new Refused(because, who, true)
const gone = (because: string, who?: Bare): Refused => new Refused(because, who, false, true)

/** The events that carrying out `c` adds to the log of a conversation in state `s`, none if it changes nothing, or why it must not be. */
export function decide(s: State, c: Command): Outcome {
  const outcome = bringsAbout(s, c)
  return outcome instanceof Refused ? outcome : withDeskLines(s, outcome)
}

function bringsAbout(s: State, c: Command): Outcome {
  if (c.do === 'open') {
    if (s.is !== 'absent') return no('The conversation is open already.')
    const opened: Event = { type: 'opened', at: c.now, queue: c.queue, customer: c.customer, ...(c.preferred && c.preferred.length > 0 ? { preferred: c.preferred } : {}), ...(c.priority && c.priority !== 'normal' ? { priority: c.priority } : {}), ...(c.only ? { only: c.only } : {}), ...(c.number === undefined ? {} : { number: c.number }) }
    return c.line === true ? [opened, { type: 'said', at: c.now, seq: 0, by: 'customer', as: 'public' }] : [opened] // numbered on the way out
  }
  if (s.is === 'absent') return c.do === 'propose' ? proposed(c) : no('There is no such conversation.')
  const first = underProposal(s, c)
  if (first) return first
  switch (c.do) {
    case 'say': return say(s, c)
    case 'offer': return offer(s, c)
    case 'accept': return accept(s, c)
    case 'decline': return pass(s, c.by, c.id, 'declined', c.now) ?? []
    case 'lapse': return lapse(s, c)
    case 'revoke': return withdraw(s, c.now, o => o.id === c.id)
    case 'exhaust': return s.is === 'waiting' && s.place.passed.length > 0 ? [{ type: 'exhausted', at: c.now, until: c.until }] : []
    case 'stir': return stir(s, c)
    case 'take': return take(s, c)
    case 'transfer': return transfer(s, c)
    case 'requeue': return requeue(s, c)
    case 'invite': return invite(s, c)
    case 'observe': case 'join': return step(s, c)
    case 'leave': return leave(s, c)
    case 'detach': return s.is === 'active' && s.owner === c.who && s.detached === undefined ? [{ type: 'detached', at: c.now, who: c.who, until: c.until }] : []
    case 'attach': return s.is === 'active' && s.owner === c.who && s.detached !== undefined ? [{ type: 'attached', at: c.now, who: c.who }] : []
    case 'hand off': return s.is === 'active' && s.owner === c.from && s.detached !== undefined && c.now >= s.detached
      ? [...withdraw(s, c.now, isHandover(s)), { type: 'requeued', at: c.now, queue: s.queue, why: 'detached', from: c.from }] : []
    case 'remove operator': return removeOperator(s, c)
    case 'customer gone': return isOver(s) || s.gone !== undefined ? [] : [{ type: 'customer gone', at: c.now, until: c.until }]
    case 'customer back': return isOver(s) || s.gone === undefined ? [] : [{ type: 'customer back', at: c.now }]
    case 'give up': return isQueued(s) && s.gone !== undefined && c.now >= s.gone ? [...withdraw(s, c.now), { type: 'closed', at: c.now, by: 'desk', cut: true }] : []
    case 'end': return end(s, c)
    case 'close': return close(s, c)
    case 'file': return file(s, c)
    case 'filed': return s.filing?.key !== c.key || s.filing.is !== 'started' || s.is === 'closed' ? []
      : c.through !== undefined && s.shown > c.through ? no('More was said meanwhile.')
      : [...withdraw(s, c.now), { type: 'filed', at: c.now, key: c.key, ticket: c.ticket }, closing(s, s.filing.by, c.now)]
    case 'filing failed': return s.filing?.key === c.key && s.filing.is === 'started' ? [{ type: 'filing failed', at: c.now, key: c.key }] : []
    case 'silence': return s.is === 'active' && s.owner === c.from && !s.transfer && !s.hold && s.clocks.unanswered !== undefined && Math.max(s.clocks.unanswered, s.clocks.assigned ?? 0, s.clocks.resumed ?? 0) <= c.since
      ? [...withdraw(s, c.now, isHandover(s)), { type: 'requeued', at: c.now, queue: s.queue, why: 'silent', from: c.from }] : []
    default: return decideMark(s, c)
  }
}

// Lines

/** Adds what the desk says to the customer about each event, as public lines of their own, and numbers all lines. */
function withDeskLines(s: State, events: readonly Event[]): readonly Event[] {
  if (!events.some(e => e.type === 'said' || tells(s, e))) return events
  const all: Event[] = []
  let now = s
  const add = (e: Event): void => { all.push(e); now = evolve(now, e) }
  for (const e of events) {
    const line = tells(now, e)
    add(e.type === 'said' && now.is !== 'absent' ? numbered(now, e) : e)
    if (line && now.is !== 'absent') add(numbered(now, { type: 'said', at: e.at, seq: 0, by: 'desk', as: 'public', line }))
  }
  return all
}
const numbered = (s: Present, e: Extract<Event, { type: 'said' }>): Event => ({ ...e, seq: s.lines + 1, ...(e.as === 'public' ? { shown: s.shown + 1 } : {}) })

/** What the customer hears of `e`: who takes part and who no more, never who is asked or watches. */
function tells(s: State, e: Event): DeskLine | undefined {
  switch (e.type) {
    case 'accepted': case 'taken': return s.is !== 'absent' && s.crew[e.by] === 'participant' ? undefined : { is: 'joined', who: e.by }
    case 'opened': return e.number === undefined ? undefined : { is: 'number', n: e.number }
    case 'proposed': return { is: 'asked', who: e.by }
    case 'proposal accepted': return s.is === 'active' ? { is: 'joined', who: s.owner } : undefined
    case 'proposal passed': return { is: e.why === 'declined' ? 'declined' : 'unasked' }
    case 'transferred': return s.is !== 'absent' && s.crew[e.to] === 'participant' ? undefined : { is: 'joined', who: e.to }
    case 'reopened': return { is: 'joined', who: e.owner }
    case 'joined': return { is: 'joined', who: e.who }
    case 'observing': case 'left': return e.was === 'participant' ? { is: 'left', who: e.who } : undefined
    case 'requeued': return { is: 'queued' }
    case 'ended': return { is: 'ended', by: sideOf(e.by) }
    case 'closed': return e.cut ? { is: 'ended', by: sideOf(e.by) } : undefined
    default: return undefined
  }
}
const sideOf = (who: Who): 'customer' | 'agent' | 'desk' => who === 'customer' || who === 'desk' ? who : 'agent'

function say(s: Present, c: Ask<'say'>): Outcome {
  const said: Event = { type: 'said', at: c.now, seq: 0, by: c.by, as: c.as, ...(c.chat === undefined ? {} : { chat: c.chat }) } // numbered on the way out
  if (c.by === 'desk' || c.as === 'command') return [said]
  if (c.by === 'customer') {
    if (s.is === 'closed') return no('The conversation is closed.')
    if (s.is !== 'ended') return s.hold ? [{ type: 'resumed', at: c.now, by: 'customer' }, said] : [said]
    return [c.again === undefined ? { type: 'requeued', at: c.now, queue: s.queue, why: 'reopened' } : { type: 'reopened', at: c.now, owner: s.owner, seat: c.again }, said]
  }
  const role = roleOf(s, c.by)
  if (c.as === 'public') {
    if (role === 'observer') return notYours('Not sent: you are only watching. `!join` to take part, `!c …` to coach.')
    if (role === 'invited') return notYours('Not sent: `!obs` to watch or `!join` to take part first.')
    if (role === undefined) return s.is === 'active' ? notYours('Not sent: {who} serves this conversation.', s.owner) : no(isOver(s) ? 'Not sent: the conversation is over.' : 'Not sent: nobody serves this conversation yet. `!a` or `!take` it first.')
    return isOver(s) ? no('Not sent: the conversation has ended. A line from the customer opens it again.') : [said]
  }
  if (c.chat !== undefined) return s.invitations.some(i => i.id === c.chat && i.until === undefined && (i.by === c.by || i.who === c.by)) ? [said] : no('This internal chat is over.')
  return role !== undefined || c.force === true ? [said] : notYours('You are not in this conversation.')
}

// Offers: from the queue, of a transfer, of an invitation

function offer(s: Present, c: Ask<'offer'>): Outcome {
  if (s.is !== 'waiting') return no('It does not wait.')
  return [c.automatic === true ? { type: 'accepted', at: c.now, id: c.id, by: c.to } : { type: 'offered', at: c.now, id: c.id, to: c.to, until: c.until }]
}

function accept(s: Present, c: Ask<'accept'>): Outcome {
  const meant = (o: { id: string }): boolean => c.id === undefined || c.id === o.id
  if (s.is === 'offered' && s.offer.to === c.by && meant(s.offer)) return [{ type: 'accepted', at: c.now, id: s.offer.id, by: c.by }]
  if (s.is === 'active' && s.transfer?.to === c.by && meant(s.transfer)) return [{ type: 'transferred', at: c.now, id: s.transfer.id, from: s.owner, to: c.by }]
  const asked = s.invitations.find(i => i.who === c.by && meant(i))
  if (asked) return asked.until === undefined ? [] : [{ type: 'invitation accepted', at: c.now, id: asked.id, by: asked.by, who: c.by }]
  switch (s.is) {
    case 'active': return s.owner === c.by ? [] : no('{who} was quicker.', s.owner)
    case 'offered': return (s.place.passed.includes(c.by) ? gone : no)('It is offered to {who}, not to you.', s.offer.to)
    case 'waiting': return gone('It is not offered to you now.')
    default: return gone('The conversation is over.')
  }
}

function pass(s: Present, by: Bare, id: string | undefined, why: 'declined' | 'lapsed', at: number): Event[] | undefined {
  const meant = (o: { id: string }): boolean => id === undefined || id === o.id
  if (s.is === 'offered' && s.offer.to === by && meant(s.offer)) return [{ type: 'passed', at, id: s.offer.id, by, why }]
  if (s.is === 'active' && s.transfer?.to === by && meant(s.transfer)) return [{ type: 'transfer passed', at, id: s.transfer.id, by, why }]
  const asked = s.invitations.find(i => i.who === by && i.until !== undefined && meant(i))
  return asked && [{ type: 'invitation passed', at, id: asked.id, by: asked.by, who: by, why }]
}

/** An alarm may ring after the answer, or for an older offer, or too early: then it means nothing. */
function lapse(s: Present, c: Ask<'lapse'>): Outcome {
  const due = pendingOffers(s).find(o => o.id === c.id && c.now >= o.until)
  return (due && pass(s, due.to, due.id, 'lapsed', c.now)) ?? []
}

function stir(s: Present, c: Ask<'stir'>): Outcome {
  if (s.is !== 'waiting') return []
  if (s.place.rest !== undefined) return c.who !== undefined || c.now >= s.place.rest ? [{ type: 'stirred', at: c.now, ...(c.who === undefined ? {} : { who: c.who }) }] : []
  return c.who !== undefined && s.place.passed.includes(c.who) ? [{ type: 'stirred', at: c.now, who: c.who }] : []
}

/** What is still pending and falls away with the state it hangs on. */
function withdraw(s: Present, at: number, which: (o: Offer) => boolean = () => true): Event[] {
  const events: Event[] = []
  if (s.is === 'offered' && which(s.offer)) events.push({ type: 'passed', at, id: s.offer.id, by: s.offer.to, why: 'revoked' })
  if (s.is === 'active' && s.transfer && which(s.transfer)) events.push({ type: 'transfer passed', at, id: s.transfer.id, by: s.transfer.to, why: 'revoked' })
  for (const i of s.invitations) {
    if (i.until !== undefined && which({ id: i.id, to: i.who, until: i.until })) events.push({ type: 'invitation passed', at, id: i.id, by: i.by, who: i.who, why: 'revoked' })
  }
  return events
}
/** The offer of the conversation itself, no invitation. */
const isHandover = (s: Present) => (o: Offer): boolean => o.id === (s.is === 'offered' ? s.offer.id : s.is === 'active' ? s.transfer?.id : undefined)

// Ownership

function take(s: Present, c: Ask<'take'>): Outcome {
  const taken: Event = { type: 'taken', at: c.now, by: c.by, seat: c.seat }
  switch (s.is) {
    case 'waiting': return [taken]
    case 'offered':
      if (s.offer.to === c.by) return [{ type: 'accepted', at: c.now, id: s.offer.id, by: c.by }]
      return c.force ? [...withdraw(s, c.now, isHandover(s)).map(e => e.type === 'passed' ? { ...e, taken: c.by } : e), taken] : notYours('Not now: it is offered to {who}.', s.offer.to)
    case 'active':
      if (s.owner === c.by) return []
      if (s.transfer?.to === c.by) return [{ type: 'transferred', at: c.now, id: s.transfer.id, from: s.owner, to: c.by }]
      return c.force ? [...withdraw(s, c.now, isHandover(s)), { ...taken, from: s.owner }] : no('{who} serves it, and you may not take it from others.', s.owner)
    default: return no('The conversation is over.')
  }
}

function transfer(s: Present, c: Ask<'transfer'>): Outcome {
  if (s.is !== 'active') return no('Only a conversation that is being served can be transferred.')
  if (s.owner !== c.by && c.force !== true) return notYours('{who} serves it, and nobody else may transfer it.', s.owner)
  if (c.to === s.owner) return no('{who} serves it already.', s.owner)
  if (s.transfer) return no('It is being offered to {who} already.', s.transfer.to)
  return [{ type: 'transfer offered', at: c.now, id: c.id, by: c.by, to: c.to, until: c.until, ...(c.line ? { line: true as const } : {}) }, ...(c.line ? [{ type: 'said' as const, at: c.now, seq: 0, by: c.by, as: 'internal' as const }] : [])] // numbered on the way out
}

function requeue(s: Present, c: Ask<'requeue'>): Outcome {
  if (isOver(s)) return no('The conversation is over.')
  const owner = s.is === 'active' ? s.owner : undefined
  if (owner !== c.by && c.force !== true) return owner === undefined ? notYours('Nobody serves it yet.') : notYours('{who} serves it, and nobody else may transfer it.', owner)
  return [...withdraw(s, c.now, isHandover(s)),
    { type: 'requeued', at: c.now, queue: c.queue, why: 'given', by: c.by, ...(owner === undefined ? {} : { from: owner }) }]
}

// Colleagues

function invite(s: Present, c: Ask<'invite'>): Outcome {
  if (isOver(s)) return no('The conversation is over.')
  if (c.force !== true && !mayWrite(s, c.by)) return notYours('Only who serves the conversation may invite.')
  if (s.is === 'active' && s.owner === c.who) return no('{who} serves it already.', c.who)
  if (s.crew[c.who] !== undefined) return no('{who} is in it already.', c.who)
  if (s.invitations.some(i => i.who === c.who)) return no('{who} is asked already.', c.who)
  return [{ type: 'invited', at: c.now, id: c.id, by: c.by, who: c.who, until: c.until }]
}

/** To observe or to take part: after an invitation, by switching from the one to the other, or by a permission of one's own. */
function step(s: Present, c: Ask<'observe'> | Ask<'join'>): Outcome {
  if (isOver(s)) return no('The conversation is over.')
  if (s.is === 'active' && s.owner === c.by) return no('You serve this conversation.')
  const was = s.crew[c.by]
  const asked = s.invitations.find(i => i.who === c.by && i.until !== undefined)
  if (was === undefined && !asked && !c.force) return notYours('Nobody has invited you to this conversation.')
  const role = c.do === 'observe' ? 'observer' : 'participant'
  if (was === role) return []
  const accepted: Event[] = asked ? [{ type: 'invitation accepted', at: c.now, id: asked.id, by: asked.by, who: c.by }] : []
  const before = asked ? 'invited' as const : was
  return [...accepted, { type: role === 'observer' ? 'observing' : 'joined', at: c.now, who: c.by, ...(before === undefined ? {} : { was: before }) }]
}

function leave(s: Present, c: Ask<'leave'>): Outcome {
  if (s.is === 'active' && s.owner === c.by) return no('You serve this conversation: transfer it (`!t`) or end it (`!end`).')
  const was = s.crew[c.by]
  return was === undefined ? notYours('You are not in this conversation.') : [{ type: 'left', at: c.now, who: c.by, was }]
}

function removeOperator(s: Present, c: Ask<'remove operator'>): Outcome {
  if (isOver(s)) return []
  const was = s.crew[c.who]
  return [
    ...withdraw(s, c.now, o => o.to === c.who || (s.is === 'active' && s.owner === c.who && isHandover(s)(o))),
    ...(was === undefined ? [] : [{ type: 'left' as const, at: c.now, who: c.who, was }]),
    ...(s.is === 'active' && s.owner === c.who ? [{ type: 'requeued' as const, at: c.now, queue: s.queue, why: 'removed' as const, from: c.who }] : []),
  ]
}

// The end

function end(s: Present, c: Ask<'end'>): Outcome {
  if (isOver(s)) return []
  if (!mayEnd(s, c)) return notYours('Only who serves the conversation may end it.')
  return s.is === 'active' ? [...withdraw(s, c.now), { type: 'ended', at: c.now, by: c.by }] : [...withdraw(s, c.now), closing(s, c.by, c.now)]
}

function close(s: Present, c: Ask<'close'>): Outcome {
  if (s.is === 'closed' || (c.idle !== undefined && (s.clocks.idle !== c.idle || s.clocks.unanswered !== undefined || s.hold !== undefined))) return []
  return mayEnd(s, c) ? [...withdraw(s, c.now), closing(s, c.by, c.now)] : notYours('Only who serves the conversation may close it.')
}
const closing = (s: Present, by: Ask<'close'>['by'], at: number): Event => ({ type: 'closed', at, by, ...(s.is === 'ended' ? {} : { cut: true as const }) })
const mayEnd = (s: Present, c: { by: string; force?: boolean }): boolean => c.force === true || c.by === 'customer' || c.by === 'desk' || mayWrite(s, c.by) || (s.is === 'ended' && s.owner === c.by)

function file(s: Present, c: Ask<'file'>): Outcome {
  if (s.is === 'closed') return no('The conversation is closed.')
  if (s.is === 'waiting' || s.is === 'offered' || !(mayEnd(s, c))) return notYours('Only who serves the conversation may make a ticket of it.')
  if (s.filing?.is === 'started') return no('A ticket is being written from it already.')
  return [{ type: 'filing', at: c.now, key: c.key, by: c.by, ...(c.ticket === undefined ? {} : { ticket: c.ticket }) }]
}

// The fold

/** The state after `e`. Total: an event is a fact, and never refused. */
export function evolve(s: State, e: Event): State {
  if (e.type === 'opened') {
    return {
      is: 'waiting', queue: e.queue, only: e.only, customer: e.customer, opened: e.at, lines: 0, shown: 0, owners: [], crew: {}, invitations: [], filing: undefined, gone: undefined, messages: 0, waited: undefined, priority: e.priority ?? 'normal', hold: undefined, followUp: undefined, warned: {}, monitors: {},
      clocks: { idle: undefined, unanswered: undefined, assigned: undefined, replied: undefined }, place: place(e.at, { preferred: [e.preferred ?? []].flat() }), // the first logs hold a single name
    }
  }
  if (s.is === 'absent') return s
  const known = knownOf(s)
  switch (e.type) {
    case 'said': return { ...s, messages: s.messages + (e.as === 'public' && e.by !== 'desk' ? 1 : 0), lines: e.seq, shown: e.shown ?? s.shown, clocks: heard(s, e) }
    case 'offered': return { ...known, is: 'offered', place: { ...placeOf(s, e.at), rest: undefined }, offer: { id: e.id, to: e.to, until: e.until } }
    case 'accepted': return owned({ ...known, waited: waitedOf(s, e.at) }, e.by, e.id, e.at)
    case 'taken': return owned({ ...known, waited: waitedOf(s, e.at) }, e.by, e.seat, e.at)
    case 'proposed': return { ...owned(known, e.by, e.seat, e.at), proposal: { until: e.until } }
    case 'proposal accepted': return s.is === 'active' ? { ...s, proposal: undefined, clocks: { ...s.clocks, assigned: e.at } } : s
    case 'proposal passed': return s.is === 'active' ? { ...s, proposal: undefined } : s
    case 'transferred': return owned(known, e.to, e.id, e.at)
    case 'reopened': return owned(known, e.owner, e.seat, e.at)
    case 'passed': return { ...known, is: 'waiting', place: { ...placeOf(s, e.at), passed: [...placeOf(s, e.at).passed.filter(p => p !== e.by), e.by] } }
    case 'exhausted': return s.is === 'waiting' ? { ...s, place: { ...s.place, passed: [], rest: e.until } } : s
    case 'stirred': return s.is === 'waiting' ? { ...s, place: { ...s.place, rest: undefined, passed: s.place.passed.filter(p => p !== e.who) } } : s
    case 'requeued': return { ...known, is: 'waiting', queue: e.queue, only: e.why === 'given' ? undefined : known.only, place: place(e.at, e.why === 'given' ? { spare: e.from } : { head: true, spare: e.why === 'silent' ? e.from : undefined, preferred: s.is === 'ended' ? [s.owner] : [] }) }
    case 'transfer offered': return s.is === 'active' ? { ...s, transfer: { id: e.id, to: e.to, until: e.until, by: e.by, ...(e.line ? { comment: s.lines + 1 } : {}) } } : s
    case 'transfer passed': return s.is === 'active' ? { ...s, transfer: undefined } : s
    case 'invited': return { ...s, invitations: [...s.invitations, { id: e.id, by: e.by, who: e.who, until: e.until }] }
    case 'invitation accepted': return { ...s, invitations: s.invitations.map(i => i.id === e.id ? { ...i, until: undefined } : i), crew: { [e.who]: 'invited', ...s.crew } }
    case 'invitation passed': return { ...s, invitations: s.invitations.filter(i => i.id !== e.id) }
    case 'observing': return { ...s, crew: { ...s.crew, [e.who]: 'observer' } }
    case 'joined': return { ...s, crew: { ...s.crew, [e.who]: 'participant' } }
    case 'left': return { ...s, crew: without(s.crew, e.who), invitations: s.invitations.filter(i => i.who !== e.who) }
    case 'detached': return s.is === 'active' ? { ...s, detached: e.until } : s
    case 'attached': return s.is === 'active' ? { ...s, detached: undefined } : s
    case 'customer gone': return { ...s, gone: e.until }
    case 'customer back': return { ...s, gone: undefined }
    case 'ended': return { ...known, is: 'ended', owner: s.is === 'active' ? s.owner : e.by, at: e.at, by: e.by, crew: {}, invitations: [], gone: undefined }
    case 'closed': return { ...known, is: 'closed', owner: known.owners.at(-1), at: e.at, by: e.by, crew: {}, invitations: [], gone: undefined }
    case 'filing': return { ...s, filing: { key: e.key, by: e.by, target: e.ticket, is: 'started', ticket: undefined } }
    case 'filed': return s.filing?.key === e.key ? { ...s, filing: { ...s.filing, is: 'bound', ticket: e.ticket } } : s
    case 'filing failed': return s.filing?.key === e.key ? { ...s, filing: { ...s.filing, is: 'failed' } } : s
    default: return evolveMark(s, e)
  }
}

const place = (since: number, p: Partial<Place>): Place => ({ since, head: false, passed: [], preferred: [], spare: undefined, rest: undefined, ...p })
const waitedOf = (s: Present, at: number): number | undefined => isQueued(s) ? Math.max(0, at - s.place.since) : s.waited
const placeOf = (s: Present, at: number): Place => isQueued(s) ? s.place : place(at, {})
const knownOf = (s: Present): Known => {
  const { queue, only, customer, opened, lines, shown, owners, crew, invitations, clocks, filing, gone, messages, waited, priority, hold, followUp, warned, monitors } = s
  return { queue, only, customer, opened, lines, shown, owners, crew, invitations, clocks, filing, gone, messages, waited, priority, hold, followUp, warned, monitors }
}

/** A new owner has one part only: he leaves the crew. The idle clock runs on (ST-69). */
const owned = (k: Known, owner: Bare, seat: string, at: number): Active => ({
  ...k, is: 'active', owner, seat, transfer: undefined, detached: undefined, crew: without(k.crew, owner), invitations: k.invitations.filter((i: Invitation) => i.who !== owner),
  owners: [...k.owners.filter(o => o !== owner), owner], clocks: { ...k.clocks, assigned: at, replied: undefined },
})

const heard = (s: Present, e: Extract<Event, { type: 'said' }>): Known['clocks'] => {
  if (e.as !== 'public' || e.by === 'desk') return s.clocks
  return e.by === 'customer' ? { ...s.clocks, unanswered: s.clocks.unanswered ?? e.at } : { ...s.clocks, unanswered: undefined, idle: e.at, replied: e.at }
}

const without = <T>(all: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> => Object.fromEntries(Object.entries(all).filter(([k]) => k !== key))
