import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteReader } from '#/kernel/byte-reader.ts'
import { ByteWriter } from '#/kernel/byte-writer.ts'
import { Corruption } from '#/kernel/errors.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'
import {
  clearCounts,
  countAt,
  countCells,
  countCodes,
  countOf,
  countTable,
  unpackCodes,
  useCodes,
} from './count-cells.ts'
import { MAX_CELL_ROWS } from './delta-memory.ts'
import { sealF64 } from './number-columns.ts'
import { decodePackedU32, encodePackedU32 } from './packed-u32.ts'
import { unsealCells, type CellGrid } from './value-cells.ts'

const origin = { file: 'a column', offset: 0 }
const PREFIX = Uint8Array.of(7, 7, 7)

/** Behind other bytes, as in a dictionary. */
function packed(codes: readonly number[]): Uint8Array {
  const out = new ByteWriter(64)
  out.bytes(PREFIX)
  encodePackedU32(Uint32Array.from(codes), out)
  return out.written.slice()
}

function readerOf(bytes: Uint8Array): ByteReader {
  const reader = new ByteReader(bytes, origin)
  reader.skip(PREFIX.length)
  return reader
}

const codes = fc
  .tuple(fc.integer({ min: 0, max: 140 }), fc.integer({ min: 0, max: 130 }), fc.boolean())
  .chain(([least, spread, isLong]) =>
    fc.array(fc.integer({ min: least, max: least + spread }), { minLength: 1, maxLength: isLong ? 700 : 20 }),
  )

test(`codes in bytes are those that were packed, or none (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(codes, fc.integer({ min: 0, max: 200 }), (values, greatest) => {
      const reader = readerOf(packed(values))
      const found = unpackCodes(reader, values.length, greatest)
      const isSmall = greatest <= 127 && Math.max(...values) <= greatest
      assert.equal(found !== undefined, isSmall)
      assert.equal(reader.remaining === 0, isSmall, 'what was not read is left to others')
      if (found !== undefined) assert.deepEqual([...found], values)
      else assert.deepEqual([...decodePackedU32(reader, values.length)], values)
    }),
    { seed: testSeed, numRuns: 400 },
  )
})

test(`damaged codes are left to the decoder, or are what it finds (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(codes, fc.nat(), fc.nat(255), fc.nat(40), (values, where, byte, cut) => {
      const bytes = packed(values)
      bytes[PREFIX.length + (where % (bytes.length - PREFIX.length))] = byte
      const damaged = bytes.subarray(0, Math.max(PREFIX.length, bytes.length - (cut > 20 ? 0 : cut)))
      const found = unpackCodes(readerOf(damaged), values.length, 127)
      if (found === undefined) return
      const reader = readerOf(damaged)
      try {
        assert.deepEqual([...decodePackedU32(reader, values.length)], [...found])
        reader.end()
      } catch (error) {
        assert.ok(!(error instanceof Corruption), 'the kernel takes what is corrupt')
        throw error
      }
    }),
    { seed: testSeed, numRuns: 400 },
  )
})

test('as many codes as a page has rows, and more', () => {
  const values = Array.from({ length: MAX_CELL_ROWS }, (_, i) => i % 128)
  assert.deepEqual(unpackCodes(readerOf(packed(values)), values.length, 127), Uint8Array.from(values))
  assert.equal(unpackCodes(readerOf(packed([...values, 1])), values.length + 1, 127), undefined)
})

const grid: CellGrid = { from: 10, to: 900, step: 100, enter: 0, leave: undefined, first: 0 }
const WIDTH = 10

test(`rows are counted as one by one (seed ${testSeed})`, () => {
  const row = fc.record({ time: fc.integer({ min: 0, max: 1000 }), code: fc.integer({ min: 0, max: 5 }) })
  const piece = fc.record({
    start: fc.nat(60),
    length: fc.nat(20),
    first: fc.constantFrom(0, 17),
    hasCodes: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 60 }), fc.array(piece), (rows, pieces) => {
      const cells = unsealCells(sealF64(Float64Array.from(rows, ({ time }) => time)), rows.length, origin)!.find(
        grid,
        0,
        rows.length,
      )
      useCodes(Uint8Array.from(rows, ({ code }) => code))
      const expected = new Int32Array(128)
      for (const { start, length, first, hasCodes } of pieces) {
        const end = Math.min(rows.length, start + length)
        const counted = { start, end, first, width: WIDTH }
        if (hasCodes) countCodes(counted)
        else countCells(counted)
        for (let i = start; i < end; i++) expected[first + (hasCodes ? rows[i]!.code * WIDTH : 0) + cells[i]!]!++
      }
      countAt(countTable(), 5)
      expected[5]!++
      assert.deepEqual(
        Array.from(expected, (_, entry) => countOf(countTable(), entry)),
        [...expected],
      )
      clearCounts(expected.length)
      assert.ok(countTable().every((count) => count === 0))
    }),
    { seed: testSeed, numRuns: 200 },
  )
})
