/** Which rows of a column have a value, found in its bytes: no text is made. */
import type { HexValues, TextRanges } from './text-values.ts'
import { isPresent } from './presence.ts'

/** The rows that have `value`, ascending. Ranges stand in the order of rows. */
export function rowsWithText({ source, count, rows, starts, ends }: TextRanges, value: Buffer): Uint32Array {
  if (count === 0) return new Uint32Array(0)
  const found: number[] = []
  if (value.length === 0) {
    for (let i = 0; i < count; i++) if (starts[i] === ends[i]) found.push(rows[i]!)
    return Uint32Array.from(found)
  }
  const last = ends[count - 1]!
  let i = 0
  for (let at = source.indexOf(value, starts[0]); at >= 0 && at + value.length <= last;) {
    while (i + 1 < count && starts[i + 1]! <= at) i++
    if (starts[i] === at && ends[i] === at + value.length) found.push(rows[i]!)
    at = source.indexOf(value, at + 1)
  }
  return Uint32Array.from(found)
}

/** The same of a column of hexadecimal digits; `packed` is the value as its bytes, undefined when it has another form. */
export function rowsWithHex(hex: HexValues, rowCount: number, packed: Buffer | undefined): Uint32Array {
  const { bytesPerValue, bytes, presence } = hex
  if (packed === undefined) return new Uint32Array(0)
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const ranks: number[] = []
  for (let at = source.indexOf(packed); at >= 0; at = source.indexOf(packed, at + 1)) {
    if (at % bytesPerValue === 0) ranks.push(at / bytesPerValue)
  }
  if (presence === undefined || ranks.length === 0) return Uint32Array.from(ranks)
  const found = new Uint32Array(ranks.length)
  for (let row = 0, rank = 0, next = 0; row < rowCount && next < ranks.length; row++) {
    if (!isPresent(presence, row)) continue
    if (rank++ === ranks[next]) found[next++] = row
  }
  return found
}
