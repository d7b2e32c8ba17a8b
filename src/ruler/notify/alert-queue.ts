/**
 * Alerts of one tenant on their way to one Alertmanager: sent in batches, oldest first, and again until they are taken. An alert
 * that comes anew takes the place of itself, so what waits is never older than the last evaluation; beyond `capacity` the oldest
 * are dropped. Alerts that nobody would act on any more are dropped too.
 */
import type { Clock, Random } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import { labelKey } from '#/ruler/model/sample.ts'
import { Backoff, isRetryable } from '#/ruler/send/backoff.ts'
import type { Post, PostAnswer } from '#/ruler/send/http-post.ts'
import { encodeAlerts, type OutgoingAlert } from './alert.ts'

export type AlertQueueOptions = {
  /** Of the Alertmanager, without `/api/v2/alerts`. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly capacity: number
  readonly timeoutMs: number
  readonly post: Post
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly count: QueueCounter
}

export type QueueCounter = {
  readonly sent: (alerts: number) => void
  readonly errors: (alerts: number) => void
  readonly dropped: (alerts: number) => void
}

/** Alerts in one request. */
export const maxBatchAlerts = 256
const minBackoffMs = 1000
const maxBackoffMs = 30_000
/** For so long a resolved alert is worth telling. */
const resolvedRetentionMs = 900_000

export class AlertQueue {
  readonly #options: AlertQueueOptions
  readonly #backoff: Backoff
  readonly #stop = new AbortController()
  #waiting = new Map<string, OutgoingAlert>()
  #running: Promise<void> | undefined

  constructor(options: AlertQueueOptions) {
    this.#options = options
    const { clock, random } = options
    this.#backoff = new Backoff({ minMs: minBackoffMs, maxMs: maxBackoffMs, clock, random })
  }

  get length(): number {
    return this.#waiting.size
  }

  add(alerts: readonly OutgoingAlert[]): void {
    if (this.#stop.signal.aborted) return
    for (const alert of alerts) {
      const key = labelKey(alert.labels)
      this.#waiting.delete(key)
      this.#waiting.set(key, alert)
    }
    this.#dropBeyond(this.#options.capacity)
    this.#wake()
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  #wake(): void {
    if (this.#running !== undefined || this.#waiting.size === 0 || this.#stop.signal.aborted) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      // what came when the loop had ended, but not yet this promise
      this.#wake()
    })
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (this.#waiting.size > 0 && !signal.aborted) {
      this.#dropStale()
      const batch = [...this.#waiting].slice(0, maxBatchAlerts)
      if (batch.length === 0) return
      const answer = await this.#attempt(batch.map(([, alert]) => alert))
      if (answer !== undefined && !isRetryable(answer.status)) this.#settle(batch, answer)
      else if (!signal.aborted) await this.#pause(batch.length, answer)
    }
  }

  /** Undefined when there was no answer. */
  async #attempt(alerts: readonly OutgoingAlert[]): Promise<PostAnswer | undefined> {
    const { url, headers, timeoutMs, post, logger } = this.#options
    try {
      return await post(
        {
          url: `${url.replace(/\/+$/, '')}/api/v2/alerts`,
          headers: { ...headers, 'content-type': 'application/json' },
          body: encodeAlerts(alerts),
          timeoutMs,
        },
        this.#stop.signal,
      )
    } catch (error) {
      logger.debug('an Alertmanager gave no answer', { url, error: String(error) })
      return undefined
    }
  }

  #settle(batch: readonly (readonly [string, OutgoingAlert])[], { status, message }: PostAnswer): void {
    // an alert that came anew in the meantime stays
    for (const [key, alert] of batch) if (this.#waiting.get(key) === alert) this.#waiting.delete(key)
    this.#backoff.reset()
    const { count, logger, url } = this.#options
    if (status < 300) return count.sent(batch.length)
    count.errors(batch.length)
    count.dropped(batch.length)
    logger.error('an Alertmanager refused alerts, they are dropped', {
      url,
      status,
      answer: message,
      alerts: batch.length,
    })
  }

  async #pause(alerts: number, answer: PostAnswer | undefined): Promise<void> {
    const { count, logger, url } = this.#options
    count.errors(alerts)
    const reason = answer === undefined ? 'no answer' : `${answer.status} ${answer.message}`
    logger.warn('alerts were not taken, they will be sent again', { url, reason, alerts: this.#waiting.size })
    await this.#backoff.wait(this.#stop.signal, answer?.retryAfterSeconds)
  }

  #dropStale(): void {
    const nowMs = this.#options.clock.nowMs()
    let dropped = 0
    for (const [key, { endsAtMs }] of this.#waiting) {
      if (endsAtMs + resolvedRetentionMs > nowMs) continue
      this.#waiting.delete(key)
      dropped++
    }
    if (dropped > 0) this.#options.count.dropped(dropped)
  }

  #dropBeyond(capacity: number): void {
    let dropped = 0
    for (const key of this.#waiting.keys()) {
      if (this.#waiting.size <= capacity) break
      this.#waiting.delete(key)
      dropped++
    }
    if (dropped === 0) return
    this.#options.count.dropped(dropped)
    this.#options.logger.warn('too many alerts wait for an Alertmanager, the oldest are dropped', {
      url: this.#options.url,
      dropped,
      capacity,
    })
  }
}
