import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareLabels, groupLabels, labelsKey, labelValue, setLabel, type SeriesLabels } from './labels.ts'

const sample: SeriesLabels = [
  ['a', '1'],
  ['b', '2'],
  ['c', '3'],
]

test('grouping keeps named labels, or all but those, or none', () => {
  assert.deepEqual(groupLabels(sample, { kind: 'by', labels: ['c', 'a', 'missing'] }), [sample[0], sample[2]])
  assert.deepEqual(groupLabels(sample, { kind: 'without', labels: ['b'] }), [sample[0], sample[2]])
  assert.deepEqual(groupLabels(sample, { kind: 'without', labels: [] }), sample)
  assert.deepEqual(groupLabels(sample, undefined), [])
})

test('labels are set in their place, replaced, and removed by an empty value', () => {
  assert.deepEqual(
    setLabel(sample, 'bb', 'x').map(([name]) => name),
    ['a', 'b', 'bb', 'c'],
  )
  assert.deepEqual(setLabel(sample, 'd', 'x').at(-1), ['d', 'x'])
  assert.equal(labelValue(setLabel(sample, 'b', 'new'), 'b'), 'new')
  assert.deepEqual(setLabel(sample, 'b', ''), [sample[0], sample[2]])
  assert.equal(labelValue(sample, 'missing'), '')
})

const anyLabels = fc
  .uniqueArray(fc.tuple(fc.string({ maxLength: 3 }), fc.string({ maxLength: 3 })), {
    selector: ([name]) => name,
    maxLength: 4,
  })
  .map((labels): SeriesLabels => labels.toSorted(([a], [b]) => (a < b ? -1 : 1)))

test('keys are equal for equal label sets only, and so is the order', () => {
  fc.assert(
    fc.property(anyLabels, anyLabels, (a, b) => {
      const isEqual = JSON.stringify(a) === JSON.stringify(b)
      assert.equal(labelsKey(a) === labelsKey(b), isEqual)
      assert.equal(compareLabels(a, b) === 0, isEqual)
      assert.equal(Math.sign(compareLabels(a, b)) + Math.sign(compareLabels(b, a)), 0)
    }),
  )
  assert.notEqual(
    labelsKey([['a', '1b1:2']]),
    labelsKey([
      ['a', '1'],
      ['b', '2'],
    ]),
  )
  assert(
    compareLabels(
      [['a', '1']],
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ) < 0,
  )
})
