/**
 * Builds the filters of a block while its pages are written. Synchronous, for the worker that writes the block; tables are
 * reused from page to page, and what is kept of a page is its filter: a few hundredths of its lines.
 */
import { encodeBloom, fillFilter, groupsFor, PROBES } from './bloom.ts'
import { hashKeys, ValueHasher } from './keys.ts'
import { FLAG_UNFILTERED } from './page-facts.ts'
import type { PageFacts } from './page-facts.ts'
import { PageScanner } from './page-scanner.ts'
import { PairSet } from './pair-set.ts'
import { MAX_PAGE_KEYS } from './scan-memory.ts'
import { encodeWords } from './words-section.ts'
import { asDataView } from '#/kernel/byte-reader.ts'
import type { TextRanges } from '#/storage/column/text-values.ts'

/** The sections of a block. */
export type EncodedFilter = { readonly words: Uint8Array; readonly bloom: Uint8Array }

export class FilterBuilder {
  readonly #groups: number
  readonly #scanner = new PageScanner()
  readonly #values = new PairSet(MAX_PAGE_KEYS)
  readonly #hasher = new ValueHasher()
  readonly #filters: Uint8Array[] = []
  readonly #facts: PageFacts[] = []
  #pairs = new Int32Array(0)

  /** `lineBytes`: of all pages that will come. */
  constructor(lineBytes: number) {
    this.#groups = groupsFor(lineBytes)
  }

  /** The lines of the page, back to back. */
  addLines(lines: Buffer, lengths: Uint32Array): void {
    this.#scanner.scan(lines, lengths)
  }

  /** The values of one name of structured metadata in the page. */
  addValues(name: string, { source, count, starts, ends }: Omit<TextRanges, 'rows' | 'rowCount'>): void {
    const { pair } = this.#hasher
    this.#hasher.setName(name)
    const bytes = asDataView(source)
    for (let i = 0; i < count; i++) {
      this.#hasher.hash(bytes, starts[i]!, ends[i]!)
      this.#values.add(pair[0]!, pair[1]!)
    }
  }

  endPage(): void {
    const keys = this.#scanner.keyCount
    const values = this.#values.count
    const isFull = this.#values.isFull
    if (this.#pairs.length < 2 * (keys + values)) this.#pairs = new Int32Array(3 * (keys + values))
    const facts = this.#scanner.endPage(this.#pairs, 0)
    hashKeys(this.#pairs, keys)
    this.#values.drain(this.#pairs, keys)
    const isUnfiltered = isFull || (facts.flags & FLAG_UNFILTERED) !== 0
    this.#facts.push(isUnfiltered ? { ...facts, flags: facts.flags | FLAG_UNFILTERED } : facts)
    this.#filters.push(fillFilter(this.#pairs, isUnfiltered ? 0 : keys + values, this.#groups))
  }

  /** The builder is used up afterwards. */
  finish(): EncodedFilter {
    const sliceBytes = Uint32Array.from(this.#filters, (filter) => filter.length / this.#groups)
    const shape = { groups: this.#groups, probes: PROBES, sliceBytes }
    return {
      words: encodeWords(shape, this.#facts, this.#scanner.words),
      bloom: encodeBloom(this.#filters, this.#groups),
    }
  }
}
