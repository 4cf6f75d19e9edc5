// Runs the receiver: the secrets stand in the environment, what happens is printed.
import { listen } from './receiver.js'

const secrets = (process.env.SECRET ?? '').split(',').filter(secret => secret !== '')
if (secrets.length === 0) {
  console.error('SECRET is not set: give what POST /api/v1/webhooks answered as secret; two, with a comma between, while one is being replaced')
  process.exit(2)
}
const { port, stop } = await listen({
  port: Number(process.env.PORT ?? 8090), secrets,
  happened: ({ type, at, conversation, data }) => console.log(`${at} ${type}${conversation === undefined ? '' : ` #${conversation}`} ${JSON.stringify(data)}`),
})
console.log(`listening on http://127.0.0.1:${port}`)
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => stop().finally(() => process.exit(0)))
