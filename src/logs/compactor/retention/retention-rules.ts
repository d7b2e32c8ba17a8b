/**
 * Which rule decides how long the rows of a stream are kept: of the rules whose selectors match it the one of highest priority, among
 * these the one with the shortest period; without any, the period of the tenant. A period of 0 keeps for ever.
 */
import type { Limits } from '#/logs/limits.ts'
import { labelMatchers } from '#/logs/logql/planner/label-matchers.ts'
import { rowQuery } from '#/logs/logql/planner/row-query.ts'
import type { LabelIndex } from '#/storage/index/label-index.ts'

export type RetentionRule = {
  /** Unique among the rules of a tenant, and among erase orders. */
  readonly id: string
  /** Undefined: of all streams that no other rule decides about. */
  readonly selector: string | undefined
  readonly priority: number
  /** 0: for ever. */
  readonly periodMs: number
  /** Selectors of rules that go before this one. */
  readonly unless: readonly string[]
}

export type RetentionLimits = Pick<Limits, 'retention_period' | 'retention_stream'>

/** The key of the configuration that a rule stands under. */
export function ruleName(id: string): string {
  return id === 'retention' ? 'retention_period' : id.startsWith('retention-stream-') ? 'retention_stream' : id
}

/** In the order in which they are asked; the last one is the tenant's period. */
export function retentionRules({ retention_period, retention_stream }: RetentionLimits): readonly RetentionRule[] {
  const ordered = retention_stream.toSorted((a, b) => b.priority - a.priority || a.periodMs - b.periodMs)
  const selectors = ordered.map(({ selector }) => selector)
  const rules = ordered.map(({ selector, priority, periodMs }, i) => ({
    id: `retention-stream-${i}`,
    selector,
    priority,
    periodMs,
    unless: selectors.slice(0, i),
  }))
  const rest = { id: 'retention', selector: undefined, priority: 0, periodMs: retention_period, unless: selectors }
  return [...rules, rest]
}

/** By ordinal, the position of the rule that decides. @throws ParseError when a selector is none. */
export function decideStreams(index: LabelIndex, rules: readonly RetentionRule[]): Uint32Array {
  const decided = new Uint32Array(index.count).fill(rules.length - 1)
  for (const [position, { selector }] of [...rules.entries()].reverse()) {
    if (selector === undefined) continue
    for (const ordinal of index.match(labelMatchers(rowQuery(selector).matchers))) decided[ordinal] = position
  }
  return decided
}
