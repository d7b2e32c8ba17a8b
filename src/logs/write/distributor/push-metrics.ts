/** What the distributor counts, added once per push. The caller implements it on the process's metrics. */
import type { PushFormat } from '#/logs/write/push/push-columns.ts'

export type PushOrigin = {
  readonly tenant: string
  readonly format: PushFormat
  /** '' when the stream belongs to none. */
  readonly policy: string
  readonly isInternal: boolean
}

export interface PushMetrics {
  /** Everything that was decoded, kept or not. `bytes` are lines and metadata together. */
  received(origin: PushOrigin, lines: number, bytes: number, metadataBytes: number): void
  /** Entries that were refused, by the reason labels of `loki_discarded_samples_total`. */
  discarded(origin: PushOrigin, reason: string, lines: number, bytes: number): void
  /** Entries that were changed, by the reason labels of `loki_mutated_samples_total`; `bytes` is what they lost. */
  mutated(tenant: string, reason: string, lines: number, bytes: number): void
  /** Time that a push is kept waiting because memory fills. */
  paced(seconds: number): void
}

/** For tests, and for processes without metrics. */
export const noPushMetrics: PushMetrics = {
  received: () => undefined,
  discarded: () => undefined,
  mutated: () => undefined,
  paced: () => undefined,
}

/** Counts of one push for the streams of one policy. */
export class PushTally {
  readonly policy: string
  readonly isInternal: boolean
  lines = 0
  bytes = 0
  metadataBytes = 0
  readonly discards = new Map<string, { lines: number; bytes: number }>()

  constructor(policy: string, isInternal: boolean) {
    this.policy = policy
    this.isInternal = isInternal
  }

  receive(lineBytes: number, metadataBytes: number): void {
    this.lines++
    this.bytes += lineBytes + metadataBytes
    this.metadataBytes += metadataBytes
  }

  discard(reason: string, lines: number, bytes: number): void {
    const entry = this.discards.get(reason)
    if (entry === undefined) {
      this.discards.set(reason, { lines, bytes })
    } else {
      entry.lines += lines
      entry.bytes += bytes
    }
  }

  report(metrics: PushMetrics, tenant: string, format: PushFormat): void {
    const origin = { tenant, format, policy: this.policy, isInternal: this.isInternal }
    metrics.received(origin, this.lines, this.bytes, this.metadataBytes)
    for (const [reason, { lines, bytes }] of this.discards) metrics.discarded(origin, reason, lines, bytes)
  }
}
