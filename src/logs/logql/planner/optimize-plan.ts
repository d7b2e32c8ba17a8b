/** Applies the optimizer to each selection of a plan. */
import { optimizeStages } from './optimize-stages.ts'
import { pageConditions } from './page-conditions.ts'
import type { Plan, Selection } from './plan.ts'
import { streamFilters } from './stream-filters.ts'

export function optimizePlan(plan: Plan): Plan {
  switch (plan.kind) {
    case 'logs':
      return { ...plan, selection: optimizeSelection(plan.selection) }
    case 'metric':
      return { ...plan, leaves: plan.leaves.map((leaf) => optimizeSelection(leaf)) }
    case 'scalar':
      return plan
  }
}

/** May be called again when stages have changed since, as when the values of subqueries were filled in. */
export function optimizeSelection<S extends Selection>(selection: S): S {
  const { stages } = optimizeStages(selection.stages)
  return {
    ...selection,
    stages,
    streamFilters: streamFilters(selection.stages),
    pageConditions: pageConditions(selection.stages),
  }
}
