/** `|= ""` and `|~ ".*"` let every line pass: without them a count need not read lines at all. */
import { printStage } from '#/logs/logql/stages/index.ts'
import { passesAll } from './line-filter-class.ts'
import { isLineFilter, type Rule } from './rule.ts'

export const dropIdleLineFilters: Rule = {
  name: 'drop idle line filters',
  apply(stages) {
    const idle = stages.filter((node) => isLineFilter(node) && passesAll(node))
    return {
      stages: stages.filter((node) => !idle.includes(node)),
      notes: idle.map((node) => `${printStage(node)} passes every line`),
    }
  },
}
