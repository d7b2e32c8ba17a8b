/** Rule groups as YAML, in one form: keys in the order of Prometheus' documentation, nothing that is a default. */
import { stringify } from 'yaml'

import { formatPrometheusDuration } from '#/kernel/duration.ts'
import type { Namespaces, Rule, RuleGroup, TextMap } from './rule-group.ts'

const yamlOptions = { lineWidth: 0 }

export function formatGroup(group: RuleGroup): string {
  return stringify(plainGroup(group), yamlOptions)
}

/** As the API lists groups: namespace → groups. */
export function formatNamespaces(namespaces: Namespaces): string {
  const entries = [...namespaces].map(([name, groups]) => [name, groups.map(plainGroup)])
  return stringify(Object.fromEntries(entries), yamlOptions)
}

/** As a file has them. */
export function formatRuleFile(groups: readonly RuleGroup[]): string {
  return stringify({ groups: groups.map(plainGroup) }, yamlOptions)
}

function plainGroup({ name, intervalMs, queryOffsetMs, limit, labels, rules }: RuleGroup): object {
  return {
    name,
    ...(intervalMs === undefined ? {} : { interval: durationText(intervalMs) }),
    ...(queryOffsetMs === 0 ? {} : { query_offset: durationText(queryOffsetMs) }),
    ...(limit === 0 ? {} : { limit }),
    ...textsAt('labels', labels),
    rules: rules.map(plainRule),
  }
}

function plainRule(rule: Rule): object {
  const { name, expr, labels } = rule
  if (rule.kind === 'record') return { record: name, expr, ...textsAt('labels', labels) }
  return {
    alert: name,
    expr,
    ...(rule.forMs === 0 ? {} : { for: durationText(rule.forMs) }),
    ...(rule.keepFiringForMs === 0 ? {} : { keep_firing_for: durationText(rule.keepFiringForMs) }),
    ...textsAt('labels', labels),
    ...textsAt('annotations', rule.annotations),
  }
}

const durationText = (ms: number): string => formatPrometheusDuration(ms * 1e6)

function textsAt(key: string, texts: TextMap): object {
  return Object.keys(texts).length === 0 ? {} : { [key]: texts }
}
