import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { HttpRequest } from '#/platform/http/endpoint.ts'
import { readRuleGroup } from '#/ruler/model/read-rules.ts'
import type { RuleGroup } from '#/ruler/model/rule-group.ts'
import { ruleEndpoints } from './rule-endpoints.ts'

const group = (name: string, rules: number): RuleGroup =>
  readRuleGroup(
    JSON.stringify({ name, rules: Array.from({ length: rules }, () => ({ alert: 'A', expr: 'vector(1)' })) }),
  )

async function post(existing: readonly RuleGroup[], body: RuleGroup): Promise<string> {
  const endpoints = ruleEndpoints({
    rules: {
      groups: () => new Map([['ns', existing]]),
      set: async () => undefined,
      deleteGroup: async () => undefined,
      deleteNamespace: async () => undefined,
    },
    limitsOf: () => ({ ruler_max_rules_per_rule_group: 2, ruler_max_rule_groups_per_tenant: 2 }),
  })
  const endpoint = endpoints.find(({ methods, path }) => methods[0] === 'POST' && path.startsWith('/loki'))
  const rules = body.rules.map(({ name, expr }) => ({ alert: name, expr }))
  const request = {
    tenant: 't',
    pathParams: { namespace: 'ns' },
    body: Buffer.from(JSON.stringify({ name: body.name, rules })),
  }
  return endpoint!
    .handle(request as unknown as HttpRequest)
    .then(({ status }) => String(status))
    .catch((error: unknown) => (error as Error).message)
}

test('a tenant has a limit of groups, and a group of rules', async () => {
  assert.equal(await post([], group('a', 2)), '202')
  assert.equal(await post([], group('a', 3)), 'per-user rules per rule group limit (limit: 2 actual: 3) exceeded')
  const two = [group('a', 1), group('b', 1)]
  assert.equal(await post(two, group('c', 1)), 'per-user rule groups limit (limit: 2 actual: 3) exceeded')
  assert.equal(await post(two, group('b', 2)), '202')
})
