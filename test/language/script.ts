/** What a language script says, after it has been read. All times are nanoseconds after the script's time 0. */
import type { Labels } from '#/storage/index/label-index.ts'

/** Time 0 of every script: 2026-01-05T10:00:00Z, a multiple of every step that a script uses. */
export const ZERO_NS = 1_767_607_200_000_000_000n

export type ScriptEntry = {
  readonly labels: Labels
  readonly offsetNs: bigint
  readonly line: string
  readonly metadata: Readonly<Record<string, string>>
  /** Held by every source, as replicas do. */
  readonly isRepeated: boolean
}

export type LogMode = {
  readonly kind: 'log'
  readonly limit: number
  readonly direction: 'forward' | 'backward'
  /** Without them the range holds all entries. */
  readonly fromNs: bigint | undefined
  readonly toNs: bigint | undefined
  readonly intervalNs: bigint
}
export type InstantMode = { readonly kind: 'instant'; readonly atNs: bigint }
export type RangeMode = {
  readonly kind: 'range'
  readonly fromNs: bigint
  readonly toNs: bigint
  readonly stepNs: bigint
}
export type Mode = LogMode | InstantMode | RangeMode

export type StreamResult = {
  readonly labels: Labels
  readonly entries: readonly { readonly offsetNs: bigint; readonly line: string }[]
}
/** One value per step; undefined where there is none. A vector is a matrix of one step. */
export type SeriesResult = { readonly labels: Labels; readonly values: readonly (number | undefined)[] }

export type FailMatch = { readonly how: 'equals' | 'contains' | 'matches'; readonly text: string }

export type Expectation =
  | { readonly kind: 'fail'; readonly match: FailMatch }
  | { readonly kind: 'streams'; readonly streams: readonly StreamResult[]; readonly warnings: readonly string[] }
  | {
      readonly kind: 'series'
      readonly series: readonly SeriesResult[]
      readonly isOrdered: boolean
      readonly warnings: readonly string[]
    }
  | { readonly kind: 'scalar'; readonly value: number; readonly warnings: readonly string[] }

export type Eval = {
  /** Line of the `eval`, counted from 1. */
  readonly line: number
  /** The command as it stands in the file. */
  readonly source: string
  readonly spec: string
  /** Why the engine is known not to agree; the eval must fail then. */
  readonly broken: string | undefined
  readonly mode: Mode
  readonly query: string
  readonly expectation: Expectation
  /** Everything loaded above. Evals with the same entries share the array. */
  readonly entries: readonly ScriptEntry[]
}

export type Script = { readonly file: string; readonly evals: readonly Eval[] }
