/**
 * Prometheus remote write 1.0: the protobuf message `WriteRequest` in a raw snappy block. The message is measured first and then
 * written into one Buffer.
 */
import { compressSync } from 'snappy'

import { assert } from '#/kernel/assert.ts'
import { uvarintSize, writeUvarint } from '#/kernel/varint.ts'
import type { LabelPairs } from '#/ruler/model/sample.ts'

export type WriteSample = {
  /** Sorted, with `__name__`. */
  readonly labels: LabelPairs
  readonly value: number
  readonly timeMs: number
  /** The series has ended: a mark takes the place of the value. */
  readonly isStale?: true
}

/** Prometheus' mark for the end of a series, a NaN of its own. */
const staleBits = 0x7ff0000000000002n
const doubleBytes = 8

export function encodeWriteRequest(samples: readonly WriteSample[]): Buffer {
  return compressSync(encodeWriteProtobuf(samples), { copyOutputData: true })
}

/** The protobuf message before compression: `repeated TimeSeries timeseries = 1`. */
export function encodeWriteProtobuf(samples: readonly WriteSample[]): Buffer {
  const sizes = samples.map(seriesSize)
  const out = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + fieldSize(size), 0))
  let at = 0
  for (const [index, sample] of samples.entries()) {
    at = writeSeries(out, writeHeader(out, at, 0x0a, sizes[index] ?? 0), sample)
  }
  assert(at === out.length, `wrote ${at} of ${out.length} bytes`)
  return out
}

/** `repeated Label labels = 1; repeated Sample samples = 2` */
function writeSeries(out: Buffer, start: number, sample: WriteSample): number {
  let at = start
  for (const [name, value] of sample.labels) {
    at = writeHeader(out, at, 0x0a, pairSize(name, value))
    at = writeText(out, at, 0x0a, name)
    at = writeText(out, at, 0x12, value)
  }
  return writeSample(out, writeHeader(out, at, 0x12, sampleSize(sample)), sample)
}

/** `double value = 1; int64 timestamp = 2`, milliseconds. */
function writeSample(out: Buffer, start: number, { value, timeMs, isStale }: WriteSample): number {
  let at = out.writeUInt8(0x09, start)
  at = isStale ? out.writeBigUInt64LE(staleBits, at) : out.writeDoubleLE(value, at)
  at = out.writeUInt8(0x10, at)
  return writeUvarint(out, at, timeMs)
}

function seriesSize(sample: WriteSample): number {
  return sample.labels.reduce(
    (sum, [name, value]) => sum + fieldSize(pairSize(name, value)),
    fieldSize(sampleSize(sample)),
  )
}

function sampleSize({ timeMs }: WriteSample): number {
  assert(Number.isSafeInteger(timeMs) && timeMs >= 0, `time of a sample ${timeMs} is whole milliseconds`)
  return 1 + doubleBytes + 1 + uvarintSize(timeMs)
}

function pairSize(name: string, value: string): number {
  return fieldSize(Buffer.byteLength(name)) + fieldSize(Buffer.byteLength(value))
}

/** Bytes of a field with a one-byte tag, its length and `size` bytes. */
function fieldSize(size: number): number {
  return 1 + uvarintSize(size) + size
}

function writeHeader(out: Buffer, at: number, tag: number, size: number): number {
  return writeUvarint(out, out.writeUInt8(tag, at), size)
}

function writeText(out: Buffer, start: number, tag: number, text: string): number {
  const at = writeHeader(out, start, tag, Buffer.byteLength(text))
  return at + out.write(text, at, 'utf8')
}
