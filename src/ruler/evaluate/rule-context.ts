/** What rules need of the world around them. */
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { TextMap } from '#/ruler/model/rule-group.ts'
import type { RuleQueries } from './rule-queries.ts'

export type RuleContext = {
  readonly tenant: string
  readonly queries: RuleQueries
  readonly logger: Logger
  readonly externalLabels: TextMap
  readonly externalUrl: string
  /** A page that shows what a query gives; '' when there is none. */
  readonly linkTo: (expr: string, startMs: number, endMs: number) => string
  /** Pause until a firing alert is told again. */
  readonly resendDelayMs: number
  /** Log lines that an alert may carry. */
  readonly lineCount: number
}

export type EvaluationTime = {
  readonly atMs: number
  /** At which the query looks: earlier by the group's `query_offset`. */
  readonly queryNs: bigint
}
