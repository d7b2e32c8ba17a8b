/** An alert as it leaves for an Alertmanager. */
import type { LabelPairs } from '#/ruler/model/sample.ts'

export type OutgoingAlert = {
  readonly labels: LabelPairs
  readonly annotations: LabelPairs
  readonly startsAtMs: number
  /** In the past: it is resolved. In the future: until when it counts as firing without further word of it. */
  readonly endsAtMs: number
  /** Link to the query. */
  readonly generatorUrl: string
}

/** Alertmanager's `POST /api/v2/alerts`. */
export function encodeAlerts(alerts: readonly OutgoingAlert[]): Buffer {
  const body = alerts.map(({ labels, annotations, startsAtMs, endsAtMs, generatorUrl }) => ({
    labels: Object.fromEntries(labels),
    annotations: Object.fromEntries(annotations),
    startsAt: new Date(startsAtMs).toISOString(),
    endsAt: new Date(endsAtMs).toISOString(),
    ...(generatorUrl === '' ? {} : { generatorURL: generatorUrl }),
  }))
  return Buffer.from(JSON.stringify(body))
}
