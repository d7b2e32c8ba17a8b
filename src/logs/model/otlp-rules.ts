/**
 * `limits_config.otlp_config`: what becomes of an OTLP attribute. Rules are tried in order and the first that names the
 * attribute decides; what no rule names becomes structured metadata.
 */
export type OtlpAction = 'index_label' | 'structured_metadata' | 'drop'

export type OtlpRule = {
  readonly action: OtlpAction
  /** Exact attribute names; empty when `regex` is set. */
  readonly attributes: readonly string[]
  /** A regular expression that must match the whole name; '' when `attributes` is set. */
  readonly regex: string
}

export type OtlpConfig = {
  readonly resourceRules: readonly OtlpRule[]
  /** Leaves out the server's default list of resource attributes that become labels. */
  readonly ignoreResourceDefaults: boolean
  readonly scopeRules: readonly OtlpRule[]
  readonly logRules: readonly OtlpRule[]
  readonly severityTextAsLabel: boolean
}

export const defaultOtlpConfig: OtlpConfig = {
  resourceRules: [],
  ignoreResourceDefaults: false,
  scopeRules: [],
  logRules: [],
  severityTextAsLabel: false,
}

/** Resource attributes that become labels unless a tenant ignores the defaults. */
export const defaultIndexLabelAttributes: readonly string[] = [
  'service.name',
  'service.namespace',
  'service.instance.id',
  'deployment.environment',
  'deployment.environment.name',
  'cloud.region',
  'cloud.availability_zone',
  'k8s.cluster.name',
  'k8s.namespace.name',
  'k8s.pod.name',
  'k8s.container.name',
  'container.name',
  'k8s.replicaset.name',
  'k8s.deployment.name',
  'k8s.statefulset.name',
  'k8s.daemonset.name',
  'k8s.cronjob.name',
  'k8s.job.name',
]

/** Reads the YAML data of `otlp_config`. @throws Error with the reason. */
export function parseOtlpConfig(value: unknown): OtlpConfig {
  if (value === null || value === undefined) return defaultOtlpConfig
  const config = record(value, 'otlp_config', [
    'resource_attributes',
    'scope_attributes',
    'log_attributes',
    'severity_text_as_label',
  ])
  const resource = record(config['resource_attributes'] ?? {}, 'resource_attributes', [
    'ignore_defaults',
    'attributes_config',
  ])
  const scopeRules = rules(config['scope_attributes'], 'scope_attributes')
  if (scopeRules.some((rule) => rule.action === 'index_label')) {
    throw new Error('scope_attributes cannot have action index_label')
  }
  return {
    resourceRules: rules(resource['attributes_config'], 'attributes_config'),
    ignoreResourceDefaults: flag(resource['ignore_defaults'], 'ignore_defaults'),
    scopeRules,
    logRules: rules(config['log_attributes'], 'log_attributes'),
    severityTextAsLabel: flag(config['severity_text_as_label'], 'severity_text_as_label'),
  }
}

function rules(value: unknown, name: string): readonly OtlpRule[] {
  if (value === null || value === undefined) return []
  if (!Array.isArray(value)) throw new Error(`${name} must be a list`)
  return value.map((one) => rule(one, name))
}

function rule(value: unknown, name: string): OtlpRule {
  const { action, attributes, regex } = record(value, name, ['action', 'attributes', 'regex'])
  if (action !== 'index_label' && action !== 'structured_metadata' && action !== 'drop') {
    throw new Error(`${name}: action must be index_label, structured_metadata or drop, found ${JSON.stringify(action)}`)
  }
  const hasAttributes = Array.isArray(attributes) && attributes.length > 0
  const hasRegex = typeof regex === 'string' && regex !== ''
  if (hasAttributes === hasRegex) throw new Error(`${name}: exactly one of attributes or regex must be set`)
  if (hasRegex) return { action, attributes: [], regex }
  const names: readonly unknown[] = Array.isArray(attributes) ? attributes : []
  return { action, attributes: names.map(String), regex: '' }
}

/** A mapping that has no other keys than `keys`. @throws Error naming what is wrong. */
function record(value: unknown, name: string, keys: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${name} must be a mapping`)
  const unknownKey = Object.keys(value).find((key) => !keys.includes(key))
  if (unknownKey !== undefined) throw new Error(`${name} has no field ${unknownKey}, only ${keys.join(', ')}`)
  return value as Readonly<Record<string, unknown>>
}

function flag(value: unknown, name: string): boolean {
  if (value === undefined || value === null) return false
  if (typeof value !== 'boolean') throw new Error(`${name} must be true or false`)
  return value
}
