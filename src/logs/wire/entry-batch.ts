/**
 * A batch of log entries of one tenant, in columns: what the distributor hands to an ingester, and (encoded) what the WAL
 * stores. Between the socket and the head, a line is nothing but a range in `bytes`.
 *
 * Invariants: every row's stream, ranges and metadata names are inside their tables; `time` is in [0, 86400e9); rows are in
 * the order in which the client sent them, which need not be the order of time. All columns have at least `rowCount` rows.
 * Whoever receives a batch owns it until he answers, may write over it, and copies what he wants to keep for longer; who handed it
 * over uses its memory again then.
 */
import type { HashedTexts } from '#/storage/index/text-table.ts'

export type EntryBatch = {
  readonly rowCount: number
  /** Canonical label text `{a="b", c="d"}` of each stream; `stream` refers to it by position. */
  readonly streams: HashedTexts
  readonly stream: Uint32Array
  /** Days since the epoch. */
  readonly day: Int32Array
  /** Nanoseconds since midnight. */
  readonly time: Float64Array
  /** Line of a row: `bytes[lineStart, lineStart + lineLength)`. Ranges may lie anywhere and in any order. */
  readonly bytes: Buffer
  readonly lineStart: Uint32Array
  readonly lineLength: Uint32Array
  /**
   * Structured metadata of a row: `meta[metaStart, metaStart + metaLength)`, a sequence of (uvarint position in `metaNames`,
   * uvarint length, value bytes). A name occurs at most once per row. `detected_level` is one of the names.
   * Ranges may lie anywhere, and rows with equal metadata may share one.
   */
  readonly meta: Buffer
  readonly metaStart: Uint32Array
  readonly metaLength: Uint32Array
  readonly metaNames: readonly string[]
}
