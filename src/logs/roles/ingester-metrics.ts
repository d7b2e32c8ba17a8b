/** The ingester's numbers under Loki's names, read at each scrape. */
import type { IngesterStats } from '#/logs/write/ingester/ingester.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'

export type IngesterMetrics = {
  readonly corruption: () => void
  /** Begins to show the numbers of this ingester. */
  readonly watch: (stats: () => IngesterStats) => void
}

export function ingesterMetrics(metrics: Metrics): IngesterMetrics {
  let stats: (() => IngesterStats) | undefined
  const read = (pick: (stats: IngesterStats) => number) => () => (stats === undefined ? 0 : pick(stats()))
  const counter = (name: string, help: string, pick: (stats: IngesterStats) => number): void =>
    metrics.collectedCounter({ name, help, value: read(pick) })
  const gauge = (name: string, help: string, pick: (stats: IngesterStats) => number): void =>
    void metrics.gauge({ name, help, collect: (one) => one.set(read(pick)()) })
  const byTenant = (name: string, help: string, pick: (tenant: IngesterStats['tenants'][number]) => number): void =>
    void metrics.gauge({
      name,
      help,
      labels: ['tenant'],
      collect: (one) => {
        one.reset()
        for (const tenant of stats?.().tenants ?? []) one.set({ tenant: tenant.tenant }, pick(tenant))
      },
    })
  const corruptions = metrics.counter({
    name: 'loki_ingester_wal_corruptions_total',
    help: 'Places in the WAL whose bytes are not what was written.',
  })
  for (const [name, help, pick] of tenantGauges) byTenant(name, help, pick)
  for (const [name, help, pick] of counters) counter(name, help, pick)
  for (const [name, help, pick] of gauges) gauge(name, help, pick)
  metrics.gauge({
    name: 'loki_ingester_chunks_flushed_total',
    help: 'Blocks written, by what made them due.',
    labels: ['reason'],
    collect: (one) => {
      for (const [reason, count] of Object.entries(stats?.().flush.blocks ?? {})) one.set({ reason }, count)
    },
  })
  return {
    corruption: () => corruptions.inc(),
    watch: (source) => {
      stats = source
    },
  }
}

const tenantGauges: readonly [
  name: string,
  help: string,
  pick: (tenant: IngesterStats['tenants'][number]) => number,
][] = [
  ['loki_ingester_memory_streams', 'Active streams.', (t) => t.memoryStreams],
  ['loki_ingester_streams_created_total', 'Streams that became active.', (t) => t.streamsCreated],
  ['loki_ingester_streams_removed_total', 'Streams that are active no more.', (t) => t.streamsRemoved],
  ['loki_ingester_duplicate_log_bytes_total', 'Bytes of exact duplicates that were dropped.', (t) => t.duplicateBytes],
  ['edda_ingester_head_bytes', 'Memory of heads.', (t) => t.headBytes],
  ['edda_ingester_head_rows', 'Entries in heads.', (t) => t.headRows],
]

const counters: readonly [name: string, help: string, pick: (stats: IngesterStats) => number][] = [
  ['loki_ingester_wal_records_logged_total', 'Records written to the WAL.', ({ wal }) => wal.records],
  ['loki_ingester_wal_logged_bytes_total', 'Bytes written to the WAL.', ({ wal }) => wal.recordBytes],
  ['edda_ingester_wal_syncs_total', 'Syncs of the WAL; many pushes share one.', ({ wal }) => wal.syncs],
  ['loki_ingester_wal_disk_full_failures_total', 'Pushes refused by a full disk.', ({ wal }) => wal.rejected],
  ['loki_ingester_wal_recovered_entries_total', 'Entries found at replay.', ({ replay }) => replay.rows],
  ['loki_ingester_wal_recovered_bytes_total', 'Bytes found at replay.', ({ replay }) => replay.bytes],
  [
    'loki_ingester_chunks_flush_failures_total',
    'Flushes that failed and are tried again.',
    ({ flush }) => flush.failures,
  ],
  ['edda_ingester_block_bytes_total', 'Bytes of the blocks written.', ({ flush }) => flush.blockBytes],
  ['edda_ingester_block_raw_bytes_total', 'Bytes of entries in the blocks written.', ({ flush }) => flush.rawBytes],
  ['edda_ingester_block_rows_total', 'Entries in the blocks written.', ({ flush }) => flush.rows],
  ['edda_ingester_memory_rejections_total', 'Pushes refused for lack of memory.', (one) => one.memoryRejections],
]

const gauges: readonly [name: string, help: string, pick: (stats: IngesterStats) => number][] = [
  ['loki_ingester_wal_bytes_in_use', 'Size of the WAL on disk.', ({ wal }) => wal.bytes],
  ['loki_ingester_wal_replay_active', '1 while the WAL is replayed.', ({ replay }) => Number(replay.isActive)],
  ['loki_ingester_wal_replay_duration_seconds', 'Time of the last replay.', ({ replay }) => replay.durationMs / 1000],
  ['loki_ingester_flush_queue_length', 'Heads that wait to be written as blocks.', ({ flush }) => flush.queued],
]
