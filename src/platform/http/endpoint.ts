/**
 * The contract of an HTTP endpoint: one file each, one line in a table of routes. The table is also the source of the API
 * reference. Errors are thrown; the server maps them by `errorStatus` to a plain-text answer.
 */
import type { IncomingHttpHeaders } from 'node:http'

import type { EddaError } from '#/kernel/errors.ts'

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
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>
}

export type Endpoint = {
  readonly methods: readonly HttpMethod[]
  /** `/loki/api/v1/label/:name/values` */
  readonly path: string
  /** One or two sentences for the API reference. */
  readonly doc: string
  readonly tenant: 'required' | 'none'
  /** `none`: a body is refused if larger than nothing; `form`: urlencoded parameters; `raw`: bytes, at most `maxBodyBytes`. */
  readonly body: 'none' | 'form' | 'raw'
  /** Largest compressed body; the server's default when undefined. */
  readonly maxBodyBytes?: number
  /** The request may name several tenants, `a|b`, where the process allows that. */
  readonly isMultiTenant?: true
  readonly handle: (request: HttpRequest) => Promise<HttpReply>
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
