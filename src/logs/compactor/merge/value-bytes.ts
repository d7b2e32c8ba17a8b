/** The values of one name of structured metadata over a page as ranges of bytes, so that rows are copied without strings. */
import type { MetaColumn } from '#/logs/store/log-page.ts'
import { ByteWriter } from '#/kernel/byte-writer.ts'
import { isPresent } from '#/storage/column/presence.ts'
import type { HexValues } from '#/storage/column/text-values.ts'

/** Of a row without a value. */
export const NO_VALUE = 0xffff_ffff

/** Value of row i: `bytes[starts[i], ends[i])`, unless `starts[i]` is {@link NO_VALUE}. */
export type ValueBytes = { readonly bytes: Buffer; readonly starts: Uint32Array; readonly ends: Uint32Array }

export function valueBytes(column: MetaColumn, rowCount: number): ValueBytes {
  const starts = new Uint32Array(rowCount)
  const ends = new Uint32Array(rowCount)
  const out = new ByteWriter(1024)
  const { constant } = column
  if (constant !== undefined) {
    out.bytes(Buffer.from(constant))
    return { bytes: out.written, starts, ends: ends.fill(out.size) }
  }
  const { dictionary } = column
  if (dictionary !== undefined) {
    const { codes, values } = dictionary
    const valueEnds = values.map((value) => {
      out.bytes(Buffer.from(value))
      return out.size
    })
    for (let row = 0; row < rowCount; row++) {
      const code = codes[row]!
      starts[row] = code === 0 ? NO_VALUE : code === 1 ? 0 : valueEnds[code - 2]!
      ends[row] = code === 0 ? NO_VALUE : valueEnds[code - 1]!
    }
    return { bytes: out.written, starts, ends }
  }
  if (column.hex !== undefined) return hexBytes(column.hex, rowCount)
  for (let row = 0; row < rowCount; row++) {
    const value = column.valueOf(row)
    starts[row] = value === undefined ? NO_VALUE : out.size
    if (value !== undefined) out.reserve(Buffer.byteLength(value)).write(value)
    ends[row] = value === undefined ? NO_VALUE : out.size
  }
  return { bytes: out.written, starts, ends }
}

/** Hexadecimal digits, spelt out without strings. */
function hexBytes({ bytesPerValue, isUuid, bytes, presence }: HexValues, rowCount: number): ValueBytes {
  const starts = new Uint32Array(rowCount)
  const ends = new Uint32Array(rowCount)
  const length = 2 * bytesPerValue + (isUuid ? 4 : 0)
  const out = Buffer.allocUnsafeSlow(rowCount * length)
  let [from, to] = [0, 0]
  for (let row = 0; row < rowCount; row++) {
    if (!isPresent(presence, row)) {
      starts[row] = ends[row] = NO_VALUE
      continue
    }
    starts[row] = to
    for (let i = 0; i < bytesPerValue; i++) {
      if (isUuid && (i === 4 || i === 6 || i === 8 || i === 10)) out[to++] = DASH
      const byte = bytes[from++]!
      out[to++] = digits[byte >>> 4]!
      out[to++] = digits[byte & 15]!
    }
    ends[row] = to
  }
  return { bytes: out, starts, ends }
}

const DASH = 0x2d
const digits = Buffer.from('0123456789abcdef')
