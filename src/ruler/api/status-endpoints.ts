/** Rules with their health and alerts with their states, as Prometheus' API has them. */
import { BadRequest } from '#/kernel/errors.ts'
import type { Endpoint } from '#/platform/http/endpoint.ts'
import { jsonAnswer, type Parameter } from '#/platform/http/endpoint-docs.ts'
import type { GroupRunner } from '#/ruler/evaluate/group-runner.ts'
import { alertsSchema, prometheusError, rulesSchema, success } from './rule-answers.ts'
import { alertStatuses, groupStatuses } from './rule-status.ts'

/** What the endpoints need of the ruler. */
export interface RuleWatcher {
  running(tenant: string): readonly GroupRunner[]
}

/** With and without the brackets that clients put behind names of lists. */
function only(name: string, doc: string): Parameter[] {
  const one: Parameter = { name, in: 'query', type: 'string', doc, isRepeated: true }
  return [one, { ...one, name: `${name}[]`, doc: `The same as \`${name}\`.` }]
}

const params: readonly Parameter[] = [
  { name: 'type', in: 'query', type: 'string', doc: 'Only rules of this kind.', choices: ['alert', 'record'] },
  ...only('file', 'Only groups of this namespace.'),
  ...only('rule_group', 'Only groups of this name.'),
  ...only('rule_name', 'Only rules of this name.'),
]

export function statusEndpoints(rules: RuleWatcher): readonly Endpoint[] {
  const common = {
    methods: ['GET'],
    tenant: 'required',
    access: 'read',
    body: 'none',
    errorReply: prometheusError,
  } as const
  return [
    {
      ...common,
      path: '/prometheus/api/v1/rules',
      doc: 'The rules of the tenant with their health, their last evaluation and their alerts.',
      params,
      answer: jsonAnswer(rulesSchema),
      handle: async ({ tenant, query }) => {
        const type = query.get('type') ?? ''
        if (!['', 'alert', 'record'].includes(type)) throw new BadRequest(`not supported value ${JSON.stringify(type)}`)
        const list = (name: string): string[] => [...query.getAll(name), ...query.getAll(`${name}[]`)]
        const filter = { type, files: list('file'), groups: list('rule_group'), names: list('rule_name') }
        return success(200, { groups: groupStatuses(rules.running(tenant), filter) })
      },
    },
    {
      ...common,
      path: '/prometheus/api/v1/alerts',
      doc: 'The pending and firing alerts of the tenant.',
      params: [],
      answer: jsonAnswer(alertsSchema),
      handle: async ({ tenant }) => success(200, { alerts: alertStatuses(rules.running(tenant)) }),
    },
  ]
}
