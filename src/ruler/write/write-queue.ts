/**
 * Samples of one tenant on their way to one receiver of remote writes, in their order. They wait for a full batch or for
 * `deadlineMs`, whichever comes first; a batch is sent again until it is answered. 4xx but 429 is the receiver's judgement: the
 * batch is dropped and counted. Beyond `capacity` the oldest samples are dropped and counted.
 */
import type { Clock, Random } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import { Backoff, isRetryable } from '#/ruler/send/backoff.ts'
import type { Post, PostAnswer } from '#/ruler/send/http-post.ts'
import { encodeWriteRequest, type WriteSample } from './encode-write.ts'

export type WriteQueueOptions = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  /** Samples. */
  readonly capacity: number
  readonly maxBatch: number
  readonly deadlineMs: number
  readonly minBackoffMs: number
  readonly maxBackoffMs: number
  readonly post: Post
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly count: WriteCounter
}

export type WriteCounter = {
  readonly sent: (samples: number) => void
  readonly retried: (samples: number) => void
  readonly failed: (samples: number) => void
  readonly dropped: (samples: number) => void
}

const protocolHeaders = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
}

export class WriteQueue {
  readonly #options: WriteQueueOptions
  readonly #backoff: Backoff
  readonly #stop = new AbortController()
  /** Aborted when a batch is full, and when waiting makes no sense any more. */
  #hurry = new AbortController()
  #isDraining = false
  #waiting: WriteSample[] = []
  #running: Promise<void> | undefined

  constructor(options: WriteQueueOptions) {
    this.#options = options
    const { minBackoffMs: minMs, maxBackoffMs: maxMs, clock, random } = options
    this.#backoff = new Backoff({ minMs, maxMs, clock, random })
  }

  get length(): number {
    return this.#waiting.length
  }

  add(samples: readonly WriteSample[]): void {
    if (samples.length === 0 || this.#stop.signal.aborted) return
    this.#waiting.push(...samples)
    const { capacity, maxBatch } = this.#options
    const tooMany = this.#waiting.length - capacity
    if (tooMany > 0) {
      this.#waiting = this.#waiting.slice(tooMany)
      this.#options.count.dropped(tooMany)
    }
    if (this.#waiting.length >= maxBatch) this.#hurry.abort()
    this.#wake()
  }

  /** Sends without waiting for more; resolves when nothing waits. */
  async drain(): Promise<void> {
    this.#isDraining = true
    this.#hurry.abort()
    while (this.#running !== undefined) await this.#running
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#hurry.abort()
    await this.#running
    if (this.#waiting.length > 0) this.#options.count.dropped(this.#waiting.length)
    this.#waiting = []
  }

  #wake(): void {
    if (this.#running !== undefined || this.#waiting.length === 0 || this.#stop.signal.aborted) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      // what came when the loop had ended, but not yet this promise
      this.#wake()
    })
  }

  async #run(): Promise<void> {
    const { clock, deadlineMs, maxBatch } = this.#options
    while (this.#waiting.length > 0 && !this.#stop.signal.aborted) {
      if (this.#waiting.length < maxBatch && !this.#isDraining) {
        this.#hurry = new AbortController()
        await clock.sleep(deadlineMs, this.#hurry.signal).catch(() => undefined)
      }
      const batch = this.#waiting.splice(0, maxBatch)
      await this.#deliver(batch)
    }
  }

  async #deliver(batch: readonly WriteSample[]): Promise<void> {
    const { count, logger, url } = this.#options
    const body = encodeWriteRequest(batch)
    for (;;) {
      const answer = await this.#attempt(body)
      if (answer !== undefined && answer.status < 300) {
        this.#backoff.reset()
        return count.sent(batch.length)
      }
      if (answer !== undefined && !isRetryable(answer.status)) {
        logger.error('a receiver refused samples, they are dropped', {
          url,
          status: answer.status,
          answer: answer.message,
          samples: batch.length,
        })
        this.#backoff.reset()
        return count.failed(batch.length)
      }
      if (this.#stop.signal.aborted) return count.dropped(batch.length)
      count.retried(batch.length)
      const reason = answer === undefined ? 'no answer' : `${answer.status} ${answer.message}`
      logger.warn('samples were not taken, they will be sent again', { url, reason, samples: batch.length })
      await this.#backoff.wait(this.#stop.signal, answer?.retryAfterSeconds)
    }
  }

  /** Undefined when there was no answer. */
  async #attempt(body: Buffer): Promise<PostAnswer | undefined> {
    const { url, headers, timeoutMs, post, logger } = this.#options
    try {
      return await post({ url, headers: { ...headers, ...protocolHeaders }, body, timeoutMs }, this.#stop.signal)
    } catch (error) {
      logger.debug('a receiver of samples gave no answer', { url, error: String(error) })
      return undefined
    }
  }
}
