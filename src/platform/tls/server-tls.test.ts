import assert from 'node:assert/strict'
import { constants } from 'node:crypto'
import { describe, it } from 'node:test'

import type { Logger } from '#/platform/telemetry/logger.ts'
import { Metrics } from '#/platform/telemetry/metrics.ts'
import { opensslCiphers } from './cipher-suites.ts'
import { ServerTls, type TlsMaterial, type TlsOptions, tlsProblems } from './server-tls.ts'
import { makeCertificate } from './testing-certificates.ts'

const authority = makeCertificate({ name: 'authority' })
const own = makeCertificate({ name: 'server', issuer: authority, notAfter: new Date('2040-01-02T03:04:05Z') })
const options: TlsOptions = {
  certFile: 'cert',
  keyFile: 'key',
  clientAuthType: '',
  clientCaFile: '',
  minVersion: '',
  cipherSuites: [],
}

type Opened = { tls: ServerTls; messages: string[]; metrics: Metrics }

async function open(files: Record<string, string>, more: Partial<TlsOptions> = {}): Promise<Opened> {
  const messages: string[] = []
  const note = (message: string, fields?: object): void =>
    void messages.push(fields && 'err' in fields ? `${message}: ${(fields.err as Error).message}` : message)
  const logger: Logger = { debug: note, info: () => undefined, warn: note, error: note, with: () => logger }
  const metrics = new Metrics()
  const readFile = async (path: string): Promise<Buffer> => {
    const text = files[path]
    if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
    return Buffer.from(text)
  }
  const clock = { every: () => () => undefined }
  const tls = await ServerTls.open({ ...options, ...more }, { disk: { readFile }, clock, logger, metrics })
  return { tls, messages, metrics }
}

describe('ServerTls', () => {
  it('reads files, says when they end, and is at least TLS 1.2', async () => {
    const { tls, metrics } = await open({ cert: own.cert, key: own.key })
    assert.equal(tls.material.minVersion, 'TLSv1.2')
    assert.equal(tls.material.requestCert, false)
    const text = await metrics.text()
    assert.match(text, /edda_tls_certificate_not_after_seconds 2209086245\n/)
    assert.match(text, /edda_tls_last_reload_successful 1\n/)
    const newest = await open({ cert: own.cert, key: own.key }, { minVersion: 'VersionTLS13' })
    assert.equal(newest.tls.material.minVersion, 'TLSv1.3')
  })

  it('knows the kinds of certificates of clients', async () => {
    const files = { cert: own.cert, key: own.key, ca: authority.cert }
    const of = async (clientAuthType: TlsOptions['clientAuthType'], clientCaFile = ''): Promise<unknown[]> => {
      const { requestCert, rejectUnauthorized, needsClientCert, verifiesClientCert, secureOptions } = (
        await open(files, { clientAuthType, clientCaFile })
      ).tls.material
      const isWithoutTickets = secureOptions === constants.SSL_OP_NO_TICKET
      return [requestCert, rejectUnauthorized, needsClientCert, verifiesClientCert, isWithoutTickets].map(Number)
    }
    assert.deepEqual(await of('NoClientCert'), [0, 0, 0, 0, 0])
    assert.deepEqual(await of('RequestClientCert'), [1, 0, 0, 0, 1])
    assert.deepEqual(await of('RequireAnyClientCert'), [1, 0, 1, 0, 1])
    assert.deepEqual(await of('VerifyClientCertIfGiven', 'ca'), [1, 0, 0, 1, 1])
    assert.deepEqual(await of('RequireAndVerifyClientCert', 'ca'), [1, 1, 1, 1, 1])
  })

  it('follows the files; half a change waits for the other half', async () => {
    const files: Record<string, string> = { cert: own.cert, key: own.key }
    const { tls, messages, metrics } = await open(files)
    const seen: TlsMaterial[] = []
    tls.onChange((material) => seen.push(material))
    await tls.reload()
    assert.equal(seen.length, 0)
    const renewed = makeCertificate({ name: 'renewed', issuer: authority })
    files['cert'] = renewed.cert
    await tls.reload()
    assert.equal(seen.length, 0)
    assert.equal(tls.material.cert.toString(), own.cert)
    assert.match(messages.at(-1) ?? '', /previous ones stay: .*cert, key: .*key values mismatch/)
    assert.match(await metrics.text(), /edda_tls_last_reload_successful 0\n/)
    files['key'] = renewed.key
    await tls.reload()
    assert.equal(seen[0]?.cert.toString(), renewed.cert)
    assert.match(await metrics.text(), /edda_tls_last_reload_successful 1\n/)
    delete files['key']
    await tls.reload()
    assert.equal(tls.material.key.toString(), renewed.key)
  })

  it('does not start with bad files', async () => {
    await assert.rejects(open({ cert: own.cert }), /cannot read key of server.http_tls_config: ENOENT/)
    await assert.rejects(open({ cert: 'x', key: own.key }), /cert, key: /)
    await assert.rejects(open({ cert: own.cert, key: authority.key }), /key values mismatch/)
    const withCa = { clientAuthType: 'RequireAndVerifyClientCert', clientCaFile: 'ca' } as const
    await assert.rejects(open({ cert: own.cert, key: own.key, ca: 'nothing' }, withCa), /cert, key, ca: /)
  })
})

describe('tlsProblems', () => {
  const cases: readonly (readonly [Partial<TlsOptions>, RegExp | undefined])[] = [
    [{}, undefined],
    [{ certFile: '', keyFile: '' }, undefined],
    [{ keyFile: '' }, /needs both cert_file and key_file/],
    [{ certFile: '', keyFile: '', clientAuthType: 'RequestClientCert' }, /has no cert_file of its own/],
    [{ clientAuthType: 'RequireAndVerifyClientCert' }, /RequireAndVerifyClientCert needs client_ca_file/],
    [{ clientCaFile: 'ca' }, /needs a client_auth_type that verifies/],
    [{ cipherSuites: ['TLS_RSA_WITH_RC4_128_SHA'] }, /TLS_RSA_WITH_RC4_128_SHA is unknown or not safe/],
    [{ cipherSuites: ['constructor'] }, /constructor is unknown/],
  ]
  for (const [more, problem] of cases) {
    it(JSON.stringify(more), () => {
      const problems = tlsProblems({ ...options, ...more })
      if (problem === undefined) assert.deepEqual(problems, [])
      else assert.match(problems.join(), problem)
    })
  }
})

describe('opensslCiphers', () => {
  it('translates names of Go', () => {
    assert.equal(opensslCiphers([]), undefined)
    assert.equal(opensslCiphers(['TLS_AES_128_GCM_SHA256']), undefined)
    assert.match(
      opensslCiphers(['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256']) ?? '',
      /^TLS_AES_128_GCM_SHA256:.*:ECDHE-RSA-AES128-GCM-SHA256$/,
    )
  })
})
