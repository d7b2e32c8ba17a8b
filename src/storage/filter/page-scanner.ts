/**
 * Takes the lines of one page after the other apart, once and byte by byte: words go to the block's table, what must be found
 * again of all other tokens becomes keys of the page. The loops are in ./scan-kernel.ts; here is what is done once for a piece or
 * a page.
 */
import { BlockWords } from './block-words.ts'
import { FOLDING_RUNES } from './keys.ts'
import { FLAG_FOLDING, FLAG_UNFILTERED } from './page-facts.ts'
import type { PageFacts } from './page-facts.ts'
import { scanKernel } from './scan-kernel.ts'
import type { ScanKernel } from './scan-kernel.ts'
import { at, FIRST_KEY_SLOTS, MAX_SCANNED_LINE_BYTES, PIECE_BYTES, PIECE_ROWS } from './scan-memory.ts'
import { assert } from '#/kernel/assert.ts'

const WORD = 4
const KEY = 8
const LEADS = 16

/** Counts the scanners of the thread: its kernel holds what the latest one has found. */
let scanners = 0

/** For the pages of one block; a thread has one at a time, and the next one ends it. */
export class PageScanner {
  readonly words: BlockWords
  readonly #kernel: ScanKernel
  readonly #number = ++scanners
  #flags = 0

  constructor() {
    this.#kernel = scanKernel()
    const { bytes, words } = this.#kernel
    this.#emptyPage()
    bytes.fill(0, at.wordCount, at.wordText)
    words[at.page / WORD] = 1
    words[at.keyMask / WORD] = FIRST_KEY_SLOTS - 1
    this.words = new BlockWords(this.#kernel)
  }

  /** The lines of a page, back to back. */
  scan(lines: Buffer, lengths: Uint32Array): void {
    assert(this.#number === scanners, 'pages of one block are scanned at a time')
    const { bytes, words, scan } = this.#kernel
    let end = 0
    for (let row = 0; row < lengths.length;) {
      const from = row
      const start = end
      do end += lengths[row++]!
      while (row < lengths.length && end + lengths[row]! - start <= PIECE_BYTES && row - from < PIECE_ROWS)
      if (end - start > MAX_SCANNED_LINE_BYTES) {
        this.#flags |= FLAG_UNFILTERED
        continue
      }
      bytes.set(lines.subarray(start, end), at.raw)
      words.set(lengths.subarray(from, row), at.rowLengths / WORD)
      scan(row - from)
    }
    const leads = words.subarray(at.leads / WORD, (at.leads + LEADS) / WORD)
    if (leads.some((mask) => mask !== 0) && hasFoldingRunes(lines.subarray(0, end))) this.#flags |= FLAG_FOLDING
    leads.fill(0)
  }

  get keyCount(): number {
    const { words } = this.#kernel
    return words[at.keyCount / WORD]! + words[at.gramCount / WORD]!
  }

  /** Ends the page: `pairs` must have room for {@link keyCount}, `first` is where they go. */
  endPage(pairs: Int32Array, first: number): PageFacts {
    assert(this.#number === scanners, 'pages of one block are scanned at a time')
    const { bytes, words } = this.#kernel
    const keys = words[at.keyCount / WORD]!
    const grams = words[at.gramCount / WORD]!
    bytes.subarray(at.keys, at.keys + keys * KEY).swap32()
    pairs.set(words.subarray(at.keys / WORD, at.keys / WORD + 2 * keys), 2 * first)
    for (let i = 0; i < grams; i++) {
      pairs[2 * (first + keys + i)] = 0
      pairs[2 * (first + keys + i) + 1] = words[at.grams / WORD + i]!
    }
    const facts = {
      flags: this.#flags | words[at.flags / WORD]! | (words[at.isFull / WORD] === 0 ? 0 : FLAG_UNFILTERED),
      lowLengths: words[at.lengths / WORD]!,
      highLengths: words[at.lengths / WORD + 1]!,
    }
    this.words.endPage()
    this.#emptyPage()
    words[at.page / WORD]!++
    return facts
  }

  #emptyPage(): void {
    const { bytes, words } = this.#kernel
    this.#flags = 0
    bytes.fill(0, at.keySlots, at.keySlots + (words[at.keyMask / WORD]! + 1) * KEY)
    for (let i = 0; i < words[at.gramCount / WORD]!; i++) bytes[at.hasGram + words[at.gramCodes / WORD + i]!] = 0
    bytes.fill(0, at.heldCount, at.wordSlots)
    words[at.keyMask / WORD] = FIRST_KEY_SLOTS - 1
  }
}

function hasFoldingRunes(lines: Buffer): boolean {
  return FOLDING_RUNES.some((rune) => lines.includes(rune))
}
