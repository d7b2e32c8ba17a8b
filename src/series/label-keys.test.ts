import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareKeys, keyNames, labelsOfKey, skipKey } from './label-keys.ts'
import { compareLabels, type SeriesLabels } from './labels.ts'

const names = keyNames(['zone', 'app', 'level', 'app'])
const labels: fc.Arbitrary<SeriesLabels> = fc
  .record(
    Object.fromEntries(
      names.map((name) => [
        name,
        fc.oneof(fc.constantFrom('', 'a', 'ab', 'é', '\u{1f600}', '�'), fc.constant('x'.repeat(200))),
      ]),
    ),
    { requiredKeys: [] },
  )
  .map((values) => names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]] as const])))

/** By definition: uvarints of at most two bytes are all that these need. */
function keyOf(series: SeriesLabels): Buffer {
  const parts = names.map((name) => {
    const value = series.find(([other]) => other === name)?.[1]
    if (value === undefined) return Buffer.of(0)
    const bytes = Buffer.from(value)
    const head = bytes.length + 1
    return Buffer.concat([head < 128 ? Buffer.of(head) : Buffer.of((head & 127) | 128, head >> 7), bytes])
  })
  return Buffer.concat(parts)
}

test('names come once, in the order of their bytes', () => {
  assert.deepEqual(names, ['app', 'level', 'zone'])
})

test('keys give their labels back and are ordered as these are', () => {
  const property = fc.property(labels, labels, (a, b) => {
    assert.deepEqual(labelsOfKey(names, keyOf(a)), a)
    const order = compareKeys(names, Buffer.concat([keyOf(a), Buffer.from('zz')]), keyOf(b))
    assert.equal(Math.sign(order), Math.sign(compareLabels(a, b)))
    const both = Buffer.concat([Buffer.from('q'), keyOf(a), keyOf(b)])
    assert.equal(skipKey(both, 1, names.length), 1 + keyOf(a).length)
    assert.equal(skipKey(both, 1 + keyOf(a).length, names.length), both.length)
  })
  fc.assert(property, { numRuns: 1000 })
})
