/**
 * Texts that are decimal integers in their shortest form (`0`, `17`, `-3`, below 10^15): presence, then the numbers as
 * delta-f64. A row without a value repeats the number before.
 */
import { decodeDeltaF64, encodeDeltaF64 } from './delta-f64.ts'
import { decodePresence, encodePresence, isPresent } from './presence.ts'
import type { TextColumn, TextRanges } from './text-values.ts'
import type { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteWriter } from '#/kernel/byte-writer.ts'

const MAX_DIGITS = 15
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39

/** The numbers of the rows; undefined when a value is not such a number. */
export function tryNumbers({ rowCount, count, source, rows, starts, ends }: TextRanges): Float64Array | undefined {
  const numbers = new Float64Array(rowCount)
  let next = 0
  let before = 0
  for (let i = 0; i < count; i++) {
    const number = parseShortest(source, starts[i]!, ends[i]!)
    if (Number.isNaN(number)) return undefined
    numbers.fill(before, next, rows[i]!)
    next = rows[i]! + 1
    numbers[rows[i]!] = before = number
  }
  numbers.fill(before, next)
  return numbers
}

export function encodeNumberText(ranges: TextRanges, numbers: Float64Array, out: ByteWriter): void {
  encodePresence(ranges, out)
  encodeDeltaF64(numbers, out)
}

export function decodeNumberText(reader: ByteReader, rowCount: number): TextColumn {
  const presence = decodePresence(reader, rowCount)
  const numbers = decodeDeltaF64(reader, rowCount)
  let ranges: TextRanges | undefined
  return {
    valueOf: (row) => (isPresent(presence, row) ? String(numbers[row]!) : undefined),
    dictionary: undefined,
    get ranges() {
      return (ranges ??= rangesOf(numbers, presence))
    },
    rowsWith(value) {
      const wanted = parseShortest(value, 0, value.length)
      const found: number[] = []
      for (let row = 0; row < rowCount; row++) if (numbers[row] === wanted && isPresent(presence, row)) found.push(row)
      return Uint32Array.from(found)
    },
  }
}

/** The numbers as they were written, one behind the other. */
function rangesOf(numbers: Float64Array, presence: Uint8Array | undefined): TextRanges {
  const rowCount = numbers.length
  const rows = new Uint32Array(rowCount)
  const starts = new Uint32Array(rowCount)
  const ends = new Uint32Array(rowCount)
  const source = Buffer.allocUnsafe(rowCount * (MAX_DIGITS + 1))
  let count = 0
  let at = 0
  for (let row = 0; row < rowCount; row++) {
    if (!isPresent(presence, row)) continue
    rows[count] = row
    starts[count] = at
    at = putDigits(source, at, numbers[row]!)
    ends[count++] = at
  }
  return { rowCount, count, source, rows, starts, ends }
}

/** Writes a number in its shortest form; returns the position behind it. */
function putDigits(target: Buffer, at: number, value: number): number {
  let rest = Math.abs(value)
  let start = at
  if (value < 0) target[start++] = MINUS
  let end = start
  do {
    const quotient = Math.floor(rest / 10)
    target[end++] = ZERO + rest - quotient * 10
    rest = quotient
  } while (rest > 0)
  for (let low = start, high = end - 1; low < high; low++, high--) {
    const digit = target[low]!
    target[low] = target[high]!
    target[high] = digit
  }
  return end
}

/** NaN unless printing the number gives the same bytes again. */
function parseShortest(source: Uint8Array, start: number, end: number): number {
  const isNegative = source[start] === MINUS
  const first = isNegative ? start + 1 : start
  const digits = end - first
  if (digits < 1 || digits > MAX_DIGITS) return NaN
  if (source[first] === ZERO && (digits > 1 || isNegative)) return NaN
  let value = 0
  for (let i = first; i < end; i++) {
    const byte = source[i]!
    if (byte < ZERO || byte > NINE) return NaN
    value = value * 10 + (byte - ZERO)
  }
  return isNegative ? -value : value
}
