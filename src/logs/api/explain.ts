import { jsonReply, textReply, type Endpoint, type HttpRequest } from '#/platform/http/endpoint.ts'
import { BadRequest } from '#/kernel/errors.ts'
import type { ApiDeps } from './deps.ts'
import { explainText } from './explain-text.ts'
import { checkRange, parseDirection, parseLimit, parseStep, parseTimes, parseTimestamp } from './params.ts'
import { successSchema } from './describe-answers.ts'
import { directionParam, limitParam, queryParam, stepParam, timeParam, timesParams } from './describe-params.ts'
import { jsonAnswer, type Parameter } from '#/platform/http/endpoint-docs.ts'

const explainParams: readonly Parameter[] = [
  queryParam,
  { ...timeParam, doc: `For an instant query. ${timeParam.doc}`, default: 'it is a range query' },
  ...timesParams,
  limitParam,
  directionParam,
  stepParam,
  {
    name: 'format',
    in: 'query',
    type: 'string',
    doc: 'For programs, or for people.',
    choices: ['json', 'text'],
    default: 'text for `Accept: text/plain`, else json',
  },
]

export function explainEndpoint({ frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/edda/api/v1/explain',
    doc: 'How a query would be answered: what is pruned, what is read, what runs in which order. Parameters as for `query_range`, or `time` as for `query`; `format=text` for people.',
    tenant: 'required',
    access: 'read',
    isMultiTenant: true,
    body: 'form',
    params: explainParams,
    answer: jsonAnswer(successSchema({ type: 'object' }), 'text/plain'),
    async handle(request) {
      const { query, tenant, signal } = request
      const isText = wantsText(request)
      const explanation = await frontend.explain(
        {
          tenant,
          query: query.get('query') ?? '',
          ...timesOf(query, clock.nowNs()),
          limit: parseLimit(query),
          direction: parseDirection(query),
        },
        signal,
      )
      return isText
        ? textReply(200, explainText(explanation))
        : jsonReply(200, { status: 'success', data: explanation })
    },
  }
}

type Times = {
  readonly startNs: bigint
  readonly endNs: bigint
  readonly stepNs: bigint
  readonly isInstant: boolean
}

function timesOf(query: URLSearchParams, nowNs: bigint): Times {
  const time = query.get('time') ?? ''
  if (time !== '') {
    const timeNs = parseTimestamp('time', time)
    return { startNs: timeNs, endNs: timeNs, stepNs: 0n, isInstant: true }
  }
  const range = parseTimes(query, nowNs)
  checkRange(range.startNs, range.endNs)
  return { ...range, stepNs: parseStep(query, range), isInstant: false }
}

function wantsText({ query, headers }: HttpRequest): boolean {
  const format = query.get('format') ?? ''
  if (format !== '' && format !== 'json' && format !== 'text') {
    throw new BadRequest(`format is json or text, not '${format}'`)
  }
  return format === 'text' || (format === '' && headers.accept?.startsWith('text/plain') === true)
}
