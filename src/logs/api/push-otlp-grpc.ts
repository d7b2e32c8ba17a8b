/**
 * `opentelemetry.proto.collector.logs.v1.LogsService/Export`: OpenTelemetry's export of logs over gRPC. As its protocol says,
 * entries that were refused while others were stored are a partial success, which nobody sends again.
 */
import { type OtlpReaderDeps, otlpReader } from './otlp-reader.ts'
import type { PushDeps } from './push-reply.ts'
import { EddaError, LimitExceeded, Unavailable } from '#/kernel/errors.ts'
import type { PushReply } from '#/logs/write/distributor/distributor.ts'
import type { GrpcMethod } from '#/platform/grpc/grpc-method.ts'
import { field, varintField } from '#/platform/grpc/protobuf-fields.ts'

export const otlpGrpcService = 'opentelemetry.proto.collector.logs.v1.LogsService'

const everythingStored = new Uint8Array(0)

export function otlpGrpcMethod({ distributor, ...deps }: OtlpReaderDeps & Pick<PushDeps, 'distributor'>): GrpcMethod {
  const read = otlpReader(deps)
  return {
    path: `/${otlpGrpcService}/Export`,
    tenant: 'required',
    access: 'write',
    handle: async ({ tenant, message, signal }) => {
      await distributor.admit(signal)
      const columns = read(tenant, message)
      if (columns.rowCount === 0) return everythingStored
      const request = { columns, backfillShard: undefined, policy: undefined, signal }
      const { rowCount } = columns
      return answer(await distributor.push(tenant, request), rowCount)
    },
  }
}

/** `ExportLogsServiceResponse{1 partial_success{1 rejected_log_records, 2 error_message}}` */
function answer({ status, message, refusedRows }: PushReply, rowCount: number): Uint8Array {
  if (status === 204) return everythingStored
  // what is over a rate may be stored later, and what was stored is known by then
  if (status === 429) throw new LimitExceeded(message)
  if (status >= 500) throw new Unavailable(message)
  // an operator may block a tenant with a status that its clients take for success
  const rejected = refusedRows ?? (status < 300 ? rowCount : undefined)
  if (rejected === undefined) throw new EddaError('bad_request', message)
  return field(1, Buffer.concat([varintField(1, rejected), field(2, Buffer.from(message))]))
}
