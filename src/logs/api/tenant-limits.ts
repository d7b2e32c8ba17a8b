/** What a tenant may know of its limits: as JSON for Logs Drilldown, as YAML for people. */
import { limits, type LimitsOf } from '#/logs/limits.ts'
import type { Section } from '#/platform/config/option.ts'
import { plainValues, renderConfig } from '#/platform/config/render.ts'
import { jsonReply, textReply, type Endpoint } from '#/platform/http/endpoint.ts'
import { jsonAnswer, objectSchema, textAnswer, textSchema } from '#/platform/http/endpoint-docs.ts'

export type TenantLimitsDeps = {
  readonly limitsOf: LimitsOf
  /** Keys of `limits_config` that are shown; unknown ones are passed over. */
  readonly published: readonly string[]
  /** The version of Loki's API that is spoken. */
  readonly version: string
}

const drilldownSchema = objectSchema({
  limits: { type: 'object' },
  pattern_ingester_enabled: { type: 'boolean' },
  version: textSchema,
})

export function drilldownLimitsEndpoint({ limitsOf, published, version }: TenantLimitsDeps): Endpoint {
  const section = publishedSection(published)
  return {
    methods: ['GET'],
    path: '/loki/api/v1/drilldown-limits',
    doc: 'Limits of the tenant that `tenant_limits_allow_publish` names, and what Logs Drilldown may use.',
    tenant: 'required',
    access: 'read',
    body: 'none',
    params: [],
    answer: jsonAnswer(drilldownSchema),
    async handle({ tenant }) {
      const limitsOfTenant = limitsOf(tenant)
      const shown = plainValues(section, limitsOfTenant)
      return jsonReply(200, { limits: shown, pattern_ingester_enabled: limitsOfTenant.pattern_mining, version })
    },
  }
}

export function tenantLimitsEndpoint({ limitsOf, published }: TenantLimitsDeps): Endpoint {
  const section = publishedSection(published)
  return {
    methods: ['GET'],
    path: '/config/tenant/v1/limits',
    doc: 'The same limits as YAML.',
    tenant: 'required',
    access: 'read',
    body: 'none',
    params: [],
    answer: textAnswer,
    async handle({ tenant }) {
      return textReply(200, renderConfig(section, limitsOf(tenant) as never, 'full'))
    },
  }
}

function publishedSection(published: readonly string[]): Section {
  return Object.fromEntries(Object.entries(limits).filter(([key]) => published.includes(key))) as Section
}
