import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { buildEntryBatch, type PlainEntry } from './entry-batch-builder.ts'
import { compactBatch, decodeEntryBatch, encodeEntryBatch } from './entry-batch-codec.ts'
import type { EntryBatch } from './entry-batch.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { absoluteNs } from '#/logs/model/day.ts'
import { textAt } from '#/storage/index/text-table.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'

const entries = fc.array(
  fc.record({
    stream: fc.constantFrom('{app="a"}', '{app="b", host="ü"}', '{}'),
    timeNs: fc.bigInt({ min: -(10n ** 18n), max: 4n * 10n ** 18n }),
    line: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    metadata: fc.dictionary(fc.string({ maxLength: 4 }), fc.string({ maxLength: 200 }), { maxKeys: 4 }),
  }),
  { maxLength: 30 },
)
const seeded = { seed: testSeed, numRuns: 200 }

/** The rows as plain values, read by the definition of the columns. */
function rowsOf(batch: EntryBatch): unknown[] {
  return Array.from({ length: batch.rowCount }, (_, row) => {
    const cut = (bytes: Buffer, start: Uint32Array, length: Uint32Array): Buffer =>
      bytes.subarray(start[row]!, start[row]! + length[row]!)
    return [
      textAt(batch.streams, batch.stream[row]!),
      absoluteNs(batch.day[row]!, batch.time[row]!),
      cut(batch.bytes, batch.lineStart, batch.lineLength).toString('hex'),
      cut(batch.meta, batch.metaStart, batch.metaLength).toString('hex'),
    ]
  })
}

/** The same rows with lines and metadata strewn over larger buffers, and columns that are longer than they must be. */
function scatter(batch: EntryBatch): EntryBatch {
  const strew = (bytes: Buffer, start: Uint32Array, length: Uint32Array): { bytes: Buffer; start: Uint32Array } => {
    const target = Buffer.alloc(bytes.length + 3 * batch.rowCount + 5, '!')
    const moved = new Uint32Array(start.length)
    let at = target.length
    for (let row = 0; row < batch.rowCount; row++) {
      at -= length[row]! + 3
      bytes.copy(target, at, start[row]!, start[row]! + length[row]!)
      moved[row] = at
    }
    return { bytes: target, start: moved }
  }
  const lines = strew(batch.bytes, batch.lineStart, batch.lineLength)
  const meta = strew(batch.meta, batch.metaStart, batch.metaLength)
  const time = new Float64Array(batch.rowCount + 7)
  time.set(batch.time)
  return { ...batch, time, bytes: lines.bytes, lineStart: lines.start, meta: meta.bytes, metaStart: meta.start }
}

/** In memory that begins `shift` bytes off alignment. */
function joined(parts: readonly Uint8Array[], shift: number): Buffer {
  const all = Buffer.concat(parts)
  const target = Buffer.from(new ArrayBuffer(all.length + shift), shift)
  all.copy(target)
  return target
}

describe(`entry batch codec (seed ${testSeed})`, () => {
  it('gives back every row, scattered or not, aligned or not', () => {
    fc.assert(
      fc.property(entries, fc.boolean(), fc.integer({ min: 0, max: 7 }), (plain: PlainEntry[], isScattered, shift) => {
        const dense = buildEntryBatch(plain)
        const batch = isScattered ? scatter(dense) : dense
        const { tenant, batch: decoded } = decodeEntryBatch(joined(encodeEntryBatch('ten|ant', batch), shift))
        assert.equal(tenant, 'ten|ant')
        assert.deepEqual(decoded.metaNames, batch.metaNames)
        assert.deepEqual(rowsOf(decoded), rowsOf(dense))
        assert.equal(compactBatch(decoded).bytes, decoded.bytes, 'what was decoded is compact')
      }),
      seeded,
    )
  })

  it('refuses what is cut short or damaged in its lengths, and never reads beyond it', () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.nat(), fc.integer({ min: 0, max: 255 }), (plain, cut, at, byte) => {
        const whole = Buffer.concat(encodeEntryBatch('a', buildEntryBatch(plain)))
        assert.throws(() => decodeEntryBatch(whole.subarray(0, cut % whole.length)), BadRequest)
        whole[at % 36] = byte
        try {
          const { batch } = decodeEntryBatch(whole)
          assert.ok(batch.bytes.length + batch.meta.length <= whole.length)
        } catch (error) {
          assert.ok(error instanceof BadRequest, String(error))
        }
      }),
      seeded,
    )
  })
})
