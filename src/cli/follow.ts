/** One connection to the live tail of a server, Edda or Loki, from the handshake to its end. */
import type { IncomingMessage } from 'node:http'

import { WebSocket } from 'ws'

import type { Connection } from './connection.ts'
import type { Entry } from './entry-order.ts'
import type { LogStream } from './print-logs.ts'

type Dropped = { readonly labels: Readonly<Record<string, string>>; readonly timestamp: string }
type Frame = { readonly streams: readonly LogStream[] | null; readonly dropped_entries?: readonly Dropped[] | null }

export type FollowOptions = {
  readonly parameters: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Awaited before the next frame is read, so that a slow reader slows nobody but itself. */
  readonly onEntries: (entries: readonly Entry[]) => Promise<void>
  readonly onDropped: (count: number, oldestNs: bigint) => void
}

/** How a connection ended. `code` is that of the close frame, or 1006 without one. */
export type FollowEnd = { readonly code: number; readonly reason: string; readonly wasOpen: boolean }

/** The server does not want the request: trying again would not help. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

/** Frames may be large, but not without end. */
const maxFrameBytes = 256 * 1024 * 1024
const handshakeTimeoutMs = 30_000

/** Resolves when the connection has ended, whatever the reason. @throws Refused with the server's words when it answers an error. */
export async function follow({ url, headers }: Connection, options: FollowOptions): Promise<FollowEnd> {
  const { parameters, signal } = options
  const address = `${url.replace(/^http/, 'ws')}/loki/api/v1/tail?${new URLSearchParams(parameters).toString()}`
  const socket = new WebSocket(address, {
    headers: { ...headers, 'user-agent': 'edda-cli' },
    maxPayload: maxFrameBytes,
    handshakeTimeout: handshakeTimeoutMs,
    perMessageDeflate: false,
  })
  let wasOpen = false
  let failure = ''
  let refusal: Promise<Refused> | undefined
  let printed = Promise.resolve()
  const leave = (): void => {
    if (wasOpen) socket.close(1000)
    else socket.terminate()
  }
  socket.on('open', () => (wasOpen = true))
  socket.on('error', (error: Error & { code?: string }) => (failure ||= error.code ?? error.message))
  socket.on('unexpected-response', (_request, response) => {
    refusal = refusalOf(response)
    void refusal.finally(() => socket.terminate())
  })
  socket.on('message', (data: Buffer) => {
    socket.pause()
    printed = printed
      .then(() => takeFrame(JSON.parse(data.toString()) as Frame, options))
      .finally(() => socket.resume())
    // told at the end
    printed.catch(() => socket.terminate())
  })
  signal.addEventListener('abort', leave, { once: true })
  if (signal.aborted) leave()
  try {
    const end = await new Promise<{ readonly code: number; readonly reason: string }>((resolve) =>
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() || failure })),
    )
    await printed
    if (refusal !== undefined) throw await refusal
    return { ...end, wasOpen }
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

async function refusalOf(response: IncomingMessage): Promise<Refused> {
  const text = (await response.toArray()).join('').trim()
  return new Refused(`the server answered ${response.statusCode}: ${text}`)
}

async function takeFrame({ streams, dropped_entries }: Frame, { onEntries, onDropped }: FollowOptions): Promise<void> {
  const entries = (streams ?? []).flatMap(({ stream, values }) =>
    values.map(([ns, line]) => ({ labels: stream, timeNs: BigInt(ns), line })),
  )
  if (dropped_entries && dropped_entries.length > 0) {
    const times = dropped_entries.map(({ timestamp }) => BigInt(timestamp))
    onDropped(
      times.length,
      times.reduce((least, ns) => (ns < least ? ns : least)),
    )
  }
  await onEntries(entries)
}
