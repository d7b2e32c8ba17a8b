import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { resolvePointer, type Schema, schemaErrors } from './json-schema.ts'

const person: Schema = {
  $defs: { name: { type: 'string', minLength: 1, pattern: '^[A-Z]' } },
  type: 'object',
  properties: {
    name: { $ref: '#/$defs/name' },
    age: { type: ['integer', 'null'] },
    tags: { type: 'array', items: { enum: ['a', 'b'] }, uniqueItems: true },
    point: { type: 'array', prefixItems: [{ type: 'number' }, { type: 'string' }], minItems: 2, maxItems: 2 },
    kind: { oneOf: [{ const: 1 }, { type: 'string' }] },
  },
  patternProperties: { '^x-': { type: 'boolean' } },
  additionalProperties: false,
  required: ['name'],
}

describe('schemaErrors', () => {
  it('finds nothing where all is well', () => {
    const value = { name: 'Ann', age: null, tags: ['a', 'b'], point: [1, 'x'], kind: 'y', 'x-y': true }
    assert.deepEqual(schemaErrors(value, person), [])
  })

  const wrong: readonly (readonly [unknown, string])[] = [
    [[], '$: expected object, found array'],
    [{}, '$: name is missing'],
    [{ name: '' }, '$.name: shorter than 1'],
    [{ name: 'ann' }, '$.name: ann does not match ^[A-Z]'],
    [{ name: 'A', age: 1.5 }, '$.age: expected integer or null, found number'],
    [{ name: 'A', tags: ['c'] }, '$.tags.0: "c" is none of ["a","b"]'],
    [{ name: 'A', tags: ['a', 'a'] }, '$.tags: repeated items'],
    [{ name: 'A', point: ['x', 'y'] }, '$.point.0: expected number, found string'],
    [{ name: 'A', point: [1] }, '$.point: fewer than 2 items'],
    [{ name: 'A', point: [1, 'x', 2] }, '$.point: more than 2 items'],
    [{ name: 'A', more: 1 }, '$.more: nothing may be here'],
    [{ name: 'A', 'x-y': 1 }, '$.x-y: expected boolean, found number'],
    [
      { name: 'A', kind: 2 },
      '$.kind: fits 0 of the alternatives: $.kind: expected 1; $.kind: expected string, found number',
    ],
  ]
  for (const [value, error] of wrong) {
    it(error, () => assert.equal(schemaErrors(value, person)[0], error))
  }

  it('does not pass over what it does not know', () => {
    assert.throws(() => schemaErrors(1, { maximum: 3 }), /the keyword maximum is not known/)
    assert.throws(() => schemaErrors(1, { $ref: '#/nowhere' }), /leads nowhere/)
    assert.throws(() => resolvePointer({}, 'http://x'), /leads out/)
  })
})
