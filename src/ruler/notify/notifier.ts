/** Hands the alerts of each tenant to all Alertmanagers that are configured for it. */
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import { labelKey } from '#/ruler/model/sample.ts'
import { Sender, type SenderNeeds } from '#/ruler/send/sender.ts'
import type { Payload, Receiver } from '#/ruler/send/send-queue.ts'
import { encodeAlerts, type OutgoingAlert } from './alert.ts'
import { relabel, type RelabelRule } from './relabel.ts'

export type AlertmanagerAddress = {
  /** Without `/api/v2/alerts`. */
  readonly url: string
  /** Credentials. */
  readonly headers: Readonly<Record<string, string>>
}

export type NotifierOptions = SenderNeeds & {
  /** Addresses for a tenant; none: its alerts are only shown by the API. */
  readonly alertmanagersOf: (tenant: string) => readonly AlertmanagerAddress[]
  /** What becomes of the labels of its alerts before they leave. */
  readonly relabelsOf: (tenant: string) => readonly RelabelRule[]
  readonly capacity: number
  readonly timeoutMs: number
  readonly metrics: Metrics
}

/** Alerts in one request. */
const maxBatchAlerts = 256
const minBackoffMs = 1000
const maxBackoffMs = 30_000
/** For so long a resolved alert is worth telling. */
const resolvedRetentionMs = 900_000
const labels = ['user', 'alertmanager'] as const

/** An alert that comes anew takes the place of itself, so that what waits is never older than the last evaluation. */
const payload: Payload<OutgoingAlert> = {
  what: 'alerts',
  headers: { 'content-type': 'application/json' },
  encode: encodeAlerts,
  keyOf: (alert) => labelKey(alert.labels),
  isStale: ({ endsAtMs }, nowMs) => endsAtMs + resolvedRetentionMs <= nowMs,
}

export class Notifier {
  readonly #sender: Sender<OutgoingAlert>
  readonly #relabelsOf: NotifierOptions['relabelsOf']

  constructor({ alertmanagersOf, relabelsOf, capacity, timeoutMs, metrics, ...needs }: NotifierOptions) {
    this.#relabelsOf = relabelsOf
    const counter = (name: string, help: string) =>
      metrics.counter({ name: `loki_prometheus_notifications_${name}`, help, labels })
    const sent = counter('sent_total', 'Alerts that an Alertmanager took.')
    const errors = counter('errors_total', 'Attempts to send an alert that failed.')
    const dropped = counter('dropped_total', 'Alerts that were given up: refused, too many, or too old.')
    const receiverOf = (tenant: string, { url, headers }: AlertmanagerAddress): Receiver => ({
      name: url,
      url: `${url.replace(/\/+$/, '')}/api/v2/alerts`,
      // who shares an Alertmanager between tenants tells them apart by it
      headers: { ...headers, 'x-scope-orgid': tenant },
      timeoutMs,
      capacity,
      maxBatch: Math.min(capacity, maxBatchAlerts),
      deadlineMs: 0,
      minBackoffMs,
      maxBackoffMs,
    })
    this.#sender = new Sender({
      ...needs,
      payload,
      receiversOf: (tenant) => alertmanagersOf(tenant).map((one) => receiverOf(tenant, one)),
      counterOf: (user, alertmanager) => {
        const who = { user, alertmanager }
        return {
          sent: (count) => sent.inc(who, count),
          retried: (count) => errors.inc(who, count),
          refused: (count) => {
            errors.inc(who, count)
            dropped.inc(who, count)
          },
          dropped: (count) => dropped.inc(who, count),
        }
      },
    })
    metrics.collected({
      kind: 'gauge',
      name: 'loki_prometheus_notifications_queue_length',
      help: 'Alerts that wait for an Alertmanager.',
      labels,
      values: () =>
        this.#sender
          .lengths()
          .map(({ tenant, receiver, length }) => [{ user: tenant, alertmanager: receiver }, length]),
    })
  }

  send(tenant: string, alerts: readonly OutgoingAlert[]): void {
    const rules = this.#relabelsOf(tenant)
    const relabelled = alerts.flatMap((alert) => {
      const labels = relabel(alert.labels, rules)
      return labels === undefined ? [] : [{ ...alert, labels }]
    })
    this.#sender.send(tenant, relabelled)
  }

  /** Lets what waits leave within the time, and gives up the rest. */
  stop(withinMs: number): Promise<void> {
    return this.#sender.stop(withinMs)
  }
}
