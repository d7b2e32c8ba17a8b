/** The compactor's numbers, read at each scrape. */
import type { Compactor } from '#/logs/compactor/schedule/compactor.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'

export function watchCompactor(metrics: Metrics, compactor: Compactor): void {
  const { counts } = compactor
  const { totals, rounds } = counts
  const gauge = (name: string, help: string, value: () => number): void =>
    void metrics.gauge({ name, help, collect: (one) => one.set(value()) })
  metrics.collected({
    kind: 'counter',
    name: 'loki_boltdb_shipper_compact_tables_operation_total',
    help: 'Rounds of compaction.',
    labels: ['status'],
    values: () => [
      [{ status: 'success' }, rounds.done],
      [{ status: 'failure' }, rounds.failed],
    ],
  })
  gauge(
    'loki_boltdb_shipper_compact_tables_operation_duration_seconds',
    'Time of the last round of compaction.',
    () => rounds.lastSeconds,
  )
  gauge(
    'loki_boltdb_shipper_compact_tables_operation_last_successful_run_timestamp_seconds',
    'When a round of compaction last came to its end.',
    () => rounds.lastDoneMs / 1000,
  )
  gauge('loki_boltdb_shipper_compactor_running', '1 where the compactor runs.', () => 1)
  gauge('edda_compactor_merging', '1 while blocks are being merged.', () => (counts.status().merging ? 1 : 0))
  gauge('edda_compactor_without_room', '1 while merges wait for room on the disk.', () =>
    counts.status().withoutRoom === undefined ? 0 : 1,
  )
  gauge('edda_compactor_queue_length', 'Days with blocks to be merged.', () => compactor.status().queue.length)
  gauge('edda_compactor_buried_objects', 'Objects that wait to be deleted.', () => compactor.buried)
  for (const [name, help, value] of [
    ['edda_compactor_merges_total', 'Merges.', () => totals.merges],
    ['edda_compactor_merge_failures_total', 'Merges that failed; their blocks stay.', () => totals.failures],
    ['edda_compactor_merges_postponed_total', 'Merges that found no room on the disk.', () => totals.postponed],
    ['edda_compactor_merge_seconds_total', 'Time that merges took.', () => totals.seconds],
    ['edda_compactor_input_blocks_total', 'Blocks that were merged.', () => totals.inputs],
    ['edda_compactor_output_blocks_total', 'Blocks that were written.', () => totals.outputs],
    ['edda_compactor_input_bytes_total', 'Stored bytes of blocks that were merged.', () => totals.storedBytesBefore],
    ['edda_compactor_output_bytes_total', 'Stored bytes of blocks that were written.', () => totals.storedBytesAfter],
    ['edda_compactor_raw_bytes_total', 'Bytes of the entries of blocks that were merged.', () => totals.bytes],
    ['edda_compactor_rows_total', 'Entries of blocks that were merged.', () => totals.rows],
    ['edda_compactor_duplicates_total', 'Entries that were there twice.', () => totals.duplicates],
    ['edda_compactor_erased_rows_total', 'Entries that deletes and retention took out.', () => totals.erasedRows],
  ] as const) {
    metrics.collectedCounter({ name, help, value })
  }
}
