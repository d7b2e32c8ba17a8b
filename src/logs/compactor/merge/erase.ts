/**
 * How deletes and retention take rows out of blocks: they order, a merge erases.
 *
 *     1. `Erasures` (deletes and retention implement it) tells the schedule which orders a block has not yet seen: any merge of the
 *        block carries them out, and a block whose orders cannot wait is merged for them alone
 *     2. the orders, plain data, go to the worker thread that merges; there `CompileErasers` makes erasers of them
 *     3. an eraser is opened once for each input block, and then sees each page of it once: it flags the rows that go
 *     4. when outputs have replaced inputs in the catalog, `Erasures.onErased` learns what went
 *
 * Erased rows are in no output: neither in lines nor in filters, patterns or labels. The inputs are deleted after the time that
 * running queries may take (`compactor.delete_delay`).
 */
import type { LogPage } from '#/logs/store/log-page.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import type { CodedLabels } from '#/storage/index/coded-labels.ts'

/** Rows that must go. Plain data: it is posted to worker threads and logged. */
export type EraseOrder = {
  /** Of the delete request or the rule; results are told apart by it. */
  readonly id: string
  /** A log query: a selector, and filters where there are any. The rows that it selects go; '': all rows. */
  readonly query: string
  /** Selectors: rows of their streams stay. */
  readonly unless?: readonly string[]
  /** Nanoseconds since midnight of the block's day, `from` included, `to` not; may lie outside of the day. */
  readonly from: number
  readonly to: number
}

/** Makes erasers in the thread that merges, one for each order, in their order. */
export type CompileErasers = (orders: readonly EraseOrder[]) => readonly RowEraser[]

export interface RowEraser {
  /** `EraseOrder.id`. */
  readonly id: string
  /** Begins with a block, whose `LogPage.stream` are ordinals in `streams`; undefined when none of its streams is concerned. */
  open(streams: CodedLabels): BlockEraser | undefined
}

export interface BlockEraser {
  /**
   * Sets `flags[row]` to 1 for each row of `page` that goes, and never sets one to 0; rows with 1 go already and need not be looked at.
   * May read any column. The page is released by the caller.
   */
  eraseRows(page: LogPage, flags: Uint8Array): void
}

/** What one order has taken out of the inputs of one merge. */
export type ErasedRows = {
  readonly id: string
  readonly rows: number
  /** Of lines and of names and values of metadata. */
  readonly bytes: number
}

/** Where the schedule asks for orders, and reports. */
export interface Erasures {
  /** Orders that may concern rows of this block and have not been carried out on it; none: it need not be merged for them. */
  ordersFor(block: BlockMeta): readonly EraseOrder[]
  /** Whether a block with orders must be written anew for them alone; otherwise they wait for a merge that takes it anyway. */
  cannotWait(block: BlockMeta): boolean
  /**
   * `outputs` have replaced `inputs`, and the `orders` were carried out on all rows of the inputs. Called in the same synchronous
   * step in which queries begin to see the outputs. There is no output when nothing was left. A crash may lose this call:
   * `ordersFor` is then asked about the outputs again, and the merge finds nothing to erase.
   */
  onErased(done: {
    readonly tenant: string
    readonly day: number
    readonly orders: readonly EraseOrder[]
    readonly inputs: readonly BlockMeta[]
    readonly outputs: readonly BlockMeta[]
    readonly erased: readonly ErasedRows[]
  }): void
}
