/**
 * The stored form of a label index (docs/formats/block-v1.md, "labels"): one column of value codes per label name, so that a
 * matcher reads the column of its name only.
 *
 *     streams uvarint · names uvarint · labels of all streams uvarint · bytes of all values uvarint
 *     name, ascending by bytes: text · values uvarint · form u8 · streams that have it uvarint ·
 *                               values part · codes part
 *     part:   encoding u8 · size uvarint · sealed bytes
 *     values: packed lengths, then the values back to back, ascending by bytes
 *     codes:  dense:  a packed code per stream: 0 without the label, else 1 + the position of the value
 *             sparse: packed steps between the ordinals that have the label, then their packed codes
 */
import { firstPairOf, valueOfPair, type CodedLabels } from './coded-labels.ts'
import type { Labels } from './label-index.ts'
import { ByteWriter } from '#/kernel/byte-writer.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'
import { ENCODING_BYTES, ENCODING_PACKED_U32 } from '#/storage/column/encoding.ts'
import { encodePackedU32 } from '#/storage/column/packed-u32.ts'
import { sealColumn } from '#/storage/column/sealed.ts'
import type { SealedColumn } from '#/storage/column/sealed.ts'

export const FORM_DENSE = 0
export const FORM_SPARSE = 1
/** A name that fewer than one in this many streams has is stored sparse. */
const SPARSE_FACTOR = 8

type NameColumn = {
  readonly name: string
  readonly codeOfValue: Map<string, number>
  /** Ascending. */
  readonly ordinals: number[]
  /** In order of arrival of the values. */
  readonly codes: number[]
}

/** The pairs of an index that were added: their columns by name, and the code of each, -1 before. */
type SeenPairs = {
  readonly coded: CodedLabels
  readonly columns: readonly NameColumn[]
  readonly codes: Int32Array
}

/** Takes streams in the order of their ordinals. */
export class LabelIndexEncoder {
  readonly #columns = new Map<string, NameColumn>()
  readonly #scratch = new ByteWriter(4096)
  #count = 0
  #labelCount = 0
  #seen: SeenPairs | undefined

  add(labels: Labels): void {
    const ordinal = this.#count++
    this.#labelCount += labels.length
    for (const [name, value] of labels) {
      const column = this.#columnOf(name)
      column.ordinals.push(ordinal)
      column.codes.push(codeOf(column, value))
    }
  }

  /** As {@link add} with the labels of stream `stream`, without a string for what was seen before. */
  addCoded(coded: CodedLabels, stream: number): void {
    if (this.#seen?.coded !== coded) this.#seen = this.#noPairs(coded)
    const { columns, codes } = this.#seen
    const ordinal = this.#count++
    const { pairs, ends, nameOfPair } = coded
    for (let i = firstPairOf(coded, stream); i < ends[stream]!; i++) {
      const pair = pairs[i]!
      const column = columns[nameOfPair[pair]!]!
      if (codes[pair]! < 0) codes[pair] = codeOf(column, valueOfPair(coded, pair))
      column.ordinals.push(ordinal)
      column.codes.push(codes[pair]!)
      this.#labelCount++
    }
  }

  #noPairs(coded: CodedLabels): SeenPairs {
    const columns = coded.names.map((name) => this.#columnOf(name))
    return { coded, columns, codes: new Int32Array(coded.nameOfPair.length).fill(-1) }
  }

  #columnOf(name: string): NameColumn {
    let column = this.#columns.get(name)
    if (column === undefined) {
      column = { name, codeOfValue: new Map(), ordinals: [], codes: [] }
      this.#columns.set(name, column)
    }
    return column
  }

  finish(): Uint8Array {
    const out = new ByteWriter(64 * 1024)
    let valueBytes = 0
    // names of an index whose streams have no rows here
    for (const [name, { ordinals }] of this.#columns) if (ordinals.length === 0) this.#columns.delete(name)
    for (const column of this.#columns.values()) {
      for (const value of column.codeOfValue.keys()) valueBytes += Buffer.byteLength(value)
    }
    out.uvarint(this.#count)
    out.uvarint(this.#columns.size)
    out.uvarint(this.#labelCount)
    out.uvarint(valueBytes)
    for (const column of [...this.#columns.values()].sort((a, b) => compareUtf8(a.name, b.name))) {
      this.#writeColumn(column, out)
    }
    return out.copy()
  }

  #writeColumn({ name, codeOfValue, ordinals, codes }: NameColumn, out: ByteWriter): void {
    const values = [...codeOfValue.keys()].sort(compareUtf8)
    const rank = new Uint32Array(values.length)
    for (const [position, value] of values.entries()) rank[codeOfValue.get(value)!] = position
    const isSparse = ordinals.length * SPARSE_FACTOR < this.#count
    out.text(name)
    out.uvarint(values.length)
    out.u8(isSparse ? FORM_SPARSE : FORM_DENSE)
    out.uvarint(ordinals.length)
    writePart(this.#sealValues(values), out)
    writePart(isSparse ? this.#sealSparse(ordinals, codes, rank) : this.#sealDense(ordinals, codes, rank), out)
  }

  #sealValues(values: readonly string[]): SealedColumn {
    const scratch = this.#scratch
    scratch.clear()
    encodePackedU32(
      Uint32Array.from(values, (value) => Buffer.byteLength(value)),
      scratch,
    )
    for (const value of values) scratch.bytes(Buffer.from(value))
    return sealColumn(ENCODING_BYTES, scratch.written)
  }

  #sealDense(ordinals: readonly number[], codes: readonly number[], rank: Uint32Array): SealedColumn {
    const dense = new Uint32Array(this.#count)
    for (let i = 0; i < ordinals.length; i++) dense[ordinals[i]!] = 1 + rank[codes[i]!]!
    this.#scratch.clear()
    encodePackedU32(dense, this.#scratch)
    return sealColumn(ENCODING_PACKED_U32, this.#scratch.written)
  }

  #sealSparse(ordinals: readonly number[], codes: readonly number[], rank: Uint32Array): SealedColumn {
    this.#scratch.clear()
    encodePackedU32(
      Uint32Array.from(ordinals, (ordinal, i) => ordinal - (ordinals[i - 1] ?? 0)),
      this.#scratch,
    )
    encodePackedU32(
      Uint32Array.from(codes, (code) => 1 + rank[code]!),
      this.#scratch,
    )
    return sealColumn(ENCODING_PACKED_U32, this.#scratch.written)
  }
}

function codeOf({ codeOfValue }: NameColumn, value: string): number {
  let code = codeOfValue.get(value)
  if (code === undefined) codeOfValue.set(value, (code = codeOfValue.size))
  return code
}

function writePart({ encoding, bytes }: SealedColumn, out: ByteWriter): void {
  out.u8(encoding)
  out.uvarint(bytes.length)
  out.bytes(bytes)
}
