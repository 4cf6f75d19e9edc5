import assert from 'node:assert/strict'
import { configForm, configured, itemsOf, meets, PERSONAL, type Bounds } from '../../../protocols/pubsub/config.ts'
import { NS_ERRORS, NS_PUBSUB } from '../../../protocols/pubsub/names.ts'
import { el, form, readForm, StanzaError, type Element } from '../../../server/api.ts'

const bounds: Bounds = { models: new Set(['open', 'presence', 'whitelist']), items: 256, itemBytes: 65536 }
const filled = (fields: Record<string, string>, formType = `${NS_PUBSUB}#node_config`, type: 'submit' | 'cancel' = 'submit'): Element =>
  form({ type, formType, fields: Object.entries(fields).map(([k, value]) => ({ var: `pubsub#${k}`, value })) })
const options = (fields: Record<string, string>, formType = `${NS_PUBSUB}#publish-options`): Element => el('publish-options', NS_PUBSUB, {}, filled(fields, formType))
const refusal = (r: unknown): string => { assert.ok(r instanceof StanzaError); return [r.condition, r.detail?.ns === NS_ERRORS && r.detail.name].filter(Boolean).join(' ') }

describe('how a node is set up', () => {
  it('a form goes out, comes back whole, and changes nothing', () => {
    const values = readForm(configForm(PERSONAL, bounds))!.values
    const back = form({ type: 'submit', formType: `${NS_PUBSUB}#node_config`, fields: [...values].map(([v, value]) => ({ var: v, type: 'list-multi' as const, value })) })
    assert.deepEqual(configured(PERSONAL, back, bounds), PERSONAL)
  })

  it('what is not filled in stays, what nobody knows is passed over', () => {
    assert.deepEqual(configured(PERSONAL, filled({ title: 'Tunes', made_up: 'x' }), bounds), { ...PERSONAL, title: 'Tunes' })
  })

  it('the form offers only the models that the service has', () => {
    const field = configForm(PERSONAL, bounds).elements.find(f => f.attrs['var'] === 'pubsub#access_model')!
    assert.deepEqual(field.elements.filter(e => e.name === 'option').map(o => o.elements[0]!.text), ['open', 'presence', 'whitelist'])
  })

  it('a cancelled form changes nothing', () => assert.equal(configured(PERSONAL, filled({ title: 'x' }, undefined, 'cancel'), bounds), PERSONAL))

  for (const [fields, expected] of [
    [{ access_model: 'authorize' }, 'not-acceptable unsupported-access-model'],
    [{ access_model: 'nonsense' }, 'not-acceptable unsupported-access-model'],
    [{ max_items: '257' }, 'not-acceptable'],
    [{ max_items: '0' }, 'not-acceptable'],
    [{ max_items: '1e3' }, 'not-acceptable'],
    [{ persist_items: 'perhaps' }, 'not-acceptable'],
    [{ title: 'x'.repeat(1024) }, 'not-acceptable'],
    [{ node_type: 'collection' }, 'feature-not-implemented unsupported'],
  ] as const) it(`refuses ${JSON.stringify(fields).slice(0, 40)}`, () => assert.equal(refusal(configured(PERSONAL, filled(fields), bounds)), expected))

  it('refuses what is no such form', () => {
    assert.equal(refusal(configured(PERSONAL, undefined, bounds)), 'bad-request')
    assert.equal(refusal(configured(PERSONAL, filled({}, 'urn:other'), bounds)), 'bad-request')
  })
})

describe('SEC-P09 the conditions of a publication', () => {
  it('make a node that is not there yet', () => {
    assert.deepEqual(meets(PERSONAL, options({ access_model: 'whitelist', max_items: 'max' }), bounds, false), { ...PERSONAL, access: 'whitelist', maxItems: 'max' })
  })
  it('are met by a node that is so', () => assert.ok(!('condition' in meets(PERSONAL, options({ access_model: 'presence', persist_items: '1' }), bounds, true))))
  it('are not met by one that is not', () => {
    for (const o of [{ access_model: 'whitelist' }, { max_items: 'max' }, { send_last_published_item: 'never' }] as const) assert.equal(refusal(meets(PERSONAL, options(o), bounds, true)), 'conflict precondition-not-met')
  })
  it('all there is, is as much as the greatest number', () => assert.ok(!('condition' in meets({ ...PERSONAL, maxItems: 'max' }, options({ max_items: '256' }), bounds, true))))
  it('what a node can never be is not met', () => assert.equal(refusal(meets(PERSONAL, options({ max_items: '1000' }), bounds, true)), 'conflict precondition-not-met'))
  it('an unknown one is met by no node, old or new', () => {
    for (const existing of [true, false]) assert.equal(refusal(meets(PERSONAL, options({ made_up: '1' }), bounds, existing)), 'conflict precondition-not-met')
  })
  it('without their form they are no conditions, and nothing is published', () => {
    assert.equal(refusal(meets(PERSONAL, el('publish-options', NS_PUBSUB), bounds, true)), 'bad-request')
    assert.equal(refusal(meets(PERSONAL, options({}, 'urn:other'), bounds, true)), 'bad-request')
  })
  it('none are asked for: none is looked at', () => assert.equal(meets(PERSONAL, undefined, bounds, true), PERSONAL))
})

describe('how many items a node keeps', () => {
  it('as many as it says, all that the service allows, or the last', () => {
    assert.equal(itemsOf({ ...PERSONAL, maxItems: 5 }, bounds), 5)
    assert.equal(itemsOf({ ...PERSONAL, maxItems: 'max' }, bounds), 256)
    assert.equal(itemsOf({ ...PERSONAL, maxItems: 100 }, { items: 10 }), 10)
    assert.equal(itemsOf({ ...PERSONAL, maxItems: 'max', persist: false }, bounds), 1)
  })
})
