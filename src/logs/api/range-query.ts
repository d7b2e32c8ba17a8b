/** The parameters of a range query, with those of its pages. */
import { BadRequest } from '#/kernel/errors.ts'
import type { RangeQuery } from '#/logs/wire/query.ts'
import type { RowCursor } from '#/logs/wire/query-stream.ts'
import type { HttpRequest } from '#/platform/http/endpoint.ts'
import { decodeCursor, type DecodedCursor, encodeCursor } from './cursor.ts'
import {
  acceptsLines,
  checkRange,
  parseDirection,
  parseInterval,
  parseLimit,
  parseStep,
  parseTimes,
  parseTimestamp,
  refusesCaches,
} from './params.ts'
import {
  directionParam,
  encodingFlagsParam,
  intervalParam,
  limitParam,
  queryParam,
  stepParam,
  timesParams,
} from './describe-params.ts'
import type { Parameter } from '#/platform/http/endpoint-docs.ts'

export const rangeParams: readonly Parameter[] = [
  queryParam,
  ...timesParams,
  { ...limitParam, doc: `${limitParam.doc} \`all\`, with \`Accept: application/x-ndjson\`: no limit.` },
  directionParam,
  stepParam,
  intervalParam,
  {
    name: 'cursor',
    in: 'query',
    type: 'string',
    doc: 'Log queries: empty for the first page, then the `cursor` of the page before; the other parameters stay as they are.',
    default: 'one page, without a cursor',
  },
  encodingFlagsParam,
]

export type RangeRequest = {
  readonly query: RangeQuery
  /** The answer is to come as lines of JSON. */
  readonly wantsLines: boolean
  readonly cursorText: (cursor: RowCursor) => string
}

export function rangeRequest(request: Pick<HttpRequest, 'query' | 'headers' | 'tenant'>, nowNs: bigint): RangeRequest {
  const { query: parameters, headers, tenant } = request
  const wantsLines = acceptsLines(headers.accept)
  const query = parameters.get('query') ?? ''
  const base = { tenant, query, direction: parseDirection(parameters), intervalNs: parseInterval(parameters) }
  const cursor = parameters.get('cursor')
  const decoded = cursor ? decodeCursor(cursor, base) : undefined
  const times = decoded === undefined ? parseTimes(parameters, nowNs) : timesOf(decoded, parameters)
  checkRange(times.startNs, times.endNs)
  const isUnlimited = wantsLines && parameters.get('limit') === 'all'
  const rangeQuery: RangeQuery = {
    ...base,
    ...times,
    limit: isUnlimited ? Infinity : parseLimit(parameters),
    stepNs: parseStep(parameters, times),
    noCache: refusesCaches(headers['cache-control']),
    ...(cursor === null ? {} : { paging: { after: decoded?.after } }),
  }
  return { query: rangeQuery, wantsLines, cursorText: (place) => encodeCursor(place, rangeQuery) }
}

/** All pages have the range of the first one: by the time of the next request, `now` would be another. */
function timesOf(
  { startNs, endNs }: DecodedCursor,
  parameters: URLSearchParams,
): Pick<RangeQuery, 'startNs' | 'endNs'> {
  const differs = (name: string, ns: bigint): boolean => {
    const text = parameters.get(name) ?? ''
    return text !== '' && parseTimestamp(name, text) !== ns
  }
  if (differs('start', startNs) || differs('end', endNs)) throw new BadRequest('the cursor belongs to another range')
  return { startNs, endNs }
}
