/** Keeps account of merges: what runs, what was done, what failed. */
import type { CompactionRun, CompactorStatus, FailedMerge, MergeTotals, RunningMerge } from '#/logs/wire/compaction.ts'
import type { MergeResult } from '#/logs/compactor/merge/merge-blocks.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'

const MAX_ERRORS = 20

type Totals = { -readonly [K in keyof MergeTotals]: MergeTotals[K] }
type Running = { -readonly [K in keyof RunningMerge]: RunningMerge[K] }
export type Round = { readonly startedMs: number; readonly before: MergeTotals }

export class CompactorCounts {
  readonly totals: Totals = {
    merges: 0,
    inputs: 0,
    outputs: 0,
    rows: 0,
    bytes: 0,
    storedBytesBefore: 0,
    storedBytesAfter: 0,
    duplicates: 0,
    erasedRows: 0,
    failures: 0,
    postponed: 0,
    seconds: 0,
  }
  /** Rounds that came to their end, and those that did not; seconds of the last one. */
  readonly rounds = { done: 0, failed: 0, lastSeconds: 0, lastDoneMs: 0 }
  #isRunning = false
  #merging: Running | undefined
  #lastRun: CompactionRun | undefined
  #withoutRoom: string | undefined
  readonly #errors: FailedMerge[] = []

  get isRunning(): boolean {
    return this.#isRunning
  }

  status(): Omit<CompactorStatus, 'queue' | 'deletions'> {
    return {
      isRunning: this.#isRunning,
      merging: this.#merging && { ...this.#merging },
      lastRun: this.#lastRun,
      totals: { ...this.totals },
      withoutRoom: this.#withoutRoom,
      errors: [...this.#errors],
    }
  }

  beginRound(nowMs: number): Round {
    this.#isRunning = true
    this.#withoutRoom = undefined
    return { startedMs: nowMs, before: { ...this.totals } }
  }

  endRound(
    { startedMs, before }: Round,
    { nowMs, tookMs, isDone }: { readonly nowMs: number; readonly tookMs: number; readonly isDone: boolean },
  ): CompactionRun {
    this.#isRunning = false
    this.rounds[isDone ? 'done' : 'failed']++
    this.rounds.lastSeconds = tookMs / 1000
    if (isDone) this.rounds.lastDoneMs = nowMs
    const sums = { ...this.totals }
    for (const name of Object.keys(sums) as (keyof MergeTotals)[]) sums[name] -= before[name]
    return (this.#lastRun = { ...sums, startedMs, endedMs: nowMs })
  }

  beginMerge(of: {
    readonly tenant: string
    readonly day: number
    readonly reason: string
    readonly inputs: readonly BlockMeta[]
    readonly startedMs: number
  }): Running {
    const { inputs, ...rest } = of
    const bytes = inputs.reduce((sum, { rawBytes }) => sum + rawBytes, 0)
    return (this.#merging = { ...rest, blocks: inputs.length, bytes, outputsDone: 0, outputsPlanned: undefined })
  }

  progress(merge: Running, { outputs, planned }: { readonly outputs: number; readonly planned: number }): void {
    merge.outputsDone = outputs
    merge.outputsPlanned = planned
  }

  endMerge(merge: Running, result: MergeResult | undefined, tookMs: number): void {
    if (this.#merging === merge) this.#merging = undefined
    this.totals.seconds += tookMs / 1000
    if (result === undefined) return
    const { totals } = this
    totals.merges++
    totals.inputs += result.inputs.length
    totals.outputs += result.outputs.length
    totals.duplicates += result.duplicates
    for (const { rows } of result.erased) totals.erasedRows += rows
    for (const { rowCount, rawBytes, sizeBytes } of result.inputs) {
      totals.rows += rowCount
      totals.bytes += rawBytes
      totals.storedBytesBefore += sizeBytes
    }
    for (const { sizeBytes } of result.outputs) totals.storedBytesAfter += sizeBytes
  }

  postponed(why: string): void {
    this.totals.postponed++
    this.#withoutRoom = why
  }

  failed(merge: FailedMerge): void {
    this.totals.failures++
    this.#errors.push(merge)
    if (this.#errors.length > MAX_ERRORS) this.#errors.shift()
  }
}
