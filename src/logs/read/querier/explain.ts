/** How a query would be answered at this time: its plan, and from the indexes what would be read for it. No entry is read. */
import { formatGoDuration } from '#/kernel/duration.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { membershipsOf } from '#/logs/logql/ast/memberships.ts'
import { printSelector } from '#/logs/logql/ast/literals.ts'
import { printExpr } from '#/logs/logql/format/print.ts'
import { compilePipeline } from '#/logs/logql/pipeline/compile-pipeline.ts'
import { explainSamples, explainTail, explainTree } from '#/logs/logql/planner/explain-plan.ts'
import { explainPages } from '#/logs/logql/planner/explain-pages.ts'
import { explainStages } from '#/logs/logql/planner/explain-stages.ts'
import { makePlainPlan } from '#/logs/logql/planner/make-plan.ts'
import { optimizeSelection } from '#/logs/logql/planner/optimize-plan.ts'
import { optimizeStages } from '#/logs/logql/planner/optimize-stages.ts'
import { noConditions } from '#/logs/logql/planner/page-conditions.ts'
import type { LogPlan, MetricPlan, Selection } from '#/logs/logql/planner/plan.ts'
import { printStage } from '#/logs/logql/stages/index.ts'
import type { TimeRange } from '#/logs/model/day.ts'
import type { PageColumns } from '#/logs/store/log-block.ts'
import type { ExplainQuery, Explanation, SelectionPlan } from '#/logs/wire/explain.ts'
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import { explainData, type DataQuery } from './explain-data.ts'
import { leafColumns } from './leaf-columns.ts'
import type { Parsed } from './querier.ts'
import type { QueryRun } from './query-run.ts'
import { leafRange, type Steps } from './run-samples.ts'
import { takeView, type View } from './view.ts'

export async function explainQuery(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  query: Omit<Parsed<ExplainQuery>, 'maxSeries'>,
): Promise<Explanation> {
  const { tenant, expr, startNs, endNs, stepNs, isInstant } = query
  const plan = makePlainPlan(expr)
  const times = { start: timeText(startNs), end: timeText(endNs) }
  const text = printExpr(expr)
  if (plan.kind === 'scalar') return { query: text, kind: 'scalar', ...times, selections: [] }
  if (plan.kind === 'logs') {
    if (isInstant) {
      throw new BadRequest(
        'log queries are not supported as an instant query type, please change your query to a range query type',
      )
    }
    const range = { startNs, endNs }
    const view = await takeView(run, ingesters, tenant, range)
    const result = [...explainTail(plan.tail), `${query.limit} entries, ${query.direction}`]
    return { query: text, kind: 'logs', ...times, selections: [await explainLogs(run, view, plan, range)], result }
  }
  const stepCount = isInstant || stepNs === 0n ? 1 : Number((endNs - startNs) / stepNs) + 1
  const selections = await explainLeaves(run, ingesters, plan, { tenant, steps: { startNs, stepNs, stepCount } })
  const evaluation = explainTree(plan.root, plan.leaves)
  const steps = isInstant ? {} : { step: formatGoDuration(Number(stepNs)), steps: stepCount }
  return { query: text, kind: 'metric', ...times, ...steps, evaluation, selections }
}

async function explainLogs(
  run: QueryRun,
  view: View,
  { selection }: LogPlan,
  range: TimeRange,
): Promise<SelectionPlan> {
  const columns: PageColumns = { lengths: true, lines: true, meta: 'all' }
  return explainSelection(run, view, selection, { range, columns, window: undefined })
}

async function explainLeaves(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  plan: MetricPlan,
  { tenant, steps }: { readonly tenant: string; readonly steps: Steps },
): Promise<readonly SelectionPlan[]> {
  const samples = explainSamples(plan)
  const explained: SelectionPlan[] = []
  for (const [index, leaf] of plan.leaves.entries()) {
    const range = leafRange(leaf, steps)
    const view = await takeView(run, ingesters, tenant, range)
    const { stages } = optimizeSelection(leaf)
    const columns = leafColumns(leaf, compilePipeline(stages.filter(hasValues), { needed: leaf.needed }))
    const window = { ...steps, startNs: steps.startNs - leaf.offsetNs, rangeNs: leaf.rangeNs }
    const selection = await explainSelection(run, view, leaf, { range, columns, window })
    explained.push({ ...selection, samples: samples[index]! })
  }
  return explained
}

async function explainSelection(
  run: QueryRun,
  view: View,
  plain: Selection,
  reads: Pick<DataQuery, 'range' | 'columns' | 'window'>,
): Promise<SelectionPlan> {
  const selection = optimizeSelection(plain)
  const { matchers, streamFilters = [], needed } = selection
  const stages = explainStages(selection)
  const subqueries = plain.stages.flatMap((node) => (node.kind === 'label_filter' ? membershipsOf(node.filter) : []))
  return {
    matchers: printSelector(matchers),
    streamFilters: streamFilters.map(({ filter }) => printStage({ kind: 'label_filter', filter, at: nowhere })),
    start: timeText(reads.range.startNs),
    end: timeText(reads.range.endNs),
    pages: explainPages(selection.pageConditions ?? noConditions),
    stages,
    rules: optimizeStages(plain.stages).applied,
    labels: needed === 'all' ? 'all' : [...needed].toSorted(),
    columns: columnNames(reads.columns),
    ...(subqueries.length > 0 && { subqueries: subqueries.map(({ query }) => printExpr(query)) }),
    data: await explainData(run, view, { ...reads, selection, stages }),
  }
}

/** The place of a stage that nobody wrote. */
const nowhere = { start: 0, end: 0 }

/** Filters on the answer of a subquery cannot be compiled before it is known; they read no more than their label. */
function hasValues(node: Selection['stages'][number]): boolean {
  return node.kind !== 'label_filter' || membershipsOf(node.filter).length === 0
}

function columnNames({ lines, meta }: PageColumns): readonly string[] {
  const metadata = meta === 'all' ? ['all metadata'] : meta.map((name) => `metadata ${name}`)
  return ['stream', 'time', 'length', ...(lines ? ['line'] : []), ...metadata]
}

function timeText(ns: bigint): string {
  return new Temporal.Instant(ns).toString()
}
