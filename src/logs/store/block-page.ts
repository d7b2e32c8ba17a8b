/**
 * A block's page as a `LogPage`, in a worker thread: a column is checked against its checksum and decoded when it is first
 * used. Whatever does not fit is a `Corruption` that names the object and the column's offset in it.
 */
import { COLUMN_LENGTH, COLUMN_LINE, COLUMN_STREAM, COLUMN_TIME, metaColumn, metaNameOf } from './columns.ts'
import type { PageBytes, PageColumnBytes } from './log-block.ts'
import type { LogPage, MetaColumn } from './log-page.ts'
import { assert } from '#/kernel/assert.ts'
import { ByteReader, type ByteOrigin } from '#/kernel/byte-reader.ts'
import { crc32 } from '#/kernel/crc32.ts'
import { Corruption } from '#/kernel/errors.ts'
import { ENCODING_BYTES, isCutLines } from '#/storage/column/encoding.ts'
import { LentMemory } from '#/storage/column/column-memory.ts'
import { unsealBytesInto, unsealF64, unsealRuns, unsealU32 } from '#/storage/column/number-columns.ts'
import { spreadRuns } from '#/storage/column/runs-u32.ts'
import type { RunsU32 } from '#/storage/column/runs-u32.ts'
import { CutNumbers } from '#/storage/column/cut-numbers.ts'
import { decodeCutTexts, type CutTexts } from '#/storage/column/line-texts.ts'
import { decodeLineSlots, decodeSomeLines } from '#/storage/column/read-line-slots.ts'
import { ScratchBuffers } from '#/storage/column/scratch-buffers.ts'
import type { SealedColumn } from '#/storage/column/sealed.ts'
import { decodeTextColumn } from '#/storage/column/text-column.ts'
import type { HexValues, TextColumn } from '#/storage/column/text-values.ts'
import { unsealCells, type ValueCells } from '#/storage/column/value-cells.ts'

const MAX_PAGE_LINE_BYTES = 0xffff_ffff
/** Idle memory of a thread for lines: enough for the pages that a scan has open at a time. */
const MAX_IDLE_BYTES = 8 * 1024 * 1024
/** More rows than this part of a page are not worth leaving out the others. */
const MAX_CHOSEN_SHARE = 0.8
/** Fewer are copied one by one. */
const MAX_COPIED_SHARE = 0.05
const lineMemory = new ScratchBuffers(MAX_IDLE_BYTES)

export function decodeBlockPage(bytes: PageBytes): LogPage {
  return new BlockPage(bytes)
}

class BlockPage implements LogPage {
  readonly rowCount: number
  readonly metaNames: readonly string[]
  readonly #page: PageBytes
  readonly #meta = new Map<string, TextColumn>()
  /** Of columns but lines. */
  readonly #memory = new LentMemory()
  #stream: Uint32Array | undefined
  #runs: RunsU32 | undefined | 'unknown' = 'unknown'
  #time: Float64Array | undefined
  #lineStart: Uint32Array | undefined
  #lines: Buffer | undefined
  /** What `lines` lie in, when it can be used again. */
  #taken: Buffer | undefined
  /** The rows of which lines are wanted; undefined: all. */
  #chosen: Uint32Array | undefined
  #cut: CutTexts | undefined | 'unknown' = 'unknown'
  /** Their column is decoded twice where the cut text is read first. */
  #areLinesChecked = false
  #takenCut: Buffer | undefined
  #numbers: CutNumbers | undefined

  constructor(page: PageBytes) {
    this.#page = page
    this.rowCount = page.rowCount
    const names = page.columns.map(({ name }) => metaNameOf(name)).filter((name) => name !== undefined)
    // columns that were read because lines refer to them are nobody else's
    this.metaNames = names.filter((name) => !page.unreadMeta.includes(name))
  }

  get stream(): Uint32Array {
    const runs = this.streamRuns
    this.#stream ??= runs
      ? spreadRuns(runs)
      : this.#decode(COLUMN_STREAM, (column, origin) => unsealU32(column, this.rowCount, origin, this.#memory))
    return this.#stream
  }

  get streamRuns(): RunsU32 | undefined {
    if (this.#runs === 'unknown') {
      this.#runs = this.#decode(COLUMN_STREAM, (column, origin) => unsealRuns(column, this.rowCount, origin))
    }
    return this.#runs
  }

  get time(): Float64Array {
    this.#time ??= this.#decode(COLUMN_TIME, (column, origin) => unsealF64(column, this.rowCount, origin, this.#memory))
    return this.#time
  }

  get timeCells(): ValueCells | undefined {
    return this.#decode(COLUMN_TIME, (column, origin) => unsealCells(column, this.rowCount, origin))
  }

  get lineStart(): Uint32Array {
    this.#lineStart ??= this.#decode(COLUMN_LENGTH, (column, origin) => {
      const starts = this.#sumLengths(column, origin)
      this.#checkLines(this.#lines, starts, origin)
      return starts
    })
    return this.#lineStart
  }

  get lines(): Buffer {
    this.#lines ??= this.#decode(COLUMN_LINE, (column, origin) => {
      const isCut = isCutLines(column.encoding)
      const { raw, taken } = isCut ? this.#joinLines(column, origin) : unsealBytesInto(column, origin, lineMemory)
      this.#taken = taken
      this.#checkLines(raw, this.#lineStart, origin)
      return raw
    })
    return this.#lines
  }

  get lineBytes(): number {
    const column = this.#column(COLUMN_LINE)
    const isPlain = column.encoding === ENCODING_BYTES
    return isPlain ? column.sizeBytes : new ByteReader(this.#bytesOf(column), this.#originOf(column)).uvarint()
  }

  get cutLines(): CutTexts | undefined {
    if (this.#cut === 'unknown')
      this.#cut = this.#decode(COLUMN_LINE, (column, origin) => this.#cutLines(column, origin))
    return this.#cut
  }

  get cutNumbers(): CutNumbers | undefined {
    const texts = this.cutLines
    if (texts?.textOfRow === undefined) return undefined
    const { textOfRow } = texts
    this.#numbers ??= this.#decode(
      COLUMN_LINE,
      (column, origin) => new CutNumbers(column, { texts, textOfRow }, origin),
    )
    return this.#numbers
  }

  chooseLines(rows: Uint32Array): void {
    if (this.#lines === undefined) this.#chosen = rows.slice()
  }

  release(): void {
    this.#chosen = undefined
    if (this.#taken !== undefined) lineMemory.giveBack(this.#taken)
    if (this.#takenCut !== undefined) lineMemory.giveBack(this.#takenCut)
    this.#takenCut = undefined
    this.#cut = 'unknown'
    this.#taken = undefined
    this.#lines = undefined
  }

  close(): void {
    this.release()
    this.#meta.clear()
    this.#stream = undefined
    this.#time = undefined
    this.#lineStart = undefined
    this.#memory.giveBack()
  }

  meta(name: string): MetaColumn | undefined {
    assert(!this.#page.unreadMeta.includes(name), `metadata '${name}' of page ${this.#page.page} was read`)
    return this.#metaColumn(name)
  }

  #metaColumn(name: string): TextColumn | undefined {
    const known = this.#meta.get(name)
    if (known !== undefined) return known
    const columnName = metaColumn(name)
    if (!this.#page.columns.some((column) => column.name === columnName)) return undefined
    const decoded = this.#decode(columnName, (column, origin) =>
      decodeTextColumn(column, this.rowCount, origin, this.#memory),
    )
    this.#meta.set(name, decoded)
    return decoded
  }

  /** Lines that do not have what other columns have. */
  #joinLines(column: SealedColumn, origin: ByteOrigin): { readonly raw: Buffer; readonly taken: Buffer } {
    const values = (name: string): HexValues | undefined => this.#metaColumn(name)?.hex
    const texts = this.#cut === 'unknown' ? undefined : this.#cut
    const sources = { rowCount: this.rowCount, times: () => this.time, values, texts }
    const rows = this.#chosen
    const isPart = rows !== undefined && rows.length < this.rowCount * MAX_CHOSEN_SHARE
    const lines = isPart
      ? decodeSomeLines(column, sources, { rows, lineStart: this.lineStart }, origin)
      : decodeLineSlots(column, sources, origin)
    const taken = lineMemory.take(lines.length)
    if (isPart && rows.length < this.rowCount * MAX_COPIED_SHARE) copyLines(lines, taken, rows, this.lineStart)
    else lines.copy(taken)
    return { raw: taken.subarray(0, lines.length), taken }
  }

  #cutLines(column: SealedColumn, origin: ByteOrigin): CutTexts | undefined {
    if (!isCutLines(column.encoding)) return undefined
    const { texts, taken } = decodeCutTexts(column, this.rowCount, origin, lineMemory)
    this.#takenCut = taken
    return texts
  }

  /** Lengths and lines must fit as soon as both are decoded, whichever came first. */
  #checkLines(lines: Buffer | undefined, starts: Uint32Array | undefined, origin: ByteOrigin): void {
    if (lines === undefined || starts === undefined) return
    const expected = starts[this.rowCount]!
    if (lines.length !== expected) throw new Corruption(origin, `${lines.length} bytes of lines, not ${expected}`)
  }

  #sumLengths(column: SealedColumn, origin: ByteOrigin): Uint32Array {
    const lengths = unsealU32(column, this.rowCount, origin, this.#memory)
    const starts = this.#memory.u32(this.rowCount + 1)
    let sum = 0
    starts[0] = 0
    for (let row = 0; row < lengths.length; row++) {
      sum += lengths[row]!
      starts[row + 1] = sum
    }
    if (sum > MAX_PAGE_LINE_BYTES) throw new Corruption(origin, `lines of ${sum} bytes exceed ${MAX_PAGE_LINE_BYTES}`)
    return starts
  }

  #decode<T>(name: string, decode: (column: SealedColumn, origin: ByteOrigin) => T): T {
    const column = this.#column(name)
    const bytes = this.#bytesOf(column)
    const origin = this.#originOf(column)
    if (name !== COLUMN_LINE || !this.#areLinesChecked) checkColumn(bytes, column, origin)
    if (name === COLUMN_LINE) this.#areLinesChecked = true
    return decode({ encoding: column.encoding, bytes }, origin)
  }

  #column(name: string): PageColumnBytes {
    const column = this.#page.columns.find((candidate) => candidate.name === name)
    assert(column !== undefined, `column '${name}' of page ${this.#page.page} was read`)
    return column
  }

  #bytesOf({ offset, sizeBytes }: PageColumnBytes): Uint8Array {
    return this.#page.bytes.subarray(offset, offset + sizeBytes)
  }

  #originOf({ offset }: PageColumnBytes): ByteOrigin {
    return { file: this.#page.block, offset: this.#page.offset + offset }
  }
}

function copyLines(from: Buffer, to: Buffer, rows: Uint32Array, lineStart: Uint32Array): void {
  for (let i = 0; i < rows.length; i++)
    from.copy(to, lineStart[rows[i]!]!, lineStart[rows[i]!]!, lineStart[rows[i]! + 1]!)
}

/** @throws Corruption when `bytes` are not what was written. */
export function checkColumn(
  bytes: Uint8Array,
  column: Pick<PageColumnBytes, 'name' | 'crc32'>,
  origin: ByteOrigin,
): void {
  const found = crc32(bytes)
  if (found === column.crc32) return
  const expected = column.crc32.toString(16)
  throw new Corruption(origin, `checksum of column '${column.name}' is ${found.toString(16)}, expected ${expected}`)
}
