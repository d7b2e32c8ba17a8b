/** Reads a stored label index. Only the directory of names is read at once; a name's values and codes when asked for. */
import { FORM_DENSE, FORM_SPARSE } from './label-index-format.ts'
import { setPositions } from './label-index-builder.ts'
import type { Label, LabelIndex, LabelMatcher, Labels } from './label-index.ts'
import { assert } from '#/kernel/assert.ts'
import { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'
import { decodePackedU32 } from '#/storage/column/packed-u32.ts'
import { unsealColumn } from '#/storage/column/sealed.ts'

const MAX_STREAMS = 2 ** 28
/** What a JavaScript string and its place in an array cost beyond its characters. */
const STRING_OVERHEAD_BYTES = 32

export type OpenLabelIndexOptions = {
  /** Where `bytes` come from, for errors. */
  readonly origin: ByteOrigin
  /** Canonical text of labels. */
  readonly formatText: (labels: Labels) => string
}

/** @throws Corruption here or, for damage inside the part of a name, when that name is first used. */
export function openLabelIndex(bytes: Uint8Array, options: OpenLabelIndexOptions): SealedLabelIndex {
  return new SealedLabelIndex(bytes, options)
}

export class SealedLabelIndex implements LabelIndex {
  readonly count: number
  /** Bytes of memory once everything has been read, estimated from above. */
  readonly memoryBytes: number
  readonly #formatText: (labels: Labels) => string
  readonly #columns = new Map<string, NameColumn>()
  #rows: Rows | undefined

  constructor(bytes: Uint8Array, { origin, formatText }: OpenLabelIndexOptions) {
    this.#formatText = formatText
    const reader = new ByteReader(bytes, origin)
    this.count = reader.count(MAX_STREAMS, 'streams')
    const nameCount = reader.uvarint()
    const labelCount = reader.uvarint()
    const valueBytes = reader.uvarint()
    let valueCount = 0
    let codeCount = 0
    for (let i = 0; i < nameCount; i++) {
      const column = new NameColumn(reader, { streamCount: this.count, origin })
      if (this.#columns.has(column.name)) throw reader.corruption(`label name '${column.name}' occurs twice`)
      this.#columns.set(column.name, column)
      valueCount += column.valueCount
      codeCount += column.storedCodes
    }
    reader.end()
    this.memoryBytes =
      bytes.length + valueBytes + valueCount * STRING_OVERHEAD_BYTES + codeCount * 4 + labelCount * 8 + this.count * 4
  }

  labels(ordinal: number): Labels {
    assert(ordinal >= 0 && ordinal < this.count, `stream ${ordinal} is one of ${this.count}`)
    const { ends, columnOf, valueOf, columns } = this.#readRows()
    const labels: Label[] = []
    for (let i = ordinal === 0 ? 0 : ends[ordinal - 1]!; i < ends[ordinal]!; i++) {
      const column = columns[columnOf[i]!]!
      labels.push([column.name, column.values[valueOf[i]!]!])
    }
    return labels
  }

  text(ordinal: number): string {
    return this.#formatText(this.labels(ordinal))
  }

  match(matchers: readonly LabelMatcher[]): Uint32Array {
    const kept = new Uint8Array(this.count).fill(1)
    for (const matcher of matchers) {
      const column = this.#columns.get(matcher.name)
      const passesWithout = matcher.matches('') ? 1 : 0
      if (column === undefined) {
        if (passesWithout === 0) return new Uint32Array(0)
        continue
      }
      const verdicts = new Uint8Array(column.valueCount + 1)
      verdicts[0] = passesWithout
      for (const [position, value] of column.values.entries()) verdicts[position + 1] = matcher.matches(value) ? 1 : 0
      const { codes } = column
      for (let ordinal = 0; ordinal < kept.length; ordinal++) kept[ordinal]! &= verdicts[codes[ordinal]!]!
    }
    return setPositions(kept)
  }

  names(ordinals: Uint32Array | undefined): readonly string[] {
    if (ordinals === undefined) return [...this.#columns.keys()]
    const { ends, columnOf, columns } = this.#readRows()
    const isUsed = new Uint8Array(columns.length)
    for (const ordinal of ordinals) {
      for (let i = ordinal === 0 ? 0 : ends[ordinal - 1]!; i < ends[ordinal]!; i++) isUsed[columnOf[i]!] = 1
    }
    return columns.filter((_, position) => isUsed[position] === 1).map(({ name }) => name)
  }

  values(name: string, ordinals: Uint32Array | undefined): readonly string[] {
    const column = this.#columns.get(name)
    if (column === undefined) return []
    if (ordinals === undefined) return column.values
    const isUsed = new Uint8Array(column.valueCount + 1)
    const { codes } = column
    for (const ordinal of ordinals) isUsed[codes[ordinal]!] = 1
    return column.values.filter((_, position) => isUsed[position + 1] === 1)
  }

  #readRows(): Rows {
    this.#rows ??= makeRows([...this.#columns.values()], this.count)
    return this.#rows
  }
}

/** One label name; its parts are decoded on first use. */
class NameColumn {
  readonly name: string
  readonly valueCount: number
  readonly #streamCount: number
  readonly #form: number
  readonly #owners: number
  readonly #valuesPart: Part
  readonly #codesPart: Part
  #values: readonly string[] | undefined
  #dense: Uint32Array | undefined
  #sparse: SparseCodes | undefined

  constructor(reader: ByteReader, block: { readonly streamCount: number; readonly origin: ByteOrigin }) {
    this.#streamCount = block.streamCount
    this.name = reader.text()
    this.valueCount = reader.count(block.streamCount, 'values')
    this.#form = reader.u8()
    if (this.#form > FORM_SPARSE) throw reader.corruption(`form ${this.#form} of label '${this.name}'`)
    this.#owners = reader.count(block.streamCount, 'streams of a label')
    this.#valuesPart = readPart(reader, block.origin)
    this.#codesPart = readPart(reader, block.origin)
  }

  /** Ascending. */
  get values(): readonly string[] {
    if (this.#values === undefined) {
      const reader = openPart(this.#valuesPart)
      const lengths = decodePackedU32(reader, this.valueCount)
      this.#values = Array.from(lengths, (length) => reader.bytes(length).toString())
      reader.end()
    }
    return this.#values
  }

  /** Codes that stay in memory once they have been read. */
  get storedCodes(): number {
    return this.#form === FORM_DENSE ? this.#streamCount : this.#owners * 2
  }

  /** By ordinal: 0 without the label, else 1 + the position of the value. */
  get codes(): Uint32Array {
    if (this.#form === FORM_DENSE) return this.#readDense()
    const { ordinals, codes } = this.#readSparse()
    const spread = new Uint32Array(this.#streamCount)
    for (let i = 0; i < ordinals.length; i++) spread[ordinals[i]!] = codes[i]!
    return spread
  }

  /** Visits the streams that have the label, ascending, with their codes. */
  eachOwner(visit: (ordinal: number, code: number) => void): void {
    if (this.#form === FORM_DENSE) {
      for (const [ordinal, code] of this.#readDense().entries()) if (code !== 0) visit(ordinal, code)
      return
    }
    const { ordinals, codes } = this.#readSparse()
    for (let i = 0; i < ordinals.length; i++) visit(ordinals[i]!, codes[i]!)
  }

  #readDense(): Uint32Array {
    if (this.#dense !== undefined) return this.#dense
    const reader = openPart(this.#codesPart)
    const codes = decodePackedU32(reader, this.#streamCount)
    reader.end()
    for (const code of codes) if (code > this.valueCount) throw reader.corruption(`code ${code} of ${this.valueCount}`)
    this.#dense = codes
    return codes
  }

  #readSparse(): SparseCodes {
    if (this.#sparse !== undefined) return this.#sparse
    const reader = openPart(this.#codesPart)
    const ordinals = decodePackedU32(reader, this.#owners)
    const codes = decodePackedU32(reader, this.#owners)
    reader.end()
    for (let i = 0, ordinal = 0; i < ordinals.length; i++) {
      ordinal += ordinals[i]!
      ordinals[i] = ordinal
      if (ordinal >= this.#streamCount) throw reader.corruption(`stream ${ordinal} of ${this.#streamCount}`)
      if (codes[i] === 0 || codes[i]! > this.valueCount)
        throw reader.corruption(`code ${codes[i]} of ${this.valueCount}`)
    }
    this.#sparse = { ordinals, codes }
    return this.#sparse
  }
}

type SparseCodes = { readonly ordinals: Uint32Array; readonly codes: Uint32Array }

/** The labels of each stream, by stream: entries of stream i are `[ends[i - 1] ?? 0, ends[i])`, in order of their names. */
type Rows = {
  readonly ends: Uint32Array
  readonly columnOf: Uint32Array
  readonly valueOf: Uint32Array
  readonly columns: readonly NameColumn[]
}

function makeRows(columns: readonly NameColumn[], count: number): Rows {
  const next = new Uint32Array(count + 1)
  for (const column of columns) column.eachOwner((ordinal) => next[ordinal + 1]!++)
  for (let i = 1; i <= count; i++) next[i]! += next[i - 1]!
  const columnOf = new Uint32Array(next[count]!)
  const valueOf = new Uint32Array(next[count]!)
  for (const [position, column] of columns.entries()) {
    column.eachOwner((ordinal, code) => {
      const at = next[ordinal]!++
      columnOf[at] = position
      valueOf[at] = code - 1
    })
  }
  // each start has moved to its end, which is where the next stream begins
  return { ends: next.subarray(0, count), columnOf, valueOf, columns }
}

type Part = { readonly encoding: number; readonly bytes: Uint8Array; readonly origin: ByteOrigin }

function readPart(reader: ByteReader, origin: ByteOrigin): Part {
  const encoding = reader.u8()
  const size = reader.uvarint()
  const offset = origin.offset + reader.position
  return { encoding, bytes: reader.bytes(size), origin: { file: origin.file, offset } }
}

function openPart({ encoding, bytes, origin }: Part): ByteReader {
  return new ByteReader(unsealColumn(encoding, bytes, origin), origin)
}
