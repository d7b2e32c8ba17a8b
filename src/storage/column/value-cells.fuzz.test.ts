import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteReader } from '#/kernel/byte-reader.ts'
import { Corruption } from '#/kernel/errors.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'
import { newMemory } from './column-memory.ts'
import { decodeDeltaF64 } from './delta-f64.ts'
import { sealF64, unsealF64 } from './number-columns.ts'
import { unsealColumn, type SealedColumn } from './sealed.ts'
import { cellOf, unsealByKernel, unsealCells, type CellGrid } from './value-cells.ts'

const origin = { file: 'a column', offset: 0 }
const DAY = 86_400e9

/** Runs that ascend, as those of streams do, and steps back between them. */
const times: fc.Arbitrary<Float64Array> = fc
  .array(
    fc.record({
      start: fc.oneof(fc.integer({ min: 0, max: 86_399 }), fc.integer({ min: -5, max: 5 })),
      gaps: fc.array(fc.oneof(fc.nat(3), fc.nat(2 ** 31 - 1), fc.constantFrom(0, 60, 3600)), { maxLength: 150 }),
      unit: fc.constantFrom(1, 1, 1000, 1e9),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((runs) =>
    Float64Array.from(
      runs.flatMap(({ start, gaps, unit }) => {
        let time = start * 1e9
        return [time, ...gaps.map((gap) => (time += unit === 1e9 ? (gap % 1000) * unit : gap * unit))]
      }),
    ),
  )

const grid: fc.Arbitrary<CellGrid> = fc.record({
  from: fc.constantFrom(0, 1, 3600e9, 3600e9 + 1),
  to: fc.constantFrom(DAY, 7200e9, 1, 3601e9),
  step: fc.constantFrom(60e9, 1e9, 7e9 + 1, DAY * 4),
  enter: fc.constantFrom(0, 1, 59e9, DAY),
  leave: fc.constantFrom(undefined, 0, 30e9, 17, DAY),
  first: fc.constantFrom(-1, 0, 59),
})

/** What the kernel has of a column, without the decoder that stands in for it. */
function decoded(column: SealedColumn, count: number): Float64Array {
  return decodeDeltaF64(new ByteReader(unsealColumn(column.encoding, column.bytes, origin), origin), count)
}

test(`the kernel decodes what the decoder does (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(times, (values) => {
      const column = sealF64(values)
      const found = unsealByKernel(column, values.length, origin, newMemory)
      assert.deepEqual(found, decoded(column, values.length))
      assert.deepEqual(found, values)
    }),
    { seed: testSeed, numRuns: 300 },
  )
})

test(`cells are those of the definition, also when other columns were asked in between (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(times, times, grid, fc.nat(10), (values, others, one, skip) => {
      const [column, other] = [values, others].map((all) => unsealCells(sealF64(all), all.length, origin)!)
      const check = (cells: typeof column, all: Float64Array, start: number): void => {
        const found = cells!.find(one, start, all.length)
        for (let i = start; i < all.length; i++) assert.equal(found[i], cellOf(one, all[i]!), `value ${all[i]}`)
      }
      check(column, values, Math.min(skip, values.length - 1))
      check(other, others, 0)
      check(column, values, 0)
    }),
    { seed: testSeed, numRuns: 300 },
  )
})

test(`what is damaged is told as damaged (seed ${testSeed})`, () => {
  const damage = fc.record({ at: fc.nat(), value: fc.nat(255), cut: fc.nat(3) })
  fc.assert(
    fc.property(times, damage, (values, { at, value, cut }) => {
      const column = sealF64(values)
      const bytes = Uint8Array.from(column.bytes.subarray(0, column.bytes.length - cut))
      if (bytes.length > 0) bytes[at % bytes.length] = value
      const damaged = { encoding: column.encoding, bytes }
      const expected = outcome(() => decoded(damaged, values.length))
      const found = outcome(() => unsealF64(damaged, values.length, origin))
      // bytes that are left over are an error of the column, not of the decoder
      if (expected !== 'corrupt' && found !== 'corrupt') assert.deepEqual(found, expected)
      if (expected === 'corrupt') assert.equal(found, 'corrupt')
    }),
    { seed: testSeed, numRuns: 500 },
  )
})

function outcome(decode: () => Float64Array): Float64Array | 'corrupt' {
  try {
    return decode()
  } catch (error) {
    assert.ok(error instanceof Corruption, String(error))
    return 'corrupt'
  }
}

test('columns with more values than a page has rows are left to the decoder', () => {
  const values = new Float64Array(65_537).map((_, i) => i)
  const column = sealF64(values)
  assert.equal(unsealCells(column, values.length, origin), undefined)
  assert.deepEqual(unsealF64(column, values.length, origin), values)
})
