import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  findMarker,
  parseSegmentName,
  payloadChecksum,
  readRecordHeader,
  recordBytes,
  SEGMENT_HEADER_BYTES,
  segmentName,
  writeRecordHeader,
} from './format.ts'
import { frameGroup, type PendingRecord } from './frame-group.ts'

const header = {
  segment: 17,
  ingesterId: '0123456789abcdef01234567',
  firstSequence: 2 ** 52 + 3,
  salt: 0xdeadbeef,
  previousSyncedBytes: 4_000_000_000,
}

const pending = (sequence: number, ...parts: Buffer[]): PendingRecord => ({
  parts,
  payloadBytes: parts.reduce((sum, { length }) => sum + length, 0),
  sequence,
  onDurable: () => undefined,
  resolve: () => undefined,
  reject: () => undefined,
})

describe('WAL format', () => {
  it('writes the segment header twice and reads it with either copy', () => {
    const bytes = encodeSegmentHeader(header)
    assert.equal(bytes.length, SEGMENT_HEADER_BYTES)
    assert.deepEqual(decodeSegmentHeader(bytes), { header, isDamaged: false })
    for (let at = 0; at < SEGMENT_HEADER_BYTES; at++) {
      const damaged = Buffer.from(bytes)
      damaged[at]! ^= 0x10
      assert.deepEqual(decodeSegmentHeader(damaged), { header, isDamaged: true }, `byte ${at}`)
    }
    assert.equal(decodeSegmentHeader(bytes.subarray(0, 63)), undefined)
  })

  it('is as docs/formats/wal.md says', () => {
    const bytes = encodeSegmentHeader({ ...header, firstSequence: 5 })
    assert.equal(bytes.toString('latin1', 0, 8), 'EDDAWAL1')
    assert.deepEqual(
      [8, 12, 16, 20, 24, 28].map((at) => bytes.readUInt32LE(at)),
      [1, 17, 5, 0, 0xdeadbeef, 4_000_000_000],
    )
    assert.equal(bytes.toString('latin1', 32, 56), header.ingesterId)
    const [record = Buffer.alloc(0)] = frameGroup([pending(9, Buffer.from('abc'))], {
      salt: 1,
      offset: 128,
      syncedBytes: 128,
    })
    assert.equal(record.length, 40)
    const view = Buffer.from(record)
    assert.equal(view.toString('latin1', 0, 4), 'EREC')
    assert.deepEqual(
      [4, 8, 12, 16].map((at) => view.readUInt32LE(at)),
      [3, 9, 0, 128],
    )
    assert.equal(view.toString('latin1', 32), 'abc\0\0\0\0\0')
  })

  it('finds any flipped bit of a record header, and knows its place', () => {
    const bytes = Buffer.alloc(32)
    const record = { payloadBytes: 1000, sequence: 2 ** 40, syncedBytes: 128, payloadCrc: 7 }
    writeRecordHeader(bytes, 0, record, { salt: 99, offset: 4096 })
    assert.deepEqual(readRecordHeader(bytes, 99, 4096), record)
    assert.equal(readRecordHeader(bytes, 99, 4104), undefined, 'another place')
    assert.equal(readRecordHeader(bytes, 98, 4096), undefined, 'another segment')
    assert.equal(readRecordHeader(bytes.subarray(0, 31), 99, 4096), undefined)
    for (let bit = 0; bit < 256; bit++) {
      const damaged = Buffer.from(bytes)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      assert.equal(readRecordHeader(damaged, 99, 4096), undefined, `bit ${bit}`)
    }
  })

  it('frames a group back to back, large parts without a copy', () => {
    const large = Buffer.alloc(50_000, 'L')
    const group = [pending(1, Buffer.from('a'), large, Buffer.from('b')), pending(2), pending(3, large)]
    const buffers = frameGroup(group, { salt: 5, offset: 128, syncedBytes: 128 })
    assert.equal(buffers.filter((buffer) => buffer === large).length, 2)
    const bytes = Buffer.concat(buffers)
    assert.equal(
      bytes.length,
      group.reduce((sum, { payloadBytes }) => sum + recordBytes(payloadBytes), 0),
    )
    let at = 0
    for (const { payloadBytes, sequence, parts } of group) {
      const found = readRecordHeader(bytes.subarray(at), 5, 128 + at)
      assert.equal(found?.sequence, sequence)
      const payload = bytes.subarray(at + 32, at + 32 + payloadBytes)
      assert.deepEqual(payload, Buffer.concat(parts))
      assert.equal(payloadChecksum([payload], 5, 128 + at), found?.payloadCrc)
      at += recordBytes(payloadBytes)
    }
  })

  it('looks for markers at multiples of eight only', () => {
    const bytes = Buffer.alloc(64)
    bytes.write('EREC', 12, 'latin1')
    assert.equal(findMarker(bytes, 0), -1)
    bytes.write('EREC', 40, 'latin1')
    assert.equal(findMarker(bytes, 0), 40)
    assert.equal(findMarker(bytes, 48), -1)
  })

  it('names segments so that they sort', () => {
    assert.equal(segmentName(1), '00000001.wal')
    assert.equal(parseSegmentName('00000042.wal'), 42)
    assert.equal(parseSegmentName('123456789.wal'), 123_456_789)
    for (const other of ['ingester-id', '00000001.wal.unreadable', '1.wal', 'x0000001.wal']) {
      assert.equal(parseSegmentName(other), undefined)
    }
  })
})
