import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { compareLabels } from './compare-labels.ts'
import { SeenStreams } from './seen-streams.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import { codeLabels } from '#/storage/index/coded-labels.ts'
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

test('of the streams of several sources each is kept once', () => {
  fc.assert(
    fc.property(fc.array(fc.array(labelsArbitrary, { maxLength: 30 }), { maxLength: 4 }), (sources) => {
      const seen = new SeenStreams()
      const known = new Set<string>()
      for (const labels of sources) {
        seen.begin(codeLabels(labels.length, (stream) => labels[stream]!))
        for (const [stream, one] of labels.entries()) {
          assert.equal(seen.add(stream), !known.has(formatLabels(one)))
          known.add(formatLabels(one))
        }
      }
      assert.equal(seen.count, known.size)
    }),
  )
})

test('a source with very many streams is no different', () => {
  const seen = new SeenStreams()
  const coded = codeLabels(5000, (stream) => [['pod', `p${stream}`]])
  for (const isNew of [true, false]) {
    seen.begin(coded)
    for (let stream = 0; stream < 5000; stream++) assert.equal(seen.add(stream), isNew)
  }
  assert.equal(seen.count, 5000)
})
