/**
 * Opens the filters of a block. Only the section `words` is read at once; of the section `bloom`, which is large, a question
 * reads a few kilobytes for each text that it must look up, and none when the words already answer it.
 */
import type { BlockFilter, ReadSection } from './filter.ts'
import { FilterReader } from './filter-reader.ts'
import { decodeWords } from './words-section.ts'
import type { FilterWords } from './words-section.ts'
import { crc32 } from '#/kernel/crc32.ts'
import { Corruption } from '#/kernel/errors.ts'

/** Version of both sections that this code knows. */
export const FILTER_VERSION = 1

/** Where a section lies in its object, as the footer of a block tells it. */
export type FilterSection = {
  readonly version: number
  readonly offset: number
  readonly sizeBytes: number
  readonly crc32: number
}

/** Sections 4 and 5 of a block; undefined where the footer does not name them. */
export type FilterSections = { readonly words: FilterSection | undefined; readonly bloom: FilterSection | undefined }

/** What a filter is read from. `read` takes positions in the object, not in the section. */
export type FilterSource = { readonly pageCount: number; readonly read: ReadSection; readonly file: string }

/**
 * The filters of a block, undefined when it has none or has them in a version that this code does not know: every page then
 * may hold everything. Reads the section `words` whole, with one call of `read`.
 * @throws Corruption, here or from `pagesWith`, when bytes are not what was written; whatever `read` throws.
 */
export async function openBlockFilter(
  sections: FilterSections,
  source: FilterSource,
): Promise<BlockFilter | undefined> {
  const words = await readWords(sections, source)
  return words && sections.bloom && new FilterReader(words, { ...source, bloom: sections.bloom })
}

/** Reads the section `words` only; undefined and errors as of {@link openBlockFilter}. */
export async function readWords(
  { words, bloom }: FilterSections,
  { pageCount, read, file }: FilterSource,
): Promise<FilterWords | undefined> {
  if (words?.version !== FILTER_VERSION || bloom?.version !== FILTER_VERSION) return undefined
  const bytes = await read(words.offset, words.sizeBytes)
  const found = crc32(bytes)
  const origin = { file, offset: words.offset }
  if (bytes.length !== words.sizeBytes || found !== words.crc32) {
    throw new Corruption(origin, `checksum of the words is ${found}, expected ${words.crc32}`)
  }
  return decodeWords(bytes, origin, { pageCount, bloomBytes: bloom.sizeBytes })
}
