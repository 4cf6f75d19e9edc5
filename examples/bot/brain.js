// What the bot says and does. Pure: a line comes in, lines to write go out. Put your own in place of this.

/** What it knows: the first pattern that fits a customer's line gives the answer. */
const ANSWERS = [
  [/\b(hours|open|opening)\b/i, 'We are here on weekdays from 9 to 17.'],
  [/\b(ship|shipping|deliver|delivery)\b/i, 'Parcels take two working days.'],
  [/\b(hello|hi|hey)\b/i, 'Hello! Ask me about opening hours or shipping; say “human” for a person.'],
]
const HUMAN = /\b(human|person|agent|somebody|someone)\b/i
const BYE = /\b(bye|thanks|thank you)\b/i

/** What a customer reads who wants a person while nobody is there. */
export const nobody = () => 'Nobody is here at the moment. Ask me, or come again later.'

/**
 * A line of a customer, who was answered `answered` times before. Gives the lines to write into the conversation: text goes
 * to the customer, what begins with ! is a command to the desk.
 */
export function think(text, { answered, people }) {
  if (BYE.test(text)) return ['You are welcome. Goodbye!', '!end']
  const answer = HUMAN.test(text) ? undefined : ANSWERS.find(([pattern]) => pattern.test(text))?.[1]
  if (answer !== undefined && answered < 5) return [answer]
  return ['One moment, I am getting a colleague.', `!t group:${people}`]
}
