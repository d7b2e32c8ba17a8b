/** The log queries within a label filter. */
import type { LabelPredicate, MembershipPredicate } from './stage-nodes.ts'

/** All `name in (…)` of a filter, in source order; not those within their queries. */
export function membershipsOf(filter: LabelPredicate): readonly MembershipPredicate[] {
  if (filter.kind === 'in') return [filter]
  return filter.kind === 'and' || filter.kind === 'or' ? filter.terms.flatMap(membershipsOf) : []
}
