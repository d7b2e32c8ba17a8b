/** Go's names of the cipher suites of TLS 1.2 that are still good, and OpenSSL's. */
const suites: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
}
/** Of TLS 1.3: always offered, as in Go; that they are named changes nothing. */
const alwaysOffered = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']

/** OpenSSL's list; undefined when nothing is chosen. @throws Error for a suite that is unknown or not good. */
export function opensslCiphers(names: readonly string[]): string | undefined {
  const chosen = names.filter((name) => !alwaysOffered.includes(name))
  if (chosen.length === 0) return undefined
  const list = chosen.map((name) => {
    const suite = Object.hasOwn(suites, name) ? suites[name] : undefined
    if (suite === undefined) {
      throw new Error(`${name} is unknown or not safe; possible are ${Object.keys(suites).join(', ')}`)
    }
    return suite
  })
  return [...alwaysOffered, ...list].join(':')
}
