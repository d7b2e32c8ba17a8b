/**
 * Certificates for tests, made with nothing but Node: X.509 v3 as DER, keys on P-256. A certificate without an issuer signs itself and
 * may sign others.
 *
 *     Certificate ::= SEQUENCE { tbs, ecdsa-with-SHA256, BIT STRING signature }
 *     tbs         ::= SEQUENCE { [0] version, serial, algorithm, issuer, validity, subject, public key, [3] extensions }
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export type TestCertificate = { readonly cert: string; readonly key: string; readonly name: string }

type Asked = {
  readonly name: string
  readonly issuer?: TestCertificate
  readonly notBefore?: Date
  readonly notAfter?: Date
}

const day = 24 * 3600 * 1000

export function makeCertificate({ name, issuer, notBefore, notAfter }: Asked): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const validity = sequence(
    time(notBefore ?? new Date(Date.now() - day)),
    time(notAfter ?? new Date(Date.now() + 30 * day)),
  )
  const tbs = sequence(
    context(0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    distinguishedName(issuer?.name ?? name),
    validity,
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    context(3, sequence(...extensions(issuer === undefined))),
  )
  const signature = sign('sha256', tbs, issuer === undefined ? (privateKey as KeyObject) : issuer.key)
  const der = sequence(tbs, ecdsaWithSha256, bitString(signature))
  const body = der.toString('base64').replaceAll(/.{64}/g, '$&\n')
  return { cert: `-----BEGIN CERTIFICATE-----\n${body.trimEnd()}\n-----END CERTIFICATE-----\n`, key, name }
}

/** An authority, or a leaf for localhost. */
function extensions(isAuthority: boolean): Buffer[] {
  const extension = (id: Buffer, value: Buffer): Buffer => sequence(id, octets(value))
  const basicConstraints = extension(
    oid('551d13'),
    sequence(...(isAuthority ? [tagged(0x01, Buffer.from([0xff]))] : [])),
  )
  const names = sequence(tagged(0x82, Buffer.from('localhost')), tagged(0x87, Buffer.from([127, 0, 0, 1])))
  return isAuthority ? [basicConstraints] : [basicConstraints, extension(oid('551d11'), names)]
}

function tagged(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content)
  const { length } = body
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), body])
}

const sequence = (...content: readonly Buffer[]): Buffer => tagged(0x30, ...content)
const context = (number: number, content: Buffer): Buffer => tagged(0xa0 + number, content)
const integer = (bytes: Buffer): Buffer => tagged(0x02, bytes)
const octets = (bytes: Buffer): Buffer => tagged(0x04, bytes)
const bitString = (bytes: Buffer): Buffer => tagged(0x03, Buffer.from([0]), bytes)
const oid = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'))
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
const commonName = oid('550403')

function distinguishedName(name: string): Buffer {
  return sequence(tagged(0x31, sequence(commonName, tagged(0x0c, Buffer.from(name)))))
}

/** GeneralizedTime, to the second. */
function time(date: Date): Buffer {
  return tagged(0x18, Buffer.from(`${date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`))
}
