/**
 * What a debugger would ask of the running process. Profiles and snapshots stop or slow threads, and a snapshot holds whatever is
 * in memory, so that these endpoints are closed where anybody could reach them.
 */
import { BadRequest, Forbidden } from '#/kernel/errors.ts'
import { type DebugTools, mainThread } from '#/platform/debug/debug-tools.ts'
import { type Endpoint, type HttpReply, type HttpRequest, jsonReply } from '#/platform/http/endpoint.ts'
import { jsonAnswer, listSchema, objectSchema, type Parameter } from '#/platform/http/endpoint-docs.ts'

export type DebugEndpointDeps = {
  readonly tools: DebugTools
  /** `local`: only for requests to this machine by a name of its own, which no page of another site can send. */
  readonly openTo: 'all' | 'local' | 'nobody'
  /** Figures of the pool that the threads belong to. */
  readonly pool: () => object
}

const secondsDefault = 10
const secondsMax = 60
const localHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i

const threadParam: Parameter = {
  name: 'thread',
  in: 'query',
  type: 'integer',
  doc: 'The number of a worker thread.',
  default: `${mainThread}, the thread that serves requests`,
}
const secondsParam: Parameter = {
  name: 'seconds',
  in: 'query',
  type: 'integer',
  doc: `How long, 1 to ${secondsMax}.`,
  default: `${secondsDefault}`,
}
const workersSchema = objectSchema({ pool: { type: 'object' }, threads: listSchema({ type: 'object' }) })

export function debugEndpoints(deps: DebugEndpointDeps): readonly Endpoint[] {
  return [heapEndpoint(deps), profileEndpoint(deps), workersEndpoint(deps)]
}

function heapEndpoint(deps: DebugEndpointDeps): Endpoint {
  return {
    methods: ['GET'],
    path: '/debug/heap',
    doc: 'A heap snapshot of the thread that serves requests, for the memory panel of Chrome’s developer tools (`.heapsnapshot`). It stands still meanwhile.',
    tenant: 'none',
    access: 'admin',
    body: 'none',
    params: [],
    answer: jsonAnswer({ type: 'object' }),
    async handle(request) {
      checkOpen(deps, request)
      const snapshot = deps.tools.heapSnapshot()
      // also when the answer never begins
      request.signal.addEventListener('abort', () => snapshot.destroy(), { once: true })
      if (request.signal.aborted) snapshot.destroy()
      return attachment(snapshot, 'edda.heapsnapshot')
    },
  }
}

function profileEndpoint(deps: DebugEndpointDeps): Endpoint {
  return {
    methods: ['GET'],
    path: '/debug/profile',
    doc: 'A CPU profile of a thread over `seconds`, for the performance panel of Chrome’s developer tools (`.cpuprofile`).',
    tenant: 'none',
    access: 'admin',
    body: 'none',
    params: [secondsParam, threadParam],
    answer: jsonAnswer({ type: 'object' }),
    async handle(request) {
      checkOpen(deps, request)
      const thread = threadOf(request)
      const seconds = wholeNumber(request, 'seconds') ?? secondsDefault
      if (seconds < 1 || seconds > secondsMax) {
        throw new BadRequest(`seconds must be from 1 to ${secondsMax}, found ${seconds}`)
      }
      const profile = await deps.tools.cpuProfile(thread, seconds * 1000, request.signal)
      return attachment(profile, `edda-${thread}.cpuprofile`)
    },
  }
}

function workersEndpoint(deps: DebugEndpointDeps): Endpoint {
  return {
    methods: ['GET'],
    path: '/debug/workers',
    doc: 'The worker threads: tasks that run and wait, and of each thread its number, heap and CPU time.',
    tenant: 'none',
    access: 'admin',
    body: 'none',
    params: [],
    answer: jsonAnswer(workersSchema),
    async handle(request) {
      checkOpen(deps, request)
      return jsonReply(200, { pool: deps.pool(), threads: await deps.tools.threads() })
    },
  }
}

function checkOpen({ openTo }: DebugEndpointDeps, { headers }: HttpRequest): void {
  const isOpen = openTo === 'all' || (openTo === 'local' && localHost.test(headers.host ?? ''))
  if (!isOpen) throw new Forbidden('debug endpoints are closed, see server.debug_endpoints')
}

function threadOf(request: HttpRequest): number {
  return wholeNumber(request, 'thread') ?? mainThread
}

function wholeNumber({ query }: HttpRequest, name: string): number | undefined {
  const text = query.get(name) ?? ''
  if (text === '') return undefined
  if (!/^\d{1,9}$/.test(text)) throw new BadRequest(`${name} must be a whole number, found ${JSON.stringify(text)}`)
  return Number(text)
}

function attachment(body: NonNullable<HttpReply['body']>, name: string): HttpReply {
  const headers = { 'content-type': 'application/json', 'content-disposition': `attachment; filename="${name}"` }
  return { status: 200, headers, body }
}
