/** Wires the live tails of one process, and shows their numbers under Loki's names. */
import { LiveTails, type LiveTailsOptions } from '#/logs/read/tail/live-tails.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'

export function newTails({ metrics, ...options }: LiveTailsOptions & { readonly metrics: Metrics }): LiveTails {
  const tails = new LiveTails(options)
  const gauge = (name: string, help: string, value: () => number): void =>
    void metrics.gauge({ name, help, collect: (one) => one.set(value()) })
  gauge('loki_querier_tail_active', 'Live tails.', () => tails.stats.tails)
  gauge('loki_querier_tail_active_streams', 'Streams that live tails want.', () => tails.stats.streams)
  gauge('edda_tail_bytes', 'Memory of entries that wait for live tails or their readers.', () => tails.stats.bytes)
  metrics.collectedCounter({
    name: 'loki_querier_tail_bytes_total',
    help: 'Bytes of lines sent to live tails.',
    value: () => tails.stats.sentBytes,
  })
  metrics.collectedCounter({
    name: 'edda_tail_dropped_entries_total',
    help: 'Entries that a live tail did not get, because its reader was slow or memory was short.',
    value: () => tails.stats.droppedEntries,
  })
  return tails
}
