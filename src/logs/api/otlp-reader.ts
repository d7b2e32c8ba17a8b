/** From an OTLP message to columns by the rules of its tenant, however the message came. */
import type { Limits, LimitsOf } from '#/logs/limits.ts'
import { compileOtlpRules, type OtlpRules } from '#/logs/write/push/otlp/attribute-rules.ts'
import { decodeOtlp } from '#/logs/write/push/otlp/otlp-protobuf.ts'
import type { PushColumns } from '#/logs/write/push/push-columns.ts'

export type OtlpReaderDeps = {
  readonly limitsOf: LimitsOf
  readonly nowNs: () => bigint
  /** `distributor.otlp_config.default_resource_attributes_as_index_labels` */
  readonly defaultIndexLabels: readonly string[]
}

/** @throws BadRequest, TooLarge */
export type OtlpReader = (tenant: string, message: Buffer) => PushColumns

export function otlpReader({ limitsOf, nowNs, defaultIndexLabels }: OtlpReaderDeps): OtlpReader {
  const rulesOf = rulesCache(defaultIndexLabels)
  return (tenant, message) => {
    const limits = limitsOf(tenant)
    return decodeOtlp(message, {
      rules: rulesOf(limits),
      nowNs: nowNs(),
      hasServiceName: limits.discover_service_name.length > 0,
    })
  }
}

/** Rules are compiled once for each set of limits. */
function rulesCache(defaultLabels: readonly string[]): (limits: Limits) => OtlpRules {
  const compiled = new WeakMap<Limits, OtlpRules>()
  return (limits) => {
    let rules = compiled.get(limits)
    if (rules === undefined) {
      rules = compileOtlpRules(limits.otlp_config, defaultLabels)
      compiled.set(limits, rules)
    }
    return rules
  }
}
