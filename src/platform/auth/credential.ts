/** Users and tokens: who they are, which tenants' data they may touch, and what they may do. */
import { type Permission, permissions } from '#/platform/http/access.ts'
import { type AllowedTenants, maxTenantsPerRequest, parseTenantId } from '#/platform/tenant/tenant-id.ts'
import { parseSecretHash, type SecretHash } from './secret-hash.ts'

export type Credential = {
  readonly name: string
  /** A token is sent as `Bearer`, or as the password of `Basic`. */
  readonly kind: 'password' | 'token'
  readonly secret: SecretHash
  readonly tenants: AllowedTenants
  readonly permissions: ReadonlySet<Permission>
}

const maxCredentials = 10_000
const nameMaxLength = 200

/** From YAML data, a list. @throws Error that names the first entry that is wrong, and never its hash. */
export function parseCredentials(data: unknown): readonly Credential[] {
  if (data === null || data === undefined) return []
  if (!Array.isArray(data)) throw new Error('expected a list of credentials')
  if (data.length > maxCredentials) throw new Error(`${data.length} credentials, the limit is ${maxCredentials}`)
  const credentials = data.map(parseCredential)
  checkUnique(credentials)
  return credentials
}

/** @throws Error when two have one name, or one token. */
export function checkUnique(credentials: readonly Credential[]): void {
  const names = new Set<string>()
  const tokens = new Map<string, string>()
  for (const { name, kind, secret } of credentials) {
    if (names.has(name)) throw new Error(`credential ${name}: there are two of this name`)
    names.add(name)
    if (kind === 'password') continue
    const hash = secret.hash.toString('base64')
    const other = tokens.get(hash)
    if (other !== undefined) throw new Error(`credentials ${other} and ${name} have the same token`)
    tokens.set(hash, name)
  }
}

const keys = new Set(['name', 'password', 'token', 'tenants', 'permissions'])

function parseCredential(data: unknown, index: number): Credential {
  const place = `credential ${index + 1}`
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new Error(`${place}: expected a map`)
  const entry = data as Readonly<Record<string, unknown>>
  const name = entry['name']
  if (typeof name !== 'string' || !/^[^\s:]+$/.test(name) || name.length > nameMaxLength) {
    throw new Error(`${place}: it needs a name without space and colon, of at most ${nameMaxLength} characters`)
  }
  try {
    const unknown = Object.keys(entry).find((key) => !keys.has(key))
    if (unknown !== undefined) throw new Error(`unknown key ${unknown}; keys are ${[...keys].join(', ')}`)
    const granted = parsePermissions(entry['permissions'])
    const tenants = parseTenants(entry['tenants'])
    const needsTenant = granted.has('read') || granted.has('write')
    if (needsTenant && tenants !== 'any' && tenants.length === 0) {
      throw new Error("read and write need `tenants`: a list, or '*' for all")
    }
    return { name, ...parseSecret(entry), tenants, permissions: granted }
  } catch (error) {
    throw new Error(`credential ${name}: ${(error as Error).message}`, { cause: error })
  }
}

function parseSecret({ password, token }: Readonly<Record<string, unknown>>): Pick<Credential, 'kind' | 'secret'> {
  if ((password === undefined) === (token === undefined)) throw new Error('it needs either `password` or `token`')
  const text = password ?? token
  const key = password === undefined ? 'token' : 'password'
  if (typeof text !== 'string') throw new Error(`${key}: expected the hash as a text`)
  let secret: SecretHash
  try {
    secret = parseSecretHash(text)
  } catch (error) {
    throw new Error(`${key}: ${(error as Error).message}`, { cause: error })
  }
  if (key === 'token' && secret.kind !== 'sha256') {
    throw new Error('token: a token is stored as $sha256$, see `edda hash-password --token`')
  }
  if (key === 'password' && secret.kind !== 'scrypt') throw new Error('password: a password is stored as $scrypt$')
  return { kind: key, secret }
}

function parseTenants(data: unknown): AllowedTenants {
  if (data === '*') return 'any'
  if (data === undefined || data === null) return []
  const list: unknown = typeof data === 'string' ? data.split(',').map((one) => one.trim()) : data
  if (!Array.isArray(list)) throw new Error("tenants: expected a list, or '*'")
  if (list.length > maxTenantsPerRequest) {
    throw new Error(`tenants: ${list.length} of them, the limit is ${maxTenantsPerRequest}`)
  }
  const ids = list.map((one: unknown) => {
    // YAML reads 0123 or 1e3 as numbers, and then the text is lost
    if (typeof one !== 'string') throw new Error(`tenants: expected texts, found ${JSON.stringify(one)}; use quotes`)
    if (one.includes(':')) throw new Error(`tenants: ${JSON.stringify(one)} has a colon`)
    return parseTenantId(one)
  })
  return [...new Set(ids)].toSorted()
}

function parsePermissions(data: unknown): ReadonlySet<Permission> {
  const list: unknown = typeof data === 'string' ? data.split(',').map((one) => one.trim()) : data
  if (!Array.isArray(list) || list.length === 0) {
    throw new Error(`permissions: expected a list of ${permissions.join(', ')}`)
  }
  const found = list.map((one: unknown) => {
    const permission = permissions.find((name) => name === one)
    if (permission === undefined) {
      throw new Error(`permissions: ${JSON.stringify(one)} is none of ${permissions.join(', ')}`)
    }
    return permission
  })
  return new Set(found)
}
