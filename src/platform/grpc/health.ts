/** `grpc.health.v1.Health/Check`, which load balancers and Kubernetes ask. */
import { NotFound } from '#/kernel/errors.ts'
import { ProtobufCursor } from '#/kernel/protobuf-cursor.ts'
import type { GrpcMethod } from './grpc-method.ts'
import { varintField } from './protobuf-fields.ts'

const serving = 1
const notServing = 2

/** `services` are the names that may be asked for besides the empty one, which stands for the whole server. */
export function healthMethod(services: readonly string[], isReady: () => boolean): GrpcMethod {
  return {
    path: '/grpc.health.v1.Health/Check',
    tenant: 'none',
    access: 'any',
    sameAsPath: '/ready',
    handle: async ({ message }) => {
      const service = serviceOf(message)
      if (service !== '' && !services.includes(service)) throw new NotFound('unknown service')
      return varintField(1, isReady() ? serving : notServing)
    },
  }
}

/** `HealthCheckRequest{1 service}` */
function serviceOf(message: Buffer): string {
  const cursor = new ProtobufCursor(message)
  let service = ''
  while (cursor.at < message.length) {
    const tag = cursor.tag()
    if (tag === 0x0a) {
      const end = cursor.enter()
      service = message.toString('utf8', cursor.at, end)
      cursor.at = end
    } else {
      cursor.skip(tag)
    }
  }
  return service
}
