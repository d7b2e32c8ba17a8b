/**
 * What delete requests hide of blocks, kept for as long as there is memory: neither a block nor a request ever changes, so that what
 * is kept for the two of them never grows old.
 */
import { rowQuery } from '#/logs/logql/planner/row-query.ts'
import type { Selection } from '#/logs/logql/planner/plan.ts'
import type { HiddenRows } from '#/logs/wire/deletes.ts'
import type { CachePart } from '#/platform/memory/caches.ts'
import type { StreamRuns } from '#/storage/block/contents.ts'
import type { HiddenInBlock } from './source.ts'

/** By position of the page, a bit for each row that is hidden; pages without one are left out. */
export type RowMasks = ReadonlyMap<number, Uint8Array<SharedArrayBuffer>>

/** What several requests together leave of a block; undefined members: everything. */
export type LeftInBlock = {
  readonly hidden: HiddenInBlock | undefined
  readonly runs: StreamRuns | undefined
}

/** A place in a map, estimated. */
const BYTES_PER_MASK = 100
const BYTES_PER_RUN = 32

export class MaskCache {
  readonly #part: CachePart<object>
  readonly #selections = new WeakMap<HiddenRows, Selection>()

  constructor(part: CachePart<object>) {
    this.#part = part
  }

  /** Which rows a request means. */
  selectionOf(request: HiddenRows): Selection {
    let selection = this.#selections.get(request)
    if (selection === undefined) this.#selections.set(request, (selection = rowQuery(request.query)))
    return selection
  }

  masks(block: string, { id }: HiddenRows): RowMasks | undefined {
    return this.#part.get(`${block} ${id}`) as RowMasks | undefined
  }

  keepMasks(block: string, { id }: HiddenRows, masks: RowMasks): void {
    this.#part.set(`${block} ${id}`, masks, bytesOf(masks))
  }

  left(block: string, requests: readonly HiddenRows[]): LeftInBlock | undefined {
    return this.#part.get(leftKey(block, requests)) as LeftInBlock | undefined
  }

  keepLeft(block: string, requests: readonly HiddenRows[], left: LeftInBlock): void {
    const runBytes = (left.runs?.stream.length ?? 0) * BYTES_PER_RUN
    this.#part.set(leftKey(block, requests), left, bytesOf(left.hidden?.masks ?? new Map()) + runBytes)
  }
}

function leftKey(block: string, requests: readonly HiddenRows[]): string {
  return `${block} left ${requests.map(({ id }) => id).join(' ')}`
}

function bytesOf(masks: RowMasks): number {
  let bytes = 0
  for (const mask of masks.values()) bytes += mask.byteLength + BYTES_PER_MASK
  return bytes
}
