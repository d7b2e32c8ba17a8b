/** What follows from several options together. */
import type { TlsOptions } from '#/platform/tls/server-tls.ts'
import type { Config } from './config.ts'

/** Whether callers must say who they are. */
export function hasCredentials({ auth }: Config): boolean {
  return auth.file !== '' || auth.credentials.length > 0
}

export function tlsOptions({ server }: Pick<Config, 'server'>): TlsOptions {
  const { cert_file, key_file, client_auth_type, client_ca_file } = server.http_tls_config
  return {
    certFile: cert_file,
    keyFile: key_file,
    clientAuthType: client_auth_type,
    clientCaFile: client_ca_file,
    minVersion: server.tls_min_version,
    cipherSuites: server.tls_cipher_suites,
  }
}
