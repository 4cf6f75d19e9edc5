// What scenes of stream management begin with: who turns it on, loses the connection and comes back.
import { Actor, House, type SceneOptions } from '../harness/scene.ts'
import { defaultLimits } from '../../server/ports/limits.ts'

export const STREAMS = 'urn:ietf:params:xml:ns:xmpp-streams'
export const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
export const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
export const ETHERX = 'http://etherx.jabber.org/streams'
export const SM = 'urn:xmpp:sm:3'
export const HEADER = `<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='${ETHERX}' version='1.0'>`
export const cast = { romeo: 'romeo@localhost/orchard', juliet: 'juliet@localhost/balcony' }

/** Turns stream management on and gives the id to resume with. */
export async function manages(a: Actor): Promise<string> {
  a.says(`<enable xmlns='${SM}' resume='true'/>`)
  return String((await a.hears`<enabled xmlns='${SM}' resume='true'/>`).attrs['id'])
}

/** Drops the connection, and waits until the server has seen it. */
export async function drops(a: Actor, house: House): Promise<void> {
  const before = house.devices.streams.size
  a.leaves()
  while (house.devices.streams.size >= before) await new Promise(ok => setImmediate(ok))
}

/** A new connection, logged in as the account of `jid` and not bound. */
export async function comesBack(house: House, jid: string): Promise<Actor> {
  const back = new Actor('back', jid)
  await back.opens(house.port)
  await back.logsIn()
  return back
}

export const bodies = (came: { name: string; getChildText(name: string): string | null }[]): (string | null)[] => came.filter(x => x.name === 'message').map(x => x.getChildText('body'))
export const limits = (more: object): SceneOptions => ({ limits: { streamManagement: { ...defaultLimits.streamManagement, ...more } } })
