/** Which columns of a page a leaf of a metric query reads. */
import type { Pipeline } from '#/logs/logql/pipeline/row.ts'
import type { MetricLeaf } from '#/logs/logql/planner/plan.ts'
import type { PageColumns } from '#/logs/store/log-block.ts'

/** Counting reads no line. Lengths are small, and decoded only when somebody asks. */
export function leafColumns({ grouping }: MetricLeaf, { readsLines, readsMeta }: Pipeline): PageColumns {
  if (readsMeta === 'all' || grouping.kind === 'without') return { lengths: true, lines: readsLines, meta: 'all' }
  const names = new Set([...readsMeta, '__error__', '__error_details__'])
  // metadata in conflict with a label of the stream is seen as `<name>_extracted`
  for (const name of grouping.labels) names.add(name).add(name.replace(/_extracted$/, ''))
  return { lengths: true, lines: readsLines, meta: [...names] }
}
