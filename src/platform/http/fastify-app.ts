/** Fastify as we use it: it reads requests, within limits and as raw bytes, and finds the route; the rest is ours. */
import type { RequestListener, Server } from 'node:http'
import type { Socket } from 'node:net'

import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'

import { BadRequest, EddaError, errorStatus } from '#/kernel/errors.ts'
import { bodyTooLarge } from './error-reply.ts'

/** Label names and ids in paths. */
const maxParamLength = 4096

/** On a server that is made for its handler. */
export function newFastify(maxBodyBytes: number, serverFor: (handler: RequestListener) => Server): FastifyInstance {
  const app = fastify({
    serverFactory: serverFor,
    bodyLimit: maxBodyBytes,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (_error, _request, reply: FastifyReply) => {
      void reply.code(400).type('text/plain; charset=utf-8').send('malformed path')
    },
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  return app
}

/** Answers what is not HTTP, or too much of it, or comes too slowly. */
function refuseConnection(error: Error & { readonly code?: string }, socket: Socket): void {
  const isOfHttp = error.code?.startsWith('HPE_') === true || error.code?.startsWith('ERR_HTTP_') === true
  // what fails below HTTP, e.g. a handshake, cannot be answered
  if (socket.destroyed || !socket.writable || !isOfHttp) return void socket.destroy()
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request'
  const body = status.slice(4).toLowerCase()
  const head = `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n`
  socket.end(`${head}content-length: ${body.length}\r\n\r\n${body}`)
}

/** Fastify's errors as ours; what is not the client's fault stays as it is. */
export function asOurs(error: unknown, request: FastifyRequest, limitBytes: number): unknown {
  if (error instanceof EddaError) return error
  const { code, statusCode, message } = error as { code?: string; statusCode?: number; message: string }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const announced = Number(request.headers['content-length'])
    return bodyTooLarge(Number.isSafeInteger(announced) ? announced : undefined, limitBytes)
  }
  const isClients = statusCode !== undefined && statusCode >= 400 && statusCode < errorStatus.internal.http
  return isClients ? new BadRequest(message) : error
}
