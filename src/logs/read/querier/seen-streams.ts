/**
 * Streams of several sources, each kept once: as numbers of its labels, which are the same for all sources. A value is looked up once
 * for each source, not for each stream that has it, and a stream makes no object.
 */
import { asDataView } from '#/kernel/byte-reader.ts'
import { firstPairOf, type CodedLabels } from '#/storage/index/coded-labels.ts'
import type { Label, LabelColumn, LabelIndex, Labels } from '#/storage/index/label-index.ts'
import { PairTable, type Source } from '#/storage/index/pair-table.ts'
import type { Pace } from './pace.ts'

const FIRST_SLOTS = 1024

/** Writes the numbers of the labels of a stream of the source at hand to a row; returns how many there are. */
type RowReader = (stream: number, row: Uint32Array) => number

export class SeenStreams {
  count = 0
  /** Labels by number. */
  readonly #labels = new PairTable()
  readonly #made: Label[] = []
  #readRow: RowReader = () => 0
  #row = new Uint32Array(64)
  /** Rows of all streams, one behind the other, and where each ends. */
  #rows = new Uint32Array(FIRST_SLOTS * 4)
  #ends = new Uint32Array(FIRST_SLOTS / 2)
  #hashes = new Uint32Array(FIRST_SLOTS / 2)
  /** 1 + the number of a stream, 0 where the slot is free. At most half are taken. */
  #slots = new Uint32Array(FIRST_SLOTS)

  /** Bytes of shared memory. */
  get sharedBytes(): number {
    return this.#labels.memoryBytes
  }

  /** Those that follow are streams of this index, by their place in `ordinals`; undefined: all. */
  begin(index: LabelIndex, ordinals: Uint32Array | undefined): void {
    const columns = index.columnsOf?.(ordinals)
    this.#readRow =
      columns === undefined ? this.#readerOfCoded(index.coded(), ordinals) : this.#readerOfColumns(columns)
    const most = columns?.length ?? index.names(undefined).length
    if (most > this.#row.length) this.#row = new Uint32Array(most)
  }

  /** Keeps a stream; whether there is no other with the same labels. */
  add(stream: number): boolean {
    const row = this.#row
    const length = this.#readRow(stream, row)
    let hash = length
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) + Math.imul(row[i]!, 0x9e3779b1)
    hash = (hash ^ (hash >>> 16)) >>> 0
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const other = this.#slots[slot]! - 1
      if (this.#hashes[other] === hash && this.#isRow(other, length)) return false
    }
    this.#slots[slot] = this.count + 1
    this.#keep(hash, length)
    return true
  }

  /** By their numbers, in the order in which they were added. */
  labelsOf(number: number): Labels {
    const labels: Label[] = []
    for (let i = this.#startOf(number); i < this.#ends[number]!; i++) {
      const label = this.#rows[i]!
      labels.push((this.#made[label] ??= [this.#labels.nameOf(label), this.#labels.valueOf(label)]))
    }
    return labels
  }

  #readerOfColumns(columns: readonly LabelColumn[]): RowReader {
    const numbers = columns.map((column) => this.#numberColumn(column))
    return (stream, row) => {
      let length = 0
      for (let i = 0; i < numbers.length; i++) {
        const number = numbers[i]![stream]!
        if (number > 0) row[length++] = number - 1
      }
      return length
    }
  }

  /** By stream 1 + the number of its label, 0 where it has none. */
  #numberColumn({ name, codes, values: { bytes, ends } }: LabelColumn): Uint32Array {
    const position = this.#labels.addName(name)
    const source = { bytes, view: asDataView(bytes) }
    const known = new Uint32Array(ends.length + 1)
    const numbers = new Uint32Array(codes.length)
    for (let stream = 0; stream < codes.length; stream++) {
      const code = codes[stream]!
      if (code === 0) continue
      let number = known[code]!
      if (number === 0) {
        number = 1 + this.#labels.add(position, source, code === 1 ? 0 : ends[code - 2]!, ends[code - 1]!)
        known[code] = number
      }
      numbers[stream] = number
    }
    return numbers
  }

  #readerOfCoded(coded: CodedLabels, ordinals: Uint32Array | undefined): RowReader {
    const { pairs, ends, names, nameOfPair, values, valueEnds } = coded
    const positions = names.map((name) => this.#labels.addName(name))
    const source: Source = { bytes: values, view: asDataView(values) }
    const known = new Uint32Array(nameOfPair.length)
    return (stream, row) => {
      const ordinal = ordinals === undefined ? stream : ordinals[stream]!
      let length = 0
      for (let i = firstPairOf(coded, ordinal); i < ends[ordinal]!; i++) {
        const pair = pairs[i]!
        const start = pair === 0 ? 0 : valueEnds[pair - 1]!
        known[pair] ||= 1 + this.#labels.add(positions[nameOfPair[pair]!]!, source, start, valueEnds[pair]!)
        row[length++] = known[pair]! - 1
      }
      return length
    }
  }

  #startOf(number: number): number {
    return number === 0 ? 0 : this.#ends[number - 1]!
  }

  /** Whether stream `number` has the labels in `#row`. */
  #isRow(number: number, length: number): boolean {
    const start = this.#startOf(number)
    if (this.#ends[number]! - start !== length) return false
    for (let i = 0; i < length; i++) if (this.#rows[start + i] !== this.#row[i]) return false
    return true
  }

  #keep(hash: number, length: number): void {
    const start = this.#startOf(this.count)
    if (start + length > this.#rows.length) this.#rows = grown(this.#rows)
    for (let i = 0; i < length; i++) this.#rows[start + i] = this.#row[i]!
    this.#ends[this.count] = start + length
    this.#hashes[this.count] = hash
    this.count++
    if (this.count === this.#ends.length) this.#grow()
  }

  #grow(): void {
    this.#ends = grown(this.#ends)
    this.#hashes = grown(this.#hashes)
    this.#slots = new Uint32Array(this.#slots.length * 2)
    const mask = this.#slots.length - 1
    for (let number = 0; number < this.count; number++) {
      let slot = this.#hashes[number]! & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = number + 1
    }
  }
}

/** Adds streams of an index (all when undefined), and rests where that takes long. */
export async function addStreams(
  seen: SeenStreams,
  index: LabelIndex,
  ordinals: Uint32Array | undefined,
  pace: Pace,
): Promise<void> {
  const count = ordinals?.length ?? index.count
  seen.begin(index, ordinals)
  for (let stream = 0; stream < count; stream++) {
    if (pace.isTired()) await pace.rest()
    seen.add(stream)
  }
}

/** Twice as long. */
function grown(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2)
  larger.set(array)
  return larger
}
