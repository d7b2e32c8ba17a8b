/**
 * Finds out who calls from `Authorization`: `Bearer <token>`, or `Basic` with a user's password or with a token under its name; and
 * whether that is enough.
 *
 * Wrong credentials are answered late and limited by address. Tokens, and passwords that are remembered, are right whatever others
 * do from the same address, e.g. behind the same proxy.
 */
import { Forbidden, LimitExceeded } from '#/kernel/errors.ts'
import type { Clock, Random } from '#/kernel/world.ts'
import { type AccessControl, type AccessRequest, type Grant, Unauthenticated } from '#/platform/http/access.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import type { Credential } from './credential.ts'
import { FailureLimiter } from './failure-limiter.ts'
import { PasswordChecker } from './password-checker.ts'
import { isToken, type ScryptHash, secretMaxBytes, unknownHash } from './secret-hash.ts'

/** Who there is, as of now. */
export interface Directory {
  byName(name: string): Credential | undefined
  byToken(token: string): Credential | undefined
}

export type AuthenticatorOptions = {
  /** Passwords that are checked at once. */
  readonly maxChecks: number
  /** Paths that need no credentials. */
  readonly openPaths: readonly string[]
}

export type AuthenticatorDeps = {
  readonly clock: Clock
  readonly random: Random
  readonly metrics: Metrics
  readonly directory: Directory
}

const failureDelayMs = 250

export class Authenticator implements AccessControl {
  readonly #options: AuthenticatorOptions
  readonly #clock: Clock
  readonly #directory: Directory
  readonly #limiter: FailureLimiter
  readonly #passwords: PasswordChecker
  /** Stands for names that do not exist, so that they take as long. */
  readonly #nobody: ScryptHash
  readonly #countRefusal: (reason: 'missing' | 'wrong' | 'limited' | 'forbidden') => void

  constructor(options: AuthenticatorOptions, { clock, random, metrics, directory }: AuthenticatorDeps) {
    this.#options = options
    this.#clock = clock
    this.#directory = directory
    this.#limiter = new FailureLimiter(clock)
    this.#passwords = new PasswordChecker(options.maxChecks, { clock, random })
    this.#nobody = unknownHash(random)
    const refused = metrics.counter({
      name: 'edda_auth_refused_total',
      help: 'Requests that were refused for their credentials.',
      labels: ['reason'],
    })
    this.#countRefusal = (reason) => refused.inc({ reason })
  }

  async admit(request: AccessRequest, signal: AbortSignal): Promise<Grant> {
    const { access, path } = request
    if (this.#options.openPaths.includes(path)) return { tenants: [] }
    const { name, permissions, tenants } = await this.#identify(request, signal)
    if (access !== 'any' && !permissions.has(access)) {
      this.#countRefusal('forbidden')
      throw new Forbidden(`${name} lacks permission ${access}`)
    }
    return { tenants }
  }

  async #identify({ headers, remoteAddress }: AccessRequest, signal: AbortSignal): Promise<Credential> {
    const header = headers.authorization ?? ''
    if (header === '') {
      this.#countRefusal('missing')
      throw new Unauthenticated('credentials are missing')
    }
    const found = await this.#find(header, remoteAddress)
    if (found !== undefined) return found
    this.#countRefusal('wrong')
    await this.#clock.sleep(failureDelayMs, signal)
    throw new Unauthenticated('credentials are wrong')
  }

  async #find(header: string, address: string): Promise<Credential | undefined> {
    const given = parseAuthorization(header)
    if (given?.scheme === 'basic') {
      const credential = this.#directory.byName(given.name)
      const stored = credential?.secret ?? this.#nobody
      if (stored.kind === 'scrypt') {
        const isRight = await this.#isPassword(given.secret, stored, address)
        return isRight ? credential : undefined
      }
      if (isToken(given.secret, stored)) return credential
    } else if (given !== undefined) {
      const credential = this.#directory.byToken(given.secret)
      if (credential !== undefined) return credential
    }
    this.#checkLimit(address)
    this.#limiter.fail(address)
    return undefined
  }

  async #isPassword(password: string, stored: ScryptHash, address: string): Promise<boolean> {
    const known = this.#passwords.known(password, stored)
    if (known !== undefined) return known
    this.#checkLimit(address)
    // counted before it is known, so that many at once count as many
    this.#limiter.fail(address)
    let isWrong = false
    try {
      isWrong = !(await this.#passwords.check(password, stored))
    } finally {
      if (!isWrong) this.#limiter.forgive(address)
    }
    return !isWrong
  }

  #checkLimit(address: string): void {
    const waitMs = this.#limiter.waitMs(address)
    if (waitMs === 0) return
    this.#countRefusal('limited')
    throw new LimitExceeded('too many wrong credentials from this address', {
      retryAfterSeconds: Math.ceil(waitMs / 1000),
    })
  }
}

type Given =
  | { readonly scheme: 'basic'; readonly name: string; readonly secret: string }
  | { readonly scheme: 'bearer'; readonly secret: string }

/** What a header says; undefined when it is neither `Basic` nor `Bearer`, or too long. */
function parseAuthorization(header: string): Given | undefined {
  const [, scheme = '', text = ''] = /^(basic|bearer) +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(header) ?? []
  if (scheme === '' || text.length > 2 * secretMaxBytes) return undefined
  if (scheme.toLowerCase() === 'bearer') return { scheme: 'bearer', secret: text }
  const decoded = Buffer.from(text, 'base64').toString()
  const colon = decoded.indexOf(':')
  if (colon < 0) return undefined
  const [name, secret] = [decoded.slice(0, colon), decoded.slice(colon + 1)]
  return Buffer.byteLength(secret) > secretMaxBytes ? undefined : { scheme: 'basic', name, secret }
}
