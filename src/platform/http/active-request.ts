/** One request from its head to the end of its answer. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket as NetSocket } from 'node:net'

import { Cancelled, type EddaError } from '#/kernel/errors.ts'

/** Status of a request whose client left; nobody sees it but the log and the metrics. */
const clientClosed = 499
const switchedProtocols = 101

export class ActiveRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly route: string
  readonly startMs: number
  readonly #abort = new AbortController()
  readonly #deadlineMs: number
  /** Set when the answer begins to be written. */
  #writing: { bytes: number; sinceMs: number } | undefined
  /** The connection, once it is a WebSocket, and what was written on it before. */
  #webSocket: NetSocket | undefined
  #bytesBefore = 0
  /** Of the body. */
  #bodyBytes = 0
  tenant = ''
  /** Ends an answer that has no end of its own. */
  onStop: (() => void) | undefined
  error: EddaError | undefined

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    route: string,
    times: { now: number; limit: number },
  ) {
    this.request = request
    this.response = response
    this.route = route
    this.startMs = times.now
    this.#deadlineMs = times.limit > 0 ? times.now + times.limit : Number.POSITIVE_INFINITY
    response.once('close', () => {
      if (!response.writableFinished) this.abort(new Cancelled())
    })
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get sentBytes(): number {
    return this.#webSocket === undefined ? this.#bodyBytes : this.#webSocket.bytesWritten - this.#bytesBefore
  }

  countBytes(count: number): void {
    this.#bodyBytes += count
  }

  get isWebSocket(): boolean {
    return this.#webSocket !== undefined
  }

  get status(): number {
    if (this.isWebSocket) return switchedProtocols
    return this.response.writableFinished ? this.response.statusCode : clientClosed
  }

  abort(reason: EddaError): void {
    this.#abort.abort(reason)
  }

  /** Rejects when the request is aborted. */
  aborted(): Promise<never> {
    return new Promise((_, reject) => {
      const fail = (): void => reject(this.signal.reason as Error)
      if (this.signal.aborted) fail()
      else this.signal.addEventListener('abort', fail, { once: true })
    })
  }

  isLate(nowMs: number): boolean {
    return this.#writing === undefined && nowMs >= this.#deadlineMs
  }

  beginWriting(nowMs: number): void {
    this.#writing = { bytes: this.response.socket?.bytesWritten ?? 0, sinceMs: nowMs }
  }

  /** The handshake is done: from now on the connection carries frames. */
  becomeWebSocket(nowMs: number): void {
    this.#webSocket = this.request.socket
    this.#bytesBefore = this.#webSocket.bytesWritten
    this.beginWriting(nowMs)
  }

  /** Bytes that wait for the client to take them. */
  get #waitingBytes(): number {
    return this.#webSocket?.writableLength ?? this.response.writableLength
  }

  /** Whether the client has taken nothing of what waits for it for `limitMs`. */
  isStalled(nowMs: number, limitMs: number): boolean {
    const writing = this.#writing
    if (writing === undefined) return false
    const bytes = this.response.socket?.bytesWritten ?? 0
    if (bytes !== writing.bytes || this.#waitingBytes === 0) {
      this.#writing = { bytes, sinceMs: nowMs }
      return false
    }
    return nowMs - writing.sinceMs >= limitMs
  }
}
