import assert from 'node:assert/strict'
import { connect as connectTcp, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, describe, it } from 'node:test'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { constants } from 'node:crypto'

import { WebSocket } from 'ws'

import { silentLogger } from '#/platform/telemetry/logger.ts'
import { Metrics } from '#/platform/telemetry/metrics.ts'
import { makeCertificate, type TestCertificate } from '#/platform/tls/testing-certificates.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { textReply } from './endpoint.ts'
import { HttpServer } from './http-server.ts'
import type { ListenerTls } from './listener.ts'
import { testEndpoint, testServerOptions } from './testing-server.ts'

const { clock, random } = realWorld()
const authority = makeCertificate({ name: 'authority' })
const own = makeCertificate({ name: 'server', issuer: authority })
const known = makeCertificate({ name: 'client', issuer: authority })
const stranger = makeCertificate({ name: 'client', issuer: makeCertificate({ name: 'somebody' }) })

const servers: HttpServer[] = []
after(() => Promise.all(servers.map((server) => server.drain(0))))

async function serve(tls: Partial<ListenerTls> = {}): Promise<HttpServer> {
  const server = await HttpServer.start(
    {
      ...testServerOptions,
      tls: {
        cert: own.cert,
        key: own.key,
        ca: authority.cert,
        minVersion: 'TLSv1.2',
        needsClientCert: false,
        verifiesClientCert: false,
        ...tls,
      },
    },
    {
      endpoints: [
        {
          ...testEndpoint,
          handle: async () => textReply(200, 'hello'),
          upgrade: async () => (socket) => socket.send('frame'),
        },
      ],
      clock,
      random,
      logger: silentLogger,
      metrics: new Metrics(),
    },
  )
  servers.push(server)
  return server
}

const optionsFor = (server: HttpServer, client?: TestCertificate): ConnectionOptions => ({
  host: '127.0.0.1',
  port: server.port,
  servername: 'localhost',
  ca: authority.cert,
  ...(client === undefined ? {} : { cert: client.cert, key: client.key }),
})

/** The whole answer to one request, or '' when the connection was refused. */
async function ask(
  options: ConnectionOptions,
  onSecure: (socket: TLSSocket) => void = () => undefined,
): Promise<string> {
  const socket = connect(options, () => onSecure(socket))
  socket.write('GET /x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  return text(socket).catch(() => '')
}
const isAnswered = async (server: HttpServer, client?: TestCertificate): Promise<boolean> =>
  (await ask(optionsFor(server, client))).endsWith('hello')

describe('HttpServer behind TLS', () => {
  it('answers requests and sockets, and nothing that is not encrypted', async () => {
    const server = await serve()
    assert.match(await ask(optionsFor(server)), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhello$/)
    const webSocket = new WebSocket(`wss://localhost:${server.port}/x`, { ca: authority.cert, host: '127.0.0.1' })
    const frame = await new Promise((resolve, reject) => webSocket.once('message', resolve).once('error', reject))
    assert.equal(String(frame), 'frame')
    const plain = connectTcp(server.port, '127.0.0.1')
    plain.write('GET /x HTTP/1.1\r\nhost: localhost\r\n\r\n')
    assert.doesNotMatch(await text(plain).catch(() => ''), /hello/)
    assert.equal(await isAnswered(server), true, 'it goes on')
  })

  it('speaks TLS 1.2 and 1.3, and nothing older', async () => {
    const server = await serve()
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const options = { ...optionsFor(server), minVersion: version, maxVersion: version }
      let spoken: string | null = ''
      await ask(options, (socket) => (spoken = socket.getProtocol()))
      assert.equal(spoken, version)
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    assert.equal(await ask({ ...optionsFor(server), ...old }), '')
    const newest = await serve({ minVersion: 'TLSv1.3' })
    assert.equal(await ask({ ...optionsFor(newest), maxVersion: 'TLSv1.2' }), '')
  })

  it('wants certificates of clients as it is told', async () => {
    const cases = [
      { requestCert: false, rejectUnauthorized: false, needs: false, verifies: false, want: [true, true, true] },
      { requestCert: true, rejectUnauthorized: false, needs: false, verifies: false, want: [true, true, true] },
      { requestCert: true, rejectUnauthorized: false, needs: true, verifies: false, want: [false, true, true] },
      { requestCert: true, rejectUnauthorized: false, needs: false, verifies: true, want: [true, true, false] },
      { requestCert: true, rejectUnauthorized: true, needs: true, verifies: true, want: [false, true, false] },
    ]
    for (const { needs, verifies, want, ...rest } of cases) {
      const server = await serve({ ...rest, needsClientCert: needs, verifiesClientCert: verifies })
      const got = [await isAnswered(server), await isAnswered(server, known), await isAnswered(server, stranger)]
      assert.deepEqual(got, want, JSON.stringify({ needs, verifies }))
    }
  })

  it('does not take a resumed session for a certificate', async () => {
    const server = await serve({
      requestCert: true,
      rejectUnauthorized: true,
      needsClientCert: true,
      verifiesClientCert: true,
      secureOptions: constants.SSL_OP_NO_TICKET,
    })
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      for (const client of [known, undefined]) {
        const sessions: Buffer[] = []
        const first = connect({ ...optionsFor(server, client), maxVersion })
        first.on('session', (session) => sessions.push(session))
        first.write('GET /x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
        await text(first).catch(() => '')
        for (const session of sessions) {
          assert.doesNotMatch(await ask({ ...optionsFor(server), maxVersion, session }), /hello/)
        }
      }
    }
  })

  it('takes another certificate for the next connection', async () => {
    const server = await serve()
    const other = makeCertificate({ name: 'other' })
    const renewed = makeCertificate({ name: 'renewed', issuer: other })
    assert.equal(await isAnswered(server), true)
    server.setTls({ cert: renewed.cert, key: renewed.key, needsClientCert: false, verifiesClientCert: false })
    assert.equal(await isAnswered(server), false)
    assert.match(await ask({ ...optionsFor(server), ca: other.cert }), /hello$/)
  })

  it('stops, whatever connections have not agreed on TLS', async () => {
    const server = await serve()
    const silent = await new Promise<Socket>((resolve) => {
      const socket = connectTcp(server.port, '127.0.0.1', () => resolve(socket))
    })
    silent.on('error', () => undefined)
    const idle = connect(optionsFor(server))
    await new Promise((resolve) => idle.once('secureConnect', resolve))
    idle.on('error', () => undefined)
    const ends = [silent, idle].map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    // far before the connections would be given up anyway
    const startMs = performance.now()
    await server.drain(100)
    await Promise.all(ends)
    assert.ok(performance.now() - startMs < 30_000, `${performance.now() - startMs} ms`)
  })
})
