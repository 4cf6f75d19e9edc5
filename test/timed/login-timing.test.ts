// How long a wrong password takes: as long for nobody as for somebody (SEC-T18). What only time shows.
import assert from 'node:assert/strict'
import { defaultLimits } from '../../server/ports/limits.ts'
import { Actor, House } from '../harness/scene.ts'

const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
const HEADER = "<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
const ROUNDS = 1000 // of each

const median = (xs: readonly number[]): number => xs.toSorted((a, b) => a - b)[xs.length >> 1]!

/** The greatest distance of two samples' distributions (Kolmogorov and Smirnov). */
function distance(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [a.toSorted((p, q) => p - q), b.toSorted((p, q) => p - q)]
  let [i, j, most] = [0, 0, 0]
  while (i < x.length && j < y.length) {
    if (x[i]! <= y[j]!) i++
    else j++
    most = Math.max(most, Math.abs(i / x.length - j / y.length))
  }
  return most
}

describe('a wrong password', () => {
  for (const [mechanism, said] of [['PLAIN', (name: string) => btoa(`\0${name}\0wrong`)], ['SCRAM-SHA-256', (name: string) => btoa(`n,,n=${name},r=fyko+d2lbbFgONRv9qkxdawL`)]] as const) {
    it(`SEC-T18 ${mechanism} takes as long for nobody as for somebody`, async () => {
      const never = { ...defaultLimits.authFailures, perStream: Infinity, tarpit: Infinity, ban: Infinity }
      await using house = await House.open({ limits: { authFailures: never, deadlines: { ...defaultLimits.deadlines, auth: Infinity } } })
      await house.account('somebody')
      const a = new Actor('a', 'a@localhost/x')
      await a.opens(house.port)
      a.says(HEADER); await a.next()
      const took: Record<string, number[]> = { somebody: [], nobodyhe: [] } // names of one length
      for (let i = 0; i < 2 * ROUNDS + 40; i++) {
        const name = i % 2 ? 'somebody' : 'nobodyhe'
        const begun = performance.now()
        a.says(`<auth xmlns='${SASL}' mechanism='${mechanism}'>${said(name)}</auth>`)
        await a.next()
        if (i >= 40) took[name]!.push(performance.now() - begun)
      }
      a.leaves()
      const [there, none] = [took['somebody']!, took['nobodyhe']!]
      const apart = Math.abs(median(there) - median(none))
      assert.ok(apart < 1, `the medians are ${apart.toFixed(3)} ms apart`)
      const critical = 1.63 * Math.sqrt(2 / ROUNDS) // p = 0.01
      assert.ok(distance(there, none) < critical, `the distributions are ${distance(there, none).toFixed(3)} apart; ${critical.toFixed(3)} would be chance`)
    })
  }
})
