// A client at a door with TLS: what scenes of TLS and of logins over it share.
import assert from 'node:assert/strict'
import type tls from 'node:tls'
import { Actor, House, type SceneOptions } from '../harness/scene.ts'
import { tlsDoor } from '../harness/doors.ts'
import { finish } from '../unit/sasl/client.ts'

export const STREAMS = 'urn:ietf:params:xml:ns:xmpp-streams'
export const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
export const TLS = 'urn:ietf:params:xml:ns:xmpp-tls'
export const ETHERX = 'http://etherx.jabber.org/streams'
export const HEADER = `<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='${ETHERX}' version='1.0'>`
export const PLAIN = (local: string, password: string): string => `<auth xmlns='${SASL}' mechanism='PLAIN'>${btoa(`\0${local}\0${password}`)}</auth>`

/** A connection to a door with TLS, on which nothing is said yet. */
export const atDoor = (play: (a: Actor, house: House, port: number) => Promise<void>, options: SceneOptions = { requireTls: true }) => async (): Promise<void> => {
  await using house = await House.open(options)
  const port = await tlsDoor(house, 'starttls')
  const a = new Actor('a', 'romeo@localhost/orchard')
  await house.account('romeo')
  await a.opens(port)
  try { await play(a, house, port) } finally { a.leaves() }
}

export async function upgrades(a: Actor): Promise<tls.TLSSocket> {
  a.says(`${HEADER}<starttls xmlns='${TLS}'/>`)
  await a.next()
  await a.receives`<proceed xmlns='${TLS}'/>`
  return a.secures()
}

/** SCRAM-SHA-256 with PLUS; gives what the server answers to the final message. */
export async function scramPlus(a: Actor, type: string, data: Uint8Array, flag = `p=${type}`, mechanism = 'SCRAM-SHA-256-PLUS'): ReturnType<Actor['next']> {
  const [gs2, bare] = [`${flag},,`, 'n=romeo,r=fyko+d2lbbFgONRv9qkxdawL']
  a.says(`<auth xmlns='${SASL}' mechanism='${mechanism}'>${btoa(gs2 + bare)}</auth>`)
  const challenge = await a.next()
  if (challenge.name !== 'challenge') return challenge
  const { final, verifier } = finish('sha-256', bare, atob(challenge.getText()), Buffer.concat([Buffer.from(gs2), data]), 'pw')
  a.says(`<response xmlns='${SASL}'>${btoa(final)}</response>`)
  const answer = await a.next()
  if (answer.name === 'success') assert.equal(atob(answer.getText()), verifier)
  return answer
}

export const mechanisms = (features: Awaited<ReturnType<Actor['next']>>): string[] => features.getChild('mechanisms', SASL)?.getChildren('mechanism').map(m => m.getText()) ?? []
export const failedWith = (x: Awaited<ReturnType<Actor['next']>>): string | undefined => (x.children[0] as { name?: string } | undefined)?.name
