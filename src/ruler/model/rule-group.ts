/** Rules as they are evaluated: parsed, checked, with defaults filled in. Durations are milliseconds. */

export type TextMap = Readonly<Record<string, string>>

export type AlertingRule = {
  readonly kind: 'alert'
  /** Becomes the label `alertname`. */
  readonly name: string
  readonly expr: string
  /** How long the query must give a series before its alert fires. */
  readonly forMs: number
  /** How long an alert goes on firing after the query has stopped to give its series. */
  readonly keepFiringForMs: number
  readonly labels: TextMap
  readonly annotations: TextMap
}

export type RecordingRule = {
  readonly kind: 'record'
  /** Name of the metric that is written. */
  readonly name: string
  readonly expr: string
  readonly labels: TextMap
}

export type Rule = AlertingRule | RecordingRule

export type RuleGroup = {
  readonly name: string
  /** Undefined: `ruler.evaluation_interval`. */
  readonly intervalMs: number | undefined
  /** Queries look at a time that is so much earlier than that of the evaluation. */
  readonly queryOffsetMs: number
  /** Most alerts or series that one rule may give; 0: any number. */
  readonly limit: number
  /** Added to all rules that do not have a label of the same name. */
  readonly labels: TextMap
  readonly rules: readonly Rule[]
}

/** The groups of a tenant by namespace, which is the name of a file or of what an API client made. */
export type Namespaces = ReadonlyMap<string, readonly RuleGroup[]>

/** The labels of a rule together with those of its group. */
export function labelsOf(group: RuleGroup, rule: Rule): TextMap {
  return Object.keys(group.labels).length === 0 ? rule.labels : { ...group.labels, ...rule.labels }
}

/** What identifies a rule over changes of its group: its name and labels. */
export function ruleKey({ kind, name, labels }: Rule): string {
  return JSON.stringify([kind, name, Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))])
}
