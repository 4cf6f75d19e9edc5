// What comes from browsers, checked against schemas/webchat.json once and trusted after.
import schema from '../../schemas/webchat.json' with { type: 'json' }
import { shapeOf } from '../../schemas/shape.ts'
import type { FromBridge, FromBrowser, PollRequest } from '../../schemas/webchat.ts'

const browser = shapeOf<FromBrowser>(schema, { part: '#/$defs/fromBrowser' })
const request = shapeOf<PollRequest>(schema, { part: '#/$defs/request' })

export const isFromBrowser = (value: unknown): value is FromBrowser => browser.fits(value)
export const isPollRequest = (value: unknown): value is PollRequest => request.fits(value)
/** For tests: what we say is held to the schema, too. */
export const isFromBridge = (value: unknown): boolean => shapeOf<FromBridge>(schema, { part: '#/$defs/fromBridge' }).fits(value)
