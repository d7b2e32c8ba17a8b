/** `index/volume` and `index/volume_range`: bytes by group of streams, in one bucket or by step. */
import { BadRequest } from '#/kernel/errors.ts'
import type { VolumeQuery } from '#/logs/wire/index-query.ts'
import type { Endpoint } from '#/platform/http/endpoint.ts'
import type { ApiDeps } from './deps.ts'
import { encodeVolumes } from './encode-volumes.ts'
import { checkRange, parseCount, parseStep, parseTimes } from './params.ts'
import { jsonBody } from './reply.ts'
import { volumeSelectors } from './selectors.ts'
import { resultSchema } from './describe-answers.ts'
import { requiredSelectorParam, stepParam, timesParams } from './describe-params.ts'
import { jsonAnswer, type Parameter } from '#/platform/http/endpoint-docs.ts'

const DEFAULT_GROUPS = 100

const volumeParams: readonly Parameter[] = [
  requiredSelectorParam,
  ...timesParams,
  {
    name: 'limit',
    in: 'query',
    type: 'integer',
    doc: 'Most groups, those with most bytes.',
    default: `${DEFAULT_GROUPS}`,
  },
  {
    name: 'targetLabels',
    in: 'query',
    type: 'string',
    doc: 'Labels to group by, separated by commas.',
    default: 'those of the selector',
    example: 'app,cluster',
  },
  {
    name: 'aggregateBy',
    in: 'query',
    type: 'string',
    doc: 'Whether a group is a set of labels with their values, or the name of a label.',
    choices: ['series', 'labels'],
    default: 'series',
  },
]

export function volumeEndpoint(deps: ApiDeps): Endpoint {
  const doc =
    'Bytes of the streams that `query` selects, in a range of time: by the labels in `targetLabels` or, without, those in the selector.'
  return endpoint(deps, { path: '/loki/api/v1/index/volume', doc, isRange: false })
}

export function volumeRangeEndpoint(deps: ApiDeps): Endpoint {
  const doc = 'As `index/volume`, for each `step` of the range; each value stands at the end of its step.'
  return endpoint(deps, { path: '/loki/api/v1/index/volume_range', doc, isRange: true })
}

type Variant = { readonly path: string; readonly doc: string; readonly isRange: boolean }

function endpoint({ frontend, clock }: ApiDeps, { path, doc, isRange }: Variant): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path,
    doc,
    tenant: 'required',
    access: 'read',
    isMultiTenant: true,
    body: 'form',
    params: [...volumeParams, ...(isRange ? [stepParam] : [])],
    answer: jsonAnswer(resultSchema('vector', 'matrix')),
    async handle({ query, tenant, signal }) {
      const times = parseTimes(query, clock.nowNs())
      checkRange(times.startNs, times.endNs)
      const answer = await frontend.volume(
        {
          tenant,
          ...times,
          selectors: volumeSelectors(query),
          limit: parseCount(query, 'limit', DEFAULT_GROUPS),
          stepNs: isRange ? parseStep(query, times) : 0n,
          targetLabels: targetLabels(query),
          aggregateBy: aggregateBy(query),
        },
        signal,
      )
      return jsonBody(encodeVolumes(answer))
    },
  }
}

function targetLabels(query: URLSearchParams): readonly string[] {
  const names = (query.get('targetLabels') ?? '').split(',').map((name) => name.trim())
  return [...new Set(names.filter((name) => name !== ''))]
}

function aggregateBy(query: URLSearchParams): VolumeQuery['aggregateBy'] {
  const text = query.get('aggregateBy') ?? ''
  if (text === '' || text === 'series') return 'series'
  if (text === 'labels') return 'labels'
  throw new BadRequest('invalid aggregation option')
}
