/**
 * Lines of a page without what varies from line to line. Numbers, hexadecimal ids, the row's own time and values that its metadata
 * has too are cut out; the text that stays is much the same in every line, so that zstd makes little of it, fast both ways. Numbers
 * stand in columns by what comes before them, bit-packed; ids as bytes; time and metadata are not stored a second time.
 *
 *     size of the lines uvarint · metadata columns referred to uvarint · name text … · text part · hex part · numbers part
 *     part: encoding u8 · size uvarint · bytes as of a column
 *     numbers: contexts uvarint · steps between them packed-u32 · numbers of each packed-u32 · for each its numbers packed-u32
 *
 * ./line-slots-kernel.ts has the operations in the text and the loops that cut and put together, ./read-line-slots.ts the way back.
 */
import { ENCODING_BYTES, ENCODING_LINE_SLOTS } from './encoding.ts'
import { spreadHex } from './hex-text.ts'
import { lineSlotsKernel, putTimes } from './line-slots-kernel.ts'
import { at, CONTEXTS, MAX_SLOT_BYTES, MAX_SLOT_ROWS, MAX_VALUE_BYTES, MAX_VALUE_COLUMNS } from './line-slots-memory.ts'
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
const MIN_BYTES = 1024
/** The text must be shorter than this part of the lines. */
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
  kernel.text = undefined
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
