/**
 * The contract of a gRPC method with one message in and one out. Messages are raw protobuf bytes: no schema is loaded. Errors are
 * thrown; the server maps them by `errorStatus` to gRPC's status.
 */
import type { IncomingHttpHeaders } from 'node:http'

import type { Access } from '#/platform/http/access.ts'

export type GrpcRequest = {
  /** Decompressed. */
  readonly message: Buffer
  /** Tenant id from `x-scope-orgid`, validated; the single tenant when auth is off; '' when the method needs none. */
  readonly tenant: string
  /** Metadata of the call, as if they were HTTP headers. */
  readonly headers: IncomingHttpHeaders
  /** Aborted when the client leaves, when the deadline passes, or when the server stops. */
  readonly signal: AbortSignal
}

export type GrpcMethod = {
  /** `/opentelemetry.proto.collector.logs.v1.LogsService/Export` */
  readonly path: string
  readonly tenant: 'required' | 'none'
  /** What a caller needs where credentials are set up. */
  readonly access: Access
  /** The HTTP path that says the same; where that is open to everybody, so is the method. */
  readonly sameAsPath?: string
  /** Gives the message of the answer. */
  readonly handle: (request: GrpcRequest) => Promise<Uint8Array>
}
