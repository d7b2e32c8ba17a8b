/**
 * The contract of an HTTP endpoint: one file each, one line in a table of routes. The table is also the source of the API
 * reference. Errors are thrown; the server maps them by `errorStatus` to a plain-text answer.
 */
import type { IncomingHttpHeaders } from 'node:http'

import type { EddaError } from '#/kernel/errors.ts'
import type { Access } from './access.ts'
import type { Answer, Parameter } from './endpoint-docs.ts'

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'DELETE'

export type HttpRequest = {
  readonly method: string
  /** Path without query string, decoded parameters in `pathParams`. */
  readonly path: string
  readonly pathParams: Readonly<Record<string, string>>
  /** URL query; for `body: 'form'` the values of a form body come first. */
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** Raw bytes as sent, still encoded; empty unless the endpoint's `body` is `raw`. */
  readonly body: Buffer
  /** Tenant id(s) from `X-Scope-OrgID`, validated; the single tenant when auth is off; '' when the endpoint needs none. */
  readonly tenant: string
  /** Aborted when the client leaves, when the deadline passes, or when the server stops. */
  readonly signal: AbortSignal
  readonly remoteAddress: string
}

export type HttpReply = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** A stream is written as it comes, each chunk flushed, no faster than the client reads. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>
  /** False for streams of which there are many: compression takes memory for each of them. */
  readonly mayCompress?: false
  /** For streams without an end of their own: called when the server begins to stop, so that they end now. */
  readonly onStop?: () => void
}

/** A WebSocket, as far as an endpoint sees it. What clients send is ignored. */
export interface Socket {
  /** Sends a frame; resolves when the client's connection has taken it, or the socket is closed. Never rejects. */
  send(text: string): Promise<void>
  /** Sends a close frame; the first one counts. A reason is cut to the 123 bytes that fit. */
  close(code: number, reason: string): void
  /** Aborted when either side has closed the socket, or the connection is lost. */
  readonly closed: AbortSignal
}

/** Owns the socket; when it has run, the socket is closed with 1000 unless it is closed already. */
export type UseSocket = (socket: Socket) => Promise<void>

export type Endpoint = {
  readonly methods: readonly HttpMethod[]
  /** `/loki/api/v1/label/:name/values` */
  readonly path: string
  /** One or two sentences for the API reference. */
  readonly doc: string
  readonly tenant: 'required' | 'none'
  /** What a caller needs where credentials are set up. */
  readonly access: Access
  /** `none`: a body is refused if larger than nothing; `form`: urlencoded parameters; `raw`: bytes, at most `maxBodyBytes`. */
  readonly body: 'none' | 'form' | 'raw'
  /** Media types of a raw body. */
  readonly consumes?: readonly string[]
  /** Everything that it reads from path, URL, form and headers, but the tenant and what HTTP itself is about. */
  readonly params: readonly Parameter[]
  /** When all went well. Errors are plain text. */
  readonly answer: Answer
  /** Largest compressed body; the server's default when undefined. */
  readonly maxBodyBytes?: number
  /** The request may name several tenants, `a|b`, where the process allows that. */
  readonly isMultiTenant?: true
  readonly handle: (request: HttpRequest) => Promise<HttpReply>
  /**
   * Set when a client may ask for a WebSocket here (with GET). Runs before the handshake, so that what it throws is answered as
   * HTTP; the function that it gives gets the open socket. Pings, and the end when the server stops, are the server's.
   */
  readonly upgrade?: (request: HttpRequest) => Promise<UseSocket>
  /**
   * The protocol's own form of an error, e.g. a protobuf status; plain text when undefined. Also gets errors from before `handle`:
   * no tenant, a body that is too large.
   */
  readonly errorReply?: (error: EddaError, request: Pick<HttpRequest, 'headers' | 'path'>) => HttpReply | undefined
}

export function textReply(status: number, body: string, headers?: Readonly<Record<string, string>>): HttpReply {
  return {
    status,
    body,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff', ...headers },
  }
}

export function jsonReply(status: number, value: unknown): HttpReply {
  return { status, body: JSON.stringify(value), headers: { 'content-type': 'application/json; charset=UTF-8' } }
}
