/** Metrics of the platform's parts. */
import type { DiskSpace } from '#/platform/disk-space/disk-space.ts'
import type { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import type { StoreObserver } from '#/platform/objstore/metered.ts'
import { type Metrics, requestSeconds } from '#/platform/telemetry/metrics.ts'
import type { WorkerPool } from '#/platform/workers/worker-pool.ts'

export function observeBudget(metrics: Metrics, budget: MemoryBudget): void {
  metrics.gauge({
    name: 'edda_memory_limit_bytes',
    help: 'Setting `memory_limit`.',
    collect: (gauge) => gauge.set(budget.limitBytes),
  })
  metrics.gauge({
    name: 'edda_memory_used_bytes',
    help: 'Memory that heads, caches and queries have reserved.',
    collect: (gauge) => gauge.set(budget.usedBytes),
  })
}

export function observeSpace(metrics: Metrics, space: DiskSpace): void {
  metrics.gauge({
    name: 'edda_disk_free_bytes',
    help: 'Free space of the disk, as of the last look.',
    labels: ['disk'] as const,
    collect: (gauge) => {
      for (const { name, freeBytes } of space.volumes()) gauge.set({ disk: name }, freeBytes)
    },
  })
  metrics.gauge({
    name: 'edda_disk_low',
    help: '1 while the disk has less than `disk_space.low_free`.',
    labels: ['disk'] as const,
    collect: (gauge) => {
      for (const { name, state } of space.volumes()) gauge.set({ disk: name }, Number(state !== 'enough'))
    },
  })
  metrics.gauge({
    name: 'edda_read_only',
    help: '1 while new entries are refused because a disk is nearly full.',
    collect: (gauge) => gauge.set(Number(space.refusal !== undefined)),
  })
}

export function observeWorkers(metrics: Metrics, pool: WorkerPool): void {
  const gauge = (name: string, help: string, value: () => number): void =>
    void metrics.gauge({ name, help, collect: (one) => one.set(value()) })
  gauge('edda_workers_threads', 'Worker threads.', () => pool.stats().threads)
  gauge('edda_workers_running', 'Tasks that run.', () => pool.stats().running)
  metrics.gauge({
    name: 'edda_workers_waiting',
    help: 'Tasks that wait for a thread.',
    labels: ['priority'] as const,
    collect: (one) => {
      for (const [priority, count] of Object.entries(pool.stats().waiting)) one.set({ priority }, count)
    },
  })
  metrics.collectedCounter({
    name: 'edda_workers_busy_seconds_total',
    help: 'Time that tasks have run.',
    value: () => pool.stats().busySeconds,
  })
  metrics.collectedCounter({
    name: 'edda_workers_crashes_total',
    help: 'Threads that died under a task.',
    value: () => pool.stats().crashes,
  })
}

export function storeObserver(metrics: Metrics): StoreObserver {
  const labels = ['operation'] as const
  const seconds = metrics.histogram({
    name: 'loki_objstore_bucket_operation_duration_seconds',
    help: 'Time of operations on the object store.',
    labels,
    buckets: requestSeconds,
  })
  const failures = metrics.counter({
    name: 'loki_objstore_bucket_operation_failures_total',
    help: 'Operations on the object store that failed.',
    labels,
  })
  const bytes = metrics.counter({
    name: 'edda_objstore_bytes_total',
    help: 'Bytes of object contents read and written.',
    labels,
  })
  return {
    operation: (operation, duration, size, error) => {
      seconds.observe({ operation }, duration)
      if (error !== undefined) failures.inc({ operation })
      bytes.inc({ operation }, size)
    },
  }
}
