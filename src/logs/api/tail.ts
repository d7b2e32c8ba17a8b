/**
 * Live tail: over a WebSocket with Loki's frames and close texts, and with the same frames as lines of JSON over plain HTTP, for
 * clients that cannot open a socket with headers.
 */
import { BadRequest, type EddaError } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import { type Tail, TailEnded, type TailFrame, type Tails } from '#/logs/wire/tail.ts'
import type { Endpoint, HttpReply, HttpRequest, UseSocket } from '#/platform/http/endpoint.ts'
import { encodeTailFrame, type FrameForm } from './encode-tail-frame.ts'
import { acceptsLines, encodingFlags, parseLimit, parseTimestamp } from './params.ts'
import { encodingFlagsParam, limitParam, logQueryParam, startParam } from './describe-params.ts'
import type { Parameter } from '#/platform/http/endpoint-docs.ts'

export type TailDeps = { readonly tails: Tails; readonly clock: Clock }

const DEFAULT_START_NS = 3_600_000_000_000n
const MAX_DELAY_SECONDS = 5
/** Loki's close code for everything that ends a tail but the client. */
const CLOSE_ENDED = 1011
/** A line without entries is sent after so long without any, so that proxies keep the connection, and a lost client is noticed. */
const HEARTBEAT_MS = 15_000
const ndjsonHeaders = {
  'content-type': 'application/x-ndjson',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
}

const tailParams: readonly Parameter[] = [
  logQueryParam,
  {
    ...startParam,
    doc: 'How far back the first lines may lie.',
    default: 'an hour ago',
  },
  { ...limitParam, doc: 'Most lines that come first.' },
  {
    name: 'delay_for',
    in: 'query',
    type: 'integer',
    doc: `Seconds by which lines come late, so that they come in order; at most ${MAX_DELAY_SECONDS}.`,
    default: '0',
  },
]

export function tailEndpoints(deps: TailDeps): readonly Endpoint[] {
  return [tailEndpoint('/loki/api/v1/tail', 'v1', deps), tailEndpoint('/api/prom/tail', 'legacy', deps)]
}

function tailEndpoint(path: string, form: FrameForm, deps: TailDeps): Endpoint {
  const writerFor = ({ headers }: HttpRequest): ((frame: TailFrame) => string) => {
    const flags = form === 'v1' ? encodingFlags(headers['x-loki-response-encoding-flags']) : []
    return (frame) => encodeTailFrame(frame, form, flags)
  }
  return {
    methods: ['GET', 'POST'],
    path,
    doc:
      'Follows a log query: the newest lines first, then each new line as it comes. A WebSocket, or lines of JSON for ' +
      '`Accept: application/x-ndjson`.',
    tenant: 'required',
    access: 'read',
    body: 'form',
    params: form === 'v1' ? [...tailParams, encodingFlagsParam] : tailParams,
    answer: { status: 200, types: ['application/x-ndjson'] },
    async handle(request) {
      if (!acceptsLines(request.headers.accept)) {
        throw new BadRequest('a tail needs a WebSocket (Upgrade: websocket) or the header Accept: application/x-ndjson')
      }
      return linesReply(openTail(request, deps), writerFor(request), request, deps.clock)
    },
    async upgrade(request) {
      const write = writerFor(request)
      try {
        return sendFrames(openTail(request, deps), write)
      } catch (error) {
        if (!(error instanceof TailEnded)) throw error
        return async (socket) => socket.close(CLOSE_ENDED, error.message)
      }
    },
  }
}

function openTail({ query, tenant }: HttpRequest, { tails, clock }: TailDeps): Tail {
  const start = query.get('start') ?? ''
  return tails.open({
    tenant,
    query: query.get('query') ?? '',
    startNs: start === '' ? clock.nowNs() - DEFAULT_START_NS : parseTimestamp('start', start),
    limit: parseLimit(query),
    delayMs: parseDelay(query.get('delay_for') ?? '') * 1000,
  })
}

/** Whole seconds, at most 5. */
function parseDelay(text: string): number {
  if (text === '') return 0
  if (!/^\d{1,9}$/.test(text)) {
    throw new BadRequest(`could not parse 'delay_for' parameter: ${JSON.stringify(text)} is not a whole number`)
  }
  if (Number(text) > MAX_DELAY_SECONDS) throw new BadRequest(`delay_for can't be greater than ${MAX_DELAY_SECONDS}`)
  return Number(text)
}

function sendFrames(tail: Tail, write: (frame: TailFrame) => string): UseSocket {
  return async (socket) => {
    const close = (): void => tail.close()
    socket.closed.addEventListener('abort', close, { once: true })
    if (socket.closed.aborted) close()
    try {
      for await (const frame of tail.frames()) {
        if (socket.closed.aborted) break
        await socket.send(write(frame))
      }
    } catch (error) {
      if (!(error instanceof TailEnded)) throw error
      socket.close(CLOSE_ENDED, error.message)
    } finally {
      tail.close()
    }
  }
}

function linesReply(tail: Tail, write: (frame: TailFrame) => string, { signal }: HttpRequest, clock: Clock): HttpReply {
  const close = (): void => tail.close()
  signal.addEventListener('abort', close, { once: true })
  if (signal.aborted) close()
  const body = lines(tail, write, clock)
  return { status: 200, headers: ndjsonHeaders, body, mayCompress: false, onStop: close }
}

const noEntries: TailFrame = { entries: [], dropped: [] }

/** A line for each frame; a tail that ends by itself says why in a last line, `{"error":"…"}`. */
async function* lines(tail: Tail, write: (frame: TailFrame) => string, clock: Clock): AsyncGenerator<Uint8Array> {
  const frames = tail.frames()[Symbol.asyncIterator]()
  try {
    for (let next = frames.next(); ;) {
      const result = await within(next, clock)
      if (result === 'late') yield Buffer.from(`${write(noEntries)}\n`)
      else if (result.done === true) return
      else {
        yield Buffer.from(`${write(result.value)}\n`)
        next = frames.next()
      }
    }
  } catch (error) {
    if (!(error instanceof TailEnded)) throw error
    yield Buffer.from(`${JSON.stringify({ error: (error as EddaError).message })}\n`)
  } finally {
    tail.close()
    await frames.return?.()
  }
}

async function within<T>(promise: Promise<T>, clock: Clock): Promise<T | 'late'> {
  const early = new AbortController()
  const late = clock.sleep(HEARTBEAT_MS, early.signal).then(
    () => 'late' as const,
    () => 'late' as const,
  )
  try {
    return await Promise.race([promise, late])
  } finally {
    early.abort()
  }
}
