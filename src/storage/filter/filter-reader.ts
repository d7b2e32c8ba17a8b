/**
 * Answers conditions from the filters of a block: first from the words and from the lengths of tokens, which are in memory, and
 * only for the pages that are left from keys, one short read for each.
 */
import { groupBytesOf, groupOf, isSoundGroup, sliceHolds } from './bloom.ts'
import type { BlockFilter, PageBits, PageCondition, ReadSection } from './filter.ts'
import { ValueHasher } from './keys.ts'
import { gramProbes, parseNeedle, partProbes, wholeProbes } from './needle.ts'
import type { Fragment, Probes } from './needle.ts'
import { addPage, allPages, hasPage, intersect, isEmpty, removePage, unite, without } from './page-bits.ts'
import { FLAG_FOLDING, FLAG_NO_GRAMS, FLAG_UNFILTERED, FLAG_WORDS_AS_KEYS, MAX_TOKEN_LENGTH } from './page-facts.ts'
import { WORD_SEPARATOR } from './words-section.ts'
import type { FilterWords } from './words-section.ts'
import { asDataView } from '#/kernel/byte-reader.ts'
import { Corruption } from '#/kernel/errors.ts'

/** What stands in texts for bytes that are no UTF-8. */
const REPLACEMENT = '\ufffd'
/** Objects and small arrays. */
const FIXED_BYTES = 1024

export type BloomSource = {
  readonly bloom: { readonly offset: number; readonly sizeBytes: number }
  readonly read: ReadSection
  readonly file: string
}

/** Pages that may hold a fragment. */
type Holders = {
  /** In a word. */
  readonly inWords: PageBits
  /** In a token that has keys; undefined where there is nothing to look up. */
  readonly lookUps: readonly { readonly pages: PageBits; readonly probes: Probes }[]
  readonly inKeys: PageBits
}

export class FilterReader implements BlockFilter {
  readonly pageCount: number
  readonly memoryBytes: number
  readonly #words: FilterWords
  readonly #source: BloomSource
  readonly #groupBytes: number
  readonly #sliceStarts: Uint32Array
  readonly #unfiltered: PageBits

  constructor(words: FilterWords, source: BloomSource) {
    this.#words = words
    this.#source = source
    const { sliceBytes } = words.shape
    this.pageCount = sliceBytes.length
    this.#groupBytes = groupBytesOf(words.shape)
    this.#sliceStarts = new Uint32Array(this.pageCount)
    for (let page = 1; page < this.pageCount; page++) {
      this.#sliceStarts[page] = this.#sliceStarts[page - 1]! + sliceBytes[page - 1]!
    }
    this.#unfiltered = this.#pagesFlagged(FLAG_UNFILTERED)
    this.memoryBytes =
      FIXED_BYTES + words.text.length + words.bits.length + 4 * words.wordStarts.length + 5 * 4 * this.pageCount
  }

  pagesWith(condition: PageCondition): Promise<PageBits> {
    return this.#pagesAmong(condition, allPages(this.pageCount))
  }

  /** Those of `among` on which the condition may hold; `among` stays as it is. */
  async #pagesAmong(condition: PageCondition, among: PageBits): Promise<PageBits> {
    if (isEmpty(among)) return among
    switch (condition.kind) {
      case 'text':
        return this.#pagesWithText(condition.text, condition.anyCase, among)
      case 'value':
        return this.#pagesWithValue(condition.name, condition.value, among)
      case 'any': {
        const found = new Uint8Array(among.length)
        for (const one of condition.of) unite(found, await this.#pagesAmong(one, without(among, found)))
        return found
      }
      case 'all': {
        let left = among
        for (const one of condition.of) left = await this.#pagesAmong(one, left)
        return left
      }
    }
  }

  async #pagesWithText(text: string, anyCase: boolean, among: PageBits): Promise<PageBits> {
    const { fragments, canFold } = parseNeedle(text, anyCase)
    const kept = this.#unfiltered.slice()
    if (canFold) unite(kept, this.#pagesFlagged(FLAG_FOLDING))
    intersect(kept, among)
    const left = without(among, kept)
    const holders = fragments.map((fragment) => this.#holdersOf(fragment))
    for (const { inWords, inKeys } of holders) {
      const held = inWords.slice()
      unite(held, inKeys)
      intersect(left, held)
    }
    for (const { inWords, lookUps } of holders) {
      for (const { pages, probes } of lookUps) {
        const asked = without(pages, inWords)
        intersect(asked, left)
        const held = asked.slice()
        for (let i = 0; i < probes.length && !isEmpty(held); i += 2) await this.#probe(probes[i]!, probes[i + 1]!, held)
        intersectAmong(left, asked, held)
      }
    }
    unite(left, kept)
    return left
  }

  async #pagesWithValue(name: string, value: string, among: PageBits): Promise<PageBits> {
    const bytes = Buffer.from(value)
    const isClean = !bytes.toString().includes(REPLACEMENT) && !Buffer.from(name).toString().includes(REPLACEMENT)
    if (value === '' || !isClean) return among
    const hasher = new ValueHasher()
    hasher.setName(name)
    hasher.hash(asDataView(bytes), 0, bytes.length)
    const held = without(among, this.#unfiltered)
    if (!isEmpty(held)) await this.#probe(hasher.pair[0]!, hasher.pair[1]!, held)
    const kept = this.#unfiltered.slice()
    intersect(kept, among)
    unite(held, kept)
    return held
  }

  #holdersOf(fragment: Fragment): Holders {
    const { bytes, isOpenLeft, isOpenRight, hasDigit } = fragment
    const isOpen = isOpenLeft || isOpenRight
    const whole = new Uint8Array(this.#unfiltered.length)
    const part = new Uint8Array(this.#unfiltered.length)
    const gramless = new Uint8Array(this.#unfiltered.length)
    for (let page = 0; page < this.pageCount; page++) {
      const flags = this.#words.flags[page]!
      const canBeWhole = hasDigit || (flags & FLAG_WORDS_AS_KEYS) !== 0
      const hasLonger = isOpen && this.#hasLength(page, bytes.length + 1, MAX_TOKEN_LENGTH)
      if (hasLonger) addPage((flags & FLAG_NO_GRAMS) === 0 ? part : gramless, page)
      else if (canBeWhole && this.#hasLength(page, bytes.length, bytes.length)) addPage(whole, page)
    }
    const inKeys = whole.slice()
    unite(inKeys, part)
    unite(inKeys, gramless)
    const [wholeKeys, partKeys, grams] = [wholeProbes(fragment), partProbes(fragment), gramProbes(fragment)]
    const lookUps = [
      { pages: whole, probes: wholeKeys },
      { pages: part, probes: partKeys.length > 0 ? partKeys : grams },
      { pages: gramless, probes: partKeys },
    ]
    const inWords = hasDigit ? new Uint8Array(this.#unfiltered.length) : this.#pagesOfWords(fragment)
    return { inWords, inKeys, lookUps: lookUps.filter(({ probes }) => probes.length > 0) }
  }

  /** Whether the page has tokens with keys of `from` to `to` bytes; lengths beyond the last count as the last. */
  #hasLength(page: number, from: number, to: number): boolean {
    const [low, high] = [this.#words.lowLengths[page]!, this.#words.highLengths[page]!]
    const last = Math.min(to, MAX_TOKEN_LENGTH)
    for (let length = Math.min(from, MAX_TOKEN_LENGTH); length <= last; length++) {
      const bits = length < 32 ? low >>> length : high >>> (length - 32)
      if ((bits & 1) === 1) return true
    }
    return false
  }

  #pagesOfWords({ bytes, isOpenLeft, isOpenRight }: Fragment): PageBits {
    const { text, wordStarts, bits, rowBytes } = this.#words
    const separator = Buffer.from([WORD_SEPARATOR])
    const wanted = Buffer.concat([...(isOpenLeft ? [] : [separator]), bytes, ...(isOpenRight ? [] : [separator])])
    const found = new Uint8Array(rowBytes)
    for (let at = text.indexOf(wanted); at >= 0;) {
      const word = wordAt(wordStarts, at)
      for (let i = 0; i < rowBytes; i++) found[i]! |= bits[word * rowBytes + i]!
      if (word + 1 === wordStarts.length) break
      at = text.indexOf(wanted, wordStarts[word + 1]!)
    }
    return found
  }

  /** Takes the pages out of `pages` that do not have the key. */
  async #probe(first: number, second: number, pages: PageBits): Promise<void> {
    const { groups, probes, sliceBytes } = this.#words.shape
    const offset = this.#source.bloom.offset + groupOf(first, groups) * this.#groupBytes
    const group = await this.#source.read(offset, this.#groupBytes)
    if (group.length !== this.#groupBytes || !isSoundGroup(group)) {
      throw new Corruption({ file: this.#source.file, offset }, 'checksum of a group of bloom filters does not match')
    }
    for (let page = 0; page < this.pageCount; page++) {
      if (!hasPage(pages, page)) continue
      const slice = { start: this.#sliceStarts[page]!, size: sliceBytes[page]!, probes }
      if (!sliceHolds(group, slice, first, second)) removePage(pages, page)
    }
  }

  #pagesFlagged(flag: number): PageBits {
    const pages = new Uint8Array((this.#words.flags.length + 7) >>> 3)
    for (const [page, flags] of this.#words.flags.entries()) if ((flags & flag) !== 0) addPage(pages, page)
    return pages
  }
}

/** The last word that begins at or before `at`. */
function wordAt(starts: Uint32Array, at: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (starts[middle]! <= at) low = middle
    else high = middle - 1
  }
  return low
}

/** Takes those of `asked` out of `pages` that are not in `held`. */
function intersectAmong(pages: PageBits, asked: PageBits, held: PageBits): void {
  for (let i = 0; i < pages.length; i++) pages[i]! &= ~asked[i]! | held[i]!
}
