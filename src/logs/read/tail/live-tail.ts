/** One tail from its opening to its end: the history first, then what comes. */
import type { Clock } from '#/kernel/world.ts'
import { dayOf, timeInDay } from '#/logs/model/day.ts'
import { sortLabels } from '#/logs/model/labels.ts'
import type { Limits } from '#/logs/limits.ts'
import type { QueryFrontend, ResultStream } from '#/logs/wire/query.ts'
import { type Tail, TailEnded, type TailFrame, type TailQuery } from '#/logs/wire/tail.ts'
import { labelBytes } from './label-sets.ts'
import { LiveEntry } from './live-entry.ts'
import type { LiveQuery } from './live-query.ts'
import type { TailMemory } from './tail-memory.ts'
import { TailSession } from './tail-session.ts'
import type { TenantFeed } from './tenant-feed.ts'

export type LiveTailOptions = {
  readonly query: TailQuery
  readonly live: LiveQuery
  readonly feed: TenantFeed
  readonly memory: TailMemory
  readonly frontend: Pick<QueryFrontend, 'range'>
  readonly clock: Clock
  readonly limits: Limits
  readonly maxDurationMs: number
  readonly onDropped: () => void
  /** Told of the characters of lines in each frame. */
  readonly onSent: (characters: number) => void
  /** Called once, when the tail takes nothing any more. */
  readonly onEnd: () => void
}

export class LiveTail implements Tail {
  readonly live: LiveQuery
  readonly feed: TenantFeed
  readonly #options: LiveTailOptions
  readonly #session: TailSession
  readonly #endsMs: number
  readonly #over = new AbortController()
  #reason: TailEnded | undefined
  #isRead = false

  constructor(options: LiveTailOptions) {
    const { live, feed, clock, memory, query, onDropped } = options
    this.#options = options
    this.live = live
    this.feed = feed
    this.#endsMs = clock.monotonicMs() + options.maxDurationMs
    this.#session = new TailSession({
      memory,
      delayMs: query.delayMs,
      nowNs: () => clock.nowNs(),
      nowMs: () => clock.monotonicMs(),
      sinceBatch: feed.lastBatch,
      onDropped,
    })
    live.sessions.add(this.#session)
  }

  get tenant(): string {
    return this.#options.query.tenant
  }

  async *frames(): AsyncGenerator<TailFrame> {
    this.#isRead = true
    try {
      await this.#readHistory()
      for (;;) {
        const frame = this.#session.takeFrame()
        if (frame !== undefined) {
          this.#options.onSent(frame.entries.reduce((sum, { line }) => sum + line.length, 0))
          yield frame
        } else if (this.#over.signal.aborted) break
        else await this.#session.wait()
      }
      if (this.#reason !== undefined) throw this.#reason
    } finally {
      this.close()
      this.#session.end()
    }
  }

  async #readHistory(): Promise<void> {
    const { query, frontend, feed, clock, limits } = this.#options
    try {
      const endNs = historyEnd(query.startNs, clock.nowNs(), limits)
      const asked = { ...query, endNs, stepNs: 1_000_000_000n, intervalNs: 0n, direction: 'backward' } as const
      const { data } = await frontend.range(asked, this.#over.signal)
      this.#session.beginLive(data.kind === 'streams' ? oldestFirst(data.categorized) : [])
      feed.afterQueued(() => this.#session.endSeam())
    } catch (error) {
      this.end(error instanceof TailEnded ? error : new TailEnded((error as Error).message, { cause: error }))
    }
  }

  /** True when its reader was woken. */
  deliver(): boolean {
    const isWaitedFor = this.#session.isWaitedFor
    this.#session.release()
    return isWaitedFor && !this.#session.isWaitedFor
  }

  checkDuration(nowMs: number): void {
    if (nowMs >= this.#endsMs) this.end(new TailEnded('reached tail max duration limit'))
  }

  close(): void {
    this.end(undefined)
  }

  /** The first reason counts. What is ready still reaches the reader. */
  end(reason: TailEnded | undefined): void {
    if (this.#over.signal.aborted) return
    this.#reason = reason
    this.live.sessions.delete(this.#session)
    this.#over.abort(reason)
    if (this.#isRead) this.#session.wake()
    else this.#session.end()
    this.#options.onEnd()
  }
}

/** Where the history ends: it has entries of the future, too, as they are told of only once. */
function historyEnd(startNs: bigint, nowNs: bigint, limits: Limits): bigint {
  const endNs = nowNs + BigInt(Math.round(limits.creation_grace_period * 1e6))
  const lengthNs = BigInt(Math.round(limits.max_query_length * 1e6))
  if (lengthNs === 0n || endNs - startNs <= lengthNs) return endNs
  // not the few minutes ahead may make a range too long
  return startNs + lengthNs > nowNs ? startNs + lengthNs : nowNs
}

/** The entries of a backward answer in the order of time. */
function oldestFirst(streams: readonly ResultStream[]): LiveEntry[] {
  const found = streams.flatMap(({ labels, entries }) => entries.toReversed().map((entry) => ({ labels, entry })))
  found.sort((a, b) => (a.entry.timeNs < b.entry.timeNs ? -1 : a.entry.timeNs > b.entry.timeNs ? 1 : 0))
  return found.map(({ labels: stream, entry }, index) => {
    const { timeNs, line, structuredMetadata, parsed } = entry
    const all = sortLabels([...stream, ...structuredMetadata, ...parsed])
    const labels = { all, stream, structuredMetadata, parsed }
    const time = { day: dayOf(timeNs), time: timeInDay(timeNs) }
    return new LiveEntry(time, line.toString('utf8'), labels, index - found.length, labelBytes(all))
  })
}
