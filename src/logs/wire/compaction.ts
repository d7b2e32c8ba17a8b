/** The contract between the API and the compactor, and what the compactor tells of itself. */

export type RunningMerge = {
  readonly tenant: string
  /** Days since the epoch. */
  readonly day: number
  readonly reason: string
  readonly blocks: number
  readonly bytes: number
  readonly startedMs: number
  readonly outputsDone: number
  /** Undefined while it is being planned. */
  readonly outputsPlanned: number | undefined
}

export type FailedMerge = {
  readonly tenant: string
  readonly day: number
  readonly blocks: readonly string[]
  readonly atMs: number
  readonly error: string
}

/** Sums over a round, or since the start. Bytes are raw unless they are called stored. */
export type MergeTotals = {
  readonly merges: number
  readonly inputs: number
  readonly outputs: number
  readonly rows: number
  readonly bytes: number
  readonly storedBytesBefore: number
  readonly storedBytesAfter: number
  readonly duplicates: number
  readonly erasedRows: number
  readonly failures: number
  /** Merges that did not begin, as the disk has no room for what they write. */
  readonly postponed: number
  readonly seconds: number
}

export type CompactionRun = MergeTotals & { readonly startedMs: number; readonly endedMs: number }

export type CompactorStatus = {
  readonly isRunning: boolean
  readonly merging: RunningMerge | undefined
  readonly lastRun: CompactionRun | undefined
  readonly totals: MergeTotals
  /** The next merge of each day that has one. */
  readonly queue: readonly {
    readonly tenant: string
    readonly day: number
    readonly reason: string
    readonly blocks: number
    readonly bytes: number
  }[]
  /** Why merges did not begin in the last round; undefined when all did. */
  readonly withoutRoom: string | undefined
  readonly deletions: { readonly waiting: number; readonly done: number }
  /** Newest last. */
  readonly errors: readonly FailedMerge[]
}

export interface Compaction {
  status(): CompactorStatus
  /** Merges what is due now, of one tenant or all; resolves when that is done, with what was done. */
  runOnce(tenant?: string): Promise<CompactionRun>
}
