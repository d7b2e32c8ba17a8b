/** A column of texts that rows may lack: the encoder picks one of six encodings, the decoder reads any. */
import { newMemory, type ColumnMemory } from './column-memory.ts'
import { decodeConstantText, encodeConstantText } from './constant-text.ts'
import { decodeDictionaryText, encodeDictionaryText, tryDictionary } from './dictionary-text.ts'
import {
  ENCODING_CONSTANT_TEXT,
  ENCODING_DICTIONARY_TEXT,
  ENCODING_HEX_TEXT,
  ENCODING_NUMBER_TEXT,
  ENCODING_PLAIN_TEXT,
  ENCODING_SPARSE_TEXT,
  ENCODING_ZSTD_FLAG,
} from './encoding.ts'
import { decodeHexText, encodeHexText, tryHex } from './hex-text.ts'
import { decodeNumberText, encodeNumberText, tryNumbers } from './number-text.ts'
import { decodePlainText, encodePlainText } from './plain-text.ts'
import { sealColumn, unsealColumn } from './sealed.ts'
import type { SealedColumn } from './sealed.ts'
import { decodeSparseText, encodeSparseText } from './sparse-text.ts'
import type { HexValues, TextColumn, TextRanges } from './text-values.ts'
import { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'
import { ByteWriter } from '#/kernel/byte-writer.ts'

export type SealedTextColumn = {
  readonly column: SealedColumn
  /** The one value of all rows that have one. */
  readonly constant: string | undefined
  /** Least and greatest number, when all values are decimal integers and not one constant or in a dictionary. */
  readonly range: { readonly min: number; readonly max: number } | undefined
  /** The values as bytes, when they are hexadecimal digits of one length and many. */
  readonly hex: HexValues | undefined
}

/** A name that fewer than one row in this many has costs in proportion to its values, not to the rows of the page. */
const SPARSE_FACTOR = 64

const writer = new ByteWriter(64 * 1024)

export function encodeTextColumn(ranges: TextRanges): SealedTextColumn {
  writer.clear()
  if (ranges.count * SPARSE_FACTOR < ranges.rowCount) {
    encodeSparseText(ranges, writer)
    return sealed(ENCODING_SPARSE_TEXT, {})
  }
  const found = tryDictionary(ranges)
  if (found !== undefined && found.distinct.count === 1) {
    const value = found.distinct.valueAt(0)
    encodeConstantText(ranges, value, writer)
    return sealed(ENCODING_CONSTANT_TEXT, { constant: value.toString() })
  }
  if (found !== undefined) {
    encodeDictionaryText(found.codes, found.distinct, writer)
    return sealed(ENCODING_DICTIONARY_TEXT, {})
  }
  const numbers = tryNumbers(ranges)
  if (numbers !== undefined) {
    encodeNumberText(ranges, numbers, writer)
    return sealed(ENCODING_NUMBER_TEXT, { range: rangeOf(numbers) })
  }
  const hex = tryHex(ranges)
  if (hex !== undefined) {
    encodeHexText(ranges, hex, writer)
    return sealed(ENCODING_HEX_TEXT, { hex })
  }
  encodePlainText(ranges, writer)
  return sealed(ENCODING_PLAIN_TEXT, {})
}

/** @throws Corruption, naming `origin`, when the bytes are not such a column. */
/** What is decoded is valid as long as `memory` is. */
export function decodeTextColumn(
  column: SealedColumn,
  rowCount: number,
  origin: ByteOrigin,
  memory: ColumnMemory = newMemory,
): TextColumn {
  const reader = new ByteReader(unsealColumn(column.encoding, column.bytes, origin, memory), origin)
  const decoded = decode(column.encoding & ~ENCODING_ZSTD_FLAG, reader, rowCount, memory)
  reader.end()
  return decoded
}

function decode(encoding: number, reader: ByteReader, rowCount: number, memory: ColumnMemory): TextColumn {
  switch (encoding) {
    case ENCODING_CONSTANT_TEXT:
      return decodeConstantText(reader, rowCount)
    case ENCODING_DICTIONARY_TEXT:
      return decodeDictionaryText(reader, rowCount, memory)
    case ENCODING_NUMBER_TEXT:
      return decodeNumberText(reader, rowCount)
    case ENCODING_HEX_TEXT:
      return decodeHexText(reader, rowCount)
    case ENCODING_PLAIN_TEXT:
      return decodePlainText(reader, rowCount)
    case ENCODING_SPARSE_TEXT:
      return decodeSparseText(reader, rowCount)
    default:
      throw reader.corruption(`${encoding} is not an encoding of texts`)
  }
}

function sealed(encoding: number, known: Partial<SealedTextColumn>): SealedTextColumn {
  const { constant, range, hex } = known
  return { column: sealColumn(encoding, writer.written), constant, range, hex }
}

/** Rows without a value repeat a neighbour or are 0 at the front, so the range may be wider than the values, never narrower. */
function rangeOf(numbers: Float64Array): { readonly min: number; readonly max: number } {
  let min = Infinity
  let max = -Infinity
  for (const number of numbers) {
    if (number < min) min = number
    if (number > max) max = number
  }
  return { min, max }
}
