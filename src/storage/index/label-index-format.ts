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
import { firstPairOf, type CodedLabels } from './coded-labels.ts'
import type { Labels } from './label-index.ts'
import { sortTexts } from './sort-texts.ts'
import { hashText } from './text-hash.ts'
import { TextTable, textStart, type TextList } from './text-table.ts'
import { asDataView } from '#/kernel/byte-reader.ts'
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

/** The pairs of an index that were added: their columns by name, and the code of each, -1 before. */
type SeenPairs = {
  readonly coded: CodedLabels
  readonly view: DataView
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
      const bytes = Buffer.from(value)
      const column = this.#columnOf(name)
      column.add(ordinal, column.codeOf(asDataView(bytes), 0, bytes.length))
    }
  }

  /** As {@link add} with the labels of stream `stream`, without a string. */
  addCoded(coded: CodedLabels, stream: number): void {
    if (this.#seen?.coded !== coded) this.#seen = this.#noPairs(coded)
    const { columns, codes, view } = this.#seen
    const ordinal = this.#count++
    const { pairs, ends, nameOfPair, valueEnds } = coded
    for (let i = firstPairOf(coded, stream); i < ends[stream]!; i++) {
      const pair = pairs[i]!
      const column = columns[nameOfPair[pair]!]!
      if (codes[pair]! < 0) codes[pair] = column.codeOf(view, pair === 0 ? 0 : valueEnds[pair - 1]!, valueEnds[pair]!)
      column.add(ordinal, codes[pair]!)
      this.#labelCount++
    }
  }

  #noPairs(coded: CodedLabels): SeenPairs {
    const columns = coded.names.map((name) => this.#columnOf(name))
    return { coded, view: asDataView(coded.values), columns, codes: new Int32Array(coded.nameOfPair.length).fill(-1) }
  }

  #columnOf(name: string): NameColumn {
    let column = this.#columns.get(name)
    if (column === undefined) this.#columns.set(name, (column = new NameColumn()))
    return column
  }

  finish(): Uint8Array {
    const out = new ByteWriter(64 * 1024)
    // names of an index whose streams have no rows here
    const columns = [...this.#columns].filter(([, { count }]) => count > 0)
    out.uvarint(this.#count)
    out.uvarint(columns.length)
    out.uvarint(this.#labelCount)
    out.uvarint(columns.reduce((sum, [, { values }]) => sum + values.size, 0))
    for (const [name, column] of columns.sort(([a], [b]) => compareUtf8(a, b))) this.#writeColumn(name, column, out)
    return out.copy()
  }

  #writeColumn(name: string, { values, count, ordinals, codes }: NameColumn, out: ByteWriter): void {
    const order = Uint32Array.from({ length: values.length }, (_, code) => code)
    sortTexts(values, order)
    const rank = new Uint32Array(order.length)
    for (let position = 0; position < order.length; position++) rank[order[position]!] = position
    const isSparse = count * SPARSE_FACTOR < this.#count
    const own = ordinals.subarray(0, count)
    const codesOfOwn = new Uint32Array(count)
    for (let i = 0; i < count; i++) codesOfOwn[i] = 1 + rank[codes[i]!]!
    out.text(name)
    out.uvarint(values.length)
    out.u8(isSparse ? FORM_SPARSE : FORM_DENSE)
    out.uvarint(count)
    writePart(this.#sealValues(values, order), out)
    writePart(isSparse ? this.#sealSparse(own, codesOfOwn) : this.#sealDense(own, codesOfOwn), out)
  }

  #sealValues(values: TextList, order: Uint32Array): SealedColumn {
    const scratch = this.#scratch
    scratch.clear()
    const lengths = new Uint32Array(order.length)
    for (let i = 0; i < order.length; i++) lengths[i] = values.ends[order[i]!]! - textStart(values, order[i]!)
    encodePackedU32(lengths, scratch)
    const sorted = new Uint8Array(values.size)
    let at = 0
    for (let i = 0; i < order.length; i++) {
      for (let from = textStart(values, order[i]!), to = values.ends[order[i]!]!; from < to; from++) {
        sorted[at++] = values.bytes[from]!
      }
    }
    scratch.bytes(sorted)
    return sealColumn(ENCODING_BYTES, scratch.written)
  }

  #sealDense(ordinals: Uint32Array, codes: Uint32Array): SealedColumn {
    const dense = new Uint32Array(this.#count)
    for (let i = 0; i < ordinals.length; i++) dense[ordinals[i]!] = codes[i]!
    this.#scratch.clear()
    encodePackedU32(dense, this.#scratch)
    return sealColumn(ENCODING_PACKED_U32, this.#scratch.written)
  }

  #sealSparse(ordinals: Uint32Array, codes: Uint32Array): SealedColumn {
    this.#scratch.clear()
    const steps = ordinals.map((ordinal, i) => ordinal - (i === 0 ? 0 : ordinals[i - 1]!))
    encodePackedU32(steps, this.#scratch)
    encodePackedU32(codes, this.#scratch)
    return sealColumn(ENCODING_PACKED_U32, this.#scratch.written)
  }
}

/** Of one label name: its values in order of arrival, and who has which. */
class NameColumn {
  count = 0
  /** Ascending, and the code of each. */
  ordinals = new Uint32Array(64)
  codes = new Uint32Array(64)
  readonly #values = new TextTable()

  get values(): TextList {
    return this.#values.texts
  }

  codeOf(view: DataView, from: number, to: number): number {
    const hash = hashText(view, from, to)
    const known = this.#values.find(hash, view, from, to)
    return known >= 0 ? known : this.#values.add(hash, view, from, to)
  }

  add(ordinal: number, code: number): void {
    if (this.count === this.ordinals.length) {
      this.ordinals = doubled(this.ordinals)
      this.codes = doubled(this.codes)
    }
    this.ordinals[this.count] = ordinal
    this.codes[this.count++] = code
  }
}

function doubled(column: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(column.length * 2)
  larger.set(column)
  return larger
}

function writePart({ encoding, bytes }: SealedColumn, out: ByteWriter): void {
  out.u8(encoding)
  out.uvarint(bytes.length)
  out.bytes(bytes)
}
