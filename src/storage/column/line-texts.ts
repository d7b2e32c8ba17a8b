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
  /** Whether a text is there once, however many rows have it; else there are as many texts as rows, in their order. */
  readonly isOnce: boolean
  /** Position of the text of each row, decoded when it is first asked for; undefined where texts are not there once. */
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
  const size = loadTextsAlone(slots, origin) - at.text
  const kernel = lineSlotsKernel()
  const { bytes, words } = kernel
  const taken = memory.take(size)
  bytes.copy(taken, 0, at.text, at.text + size)
  const textStart = words.slice(wordAt.textStarts, wordAt.textStarts + slots.textCount + 1)
  for (let i = 0; i < textStart.length; i++) textStart[i]! -= at.text
  const texts = new LoadedTexts(taken.subarray(0, size), textStart, { slots, rowCount, origin })
  kernel.texts = texts
  return { texts, taken }
}

type TextSource = { readonly slots: OpenedSlots; readonly rowCount: number; readonly origin: ByteOrigin }

class LoadedTexts implements CutTexts {
  readonly text: Buffer
  readonly textStart: Uint32Array
  readonly isOnce: boolean
  readonly #source: TextSource
  #textOfRow: Uint16Array | undefined

  constructor(text: Buffer, textStart: Uint32Array, source: TextSource) {
    this.text = text
    this.textStart = textStart
    this.isOnce = source.slots.isOnce
    this.#source = source
  }

  get textOfRow(): Uint16Array | undefined {
    if (!this.isOnce) return undefined
    return (this.#textOfRow ??= readTextsOfRows(this.#source.slots, this.#source.rowCount, this.#source.origin))
  }
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
export function loadTexts(slots: OpenedSlots, rowCount: number, origin: ByteOrigin): number {
  const textEnd = loadTextsAlone(slots, origin)
  putTextsOfRows(slots.isOnce ? readTextsOfRows(slots, rowCount, origin) : undefined, rowCount)
  return textEnd
}

function loadTextsAlone({ reader, textCount }: OpenedSlots, origin: ByteOrigin): number {
  const kernel = lineSlotsKernel()
  kernel.texts = undefined
  const memory = kernel.bytes.subarray(at.text, at.text + MAX_SLOT_BYTES + 1)
  const textEnd = at.text + unsealColumnTo(takePart(reader), origin, memory)
  const found = kernel.findTexts(textEnd, textCount)
  if (found !== textCount) throw reader.corruption(`lines have ${found} texts, not ${textCount}`)
  if (kernel.words[wordAt.textStarts + textCount] !== textEnd) throw reader.corruption('the last text has no end')
  return textEnd
}

/** Where the kernel reads which text a row has. */
function putTextsOfRows(textOfRow: Uint16Array | undefined, rowCount: number): void {
  const { words } = lineSlotsKernel()
  if (textOfRow !== undefined) words.set(textOfRow, wordAt.texts)
  else for (let row = 0; row < rowCount; row++) words[wordAt.texts + row] = row
}

/** Of slots of which the texts have been read. */
function readTextsOfRows({ reader, textCount }: OpenedSlots, rowCount: number, origin: ByteOrigin): Uint16Array {
  const { bytes } = lineSlotsKernel()
  // `findTexts` and the ways back do not use the hashes
  const memory = bytes.subarray(at.textHashes, at.textHashes + MAX_SLOT_ROWS * WORD)
  const size = unsealColumnTo(takePart(reader), origin, memory)
  const bytesPerRow = bytesPerTextOfRow(textCount)
  if (size !== bytesPerRow * rowCount) throw reader.corruption(`texts of rows have ${size} bytes`)
  const textOfRow = new Uint16Array(rowCount)
  if (bytesPerRow === 0) return textOfRow
  textOfRow.set(memory.subarray(0, rowCount))
  if (bytesPerRow === 2) addHighBytes(textOfRow, memory.subarray(rowCount, size))
  let greatest = 0
  for (let row = 0; row < rowCount; row++) greatest = Math.max(greatest, textOfRow[row]!)
  if (greatest >= textCount) throw reader.corruption(`a row has text ${greatest} of ${textCount}`)
  return textOfRow
}

function addHighBytes(values: Uint16Array, high: Uint8Array): void {
  for (let i = 0; i < values.length; i++) values[i]! |= high[i]! << 8
}

/** The same with texts that are known; those that are in the kernel's memory already stay there. */
export function passTexts({ reader, isOnce }: OpenedSlots, texts: CutTexts, rowCount: number): number {
  takePart(reader)
  if (isOnce) takePart(reader)
  const { text, textStart, textOfRow } = texts
  const kernel = lineSlotsKernel()
  const { bytes, words } = kernel
  if (kernel.texts !== texts) {
    text.copy(bytes, at.text)
    for (let i = 0; i < textStart.length; i++) words[wordAt.textStarts + i] = at.text + textStart[i]!
    kernel.texts = texts
  }
  putTextsOfRows(textOfRow, rowCount)
  return at.text + text.length
}

/** One of the parts that follow one another. */
export function takePart(reader: ByteReader): SealedColumn {
  const encoding = reader.u8()
  return { encoding, bytes: reader.bytes(reader.uvarint()) }
}
