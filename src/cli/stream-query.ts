/** A query whose answer comes as lines of JSON, with a request for the rest of it when the connection is lost. */
import { request } from 'undici'

import type { Connection } from './connection.ts'
import type { CliIo } from './io.ts'
import type { LogStream } from './print-logs.ts'

export type QueryProgress = { readonly bytes_done: number; readonly bytes_total: number }

type Frame =
  | ({ readonly type: 'progress' } & QueryProgress)
  | { readonly type: 'rows'; readonly streams: readonly LogStream[]; readonly cursor?: string }
  | { readonly type: 'warnings'; readonly warnings: readonly string[] }
  | { readonly type: 'error'; readonly status: number; readonly error: string }
  | { readonly type: 'result' }
  | { readonly type: 'end'; readonly cursor?: string }

export type StreamQueryOptions = {
  readonly parameters: Readonly<Record<string, string>>
  /** Awaited before more is read, so that a slow writer slows the server. */
  readonly onRows: (streams: readonly LogStream[]) => Promise<void>
  readonly onProgress: (progress: QueryProgress) => void
  /** Warnings, and what went wrong on the way. */
  readonly say: (text: string) => void
}

/** Attempts in a row that bring nothing. */
const maxAttempts = 6
const firstWaitMs = 500
const maxWaitMs = 10_000
/** The server tells its progress all the time. */
const silenceMs = 120_000
/** Frames are far smaller, unless a single line is not. */
const maxFrameLength = 256 * 1024 * 1024
/** Too many requests, unavailable, out of time: the rest may come with another request. */
const passingStatuses: readonly number[] = [429, 499, 502, 503, 504]

/** The connection broke, or the server could not go on for now. */
class Interrupted extends Error {}

export async function streamQuery(connection: Connection, options: StreamQueryOptions, io: CliIo): Promise<void> {
  const { signal, world } = io
  let cursor = ''
  for (let failures = 0; ;) {
    const before = cursor
    try {
      for await (const frame of frames(connection, { ...options.parameters, cursor }, signal)) {
        if (frame.type === 'rows') {
          await options.onRows(frame.streams)
          cursor = frame.cursor ?? cursor
        } else if (frame.type === 'end') return
        else takeOther(frame, options)
      }
      throw new Interrupted('the answer has no end')
    } catch (error) {
      if (signal.aborted || !(error instanceof Interrupted)) throw error
      failures = cursor === before ? failures + 1 : 0
      if (failures >= maxAttempts) throw error
      const waitMs = Math.min(maxWaitMs, firstWaitMs * 2 ** failures)
      options.say(`${error.message}; going on in ${waitMs / 1000} s`)
      await world.clock.sleep(waitMs, signal)
    }
  }
}

function takeOther(frame: Exclude<Frame, { type: 'rows' | 'end' }>, { onProgress, say }: StreamQueryOptions): void {
  switch (frame.type) {
    case 'progress':
      return onProgress(frame)
    case 'warnings':
      for (const warning of frame.warnings) say(`warning: ${warning}`)
      return
    case 'error':
      throw failure(frame.status, frame.error)
    case 'result':
      throw new Error('only log queries can be exported')
  }
}

function failure(status: number, text: string): Error {
  const message = `the server answered ${status}: ${text.trim()}`
  return passingStatuses.includes(status) ? new Interrupted(message) : new Error(message)
}

async function* frames(
  { url, headers }: Connection,
  parameters: Readonly<Record<string, string>>,
  signal: AbortSignal,
): AsyncGenerator<Frame> {
  const answer = await request(`${url}/loki/api/v1/query_range`, {
    method: 'POST',
    headers: {
      ...headers,
      accept: 'application/x-ndjson',
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': 'edda-cli',
    },
    body: new URLSearchParams(parameters).toString(),
    signal,
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
  }).catch((error: unknown) => {
    throw interrupted(error, url)
  })
  if (answer.statusCode !== 200) throw failure(answer.statusCode, await answer.body.text().catch(() => ''))
  let rest = ''
  const decoder = new TextDecoder()
  const chunks = (answer.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value } = await chunks.next().catch((error: unknown) => {
        throw interrupted(error, url)
      })
      if (done === true) return
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > maxFrameLength) throw new Error(`a frame is longer than ${maxFrameLength} characters`)
      for (const line of lines) if (line !== '') yield JSON.parse(line) as Frame
    }
  } finally {
    await chunks.return?.()
  }
}

function interrupted(error: unknown, url: string): Interrupted {
  const { code, message } = error as { readonly code?: string; readonly message?: string }
  return new Interrupted(`the connection to ${url} was lost: ${code ?? message ?? String(error)}`, { cause: error })
}
