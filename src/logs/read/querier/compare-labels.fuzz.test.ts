import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { compareLabels } from './compare-labels.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import type { Labels } from '#/storage/index/label-index.ts'

const value = fc.oneof(
  fc.constantFrom('a', 'ab', 'a!', 'a"', 'a\\', 'a\n', 'a#', 'a ', 'é', '😀', '\uffff', '\x7f', 'a\x7f'),
  fc.string({ minLength: 1, maxLength: 3 }),
)
const labelsArbitrary = fc
  .dictionary(fc.constantFrom('app', 'pod', 'zone', 'app.name', 'app_name'), value)
  .map((labels): Labels => Object.entries(labels).sort(([a], [b]) => compareUtf8(a, b)))

test('label sets are ordered as their texts', () => {
  fc.assert(
    fc.property(labelsArbitrary, labelsArbitrary, (a, b) => {
      assert.equal(Math.sign(compareLabels(a, b)), Math.sign(compareUtf8(formatLabels(a), formatLabels(b))))
    }),
    { numRuns: 2000 },
  )
})
