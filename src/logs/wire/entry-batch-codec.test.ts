import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { buildEntryBatch } from './entry-batch-builder.ts'
import { compactBatch, decodeEntryBatch, encodeEntryBatch } from './entry-batch-codec.ts'

const oneDay = buildEntryBatch([
  { stream: '{a="1"}', timeNs: 5n, line: 'first' },
  { stream: '{a="2"}', timeNs: 4n, line: '' },
  { stream: '{a="1"}', timeNs: 86_399_999_999_999n, line: 'third' },
])

describe('entry batch codec', () => {
  it('is laid out as its header says', () => {
    const bytes = Buffer.concat(encodeEntryBatch('fake', oneDay))
    assert.equal(bytes.toString('latin1', 0, 4), 'EEB1')
    assert.equal(bytes.readUInt32LE(4), 3, 'one day, no metadata')
    assert.equal(bytes.readUInt32LE(8), 3)
    assert.equal(bytes.readUInt32LE(20), 'firstthird'.length)
    const textEnd = 36 + bytes.readUInt32LE(32)
    const time = Math.ceil(textEnd / 8) * 8
    assert.deepEqual(
      [0, 8, 16].map((at) => bytes.readDoubleLE(time + at)),
      [5, 4, 86_399_999_999_999],
    )
    assert.equal(bytes.toString('utf8', bytes.length - 10), 'firstthird')
    assert.equal(bytes.length, time + 3 * (8 + 4 + 4) + 10)
  })

  it('copies no line of a compact batch', () => {
    assert.equal(compactBatch(oneDay).bytes, oneDay.bytes)
    const parts = encodeEntryBatch('fake', oneDay)
    assert.ok(parts.some((part) => part.buffer === oneDay.bytes.buffer && part.byteOffset === oneDay.bytes.byteOffset))
    assert.ok(parts.some((part) => part.buffer === oneDay.time.buffer))
  })

  it('decodes into views when its memory is aligned', () => {
    const all = Buffer.concat(encodeEntryBatch('fake', oneDay))
    const aligned = Buffer.from(new ArrayBuffer(all.length))
    all.copy(aligned)
    const { batch } = decodeEntryBatch(aligned)
    assert.equal(batch.time.buffer, aligned.buffer)
    assert.equal(batch.stream.buffer, aligned.buffer)
    assert.equal(batch.bytes.buffer, aligned.buffer)
  })

  it('refuses a stream that is not in its table', () => {
    const wrong = { ...oneDay, stream: Uint32Array.of(0, 1, 2) }
    const bytes = Buffer.concat(encodeEntryBatch('fake', wrong))
    assert.throws(() => decodeEntryBatch(bytes), /not an encoded batch of entries: a stream is out of range/)
  })

  it('carries an empty batch', () => {
    const { tenant, batch } = decodeEntryBatch(Buffer.concat(encodeEntryBatch('t', buildEntryBatch([]))))
    assert.equal(tenant, 't')
    assert.equal(batch.rowCount, 0)
  })
})
