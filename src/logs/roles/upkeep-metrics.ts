/** The numbers of retention and deletes, read at each scrape; under Loki's names where it counts the same. */
import type { Clock } from '#/kernel/world.ts'
import type { StoredDeletes } from '#/logs/compactor/deletes/delete-requests.ts'
import type { DeleteWork } from '#/logs/compactor/deletes/delete-work.ts'
import type { RetentionWork } from '#/logs/compactor/retention/retention-work.ts'
import type { DeleteRequest } from '#/logs/wire/deletes.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'

type Watched = {
  readonly retention: RetentionWork
  readonly deletes: StoredDeletes
  readonly work: DeleteWork
  readonly clock: Pick<Clock, 'nowMs'>
}

export function watchUpkeep(metrics: Metrics, { retention: { counts }, deletes, work, clock }: Watched): void {
  watchRetention(metrics, counts)
  const open = (): readonly DeleteRequest[] =>
    deletes.tenants().flatMap((tenant) => deletes.list(tenant).filter(({ state }) => state !== 'erased'))
  const byTenant = (value: (tenant: string) => number) => () =>
    deletes.tenants().map((user) => [{ user }, value(user)] as const)
  for (const [name, help, value] of [
    [
      'loki_compactor_delete_requests_received_total',
      'Delete requests.',
      (user: string) => deletes.counts(user).received,
    ],
    [
      'loki_compactor_delete_requests_processed_total',
      'Delete requests whose lines are erased.',
      (user: string) => deletes.counts(user).processed,
    ],
    [
      'loki_compactor_deleted_lines',
      'Lines that delete requests have erased.',
      (user: string) => deletes.counts(user).lines,
    ],
  ] as const) {
    metrics.collected({ kind: 'counter', name, help, labels: ['user'], values: byTenant(value) })
  }
  metrics.gauge({
    name: 'loki_compactor_pending_delete_requests_count',
    help: 'Delete requests whose lines are not erased yet.',
    collect: (one) => one.set(open().length),
  })
  metrics.gauge({
    name: 'edda_delete_requests_overdue',
    help: 'Delete requests whose lines should be erased by now and are not.',
    collect: (one) => one.set(work.overdue),
  })
  metrics.gauge({
    name: 'loki_compactor_oldest_pending_delete_request_age_seconds',
    help: 'Age of the oldest of these.',
    collect: (one) => {
      const oldest = Math.min(...open().map(({ createdMs }) => createdMs))
      one.set(Number.isFinite(oldest) ? (clock.nowMs() - oldest) / 1000 : 0)
    },
  })
}

function watchRetention(metrics: Metrics, counts: RetentionWork['counts']): void {
  metrics.collected({
    kind: 'counter',
    name: 'loki_compactor_apply_retention_operation_total',
    help: 'Looks at what retention has to remove.',
    labels: ['status'],
    values: () => [
      [{ status: 'success' }, counts.looks - counts.failures],
      [{ status: 'failure' }, counts.failures],
    ],
  })
  metrics.gauge({
    name: 'loki_compactor_apply_retention_operation_duration_seconds',
    help: 'Time of the last look.',
    collect: (one) => one.set(counts.lastSeconds),
  })
  metrics.gauge({
    name: 'loki_compactor_apply_retention_last_successful_run_timestamp_seconds',
    help: 'When the last look ended.',
    collect: (one) => one.set(counts.lastDoneMs / 1000),
  })
  metrics.collectedCounter({
    name: 'edda_retention_removed_blocks_total',
    help: 'Blocks that retention removed whole.',
    value: () => counts.blocks,
  })
  metrics.collectedCounter({
    name: 'edda_retention_removed_rows_total',
    help: 'Entries that retention removed.',
    value: () => counts.rows,
  })
  metrics.collectedCounter({
    name: 'edda_retention_removed_bytes_total',
    help: 'Bytes of lines and metadata that retention removed.',
    value: () => counts.bytes,
  })
}
