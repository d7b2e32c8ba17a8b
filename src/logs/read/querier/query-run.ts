/** What belongs to one running query: its signal, its share of memory, its statistics, and the pool that works for it. */
import { formatByteSize } from '#/kernel/byte-size.ts'
import { BadRequest, throwIfAborted, Unavailable } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { HiddenRowsReader } from '#/logs/wire/deletes.ts'
import type { CacheUse, QueryStats } from '#/logs/wire/query.ts'
import type { BlockResults } from '#/logs/read/cache/block-results.ts'
import type { WorkerJob, WorkerResult } from '#/logs/read/scan/scan-job.ts'
import type { ScanPool } from '#/logs/read/scan/scan-pool.ts'
import type { MemoryBudget, Reservation } from '#/platform/memory/memory-budget.ts'
import type { SharedBuffers } from '#/platform/memory/shared-buffers.ts'
import { runJob } from '#/logs/read/scan/run-job.ts'
import type { BlockCache } from './block-cache.ts'
import type { KnownDuplicates } from './known-duplicates.ts'
import type { MaskCache } from './mask-cache.ts'
import { ScanProgress } from './scan-progress.ts'

/** The part of all memory that one query may take. */
const QUERY_SHARE = 0.25
/** How long a query waits for memory that others hold. */
const MEMORY_WAIT_MS = 2000
const MEMORY_RETRY_MS = 50

/** How long a job may keep the main thread. */
const INLINE_LIMIT_MS = 20

/** Ends a job on the main thread that is better done in another. */
class SlowJob extends Error {}

/** Bytes of lines that a job scans: the first one of a log query, and at most. */
export type JobSizes = { readonly firstBytes: number; readonly maxBytes: number }
/** A job that keeps no line has one page of them at a time in memory, so it may scan this many times as many. */
const SAMPLE_JOB_FACTOR = 4

export type QueryRunOptions = {
  readonly jobSizes: JobSizes
  readonly pool: ScanPool
  readonly cache: BlockCache
  /** What is known of blocks; undefined: nothing is to be used or kept. */
  readonly results: BlockResults | undefined
  readonly budget: MemoryBudget
  readonly buffers: SharedBuffers
  readonly deletes: HiddenRowsReader
  readonly masks: MaskCache
  readonly duplicates: KnownDuplicates
  readonly clock: Clock
  readonly signal: AbortSignal
}

export class QueryRun {
  readonly signal: AbortSignal
  readonly cache: BlockCache
  /** Undefined when the query neither uses nor keeps results of blocks. */
  readonly results: BlockResults | undefined
  /** Memory for pages of blocks, leased job by job. */
  readonly buffers: SharedBuffers
  /** What delete requests hide, and what is known of it already. */
  readonly deletes: HiddenRowsReader
  readonly masks: MaskCache
  /** Rows that two blocks share. */
  readonly duplicates: KnownDuplicates
  readonly stats: QueryStats = emptyStats()
  readonly progress = new ScanProgress()
  /** Most bytes that this query may hold. */
  readonly shareBytes: number
  readonly jobSizes: JobSizes
  /** The same for jobs that make samples. */
  readonly sampleJobSizes: JobSizes
  /** Most compressed bytes that a job reads, unless it has a single page. */
  readonly maxReadBytes: number
  /** What templates of the query see as the current time. */
  readonly nowNs: bigint
  readonly #pool: ScanPool
  readonly clock: Clock
  readonly #memory: Reservation
  readonly #startedMs: number
  readonly #blocksRead = new Set<string>()
  readonly #blocksPruned = new Set<string>()
  readonly #blocksFiltered = new Set<string>()
  readonly #blocksProbed = new Set<string>()
  readonly #onFinish: (() => void)[] = []
  readonly #warnings = new Set<string>()

  constructor(options: QueryRunOptions) {
    const { pool, cache, results, budget, buffers, deletes, masks, duplicates, clock, signal, jobSizes } = options
    this.shareBytes = Math.floor(budget.limitBytes * QUERY_SHARE)
    // all jobs at work together, compressed and decompressed, must fit into the share
    const mostBytes = Math.floor(this.shareBytes / (2 * (pool.concurrency + 1)))
    const firstBytes = Math.min(jobSizes.firstBytes, mostBytes)
    this.jobSizes = { firstBytes, maxBytes: Math.min(jobSizes.maxBytes, mostBytes) }
    this.sampleJobSizes = { firstBytes, maxBytes: Math.min(jobSizes.maxBytes, mostBytes * SAMPLE_JOB_FACTOR) }
    this.maxReadBytes = mostBytes
    this.signal = signal
    this.cache = cache
    this.results = results
    this.buffers = buffers
    this.deletes = deletes
    this.masks = masks
    this.duplicates = duplicates
    this.#pool = pool
    this.clock = clock
    this.#memory = budget.reserve('query')
    this.#startedMs = clock.monotonicMs()
    this.nowNs = clock.nowNs()
  }

  get concurrency(): number {
    return this.#pool.concurrency
  }

  /** Whether jobs that are not tiny may read by themselves. */
  get isThreaded(): boolean {
    return this.#pool.isThreaded === true
  }

  /**
   * Tiny jobs are not worth the way to a thread and back. Those that turn out to be slow, as templates can be, begin anew in a
   * thread, so that the main one serves others.
   */
  async runJob(job: WorkerJob, isTiny: boolean): Promise<WorkerResult> {
    throwIfAborted(this.signal)
    this.stats.subqueries++
    if (!isTiny) return this.#pool.run(job, this.signal)
    const deadlineMs = this.clock.monotonicMs() + INLINE_LIMIT_MS
    try {
      return runJob(job, () => {
        if (this.clock.monotonicMs() > deadlineMs) throw new SlowJob()
      })
    } catch (error) {
      if (!(error instanceof SlowJob)) throw error
      return await this.#pool.run(job, this.signal)
    }
  }

  /** Takes memory. @throws BadRequest beyond the query's share, Unavailable when others hold too much for too long. */
  async reserve(bytes: number): Promise<void> {
    if (this.#memory.bytes + bytes > this.shareBytes) {
      throw new BadRequest(
        `the query needs more than the ${formatByteSize(this.shareBytes)} of memory that it may use; ` +
          'reduce the time range or the limit, add matchers or filters, or group by fewer labels',
      )
    }
    for (let waitedMs = 0; !this.#memory.grow(bytes); waitedMs += MEMORY_RETRY_MS) {
      if (waitedMs >= MEMORY_WAIT_MS) {
        throw new Unavailable('no memory is left for queries at this time; retry later', { retryAfterSeconds: 1 })
      }
      await this.clock.sleep(MEMORY_RETRY_MS, this.signal)
    }
  }

  release(bytes: number): void {
    this.#memory.shrink(bytes)
  }

  /** Calls back when the query is over and no thread works for it any more. */
  onFinish(callback: () => void): void {
    this.#onFinish.push(callback)
  }

  /** Tells the user something about the answer; the same text once. */
  warn(text: string): void {
    this.#warnings.add(text)
  }

  get warnings(): readonly string[] {
    return [...this.#warnings]
  }

  /** A block that has nothing for one part of the query; another part may still read it. */
  countBlockPruned(key: string): void {
    this.#blocksPruned.add(key)
  }

  /** A block of which filters or statistics leave no page for one part of the query. */
  countBlockFiltered(key: string): void {
    this.#blocksFiltered.add(key)
  }

  /** A block whose filters were asked. */
  countBlockProbed(key: string): void {
    this.#blocksProbed.add(key)
    this.stats.blocksProbed = this.#blocksProbed.size
  }

  countBlockRead(key: string): void {
    this.#blocksRead.add(key)
    this.stats.blocksRead = this.#blocksRead.size
  }

  /** Gives back all memory and closes the statistics. */
  finish(): QueryStats {
    this.#memory.release()
    for (const callback of this.#onFinish.splice(0)) callback()
    const filtered = this.#blocksFiltered.difference(this.#blocksRead)
    this.stats.blocksByFilter = filtered.size
    this.stats.blocksByIndex = this.#blocksPruned.difference(this.#blocksRead).difference(filtered).size
    this.stats.execSeconds = (this.clock.monotonicMs() - this.#startedMs) / 1000
    return this.stats
  }
}

export function emptyStats(): QueryStats {
  return {
    execSeconds: 0,
    queueSeconds: 0,
    subqueries: 0,
    splits: 0,
    totalEntriesReturned: 0,
    headRows: 0,
    headBytes: 0,
    headMetadataBytes: 0,
    blockRows: 0,
    blockBytes: 0,
    blockMetadataBytes: 0,
    blockCompressedBytes: 0,
    postFilterRows: 0,
    blocksTotal: 0,
    blocksByTime: 0,
    blocksByIndex: 0,
    blocksByFilter: 0,
    blocksProbed: 0,
    blocksRead: 0,
    pagesTotal: 0,
    pagesByIndex: 0,
    pagesRead: 0,
    pagesByFilter: 0,
    pagesWithoutHit: 0,
    headPagesTotal: 0,
    headPagesRead: 0,
    streamsMatched: 0,
    decodedBytes: 0,
    pruneSeconds: 0,
    filterSeconds: 0,
    readSeconds: 0,
    duplicateRows: 0,
    knownSamples: unused(),
    knownPages: unused(),
  }
}

function unused(): CacheUse {
  return { requests: 0, found: 0, stored: 0, bytesFound: 0, bytesStored: 0 }
}
