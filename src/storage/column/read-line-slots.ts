/** Lines of a page from what ./line-slots.ts has made of them: all or some. */
import { lineSlotsKernel, putTime, putTimes } from './line-slots-kernel.ts'
import { at, CONTEXTS, MAX_SLOT_BYTES, MAX_SLOT_ROWS, MAX_VALUE_BYTES } from './line-slots-memory.ts'
import { loadTexts, openSlots, passTexts, takePart, type CutTexts } from './line-texts.ts'
import { eachContext } from './number-contexts.ts'
import { decodePackedU32Into } from './packed-u32.ts'
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
  /** When {@link decodeCutTexts} has given them. */
  readonly texts?: CutTexts | undefined
}

/** Rows of which lines are wanted, ascending, and the `rowCount + 1` offsets of all lines. */
export type ChosenRows = { readonly rows: Uint32Array; readonly lineStart: Uint32Array }

const WORD = 4
const MAX_IDLE_BYTES = 1024 * 1024
/** Positions in the kernel's memory as words. */
const wordAt = {
  wanted: at.wanted / WORD,
  lineStarts: at.lineStarts / WORD,
} as const

const numberMemory = new ScratchBuffers(MAX_IDLE_BYTES)

/**
 * The lines in memory that the next use of this module overwrites.
 * @throws Corruption, naming `origin`, when the bytes are not such lines.
 */
export function decodeLineSlots(column: SealedColumn, sources: LineSources, origin: ByteOrigin): Buffer {
  const { rowCount } = sources
  const { size, columns, textEnd, hexEnd, areApart } = loadSlots(column, sources, origin)
  const kernel = lineSlotsKernel()
  const { bytes, words, decode } = kernel
  if (!putTimes(kernel, sources.times())) throw notOfOneDay(origin)
  const end = decode(textEnd, rowCount, columns, at.lines + size, hexEnd, areApart)
  if (end === 0 || !areNumbersUsed(words)) throw misfit(origin)
  return bytes.subarray(at.lines, at.lines + size)
}

/**
 * As {@link decodeLineSlots}, of the rows of `chosen` only: what stands in the places of others is not theirs. What is left out is
 * passed over at a small part of the cost.
 */
export function decodeSomeLines(
  column: SealedColumn,
  sources: LineSources,
  { rows, lineStart }: ChosenRows,
  origin: ByteOrigin,
): Buffer {
  const { rowCount } = sources
  const { size, columns, textEnd, hexEnd, areApart, textCount } = loadSlots(column, sources, origin)
  if (lineStart[rowCount] !== size) throw new Corruption(origin, `${size} bytes of lines, not ${lineStart[rowCount]}`)
  const kernel = lineSlotsKernel()
  const { bytes, words, decodeRows, listNumbers } = kernel
  const times = sources.times()
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (!putTime(kernel, row, times[row]!)) throw notOfOneDay(origin)
    words[wordAt.wanted + i] = row
    words[wordAt.lineStarts + row] = at.lines + lineStart[row]!
    words[wordAt.lineStarts + row + 1] = at.lines + lineStart[row + 1]!
  }
  listNumbers(textCount, areApart)
  const end = decodeRows(textEnd, rowCount, columns, at.lines + size, hexEnd, areApart, rows.length)
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
): {
  readonly size: number
  readonly columns: number
  readonly textCount: number
  readonly textEnd: number
  readonly hexEnd: number
  /** 1 when the contexts of numbers do not look beyond their text. */
  readonly areApart: 0 | 1
} {
  const { rowCount, texts } = sources
  const slots = openSlots(column, rowCount, origin)
  const { reader, size, names, textCount, isOnce } = slots
  const used = names.map((name) => {
    const hex = sources.values(name)
    if (hex === undefined) throw reader.corruption(`metadata '${name}' has no values to put into lines`)
    return hex
  })
  const { bytes } = lineSlotsKernel()
  putRankedValues(used, rowCount)
  const textEnd = texts === undefined ? loadTexts(slots, rowCount, origin) : passTexts(slots, texts, rowCount)
  const hexSize = unsealColumnTo(takePart(reader), origin, bytes.subarray(at.hex, at.hex + MAX_SLOT_BYTES / 2 + 1))
  const numbers = unsealColumnInto(takePart(reader), origin, numberMemory)
  decodeNumbers(new ByteReader(numbers.raw, origin))
  if (numbers.taken !== undefined) numberMemory.giveBack(numbers.taken)
  reader.end()
  return { size, columns: used.length, textCount, textEnd, hexEnd: at.hex + hexSize, areApart: isOnce ? 1 : 0 }
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

/** Puts the numbers into the kernel's memory, and where those of each context begin and end. */
function decodeNumbers(reader: ByteReader): void {
  const { words } = lineSlotsKernel()
  words.fill(0, at.counts / WORD, at.seen / WORD)
  eachContext(reader, (context, { before, count }) => {
    const end = before + count
    decodePackedU32Into(reader, words, { at: at.numbers / WORD + before, count })
    words[at.counts / WORD + context] = at.numbers + before * WORD
    words[at.firsts / WORD + context] = at.numbers + end * WORD
  })
}

function areNumbersUsed(words: Uint32Array): boolean {
  for (let context = 0; context < CONTEXTS; context++) {
    if (words[at.counts / WORD + context] !== words[at.firsts / WORD + context]) return false
  }
  return true
}
