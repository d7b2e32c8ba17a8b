/**
 * The sockets of a server: the handshake, pings, and the end. Frames from clients are read and ignored; ours are text, without
 * compression. Nothing here knows what is sent.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

import { type WebSocket, WebSocketServer } from 'ws'

import { BadRequest, Cancelled } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { Socket } from './endpoint.ts'

/** As often as Loki's; clients take silence for a lost connection. */
const pingIntervalMs = 1000
/** Clients have nothing to say. */
const maxClientFrameBytes = 16 * 1024
/** How long a client has to answer a close frame before the connection is cut. */
const closeGraceMs = 1000
/** What a close frame has room for. */
const maxReasonBytes = 123

/** The connection behind a request for a socket, and what the client has sent on it already. */
export type Handshake = { readonly socket: Duplex; readonly head: Buffer }

/** Whether a request asks for a WebSocket. Other upgrades, such as h2c, are ignored as HTTP allows. */
export function wantsWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket'
}

export class WebSockets {
  readonly #clock: Clock
  readonly #open = new Set<OpenSocket>()
  readonly #stopPings: () => void
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxClientFrameBytes,
  })

  constructor(clock: Clock) {
    this.#clock = clock
    this.#stopPings = clock.every(pingIntervalMs, () => {
      for (const socket of this.#open) socket.ping()
    })
  }

  /** Answers the handshake. @throws BadRequest when it is none; then nothing was sent. */
  accept(request: IncomingMessage, { socket, head }: Handshake): Socket {
    let refusal = 'the connection was closed during the handshake'
    let accepted: WebSocket | undefined
    const refuse = (error: Error): void => void (refusal = error.message)
    this.#server.once('wsClientError', refuse)
    this.#server.handleUpgrade(request, socket, head, (webSocket) => (accepted = webSocket))
    this.#server.off('wsClientError', refuse)
    if (accepted === undefined) throw new BadRequest(`websocket: ${refusal}`)
    const open = new OpenSocket(accepted, this.#clock)
    this.#open.add(open)
    open.closed.addEventListener('abort', () => this.#open.delete(open), { once: true })
    return open
  }

  /** Ends all sockets. */
  closeAll(code: number, reason: string): void {
    for (const socket of this.#open) socket.close(code, reason)
  }

  stop(): void {
    this.#stopPings()
  }
}

class OpenSocket implements Socket {
  readonly #socket: WebSocket
  readonly #clock: Clock
  readonly #closed = new AbortController()

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
    socket.on('close', () => this.#closed.abort(new Cancelled()))
    // a frame that is too large or malformed: ws has begun to close, and `close` follows
    socket.on('error', () => undefined)
  }

  get closed(): AbortSignal {
    return this.#closed.signal
  }

  send(text: string): Promise<void> {
    const { signal } = this.#closed
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      this.#socket.send(text, (error) => {
        // an error means that the socket closes; who sends in a loop must get to see it
        if (error === undefined || error === null || signal.aborted) resolve()
        else signal.addEventListener('abort', () => resolve(), { once: true })
      })
    })
  }

  close(code: number, reason: string): void {
    if (this.#closed.signal.aborted) return
    const over = new AbortController()
    this.#socket.once('close', () => over.abort())
    this.#socket.close(code, cutText(reason, maxReasonBytes))
    this.#closed.abort(new Cancelled())
    this.#clock.sleep(closeGraceMs, over.signal).then(
      () => this.#socket.terminate(),
      () => undefined,
    )
  }

  /** Not behind data that the client does not take: it would not arrive, and make a stalled connection look alive. */
  ping(): void {
    if (this.#socket.readyState === this.#socket.OPEN && this.#socket.bufferedAmount === 0) this.#socket.ping()
  }
}

function cutText(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxBytes) return text
  return bytes.toString('utf8', 0, maxBytes).replace(/\ufffd+$/, '')
}
