// Files between customer and agent: as links, listed for the agents.
import assert from 'node:assert/strict'
import { c, SUPPORT, type DeskHouse, type Person } from '../harness/desk.ts'
import { deskWith, talk, TEAM } from '../harness/talks.ts'

const CALM = { quality: { idleWarning: 0, idleCritical: 0 } }
const [PDF, PHOTO] = ['https://up.example.org/x/offer%20one.pdf', 'https://up.example.org/y/fire.jpg']
const sends = (p: Person, to: string, url: string): void => p.actor.sends`<message type='chat' to='${to}' id='f'><body>${url}</body><x xmlns='jabber:x:oob'><url>${url}</url></x></message>`
const files = async (d: DeskHouse) => { await d.quiet(); return (await d.rest('GET', '/api/v1/conversations/1/dossier', 'mia')).body.files.map((f: { name: string; by: string }) => [f.name, f.by]) }

describe('files', () => {
  it('ST-47 ST-55 go from agent to customer as a link, and back; both stand in the list', deskWith({ ...CALM, conversation: { customerFiles: true } }, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    sends(anna, c(1), PDF)
    await zoe.reads(SUPPORT, PDF)
    sends(zoe, SUPPORT, PHOTO)
    await anna.reads(c(1), PHOTO)
    anna.types(c(1), 'see https://example.org/page')
    await zoe.reads(SUPPORT, /see/)
    assert.deepEqual(await files(d), [['offer one.pdf', 'anna@localhost'], ['fire.jpg', 'customer']])
  }))
  it('SS-08 a customer’s file is refused unless the settings let customers send them', deskWith(CALM, TEAM, async d => {
    const { anna, zoe } = await talk(d)
    sends(zoe, SUPPORT, PHOTO)
    await zoe.reads(SUPPORT, /Files are not taken here/)
    await anna.readsNothing()
    assert.deepEqual(await files(d), [])
  }))
})
