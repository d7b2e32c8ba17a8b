/** What the compactor does, and asking it to do it now. */
import type { Compaction } from '#/logs/wire/compaction.ts'
import { type Endpoint, jsonReply } from '#/platform/http/endpoint.ts'
import { jsonAnswer, listSchema, numberSchema, objectSchema, textSchema } from '#/platform/http/endpoint-docs.ts'

const totals = {
  merges: numberSchema,
  inputs: numberSchema,
  outputs: numberSchema,
  rows: numberSchema,
  bytes: numberSchema,
  storedBytesBefore: numberSchema,
  storedBytesAfter: numberSchema,
  duplicates: numberSchema,
  erasedRows: numberSchema,
  failures: numberSchema,
  postponed: numberSchema,
  seconds: numberSchema,
}
const runSchema = objectSchema({ ...totals, startedMs: numberSchema, endedMs: numberSchema })
const where = { tenant: textSchema, day: numberSchema }
const work = { ...where, reason: textSchema, blocks: numberSchema, bytes: numberSchema }
const statusSchema = objectSchema(
  {
    isRunning: { type: 'boolean' },
    merging: objectSchema(
      { ...work, startedMs: numberSchema, outputsDone: numberSchema, outputsPlanned: numberSchema },
      'outputsPlanned',
    ),
    lastRun: runSchema,
    totals: objectSchema(totals),
    queue: listSchema(objectSchema(work)),
    withoutRoom: textSchema,
    deletions: objectSchema({ waiting: numberSchema, done: numberSchema }),
    errors: listSchema(
      objectSchema({ ...where, blocks: listSchema(textSchema), atMs: numberSchema, error: textSchema }),
    ),
  },
  'merging',
  'lastRun',
  'withoutRoom',
)

export function compactorEndpoints(compaction: Compaction): readonly Endpoint[] {
  return [statusEndpoint(compaction), compactEndpoint(compaction)]
}

function statusEndpoint(compaction: Compaction): Endpoint {
  return {
    methods: ['GET'],
    path: '/edda/api/v1/compactor',
    doc: 'What the compactor does: the merge that runs, the next one of each day that has one, what was done, objects that wait to be deleted, the last errors.',
    tenant: 'none',
    access: 'admin',
    body: 'none',
    params: [],
    answer: jsonAnswer(statusSchema),
    async handle() {
      return jsonReply(200, compaction.status())
    },
  }
}

function compactEndpoint(compaction: Compaction): Endpoint {
  return {
    methods: ['POST'],
    path: '/edda/api/v1/compactor',
    doc: 'Merges what is due now, behind what runs already, and answers when that is done. It goes on when the caller leaves.',
    tenant: 'none',
    access: 'admin',
    body: 'form',
    params: [{ name: 'tenant', in: 'query', type: 'string', doc: 'Of this tenant only.', default: 'all tenants' }],
    answer: jsonAnswer(runSchema),
    async handle({ query }) {
      return jsonReply(200, await compaction.runOnce(query.get('tenant') ?? undefined))
    },
  }
}
