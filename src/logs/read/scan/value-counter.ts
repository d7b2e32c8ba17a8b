/**
 * Counts rows of one step, and the bytes of their lines, by metadata of many values: these are told apart by their bytes, and no
 * text and no object is made of them. A series is a row of value numbers, one for each label of `by`.
 */
import { defined } from '#/kernel/assert.ts'
import { ByteTable, hashBytes } from '#/kernel/byte-table.ts'
import type { LogPage, MetaColumn } from '#/logs/store/log-page.ts'
import type { TextRanges } from '#/storage/column/text-values.ts'
import { keyNames } from '#/series/label-keys.ts'
import { grown } from './range/grow.ts'
import { isWanted, sketchBucket, type KeySketch } from './key-sketch.ts'
import {
  bucketOrder,
  nextKeyHash,
  NO_VALUE_HASH,
  KeyListWriter,
  TotalsWriter,
  type KeyedTotals,
} from './keyed-totals.ts'
import { tooManySeries } from './series-slots.ts'
import type { StreamLabels } from './stream-labels.ts'
import { TupleTable } from './tuple-table.ts'

/** Of a page of which fewer than one row in this many is wanted not all values are looked at. */
const MIN_SHARE = 16
const INITIAL_SERIES = 256
const EXPECTED_KEY_BYTES = 12

/** A table of at most this size is kept for the next job of the thread: to make one grow anew costs as much as to fill it. */
const MAX_SPARE_BYTES = 4 * 1024 * 1024
let spare: ByteTable | undefined

/** Where the rows of a class of streams have a label from: by row, or all the same. Numbers are 0 for none, else 1 + a value's. */
type Origin = { readonly numbers: Uint32Array | undefined; readonly constant: number }

export type ValueCounterOptions = {
  readonly countsBytes: boolean
  readonly maxBytes: number
  /** Rows of keys that it does not want are counted by bucket alone, as far as that saves anything. */
  readonly sketch?: KeySketch | undefined
}

/** Totals by key; as a list from a job with a sketch. Neither when no row was counted. */
export type CountedKeys = { readonly keyed?: KeyedTotals; readonly listed?: Uint8Array }

export class ValueCounter {
  readonly #names: readonly string[]
  readonly #options: ValueCounterOptions
  readonly #values = spare ?? new ByteTable()
  /** Undefined with one name: a series is a value then. */
  readonly #tuples: TupleTable | undefined
  readonly #tuple: Uint32Array
  /** By series. */
  #rows = new Float64Array(INITIAL_SERIES)
  #bytes: Float64Array | undefined
  #labels: StreamLabels | undefined
  /** By class of streams and name: the value that the streams have. */
  readonly #constants: (readonly number[] | undefined)[] = []
  /** Of the page at hand, by name. */
  #columns: readonly (Uint32Array | undefined)[] = []
  /** What the columns are in. */
  readonly #memory: Uint32Array[] = []
  /** The same by class of streams. */
  #origins: (readonly Origin[] | undefined)[] = []
  #lineStart: Uint32Array | undefined
  /** Values of the page at hand, where only one name has any: looked at one by one, when their rows are counted. */
  #ranges: TextRanges | undefined
  /** The name that has them. */
  #ranged = 0
  /** The first of them that was not counted yet. */
  #next = 0

  constructor(labels: readonly string[], options: ValueCounterOptions) {
    this.#names = keyNames(labels)
    this.#options = options
    spare = undefined
    this.#values.clear()
    this.#tuple = new Uint32Array(this.#names.length)
    this.#tuples = this.#names.length > 1 ? new TupleTable(this.#names.length) : undefined
    if (options.countsBytes) this.#bytes = new Float64Array(INITIAL_SERIES)
  }

  beginPart(labels: StreamLabels): void {
    this.#labels = labels
  }

  /**
   * Of the page, about `rows` rows will be counted. False, and nothing done, when it must be read row by row.
   * @throws EddaError beyond the memory allowed.
   */
  enter(page: LogPage, rows: number): boolean {
    if (rows * MIN_SHARE < page.rowCount || page.metaNames.some((name) => name.startsWith('__error'))) return false
    const columns = this.#names.map((name) => (page.metaNames.includes(name) ? page.meta(name) : undefined))
    if (columns.some((column) => column !== undefined && !hasBytes(column))) return false
    this.#ranged = columns.findIndex((column) => column !== undefined)
    const ranged = columns[this.#ranged]
    const isOneByOne =
      isRanges(ranged) &&
      !this.#options.countsBytes &&
      columns.every((column) => column === undefined || column === ranged)
    this.#ranges = isOneByOne ? ranged?.ranges : undefined
    this.#next = 0
    this.#columns = columns.map((column, name) =>
      column === undefined || isOneByOne ? undefined : this.#numbersOf(column, name, page.rowCount),
    )
    this.#checkMemory()
    this.#origins = []
    this.#lineStart = this.#options.countsBytes ? page.lineStart : undefined
    return true
  }

  /** Counts rows [start, end) of the page, which are of one stream, whose class is `streamClass`. */
  addRows(streamClass: number, ordinal: number, start: number, end: number): void {
    const origins = (this.#origins[streamClass] ??= this.#originsOf(streamClass, ordinal))
    if (this.#ranges !== undefined) {
      const { constant } = origins[this.#ranged]!
      if (constant === 0) return this.#addRanges(this.#ranges, origins, start, end)
      return this.#add(this.#seriesOf(origins, constant), start, end)
    }
    if (this.#tuples !== undefined) {
      for (let row = start; row < end; row++) this.#add(this.#tupleOf(this.#tuples, origins, row), row, row + 1)
      return
    }
    const { numbers, constant } = origins[0]!
    this.#makeRoom(this.#values.count + 1)
    if (numbers === undefined) return this.#add(constant, start, end)
    const rows = this.#rows
    for (let row = start; row < end; row++) rows[numbers[row]!]!++
    const lineStart = this.#lineStart
    const bytes = this.#bytes
    if (lineStart === undefined || bytes === undefined) return
    for (let row = start; row < end; row++) bytes[numbers[row]!]! += lineStart[row + 1]! - lineStart[row]!
  }

  /** Rows [start, end), which differ by the values of the page alone. */
  #addRanges(ranges: TextRanges, origins: readonly Origin[], start: number, end: number): void {
    const { count, rows, source, starts, ends } = ranges
    const { sketch } = this.#options
    let i = this.#next
    if (i > 0 && rows[i - 1]! >= start) i = 0
    while (i < count && rows[i]! < start) i++
    const first = i
    if (sketch === undefined) {
      for (; i < count && rows[i]! < end; i++) this.#addValue(origins, source, starts[i]!, ends[i]!)
    } else {
      const { wanted, rows: sums } = sketch
      const before = this.#hashOfConstants(origins, 0, this.#ranged, 0)
      const isLast = this.#ranged === origins.length - 1
      for (; i < count && rows[i]! < end; i++) {
        let hash = nextKeyHash(before, hashBytes(source, starts[i]!, ends[i]!))
        if (!isLast) hash = this.#hashOfConstants(origins, this.#ranged + 1, origins.length, hash)
        const bucket = sketchBucket(hash)
        if (isWanted(wanted, bucket)) this.#addValue(origins, source, starts[i]!, ends[i]!)
        else if (sums !== undefined) sums[bucket]!++
      }
    }
    this.#next = i
    const missing = end - start - (i - first)
    if (missing > 0) this.#add(this.#seriesOf(origins, 0), 0, missing)
  }

  /** Goes on with the hash of a key by the values that streams have of names [from, to). */
  #hashOfConstants(origins: readonly Origin[], from: number, to: number, hash: number): number {
    let next = hash
    for (let name = from; name < to; name++) {
      const { constant } = origins[name]!
      next = nextKeyHash(next, constant === 0 ? NO_VALUE_HASH : this.#values.hashOf(constant - 1))
    }
    return next
  }

  #addValue(origins: readonly Origin[], source: Uint8Array, start: number, end: number): void {
    const series = this.#seriesOf(origins, this.#values.codeOf(source, start, end) + 1)
    if (series >= this.#rows.length) this.#makeRoom(series + 1)
    this.#rows[series]!++
  }

  /** The series of rows with value `number` of the name that has ranges; streams have all others. */
  #seriesOf(origins: readonly Origin[], number: number): number {
    if (this.#tuples === undefined) return number
    for (let name = 0; name < origins.length; name++) this.#tuple[name] = origins[name]!.constant
    this.#tuple[this.#ranged] = number
    return this.#tuples.numberOf(this.#tuple)
  }

  /** Nothing may be counted afterwards. */
  finish(): CountedKeys {
    const found = this.#found()
    if (this.#values.sizeBytes <= MAX_SPARE_BYTES) spare = this.#values
    return found
  }

  #found(): CountedKeys {
    const rows = this.#rows
    const end = Math.min(this.#tuples?.count ?? this.#values.count + 1, rows.length)
    const seen = new Uint32Array(end)
    let count = 0
    for (let series = 0; series < end; series++) if (rows[series]! > 0) seen[count++] = series
    if (count === 0) return {}
    const found = seen.subarray(0, count)
    return this.#options.sketch === undefined ? { keyed: this.#totalsOf(found) } : { listed: this.#listOf(found) }
  }

  #totalsOf(seen: Uint32Array): KeyedTotals {
    const totals = this.#bytes ?? this.#rows
    const { order, buckets } = bucketOrder(seen.map((series) => this.#hashOf(series)))
    const writer = new TotalsWriter(seen.length * EXPECTED_KEY_BYTES)
    for (let i = 0; i < order.length; i++) {
      const series = seen[order[i]!]!
      writer.enter(buckets[order[i]!]!)
      for (let name = 0; name < this.#names.length; name++) this.#write(writer, this.#numberAt(series, name))
      writer.total(totals[series]!)
    }
    return writer.finish()
  }

  #listOf(seen: Uint32Array): Uint8Array {
    const totals = this.#bytes ?? this.#rows
    const writer = new KeyListWriter(seen.length * EXPECTED_KEY_BYTES)
    for (const series of seen) {
      for (let name = 0; name < this.#names.length; name++) this.#write(writer, this.#numberAt(series, name))
      writer.total(totals[series]!)
    }
    return writer.finish()
  }

  #write(writer: TotalsWriter | KeyListWriter, number: number): void {
    const values = this.#values
    if (number === 0) writer.none()
    else writer.value(values.bytes, values.startOf(number - 1), values.endOf(number - 1))
  }

  #hashOf(series: number): number {
    let hash = 0
    for (let name = 0; name < this.#names.length; name++) {
      const number = this.#numberAt(series, name)
      hash = nextKeyHash(hash, number === 0 ? NO_VALUE_HASH : this.#values.hashOf(number - 1))
    }
    return hash
  }

  /** The number of a value of a series. */
  #numberAt(series: number, name: number): number {
    return this.#tuples === undefined ? series : this.#tuples.at(series, name)
  }

  #add(series: number, start: number, end: number): void {
    this.#makeRoom(series + 1)
    this.#rows[series]! += end - start
    const lineStart = this.#lineStart
    if (this.#bytes !== undefined && lineStart !== undefined)
      this.#bytes[series]! += lineStart[end]! - lineStart[start]!
  }

  #makeRoom(series: number): void {
    if (series <= this.#rows.length) return
    this.#rows = grown(this.#rows, series)
    if (this.#bytes !== undefined) this.#bytes = grown(this.#bytes, series)
    this.#checkMemory()
  }

  #tupleOf(tuples: TupleTable, origins: readonly Origin[], row: number): number {
    const tuple = this.#tuple
    for (let name = 0; name < origins.length; name++) {
      const { numbers, constant } = origins[name]!
      tuple[name] = numbers === undefined ? constant : numbers[row]!
    }
    return tuples.numberOf(tuple)
  }

  #originsOf(streamClass: number, ordinal: number): readonly Origin[] {
    const constants = (this.#constants[streamClass] ??= this.#constantsOf(ordinal))
    // a label of the stream hides metadata of its name
    return constants.map((constant, name) => ({ constant, numbers: constant > 0 ? undefined : this.#columns[name] }))
  }

  /** An empty value of a stream's label counts as missing. */
  #constantsOf(ordinal: number): readonly number[] {
    const labels = this.#labels!.of(ordinal)
    return this.#names.map((name) => {
      const value = labels.find(([other]) => other === name)?.[1] ?? ''
      return value === '' ? 0 : this.#numberOf(Buffer.from(value))
    })
  }

  #numberOf(value: Uint8Array): number {
    return this.#values.codeOf(value, 0, value.length) + 1
  }

  /** By row. */
  #numbersOf(column: MetaColumn, name: number, rowCount: number): Uint32Array {
    const numbers = (this.#memory[name] = grown(this.#memory[name] ?? new Uint32Array(rowCount), rowCount)).fill(0)
    const { constant, dictionary } = column
    if (constant !== undefined) return numbers.fill(this.#numberOf(Buffer.from(constant)))
    if (dictionary !== undefined) {
      const ofCode = [0, ...dictionary.values.map((value) => this.#numberOf(Buffer.from(value)))]
      for (let row = 0; row < rowCount; row++) numbers[row] = ofCode[dictionary.codes[row]!]!
      return numbers
    }
    const { count, rows, source, starts, ends } = defined(column.ranges, 'values as bytes')
    for (let i = 0; i < count; i++) numbers[rows[i]!] = this.#values.codeOf(source, starts[i]!, ends[i]!) + 1
    return numbers
  }

  #checkMemory(): void {
    const { maxBytes } = this.#options
    const totalBytes = this.#rows.byteLength + (this.#bytes?.byteLength ?? 0)
    const bytes = this.#values.sizeBytes + (this.#tuples?.sizeBytes ?? 0) + totalBytes
    if (bytes > maxBytes) throw tooManySeries(this.#tuples?.count ?? this.#values.count, maxBytes)
  }
}

/** Whether a column has many values, as bytes. */
function isRanges(column: MetaColumn | undefined): boolean {
  return column !== undefined && column.constant === undefined && column.dictionary === undefined
}

function hasBytes({ constant, dictionary, ranges }: MetaColumn): boolean {
  return constant !== undefined || dictionary !== undefined || ranges !== undefined
}
