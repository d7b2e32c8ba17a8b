/**
 * What a debugger would ask of a running process: CPU profiles of its threads, and heap snapshots of the one that serves requests.
 * Each costs time and memory, so that one runs at a time, and a snapshot needs room for itself.
 *
 * Worker threads give no snapshots: one that outlives its thread takes the whole process with it (Node 26.10), and threads may be
 * ended at any time. Most of what they hold is in buffers anyway.
 */
import type { Readable } from 'node:stream'
import { getHeapSnapshot, getHeapStatistics, startCpuProfile } from 'node:v8'
import type { Worker } from 'node:worker_threads'

import { NotFound, Unavailable } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'

/** The thread that serves requests; worker threads count from 1. */
export const mainThread = 0

/** Time between two looks at the stack, microseconds. */
const sampleIntervalUs = 1000
/** Bytes of heap in use × this is what a snapshot may take while it is made. */
const snapshotGrowth = 3
const retryAfterSeconds = 10

export type DebugDeps = {
  readonly clock: Clock
  /** Worker threads that run now. */
  readonly workers: () => readonly Worker[]
  /** Memory that the process may still take, bytes. */
  readonly availableBytes: () => number
}

export type ThreadReport = {
  readonly thread: number
  /** Bytes of the heap in use, and allocated for it. */
  readonly heapUsedBytes: number
  readonly heapBytes: number
  readonly externalBytes: number
  /** Time that the thread was on a CPU since its start. */
  readonly cpuSeconds: number
}

export class DebugTools {
  readonly #deps: DebugDeps
  #running: string | undefined

  constructor(deps: DebugDeps) {
    this.#deps = deps
  }

  /** A profile in the format of Chrome's developer tools. @throws Unavailable while another tool runs; NotFound for no thread. */
  async cpuProfile(thread: number, durationMs: number, signal: AbortSignal): Promise<string> {
    using _turn = this.#begin('a CPU profile')
    const { clock } = this.#deps
    const options = {
      sampleInterval: sampleIntervalUs,
      maxBufferSize: Math.ceil((durationMs * 2000) / sampleIntervalUs),
    }
    const profile =
      thread === mainThread ? startCpuProfile(options) : await this.#worker(thread).startCpuProfile(options)
    try {
      await clock.sleep(durationMs, signal)
    } catch (error) {
      await profile.stop()
      throw error
    }
    return (await profile.stop()) ?? '{}'
  }

  /**
   * A heap snapshot of the main thread as it is written; the thread stands still while it is taken. Whoever gets it reads or destroys
   * it. @throws Unavailable while another tool runs or memory is short.
   */
  heapSnapshot(): Readable {
    const turn = this.#begin('a heap snapshot')
    try {
      const { used_heap_size: used } = getHeapStatistics()
      const needed = used * snapshotGrowth
      const available = this.#deps.availableBytes()
      if (available < needed) {
        throw new Unavailable(
          `a snapshot of ${used} bytes of heap may take ${needed} bytes of memory, ${available} are free`,
          { retryAfterSeconds },
        )
      }
      return getHeapSnapshot().once('close', () => turn[Symbol.dispose]())
    } catch (error) {
      turn[Symbol.dispose]()
      throw error
    }
  }

  /** Worker threads, in the order of their numbers. */
  async threads(): Promise<readonly ThreadReport[]> {
    const reports = this.#deps.workers().map(async (worker): Promise<ThreadReport | undefined> => {
      // a thread that ends between the question and the answer is left out
      const [heap, cpu] = await Promise.all([worker.getHeapStatistics(), worker.cpuUsage()]).catch(() => [])
      if (heap === undefined || cpu === undefined) return undefined
      const { used_heap_size: heapUsedBytes, total_heap_size: heapBytes, external_memory: externalBytes } = heap
      const cpuSeconds = (cpu.user + cpu.system) / 1e6
      return { thread: worker.threadId, heapUsedBytes, heapBytes, externalBytes, cpuSeconds }
    })
    return (await Promise.all(reports)).filter((one) => one !== undefined).toSorted((a, b) => a.thread - b.thread)
  }

  #begin(name: string): Disposable {
    if (this.#running !== undefined) {
      throw new Unavailable(`${this.#running} is being taken, one at a time`, { retryAfterSeconds })
    }
    this.#running = name
    return { [Symbol.dispose]: () => (this.#running = undefined) }
  }

  #worker(thread: number): Worker {
    const found = this.#deps.workers().find(({ threadId }) => threadId === thread)
    if (found === undefined) throw new NotFound(`there is no thread ${thread}`)
    return found
  }
}
