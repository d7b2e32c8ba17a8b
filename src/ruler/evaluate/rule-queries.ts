/** What evaluations ask of an engine: numbers at a time, and the lines behind them. */
import type { Sample } from '#/ruler/model/sample.ts'

export type LinesQuery = {
  readonly query: string
  /** Both included. */
  readonly startNs: bigint
  readonly endNs: bigint
  readonly limit: number
}

export interface RuleQueries {
  /** The vector of a metric query; a scalar is one sample without labels. @throws EddaError as a user's query would. */
  evaluate(tenant: string, query: string, timeNs: bigint, signal: AbortSignal): Promise<readonly Sample[]>
  /** Newest first. */
  newestLines(tenant: string, query: LinesQuery, signal: AbortSignal): Promise<readonly string[]>
}
