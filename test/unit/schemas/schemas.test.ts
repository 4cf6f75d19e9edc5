// The schemas are schemas: the program does not look again at each start.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'

const FOLDER = join(import.meta.dirname, '../../../schemas')
const ajv = new Ajv2020()

describe('schemas', () => {
  for (const file of readdirSync(FOLDER).filter(name => name.endsWith('.json'))) {
    it(`${file} is one by draft 2020-12`, () => {
      const schema = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as { $schema?: string }
      assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema')
      assert.ok(ajv.validateSchema(schema), ajv.errorsText())
    })
  }

  it('would not be one with a type that is none', () => assert.equal(ajv.validateSchema({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'text' }), false))
})
