/** The numbers of the ruler as a whole. */
import type { Metrics } from '#/platform/telemetry/metrics.ts'

export type RulerMetrics = {
  readonly sync: (reason: 'initial' | 'periodic' | 'api') => void
  readonly loaded: (tenant: string, isGood: boolean) => void
  readonly watch: (tenants: () => number) => void
}

export function rulerMetrics(metrics: Metrics): RulerMetrics {
  const syncs = metrics.counter({
    name: 'loki_ruler_sync_rules_total',
    help: 'Times that stored rules were read.',
    labels: ['reason'] as const,
  })
  const successful = metrics.gauge({
    name: 'loki_ruler_config_last_reload_successful',
    help: 'Whether all rule groups of a tenant were good when they were last read.',
    labels: ['user'] as const,
  })
  return {
    sync: (reason) => syncs.inc({ reason }),
    loaded: (user, isGood) => successful.set({ user }, isGood ? 1 : 0),
    watch: (tenants) =>
      void metrics.gauge({
        name: 'loki_ruler_managers_total',
        help: 'Tenants whose rules are evaluated.',
        collect: (gauge) => gauge.set(tenants()),
      }),
  }
}
