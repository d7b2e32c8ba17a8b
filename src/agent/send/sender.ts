/**
 * Sends batches one after another, oldest first, each until it is answered. What is retried: no answer, 429, 5xx, and the
 * answers that say that nobody looked at the batch (401, 403, 404, 405, 408, 425: a wrong URL or a key that ran out must not
 * cost a line). Every other 4xx is the server's judgement on the content: logged, counted, dropped.
 *
 * Invariant: at most `maxPending` batches wait, so that memory stays bounded and a server that is away makes reading pause.
 */
import type { World } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { PushAnswer, PushTransport } from './transport.ts'

export type OutgoingBatch = {
  readonly sequence: number
  readonly lines: number
  readonly bytes: number
  /** The bytes to send; read from disk for batches of an earlier run. */
  readonly body: () => Promise<Buffer>
}

export type SenderOptions = {
  readonly transport: PushTransport
  readonly maxPending: number
  readonly minBackoffMs: number
  readonly maxBackoffMs: number
}

/** What the agent has done since it started. */
export type SendCounts = {
  sentLines: number
  sentBytes: number
  sentBatches: number
  droppedLines: number
  droppedBatches: number
  retries: number
}

/** Longest pause that a server may ask for. */
const maxRetryAfterMs = 300_000
const uninspected = new Set([401, 403, 404, 405, 408, 425, 429])

export class Sender {
  readonly counts: SendCounts = {
    sentLines: 0,
    sentBytes: 0,
    sentBatches: 0,
    droppedLines: 0,
    droppedBatches: 0,
    retries: 0,
  }
  readonly #options: SenderOptions
  readonly #world: World
  readonly #logger: Logger
  readonly #queue: OutgoingBatch[] = []
  readonly #done: (sequence: number) => void
  readonly #stop = new AbortController()
  #waiting: (() => void)[] = []
  #running: Promise<void> | undefined

  /** `done` is called for each batch that needs not be sent again. */
  constructor(options: SenderOptions, world: World, logger: Logger, done: (sequence: number) => void) {
    this.#options = options
    this.#world = world
    this.#logger = logger
    this.#done = done
  }

  get pending(): number {
    return this.#queue.length
  }

  /** Takes a batch at once. Wait for {@link hasRoom} before making another one. */
  enqueue(batch: OutgoingBatch): void {
    this.#queue.push(batch)
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
  }

  /** Resolves when another batch may come, or when the sender is stopped. */
  hasRoom(): Promise<void> {
    return this.#until(() => this.#queue.length < this.#options.maxPending)
  }

  /** Resolves when every batch has been answered, or when the sender is stopped. */
  drained(): Promise<void> {
    return this.#until(() => this.#queue.length === 0)
  }

  /** Gives up what is under way; batches that wait stay on disk. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the agent stops'))
    this.#wake()
    await this.#running
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.#stop.signal.aborted) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  async #run(): Promise<void> {
    for (let batch = this.#queue[0]; batch !== undefined; batch = this.#queue[0]) {
      if (!(await this.#deliver(batch))) return
      this.#queue.shift()
      this.#done(batch.sequence)
      this.#wake()
    }
  }

  /** False when the sender was stopped first. */
  async #deliver(batch: OutgoingBatch): Promise<boolean> {
    const { signal } = this.#stop
    for (let attempt = 0; !signal.aborted; attempt++) {
      const answer = await this.#attempt(batch)
      if (answer !== undefined && !isRetryable(answer.status)) {
        this.#settle(batch, answer)
        return true
      }
      if (signal.aborted) break
      this.counts.retries++
      const pauseMs = this.#pauseMs(attempt, answer?.retryAfterSeconds)
      if (attempt % 10 === 0) this.#complain(answer, pauseMs)
      await this.#world.clock.sleep(pauseMs, signal).catch(() => undefined)
    }
    return false
  }

  /** Undefined when there was no answer. */
  async #attempt(batch: OutgoingBatch): Promise<PushAnswer | undefined> {
    try {
      return await this.#options.transport.push(await batch.body(), this.#stop.signal)
    } catch (error) {
      this.#logger.debug('a push got no answer', { error: String(error) })
      return undefined
    }
  }

  #settle(batch: OutgoingBatch, { status, message }: PushAnswer): void {
    if (status < 400) {
      this.counts.sentBatches++
      this.counts.sentLines += batch.lines
      this.counts.sentBytes += batch.bytes
      return
    }
    this.counts.droppedBatches++
    this.counts.droppedLines += batch.lines
    this.#logger.error('the server refused a batch; what it did not take is dropped', {
      status,
      answer: message,
      lines: batch.lines,
      droppedLines: this.counts.droppedLines,
    })
  }

  #complain(answer: PushAnswer | undefined, pauseMs: number): void {
    this.#logger.warn('a batch was not taken, it will be sent again', {
      ...(answer === undefined ? { reason: 'no answer' } : { status: answer.status, answer: answer.message }),
      pauseMs: Math.round(pauseMs),
      pendingBatches: this.#queue.length,
    })
  }

  /** Doubles from attempt to attempt, with jitter between half and all of it; never less than the server asks for. */
  #pauseMs(attempt: number, retryAfterSeconds: number | undefined): number {
    const { minBackoffMs, maxBackoffMs } = this.#options
    const full = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.min(attempt, 30))
    const jittered = full / 2 + (full / 2) * this.#world.random.next()
    return Math.max(jittered, Math.min(maxRetryAfterMs, (retryAfterSeconds ?? 0) * 1000))
  }
}

function isRetryable(status: number): boolean {
  return status >= 500 || uninspected.has(status)
}
