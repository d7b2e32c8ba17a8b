import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { planReads } from './plan-reads.ts'

const MB = 1024 * 1024

/** The byte that the object has at a position. */
const byteAt = (position: number): number => (position * 31 + (position >>> 8)) & 255

test('after all reads every span has its own bytes, however they lie', () => {
  const span = fc.record({ start: fc.nat(3000), length: fc.nat(500) })
  fc.assert(
    fc.property(fc.array(span, { maxLength: 20 }), fc.nat(800), (plain, nearBytes) => {
      const spans = plain.map(({ start, length }) => ({ start, end: start + length }))
      const { reads, bytesOf } = planReads(spans, { nearBytes })
      for (const { offset, target } of reads) for (let i = 0; i < target.length; i++) target[i] = byteAt(offset + i)
      for (const [i, { start, end }] of spans.entries()) {
        assert.deepEqual(
          [...bytesOf[i]!],
          Array.from({ length: end - start }, (_, at) => byteAt(start + at)),
        )
      }
    }),
  )
})

const shape = (spans: readonly (readonly [number, number])[]): [number, number][] =>
  planReads(
    spans.map(([start, end]) => ({ start, end })),
    { nearBytes: MB },
  ).reads.map(({ offset, target }) => [offset, offset + target.length])

test('near spans are read together, far ones are not', () => {
  assert.deepEqual(
    shape([
      [0, 100],
      [150, 300],
    ]),
    [[0, 300]],
  )
  assert.deepEqual(
    shape([
      [0, MB],
      [2 * MB, 3 * MB],
    ]),
    [[0, 3 * MB]],
  )
  assert.deepEqual(
    shape([
      [0, MB],
      [2 * MB + 1, 3 * MB],
    ]),
    [
      [0, MB],
      [2 * MB + 1, 3 * MB],
    ],
  )
})

test('small spans far apart do not read the whole object', () => {
  assert.equal(shape(Array.from({ length: 20 }, (_, i) => [i * 500_000, i * 500_000 + 10_000])).length, 20)
})

test('no read is larger than 8 MiB, and a large span is read in pieces', () => {
  const neighbours = shape(Array.from({ length: 30 }, (_, i) => [i * MB, (i + 1) * MB]))
  assert.deepEqual(neighbours, [
    [0, 8 * MB],
    [8 * MB, 16 * MB],
    [16 * MB, 24 * MB],
    [24 * MB, 30 * MB],
  ])
  assert.deepEqual(shape([[5, 5 + 20 * MB]]), [
    [5, 5 + 8 * MB],
    [5 + 8 * MB, 5 + 16 * MB],
    [5 + 16 * MB, 5 + 20 * MB],
  ])
})
