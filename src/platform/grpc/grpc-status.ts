/**
 * How an error looks to a gRPC client: a code, a text, and for errors that pass by themselves a `google.rpc.RetryInfo` in
 * `grpc-status-details-bin`, without which exporters take RESOURCE_EXHAUSTED for good.
 */
import { Metadata, type ServerErrorResponse, status } from '@grpc/grpc-js'

import { type EddaError, errorStatus } from '#/kernel/errors.ts'
import { field, varintField } from './protobuf-fields.ts'

/** For errors that may pass by themselves and do not say when. */
const retryAfterSecondsDefault = 1
/** Longest text of a status: it is sent as a header, for which clients have little room. */
const maxDetailsLength = 1024

export function grpcStatus(error: EddaError): ServerErrorResponse & { readonly code: number } {
  const { grpc: code, retryable } = errorStatus[error.code]
  const details = error.message.slice(0, maxDetailsLength)
  const metadata = new Metadata()
  const seconds = error.retryAfterSeconds ?? (retryable ? retryAfterSecondsDefault : undefined)
  if (seconds !== undefined) metadata.set('grpc-status-details-bin', withRetryInfo(code, details, Math.ceil(seconds)))
  return { name: 'GrpcStatus', message: details, code, details, metadata }
}

/** Loki's names for how a call ended. */
export function statusName(code: number): string {
  return code === status.OK ? 'success' : code === status.CANCELLED ? 'cancel' : 'error'
}

/** `google.rpc.Status{1 code, 2 message, 3 details: Any{1 type_url, 2 RetryInfo{1 Duration{1 seconds}}}}` */
function withRetryInfo(code: number, message: string, seconds: number): Buffer {
  const retryInfo = field(1, varintField(1, seconds))
  const any = [field(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')), field(2, retryInfo)]
  return Buffer.concat([varintField(1, code), field(2, Buffer.from(message)), field(3, Buffer.concat(any))])
}
