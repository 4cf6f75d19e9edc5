// The server is killed in the middle of a talk: what was acknowledged is there once, on both sides, and the talk goes on.
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Element as Xml } from 'ltx'
import { tempFolder } from '../harness/folder.ts'
import { Actor } from '../harness/scene.ts'
import { deskbell, Program } from '../interop/program.ts'

const NS = 'urn:deskbell:desk:0'
const DESK = 'help.localhost'
const LINES = 300
const ENOUGH = 60 // acknowledged lines, after which the power goes
const AHEAD = 100 // lines that she says before the first of them is acknowledged: however slow this process is, the rest is not said yet when the power goes

describe('a server that is killed in the middle of a talk', function () {
  this.timeout(300_000)

  it('SEC-K01 SEC-K02 has every line that was acknowledged, once, and what is said again once, and goes on where it was', async () => {
    const folder = tempFolder('fault')
    const config = join(folder, 'deskbell.yaml')
    writeFileSync(config, `
data: ${folder}/data
listen: { c2s: { port: 0, address: 127.0.0.1 } }
require-tls: false
hosts: { localhost: {} }
components: { ${DESK}: { helpdesk: { enabled: true, queues: { support: { assign: round-robin } } } } }
`)
    try {
      for (const who of ['anna', 'alice']) await deskbell('user', 'add', `${who}@localhost`, '--password', 'pw', ...(who === 'anna' ? ['--role', 'agent'] : []), '--config', config)
      const heard: { body: string; id: string; late: boolean }[] = []
      const hear = (x: Xml): string | null => {
        const body = x.getChildText('body')
        if (body?.startsWith('line ')) heard.push({ body, id: String(x.attrs['id']), late: x.getChild('delay', 'urn:xmpp:delay') !== undefined })
        return body
      }
      const acked = new Set<string>()
      const portOf = (p: Program): number => Number(/port (\d+) \(STARTTLS\)/.exec(p.said)?.[1])
      {
        await using server = await Program.deskbell('start', config)
        const [anna, alice] = [await comes('anna', portOf(server)), await comes('alice', portOf(server))]
        alice.says(`<iq type='set' id='open' to='${DESK}'><open xmlns='${NS}' queue='support' id='open' name='Alice'><body>begin</body></open></iq>`)
        await until(anna, x => x.getChildText('body')?.includes('New chat #1') === true)
        anna.says(`<message to='desk@${DESK}' type='chat' id='a'><body>!a</body></message>`)
        await until(anna, x => x.getChildText('body') === 'begin')
        const listening = (async () => { for (;;) hear(await anna.next()) })().catch(() => {})
        for (let i = 0; i < AHEAD; i++) alice.says(`<iq type='set' id='${i}' to='${DESK}'><say xmlns='${NS}' conversation='1' id='l${i}'>line ${i}</say></iq>`)
        while (acked.size < ENOUGH) {
          const x = await alice.next()
          if (!x.getChild('said', NS)) continue
          acked.add(`line ${x.attrs['id']}`)
          const i = AHEAD - 1 + acked.size
          alice.says(`<iq type='set' id='${i}' to='${DESK}'><say xmlns='${NS}' conversation='1' id='l${i}'>line ${i}</say></iq>`)
        }
        await server.isKilled()
        for (;;) { const x = await alice.next().catch(() => undefined); if (!x) break; if (x.getChild('said', NS)) acked.add(`line ${x.attrs['id']}`) }
        await listening
      }
      assert.ok(acked.size < LINES, 'it was killed in the middle')

      await using server = await Program.deskbell('start', config)
      const [anna, alice] = [await comes('anna', portOf(server)), await comes('alice', portOf(server))]
      // As a bridge does: what was not acknowledged is said again, under its id.
      for (let i = 0; i < LINES; i++) if (!acked.has(`line ${i}`)) alice.says(`<iq type='set' id='${i}' to='${DESK}'><say xmlns='${NS}' conversation='1' id='l${i}'>line ${i}</say></iq>`)
      alice.says(`<iq type='set' id='last' to='${DESK}'><say xmlns='${NS}' conversation='1' id='last'>line last</say></iq>`)
      await until(anna, x => hear(x) === 'line last')
      const kept: string[] = []
      for (let after = 0, complete = false; !complete;) {
        alice.says(`<iq type='get' id='p${after}' to='${DESK}'><lines xmlns='${NS}' conversation='1' after='${after}'/></iq>`)
        const page = (await until(alice, x => x.attrs['id'] === `p${after}`)).getChild('lines', NS) as Xml
        for (const l of page.getChildren('line')) { after = Number(l.attrs['seq']); if (l.attrs['who'] === 'customer' && l.getText() !== 'begin') kept.push(l.getText()) }
        complete = page.attrs['complete'] === 'true'
      }
      const all = [...Array.from({ length: LINES }, (_, i) => `line ${i}`), 'line last']
      assert.deepEqual(kept.toSorted(), all.toSorted(), 'each line is in the conversation once')
      assert.deepEqual(kept.filter(l => acked.has(l)), all.filter(l => acked.has(l)), 'acknowledged lines stand in their order')
      for (const l of all) {
        const copies = heard.filter(h => h.body === l)
        assert.ok(copies.length > 0, `the agent reads “${l}”`)
        // on the wire a line may come again over a crash: with its id and its time, so that a client shows it once
        assert.equal(new Set(copies.map(h => h.id)).size, 1, `“${l}” is one message`)
        assert.ok(copies.slice(1).every(h => h.late), `a second “${l}” says when it was sent`)
      }
      anna.says(`<message to='c1@${DESK}' type='chat' id='z'><body>still here</body></message>`)
      await until(alice, x => x.getChild('line', NS)?.getText() === 'still here')
      for (const a of [anna, alice]) a.leaves()
    } finally { rmSync(folder, { recursive: true, force: true }) }
  })
})

async function comes(local: string, port: number): Promise<Actor> {
  const actor = new Actor(local, `${local}@localhost/pc`)
  await actor.connects(port)
  actor.says('<presence/>')
  return actor
}
async function until(actor: Actor, fits: (x: Xml) => boolean): Promise<Xml> {
  for (;;) { const x = await actor.next(); if (fits(x)) return x }
}
