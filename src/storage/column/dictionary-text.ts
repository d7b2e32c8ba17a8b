/** Few distinct values: count, packed lengths, the values back to back, then a packed code per row, 0 for absent. */
import type { ColumnMemory } from './column-memory.ts'
import { unpackCodes } from './count-cells.ts'
import { decodePackedU32, encodePackedU32, PackedU32 } from './packed-u32.ts'
import type { TextColumn, TextRanges } from './text-values.ts'
import { ByteDictionary, DICTIONARY_FULL } from '#/kernel/byte-dictionary.ts'
import type { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteWriter } from '#/kernel/byte-writer.ts'

export const MAX_DICTIONARY_VALUES = 4096
const MAX_DICTIONARY_BYTES = 256 * 1024
/** With more values than this, at least half of the rows must repeat one, or the column is not worth a dictionary. */
const FREE_VALUES = 64

/** A dictionary is made once per column; its tables are too large to allocate anew each time. */
const distinct = new ByteDictionary({ maxCount: MAX_DICTIONARY_VALUES, maxBytes: MAX_DICTIONARY_BYTES })

/** The codes of the rows and the values, valid until the next call; undefined when there are too many values. */
export function tryDictionary(
  ranges: TextRanges,
): { readonly codes: Uint32Array; readonly distinct: ByteDictionary } | undefined {
  const { rowCount, count, source, rows, starts, ends } = ranges
  distinct.clear()
  const codes = new Uint32Array(rowCount)
  for (let i = 0; i < count; i++) {
    const code = distinct.codeOf(source, starts[i]!, ends[i]!)
    if (code === DICTIONARY_FULL || (distinct.count > FREE_VALUES && distinct.count * 2 > i)) return undefined
    codes[rows[i]!] = code + 1
  }
  return { codes, distinct }
}

export function encodeDictionaryText(codes: Uint32Array, values: ByteDictionary, out: ByteWriter): void {
  out.uvarint(values.count)
  const lengths = new Uint32Array(values.count)
  for (let code = 0; code < values.count; code++) lengths[code] = values.endOf(code) - values.endOf(code - 1)
  encodePackedU32(lengths, out)
  out.bytes(values.bytes)
  encodePackedU32(codes, out)
}

export function decodeDictionaryText(reader: ByteReader, rowCount: number, memory: ColumnMemory): TextColumn {
  const count = reader.count(MAX_DICTIONARY_VALUES, 'distinct values')
  const values = Array.from(decodePackedU32(reader, count), (length) => reader.bytes(length).toString())
  const codes = unpackCodes(reader, rowCount, count)
  if (codes !== undefined) return new SmallDictionary(values, codes, memory)
  const packed = new PackedU32(reader, rowCount)
  let dictionary: TextColumn['dictionary']
  return {
    valueOf(row) {
      if (row >= rowCount) return undefined
      const code = dictionary === undefined ? packed.at(row) : dictionary.codes[row]!
      if (code > count) throw reader.corruption(`code ${code} of ${count} values`)
      return values[code - 1]
    },
    get dictionary() {
      return (dictionary ??= { codes: checkedCodes(reader, packed.all(memory), count), values })
    },
  }
}

/** One with codes of a byte. */
class SmallDictionary implements TextColumn {
  readonly smallCodes: { readonly codes: Uint8Array; readonly values: readonly string[] }
  readonly #memory: ColumnMemory
  #dictionary: TextColumn['dictionary']

  constructor(values: readonly string[], codes: Uint8Array, memory: ColumnMemory) {
    const own = memory.bytes(codes.length)
    own.set(codes)
    this.smallCodes = { codes: own, values }
    this.#memory = memory
  }

  valueOf(row: number): string | undefined {
    const { codes, values } = this.smallCodes
    return values[codes[row]! - 1]
  }

  get dictionary(): TextColumn['dictionary'] {
    if (this.#dictionary !== undefined) return this.#dictionary
    const { codes: small, values } = this.smallCodes
    const codes = this.#memory.u32(small.length)
    codes.set(small)
    return (this.#dictionary = { codes, values })
  }
}

function checkedCodes(reader: ByteReader, codes: Uint32Array, count: number): Uint32Array {
  let greatest = 0
  for (let row = 0; row < codes.length; row++) if (codes[row]! > greatest) greatest = codes[row]!
  if (greatest > count) throw reader.corruption(`code ${greatest} of ${count} values`)
  return codes
}
