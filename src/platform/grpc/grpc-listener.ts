/** Connections for gRPC: plain, or behind the same TLS as HTTP. gRPC's own listener can neither reload certificates nor count. */
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'

import type { ListenerTls } from '#/platform/http/listener.ts'

export type GrpcListener = {
  readonly server: Server
  /** Other certificates, for the next connections. */
  readonly setTls: (tls: ListenerTls) => void
  /** Takes no more connections, and cuts those that are open. */
  readonly cutAll: () => void
}

export function newGrpcListener(
  handshakeTimeoutMs: number,
  tls: ListenerTls | undefined,
  take: (connection: Socket) => void,
): GrpcListener {
  const open = new Set<Socket>()
  const takeOne = (socket: Socket): void => {
    socket.on('error', () => socket.destroy())
    take(socket)
  }
  const encrypted = tls === undefined ? undefined : tlsServer(handshakeTimeoutMs, tls, takeOne)
  const server = encrypted ?? createServer(takeOne)
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  return {
    server,
    setTls: (next) => encrypted?.setSecureContext(next),
    cutAll: () => {
      for (const socket of open) socket.destroy()
    },
  }
}

function tlsServer(
  handshakeTimeout: number,
  tls: ListenerTls,
  take: (connection: Socket) => void,
): ReturnType<typeof createTlsServer> {
  const { needsClientCert, verifiesClientCert } = tls
  return createTlsServer({ ...tls, ALPNProtocols: ['h2'], handshakeTimeout }, (socket: TLSSocket) => {
    const isGiven = Object.keys(socket.getPeerCertificate()).length > 0
    const isRefused = (needsClientCert && !isGiven) || (verifiesClientCert && isGiven && !socket.authorized)
    if (isRefused) socket.destroy()
    else take(socket)
  })
}
