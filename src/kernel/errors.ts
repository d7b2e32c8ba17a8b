/**
 * Errors that others may cause. Three kinds exist (the first, our own bugs, is in assert.ts):
 *
 * - `EddaError` and its children: the caller's or the world's fault, each with a stable `code`. One table, `errorStatus`,
 *   maps the code to an HTTP status and says whether a client may retry.
 * - `Corruption`: stored bytes are not what was written. Never swallowed, never retried.
 *
 * Messages are lower case, without a final stop, with the value and the limit.
 */
export type ErrorCode =
  | 'bad_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'too_large'
  | 'unprocessable'
  | 'limit_exceeded'
  | 'cancelled'
  | 'unavailable'
  | 'timeout'
  | 'corruption'
  | 'internal'

export type ErrorStatus = {
  readonly http: number
  /** Number of gRPC's status. */
  readonly grpc: number
  /** Whether the same request may succeed later. */
  readonly retryable: boolean
}

/** What clients are told of an error code. 499 is the status of a client that left. */
export const errorStatus: Readonly<Record<ErrorCode, ErrorStatus>> = {
  bad_request: { http: 400, grpc: 3, retryable: false },
  unauthorized: { http: 401, grpc: 16, retryable: false },
  forbidden: { http: 403, grpc: 7, retryable: false },
  not_found: { http: 404, grpc: 5, retryable: false },
  too_large: { http: 413, grpc: 8, retryable: false },
  unprocessable: { http: 422, grpc: 3, retryable: false },
  limit_exceeded: { http: 429, grpc: 8, retryable: true },
  cancelled: { http: 499, grpc: 1, retryable: false },
  corruption: { http: 500, grpc: 13, retryable: false },
  internal: { http: 500, grpc: 13, retryable: false },
  unavailable: { http: 503, grpc: 14, retryable: true },
  timeout: { http: 504, grpc: 4, retryable: false },
}

export class EddaError extends Error {
  readonly code: ErrorCode
  /** Seconds after which a retry makes sense; becomes `Retry-After`. */
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly retryAfterSeconds?: number },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.retryAfterSeconds = options?.retryAfterSeconds
  }
}

type Cause = { readonly cause?: unknown }
type Retry = Cause & { readonly retryAfterSeconds?: number }

/** The request itself is wrong: 400. */
export class BadRequest extends EddaError {
  constructor(message: string, options?: Cause) {
    super('bad_request', message, options)
  }
}

/** A body or message beyond its size limit: 413. */
export class TooLarge extends EddaError {
  constructor(message: string, options?: Cause) {
    super('too_large', message, options)
  }
}

/** A rate or count beyond a tenant's limit: 429, worth a retry later. */
export class LimitExceeded extends EddaError {
  constructor(message: string, options?: Retry) {
    super('limit_exceeded', message, options)
  }
}

/** The caller is known and may not: 403. */
export class Forbidden extends EddaError {
  constructor(message: string, options?: Cause) {
    super('forbidden', message, options)
  }
}

/** There is no such thing: 404. */
export class NotFound extends EddaError {
  constructor(message: string, options?: Cause) {
    super('not_found', message, options)
  }
}

/** We cannot serve this now (starting, stopping, disk full, store away): 503, worth a retry. */
export class Unavailable extends EddaError {
  constructor(message: string, options?: Retry) {
    super('unavailable', message, options)
  }
}

/** The caller left or gave up: 499. */
export class Cancelled extends EddaError {
  constructor(message = 'the request was cancelled by the client', options?: Cause) {
    super('cancelled', message, options)
  }
}

/** The deadline of a request passed: 504. */
export class TimedOut extends EddaError {
  constructor(message: string, options?: Cause) {
    super('timeout', message, options)
  }
}

/** Stored bytes that are not what was written. `offset` is in bytes from the start of `file`. */
export class Corruption extends EddaError {
  readonly file: string
  readonly offset: number

  constructor(where: { readonly file: string; readonly offset: number }, what: string, options?: Cause) {
    super('corruption', `corruption in ${where.file} at byte ${where.offset}: ${what}`, options)
    this.file = where.file
    this.offset = where.offset
  }
}

/** The error to throw when `signal` is aborted: its reason if that is one of ours, else {@link Cancelled}. */
export function abortError(signal: AbortSignal): EddaError {
  return signal.reason instanceof EddaError ? signal.reason : new Cancelled(undefined, { cause: signal.reason })
}

/** Throws when `signal` is aborted; long loops call it every few thousand steps. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal)
}
