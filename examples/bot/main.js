// Runs the bot: where and as whom stands in the environment.
import { start } from './bot.js'

const { SERVICE = 'xmpp://127.0.0.1:5275', DOMAIN = 'bot.localhost', SECRET, NAME, DESK = 'help.localhost', PEOPLE } = process.env
if (!SECRET) {
  console.error('SECRET is not set: give the secret that stands in the server\'s config under components → bot.localhost → external')
  process.exit(2)
}
const bot = await start({ service: SERVICE, domain: DOMAIN, password: SECRET, name: NAME, desk: DESK, people: PEOPLE, log: console.log })
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => bot.stop().finally(() => process.exit(0)))
