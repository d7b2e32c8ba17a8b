/**
 * What queries found in blocks, kept for as long as there is memory: blocks never change, so that nothing kept of them grows old.
 * Three kinds of facts, by block and fragment of a query:
 *
 * - the samples of a leaf, in the window of the block (see ./block-grid.ts);
 * - what groups of streams have in a block;
 * - pages of which no row passes the stages of a selection, one bit for each.
 *
 * Kept are facts about all rows of a block or page. Whoever asks sees to it that no row of it is hidden, as duplicates are, and what
 * delete requests mean.
 */
import type { SamplesResult } from '#/logs/read/scan/scan-job.ts'
import type { CachePart } from '#/platform/memory/caches.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { ownCopy } from './own-copy.ts'

/** One for each job that the block took. */
export type BlockSamples = readonly SamplesResult[]

/** Groups of streams that have rows in a block, and how much each has. */
export type BlockGroups = {
  readonly labels: readonly Labels[]
  readonly rows: Float64Array
  /** Where bytes were asked for. */
  readonly bytes: Float64Array | undefined
}

type Kept =
  | { readonly kind: 'groups'; readonly groups: BlockGroups }
  | { readonly kind: 'samples'; readonly results: BlockSamples; readonly bytes: number }
  | { readonly kind: 'empty pages'; readonly pages: Uint8Array }

export type BlockKey = {
  /** Key of the block in the object store. */
  readonly block: string
  /** Whether its streams have the label of their tenant. */
  readonly showsTenant: boolean
  /** From ./fragment-key.ts. */
  readonly fragment: string
  /** From ./block-grid.ts; undefined for facts without steps. */
  readonly grid: string | undefined
}

export class BlockResults {
  readonly #part: CachePart<object>

  constructor(part: CachePart<object>) {
    this.#part = part
  }

  samples(key: BlockKey): { readonly results: BlockSamples; readonly bytes: number } | undefined {
    const kept = this.#get(key)
    return kept?.kind === 'samples' ? kept : undefined
  }

  /** Returns the bytes that it keeps, 0 when there is no room. */
  keepSamples(key: BlockKey, results: BlockSamples): number {
    const { copy, bytes } = ownCopy(results)
    return this.#set(key, { kind: 'samples', results: copy, bytes }, bytes)
  }

  groups(key: BlockKey): BlockGroups | undefined {
    const kept = this.#get(key)
    return kept?.kind === 'groups' ? kept.groups : undefined
  }

  keepGroups(key: BlockKey, groups: BlockGroups): void {
    const { copy, bytes } = ownCopy(groups)
    this.#set(key, { kind: 'groups', groups: copy }, bytes)
  }

  /** A bit for each page of the block, page 0 in the lowest bit of byte 0: set when none of its rows passes. */
  emptyPages(key: BlockKey): Uint8Array | undefined {
    const kept = this.#get(key)
    return kept?.kind === 'empty pages' ? kept.pages : undefined
  }

  /** Adds to the pages that are known to be empty; returns the bytes that are kept of them. */
  keepEmptyPages(key: BlockKey, pageCount: number, positions: readonly number[]): number {
    const pages = new Uint8Array(Math.ceil(pageCount / 8))
    pages.set(this.#peek(key)?.pages ?? [])
    for (const position of positions) pages[position >> 3]! |= 1 << (position & 7)
    return this.#set(key, { kind: 'empty pages', pages }, pages.byteLength)
  }

  #peek(key: BlockKey): { readonly pages: Uint8Array } | undefined {
    const kept = this.#part.peek(textOf(key)) as Kept | undefined
    return kept?.kind === 'empty pages' ? kept : undefined
  }

  #get(key: BlockKey): Kept | undefined {
    return this.#part.get(textOf(key)) as Kept | undefined
  }

  #set(key: BlockKey, kept: Kept, bytes: number): number {
    return this.#part.set(textOf(key), kept, bytes) ? bytes : 0
  }
}

function textOf({ block, showsTenant, fragment, grid = '' }: BlockKey): string {
  return `${block} ${showsTenant ? 't' : ''} ${fragment} ${grid}`
}
