import type { HttpReply } from '#/platform/http/endpoint.ts'

const JSON_TYPE = { 'content-type': 'application/json; charset=UTF-8' }

/** A JSON answer that was written in pieces. */
export function jsonBody(pieces: readonly Uint8Array[]): HttpReply {
  return { status: 200, headers: JSON_TYPE, body: Buffer.concat(pieces) }
}

/** `{"status":"success","data":[…]}`; an empty list leaves `data` out, as Loki does for labels. */
export function labelsReply(values: readonly string[]): HttpReply {
  const body = values.length === 0 ? { status: 'success' } : { status: 'success', data: values }
  return { status: 200, headers: JSON_TYPE, body: JSON.stringify(body) }
}
