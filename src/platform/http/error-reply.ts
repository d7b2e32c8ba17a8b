/** What a client sees of an error: plain text with the status of its code. */
import { EddaError, TooLarge, errorStatus } from '#/kernel/errors.ts'
import { Unauthenticated } from './access.ts'
import { type HttpReply, textReply } from './endpoint.ts'

/** For errors that may pass by themselves and do not say when. */
const retryAfterSecondsDefault = 1

export function errorReply(error: EddaError): HttpReply {
  const { http, retryable } = errorStatus[error.code]
  const seconds = error.retryAfterSeconds ?? (retryable ? retryAfterSecondsDefault : undefined)
  // the refusal of a request without a tenant ends its line, as Loki's does
  const text = error.code === 'unauthorized' ? `${error.message}\n` : error.message
  return textReply(http, text, seconds === undefined ? {} : { 'retry-after': String(Math.ceil(seconds)) })
}

/** Names an error that nobody foresaw, so that the answer and the log line can be brought together. */
export function internalError(id: string, cause: unknown): EddaError {
  return new EddaError('internal', `internal error ${id}`, { cause })
}

/** `found` is what the client announced, or unknown. */
export function bodyTooLarge(found: number | undefined, limitBytes: number): TooLarge {
  const sizeBytes = found !== undefined && found > limitBytes ? found : limitBytes + 1
  return new TooLarge(`request body too large: message size too large than max (${sizeBytes} vs ${limitBytes})`)
}

/** Whatever form a 401 has, it says how one can be known. */
export function withChallenge(reply: HttpReply, error: EddaError): HttpReply {
  if (!(error instanceof Unauthenticated)) return reply
  return { ...reply, headers: { ...reply.headers, 'www-authenticate': error.challenge } }
}
