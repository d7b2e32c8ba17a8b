/** What tests of the server and its endpoints have in common. */
import type { Endpoint } from './endpoint.ts'
import { textReply } from './endpoint.ts'
import type { HttpServerOptions } from './http-server.ts'

/** Small bodies, one tenant, a port of its own, and no limit that a slow machine could meet. */
export const testServerOptions: HttpServerOptions = {
  address: '127.0.0.1',
  port: 0,
  pathPrefix: '',
  tenantRules: { isAuthEnabled: false, noAuthTenant: 'fake', isMultiTenantAllowed: false },
  maxBodyBytes: 1000,
  readTimeoutMs: 60_000,
  writeTimeoutMs: 60_000,
  idleTimeoutMs: 60_000,
  maxConnections: 0,
  compressResponses: true,
  logRequestsAtInfo: false,
}

export const testEndpoint: Endpoint = {
  methods: ['GET'],
  path: '/x',
  doc: '',
  tenant: 'none',
  access: 'any',
  body: 'none',
  params: [],
  answer: { status: 200, types: ['text/plain'] },
  handle: async () => textReply(200, 'ok'),
}
