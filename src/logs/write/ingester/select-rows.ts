/** A batch with some of the rows of another. */
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'

/** Rows at `kept`, ascending. Lines, metadata and tables are shared with `batch`. */
export function selectRows(batch: EntryBatch, kept: readonly number[]): EntryBatch {
  const pick = (column: Uint32Array): Uint32Array => Uint32Array.from(kept, (row) => column[row]!)
  return {
    ...batch,
    rowCount: kept.length,
    stream: pick(batch.stream),
    day: Int32Array.from(kept, (row) => batch.day[row]!),
    time: Float64Array.from(kept, (row) => batch.time[row]!),
    lineStart: pick(batch.lineStart),
    lineLength: pick(batch.lineLength),
    metaStart: pick(batch.metaStart),
    metaLength: pick(batch.metaLength),
  }
}
