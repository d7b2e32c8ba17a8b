/**
 * Threads for CPU work: scans, block building, merges. Task files export `run` (see ./task.ts) and Node runs them as they are.
 *
 * The queue is ours, so that it is bounded, knows priorities and lets waiting tasks go; piscina keeps the threads and gets a
 * task only when one is free.
 *
 * Invariants: at most `threads` tasks run; at most `maxWaiting` wait; background tasks never take the last thread (unless there
 * is only one) and are never starved: one of them starts after `queriesPerBackground` queries at the latest.
 *
 * Cancelling: a waiting task leaves at once. A running one sees its `CancelFlag`, and its promise settles when it has let go of
 * its memory; if it does not within `cancelGraceMs`, its thread is killed and replaced.
 */
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'

import { Piscina } from 'piscina'

import { assert } from '#/kernel/assert.ts'
import { EddaError, Unavailable, abortError } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import { CancelFlag, type TaskAnswer, type TaskMessage, fromPlain } from './task.ts'

export type WorkerPoolOptions = {
  readonly clock: Clock
  /** One per core by default. */
  readonly threads?: number
  /** Waiting tasks of both priorities; beyond it `run` is refused. */
  readonly maxWaiting?: number
  readonly cancelGraceMs?: number
  /** Old-generation heap of one thread; buffers do not count. */
  readonly maxHeapMb?: number
}

export type TaskPriority = 'query' | 'background'

export type TaskOptions = {
  readonly priority: TaskPriority
  readonly signal?: AbortSignal | undefined
  /** Buffers of the payload that move to the worker; the caller cannot use them any more. */
  readonly transfer?: readonly ArrayBuffer[]
}

export type WorkerPoolStats = {
  readonly threads: number
  readonly running: number
  readonly waiting: Readonly<Record<TaskPriority, number>>
  /** Seconds that tasks have been running, summed over all threads. */
  readonly busySeconds: number
  readonly completed: number
  readonly crashes: number
}

/** A thread died under a task: out of memory, `process.exit`, an error outside of the task's promise, or killed by us. */
export class WorkerCrashed extends EddaError {
  constructor(task: string, cause: unknown) {
    super('internal', `worker crashed while running ${task}: ${(cause as Error).message}`, { cause })
  }
}

const maxWaitingDefault = 10_000
const cancelGraceMsDefault = 5000
const queriesPerBackground = 4
/** To abort without a reason makes an error with its stack. */
const isDone = 'the task is done'
/** Garbage of a task is short-lived; a thread needs no more room for it than this. */
const youngGenerationMb = 16

type Waiting = {
  readonly priority: TaskPriority
  /** Runs the task; the result settles the promise of its `run`, once the books are in order. Never rejects. */
  readonly start: () => Promise<() => void>
}

export class WorkerPool {
  readonly #clock: Clock
  readonly #piscina: Piscina
  readonly #threads: number
  readonly #maxWaiting: number
  readonly #cancelGraceMs: number
  readonly #waiting: Readonly<Record<TaskPriority, Set<Waiting>>> = { query: new Set(), background: new Set() }
  readonly #running = new Set<Promise<void>>()
  #runningBackground = 0
  #queriesInRow = 0
  #busyMs = 0
  #completed = 0
  #crashes = 0
  #isClosed = false
  readonly #closing = new AbortController()

  constructor(options: WorkerPoolOptions) {
    this.#clock = options.clock
    this.#threads = options.threads ?? availableParallelism()
    this.#maxWaiting = options.maxWaiting ?? maxWaitingDefault
    this.#cancelGraceMs = options.cancelGraceMs ?? cancelGraceMsDefault
    assert(this.#threads > 0, `number of worker threads ${this.#threads} is positive`)
    const resourceLimits = {
      maxYoungGenerationSizeMb: youngGenerationMb,
      ...(options.maxHeapMb === undefined ? {} : { maxOldGenerationSizeMb: options.maxHeapMb }),
    }
    this.#piscina = new Piscina({
      minThreads: 0,
      maxThreads: this.#threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: 1,
      name: 'run',
      resourceLimits,
    })
    // an idle thread that dies is replaced when it is needed; its error has no task to go to
    this.#piscina.on('error', () => void this.#crashes++)
  }

  get threads(): number {
    return this.#threads
  }

  /** The threads that run now, to be looked into. */
  get liveThreads(): readonly Worker[] {
    return this.#piscina.threads
  }

  stats(): WorkerPoolStats {
    return {
      threads: this.#threads,
      running: this.#running.size,
      waiting: { query: this.#waiting.query.size, background: this.#waiting.background.size },
      busySeconds: this.#busyMs / 1000,
      completed: this.#completed,
      crashes: this.#crashes,
    }
  }

  /**
   * Runs the task file (a `file:` URL or a path) with `payload` and gives what its `run` gives.
   * @throws Unavailable when too many tasks wait or the pool is closed; Cancelled or the signal's reason; what the task throws,
   * with its code; WorkerCrashed.
   */
  async run<Out>(task: string | URL, payload: unknown, options: TaskOptions): Promise<Out> {
    const { priority, signal } = options
    if (signal?.aborted) throw abortError(signal)
    if (this.#isClosed) throw new Unavailable('worker pool is closed')
    const waitingCount = this.#waiting.query.size + this.#waiting.background.size
    if (waitingCount >= this.#maxWaiting) {
      throw new Unavailable(`too many tasks wait for a worker thread, the limit is ${this.#maxWaiting}`, {
        retryAfterSeconds: 1,
      })
    }
    const { promise, resolve, reject } = Promise.withResolvers<Out>()
    const queue = this.#waiting[priority]
    const leave = (error: EddaError): void => {
      if (queue.delete(waiting)) reject(error)
    }
    const onAbort = (): void => leave(signal === undefined ? new Unavailable('') : abortError(signal))
    const onClose = (): void => leave(new Unavailable('worker pool is closed'))
    const waiting: Waiting = {
      priority,
      start: () => {
        signal?.removeEventListener('abort', onAbort)
        this.#closing.signal.removeEventListener('abort', onClose)
        return this.#execute<Out>(task, payload, options).then(
          (value) => () => resolve(value),
          (error: unknown) => () => reject(error),
        )
      },
    }
    queue.add(waiting)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#closing.signal.addEventListener('abort', onClose, { once: true })
    this.#startNext()
    return promise
  }

  #startNext(): void {
    while (this.#running.size < this.#threads) {
      const next = this.#next()
      if (next === undefined) return
      const isBackground = next.priority === 'background'
      this.#queriesInRow = isBackground ? 0 : this.#queriesInRow + 1
      this.#runningBackground += isBackground ? 1 : 0
      const startMs = this.#clock.monotonicMs()
      const running: Promise<void> = next.start().then((settle) => {
        this.#busyMs += this.#clock.monotonicMs() - startMs
        this.#completed++
        this.#runningBackground -= isBackground ? 1 : 0
        this.#running.delete(running)
        settle()
        this.#startNext()
      })
      this.#running.add(running)
    }
  }

  #next(): Waiting | undefined {
    const [query] = this.#waiting.query
    const mayRunBackground = this.#runningBackground < Math.max(1, this.#threads - 1)
    const [background] = mayRunBackground ? this.#waiting.background : []
    const isBackgroundDue = query === undefined || this.#queriesInRow >= queriesPerBackground
    const next = background !== undefined && isBackgroundDue ? background : query
    if (next !== undefined) this.#waiting[next.priority].delete(next)
    return next
  }

  async #execute<Out>(task: string | URL, payload: unknown, { signal, transfer }: TaskOptions): Promise<Out> {
    const cancel = new SharedArrayBuffer(4)
    const kill = new AbortController()
    const done = new AbortController()
    const onAbort = (): void => {
      new CancelFlag(cancel).raise()
      this.#clock.sleep(this.#cancelGraceMs, done.signal).then(
        () => kill.abort(),
        () => undefined,
      )
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const message: TaskMessage = { payload, cancel }
      const answer: TaskAnswer | WorkerCrashed = await this.#piscina
        .run(message, {
          filename: pathOf(task),
          signal: kill.signal,
          // piscina takes an array; the type that it declares fits an older Node
          ...(transfer === undefined ? {} : { transferList: [...transfer] as object }),
        })
        .catch((error: unknown) => this.#crashed(task, error))
      if (signal?.aborted) throw abortError(signal)
      if (answer instanceof WorkerCrashed) throw answer
      if ('error' in answer) throw fromPlain(answer.error)
      return answer.value as Out
    } finally {
      signal?.removeEventListener('abort', onAbort)
      done.abort(isDone)
    }
  }

  /** Errors of tasks travel as answers, so whatever piscina rejects with is the end of a thread. */
  #crashed(task: string | URL, cause: unknown): WorkerCrashed {
    this.#crashes++
    return new WorkerCrashed(basename(pathOf(task)), cause)
  }

  /** Refuses waiting tasks, lets running ones finish within `graceMs`, then ends the threads. */
  async close(graceMs = this.#cancelGraceMs): Promise<void> {
    this.#isClosed = true
    this.#closing.abort()
    const late = new AbortController()
    const waitedLong = this.#clock.sleep(graceMs, late.signal).catch(() => undefined)
    await Promise.race([Promise.allSettled(this.#running), waitedLong])
    late.abort()
    await this.#piscina.destroy()
  }
}

function pathOf(task: string | URL): string {
  return task instanceof URL || task.startsWith('file:') ? fileURLToPath(task) : task
}
