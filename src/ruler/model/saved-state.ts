/** What is kept of alerts over restarts, as plain data. Times are milliseconds since the epoch. */
import type { LabelPairs } from './sample.ts'

export type AlertState = 'pending' | 'firing' | 'inactive'

export type SavedAlert = {
  readonly labels: LabelPairs
  readonly annotations: LabelPairs
  readonly value: number
  /** `inactive`: it was firing and is resolved; kept for a while so that everybody learns of it. */
  readonly state: AlertState
  readonly activeAtMs: number
  readonly firedAtMs: number | undefined
  readonly resolvedAtMs: number | undefined
  readonly lastSentMs: number | undefined
  /** Since when the query gives it no more, while it goes on firing. */
  readonly keepFiringSinceMs: number | undefined
  /** Newest lines when it was last told. */
  readonly lines: readonly string[]
}

export type SavedRule = { readonly key: string; readonly alerts: readonly SavedAlert[] }

export type SavedGroup = {
  readonly namespace: string
  readonly group: string
  /** Of the last evaluation. */
  readonly evaluatedMs: number
  readonly rules: readonly SavedRule[]
}

export type SavedStates = { readonly groups: readonly SavedGroup[] }
