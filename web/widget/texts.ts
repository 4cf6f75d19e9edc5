// Every word the widget shows or speaks, and which of them tells how things stand (pure).
import type { Talk } from './talk.ts'

const words = {
  newConversation: 'New conversation',
  show: 'Show the chat',
  title: 'Chat with us',
  name: 'Your name',
  message: 'Message',
  send: 'Send',
  end: 'End chat',
  hide: 'Minimise',
  log: 'Conversation',
  you: 'You',
  agent: 'Support',
  welcome: 'Hello! Tell us your name and how we can help.',
  connecting: 'Connecting…',
  lost: 'Connection lost, trying again…',
  nobody: 'Sorry, nobody is available right now. Please try again later.',
  soon: 'Please wait a moment.',
  ahead: 'People ahead of you: {0}',
  joined: '{0} joined',
  ended: 'The conversation has ended. Write to continue it.',
  closed: 'This conversation is closed.',
  typing: '{0} is typing…',
  waiting: 'Waiting to be sent',
  failed: 'Not sent. {0}',
  again: 'Try again',
  attach: 'Attach a file',
  cancel: 'Cancel',
  unsent: 'The file could not be sent.',
  left: '{0} character left|{0} characters left',
  over: '{0} character too many|{0} characters too many',
  nameNeeded: 'Please tell us your name.',
  textNeeded: 'Please write what it is about.',
  unread: 'Unread: {0}',
  today: 'Today',
  refused: 'This chat is not set up for this page.',
  leaveWelcome: 'Nobody is here right now. Leave a message, and we will answer by mail.',
  leave: 'Leave message',
  received: 'Thank you! Your message is with us, and we will answer by mail.',
  email: 'Your mail address',
  emailNeeded: 'Please give a mail address to which we can answer.',
  needed: 'Please fill this in.',
  department: 'Please choose a department.',
  operator: 'Whom do you want to talk to?',
  anybody: 'Anybody',
  away: 'away',
  yes: 'Yes',
  no: 'No',
  found: 'Does one of these help?',
  goOn: 'No, send my question',
  helped: 'Back',
  more: 'Read more',
  invited: 'We would like to talk to you.',
  accept: 'Accept',
  decline: 'Decline',
  minutes: 'about {0} min',
  rate: 'How was it? (5 is best)',
  comment: 'A word about it',
  rateSend: 'Send rating',
  mailTo: 'Your mail address',
  mail: 'Mail me the conversation',
  ticket: 'Make a ticket of it',
  proving: 'One moment: checking that you are a human being…',
  unproved: 'It could not be checked that you are a human being. Please try again.',
  signIn: 'Please sign in on this page, then you can chat.',
  unbelieved: 'We could not verify who you are. Please sign in again, or load this page anew.',
  unsigned: 'We could not verify who you are: you chat without being signed in.',
}
export type Words = typeof words
/** English, but for what the site's settings say otherwise. */
export const TEXTS: Words = words

/** Takes over what a site says in other words. */
export function say(others: Readonly<Record<string, string>>): void {
  for (const key of Object.keys(words) as (keyof Words)[]) if (typeof others[key] === 'string' && others[key]) words[key] = others[key]
}

/** Fills the one gap of a text; of `one|more` it takes what fits to a number. */
export const fill = (text: string, value: string | number): string => {
  const [one = '', more = one] = typeof value === 'number' ? text.split('|') : [text]
  return (value === 1 ? one : more).replace('{0}', () => String(value))
}

/** What the browser has of the bridge: nothing wanted, first try, there, gone but tried again, refused for good. */
export type LinkState = 'off' | 'connecting' | 'on' | 'lost' | 'refused'

/** The sentence of the status region. */
export function statusOf(talk: Talk, link: LinkState): string {
  if (link === 'refused') return TEXTS.refused
  if (link === 'lost') return TEXTS.lost
  if (talk.proving) return TEXTS.proving
  if (talk.notice) return talk.notice
  const c = talk.conversation
  if (link === 'connecting' && !c) return TEXTS.connecting
  if (talk.barred && (!c || talk.beginning)) return talk.unbelieved ? TEXTS.unbelieved : TEXTS.signIn
  if (!c || talk.beginning) return talk.open === false ? talk.leaves ? TEXTS.leaveWelcome : TEXTS.nobody : ''
  if (c.can.includes('accept')) return TEXTS.invited
  switch (c.state) {
    case 'waiting':
    case 'offered': return c.text ?? (c.position === undefined ? TEXTS.soon : fill(TEXTS.ahead, c.position) + (c.minutes ? `, ${fill(TEXTS.minutes, c.minutes)}` : ''))
    case 'active': return c.agent ? fill(TEXTS.joined, c.agent) : ''
    case 'ended': return TEXTS.ended
    case 'closed': return TEXTS.closed
  }
}
