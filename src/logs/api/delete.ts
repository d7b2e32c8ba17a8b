/** Loki's API of delete requests: one path, four methods. What Edda tells beyond Loki's fields stands beside them. */
import { formatGoDuration, parseGoDuration } from '#/kernel/duration.ts'
import { BadRequest, Forbidden } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { LimitsOf } from '#/logs/limits.ts'
import { meansWholeStreams, rowQuery } from '#/logs/logql/planner/row-query.ts'
import type { DeleteRequest, DeleteRequests, NewDelete } from '#/logs/wire/deletes.ts'
import { jsonReply, type Endpoint, type HttpRequest } from '#/platform/http/endpoint.ts'
import {
  jsonAnswer,
  listSchema,
  noContent,
  numberSchema,
  objectSchema,
  textSchema,
} from '#/platform/http/endpoint-docs.ts'
import type { Parameter } from '#/platform/http/endpoint-docs.ts'
import { parseRfc3339 } from './params.ts'

export type DeleteApiDeps = {
  readonly deletes: DeleteRequests
  readonly limitsOf: LimitsOf
  readonly clock: Clock
}

const PATH = '/loki/api/v1/delete'
const SECOND_NS = 1e9

const queryParam: Parameter = {
  name: 'query',
  in: 'query',
  type: 'string',
  doc: 'A log query; the lines that it selects are deleted.',
  isRequired: true,
  example: '{app="shop"} |= "password"',
}
const startParam: Parameter = {
  name: 'start',
  in: 'query',
  type: 'string',
  doc: 'First time, Unix seconds in 10 digits or RFC 3339.',
  isRequired: true,
}
const endParam: Parameter = {
  name: 'end',
  in: 'query',
  type: 'string',
  doc: 'Last time, included, in the same forms.',
  default: 'now',
}
const maxIntervalParam: Parameter = {
  name: 'max_interval',
  in: 'query',
  type: 'string',
  doc: 'Into which pieces Loki cuts a request with filters. Checked as there; Edda does not cut.',
}
const idParam: Parameter = { name: 'request_id', in: 'query', type: 'string', doc: 'Which request.', isRequired: true }
const forceParam: Parameter = {
  name: 'force',
  in: 'query',
  type: 'boolean',
  doc: 'Also when lines may have been erased already; those stay erased.',
  default: 'false',
}

const hidingParam: Parameter = {
  name: 'for_querytime_filtering',
  in: 'query',
  type: 'boolean',
  doc: 'Only requests whose lines are still hidden.',
  default: 'false',
}

const requestSchema = objectSchema(
  {
    request_id: textSchema,
    start_time: numberSchema,
    end_time: numberSchema,
    query: textSchema,
    status: textSchema,
    created_at: numberSchema,
    user_id: textSchema,
    state: { type: 'string', enum: ['masked', 'erasing', 'erased'] },
    erased_lines: numberSchema,
    erased_bytes: numberSchema,
    erased_at: numberSchema,
  },
  'erased_at',
)

export function deleteEndpoints(deps: DeleteApiDeps): readonly Endpoint[] {
  return [createEndpoint(deps), listEndpoint(deps), cancelEndpoint(deps), generationEndpoint(deps)]
}

function createEndpoint(deps: DeleteApiDeps): Endpoint {
  return {
    methods: ['POST', 'PUT'],
    path: PATH,
    doc: 'Deletes lines: at once for queries, from the store when the time to cancel is over. The id is in `X-Delete-Request-ID`.',
    tenant: 'required',
    access: 'write',
    body: 'none',
    params: [queryParam, startParam, endParam, maxIntervalParam],
    answer: noContent,
    async handle({ tenant, query }) {
      const texts = textsOf(query)
      checkMode(deps, tenant)
      const { id } = await deps.deletes.create(tenant, readRequest(deps, texts))
      return { status: 204, headers: { 'x-delete-request-id': id } }
    },
  }
}

function listEndpoint(deps: DeleteApiDeps): Endpoint {
  return {
    methods: ['GET'],
    path: PATH,
    doc: 'The delete requests of the tenant in the order in which they were made, and what became of them.',
    tenant: 'required',
    access: 'read',
    body: 'none',
    params: [
      { name: 'start', in: 'query', type: 'string', doc: 'With `end`: only requests that overlap.' },
      { name: 'end', in: 'query', type: 'string', doc: 'See `start`.' },
      hidingParam,
    ],
    answer: jsonAnswer(listSchema(requestSchema)),
    async handle({ tenant, query }) {
      const range = readListRange(query)
      const isHiding = query.get('for_querytime_filtering') === 'true'
      checkMode(deps, tenant)
      const requests = deps.deletes
        .list(tenant)
        .filter(({ startMs, endMs }) => range === undefined || (startMs <= range.endMs && endMs >= range.startMs))
        .filter(({ state }) => !isHiding || state !== 'erased')
      return jsonReply(200, requests.map(shown))
    },
  }
}

function cancelEndpoint(deps: DeleteApiDeps): Endpoint {
  return {
    methods: ['DELETE'],
    path: PATH,
    doc: 'Takes a delete request back.',
    tenant: 'required',
    access: 'write',
    body: 'none',
    params: [idParam, forceParam],
    answer: noContent,
    async handle({ tenant, query }) {
      const id = query.get('request_id') ?? ''
      const force = query.get('force') === 'true'
      checkMode(deps, tenant)
      await deps.deletes.cancel(tenant, id, { force })
      return { status: 204 }
    },
  }
}

function generationEndpoint({ deletes }: DeleteApiDeps): Endpoint {
  return {
    methods: ['GET'],
    path: '/loki/api/v1/cache/generation_numbers',
    doc: 'A number that changes when delete requests change what queries of the tenant see.',
    tenant: 'required',
    access: 'read',
    body: 'none',
    params: [],
    answer: jsonAnswer(textSchema),
    handle: async ({ tenant }) => jsonReply(200, `${deletes.generation(tenant)}`),
  }
}

function checkMode({ limitsOf }: DeleteApiDeps, tenant: string): void {
  if (limitsOf(tenant).deletion_mode !== 'disabled') return
  throw new Forbidden('deletion is not available for this tenant')
}

type Times = { readonly startMs: number; readonly endMs: number }

type RequestTexts = Readonly<Record<'query' | 'start' | 'end' | 'maxInterval', string>>

function textsOf(params: HttpRequest['query']): RequestTexts {
  const text = (name: string): string => params.get(name) ?? ''
  return { query: text('query'), start: text('start'), end: text('end'), maxInterval: text('max_interval') }
}

function readRequest(deps: DeleteApiDeps, { query, start, end, maxInterval }: RequestTexts): NewDelete {
  if (query === '') throw new BadRequest('query not set')
  const hasFilters = !meansWholeStreams(readQuery(query))
  if (start === '') throw new BadRequest('start time not set')
  const startMs = readTime('start', start)
  const nowMs = deps.clock.nowMs()
  const endMs = end === '' ? nowMs : readTime('end', end)
  if (endMs > nowMs) throw new BadRequest('deletes in the future are not allowed')
  if (startMs >= endMs) throw new BadRequest("start time can't be greater than or equal to end time")
  if (maxInterval !== '' && hasFilters) checkMaxInterval(maxInterval, deps.deletes.maxIntervalMs(), endMs - startMs)
  return { query, startMs, endMs }
}

function readQuery(query: string): ReturnType<typeof rowQuery> {
  try {
    return rowQuery(query)
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error
    throw new BadRequest(`invalid query expression: ${error.message}`, { cause: error })
  }
}

/** Milliseconds since the epoch. Seconds have 10 digits; nanoseconds, which Loki refuses here, 19. */
function readTime(name: string, text: string): number {
  const ns = /^(\d{10}|\d{19})$/.test(text) ? BigInt(text.padEnd(19, '0')) : parseRfc3339(text)
  if (ns === undefined) throw new BadRequest(`invalid ${name} time: require unix seconds or RFC3339 format`)
  return Number(ns / 1_000_000n)
}

function checkMaxInterval(text: string, mostMs: number, rangeMs: number): void {
  const ns = parseGoDuration(text)
  if (ns === undefined || ns < SECOND_NS) {
    throw new BadRequest("invalid max_interval: valid time units are 's', 'm', 'h'")
  }
  if (ns > mostMs * 1e6) throw new BadRequest(`max_interval can't be greater than ${formatGoDuration(mostMs * 1e6)}`)
  if (ns > rangeMs * 1e6) {
    const range = formatGoDuration(rangeMs * 1e6)
    throw new BadRequest(`max_interval can't be greater than the interval to be deleted (${range})`)
  }
}

function readListRange(params: HttpRequest['query']): Times | undefined {
  const [start, end] = [params.get('start') ?? '', params.get('end') ?? '']
  return start === '' || end === '' ? undefined : { startMs: readTime('start', start), endMs: readTime('end', end) }
}

function shown(request: DeleteRequest): Readonly<Record<string, unknown>> {
  return {
    request_id: request.id,
    start_time: request.startMs / 1000,
    end_time: request.endMs / 1000,
    query: request.query,
    status: statusOf(request),
    created_at: request.createdMs / 1000,
    user_id: request.tenant,
    state: request.state,
    erased_lines: request.erasedRows,
    erased_bytes: request.erasedBytes,
    ...(request.erasedMs === undefined ? {} : { erased_at: request.erasedMs / 1000 }),
  }
}

/** In Loki's words. */
function statusOf({ state, blocks, blocksDone }: DeleteRequest): string {
  if (state === 'erased') return 'processed'
  if (state === 'masked' || blocks === 0 || blocksDone === 0) return 'received'
  return `${Math.min(99, Math.floor((100 * blocksDone) / blocks))}% Complete`
}
