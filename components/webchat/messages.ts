// What comes from browsers, checked against schemas/webchat.json once and trusted after.
import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { FromBrowser, PollRequest } from '../../schemas/webchat.ts'

const schema = JSON.parse(readFileSync(new URL('../../schemas/webchat.json', import.meta.url), 'utf8')) as { $id: string }
const ajv = new Ajv2020({ validateSchema: false, strictTypes: false, allErrors: false }) // a test has looked at the schema
ajv.addSchema(schema)

const compiled = <T>(name: string): ValidateFunction<T> => ajv.compile<T>({ $ref: `${schema.$id}#/$defs/${name}` })

export const isFromBrowser = compiled<FromBrowser>('fromBrowser')
export const isPollRequest = compiled<PollRequest>('request')
/** For tests: what we say is held to the schema, too. */
export const isFromBridge = (value: unknown): boolean => compiled('fromBridge')(value)
