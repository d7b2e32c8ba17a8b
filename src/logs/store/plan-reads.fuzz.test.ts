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
    { nearBytes: 100_000 },
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
      [0, 100_000],
      [200_000, 300_000],
    ]),
    [[0, 300_000]],
  )
  assert.deepEqual(
    shape([
      [0, 100_000],
      [200_001, 300_000],
    ]),
    [
      [0, 100_000],
      [200_001, 300_000],
    ],
  )
})

test('small spans far apart do not read the whole object', () => {
  assert.equal(shape(Array.from({ length: 20 }, (_, i) => [i * 50_000, i * 50_000 + 1000])).length, 20)
})

test('neighbours are read together up to 1 MiB, and a large span in pieces of 8 MiB', () => {
  const neighbours = shape(Array.from({ length: 10 }, (_, i) => [(i * MB) / 4, ((i + 1) * MB) / 4]))
  assert.deepEqual(neighbours, [
    [0, MB],
    [MB, 2 * MB],
    [2 * MB, 2.5 * MB],
  ])
  assert.deepEqual(shape([[5, 5 + 20 * MB]]), [
    [5, 5 + 8 * MB],
    [5 + 8 * MB, 5 + 16 * MB],
    [5 + 16 * MB, 5 + 20 * MB],
  ])
})
