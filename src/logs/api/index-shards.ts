import { BadRequest } from '#/kernel/errors.ts'
import { parseByteSize } from '#/kernel/byte-size.ts'
import type { Endpoint } from '#/platform/http/endpoint.ts'
import type { ApiDeps } from './deps.ts'
import { lokiStats } from './loki-stats.ts'
import { checkRange, parseTimes } from './params.ts'
import { jsonBody } from './reply.ts'
import { volumeSelectors } from './selectors.ts'
import { shardsSchema } from './describe-answers.ts'
import { requiredSelectorParam, timesParams } from './describe-params.ts'
import { jsonAnswer, type Parameter } from '#/platform/http/endpoint-docs.ts'

const targetParam: Parameter = {
  name: 'targetBytesPerShard',
  in: 'query',
  type: 'string',
  doc: 'Bytes of a part, a number or a size.',
  isRequired: true,
  example: '100MB',
}

export function indexShardsEndpoint({ frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/loki/api/v1/index/shards',
    doc: 'Divides the streams that `query` selects by the hash of their labels into parts of about `targetBytesPerShard`.',
    tenant: 'required',
    access: 'read',
    isMultiTenant: true,
    body: 'form',
    params: [requiredSelectorParam, ...timesParams, targetParam],
    answer: jsonAnswer(shardsSchema),
    async handle({ query, tenant, signal }) {
      const times = parseTimes(query, clock.nowNs())
      checkRange(times.startNs, times.endNs)
      const targetBytes = parseTarget(query.get('targetBytesPerShard') ?? '')
      const selectors = volumeSelectors(query)
      const { shards, stats } = await frontend.shards({ tenant, ...times, selectors, targetBytes }, signal)
      // bounds are 64 bits, more than a number of JSON.stringify can be
      const parts = shards.map(
        (shard) => `{"bounds":{"min":${shard.min},"max":${shard.max}},"stats":${JSON.stringify(shard.stats)}}`,
      )
      const statistics = JSON.stringify(lokiStats(stats))
      return jsonBody([Buffer.from(`{"shards":[${parts.join(',')}],"statistics":${statistics},"chunkGroups":[]}`)])
    },
  }
}

function parseTarget(text: string): number {
  const bytes = text === '' ? 0 : parseByteSize(text)
  if (bytes === undefined && !/^-\d/.test(text)) {
    throw new BadRequest(`could not parse 'targetBytesPerShard' parameter: ${JSON.stringify(text)} is not a size`)
  }
  if (bytes === undefined || bytes <= 0) throw new BadRequest('targetBytesPerShard must be a positive value')
  return bytes
}
