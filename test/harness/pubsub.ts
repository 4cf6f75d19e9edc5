// What scenes about nodes say: publishing, reading, and a client that tells what it wants to be notified of.
import { createHash } from 'node:crypto'
import type { Actor } from './scene.ts'

export const NS = 'http://jabber.org/protocol/pubsub'
export const OWNER = `${NS}#owner`
const INFO = 'http://jabber.org/protocol/disco#info'

const form = (type: string, fields: string): string => `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>${NS}#${type}</value></field>${fields}</x>`
const to = (address: string | undefined): string => (address === undefined ? '' : ` to='${address}'`)

/** Publishes an item; `options` are fields of publish-options. */
export function publish(a: Actor, node: string, id: string | undefined, payload: string, options?: string, address?: string): void {
  const more = options === undefined ? '' : `<publish-options>${form('publish-options', options)}</publish-options>`
  a.says(`<iq type='set' id='pub'${to(address)}><pubsub xmlns='${NS}'><publish node='${node}'><item${id === undefined ? '' : ` id='${id}'`}>${payload}</item></publish>${more}</pubsub></iq>`)
}

export function create(a: Actor, node: string, fields?: string, address?: string): void {
  a.says(`<iq type='set' id='create'${to(address)}><pubsub xmlns='${NS}'><create node='${node}'/>${fields === undefined ? '' : `<configure>${form('node_config', fields)}</configure>`}</pubsub></iq>`)
}

export function items(a: Actor, node: string, address?: string): void {
  a.says(`<iq type='get' id='items'${to(address)}><pubsub xmlns='${NS}'><items node='${node}'/></pubsub></iq>`)
}

const features = (nodes: readonly string[]): string[] => [INFO, ...nodes.map(n => `${n}+notify`)].sort()
/** The hash of a client's capabilities that is interested in these nodes. */
export const verOf = (client: string, ...nodes: string[]): string => createHash('sha1').update(`client/pc//${client}<${features(nodes).map(f => `${f}<`).join('')}`).digest('base64')

/** Becomes available as a client that is interested in these nodes, and answers the server's question about it, if it asks. */
export async function withCaps(a: Actor, ...nodes: string[]): Promise<void> {
  const ver = verOf('test', ...nodes)
  a.says(`<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:test' ver='${ver}'/></presence>`)
  const before = await a.fence()
  const asked = before.find(x => x.name === 'iq' && x.attrs['type'] === 'get')
  if (asked) answer(a, asked.attrs as { id: string; from: string }, ver, nodes)
  a.unreads(before.filter(x => x.name === 'message'))
  a.unreads((await a.fence()).filter(x => x.name === 'message'))
}
withCaps.ver = (...nodes: string[]): string => verOf('test', ...nodes)

/** Waits for the server's question about capabilities, and says that it is interested in `node`. */
export async function isAskedFor(a: Actor, ver: string, node: string, client = 'urn:test', name = 'test'): Promise<void> {
  const asked = await a.hears`<iq type='get'><query xmlns='${INFO}' node='${client}#${ver}'/></iq>`
  answer(a, asked.attrs as { id: string; from: string }, ver, [node], client, name)
  a.unreads(await a.fence())
}

function answer(a: Actor, { id, from }: { id: string; from: string }, ver: string, nodes: readonly string[], client = 'urn:test', name = 'test'): void {
  a.says(`<iq type='result' id='${id}' to='${from}'><query xmlns='${INFO}' node='${client}#${ver}'><identity category='client' type='pc' name='${name}'/>${features(nodes).map(f => `<feature var='${f}'/>`).join('')}</query></iq>`)
}
