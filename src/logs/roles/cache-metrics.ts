/** Shows caches under the names that Loki's dashboards know. */
import type { Caches } from '#/platform/memory/caches.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'

export function observeCaches(metrics: Metrics, caches: Caches): void {
  const show = <L extends 'name' | 'cache'>(
    label: L,
    { name, help, kind }: { readonly name: string; readonly help: string; readonly kind: 'gauge' | 'counter' },
    valueOf: (part: Caches['parts'][number]) => number,
  ): void => {
    metrics.collected({
      name,
      help,
      kind,
      labels: [label],
      values: () => caches.parts.map((part) => [{ [label]: part.name } as Record<L, string>, valueOf(part)]),
    })
  }
  show(
    'name',
    { name: 'loki_cache_fetched_keys', help: 'Entries asked for.', kind: 'counter' },
    (part) => part.hits + part.misses,
  )
  show(
    'name',
    { name: 'loki_cache_hits', help: 'Entries asked for that were there.', kind: 'counter' },
    (part) => part.hits,
  )
  show('cache', { name: 'loki_embeddedcache_entries', help: 'Entries kept.', kind: 'gauge' }, (part) => part.entryCount)
  show(
    'cache',
    { name: 'loki_embeddedcache_memory_bytes', help: 'Memory that the entries hold.', kind: 'gauge' },
    (part) => part.sizeBytes,
  )
  show(
    'cache',
    { name: 'loki_embeddedcache_added_new_total', help: 'Entries added.', kind: 'counter' },
    (part) => part.added,
  )
  show(
    'cache',
    { name: 'loki_embeddedcache_evicted_total', help: 'Entries that went for others or for memory.', kind: 'counter' },
    (part) => part.evicted,
  )
}
