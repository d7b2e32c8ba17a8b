/** A batch that outlives the push that it came with. */
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import { copyTexts } from '#/storage/index/text-table.ts'

/** The same entries in memory of their own. */
export function copyBatch(batch: EntryBatch): EntryBatch {
  const { rowCount, bytes, meta } = batch
  return {
    ...batch,
    streams: copyTexts(batch.streams),
    stream: batch.stream.slice(0, rowCount),
    day: batch.day.slice(0, rowCount),
    time: batch.time.slice(0, rowCount),
    bytes: Buffer.from(bytes),
    lineStart: batch.lineStart.slice(0, rowCount),
    lineLength: batch.lineLength.slice(0, rowCount),
    meta: Buffer.from(meta),
    metaStart: batch.metaStart.slice(0, rowCount),
    metaLength: batch.metaLength.slice(0, rowCount),
  }
}
