/** What is known of the rows that two blocks share: blocks never change, so it is looked for once. */
import type { CachePart } from '#/platform/memory/caches.ts'

/** By position of a page of the later block: a bit for each row that the earlier one has too. Nobody changes the masks. */
export type PairMasks = ReadonlyMap<number, Uint8Array<SharedArrayBuffer>>

/** What an entry costs beside its masks. */
const MAP_BYTES = 64

export class KnownDuplicates {
  readonly #part: CachePart<PairMasks>

  constructor(part: CachePart<PairMasks>) {
    this.#part = part
  }

  /** `earlier` and `later` are keys of blocks, in the order of insertion. */
  get(earlier: string, later: string): PairMasks | undefined {
    return this.#part.get(`${earlier} ${later}`)
  }

  set(earlier: string, later: string, masks: PairMasks): void {
    let bytes = MAP_BYTES
    for (const mask of masks.values()) bytes += mask.byteLength + MAP_BYTES
    this.#part.set(`${earlier} ${later}`, masks, bytes)
  }
}
