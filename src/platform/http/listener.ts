/** The server of Node under fastify: plain, or behind TLS. */
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { TlsOptions, TLSSocket } from 'node:tls'

import { wantsWebSocket } from './web-sockets.ts'

const maxHeaderBytes = 64 * 1024

/** What Node knows of TLS, and what it does not check by itself. */
export type ListenerTls = TlsOptions & {
  /** A connection without a certificate of the client is refused. */
  readonly needsClientCert: boolean
  /** A certificate that is given must be signed by one of `ca`. */
  readonly verifiesClientCert: boolean
}

export type ListenerLimits = {
  /** Longest time to receive a request, and to agree on TLS. */
  readonly readTimeoutMs: number
  readonly idleTimeoutMs: number
}

export type Listener = {
  /** Of `node:http` or `node:https`, which are the same to whoever uses them. */
  readonly server: Server
  /** Other certificates for the next connections; how those of clients are checked stays. */
  readonly setTls: (tls: ListenerTls) => void
  /** Cuts also connections that have not agreed on TLS yet, which the server does not know of. */
  readonly cutAll: () => void
}

export function newListener(
  { readTimeoutMs, idleTimeoutMs }: ListenerLimits,
  tls: ListenerTls | undefined,
  handler: RequestListener,
): Listener {
  const options = {
    maxHeaderSize: maxHeaderBytes,
    shouldUpgradeCallback: wantsWebSocket,
    connectionsCheckingInterval: Math.min(5000, Math.max(50, readTimeoutMs / 4)),
    requestTimeout: readTimeoutMs,
    headersTimeout: readTimeoutMs,
    keepAliveTimeout: idleTimeoutMs,
  }
  if (tls === undefined) {
    const server = createServer(options, handler)
    return { server, setTls: () => undefined, cutAll: () => server.closeAllConnections() }
  }
  const server = createTlsServer({ ...options, ...tls, handshakeTimeout: readTimeoutMs }, handler)
  return tlsListener(server, tls)
}

function tlsListener(server: TlsServer, { needsClientCert, verifiesClientCert }: ListenerTls): Listener {
  const unagreed = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    unagreed.add(socket)
    socket.once('close', () => unagreed.delete(socket))
  })
  // before a request can be read from it
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const isGiven = Object.keys(socket.getPeerCertificate()).length > 0
    if ((needsClientCert && !isGiven) || (verifiesClientCert && isGiven && !socket.authorized)) socket.destroy()
  })
  return {
    server: server as unknown as Server,
    setTls: (tls) => server.setSecureContext(tls),
    cutAll: () => {
      server.closeAllConnections()
      for (const socket of unagreed) socket.destroy()
    },
  }
}
