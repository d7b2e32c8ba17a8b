/**
 * Lines of a page from what ./line-slots.ts has made of them: all, some, or the text that is left of them.
 */
import { lineSlotsKernel, putTime, putTimes } from './line-slots-kernel.ts'
import {
  at,
  CONTEXTS,
  MAX_SLOT_BYTES,
  MAX_SLOT_NUMBERS,
  MAX_SLOT_ROWS,
  MAX_VALUE_BYTES,
  MAX_VALUE_COLUMNS,
} from './line-slots-memory.ts'
import { decodePackedU32, decodePackedU32Into } from './packed-u32.ts'
import { ScratchBuffers } from './scratch-buffers.ts'
import { unsealColumnInto, unsealColumnTo } from './sealed.ts'
import type { SealedColumn } from './sealed.ts'
import type { HexValues } from './text-values.ts'
import { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'
import { Corruption } from '#/kernel/errors.ts'

/** What {@link decodeLineSlots} needs of the page's other columns. */
export type LineSources = {
  readonly rowCount: number
  readonly times: () => Float64Array
  /** Values of a metadata column. */
  readonly values: (name: string) => HexValues | undefined
  /** The column's text, when {@link decodeCutText} has given it, and what {@link cutTextStarts} says of it. */
  readonly text?: Buffer | undefined
  readonly textStart?: Uint32Array | undefined
}

/** Rows of which lines are wanted, ascending, and the `rowCount + 1` offsets of all lines. */
export type ChosenRows = { readonly rows: Uint32Array; readonly lineStart: Uint32Array }

const WORD = 4
const MAX_IDLE_BYTES = 1024 * 1024
/** Positions in the kernel's memory as words. */
const wordAt = {
  wanted: at.wanted / WORD,
  textStarts: at.textStarts / WORD,
  lineStarts: at.lineStarts / WORD,
} as const

const numberMemory = new ScratchBuffers(MAX_IDLE_BYTES)
/**
 * The lines in memory that the next use of this module overwrites.
 * @throws Corruption, naming `origin`, when the bytes are not such lines.
 */
export function decodeLineSlots(column: SealedColumn, sources: LineSources, origin: ByteOrigin): Buffer {
  const { rowCount } = sources
  const { size, columns, textEnd, hexEnd } = loadSlots(column, sources, origin)
  const kernel = lineSlotsKernel()
  const { bytes, words, decode } = kernel
  if (!putTimes(kernel, sources.times())) throw notOfOneDay(origin)
  const end = decode(textEnd, rowCount, columns, at.lines + size, hexEnd)
  if (end === 0 || !areNumbersUsed(words)) throw misfit(origin)
  return bytes.subarray(at.lines, at.lines + size)
}

/**
 * As {@link decodeLineSlots}, of the rows of `chosen` only: what stands in the places of others is not theirs. What is left out is
 * passed over at some half of the cost.
 */
export function decodeSomeLines(
  column: SealedColumn,
  sources: LineSources,
  { rows, lineStart }: ChosenRows,
  origin: ByteOrigin,
): Buffer {
  const { rowCount } = sources
  const { size, columns, textEnd, hexEnd } = loadSlots(column, sources, origin)
  if (lineStart[rowCount] !== size) throw new Corruption(origin, `${size} bytes of lines, not ${lineStart[rowCount]}`)
  const kernel = lineSlotsKernel()
  const { bytes, words, decodeRows } = kernel
  const textStart = sources.textStart ?? findStarts(textEnd, rows.length === 0 ? 0 : rows.at(-1)!, origin)
  const times = sources.times()
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (!putTime(kernel, row, times[row]!)) throw notOfOneDay(origin)
    words[wordAt.wanted + i] = row
    words[wordAt.textStarts + row] = at.text + textStart[row]!
    words[wordAt.lineStarts + row] = at.lines + lineStart[row]!
    words[wordAt.lineStarts + row + 1] = at.lines + lineStart[row + 1]!
  }
  const end = decodeRows(textEnd, rowCount, columns, at.lines + size, hexEnd, rows.length)
  if (end === 0 && rows.length > 0) throw misfit(origin)
  return bytes.subarray(at.lines, at.lines + size)
}

function notOfOneDay(origin: ByteOrigin): Corruption {
  return new Corruption(origin, 'times are not of one day')
}

function misfit(origin: ByteOrigin): Corruption {
  return new Corruption(origin, 'text, numbers and rows of lines do not fit')
}

/** Puts all but times into the kernel's memory. */
function loadSlots(
  column: SealedColumn,
  sources: LineSources,
  origin: ByteOrigin,
): { readonly size: number; readonly columns: number; readonly textEnd: number; readonly hexEnd: number } {
  const { rowCount, text } = sources
  const { reader, size, names } = openSlots(column, rowCount, origin)
  const used = names.map((name) => {
    const hex = sources.values(name)
    if (hex === undefined) throw reader.corruption(`metadata '${name}' has no values to put into lines`)
    return hex
  })
  const { bytes } = lineSlotsKernel()
  putRankedValues(used, rowCount)
  const textPart = takePart(reader)
  const textSize = text === undefined ? unsealText(textPart, origin) : putText(text)
  const hexSize = unsealColumnTo(takePart(reader), origin, bytes.subarray(at.hex, at.hex + MAX_SLOT_BYTES / 2 + 1))
  const numbers = unsealColumnInto(takePart(reader), origin, numberMemory)
  decodeNumbers(new ByteReader(numbers.raw, origin))
  if (numbers.taken !== undefined) numberMemory.giveBack(numbers.taken)
  reader.end()
  return { size, columns: used.length, textEnd: at.text + textSize, hexEnd: at.hex + hexSize }
}

/**
 * The text that is left of the lines, row by row; what may be searched in it: ./cut-text.ts. It lies in `taken`, which came from
 * `memory` and may be given back to it, or, when that is undefined, in the column itself.
 * @throws Corruption, naming `origin`, when the bytes are not such lines.
 */
export function decodeCutText(
  column: SealedColumn,
  rowCount: number,
  origin: ByteOrigin,
  memory: ScratchBuffers,
): { readonly raw: Buffer; readonly taken: Buffer | undefined } {
  const { reader } = openSlots(column, rowCount, origin)
  const unsealed = unsealColumnInto(takePart(reader), origin, memory)
  const { length } = unsealed.raw
  if (length > MAX_SLOT_BYTES) throw reader.corruption(`text of ${length} bytes exceeds ${MAX_SLOT_BYTES}`)
  return unsealed
}

/** `rowCount + 1` offsets into a cut text. @throws Corruption, naming `origin`, when it has not that many rows. */
export function cutTextStarts(text: Buffer, rowCount: number, origin: ByteOrigin): Uint32Array {
  const { words, rowStarts } = lineSlotsKernel()
  const found = rowStarts(at.text + putText(text), rowCount)
  if (found !== rowCount) throw new Corruption(origin, `text of lines has ${found} rows, not ${rowCount}`)
  return startsOf(words, rowCount)
}

/** Offsets of the first `rows` rows of the text in the kernel's memory and of what is behind them, when there are so many. */
function findStarts(textEnd: number, rows: number, origin: ByteOrigin): Uint32Array {
  const { words, rowStarts } = lineSlotsKernel()
  if (rowStarts(textEnd, rows) < rows) throw misfit(origin)
  return startsOf(words, rows)
}

function startsOf(words: Uint32Array, rows: number): Uint32Array {
  const starts = new Uint32Array(rows + 1)
  starts.set(words.subarray(at.lineEnds / WORD, at.lineEnds / WORD + rows), 1)
  return starts
}

function openSlots(
  column: SealedColumn,
  rowCount: number,
  origin: ByteOrigin,
): { readonly reader: ByteReader; readonly size: number; readonly names: readonly string[] } {
  const reader = new ByteReader(column.bytes, origin)
  const size = reader.count(MAX_SLOT_BYTES, 'bytes of lines')
  if (rowCount > MAX_SLOT_ROWS) throw reader.corruption(`${rowCount} rows exceed ${MAX_SLOT_ROWS}`)
  const names = Array.from({ length: reader.count(MAX_VALUE_COLUMNS, 'metadata columns') }, () => reader.text())
  return { reader, size, names }
}

/** Puts a text into the kernel's memory, unless it is there already; returns its size. */
function putText(text: Buffer): number {
  const kernel = lineSlotsKernel()
  if (text !== kernel.text) text.copy(kernel.bytes, at.text)
  kernel.text = text
  return text.length
}

/** The same with a text that is sealed. */
function unsealText(sealed: SealedColumn, origin: ByteOrigin): number {
  const kernel = lineSlotsKernel()
  kernel.text = undefined
  return unsealColumnTo(sealed, origin, kernel.bytes.subarray(at.text, at.text + MAX_SLOT_BYTES + 1))
}

/** Values one behind the other as they are stored, and for each row which one is its own. */
function putRankedValues(used: readonly HexValues[], rowCount: number): void {
  const { bytes, words } = lineSlotsKernel()
  for (const [i, { bytesPerValue, bytes: values, presence }] of used.entries()) {
    const from = at.values + i * MAX_SLOT_ROWS * MAX_VALUE_BYTES
    const ranks = at.ranks + i * MAX_SLOT_ROWS * WORD
    words[at.valueTable / WORD + 2 * i] = from
    words[at.valueTable / WORD + 2 * i + 1] = bytesPerValue
    words[at.ranksTable / WORD + 2 * i] = presence === undefined ? 0 : ranks
    bytes.set(values, from)
    if (presence !== undefined) putRanks(presence, words.subarray(ranks / WORD, ranks / WORD + rowCount))
  }
}

function putRanks(presence: Uint8Array, ranks: Uint32Array): void {
  let rank = 0
  for (let row = 0; row < ranks.length; row++) {
    ranks[row] = rank
    rank += (presence[row >>> 3]! >>> (row & 7)) & 1
  }
}

function takePart(reader: ByteReader): SealedColumn {
  const encoding = reader.u8()
  return { encoding, bytes: reader.bytes(reader.uvarint()) }
}

/** Puts the numbers into the kernel's memory, and where those of each context begin and end. */
function decodeNumbers(reader: ByteReader): void {
  const { words } = lineSlotsKernel()
  words.fill(0, at.counts / WORD, at.seen / WORD)
  const count = reader.count(CONTEXTS, 'contexts')
  const steps = decodePackedU32(reader, count)
  const counts = decodePackedU32(reader, count)
  let context = 0
  let from = 0
  for (let i = 0; i < count; i++) {
    context += steps[i]!
    if (context >= CONTEXTS) throw reader.corruption(`context ${context} of ${CONTEXTS}`)
    const to = from + counts[i]!
    if (to > MAX_SLOT_NUMBERS) throw reader.corruption(`${to} numbers exceed ${MAX_SLOT_NUMBERS}`)
    decodePackedU32Into(reader, words, { at: at.numbers / WORD + from, count: counts[i]! })
    words[at.counts / WORD + context] = at.numbers + from * WORD
    words[at.firsts / WORD + context] = at.numbers + to * WORD
    from = to
  }
  reader.end()
}

function areNumbersUsed(words: Uint32Array): boolean {
  for (let context = 0; context < CONTEXTS; context++) {
    if (words[at.counts / WORD + context] !== words[at.firsts / WORD + context]) return false
  }
  return true
}
