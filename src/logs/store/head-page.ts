/** A head's raw columns as a `LogPage`: everything is read in place, nothing is copied. */
import type { LogPage, MetaColumn, RawPageColumns } from './log-page.ts'
import { MetaCursor } from './meta-cursor.ts'
import { asBuffer } from '#/kernel/byte-reader.ts'
import { rowsWithText } from '#/storage/column/find-text.ts'
import type { TextRanges } from '#/storage/column/text-values.ts'
import { ByteDictionary, DICTIONARY_FULL } from '#/kernel/byte-dictionary.ts'

/** A name with more distinct values in a head page has no dictionary. */
const MAX_DICTIONARY_VALUES = 256
const MAX_DICTIONARY_BYTES = 16 * 1024

export function openHeadPage(columns: RawPageColumns): LogPage {
  return new HeadPage(columns)
}

class HeadPage implements LogPage {
  readonly rowCount: number
  readonly stream: Uint32Array
  readonly time: Float64Array
  readonly lineStart: Uint32Array
  readonly lines: Buffer
  readonly #columns: RawPageColumns
  readonly #cursor: MetaCursor
  /** Position in the name table of each name that a row has. */
  #used: Map<string, number> | undefined
  readonly #meta = new Map<string, MetaColumn>()

  constructor(columns: RawPageColumns) {
    const { rowCount } = columns
    this.#columns = columns
    this.rowCount = rowCount
    this.stream = columns.stream.subarray(0, rowCount)
    this.time = columns.time.subarray(0, rowCount)
    this.lineStart = columns.lineStart.subarray(0, rowCount + 1)
    this.lines = asBuffer(columns.lines).subarray(0, columns.lineStart[rowCount]!)
    this.#cursor = new MetaCursor(columns.meta)
  }

  get metaNames(): readonly string[] {
    return [...this.#usedNames().keys()]
  }

  /** The memory is the ingester's. */
  release(): void {}

  meta(name: string): MetaColumn | undefined {
    const known = this.#meta.get(name)
    if (known !== undefined) return known
    const position = this.#usedNames().get(name)
    if (position === undefined) return undefined
    const column = new HeadMetaColumn(this.#columns, position)
    this.#meta.set(name, column)
    return column
  }

  /** The name table may have names that rows behind the snapshot brought. */
  #usedNames(): ReadonlyMap<string, number> {
    if (this.#used !== undefined) return this.#used
    const { metaNames, metaStart, rowCount, metaFirstUses } = this.#columns
    const end = metaStart[rowCount]!
    const isUsed = metaFirstUses ? Uint8Array.from(metaFirstUses, (at) => (at <= end ? 1 : 0)) : this.#findUsed(end)
    this.#used = new Map()
    for (const [position, name] of metaNames.entries()) if (isUsed[position] === 1) this.#used.set(name, position)
    return this.#used
  }

  /** One pass over all metadata. */
  #findUsed(end: number): Uint8Array {
    const isUsed = new Uint8Array(this.#columns.metaNames.length)
    this.#cursor.seek(this.#columns.metaStart[0]!, end)
    while (this.#cursor.next()) isUsed[this.#cursor.name] = 1
    return isUsed
  }
}

class HeadMetaColumn implements MetaColumn {
  readonly #columns: RawPageColumns
  readonly #cursor: MetaCursor
  readonly #name: number
  #dictionary: MetaColumn['dictionary'] | 'unknown' = 'unknown'
  #ranges: TextRanges | undefined

  constructor(columns: RawPageColumns, name: number) {
    this.#columns = columns
    this.#cursor = new MetaCursor(asBuffer(columns.meta))
    this.#name = name
  }

  valueOf(row: number): string | undefined {
    if (!this.#seek(row)) return undefined
    return (this.#cursor.bytes as Buffer).toString('utf8', this.#cursor.valueStart, this.#cursor.valueEnd)
  }

  get dictionary(): MetaColumn['dictionary'] {
    if (this.#dictionary === 'unknown') this.#dictionary = this.#makeDictionary()
    return this.#dictionary
  }

  get ranges(): TextRanges {
    return (this.#ranges ??= this.#findRanges())
  }

  rowsWith(value: Buffer): Uint32Array {
    return rowsWithText(this.ranges, value)
  }

  #findRanges(): TextRanges {
    const { rowCount } = this.#columns
    const [rows, starts, ends] = [new Uint32Array(rowCount), new Uint32Array(rowCount), new Uint32Array(rowCount)]
    let count = 0
    for (let row = 0; row < rowCount; row++) {
      if (!this.#seek(row)) continue
      rows[count] = row
      starts[count] = this.#cursor.valueStart
      ends[count++] = this.#cursor.valueEnd
    }
    return { rowCount, count, source: this.#cursor.bytes as Buffer, rows, starts, ends }
  }

  #makeDictionary(): MetaColumn['dictionary'] {
    const distinct = new ByteDictionary({ maxCount: MAX_DICTIONARY_VALUES, maxBytes: MAX_DICTIONARY_BYTES })
    const { rowCount } = this.#columns
    const codes = new Uint32Array(rowCount)
    for (let row = 0; row < rowCount; row++) {
      if (!this.#seek(row)) continue
      const code = distinct.codeOf(this.#cursor.bytes, this.#cursor.valueStart, this.#cursor.valueEnd)
      if (code === DICTIONARY_FULL) return undefined
      codes[row] = code + 1
    }
    const values = Array.from({ length: distinct.count }, (_, code) => distinct.valueAt(code).toString())
    return { codes, values }
  }

  #seek(row: number): boolean {
    const { metaStart } = this.#columns
    this.#cursor.seek(metaStart[row]!, metaStart[row + 1]!)
    return this.#cursor.find(this.#name)
  }
}
