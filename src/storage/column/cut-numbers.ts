/**
 * Numbers that ./line-slots.ts has cut out of lines, one field at a time: what a stage that parses lines needs where their texts say
 * which number is meant, so that no line has to be put together.
 */
import { lineSlotsKernel } from './line-slots-kernel.ts'
import { at } from './line-slots-memory.ts'
import { openSlots, passTexts, takePart, type CutTexts } from './line-texts.ts'
import { eachContext } from './number-contexts.ts'
import { decodePackedU32, skipPackedU32 } from './packed-u32.ts'
import { unsealColumn } from './sealed.ts'
import type { SealedColumn } from './sealed.ts'
import { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'

/** The numbers of one context, of all rows: those of row `r` are `values[firstOfRow[r], firstOfRow[r + 1])`. */
export type NumberColumn = { readonly values: Uint32Array; readonly firstOfRow: Uint32Array }

/** Where the numbers of a context are stored. */
type StoredNumbers = { readonly position: number; readonly count: number }

const WORD = 4

export class CutNumbers {
  /** Of each text: the same for the same bytes, wherever they stand. */
  readonly textHashes: Uint32Array
  readonly #textOfRow: Uint16Array
  readonly #origin: ByteOrigin
  readonly #bytes: Buffer
  readonly #stored: Map<number, StoredNumbers>
  /** By context. */
  readonly #columns: (NumberColumn | undefined)[] = []
  /** Contexts of the numbers of all texts, one text behind the other, and where those of each begin. */
  readonly #contexts: Uint16Array
  readonly #contextStart: Uint32Array

  /** @throws Corruption, naming `origin`, when the column is not one of lines whose texts are `texts`. */
  constructor(
    column: SealedColumn,
    { texts, textOfRow }: { texts: CutTexts; textOfRow: Uint16Array },
    origin: ByteOrigin,
  ) {
    this.#textOfRow = textOfRow
    this.#origin = origin
    const rowCount = textOfRow.length
    const slots = openSlots(column, rowCount, origin)
    passTexts(slots, texts, rowCount)
    const textCount = texts.textStart.length - 1
    const { bytes, words, hashTexts, listNumbers } = lineSlotsKernel()
    hashTexts(textCount)
    this.textHashes = words.slice(at.textHashes / WORD, at.textHashes / WORD + textCount)
    const end = listNumbers(textCount, 1)
    const first = at.stepStarts / WORD
    this.#contextStart = words.slice(first, first + textCount + 1).map((address) => (address - at.steps) >>> 1)
    this.#contexts = new Uint16Array(bytes.buffer, bytes.byteOffset + at.steps, (end - at.steps) >>> 1).slice()
    for (let i = 0; i < this.#contexts.length; i++) this.#contexts[i]! >>>= 2
    takePart(slots.reader)
    const numbers = takePart(slots.reader)
    this.#bytes = unsealColumn(numbers.encoding, numbers.bytes, origin)
    this.#stored = findNumbers(new ByteReader(this.#bytes, origin))
  }

  /** Contexts of the numbers of a text, in the order of its operations. */
  contextsOf(text: number): Uint16Array {
    return this.#contexts.subarray(this.#contextStart[text], this.#contextStart[text + 1])
  }

  column(context: number): NumberColumn {
    return (this.#columns[context] ??= this.#decode(context))
  }

  #decode(context: number): NumberColumn {
    const { position, count } = this.#stored.get(context) ?? { position: 0, count: 0 }
    const reader = new ByteReader(this.#bytes, this.#origin)
    reader.skip(position)
    const firstOfRow = this.#firsts(context)
    const expected = firstOfRow.at(-1)!
    if (expected !== count) throw reader.corruption(`context ${context} has ${count} numbers, not ${expected}`)
    return { values: decodePackedU32(reader, count), firstOfRow }
  }

  #firsts(context: number): Uint32Array {
    const textOfRow = this.#textOfRow
    const perText = new Uint32Array(this.#contextStart.length - 1)
    let text = 0
    for (let i = 0; i < this.#contexts.length; i++) {
      if (this.#contexts[i] !== context) continue
      while (this.#contextStart[text + 1]! <= i) text++
      perText[text]!++
    }
    const firstOfRow = new Uint32Array(textOfRow.length + 1)
    let sum = 0
    for (let row = 0; row < textOfRow.length; row++) firstOfRow[row + 1] = sum += perText[textOfRow[row]!]!
    return firstOfRow
  }
}

function findNumbers(reader: ByteReader): Map<number, StoredNumbers> {
  const stored = new Map<number, StoredNumbers>()
  eachContext(reader, (context, { count }) => {
    stored.set(context, { position: reader.position, count })
    skipPackedU32(reader, count)
  })
  return stored
}
