/** Hands the samples of recording rules to all receivers that are configured for their tenant, in their order. */
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import { Sender, type SenderNeeds } from '#/ruler/send/sender.ts'
import type { Payload, Receiver } from '#/ruler/send/send-queue.ts'
import { encodeWriteRequest, type WriteSample } from './encode-write.ts'

export type RemoteWriterOptions = SenderNeeds & {
  /** Receivers for a tenant; none: what recording rules give is dropped. */
  readonly clientsOf: (tenant: string) => readonly Receiver[]
  /** Whether requests carry `X-Scope-OrgID`. */
  readonly addsTenant: boolean
  readonly metrics: Metrics
}

const labels = ['tenant', 'remote_name'] as const

const payload: Payload<WriteSample> = {
  what: 'samples',
  headers: {
    'content-type': 'application/x-protobuf',
    'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': '0.1.0',
  },
  encode: encodeWriteRequest,
  // each is worth keeping, however old
  keyOf: (sample) => sample,
  isStale: () => false,
}

export class RemoteWriter {
  readonly #sender: Sender<WriteSample>
  readonly #appended: { readonly inc: (labels: { tenant: string }, count: number) => void }

  constructor({ clientsOf, addsTenant, metrics, ...needs }: RemoteWriterOptions) {
    const counter = (name: string, help: string) =>
      metrics.counter({ name: `loki_ruler_wal_prometheus_remote_storage_${name}`, help, labels })
    const sent = counter('samples_total', 'Samples that a receiver took.')
    const retried = counter('samples_retried_total', 'Samples that were sent again.')
    const failed = counter('samples_failed_total', 'Samples that a receiver refused.')
    const dropped = counter('samples_dropped_total', 'Samples that were given up, because too many waited.')
    this.#appended = metrics.counter({
      name: 'loki_ruler_wal_samples_appended_total',
      help: 'Samples that recording rules gave.',
      labels: ['tenant'] as const,
    })
    this.#sender = new Sender({
      ...needs,
      payload,
      receiversOf: (tenant) =>
        clientsOf(tenant).map((client) => ({
          ...client,
          headers: { ...(addsTenant ? { 'x-scope-orgid': tenant } : {}), ...client.headers },
        })),
      counterOf: (tenant, remote) => {
        const who = { tenant, remote_name: remote }
        return {
          sent: (count) => sent.inc(who, count),
          retried: (count) => retried.inc(who, count),
          refused: (count) => failed.inc(who, count),
          dropped: (count) => dropped.inc(who, count),
        }
      },
    })
    metrics.collected({
      kind: 'gauge',
      name: 'loki_ruler_wal_prometheus_remote_storage_samples_pending',
      help: 'Samples of recording rules that wait for their receiver.',
      labels,
      values: () =>
        this.#sender.lengths().map(({ tenant, receiver, length }) => [{ tenant, remote_name: receiver }, length]),
    })
  }

  write(tenant: string, samples: readonly WriteSample[]): void {
    if (this.#sender.send(tenant, samples) > 0) this.#appended.inc({ tenant }, samples.length)
  }

  /** Lets what waits leave within the time, and gives up the rest. */
  stop(withinMs: number): Promise<void> {
    return this.#sender.stop(withinMs)
  }
}
