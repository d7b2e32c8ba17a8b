/**
 * Items of one tenant on their way to one receiver, alerts or samples. They leave in batches, oldest first, one request at a time;
 * a batch that is not full waits `deadlineMs` for company. What is not taken goes back to its place and is sent again, with longer
 * and longer pauses; what is refused is dropped. Beyond `capacity` the oldest that wait are dropped, so that at most `capacity` and
 * one batch are in memory. Each item that is gone was counted once: sent, refused, dropped, or its place was taken by a newer one.
 */
import type { World } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import { Backoff, isRetryable } from './backoff.ts'
import type { Post, PostAnswer } from './http-post.ts'

/** What is sent. */
export type Payload<T> = {
  /** For the log, in the plural: `alerts`. */
  readonly what: string
  readonly headers: Readonly<Record<string, string>>
  readonly encode: (items: readonly T[]) => Buffer
  /** Of the items of a key that wait, the newest is kept. */
  readonly keyOf: (item: T) => unknown
  /** Whether nobody would act on it any more. */
  readonly isStale: (item: T, nowMs: number) => boolean
}

/** Where to, and how patiently. */
export type Receiver = {
  /** In metrics. */
  readonly name: string
  readonly url: string
  /** Credentials and the tenant. */
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  /** Items that wait. */
  readonly capacity: number
  /** Items of a request, at most `capacity`. */
  readonly maxBatch: number
  readonly deadlineMs: number
  readonly minBackoffMs: number
  readonly maxBackoffMs: number
}

/** Items by what became of them; `retried` counts each attempt that failed. */
export type SendCounter = {
  readonly sent: (items: number) => void
  readonly retried: (items: number) => void
  readonly refused: (items: number) => void
  readonly dropped: (items: number) => void
}

export type SendQueueOptions<T> = {
  readonly payload: Payload<T>
  readonly receiver: Receiver
  readonly post: Post
  readonly world: Pick<World, 'clock' | 'random'>
  readonly logger: Logger
  readonly count: SendCounter
}

type Batch<T> = ReadonlyMap<unknown, T>

export class SendQueue<T> {
  readonly #options: SendQueueOptions<T>
  readonly #backoff: Backoff
  readonly #stop = new AbortController()
  /** Aborted when a batch is full, and when waiting for company makes no sense any more. */
  #hurry = new AbortController()
  #isDraining = false
  /** By key, oldest first. */
  #waiting = new Map<unknown, T>()
  #inFlight = 0
  #running: Promise<void> | undefined

  constructor(options: SendQueueOptions<T>) {
    this.#options = options
    const { minBackoffMs: minMs, maxBackoffMs: maxMs } = options.receiver
    this.#backoff = new Backoff({ minMs, maxMs, ...options.world })
  }

  /** Items that wait or are on their way. */
  get length(): number {
    return this.#waiting.size + this.#inFlight
  }

  add(items: readonly T[]): void {
    if (this.#stop.signal.aborted) return
    const { payload, receiver } = this.#options
    for (const item of items) {
      const key = payload.keyOf(item)
      this.#waiting.delete(key)
      this.#waiting.set(key, item)
    }
    this.#dropBeyondCapacity()
    if (this.#waiting.size >= receiver.maxBatch) this.#hurry.abort()
    this.#wake()
  }

  /** Sends without waiting for company; resolves when nothing is left. */
  async drain(): Promise<void> {
    this.#isDraining = true
    this.#hurry.abort()
    while (this.#running !== undefined) await this.#running
  }

  /** Gives up what is left. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#hurry.abort()
    await this.#running
    this.#drop(this.#waiting.size, 'the ruler stops, what still waits is dropped')
    this.#waiting.clear()
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
    let isRepeated = false
    while (this.#waiting.size > 0 && !signal.aborted) {
      if (!isRepeated) await this.#gather()
      this.#dropStale()
      const batch = this.#takeBatch()
      if (batch.size === 0) return
      const answer = await this.#attempt(batch)
      this.#inFlight = 0
      const isFinal = answer !== undefined && !isRetryable(answer.status)
      if (isFinal) this.#settle(batch.size, answer)
      else await this.#putOff(batch, answer)
      isRepeated = !isFinal
    }
  }

  /** Resolves when a batch is full, or none fuller is to be waited for. */
  async #gather(): Promise<void> {
    const { world, receiver } = this.#options
    if (receiver.deadlineMs === 0 || this.#isDraining || this.#waiting.size >= receiver.maxBatch) return
    this.#hurry = new AbortController()
    await world.clock.sleep(receiver.deadlineMs, this.#hurry.signal).catch(() => undefined)
  }

  #takeBatch(): Batch<T> {
    const batch = new Map<unknown, T>()
    for (const [key, item] of this.#waiting) {
      if (batch.size === this.#options.receiver.maxBatch) break
      batch.set(key, item)
      this.#waiting.delete(key)
    }
    this.#inFlight = batch.size
    return batch
  }

  /** Undefined when there was no answer. */
  async #attempt(batch: Batch<T>): Promise<PostAnswer | undefined> {
    const { payload, receiver, post, logger } = this.#options
    const { url, timeoutMs } = receiver
    const headers = { ...receiver.headers, ...payload.headers }
    const body = payload.encode([...batch.values()])
    try {
      return await post({ url, headers, body, timeoutMs }, this.#stop.signal)
    } catch (error) {
      logger.debug(`a receiver of ${payload.what} gave no answer`, { url, error: String(error) })
      return undefined
    }
  }

  #settle(items: number, { status, message }: PostAnswer): void {
    const { count, logger, payload, receiver } = this.#options
    this.#backoff.reset()
    if (status < 300) return count.sent(items)
    count.refused(items)
    const more = { url: receiver.url, status, answer: message, items }
    logger.error(`a receiver refused ${payload.what}, they are dropped`, more)
  }

  async #putOff(batch: Batch<T>, answer: PostAnswer | undefined): Promise<void> {
    const { count, logger, payload, receiver } = this.#options
    // in front of what came in the meantime, which may be newer word of the same
    const waiting = new Map(batch)
    for (const key of this.#waiting.keys()) waiting.delete(key)
    for (const [key, item] of this.#waiting) waiting.set(key, item)
    this.#waiting = waiting
    this.#dropBeyondCapacity()
    if (this.#stop.signal.aborted) return
    count.retried(batch.size)
    const reason = answer === undefined ? 'no answer' : `${answer.status} ${answer.message}`
    const more = { url: receiver.url, reason, waiting: waiting.size }
    logger.warn(`${payload.what} were not taken, they will be sent again`, more)
    await this.#backoff.wait(this.#stop.signal, answer?.retryAfterSeconds)
  }

  #dropStale(): void {
    const { payload, world } = this.#options
    const nowMs = world.clock.nowMs()
    const before = this.#waiting.size
    for (const [key, item] of this.#waiting) if (payload.isStale(item, nowMs)) this.#waiting.delete(key)
    this.#drop(before - this.#waiting.size, 'nobody would act on them any more, they are dropped')
  }

  #dropBeyondCapacity(): void {
    const tooMany = this.#waiting.size - this.#options.receiver.capacity
    if (tooMany <= 0) return
    for (const key of this.#waiting.keys().take(tooMany)) this.#waiting.delete(key)
    this.#drop(tooMany, 'too many wait for their receiver, the oldest are dropped')
  }

  #drop(items: number, why: string): void {
    if (items === 0) return
    const { count, logger, payload, receiver } = this.#options
    count.dropped(items)
    logger.warn(`${payload.what}: ${why}`, { url: receiver.url, items, capacity: receiver.capacity })
  }
}
