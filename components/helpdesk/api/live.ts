// REST as it changes: lists, the board and one conversation as server-sent events (shell).
import { createHash } from 'node:crypto'
import type { HttpRequest, HttpRouter } from '../../../server/api.ts'
import type { Show } from '../availability.ts'
import { Refused, type Bare, type Present } from '../facts.ts'
import { BoardSource } from '../live/board-source.ts'
import type { Feed } from '../live/feed.ts'
import { ListSource } from '../live/list-source.ts'
import { Live } from '../live/live.ts'
import { OwnSource } from '../live/own-source.ts'
import { TimelineSource, type Shown } from '../live/timeline.ts'
import { nothing, problem, type Caller, type Door, type Route } from './door.ts'
import { NUMBERED, readQuery } from './lists.ts'
import { DEED } from './marks.ts'
import { AGENT, OWN_CARD } from './operators.ts'
import { ASKED } from './own.ts'
import { CONVERSATION, LINE } from './pictures.ts'
import { reaches } from './scopes.ts'
import { count, moment, shape, text, yesNo, type Schema } from './shapes.ts'
import type { Office } from '../office.ts'

const SHOWS: readonly Show[] = ['chat', 'available', 'away', 'xa', 'dnd']
const END = '`end` {reason, title}: the last one; reason is slow, forbidden, token, gone, silent, stopping or broken.'
const events = (description: string): Schema => ({ type: 'string', description: `Server-sent events; \`x-events\` says what the data of each is. ${description} ${END} A comment comes each 15 s (limits.events.beat).` })
const ALWAYS = { reset: shape({}), end: shape({ reason: { enum: ['slow', 'forbidden', 'token', 'gone', 'silent', 'stopping', 'broken'] }, title: text }) }
const READY = { ready: shape({ total: count }) }

export function liveRoutes(door: Door, http: HttpRouter, conversation: (r: HttpRequest, who: Caller) => Promise<{ n: number; s: Present; shown: Shown } | undefined>): readonly Route[] {
  const { office: o } = door
  const live = new Live(door, http)
  return [
    {
      method: 'GET', path: '/lists/{list}/events', id: 'listEvents', scope: 'conversations:read', events: { ...ALWAYS, ...READY, row: NUMBERED, gone: shape({ number: count }) }, refuses: [422], summary: 'The list as it changes: first everything, or what has changed since Last-Event-ID',
      query: { dept: text, queue: text, agent: text, channels: { enum: ['all', 'mine'] }, fields: { ...text, description: 'The columns wanted, with commas between; the number always comes.' } },
      answer: events('`reset`: forget what you have. `row`: a row of the list, new or changed. `gone` {number}: it stands there no more. `ready` {total}: that is all for now.'),
      handle: (r, who) => live.open(r, who, 'conversations:read', async (feed, seen, began) => {
        const q = readQuery(r, who)
        if ('status' in q) return q
        const opened = await ListSource.open(o, live, who.jid, { ...q, key: keyOf(who, q) }, feed, seen, began)
        return opened instanceof Refused ? problem(opened.forbidden ? 403 : 422, opened.because) : opened
      }),
    },
    {
      method: 'GET', path: '/board/events', id: 'boardEvents', scope: 'operators:read', events: { ...ALWAYS, ...READY, agent: shape(AGENT), gone: shape({ jid: text }) }, summary: 'The board as it changes', query: { queue: { ...text, description: 'Only agents of this queue.' } },
      answer: events('`reset`: forget what you have. `agent`: an agent’s row, new or changed. `gone` {jid}: no agent any more. `ready` {total}: that is all for now.'),
      handle: (r, who) => live.open(r, who, 'operators:read', async (feed, seen, began) => {
        const queue = r.query.get('queue')
        const source = new BoardSource(o, live.tape, who.jid, queue, keyOf(who, { board: queue }), feed)
        began(source)
        return { first: source.first(seen) }
      }),
    },
    {
      method: 'GET', path: '/conversations/{n}/events', id: 'conversationEvents', scope: 'conversations:read', events: { ...ALWAYS, ready: shape({ lines: count }), conversation: CONVERSATION, line: LINE, happened: DEED, typing: shape({ by: { enum: ['customer', 'agent'] }, jid: text, name: text, state: { enum: ['composing', 'paused', 'active', 'inactive', 'gone'] } }, 'jid', 'name'), read: shape({ by: { enum: ['customer'] }, seq: count }) }, summary: 'One conversation as it goes on: its lines and what is done with it, each once, also over a restart of the server',
      answer: events('`conversation`: as GET /conversations/{n} gives it, whenever more than a line has changed. `line`: as GET /conversations/{n}/lines gives it. `happened` {at, type, by, text}: as in its history. `typing` {by, jid, name, state} and `read` {by, seq}: what is kept by nobody, without an id. `ready` {lines}: that is all for now.'),
      handle: (r, who) => live.open(r, who, 'conversations:read', async (feed, seen, began) => {
        const found = await conversation(r, who)
        if (!found) return nothing()
        const source = new TimelineSource(o, found.n, who.jid, found.shown, feed)
        began(source)
        return { first: await source.first(found.s, seen) }
      }),
    },
    {
      method: 'GET', path: '/me/events', id: 'ownEvents', scope: 'conversations:read', needs: 'chat.serve', events: { ...ALWAYS, ...READY, me: OWN_CARD, settings: shape({ version: count }), asked: ASKED, over: shape({ id: text, number: count }), told: shape({ text, urgent: yesNo }), talk: shape({ number: count, standing: { enum: ['in', 'asked', 'out'] }, lines: count, last: moment, lastBy: text }) }, summary: 'What one is asked and told, as it comes. With `show` one is logged in as long as the stream is open, and its token asks for something within each two minutes',
      query: { show: { enum: SHOWS, description: 'One is here, as with an XMPP client that says so. It needs the scope conversations:write. Absent: one only listens.' } },
      answer: events('`reset`: forget what you have. `me`: how one stands, as GET /me but without `connection`: permissions, queues, state, chats. `settings` {version}: they have changed. `asked`: as GET /me/asked gives it; `over` {id, number}: it is asked no more. `told` {text, urgent}: the bot’s words, warnings and reminders among them. `talk` {number, standing, lines, last, lastBy}: a talk with colleagues has changed. `ready` {total}: that is all that is asked for now.'),
      handle: (r, who) => {
        const wanted = r.query.get('show')
        const show = SHOWS.find(s => s === wanted)
        if (wanted !== null && show === undefined) return problem(422, `show: one of ${SHOWS.join(', ')}.`, { errors: [{ pointer: '/show', detail: `one of ${SHOWS.join(', ')}` }] })
        if (show !== undefined && !reaches(who.scopes, 'conversations:write')) return problem(403, 'This token lacks the scope conversations:write.')
        return live.open(r, who, 'conversations:read', async (feed, _, began) => {
          const source = new OwnSource(o, who.jid, feed)
          began(source)
          if (show !== undefined && feed.isOpen) isHere(o, who.jid, show, feed)
          return { first: source.first() }
        }, show !== undefined)
      },
    },
  ]
}

/** Counts as one of the operator's devices until the stream ends. */
function isHere(o: Office, jid: Bare, show: Show, feed: Feed): void {
  const page = Symbol(jid)
  feed.onEnd = () => {
    o.operators.page(jid, page, undefined)
    o.operatorChanged(jid)
  }
  o.operators.page(jid, page, show)
  o.operatorChanged(jid)
}

/** The same for the same question of the same operator. */
const keyOf = (who: Caller, question: object): string => createHash('sha256').update(JSON.stringify([who.jid, question])).digest('hex').slice(0, 12)
