/**
 * Lines of a page without what varies from line to line. Numbers, hexadecimal ids, the row's own time and values that its metadata
 * has too are cut out; the text that stays is much the same in every line, so that zstd makes little of it, fast both ways. Numbers
 * stand in columns by what comes before them, bit-packed; ids as bytes; time and metadata are not stored a second time.
 *
 *     size of the lines uvarint · metadata columns referred to uvarint · name text … · text part · hex part · numbers part
 *     part: encoding u8 · size uvarint · bytes as of a column
 *     numbers: contexts uvarint · steps between them packed-u32 · numbers of each packed-u32 · for each its numbers packed-u32
 *
 * ./line-slots-kernel.ts has the operations in the text and the loops that cut and put together.
 */
import { ENCODING_BYTES, ENCODING_LINE_SLOTS } from './encoding.ts'
import { spreadHex } from './hex-text.ts'
import { lineSlotsKernel } from './line-slots-kernel.ts'
import {
  at,
  CONTEXTS,
  MAX_SLOT_BYTES,
  MAX_SLOT_NUMBERS,
  MAX_SLOT_ROWS,
  MAX_VALUE_BYTES,
  MAX_VALUE_COLUMNS,
} from './line-slots-memory.ts'
import { decodePackedU32, encodePackedU32 } from './packed-u32.ts'
import type { ScratchBuffers } from './scratch-buffers.ts'
import { sealColumn, unsealColumn, unsealColumnInto, unsealColumnTo } from './sealed.ts'
import type { SealedColumn } from './sealed.ts'
import type { HexValues } from './text-values.ts'
import { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'
import { ByteWriter } from '#/kernel/byte-writer.ts'
import { Corruption } from '#/kernel/errors.ts'

export type LinesToCut = {
  /** Back to back. */
  readonly lines: Uint8Array
  readonly lengths: Uint32Array
  /** Nanoseconds since midnight of each row. */
  readonly times: Float64Array
  /** Metadata of the same rows; the first few are used. */
  readonly values: readonly { readonly name: string; readonly hex: HexValues }[]
}

/** What {@link decodeLineSlots} needs of the page's other columns. */
export type LineSources = {
  readonly rowCount: number
  readonly times: () => Float64Array
  /** Values of a metadata column. */
  readonly values: (name: string) => HexValues | undefined
  /** The column's text, when {@link decodeCutText} has given it. */
  readonly text?: Buffer | undefined
}

/** Fewer bytes of lines are not worth the parts. */
const MIN_BYTES = 1024
/** The text must be shorter than this part of the lines. */
const MAX_TEXT_SHARE = 15 / 16
const NS_PER_MS = 1e6
const MS_PER_DAY = 86_400_000
const WORD = 4

const writer = new ByteWriter(64 * 1024)
const part = new ByteWriter(64 * 1024)

/** Undefined when the lines do not gain by it. */
export function encodeLineSlots(input: LinesToCut): SealedColumn | undefined {
  const { lines, lengths, values } = input
  if (lines.length < MIN_BYTES || lines.length > MAX_SLOT_BYTES || lengths.length > MAX_SLOT_ROWS) return undefined
  const kernel = lineSlotsKernel()
  const { bytes, words } = kernel
  const used = values.filter(({ hex }) => !hex.isUuid).slice(0, MAX_VALUE_COLUMNS)
  bytes.set(lines, at.lines)
  let end = at.lines
  for (let row = 0; row < lengths.length; row++) words[at.lineEnds / WORD + row] = end += lengths[row]!
  if (!putTimes(words, input.times)) return undefined
  putValues(used, lengths.length)
  words.fill(0, at.counts / WORD, at.rowMs / WORD)
  const mostText = Math.floor(lines.length * MAX_TEXT_SHARE)
  const textEnd = kernel.encode(lengths.length, used.length, at.text + mostText)
  if (textEnd === 0) return undefined
  const numberCount = words[at.results / WORD]!
  const hexEnd = words[at.results / WORD + 1]!
  writer.clear()
  writer.uvarint(lines.length)
  writer.uvarint(used.length)
  for (const { name } of used) writer.text(name)
  putPart(bytes.subarray(at.text, textEnd))
  putPart(bytes.subarray(at.hex, hexEnd))
  encodeNumbers(numberCount)
  putPart(part.written)
  return { encoding: ENCODING_LINE_SLOTS, bytes: writer.copy() }
}

/**
 * The lines in memory that the next use of this module overwrites.
 * @throws Corruption, naming `origin`, when the bytes are not such lines.
 */
export function decodeLineSlots(column: SealedColumn, sources: LineSources, origin: ByteOrigin): Buffer {
  const { rowCount, text } = sources
  const { reader, size, names } = openSlots(column, rowCount, origin)
  const used = names.map((name) => {
    const hex = sources.values(name)
    if (hex === undefined) throw reader.corruption(`metadata '${name}' has no values to put into lines`)
    return { name, hex }
  })
  const times = sources.times()
  const { bytes, words, decode } = lineSlotsKernel()
  putValues(used, rowCount)
  if (!putTimes(words, times)) throw reader.corruption('times are not of one day')
  const textPart = takePart(reader)
  const textSize = text === undefined ? unsealText(textPart, origin) : text.copy(bytes, at.text)
  const hexSize = unsealColumnTo(takePart(reader), origin, bytes.subarray(at.hex, at.hex + MAX_SLOT_BYTES / 2 + 1))
  const numbers = takePart(reader)
  decodeNumbers(new ByteReader(unsealColumn(numbers.encoding, numbers.bytes, origin), origin))
  reader.end()
  const end = decode(at.text + textSize, rowCount, used.length, at.lines + size, at.hex + hexSize)
  if (end === 0 || !areNumbersUsed(words)) throw reader.corruption('text, numbers and rows of lines do not fit')
  return bytes.subarray(at.lines, at.lines + size)
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
  const { bytes, words, rowStarts } = lineSlotsKernel()
  text.copy(bytes, at.text)
  const found = rowStarts(at.text + text.length, rowCount)
  if (found !== rowCount) throw new Corruption(origin, `text of lines has ${found} rows, not ${rowCount}`)
  const starts = new Uint32Array(rowCount + 1)
  starts.set(words.subarray(at.lineEnds / WORD, at.lineEnds / WORD + rowCount), 1)
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

/** Puts the text into the kernel's memory; returns its size. */
function unsealText(sealed: SealedColumn, origin: ByteOrigin): number {
  const { bytes } = lineSlotsKernel()
  return unsealColumnTo(sealed, origin, bytes.subarray(at.text, at.text + MAX_SLOT_BYTES + 1))
}

/** False when a time is not of the day. */
function putTimes(words: Uint32Array, times: Float64Array): boolean {
  const first = at.rowMs / WORD
  for (let row = 0; row < times.length; row++) {
    const ms = Math.floor(times[row]! / NS_PER_MS)
    if (!(ms >= 0 && ms < MS_PER_DAY)) return false
    words[first + row] = ms
  }
  return true
}

function putValues(used: LinesToCut['values'], rowCount: number): void {
  const { bytes, words } = lineSlotsKernel()
  let from = at.values
  for (const [i, { hex }] of used.entries()) {
    words[at.valueTable / WORD + 2 * i] = from
    words[at.valueTable / WORD + 2 * i + 1] = hex.bytesPerValue
    spreadHex(hex, rowCount, bytes.subarray(from, from + rowCount * hex.bytesPerValue))
    from += MAX_SLOT_ROWS * MAX_VALUE_BYTES
  }
}

function putPart(raw: Uint8Array): void {
  const { encoding, bytes } = sealColumn(ENCODING_BYTES, raw)
  writer.u8(encoding)
  writer.uvarint(bytes.length)
  writer.bytes(bytes)
}

function takePart(reader: ByteReader): SealedColumn {
  const encoding = reader.u8()
  return { encoding, bytes: reader.bytes(reader.uvarint()) }
}

/** Sorts the kernel's numbers by context, keeping their order within each, and encodes them into `part`. */
function encodeNumbers(count: number): void {
  const { bytes, words } = lineSlotsKernel()
  const contexts = new Uint16Array(bytes.buffer, at.contexts, count)
  const counts = words.subarray(at.counts / WORD, at.counts / WORD + CONTEXTS)
  const next = new Uint32Array(CONTEXTS)
  for (let context = 1; context < CONTEXTS; context++) next[context] = next[context - 1]! + counts[context - 1]!
  const sorted = new Uint32Array(count)
  const first = at.numbers / WORD
  for (let i = 0; i < count; i++) sorted[next[contexts[i]!]!++] = words[first + i]!
  const present = Uint32Array.from(counts.keys()).filter((context) => counts[context]! > 0)
  part.clear()
  part.uvarint(present.length)
  encodePackedU32(
    present.map((context, i) => (i === 0 ? context : context - present[i - 1]!)),
    part,
  )
  encodePackedU32(
    present.map((context) => counts[context]!),
    part,
  )
  for (const context of present) {
    encodePackedU32(sorted.subarray(next[context]! - counts[context]!, next[context]), part)
  }
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
    words.set(decodePackedU32(reader, counts[i]!), at.numbers / WORD + from)
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
