import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { countingSort, sortByKey } from './sort-by-key.ts'

test('a range is sorted by key, equal keys keep their order, and nothing else moves', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 200 }), fc.nat(200), fc.nat(200), (plain, one, other) => {
      const keys = Float64Array.from(plain)
      const from = Math.min(one, other, plain.length)
      const to = Math.min(Math.max(one, other), plain.length)
      const order = Uint32Array.from(plain, (_, i) => plain.length - 1 - i)
      const expected = [...order]
      const middle = expected.slice(from, to).sort((a, b) => keys[a]! - keys[b]!)
      expected.splice(from, middle.length, ...middle)
      sortByKey(order, keys, { from, to }, new Uint32Array(order.length))
      assert.deepEqual([...order], expected)
    }),
    { numRuns: 300 },
  )
})

test('counting sort is stable, on an order or on 0, 1, 2 …', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { maxLength: 100 }), (plain) => {
      const keys = Uint32Array.from(plain)
      const size = { count: keys.length, keyCount: 10 }
      const ascending = plain.map((_, i) => i)
      const byKey = (a: number, b: number): number => plain[a]! - plain[b]!
      assert.deepEqual([...countingSort(undefined, keys, size)], ascending.toSorted(byKey))
      const reversed = ascending.toReversed()
      assert.deepEqual([...countingSort(Uint32Array.from(reversed), keys, size)], reversed.toSorted(byKey))
    }),
  )
})
