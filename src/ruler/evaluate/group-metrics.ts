/** The numbers of evaluations, under the names that dashboards know. */
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import type { GroupId } from './schedule.ts'

export type GroupCounter = {
  readonly evaluation: (isGood: boolean, seconds: number) => void
  readonly iteration: (one: { readonly atMs: number; readonly seconds: number; readonly samples: number }) => void
  readonly missed: (iterations: number) => void
  /** The group is no more. */
  readonly forget: () => void
}

export type GroupMetrics = (id: GroupId, sizes: { readonly rules: number; readonly intervalMs: number }) => GroupCounter

const labels = ['rule_group', 'user'] as const
const evaluationSeconds = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60]

export function groupMetrics(metrics: Metrics): GroupMetrics {
  const counter = (name: string, help: string) =>
    metrics.counter({ name: `loki_prometheus_rule_${name}`, help, labels })
  const gauge = (name: string, help: string) =>
    metrics.gauge({ name: `loki_prometheus_rule_group_${name}`, help, labels })
  const evaluations = counter('evaluations_total', 'Evaluations of rules.')
  const failures = counter('evaluation_failures_total', 'Evaluations of rules that failed.')
  const iterations = counter('group_iterations_total', 'Evaluations of groups, with those that were missed.')
  const missed = counter(
    'group_iterations_missed_total',
    'Evaluations of groups that were left out, as others took long.',
  )
  const duration = metrics.histogram({
    name: 'loki_prometheus_rule_evaluation_duration_seconds',
    help: 'Time that the evaluation of a rule took.',
    buckets: evaluationSeconds,
  })
  const rules = gauge('rules', 'Rules of a group.')
  const interval = gauge('interval_seconds', 'Time between evaluations of a group.')
  const last = gauge('last_evaluation_timestamp_seconds', 'Time of the last evaluation of a group.')
  const lastDuration = gauge('last_duration_seconds', 'Time that the last evaluation of a group took.')
  const lastSamples = gauge('last_evaluation_samples', 'Series that the last evaluation of a group gave.')
  return ({ tenant, namespace, group }, sizes) => {
    const who = { rule_group: `${namespace};${group}`, user: tenant }
    rules.set(who, sizes.rules)
    interval.set(who, sizes.intervalMs / 1000)
    return {
      evaluation: (isGood, seconds) => {
        evaluations.inc(who)
        if (!isGood) failures.inc(who)
        duration.observe(seconds)
      },
      iteration: ({ atMs, seconds, samples }) => {
        iterations.inc(who)
        last.set(who, atMs / 1000)
        lastDuration.set(who, seconds)
        lastSamples.set(who, samples)
      },
      missed: (count) => {
        iterations.inc(who, count)
        missed.inc(who, count)
      },
      forget: () => {
        for (const one of [
          evaluations,
          failures,
          iterations,
          missed,
          rules,
          interval,
          last,
          lastDuration,
          lastSamples,
        ]) {
          one.remove(who)
        }
      },
    }
  }
}
