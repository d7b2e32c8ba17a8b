/**
 * What the filters of a block promise. A filter says for every page of the block whether it may hold a text: it may say yes
 * where the answer is no, never no where the answer is yes. Layout and algorithm: docs/formats/block-v1.md.
 */

/** A condition on a page as a whole: without it no row of the page can be wanted. Plain data that can be posted. */
export type PageCondition =
  /** Some line holds `text` as a substring. `anyCase`: under Unicode's simple folding, as `(?i)` of regular expressions has it. */
  | { readonly kind: 'text'; readonly text: string; readonly anyCase: boolean }
  /** Some row has structured metadata `name` with exactly this value, which is not empty. */
  | { readonly kind: 'value'; readonly name: string; readonly value: string }
  /** One of them holds; none when empty. */
  | { readonly kind: 'any'; readonly of: readonly PageCondition[] }
  /** All of them hold; any page when empty. */
  | { readonly kind: 'all'; readonly of: readonly PageCondition[] }

/** A set of pages: bit `page & 7` of byte `page >> 3`. Bits beyond the last page are 0. */
export type PageBits = Uint8Array

/** Reads a part of a section; what it returns is valid until the next turn of the event loop at least. */
export type ReadSection = (offset: number, sizeBytes: number) => Promise<Uint8Array>

/** The filters of one block. Reads from storage no more than the rows that a condition needs. */
export interface BlockFilter {
  readonly pageCount: number
  /** What the open filter holds in memory (directories, words), not what `ReadSection` may cache. */
  readonly memoryBytes: number
  /** Pages on which `condition` may hold: all that hold it, and few others. @throws Corruption. */
  pagesWith(condition: PageCondition): Promise<PageBits>
}
