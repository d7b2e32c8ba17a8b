import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RowHeap } from './row-heap.ts'

type Key = readonly [time: number, order: number, row: number]

const keys = fc.uniqueArray(
  fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 5 })),
  {
    selector: (key) => key.join(),
    maxLength: 60,
  },
)
const compare = (a: Key, b: Key): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]

test('keeps the best rows in the order of the query', () => {
  fc.assert(
    fc.property(
      keys,
      fc.integer({ min: 1, max: 70 }),
      fc.constantFrom('forward' as const, 'backward' as const),
      (all, limit, direction) => {
        const heap = new RowHeap(limit, direction)
        for (const [time, order, row] of all) if (heap.accepts(time, order, row)) heap.add(time, order, row)
        const sorted = all.toSorted(compare)
        const expected = (direction === 'forward' ? sorted : sorted.toReversed()).slice(0, limit)
        const { time, order, row } = heap.sorted()
        assert.deepEqual(
          Array.from(time, (t, i) => [t, order[i], row[i]]),
          expected,
        )
        assert.equal(heap.count, expected.length)
      },
    ),
  )
})

test('a full heap refuses what is not better than its worst', () => {
  const heap = new RowHeap(2, 'backward')
  heap.add(5, 0, 0)
  heap.add(7, 0, 1)
  assert.equal(heap.accepts(5, 0, 0), false)
  assert.equal(heap.accepts(4, 9, 9), false)
  assert.equal(heap.accepts(5, 0, 1), true)
  assert.equal(new RowHeap(0, 'forward').accepts(1, 1, 1), false)
})
