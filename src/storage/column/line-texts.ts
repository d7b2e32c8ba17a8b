/**
 * The texts that ./line-slots.ts leaves of lines, and which one each row has.
 */
import { ENCODING_LINE_TEMPLATES } from './encoding.ts'
import { bytesPerTextOfRow } from './line-slots.ts'
import { lineSlotsKernel } from './line-slots-kernel.ts'
import { at, MAX_SLOT_BYTES, MAX_SLOT_ROWS, MAX_VALUE_COLUMNS } from './line-slots-memory.ts'
import type { ScratchBuffers } from './scratch-buffers.ts'
import { unsealColumnTo } from './sealed.ts'
import type { SealedColumn } from './sealed.ts'
import { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'

/** What is left of lines: texts, one behind the other, and which of them each row has. */
export type CutTexts = {
  readonly text: Buffer
  /** Of each text, and behind the last one. */
  readonly textStart: Uint32Array
  /** Position of the text of each row; undefined: as many texts as rows, in their order. */
  readonly textOfRow: Uint16Array | undefined
}

const WORD = 4
/** Positions in the kernel's memory as words. */
const wordAt = { texts: at.texts / WORD, textStarts: at.textStarts / WORD } as const

/**
 * The texts that are left of the lines; what may be searched in them: ./cut-text.ts. They lie in `taken`, which came from `memory`
 * and may be given back to it.
 * @throws Corruption, naming `origin`, when the bytes are not such lines.
 */
export function decodeCutTexts(
  column: SealedColumn,
  rowCount: number,
  origin: ByteOrigin,
  memory: ScratchBuffers,
): { readonly texts: CutTexts; readonly taken: Buffer } {
  const slots = openSlots(column, rowCount, origin)
  const size = loadTexts(slots, rowCount, origin) - at.text
  const kernel = lineSlotsKernel()
  const { bytes, words } = kernel
  const taken = memory.take(size)
  bytes.copy(taken, 0, at.text, at.text + size)
  const textStart = words.slice(wordAt.textStarts, wordAt.textStarts + slots.textCount + 1)
  for (let i = 0; i < textStart.length; i++) textStart[i]! -= at.text
  const textOfRow = slots.isOnce ? Uint16Array.from(words.subarray(wordAt.texts, wordAt.texts + rowCount)) : undefined
  const texts = { text: taken.subarray(0, size), textStart, textOfRow }
  kernel.texts = texts
  return { texts, taken }
}

/** A column whose beginning was read. */
export type OpenedSlots = {
  readonly reader: ByteReader
  readonly size: number
  readonly names: readonly string[]
  readonly textCount: number
  /** Whether each text is there once; else there is one for each row. */
  readonly isOnce: boolean
}

export function openSlots(column: SealedColumn, rowCount: number, origin: ByteOrigin): OpenedSlots {
  const reader = new ByteReader(column.bytes, origin)
  const size = reader.count(MAX_SLOT_BYTES, 'bytes of lines')
  if (rowCount > MAX_SLOT_ROWS) throw reader.corruption(`${rowCount} rows exceed ${MAX_SLOT_ROWS}`)
  const names = Array.from({ length: reader.count(MAX_VALUE_COLUMNS, 'metadata columns') }, () => reader.text())
  const isOnce = column.encoding === ENCODING_LINE_TEMPLATES
  return { reader, size, names, textCount: isOnce ? reader.count(rowCount, 'texts') : rowCount, isOnce }
}

/** Reads texts, and which one each row has, into the kernel's memory. Returns where the last one ends. */
export function loadTexts({ reader, textCount, isOnce }: OpenedSlots, rowCount: number, origin: ByteOrigin): number {
  const kernel = lineSlotsKernel()
  kernel.texts = undefined
  const memory = kernel.bytes.subarray(at.text, at.text + MAX_SLOT_BYTES + 1)
  const textEnd = at.text + unsealColumnTo(takePart(reader), origin, memory)
  const found = kernel.findTexts(textEnd, textCount)
  if (found !== textCount) throw reader.corruption(`lines have ${found} texts, not ${textCount}`)
  if (kernel.words[wordAt.textStarts + textCount] !== textEnd) throw reader.corruption('the last text has no end')
  if (isOnce) readTextsOfRows(reader, textCount, rowCount, origin)
  else for (let row = 0; row < rowCount; row++) kernel.words[wordAt.texts + row] = row
  return textEnd
}

function readTextsOfRows(reader: ByteReader, textCount: number, rowCount: number, origin: ByteOrigin): void {
  const { bytes, words } = lineSlotsKernel()
  // `findTexts` and the ways back do not use the hashes
  const memory = bytes.subarray(at.textHashes, at.textHashes + MAX_SLOT_ROWS * WORD)
  const size = unsealColumnTo(takePart(reader), origin, memory)
  const bytesPerRow = bytesPerTextOfRow(textCount)
  if (size !== bytesPerRow * rowCount) throw reader.corruption(`texts of rows have ${size} bytes`)
  if (bytesPerRow === 0) return void words.fill(0, wordAt.texts, wordAt.texts + rowCount)
  let greatest = 0
  for (let row = 0; row < rowCount; row++) {
    const text = bytesPerRow === 1 ? memory[row]! : memory[row]! | (memory[rowCount + row]! << 8)
    if (text > greatest) greatest = text
    words[wordAt.texts + row] = text
  }
  if (greatest >= textCount) throw reader.corruption(`a row has text ${greatest} of ${textCount}`)
}

/** The same with texts that are known, unless they are in the kernel's memory already. */
export function passTexts({ reader, isOnce }: OpenedSlots, texts: CutTexts, rowCount: number): number {
  takePart(reader)
  if (isOnce) takePart(reader)
  const { text, textStart, textOfRow } = texts
  const kernel = lineSlotsKernel()
  const { bytes, words } = kernel
  if (kernel.texts !== texts) {
    text.copy(bytes, at.text)
    for (let i = 0; i < textStart.length; i++) words[wordAt.textStarts + i] = at.text + textStart[i]!
    for (let row = 0; row < rowCount; row++) words[wordAt.texts + row] = textOfRow === undefined ? row : textOfRow[row]!
    kernel.texts = texts
  }
  return at.text + text.length
}

/** One of the parts that follow one another. */
export function takePart(reader: ByteReader): SealedColumn {
  const encoding = reader.u8()
  return { encoding, bytes: reader.bytes(reader.uvarint()) }
}
