/**
 * Subqueries: `name in ({…} | … | keep other)`. Before a query runs, the values that each of them finds are filled into its
 * filters. They see the same view of the data as the query around them, in the range of time that the log query or the range
 * aggregation around them reads.
 */
import { assert } from '#/kernel/assert.ts'
import { formatByteSize } from '#/kernel/byte-size.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { membershipsOf } from '#/logs/logql/ast/memberships.ts'
import type { LogExpr } from '#/logs/logql/ast/nodes.ts'
import type { LabelPredicate, MembershipPredicate, StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { printExpr } from '#/logs/logql/format/print.ts'
import { makePlainPlan } from '#/logs/logql/planner/make-plan.ts'
import { optimizePlan } from '#/logs/logql/planner/optimize-plan.ts'
import type { LogPlan, MetricLeaf, MetricPlan } from '#/logs/logql/planner/plan.ts'
import type { TimeRange } from '#/logs/model/day.ts'
import type { QueryRun } from './query-run.ts'
import { runValues, type FoundValues } from './run-values.ts'
import type { View } from './view.ts'

/** Most values that a subquery may find, and their bytes: they are posted with every job, at about 0.7 ms for each 10,000. */
export const MAX_SUBQUERY_VALUES = 10_000
export const MAX_SUBQUERY_BYTES = 1024 * 1024
/** Most different subqueries of a query: each reads data of its own. */
export const MAX_SUBQUERIES = 16
/** A plan whose filters know their values. `key` stands for these in the keys of pipelines; empty when there are none. */
export type FilledPlan<P> = { readonly plan: P; readonly key: string }

/** What was filled in lives as long as its query: the number keeps pipelines of different values apart. */
let fills = 0

/** @throws BadRequest when a subquery finds too much, or fails. */
export async function fillLogPlan(
  run: QueryRun,
  view: View,
  plan: LogPlan,
  range: TimeRange,
): Promise<FilledPlan<LogPlan>> {
  const { selection } = plan
  if (!selection.stages.some(hasSubquery)) return { plan, key: '' }
  const stages = await new Subqueries(run, view).fill(selection.stages, range)
  return { plan: { ...plan, selection: { ...selection, stages } }, key: newKey() }
}

/** `rangeOf` says what a leaf reads, with its window and offset. @throws as {@link fillLogPlan}. */
export async function fillMetricPlan(
  run: QueryRun,
  view: View,
  plan: MetricPlan,
  rangeOf: (leaf: MetricLeaf) => TimeRange,
): Promise<FilledPlan<MetricPlan>> {
  if (!plan.leaves.some(({ stages, unwrap }) => [...stages, ...(unwrap?.filters ?? [])].some(hasSubquery))) {
    return { plan, key: '' }
  }
  const subqueries = new Subqueries(run, view)
  const leaves: MetricLeaf[] = []
  for (const leaf of plan.leaves) {
    const { unwrap } = leaf
    const range = rangeOf(leaf)
    const stages = await subqueries.fill(leaf.stages, range)
    const filters = await subqueries.fill(unwrap?.filters ?? [], range)
    leaves.push({ ...leaf, stages, unwrap: unwrap && { ...unwrap, filters } })
  }
  return { plan: { ...plan, leaves }, key: newKey() }
}

function newKey(): string {
  return ` in ${++fills}`
}

/** The subqueries of one query. Equal ones over the same range run once. */
class Subqueries {
  readonly #run: QueryRun
  readonly #view: View
  readonly #values = new Map<string, readonly string[]>()

  constructor(run: QueryRun, view: View) {
    this.#run = run
    this.#view = view
  }

  async fill<S extends StageNode>(stages: readonly S[], range: TimeRange): Promise<readonly S[]> {
    const filled: S[] = []
    for (const stage of stages) {
      if (!hasSubquery(stage) || stage.kind !== 'label_filter') filled.push(stage)
      else filled.push({ ...stage, filter: await this.#fillPredicate(stage.filter, range) })
    }
    return filled
  }

  async #fillPredicate(predicate: LabelPredicate, range: TimeRange): Promise<LabelPredicate> {
    if (predicate.kind === 'in') return { ...predicate, values: await this.#valuesOf(predicate, range) }
    if (predicate.kind !== 'and' && predicate.kind !== 'or') return predicate
    const terms: LabelPredicate[] = []
    for (const term of predicate.terms) terms.push(await this.#fillPredicate(term, range))
    return { ...predicate, terms }
  }

  async #valuesOf({ name, query }: MembershipPredicate, range: TimeRange): Promise<readonly string[]> {
    const key = `${range.startNs} ${range.endNs} ${printExpr(query)}`
    const known = this.#values.get(key)
    if (known !== undefined) return known
    if (this.#values.size >= MAX_SUBQUERIES) {
      throw new BadRequest(`the query has more than ${MAX_SUBQUERIES} different queries behind 'in'`)
    }
    const values = await this.#find(name, query, range)
    this.#values.set(key, values)
    return values
  }

  /** Subqueries of the subquery come first; the parser bounds how deep they go. */
  async #find(name: string, query: LogExpr, range: TimeRange): Promise<readonly string[]> {
    const label = keptLabel(query)
    const plain = makePlainPlan(query)
    assert(plain.kind === 'logs', 'the plan of a log query is one of logs')
    const stages = await this.fill(plain.selection.stages, range)
    const plan = optimizePlan({ ...plain, selection: { ...plain.selection, stages } })
    assert(plan.kind === 'logs', 'the plan of a log query is one of logs')
    const found = await runValues(this.#run, this.#view, {
      key: `${printExpr(query)}${query.stages.some(hasSubquery) ? newKey() : ''}`,
      selection: plan.selection,
      range,
      label,
      maxValues: MAX_SUBQUERY_VALUES,
      maxBytes: MAX_SUBQUERY_BYTES,
    })
    checkFound(found, `the query behind '${name} in' finds more than`, label)
    return found.values
  }
}

function checkFound({ values, bytes }: FoundValues, start: string, label: string): void {
  const advice = 'add filters or matchers to it, or reduce the time range'
  if (values.length > MAX_SUBQUERY_VALUES) {
    throw new BadRequest(`${start} ${MAX_SUBQUERY_VALUES} values of ${label}; ${advice}`)
  }
  if (bytes > MAX_SUBQUERY_BYTES) {
    throw new BadRequest(`${start} ${formatByteSize(MAX_SUBQUERY_BYTES)} of values of ${label}; ${advice}`)
  }
}

/** The one label that the last stage of a subquery keeps, as the parser has seen to. */
function keptLabel({ stages }: LogExpr): string {
  const last = stages.at(-1)
  assert(last?.kind === 'keep' && last.choices.length === 1, 'a subquery ends with keep and one label')
  return last.choices[0]!.name
}

function hasSubquery(stage: StageNode): boolean {
  return stage.kind === 'label_filter' && membershipsOf(stage.filter).length > 0
}
