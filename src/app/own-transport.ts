/** How the agent inside this process pushes: past the network, so that it needs no certificate and no credentials. */
import type { PushTransport } from '#/agent/send/transport.ts'
import { EddaError, errorStatus } from '#/kernel/errors.ts'
import type { Endpoint } from '#/platform/http/endpoint.ts'

/** `push` is the endpoint of Loki's protobuf. */
export function ownTransport(push: Endpoint, tenant: string): PushTransport {
  return {
    async push(body, signal) {
      try {
        const reply = await push.handle({
          method: 'POST',
          path: push.path,
          pathParams: {},
          query: new URLSearchParams(),
          headers: { 'content-type': 'application/x-protobuf' },
          body,
          tenant,
          signal,
          remoteAddress: '',
        })
        const message = typeof reply.body === 'string' ? reply.body.split('\n', 1)[0] : ''
        return { status: reply.status, message: message ?? '', retryAfterSeconds: undefined }
      } catch (error) {
        if (!(error instanceof EddaError)) throw error
        const { message, retryAfterSeconds } = error
        return { status: errorStatus[error.code].http, message, retryAfterSeconds }
      }
    },
    close: async () => undefined,
  }
}
