/**
 * Lines of a page without what varies from line to line. Numbers, hexadecimal ids, the row's own time and values that its metadata
 * has too are cut out; the text that stays is one of few, and each of these is stored once. Numbers stand in columns by what comes before
 * them, bit-packed; ids as bytes; time and metadata are not stored a second time.
 *
 *     size of the lines uvarint · metadata columns referred to uvarint · name text … · texts uvarint · text part · rows part
 *     · hex part · numbers part
 *     part: encoding u8 · size uvarint · bytes as of a column
 *     text: the texts, in the order in which rows have them first
 *     rows: for each row the position of its text: one byte each, or all low bytes and then all high ones; nothing when there is one text
 *     numbers: contexts uvarint · steps between them packed-u32 · numbers of each packed-u32 · for each its numbers packed-u32
 *
 * ./line-slots-kernel.ts has the operations in the text and the loops that cut and put together, ./read-line-slots.ts the way back.
 */
import { ENCODING_BYTES, ENCODING_LINE_TEMPLATES } from './encoding.ts'
import { spreadHex } from './hex-text.ts'
import { lineSlotsKernel, putTimes } from './line-slots-kernel.ts'
import {
  at,
  CONTEXTS,
  MAX_SLOT_BYTES,
  MAX_SLOT_ROWS,
  MAX_VALUE_BYTES,
  MAX_VALUE_COLUMNS,
  ONE_BYTE_TEXTS,
} from './line-slots-memory.ts'
import { encodePackedU32 } from './packed-u32.ts'
import { sealColumn } from './sealed.ts'
import type { SealedColumn } from './sealed.ts'
import type { HexValues } from './text-values.ts'
import { ByteWriter } from '#/kernel/byte-writer.ts'

export type LinesToCut = {
  /** Back to back. */
  readonly lines: Uint8Array
  readonly lengths: Uint32Array
  /** Nanoseconds since midnight of each row. */
  readonly times: Float64Array
  /** Metadata of the same rows; the first few are used. */
  readonly values: readonly { readonly name: string; readonly hex: HexValues }[]
}

/** Fewer bytes of lines are not worth the parts. */
const MIN_BYTES = 256
/** The texts must be shorter than this part of the lines. */
const MAX_TEXT_SHARE = 15 / 16
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
  if (!putTimes(kernel, input.times)) return undefined
  putValues(used, lengths.length)
  words.fill(0, at.counts / WORD, at.rowMs / WORD)
  const mostText = Math.floor(lines.length * MAX_TEXT_SHARE)
  kernel.texts = undefined
  const slots = slotsFor(lengths.length)
  words.fill(0, at.textTable / WORD, at.textTable / WORD + slots)
  const textEnd = kernel.encode(lengths.length, used.length, at.text + mostText, slots - 1)
  if (textEnd === 0) return undefined
  const numberCount = words[at.results / WORD]!
  const hexEnd = words[at.results / WORD + 1]!
  const textCount = words[at.results / WORD + 2]!
  writer.clear()
  writer.uvarint(lines.length)
  writer.uvarint(used.length)
  for (const { name } of used) writer.text(name)
  writer.uvarint(textCount)
  putPart(bytes.subarray(at.text, textEnd))
  putPart(textsOfRows(textCount, lengths.length))
  putPart(bytes.subarray(at.hex, hexEnd))
  encodeNumbers(numberCount)
  putPart(part.written)
  return { encoding: ENCODING_LINE_TEMPLATES, bytes: writer.copy() }
}

/** Twice as many as rows, a power of two. */
function slotsFor(rowCount: number): number {
  return 2 ** Math.ceil(Math.log2(2 * rowCount))
}

/** In memory that the next use overwrites. */
function textsOfRows(textCount: number, rowCount: number): Uint8Array {
  const { bytes, words } = lineSlotsKernel()
  const first = at.texts / WORD
  // `encode` is done with the hashes
  const low = bytes.subarray(at.textHashes, at.textHashes + 2 * rowCount)
  const bytesPerRow = bytesPerTextOfRow(textCount)
  if (bytesPerRow > 0) for (let row = 0; row < rowCount; row++) low[row] = words[first + row]!
  if (bytesPerRow > 1) for (let row = 0; row < rowCount; row++) low[rowCount + row] = words[first + row]! >>> 8
  return low.subarray(0, bytesPerRow * rowCount)
}

/** Of the position of a row's text among `textCount`. */
export function bytesPerTextOfRow(textCount: number): 0 | 1 | 2 {
  if (textCount <= 1) return 0
  return textCount <= ONE_BYTE_TEXTS ? 1 : 2
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
