/**
 * What a TLS listener needs, from files that are read again while the process runs: a renewed certificate is used for the next
 * connection. Bad files stop a start; a running process keeps what it had. TLS 1.2 is the least.
 */
import { constants, createHash, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureVersion } from 'node:tls'

import type { Clock, Disk } from '#/kernel/world.ts'
import { ConfigError } from '#/platform/config/config-error.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import { opensslCiphers } from './cipher-suites.ts'

/** Go's names. */
export const clientAuthTypes = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const
export type ClientAuthType = (typeof clientAuthTypes)[number]

/** Go's names; older versions are not offered. */
export const tlsVersions = ['VersionTLS12', 'VersionTLS13'] as const

export type TlsOptions = {
  readonly certFile: string
  readonly keyFile: string
  /** Empty: no certificate is asked for. */
  readonly clientAuthType: ClientAuthType | ''
  readonly clientCaFile: string
  /** Empty: TLS 1.2. */
  readonly minVersion: (typeof tlsVersions)[number] | ''
  /** Go's names; empty: Node's choice. They are about TLS 1.2; those of 1.3 are all good. */
  readonly cipherSuites: readonly string[]
}

/** What Node needs, and what it does not check by itself. */
export type TlsMaterial = {
  readonly cert: Buffer
  readonly key: Buffer
  readonly ca?: Buffer
  readonly minVersion: SecureVersion
  readonly ciphers?: string
  readonly secureOptions: number
  readonly requestCert: boolean
  /** A connection whose certificate is not signed by `ca`, or is missing, is refused. */
  readonly rejectUnauthorized: boolean
  /** A connection without a certificate is refused. */
  readonly needsClientCert: boolean
  /** A certificate that is given must be signed by `ca`. */
  readonly verifiesClientCert: boolean
}

export type TlsDeps = {
  readonly disk: Pick<Disk, 'readFile'>
  readonly clock: Pick<Clock, 'every'>
  readonly logger: Logger
  readonly metrics: Metrics
}

const reloadPeriodMs = 10_000

/** Every problem of the options by themselves, without looking at files. */
export function tlsProblems(options: TlsOptions): readonly string[] {
  const { certFile, keyFile, clientAuthType, clientCaFile, cipherSuites } = options
  const problems: string[] = []
  if ((certFile === '') !== (keyFile === '')) problems.push('server.http_tls_config needs both cert_file and key_file')
  const verifies = clientAuthType === 'VerifyClientCertIfGiven' || clientAuthType === 'RequireAndVerifyClientCert'
  if (certFile === '' && (clientAuthType !== '' || clientCaFile !== '')) {
    problems.push('server.http_tls_config asks for certificates of clients, but has no cert_file of its own')
  }
  if (verifies && clientCaFile === '') {
    problems.push(`server.http_tls_config.client_auth_type ${clientAuthType} needs client_ca_file`)
  }
  if (!verifies && clientCaFile !== '') {
    problems.push('server.http_tls_config.client_ca_file needs a client_auth_type that verifies')
  }
  try {
    opensslCiphers(cipherSuites)
  } catch (error) {
    problems.push(`server.tls_cipher_suites: ${(error as Error).message}`)
  }
  return problems
}

export class ServerTls {
  readonly #options: TlsOptions
  readonly #deps: TlsDeps
  readonly #record: (isGood: boolean, notAfterSeconds: number | undefined) => void
  #material: TlsMaterial | undefined
  #hash = ''
  #onChange: (material: TlsMaterial) => void = () => undefined
  #reloading: Promise<void> | undefined
  #stop: () => void = () => undefined

  private constructor(options: TlsOptions, deps: TlsDeps) {
    this.#options = options
    this.#deps = deps
    this.#record = tlsMetrics(deps.metrics)
  }

  /** @throws ConfigError when a file is wrong or not there. */
  static async open(options: TlsOptions, deps: TlsDeps): Promise<ServerTls> {
    const tls = new ServerTls(options, deps)
    await tls.#load()
    tls.#stop = deps.clock.every(reloadPeriodMs, () => void tls.reload())
    return tls
  }

  get material(): TlsMaterial {
    if (this.#material === undefined) throw new Error('the TLS files are not read yet')
    return this.#material
  }

  /** Called with new material whenever the files have changed. */
  onChange(callback: (material: TlsMaterial) => void): void {
    this.#onChange = callback
  }

  /** Reads the files now. Wrong ones change nothing, but are logged and counted. */
  reload(): Promise<void> {
    this.#reloading ??= this.#load()
      .catch((error: unknown) => {
        this.#record(false, undefined)
        this.#deps.logger.error('TLS files are wrong, the previous ones stay', { err: error })
      })
      .finally(() => (this.#reloading = undefined))
    return this.#reloading
  }

  stop(): void {
    this.#stop()
  }

  async #load(): Promise<void> {
    const { certFile, keyFile, clientCaFile } = this.#options
    const [cert, key, ca] = await Promise.all([
      this.#read(certFile),
      this.#read(keyFile),
      clientCaFile === '' ? undefined : this.#read(clientCaFile),
    ])
    const hash = [cert, key, ca ?? ''].map((part) => createHash('sha256').update(part).digest('hex')).join()
    if (hash !== this.#hash) {
      const material = makeMaterial(this.#options, { cert, key, ca })
      const notAfterMs = check(material, this.#options)
      this.#material = material
      this.#hash = hash
      this.#onChange(material)
      const notAfter = new Date(notAfterMs).toISOString()
      this.#deps.logger.info('TLS files are loaded', { cert: certFile, not_after: notAfter })
      this.#record(true, notAfterMs / 1000)
    } else this.#record(true, undefined)
  }

  async #read(path: string): Promise<Buffer> {
    try {
      return await this.#deps.disk.readFile(path)
    } catch (error) {
      throw new ConfigError([`cannot read ${path} of server.http_tls_config: ${(error as Error).message}`])
    }
  }
}

type TlsFiles = { readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer | undefined }

function makeMaterial(options: TlsOptions, { cert, key, ca }: TlsFiles): TlsMaterial {
  const { clientAuthType, minVersion, cipherSuites } = options
  const ciphers = opensslCiphers(cipherSuites)
  const requestCert = clientAuthType !== '' && clientAuthType !== 'NoClientCert'
  return {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    minVersion: minVersion === 'VersionTLS13' ? 'TLSv1.3' : 'TLSv1.2',
    ...(ciphers === undefined ? {} : { ciphers }),
    // a resumed session is not asked for its certificate again, nor whether that is still good
    secureOptions: requestCert ? constants.SSL_OP_NO_TICKET : 0,
    requestCert,
    rejectUnauthorized: clientAuthType === 'RequireAndVerifyClientCert',
    needsClientCert: clientAuthType === 'RequireAnyClientCert' || clientAuthType === 'RequireAndVerifyClientCert',
    verifiesClientCert: clientAuthType === 'VerifyClientCertIfGiven' || clientAuthType === 'RequireAndVerifyClientCert',
  }
}

/** The end of the certificate in milliseconds. @throws ConfigError when the parts do not fit, or are none. */
function check(material: TlsMaterial, { certFile, keyFile, clientCaFile }: TlsOptions): number {
  try {
    createSecureContext(material)
    if (material.ca !== undefined) void new X509Certificate(material.ca)
    return Date.parse(new X509Certificate(material.cert).validTo)
  } catch (error) {
    const names = [certFile, keyFile, ...(clientCaFile === '' ? [] : [clientCaFile])].join(', ')
    throw new ConfigError([`server.http_tls_config: ${names}: ${(error as Error).message}`])
  }
}

function tlsMetrics(metrics: Metrics): (isGood: boolean, notAfterSeconds: number | undefined) => void {
  const successful = metrics.gauge({
    name: 'edda_tls_last_reload_successful',
    help: 'Whether the TLS files were good when they were last read.',
  })
  const notAfter = metrics.gauge({
    name: 'edda_tls_certificate_not_after_seconds',
    help: 'Unix time at which the certificate of the server ends.',
  })
  return (isGood, seconds) => {
    successful.set(isGood ? 1 : 0)
    if (seconds !== undefined) notAfter.set(seconds)
  }
}
