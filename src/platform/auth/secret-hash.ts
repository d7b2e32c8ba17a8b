/**
 * What is stored of a secret, as text that carries its parameters:
 *
 *     $scrypt$ln=14,r=8,p=5$<salt>$<hash>    passwords: slow to try, N = 2^ln
 *     $sha256$<hash>                         tokens: random, so that nobody can try them out
 *
 * Salt and hash are base64 without padding.
 */
import { createHash, scrypt, timingSafeEqual } from 'node:crypto'

import type { Random } from '#/kernel/world.ts'

export type ScryptHash = {
  readonly kind: 'scrypt'
  /** N is two to the power of this. */
  readonly logN: number
  readonly r: number
  readonly p: number
  readonly salt: Buffer
  readonly hash: Buffer
}
export type Sha256Hash = { readonly kind: 'sha256'; readonly hash: Buffer }
export type SecretHash = ScryptHash | Sha256Hash

/** 16 MiB and some 200 ms for each try. */
const newScrypt = { logN: 14, r: 8, p: 5 } as const
const saltBytes = 16
const scryptBytes = 32
const tokenBytes = 32
/** Of what a file may ask for: a check takes 128 × N × r bytes. */
const scryptMemoryMax = 64 * 1024 * 1024
const logNMin = 10
const logNMax = 20
const rMax = 32
const pMax = 16
/** Longer secrets are refused before they are hashed. */
export const secretMaxBytes = 1024

/** The text to store for a password. */
export async function hashPassword(password: string, random: Random): Promise<string> {
  const salt = random.bytes(saltBytes)
  const { logN, r, p } = newScrypt
  const hash = await derive(password, { ...newScrypt, kind: 'scrypt', salt, hash: Buffer.alloc(scryptBytes) })
  return `$scrypt$ln=${logN},r=${r},p=${p}$${unpadded(salt)}$${unpadded(hash)}`
}

/** A token that nobody can guess, and the text to store for it. */
export function newToken(random: Random): { readonly token: string; readonly stored: string } {
  const token = `edda_${random.bytes(tokenBytes).toString('base64url')}`
  return { token, stored: `$sha256$${unpadded(digestOf(token))}` }
}

/** @throws Error with the reason, without the text. */
export function parseSecretHash(text: string): SecretHash {
  const sha256 = /^\$sha256\$([A-Za-z0-9+/]{43})=?$/.exec(text)
  if (sha256) return { kind: 'sha256', hash: Buffer.from(sha256[1] ?? '', 'base64') }
  const parts = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)={0,2}\$([A-Za-z0-9+/]+)={0,2}$/.exec(
    text,
  )
  if (!parts) throw new Error('it is not a hash that `edda hash-password` prints')
  const [logN, r, p] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  const [salt, hash] = [Buffer.from(parts[4] ?? '', 'base64'), Buffer.from(parts[5] ?? '', 'base64')]
  if (logN < logNMin || logN > logNMax) throw new Error(`ln is ${logN}, it must be from ${logNMin} to ${logNMax}`)
  if (r < 1 || r > rMax || p < 1 || p > pMax) throw new Error(`r must be from 1 to ${rMax}, p from 1 to ${pMax}`)
  const memory = memoryOf(logN, r)
  if (memory > scryptMemoryMax) throw new Error(`a check would take ${memory} bytes, the limit is ${scryptMemoryMax}`)
  if (salt.length < 8 || salt.length > 64) throw new Error(`the salt has ${salt.length} bytes, it must be 8 to 64`)
  if (hash.length < 16 || hash.length > 64) throw new Error(`the hash has ${hash.length} bytes, it must be 16 to 64`)
  return { kind: 'scrypt', logN, r, p, salt, hash }
}

/** Takes the time and memory that the parameters say, in a thread of libuv. */
export async function isPassword(password: string, stored: ScryptHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, stored), stored.hash)
}

export function isToken(token: string, stored: Sha256Hash): boolean {
  return timingSafeEqual(digestOf(token), stored.hash)
}

export function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** A hash that nothing fits, to spend the same time on names that do not exist. */
export function unknownHash(random: Random): ScryptHash {
  return { kind: 'scrypt', ...newScrypt, salt: random.bytes(saltBytes), hash: random.bytes(scryptBytes) }
}

function derive(password: string, { logN, r, p, salt, hash }: ScryptHash): Promise<Buffer> {
  const options = { N: 2 ** logN, r, p, maxmem: 2 * memoryOf(logN, r) }
  return new Promise((resolve, reject) =>
    // one spelling of a letter for all keyboards
    scrypt(password.normalize('NFKC'), salt, hash.length, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    ),
  )
}

const memoryOf = (logN: number, r: number): number => 128 * 2 ** logN * r
const unpadded = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '')
