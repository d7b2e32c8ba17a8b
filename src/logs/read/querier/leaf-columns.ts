/** Which columns of a page a leaf of a metric query reads. */
import type { Pipeline } from '#/logs/logql/pipeline/row.ts'
import type { MetricLeaf } from '#/logs/logql/planner/plan.ts'
import type { PageColumns } from '#/logs/store/log-block.ts'
import { EXTRACTED_SUFFIX } from '#/logs/logql/pipeline/stream-view.ts'

/** Counting reads no line. Lengths are small, and decoded only when somebody asks. */
export function leafColumns({ grouping }: MetricLeaf, { readsLines, readsMeta }: Pipeline): PageColumns {
  if (readsMeta === 'all' || grouping.kind === 'without') return { lengths: true, lines: readsLines, meta: 'all' }
  const names = new Set([...readsMeta, '__error__', '__error_details__'])
  // metadata in conflict with a label of the stream is seen as `<name>_extracted`
  for (const name of grouping.labels) names.add(name).add(name.replace(/_extracted$/, ''))
  return { lengths: true, lines: readsLines, meta: [...names] }
}

/** Names of labels of streams that a leaf may look at; undefined: all. The others need not go to threads. */
export function leafLabels({ grouping }: MetricLeaf, pipeline: Pipeline): ReadonlySet<string> | undefined {
  if (pipeline.readsMeta === 'all' || grouping.kind === 'without') return undefined
  const names = new Set([...pipeline.readsMeta, ...grouping.labels])
  for (const { unlessLabels = [] } of pipeline.pageFilters) for (const name of unlessLabels) names.add(name)
  for (const { name } of pipeline.metaFilters) names.add(name)
  // metadata is seen as `<name>_extracted` where the stream has a label of the name
  for (const name of names) if (name.endsWith(EXTRACTED_SUFFIX)) names.add(name.slice(0, -EXTRACTED_SUFFIX.length))
  return names
}
