/**
 * Push requests as clients send them: Loki's protobuf `PushRequest` (in a raw snappy block), and the JSON of
 * `/loki/api/v1/push`. The whole message is measured first and then written into one Buffer, without an object per entry.
 */
import { compressSync } from 'snappy'
import { assert } from '#/kernel/assert.ts'
import { uvarintSize, writeUvarint } from '#/kernel/varint.ts'
import type { Labels } from '#/storage/index/label-index.ts'

export type PushStream = {
  /** `{a="b", c="d"}` */
  readonly labels: string
  readonly entries: readonly PushEntry[]
}

export type PushEntry = {
  /** Nanoseconds since the Unix epoch. */
  readonly timeNs: bigint
  readonly line: Uint8Array | string
  readonly metadata?: Labels
}

const nsPerSecond = 1_000_000_000n

/** The body of a push with `Content-Type: application/x-protobuf`. */
export function encodePush(streams: readonly PushStream[]): Buffer {
  return compressSync(encodePushProtobuf(streams), { copyOutputData: true })
}

/** The protobuf message before compression. */
export function encodePushProtobuf(streams: readonly PushStream[]): Buffer {
  const sizes = streams.map(streamSize)
  const out = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + fieldSize(size), 0))
  let at = 0
  for (let index = 0; index < streams.length; index++) {
    at = writeUvarint(out, writeByte(out, at, 0x0a), sizes[index]!)
    at = writeText(out, writeByte(out, at, 0x0a), streams[index]!.labels)
    for (const entry of streams[index]!.entries) at = writeEntry(out, at, entry)
  }
  assert(at === out.length, `wrote ${at} of ${out.length} bytes`)
  return out
}

/** The body of a push with `Content-Type: application/json`. Lines that are not UTF-8 lose their invalid bytes to U+FFFD. */
export function encodePushJson(
  streams: readonly { readonly labels: Labels; readonly entries: readonly PushEntry[] }[],
): Buffer {
  const body = streams.map(({ labels, entries }) => ({
    stream: Object.fromEntries(labels),
    values: entries.map(({ timeNs, line, metadata }) => {
      const text = typeof line === 'string' ? line : Buffer.from(line).toString('utf8')
      return metadata ? [String(timeNs), text, Object.fromEntries(metadata)] : [String(timeNs), text]
    }),
  }))
  return Buffer.from(JSON.stringify({ streams: body }))
}

function streamSize(stream: PushStream): number {
  let size = fieldSize(Buffer.byteLength(stream.labels))
  for (const entry of stream.entries) size += fieldSize(entrySize(entry))
  return size
}

function entrySize(entry: PushEntry): number {
  let size = fieldSize(timestampSize(entry.timeNs)) + fieldSize(byteLength(entry.line))
  for (const [name, value] of entry.metadata ?? []) size += fieldSize(pairSize(name, value))
  return size
}

function pairSize(name: string, value: string): number {
  return fieldSize(Buffer.byteLength(name)) + fieldSize(Buffer.byteLength(value))
}

function writeEntry(out: Buffer, start: number, entry: PushEntry): number {
  let at = writeUvarint(out, writeByte(out, start, 0x12), entrySize(entry))
  at = writeUvarint(out, writeByte(out, at, 0x0a), timestampSize(entry.timeNs))
  const { seconds, nanos } = splitTime(entry.timeNs)
  if (seconds > 0n) at = writeUvarint(out, writeByte(out, at, 0x08), Number(seconds))
  else if (seconds < 0n) at = writeInt64(out, writeByte(out, at, 0x08), seconds)
  if (nanos !== 0) at = writeUvarint(out, writeByte(out, at, 0x10), nanos)
  at = writeByte(out, at, 0x12)
  if (typeof entry.line === 'string') {
    at = writeText(out, at, entry.line)
  } else {
    at = writeUvarint(out, at, entry.line.length)
    out.set(entry.line, at)
    at += entry.line.length
  }
  for (const [name, value] of entry.metadata ?? []) {
    at = writeUvarint(out, writeByte(out, at, 0x1a), pairSize(name, value))
    at = writeText(out, writeByte(out, at, 0x0a), name)
    at = writeText(out, writeByte(out, at, 0x12), value)
  }
  return at
}

/** Seconds rounded down, so that `nanos` is in [0, 1e9) before the epoch too. */
function splitTime(timeNs: bigint): { readonly seconds: bigint; readonly nanos: number } {
  const rest = timeNs % nsPerSecond
  const nanos = rest < 0n ? rest + nsPerSecond : rest
  return { seconds: (timeNs - nanos) / nsPerSecond, nanos: Number(nanos) }
}

function timestampSize(timeNs: bigint): number {
  const { seconds, nanos } = splitTime(timeNs)
  const secondsSize = seconds === 0n ? 0 : 1 + (seconds < 0n ? 10 : uvarintSize(Number(seconds)))
  return secondsSize + (nanos === 0 ? 0 : 1 + uvarintSize(nanos))
}

function byteLength(line: Uint8Array | string): number {
  return typeof line === 'string' ? Buffer.byteLength(line) : line.length
}

/** Bytes of a field with a one-byte tag, its length and `size` bytes. */
function fieldSize(size: number): number {
  return 1 + uvarintSize(size) + size
}

function writeByte(out: Buffer, at: number, byte: number): number {
  out[at] = byte
  return at + 1
}

/** Two's complement over 64 bits, as protobuf's int64. */
function writeInt64(out: Buffer, start: number, value: bigint): number {
  let at = start
  let rest = BigInt.asUintN(64, value)
  for (; rest >= 0x80n; rest >>= 7n) out[at++] = Number(rest & 0x7fn) | 0x80
  out[at] = Number(rest)
  return at + 1
}

function writeText(out: Buffer, start: number, text: string): number {
  const at = writeUvarint(out, start, Buffer.byteLength(text))
  return at + out.write(text, at, 'utf8')
}
