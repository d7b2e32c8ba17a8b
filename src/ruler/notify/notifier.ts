/** Hands the alerts of each tenant to all Alertmanagers that are configured for it, each with a queue of its own. */
import type { World } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import type { Post } from '#/ruler/send/http-post.ts'
import type { OutgoingAlert } from './alert.ts'
import { AlertQueue } from './alert-queue.ts'

export type AlertmanagerAddress = {
  readonly url: string
  /** Credentials. */
  readonly headers: Readonly<Record<string, string>>
}

export type NotifierOptions = {
  /** Addresses for a tenant; none: its alerts are only shown by the API. */
  readonly alertmanagersOf: (tenant: string) => readonly AlertmanagerAddress[]
  readonly capacity: number
  readonly timeoutMs: number
  readonly post: Post
  readonly world: Pick<World, 'clock' | 'random'>
  readonly logger: Logger
  readonly metrics: Metrics
}

type Queue = { readonly tenant: string; readonly url: string; readonly queue: AlertQueue }

const labels = ['user', 'alertmanager'] as const

export class Notifier {
  readonly #options: NotifierOptions
  readonly #queues = new Map<string, Queue>()
  readonly #counters: ReturnType<typeof notifierMetrics>

  constructor(options: NotifierOptions) {
    this.#options = options
    this.#counters = notifierMetrics(options.metrics, () => this.#queues.values())
  }

  send(tenant: string, alerts: readonly OutgoingAlert[]): void {
    if (alerts.length === 0) return
    for (const one of this.#options.alertmanagersOf(tenant)) this.#queueOf(tenant, one).add(alerts)
  }

  /** Lets what waits leave within the time, and gives up the rest. */
  async stop(withinMs: number): Promise<void> {
    const queues = [...this.#queues.values()].map(({ queue }) => queue)
    if (queues.every(({ length }) => length === 0)) return
    const late = new AbortController()
    const drained = Promise.all(queues.map((queue) => queue.drained())).then(() => late.abort())
    await this.#options.world.clock.sleep(withinMs, late.signal).catch(() => undefined)
    await Promise.all(queues.map((queue) => queue.stop()))
    await drained
  }

  #queueOf(tenant: string, { url, headers }: AlertmanagerAddress): AlertQueue {
    const key = JSON.stringify([tenant, url, headers])
    const found = this.#queues.get(key)
    if (found !== undefined) return found.queue
    const { capacity, timeoutMs, post, world, logger } = this.#options
    const { sent, errors, dropped } = this.#counters
    const who = { user: tenant, alertmanager: url }
    const queue = new AlertQueue({
      url,
      // who shares an Alertmanager between tenants tells them apart by it
      headers: { ...headers, 'x-scope-orgid': tenant },
      capacity,
      timeoutMs,
      post,
      ...world,
      logger: logger.with({ tenant }),
      count: {
        sent: (count) => sent.inc(who, count),
        errors: (count) => errors.inc(who, count),
        dropped: (count) => dropped.inc(who, count),
      },
    })
    this.#queues.set(key, { tenant, url, queue })
    return queue
  }
}

function notifierMetrics(metrics: Metrics, queues: () => Iterable<Queue>) {
  const counter = (name: string, help: string) =>
    metrics.counter({ name: `loki_prometheus_notifications_${name}`, help, labels })
  metrics.gauge({
    name: 'loki_prometheus_notifications_queue_length',
    help: 'Alerts that wait for an Alertmanager.',
    labels,
    collect: (gauge) => {
      for (const { tenant, url, queue } of queues()) gauge.set({ user: tenant, alertmanager: url }, queue.length)
    },
  })
  return {
    sent: counter('sent_total', 'Alerts that an Alertmanager took.'),
    errors: counter('errors_total', 'Attempts to send an alert that failed.'),
    dropped: counter('dropped_total', 'Alerts that were given up: refused, too many, or too old.'),
  }
}
