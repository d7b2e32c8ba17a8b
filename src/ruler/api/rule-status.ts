/** Rules and alerts as Prometheus' API shows them. */
import type { Alert } from '#/ruler/evaluate/alert-table.ts'
import type { GroupRunner, RunningRule } from '#/ruler/evaluate/group-runner.ts'
import { labelsOf } from '#/ruler/model/rule-group.ts'
import { formatExponent } from '#/ruler/model/sample.ts'

/** What of the groups is asked for; empty: everything. */
export type StatusFilter = {
  readonly type: string
  readonly files: readonly string[]
  readonly groups: readonly string[]
  readonly names: readonly string[]
}

/** Go's zero time: there was no evaluation yet. */
const never = '0001-01-01T00:00:00Z'

export function groupStatuses(runners: readonly GroupRunner[], filter: StatusFilter): readonly object[] {
  const allows = (list: readonly string[], name: string): boolean => list.length === 0 || list.includes(name)
  return runners
    .filter(({ id }) => allows(filter.files, id.namespace) && allows(filter.groups, id.group))
    .map((runner) => ({ runner, rules: runner.rules.filter((rule) => isWanted(rule, filter)) }))
    .filter(({ rules }) => rules.length > 0 || (filter.type === '' && filter.names.length === 0))
    .map(({ runner, rules }) => ({
      name: runner.id.group,
      file: runner.id.namespace,
      rules: rules.map((rule) => ruleStatus(runner, rule)),
      interval: runner.intervalMs / 1000,
      limit: runner.group.limit,
      lastEvaluation: timeText(runner.evaluatedMs),
      evaluationTime: runner.evaluationSeconds,
    }))
}

export function alertStatuses(runners: readonly GroupRunner[]): readonly object[] {
  return runners.flatMap(({ rules }) =>
    rules.flatMap((rule) => ('alert' in rule ? rule.alert.alerts.active().map(alertStatus) : [])),
  )
}

function isWanted(rule: RunningRule, { type, names }: StatusFilter): boolean {
  if (type !== '' && type !== ('alert' in rule ? 'alert' : 'record')) return false
  return names.length === 0 || names.includes(('alert' in rule ? rule.alert : rule.record).rule.name)
}

function ruleStatus({ group }: GroupRunner, running: RunningRule): object {
  const { rule } = 'alert' in running ? running.alert : running.record
  const common = {
    name: rule.name,
    query: rule.expr,
    labels: labelsOf(group, rule),
    health: running.health,
    lastError: running.lastError,
    lastEvaluation: timeText(running.evaluatedMs),
    evaluationTime: running.evaluationSeconds,
  }
  if (!('alert' in running)) return { ...common, type: 'recording' }
  const { alerts, rule: alerting } = running.alert
  return {
    ...common,
    type: 'alerting',
    state: running.health === 'unknown' && alerts.active().length === 0 ? 'unknown' : alerts.state(),
    duration: alerting.forMs / 1000,
    keepFiringFor: alerting.keepFiringForMs / 1000,
    annotations: alerting.annotations,
    alerts: alerts.active().map(alertStatus),
  }
}

function alertStatus({ labels, annotations, state, activeAtMs, value }: Alert): object {
  return {
    labels: Object.fromEntries(labels),
    annotations: Object.fromEntries(annotations),
    state,
    activeAt: timeText(activeAtMs),
    value: formatExponent(value),
  }
}

function timeText(ms: number | undefined): string {
  return ms === undefined ? never : new Date(ms).toISOString()
}
