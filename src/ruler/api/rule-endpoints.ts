/** The API that reads and writes rule groups: Loki's, under its present path and its old one. */
import { BadRequest, NotFound } from '#/kernel/errors.ts'
import type { Endpoint } from '#/platform/http/endpoint.ts'
import type { Parameter } from '#/platform/http/endpoint-docs.ts'
import { formatGroup, formatNamespaces } from '#/ruler/model/format-rules.ts'
import { maxRuleTextBytes, readRuleGroup } from '#/ruler/model/read-rules.ts'
import type { Namespaces, RuleGroup } from '#/ruler/model/rule-group.ts'
import { changedAnswer, success, yamlAnswer, yamlReply } from './rule-answers.ts'

/** What the endpoints need of the ruler. */
export interface RuleEditor {
  groups(tenant: string): Namespaces
  set(tenant: string, namespace: string, group: RuleGroup): Promise<void>
  deleteGroup(tenant: string, namespace: string, group: string): Promise<void>
  deleteNamespace(tenant: string, namespace: string): Promise<void>
}

/** Of a tenant; 0: no limit. */
export type RuleLimits = {
  readonly ruler_max_rules_per_rule_group: number
  readonly ruler_max_rule_groups_per_tenant: number
}

export type RuleEndpointDeps = { readonly rules: RuleEditor; readonly limitsOf: (tenant: string) => RuleLimits }

const namespaceParam: Parameter = { name: 'namespace', in: 'path', type: 'string', doc: 'The namespace, any text.' }
const groupParam: Parameter = { name: 'groupName', in: 'path', type: 'string', doc: 'Name of the group.' }
const labelsParam: Parameter = {
  name: 'labels',
  in: 'query',
  type: 'string',
  doc: 'Only rules that have any of these labels.',
  example: 'team:a,severity:page',
}

type Common = Pick<Endpoint, 'tenant' | 'access' | 'body'>
const reading: Common = { tenant: 'required', access: 'read', body: 'none' }
const writing: Common = { tenant: 'required', access: 'write', body: 'none' }

export function ruleEndpoints(deps: RuleEndpointDeps): readonly Endpoint[] {
  return ['/loki/api/v1/rules', '/api/prom/rules'].flatMap((path) => [
    listEndpoint(deps, path),
    namespaceEndpoint(deps, path),
    groupEndpoint(deps, path),
    setEndpoint(deps, path),
    deleteGroupEndpoint(deps, path),
    deleteNamespaceEndpoint(deps, path),
  ])
}

function listEndpoint({ rules }: RuleEndpointDeps, path: string): Endpoint {
  return {
    ...reading,
    methods: ['GET'],
    path,
    doc: 'The rule groups of the tenant by namespace, as YAML.',
    params: [labelsParam],
    answer: yamlAnswer,
    handle: async ({ tenant, query }) => {
      const labels = query.get('labels') ?? ''
      return listed(withLabels(rules.groups(tenant), labels))
    },
  }
}

function namespaceEndpoint({ rules }: RuleEndpointDeps, path: string): Endpoint {
  return {
    ...reading,
    methods: ['GET'],
    path: `${path}/:namespace`,
    doc: 'The rule groups of one namespace, in the same form.',
    params: [namespaceParam],
    answer: yamlAnswer,
    handle: async ({ tenant, pathParams }) => {
      const { namespace = '' } = pathParams
      const groups = rules.groups(tenant).get(namespace)
      return listed(new Map(groups === undefined ? [] : [[namespace, groups]]))
    },
  }
}

function groupEndpoint({ rules }: RuleEndpointDeps, path: string): Endpoint {
  return {
    ...reading,
    methods: ['GET'],
    path: `${path}/:namespace/:groupName`,
    doc: 'One rule group, as YAML.',
    params: [namespaceParam, groupParam],
    answer: yamlAnswer,
    handle: async ({ tenant, pathParams: { namespace = '', groupName } }) => {
      const group = rules
        .groups(tenant)
        .get(namespace)
        ?.find(({ name }) => name === groupName)
      if (group === undefined) throw new NotFound('group does not exist')
      return yamlReply(formatGroup(group))
    },
  }
}

function setEndpoint({ rules, limitsOf }: RuleEndpointDeps, path: string): Endpoint {
  return {
    ...writing,
    methods: ['POST'],
    path: `${path}/:namespace`,
    doc: 'Writes one rule group, given as YAML, over one of the same name. It counts from then on.',
    body: 'raw',
    consumes: ['application/yaml', 'text/yaml'],
    maxBodyBytes: maxRuleTextBytes,
    params: [namespaceParam],
    answer: changedAnswer,
    handle: async ({ tenant, pathParams: { namespace = '' }, body }) => {
      const group = readRuleGroup(body.toString('utf8'))
      checkLimits(group, { namespace, existing: rules.groups(tenant), limits: limitsOf(tenant) })
      await rules.set(tenant, namespace, group)
      return success(202, null)
    },
  }
}

function deleteGroupEndpoint({ rules }: RuleEndpointDeps, path: string): Endpoint {
  return {
    ...writing,
    methods: ['DELETE'],
    path: `${path}/:namespace/:groupName`,
    doc: 'Removes a rule group. Its alerts are forgotten without a word; they end at the Alertmanager by themselves.',
    params: [namespaceParam, groupParam],
    answer: changedAnswer,
    handle: async ({ tenant, pathParams: { namespace = '', groupName = '' } }) => {
      await rules.deleteGroup(tenant, namespace, groupName)
      return success(202, null)
    },
  }
}

function deleteNamespaceEndpoint({ rules }: RuleEndpointDeps, path: string): Endpoint {
  return {
    ...writing,
    methods: ['DELETE'],
    path: `${path}/:namespace`,
    doc: 'Removes all rule groups of a namespace.',
    params: [namespaceParam],
    answer: changedAnswer,
    handle: async ({ tenant, pathParams: { namespace = '' } }) => {
      await rules.deleteNamespace(tenant, namespace)
      return success(202, null)
    },
  }
}

function listed(namespaces: Namespaces): ReturnType<typeof yamlReply> {
  if (namespaces.size === 0) throw new NotFound('no rule groups found')
  return yamlReply(formatNamespaces(namespaces))
}

/** Rules with any of the labels `name:value,name:value`, and the groups that have such rules. */
function withLabels(namespaces: Namespaces, text: string): Namespaces {
  if (text === '') return namespaces
  const wanted = text.split(',').map((pair) => {
    const at = pair.indexOf(':')
    if (at <= 0) throw new BadRequest(`labels: expected name:value, found '${pair}'`)
    return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const
  })
  const kept = [...namespaces].map(([namespace, groups]) => {
    const some = groups.map((group) => ({
      ...group,
      rules: group.rules.filter(({ labels }) => wanted.some(([name, value]) => labels[name] === value)),
    }))
    return [namespace, some.filter(({ rules }) => rules.length > 0)] as const
  })
  return new Map(kept.filter(([, groups]) => groups.length > 0))
}

type Existing = {
  readonly namespace: string
  readonly existing: Namespaces
  readonly limits: RuleLimits
}

function checkLimits({ name, rules }: RuleGroup, { namespace, existing, limits }: Existing): void {
  const { ruler_max_rules_per_rule_group: maxRules, ruler_max_rule_groups_per_tenant: maxGroups } = limits
  if (maxRules > 0 && rules.length > maxRules) {
    throw new BadRequest(`per-user rules per rule group limit (limit: ${maxRules} actual: ${rules.length}) exceeded`)
  }
  const isNew = existing.get(namespace)?.some((group) => group.name === name) !== true
  const count = [...existing.values()].reduce((sum, groups) => sum + groups.length, isNew ? 1 : 0)
  if (maxGroups > 0 && count > maxGroups) {
    throw new BadRequest(`per-user rule groups limit (limit: ${maxGroups} actual: ${count}) exceeded`)
  }
}
