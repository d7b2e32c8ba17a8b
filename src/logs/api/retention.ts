import type { Retention } from '#/logs/wire/retention.ts'
import { type Endpoint, jsonReply } from '#/platform/http/endpoint.ts'
import { jsonAnswer, listSchema, numberSchema, objectSchema, textSchema } from '#/platform/http/endpoint-docs.ts'

const ruleSchema = objectSchema(
  {
    rule: { type: 'string', enum: ['retention_period', 'retention_stream', 'retention_bytes'] },
    selector: textSchema,
    priority: numberSchema,
    periodMs: numberSchema,
    limitBytes: numberSchema,
    blocks: numberSchema,
    bytes: numberSchema,
    blocksInPart: numberSchema,
    nextMs: numberSchema,
  },
  'selector',
  'priority',
  'periodMs',
  'limitBytes',
  'nextMs',
)
const removedSchema = objectSchema({
  atMs: numberSchema,
  rule: textSchema,
  day: numberSchema,
  blocks: numberSchema,
  rows: numberSchema,
  bytes: numberSchema,
})
const tenantSchema = objectSchema(
  {
    tenant: textSchema,
    blocks: numberSchema,
    storedBytes: numberSchema,
    oldestMs: numberSchema,
    rules: listSchema(ruleSchema),
    problem: textSchema,
    removed: listSchema(removedSchema),
  },
  'oldestMs',
  'problem',
)
const statusSchema = objectSchema(
  { isEnabled: { type: 'boolean' }, lookedMs: numberSchema, tenants: listSchema(tenantSchema) },
  'lookedMs',
)

export function retentionEndpoint(retention: Retention): Endpoint {
  return {
    methods: ['GET'],
    path: '/edda/api/v1/retention',
    doc: 'What each rule of retention removes of the tenant at the next look, when more becomes too old, and what went since the start. Removes nothing.',
    tenant: 'required',
    access: 'read',
    body: 'none',
    params: [],
    answer: jsonAnswer(statusSchema),
    handle: async ({ tenant }) => jsonReply(200, await retention.status(tenant)),
  }
}
