/** Wires the distributor: checks and limits in front of the ingester of this process. */
import type { EddaError } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { LimitsOf } from '#/logs/limits.ts'
import type { IngesterWriter } from '#/logs/wire/head-view.ts'
import { Distributor } from '#/logs/write/distributor/distributor.ts'
import type { PushMetrics, PushOrigin } from '#/logs/write/distributor/push-metrics.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'

export type DistributorNeeds = {
  readonly clock: Clock
  readonly metrics: Metrics
  readonly limitsOf: LimitsOf
  readonly ingester: IngesterWriter
  readonly refusal: () => EddaError | undefined
}

export function newDistributor(maxInflightBytes: number, needs: DistributorNeeds): Distributor {
  const { clock, limitsOf, ingester, metrics, refusal } = needs
  return new Distributor({ clock, limitsOf, ingester, maxInflightBytes, metrics: pushMetrics(metrics), refusal })
}

const receivedLabels = ['tenant', 'retention_hours', 'is_internal_stream', 'policy', 'format'] as const
const discardedLabels = ['reason', 'tenant', 'retention_hours', 'policy', 'format'] as const

function pushMetrics(metrics: Metrics): PushMetrics {
  const received = (name: string, help: string) => metrics.counter({ name, help, labels: receivedLabels })
  const bytes = received('loki_distributor_bytes_received_total', 'Bytes of lines and metadata received.')
  const lines = received('loki_distributor_lines_received_total', 'Lines received.')
  const metadata = received('loki_distributor_structured_metadata_bytes_received_total', 'Bytes of metadata received.')
  const discarded = (name: string, help: string) => metrics.counter({ name, help, labels: discardedLabels })
  const lostLines = discarded('loki_discarded_samples_total', 'Entries refused.')
  const lostBytes = discarded('loki_discarded_bytes_total', 'Bytes of entries refused.')
  const changed = (name: string, help: string) => metrics.counter({ name, help, labels: ['reason', 'tenant'] as const })
  const changedLines = changed('loki_mutated_samples_total', 'Entries changed on their way in.')
  const changedBytes = changed('loki_mutated_bytes_total', 'Bytes cut from entries.')
  const paced = metrics.counter({
    name: 'edda_distributor_push_wait_seconds_total',
    help: 'Time that pushes were kept waiting because memory filled faster than blocks were written.',
  })
  const labels = ({ tenant, policy, format, isInternal }: PushOrigin) => ({
    tenant,
    policy,
    format,
    retention_hours: '',
    is_internal_stream: String(isInternal),
  })
  return {
    received: (origin, lineCount, byteCount, metadataBytes) => {
      bytes.inc(labels(origin), byteCount)
      lines.inc(labels(origin), lineCount)
      metadata.inc(labels(origin), metadataBytes)
    },
    discarded: ({ tenant, policy, format }, reason, lineCount, byteCount) => {
      lostLines.inc({ reason, tenant, policy, format, retention_hours: '' }, lineCount)
      lostBytes.inc({ reason, tenant, policy, format, retention_hours: '' }, byteCount)
    },
    mutated: (tenant, reason, lineCount, byteCount) => {
      changedLines.inc({ reason, tenant }, lineCount)
      changedBytes.inc({ reason, tenant }, byteCount)
    },
    paced: (seconds) => paced.inc({}, seconds),
  }
}
