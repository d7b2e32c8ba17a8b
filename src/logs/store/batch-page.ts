/** A batch as a page, so that a pipeline can run over entries that were just pushed. Its rows may be of several days. */
import { compactBatch } from '#/logs/wire/entry-batch-codec.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import { openHeadPage } from './head-page.ts'
import type { LogPage } from './log-page.ts'

/** Ordinals of streams are positions in `batch.streams`. Of a compact batch nothing is copied but offsets. */
export function openBatchPage(batch: EntryBatch): LogPage {
  const { rowCount, stream, time, bytes, meta, lineStart, lineLength, metaStart, metaLength, metaNames } =
    compactBatch(batch)
  return openHeadPage({
    rowCount,
    stream,
    time,
    lineStart: withEnd(lineStart, lineLength, rowCount),
    lines: bytes,
    metaStart: withEnd(metaStart, metaLength, rowCount),
    meta,
    metaNames,
  })
}

function withEnd(start: Uint32Array, length: Uint32Array, rowCount: number): Uint32Array {
  const offsets = new Uint32Array(rowCount + 1)
  offsets.set(start.subarray(0, rowCount))
  if (rowCount > 0) offsets[rowCount] = start[rowCount - 1]! + length[rowCount - 1]!
  return offsets
}
