// Hears what happens at a desk: takes webhooks, believes the signed ones, and tells each happening once.
import { createServer } from 'node:http'
import { isSigned } from './signature.js'

const LONGEST = 64 * 1024 // bytes of a body
const REMEMBERED = 10_000 // ids

/**
 * Listens on `port` (0: any) of this machine. `secrets`: those of the webhook; two while one is being replaced. `happened` is told
 * what happened; the desk tells it again if that throws or rejects. Gives the port, and how to stop.
 */
export async function listen({ port = 8090, secrets, happened, now = Date.now }) {
  const seen = new Set() // the desk tells at least once: the same happening has the same id each time
  const server = createServer((request, response) => {
    const answer = status => response.writeHead(status).end()
    if (request.method !== 'POST') { answer(405); return }
    const chunks = []
    let size = 0
    request.on('data', chunk => {
      size += chunk.length
      if (size > LONGEST) request.destroy()
      else chunks.push(chunk)
    })
    request.on('end', async () => {
      const body = Buffer.concat(chunks).toString()
      if (!isSigned(String(request.headers['deskbell-signature'] ?? ''), secrets, now(), body)) { answer(401); return }
      try {
        const event = JSON.parse(body)
        if (!seen.has(event.id)) {
          await happened(event)
          seen.add(event.id)
          if (seen.size > REMEMBERED) seen.delete(seen.values().next().value)
        }
        answer(204)
      } catch (error) {
        console.error(error)
        answer(500)
      }
    })
  })
  await new Promise((ready, failed) => { server.once('error', failed); server.listen(port, '127.0.0.1', ready) })
  return { port: server.address().port, stop: () => new Promise(done => { server.close(done); server.closeAllConnections() }) }
}
