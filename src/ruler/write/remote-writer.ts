/** Hands the samples of recording rules to all receivers, each tenant with queues of its own. */
import type { World } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import type { Post } from '#/ruler/send/http-post.ts'
import type { WriteSample } from './encode-write.ts'
import type { WriteClient } from './write-clients.ts'
import { WriteQueue } from './write-queue.ts'

export type RemoteWriterOptions = {
  /** Receivers for a tenant; none: what recording rules give is dropped and counted. */
  readonly clientsOf: (tenant: string) => readonly WriteClient[]
  /** Whether requests carry `X-Scope-OrgID`. */
  readonly addsTenant: boolean
  readonly post: Post
  readonly world: Pick<World, 'clock' | 'random'>
  readonly logger: Logger
  readonly metrics: Metrics
}

type Entry = { readonly tenant: string; readonly remote: string; readonly queue: WriteQueue }

const labels = ['tenant', 'remote_name'] as const

export class RemoteWriter {
  readonly #options: RemoteWriterOptions
  readonly #queues = new Map<string, Entry>()
  readonly #counters: ReturnType<typeof writerMetrics>

  constructor(options: RemoteWriterOptions) {
    this.#options = options
    this.#counters = writerMetrics(options.metrics, () => this.#queues.values())
  }

  write(tenant: string, samples: readonly WriteSample[]): void {
    if (samples.length === 0) return
    const clients = this.#options.clientsOf(tenant)
    if (clients.length > 0) this.#counters.appended.inc({ tenant }, samples.length)
    for (const client of clients) this.#queueOf(tenant, client).add(samples)
  }

  /** Lets what waits leave within the time, and gives up the rest. */
  async stop(withinMs: number): Promise<void> {
    const queues = [...this.#queues.values()].map(({ queue }) => queue)
    if (queues.length === 0) return
    const late = new AbortController()
    const drained = Promise.all(queues.map((queue) => queue.drain())).then(() => late.abort())
    await this.#options.world.clock.sleep(withinMs, late.signal).catch(() => undefined)
    await Promise.all(queues.map((queue) => queue.stop()))
    await drained
  }

  #queueOf(tenant: string, client: WriteClient): WriteQueue {
    // a client that was configured anew gets a queue anew
    const key = JSON.stringify([tenant, client])
    const found = this.#queues.get(key)
    if (found !== undefined) return found.queue
    const { addsTenant, post, world, logger } = this.#options
    const { sent, retried, failed, dropped } = this.#counters
    const who = { tenant, remote_name: client.name }
    const queue = new WriteQueue({
      ...client,
      headers: { ...(addsTenant ? { 'x-scope-orgid': tenant } : {}), ...client.headers },
      post,
      ...world,
      logger: logger.with({ tenant, client: client.name }),
      count: {
        sent: (count) => sent.inc(who, count),
        retried: (count) => retried.inc(who, count),
        failed: (count) => failed.inc(who, count),
        dropped: (count) => dropped.inc(who, count),
      },
    })
    this.#queues.set(key, { tenant, remote: client.name, queue })
    return queue
  }
}

function writerMetrics(metrics: Metrics, queues: () => Iterable<Entry>) {
  const counter = (name: string, help: string) =>
    metrics.counter({ name: `loki_ruler_wal_prometheus_remote_storage_${name}`, help, labels })
  metrics.gauge({
    name: 'loki_ruler_wal_prometheus_remote_storage_samples_pending',
    help: 'Samples of recording rules that wait for their receiver.',
    labels,
    collect: (gauge) => {
      for (const { tenant, remote, queue } of queues()) gauge.set({ tenant, remote_name: remote }, queue.length)
    },
  })
  return {
    appended: metrics.counter({
      name: 'loki_ruler_wal_samples_appended_total',
      help: 'Samples that recording rules gave.',
      labels: ['tenant'] as const,
    }),
    sent: counter('samples_total', 'Samples that a receiver took.'),
    retried: counter('samples_retried_total', 'Samples that were sent again.'),
    failed: counter('samples_failed_total', 'Samples that a receiver refused.'),
    dropped: counter('samples_dropped_total', 'Samples that were given up, because too many waited.'),
  }
}
